using System.Globalization;
using Refit;

namespace Fal.Observability.Client;

/// <summary>A question whose answer is cut by the calendar of a zone and comes in pages.</summary>
public abstract record FalPagedQuery : FalRangeQuery
{
    private protected FalPagedQuery()
    {
    }

    /// <summary>
    /// The IANA name of the zone whose calendar cuts the time into buckets, such as <c>Europe/Berlin</c>. Default: null, which
    /// is UTC. The name is not looked up here: a trimmed container has no zones, and the service knows them all.
    /// </summary>
    /// <exception cref="ArgumentException">The name is empty or holds a comma, a blank or a control character.</exception>
    public string? TimeZone
    {
        get;
        init
        {
            if (value is not null)
            {
                WireToken.ThrowIfInvalid(value, "time zone", nameof(TimeZone),
                    "Leave it null for UTC, or use an IANA name such as \"Europe/Berlin\".");
            }

            field = value;
        }
    }

    /// <summary>
    /// Whether the service moves both ends of the range outward to whole buckets. Default: null, the service's own default, which is true:
    /// every bucket is whole, and there can be one bucket more than the range is long. With false the range is covered exactly: the first
    /// and the last bucket hold only what lies within it.
    /// </summary>
    public bool? BoundToTimeframe { get; init; }

    /// <summary>
    /// The most items on a page, at least 1. Default: null, the service chooses. The service does not document what counts as an item, and
    /// how many it allows; buckets have been seen to count. Reports and streams read every page, whatever the limit.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is less than 1.</exception>
    public int? Limit
    {
        get;
        init
        {
            if (value < 1)
            {
                throw new ArgumentOutOfRangeException(
                    nameof(value), value, "The limit must be at least 1, or null to let the service choose.");
            }

            field = value;
        }
    }

    /// <summary>
    /// Where to go on: <see cref="FalPage{TBucket, TRow}.NextCursor"/> of the page before. Default: null, the first page; an empty string
    /// is read as null. The query must otherwise be the one that the cursor came from, with the same fixed range.
    /// </summary>
    public string? Cursor
    {
        get;
        init => field = string.IsNullOrEmpty(value) ? null : value;
    }

    internal sealed override AnalyticsTimeGrid Grid => new(Range, Timeframe, TimeZone, BoundToTimeframe);

    private protected override IEnumerable<string> TimeParts
    {
        get
        {
            string?[] pages =
            [
                Limit is { } limit ? string.Create(CultureInfo.InvariantCulture, $"limit {limit}") : null,
                Cursor is null ? null : $"cursor {Cursor}",
            ];
            return base.TimeParts.Concat(pages.OfType<string>());
        }
    }

    /// <summary>Writes <c>limit</c> and <c>cursor</c>.</summary>
    internal void AddPageTo(ref GeneratedQueryStringBuilder builder, string keyPrefix)
    {
        // A null value leaves its parameter out.
        builder.Add(keyPrefix + "limit", Limit?.ToString(CultureInfo.InvariantCulture), preEncoded: false);
        builder.Add(keyPrefix + "cursor", Cursor, preEncoded: false);
    }
}
