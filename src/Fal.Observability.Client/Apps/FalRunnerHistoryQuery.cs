using System.Globalization;

namespace Fal.Observability.Client;

/// <summary>Which part of an app's runner history to read, and with which buckets.</summary>
/// <remarks>Buckets are in UTC. Immutable and safe to share between threads. Setting an invalid value throws.</remarks>
public sealed record FalRunnerHistoryQuery : FalRangeQuery
{
    /// <summary>The longest range: 90 days, which is how far the history reaches back.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromDays(90);

    /// <summary>How the numbers within a bucket are aggregated. Default: <see cref="FalRunnerAggregation.Max"/>.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not one of the named ones.</exception>
    public FalRunnerAggregation Aggregation
    {
        get;
        init
        {
            if (value is < FalRunnerAggregation.Max or > FalRunnerAggregation.Average)
            {
                throw new ArgumentOutOfRangeException(nameof(value), value, "The aggregation must be Max or Average.");
            }

            field = value;
        }
    }

    /// <summary>The same query with a range whose ends are fixed.</summary>
    /// <param name="now">The current instant, usually <c>timeProvider.GetUtcNow()</c>.</param>
    /// <returns>The query itself if its range is already fixed.</returns>
    /// <exception cref="ArgumentException">
    /// The range has an open end, and starts at <paramref name="now"/> or later or is longer than <see cref="Longest"/>.
    /// </exception>
    public FalRunnerHistoryQuery Resolve(DateTimeOffset now) => Range.IsFixed ? this : this with { Range = Range.Resolve(now) };

    // The call has no parameter for a zone.
    internal override AnalyticsTimeGrid Grid => new(Range, Timeframe, null, null);

    private protected override void ThrowIfTooLong(AnalyticsTimeRange range)
    {
        // The length is known without a clock unless the end is open. An open end is checked when the range is resolved.
        TimeSpan? length = range.Duration
            ?? (range.FirstDay is { } first
                ? TimeSpan.FromDays(range.LastDay!.Value.DayNumber - first.DayNumber + 1)
                : range.End - range.Start);
        if (length > Longest)
        {
            throw new ArgumentOutOfRangeException(nameof(range), range, string.Create(CultureInfo.InvariantCulture,
                $"The range is {length.Value.TotalDays:0.##} days long, but the runner history covers only {Longest.TotalDays} days. " +
                $"Request a shorter range."));
        }
    }
}
