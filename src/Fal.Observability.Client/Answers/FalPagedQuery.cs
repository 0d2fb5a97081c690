using System.Globalization;
using Refit;

namespace Fal.Observability.Client;

/// <summary>A query whose answer has buckets in a time zone and comes in pages.</summary>
public abstract record FalPagedQuery : FalRangeQuery
{
    private protected FalPagedQuery()
    {
    }

    /// <summary>
    /// The IANA name of the time zone that determines the buckets, such as <c>Europe/Berlin</c>. Default: null, which is UTC. The client
    /// does not validate the name, because a trimmed container has no zones and the service knows them all.
    /// </summary>
    /// <exception cref="ArgumentException">The name is empty or contains a comma, white space or a control character.</exception>
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
    /// Whether the service extends the range to whole buckets. Default: null, the service's own default, which is true: every bucket is
    /// whole, and there can be one bucket more than the range is long. If false, the range is covered exactly: the first and the last
    /// bucket hold only the data within it.
    /// </summary>
    public bool? BoundToTimeframe { get; init; }

    /// <summary>
    /// The maximum number of items on a page, at least 1. Default: null, the service chooses. The service documents neither what an item is
    /// nor its limit; so far the limit has been observed to count buckets. Reports and streams read every page, whatever the limit.
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
    /// The page to read: <see cref="FalPage{TBucket, TRow}.NextCursor"/> of the previous page. Default: null, the first page. An empty
    /// string is read as null. The rest of the query must be the same as for the previous page, with the same fixed range.
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
        // A null value omits its parameter.
        builder.Add(keyPrefix + "limit", Limit?.ToString(CultureInfo.InvariantCulture), preEncoded: false);
        builder.Add(keyPrefix + "cursor", Cursor, preEncoded: false);
    }
}
