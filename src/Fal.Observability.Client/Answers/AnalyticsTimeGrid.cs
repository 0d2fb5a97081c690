using System.Globalization;
using Refit;

namespace Fal.Observability.Client;

/// <summary>
/// Which time a query covers and how it is cut into buckets: the five parameters that every time-bucketed call of the service has.
/// </summary>
/// <param name="Range">The time.</param>
/// <param name="Timeframe">The length of a bucket; null if the service chooses.</param>
/// <param name="TimeZone">The zone whose calendar determines the buckets; null for UTC.</param>
/// <param name="BoundToTimeframe">
/// Whether the service moves the range outward to whole buckets; null for its default, which is true.
/// </param>
internal readonly record struct AnalyticsTimeGrid(
    AnalyticsTimeRange Range, AnalyticsTimeframe? Timeframe, string? TimeZone, bool? BoundToTimeframe)
{
    /// <summary>The zone; null if this machine does not know it.</summary>
    public TimeZoneInfo? KnownZone =>
        TimeZone is null ? TimeZoneInfo.Utc : TimeZoneInfo.TryFindSystemTimeZoneById(TimeZone, out TimeZoneInfo? zone) ? zone : null;

    /// <summary>
    /// The day of an instant in the zone, regardless of the offset that the instant was sent with. If this machine does not know the zone,
    /// the day at that offset.
    /// </summary>
    public DateOnly DayOf(DateTimeOffset instant) =>
        DateOnly.FromDateTime(KnownZone is { } zone ? TimeZoneInfo.ConvertTime(instant, zone).DateTime : instant.DateTime);

    /// <summary>
    /// The grid with everything filled in that stands for a default. Two grids are the same cut if these are equal. The service's choice of
    /// a timeframe is unknown for a range that depends on the clock.
    /// </summary>
    public AnalyticsTimeGrid Explicit =>
        new(Range, Range.IsFixed ? AnalyticsCalendar.TimeframeOf(this) : Timeframe, TimeZone ?? "UTC", BoundToTimeframe ?? true);

    /// <summary>What is set, in parts for a line in a log.</summary>
    public IEnumerable<string> Words
    {
        get
        {
            string?[] parts =
            [
                Range.ToString(),
                Timeframe is { } timeframe ? $"by {timeframe.GetWireName()}" : null,
                TimeZone,
                BoundToTimeframe == false ? "not bound to timeframe" : null,
            ];
            return parts.OfType<string>();
        }
    }

    /// <summary>A string that is equal for two grids with the same settings. Checkpoints store it.</summary>
    public string Identity => $"{Range}\n{TimeZone}\n{Timeframe}\n{BoundToTimeframe != false}";

    /// <summary>Writes the parameters <c>start</c>, <c>end</c>, <c>timezone</c>, <c>timeframe</c> and <c>bound_to_timeframe</c>.</summary>
    /// <exception cref="ArgumentException">The range depends on the clock.</exception>
    public void AddTo(ref GeneratedQueryStringBuilder builder, string keyPrefix)
    {
        (string? start, string? end) = Range.ToWire();

        // A null value omits its parameter.
        builder.Add(keyPrefix + "start", start, preEncoded: false);
        builder.Add(keyPrefix + "end", end, preEncoded: false);
        builder.Add(keyPrefix + "timezone", TimeZone, preEncoded: false);
        builder.Add(keyPrefix + "timeframe", Timeframe?.GetWireName(), preEncoded: false);
        string? bound = BoundToTimeframe switch { true => "true", false => "false", null => null };
        builder.Add(keyPrefix + "bound_to_timeframe", bound, preEncoded: false);
    }

    /// <summary>Refuses buckets outside the requested time.</summary>
    /// <exception cref="FalResponseException">A bucket lies outside the range.</exception>
    public void ThrowIfOutside(IEnumerable<DateTimeOffset> starts)
    {
        (DateTimeOffset after, DateTimeOffset until) = AnalyticsCalendar.StartsOf(this);
        foreach (DateTimeOffset start in starts)
        {
            if (start <= after || start > until)
            {
                throw PageGuard.Unusable(string.Create(CultureInfo.InvariantCulture,
                    $"The service sent the time bucket {start:yyyy-MM-dd'T'HH:mm:sszzz}, which is outside the requested range " +
                    $"({Range}). The answer does not match the query. Repeat the query. If the error persists, report it to fal with " +
                    $"the query."));
            }
        }
    }
}
