using System.Globalization;

namespace Fal.Observability.Client;

/// <summary>
/// A query for what the account's apps used and what it cost: which apps, which time range, and which buckets. The default is every app
/// over the last 24 hours.
/// </summary>
/// <remarks>
/// A query is immutable and safe to share between threads; <c>query with { ... }</c> makes a changed copy. Setting an invalid value throws.
/// Two queries are equal if all their values are, with lists compared element by element in order.
/// </remarks>
/// <example>
/// <code>
/// var query = new UsageQuery { Range = AnalyticsTimeRange.Last(TimeSpan.FromDays(30)), Timeframe = AnalyticsTimeframe.Day };
/// </code>
/// </example>
public sealed record UsageQuery : FalPagedQuery
{
    /// <summary>The most apps that the service takes as a filter: 50.</summary>
    public const int MaxApps = 50;

    /// <summary>
    /// The apps, by the name in <see cref="UsageRow.App"/>, which has no owner and can have a suffix. Default: empty, which is every app of
    /// the account. A duplicate app counts once.
    /// </summary>
    /// <exception cref="ArgumentException">
    /// There are more than <see cref="MaxApps"/>, or a name is blank or contains a comma, white space or a control character.
    /// </exception>
    public IReadOnlyList<string> Apps
    {
        get;
        init
        {
            ArgumentNullException.ThrowIfNull(value);
            WireTokenList names = WireTokenList.Create(value, "app name", nameof(Apps));
            if (names.Count > MaxApps)
            {
                throw new ArgumentException(string.Create(CultureInfo.InvariantCulture,
                    $"The query names {names.Count} apps, but the service accepts at most {MaxApps}. Leave the list empty for every app, " +
                    $"and filter the rows."), nameof(Apps));
            }

            field = names;
        }
    } = WireTokenList.Empty;

    /// <summary>
    /// A part of the name of the apps, case-insensitive. Default: null, which is every app. An empty string is read as null. If
    /// <see cref="Apps"/> is set too, a row must match both.
    /// </summary>
    /// <exception cref="ArgumentException">The text is blank or contains a comma, white space or a control character.</exception>
    public string? Search
    {
        get;
        init
        {
            if (!string.IsNullOrEmpty(value))
            {
                WireToken.ThrowIfInvalid(value, "search text", nameof(Search), "Leave it null for every app.");
            }

            field = string.IsNullOrEmpty(value) ? null : value;
        }
    }

    /// <summary>The shapes to ask for. Default: <see cref="UsageExpand.TimeSeries"/>.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value names no shape, or one that this version does not know.</exception>
    public UsageExpand Expand
    {
        get;
        init
        {
            if (value is <= UsageExpand.None or > (UsageExpand.TimeSeries | UsageExpand.Summary))
            {
                throw new ArgumentOutOfRangeException(nameof(value), value, "Expand must be TimeSeries, Summary or both.");
            }

            field = value;
        }
    } = UsageExpand.TimeSeries;

    /// <summary>The same query with a range whose ends are fixed, so that every page of the answer is about the same time.</summary>
    /// <param name="now">The current instant, usually <c>timeProvider.GetUtcNow()</c>.</param>
    /// <returns>The query itself if its range is already fixed.</returns>
    /// <exception cref="ArgumentException">The range has an open end and starts at <paramref name="now"/> or later.</exception>
    public UsageQuery Resolve(DateTimeOffset now) => Range.IsFixed ? this : this with { Range = Range.Resolve(now) };

    /// <summary>The query on one line for a log.</summary>
    public override string ToString() => string.Join(" | ", new[]
    {
        Apps.Count == 0 ? "every app" : string.Join(", ", Apps),
        Search is null ? null : $"names with {Search}",
        Expand switch { UsageExpand.Summary => "summary", UsageExpand.TimeSeries => null, _ => "time_series, summary" },
    }.Concat(TimeParts).OfType<string>());
}
