using System.Security.Cryptography;
using System.Text.Json;

namespace Fal.Observability.Client;

/// <summary>The buckets that a watch has yielded, so that a bucket is yielded again only if its numbers have changed.</summary>
/// <remarks>It holds a digest of each bucket in the range that it looks back over, and of no older ones.</remarks>
internal sealed class AnalyticsWatch(AnalyticsQuery query)
{
    /// <summary>
    /// How far back a read looks while the service answers without new buckets. The longest known delay of the service's data was 15 hours.
    /// </summary>
    public static readonly TimeSpan LongestDelay = TimeSpan.FromDays(1);

    /// <summary>How far back a read looks after failures. After a longer outage, the watch has a gap.</summary>
    public static readonly TimeSpan LongestOutage = TimeSpan.FromDays(31);

    private readonly Dictionary<DateTimeOffset, string> _seen = [];
    private DateTimeOffset? _behind;

    /// <summary>
    /// The next query: the range of the query, extended to the last bucket if that is older. The extension is limited, so that the number
    /// of calls per read does not grow while there are no new buckets.
    /// </summary>
    public AnalyticsQuery QueryAt(DateTimeOffset now)
    {
        DateTimeOffset start = query.Range.Resolve(now).Start!.Value;
        DateTimeOffset limit = AnalyticsCalendar.Add(now, -LongestOutage);
        _behind ??= start;
        DateTimeOffset behind = _behind.Value > limit ? _behind.Value : limit;
        return query with { Range = AnalyticsTimeRange.Between(behind < start ? behind : start, now) };
    }

    /// <summary>The buckets of an answer that are new or have changed.</summary>
    public IEnumerable<AnalyticsBucket> TakeNewBuckets(AnalyticsReport report)
    {
        AnalyticsTimeRange range = report.Query.Range;
        DateTimeOffset oldest = AnalyticsCalendar.Add(range.Start!.Value, -AnalyticsCalendar.LongestBucket(query.Timeframe!.Value));
        DateTimeOffset limit = AnalyticsCalendar.Add(range.End!.Value, -LongestDelay);
        _behind = report.TimeSeries is [.., var last] && last.Start > limit ? last.Start : limit;
        foreach (DateTimeOffset start in _seen.Keys.Where(start => start < oldest).ToArray())
        {
            _seen.Remove(start);
        }

        foreach (AnalyticsBucket bucket in report.TimeSeries)
        {
            string digest = Convert.ToHexString(
                SHA256.HashData(JsonSerializer.SerializeToUtf8Bytes(bucket, AnalyticsJsonContext.Default.AnalyticsBucket))
            );
            bool unchanged = _seen.TryGetValue(bucket.Start, out string? before) && before == digest;
            _seen[bucket.Start] = digest;
            if (!unchanged)
            {
                yield return bucket;
            }
        }
    }
}
