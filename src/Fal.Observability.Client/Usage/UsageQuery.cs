using System.Collections.ObjectModel;
using System.Globalization;

namespace Fal.Observability.Client;

/// <summary>
/// One question about what the account's apps used and what it cost: which apps, which time, cut into which buckets. The default is
/// every app over the last 24 hours.
/// </summary>
/// <remarks>
/// A query is immutable and safe to share between threads; <c>query with { ... }</c> makes a changed copy. What cannot be valid is
/// refused where it is set. Two queries are equal if all their values are, with lists compared element by element in order.
/// </remarks>
/// <example>
/// <code>
/// var query = new UsageQuery { Range = AnalyticsTimeRange.Last(TimeSpan.FromDays(30)), Timeframe = AnalyticsTimeframe.Day };
/// </code>
/// </example>
public sealed record UsageQuery
{
    /// <summary>The most apps that the service takes as a filter: 50.</summary>
    public const int MaxApps = 50;

    /// <summary>
    /// The apps, by the name in <see cref="UsageRow.App"/>, which has no owner and can have a suffix. Default: empty, which is every app
    /// of the account. An app that is there twice counts once.
    /// </summary>
    /// <exception cref="ArgumentException">
    /// There are more than <see cref="MaxApps"/>, or a name is blank or holds a comma, a blank or a control character.
    /// </exception>
    public IReadOnlyList<string> Apps
    {
        get;
        init
        {
            ArgumentNullException.ThrowIfNull(value);
            string[] names = [.. value.Distinct(StringComparer.Ordinal)];
            foreach (string name in names)
            {
                WireToken.ThrowIfInvalid(name, "app name", nameof(Apps));
            }

            if (names.Length > MaxApps)
            {
                throw new ArgumentException(string.Create(CultureInfo.InvariantCulture,
                    $"The query names {names.Length} apps, and the service takes at most {MaxApps}: leave the list empty for every app, " +
                        $"and choose among the rows."), nameof(Apps));
            }

            field = new ReadOnlyCollection<string>(names);
        }
    } = ReadOnlyCollection<string>.Empty;

    /// <summary>
    /// A part of the name that the apps have in common, in any case of letters. Default: null, every app; an empty string is read as null.
    /// With <see cref="Apps"/> too, a row must match both.
    /// </summary>
    /// <exception cref="ArgumentException">The text is blank or holds a comma, a blank or a control character.</exception>
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

    /// <summary>The time to cover. Default: the last 24 hours.</summary>
    public AnalyticsTimeRange Range { get; init; }

    /// <summary>
    /// The IANA name of the zone whose calendar cuts the time into buckets, such as <c>Europe/Berlin</c>. Default: null, which is UTC. The
    /// name is not looked up here: the service judges it.
    /// </summary>
    /// <exception cref="ArgumentException">The name is empty or holds a comma, a blank or a control character.</exception>
    public string? TimeZone
    {
        get;
        init
        {
            AnalyticsTimeGrid.ThrowIfNoZone(value, nameof(TimeZone));
            field = value;
        }
    }

    /// <summary>
    /// The length of a bucket. Default: null, the service chooses by the length of the range: see <see cref="AnalyticsTimeframe"/>.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not one of the named ones.</exception>
    public AnalyticsTimeframe? Timeframe
    {
        get;
        init
        {
            AnalyticsTimeGrid.ThrowIfUnknown(value, nameof(value));
            field = value;
        }
    }

    /// <summary>
    /// Whether the service moves the range outward to whole buckets. Default: null, the service's own default, which is true. With false
    /// the first and the last bucket can be cut.
    /// </summary>
    public bool? BoundToTimeframe { get; init; }

    /// <summary>
    /// The most items on a page, at least 1. Default: null, the service chooses. Reports and streams read every page, whatever the limit.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is less than 1.</exception>
    public int? Limit
    {
        get;
        init
        {
            if (value < 1)
            {
                throw new ArgumentOutOfRangeException(nameof(value), value,
                    "The limit must be at least 1, or null to let the service choose.");
            }

            field = value;
        }
    }

    /// <summary>
    /// Where a call of <see cref="IFalUsageApi"/> goes on: <see cref="FalPage{TBucket,TRow}.NextCursor"/> of the page before. Default: null, the first
    /// page; an empty string is read as null. Reports and streams follow the pages by themselves.
    /// </summary>
    public string? Cursor
    {
        get;
        init => field = string.IsNullOrEmpty(value) ? null : value;
    }

    /// <summary>Which time is covered, and how it is cut.</summary>
    internal AnalyticsTimeGrid Grid => new(Range, Timeframe, TimeZone, BoundToTimeframe);

    /// <summary>The same query with a range whose ends are fixed, so that every page of the answer is about the same time.</summary>
    /// <param name="now">The present instant, as a rule <c>timeProvider.GetUtcNow()</c>.</param>
    /// <returns>The query itself where its range is fixed already.</returns>
    /// <exception cref="ArgumentException">The range has an open end and starts at <paramref name="now"/> or later.</exception>
    public UsageQuery Resolve(DateTimeOffset now) => Range.IsFixed ? this : this with { Range = Range.Resolve(now) };

    /// <summary>Whether another query has the same values, with lists compared element by element in order.</summary>
    /// <param name="other">The other query.</param>
    public bool Equals(UsageQuery? other) => other is not null
        && Apps.SequenceEqual(other.Apps, StringComparer.Ordinal)
        && Search == other.Search
        && Expand == other.Expand
        && Grid == other.Grid
        && Limit == other.Limit
        && Cursor == other.Cursor;

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var hash = new HashCode();
        foreach (string app in Apps)
        {
            hash.Add(app, StringComparer.Ordinal);
        }

        hash.Add(Search, StringComparer.Ordinal);
        hash.Add(Expand);
        hash.Add(Grid);
        hash.Add(Cursor, StringComparer.Ordinal);
        return hash.ToHashCode();
    }

    /// <summary>The query on one line for a log.</summary>
    public override string ToString() => string.Join(" | ", new[]
    {
        Apps.Count == 0 ? "every app" : string.Join(", ", Apps),
        Search is null ? null : $"names with {Search}",
        Range.ToString(),
        Timeframe is { } timeframe ? $"by {AnalyticsTimeGrid.ToWire(timeframe)}" : null,
        TimeZone,
        BoundToTimeframe == false ? "not bound to timeframe" : null,
        Limit is { } limit ? string.Create(CultureInfo.InvariantCulture, $"limit {limit}") : null,
        Cursor is null ? null : $"cursor {Cursor}",
    }.OfType<string>());
}
