using System.Security.Cryptography;
using System.Text.Json;

namespace Fal.Observability.Client;

/// <summary>What a watch has handed on, so that a bucket comes again only if its numbers have changed.</summary>
/// <remarks>It holds a digest for each bucket of the range that it looks back over, and no older ones.</remarks>
internal sealed class AnalyticsWatch(AnalyticsQuery query)
{
    private readonly Dictionary<DateTimeOffset, string> _seen = [];
    private DateTimeOffset? _behind;

    /// <summary>What to ask now: the range of the query, and further back after failures, up to the last bucket that came.</summary>
    public AnalyticsQuery QueryAt(DateTimeOffset now)
    {
        DateTimeOffset start = now - query.Range.Duration!.Value;
        _behind ??= start;
        return query with { Range = AnalyticsTimeRange.Between(_behind < start ? _behind.Value : start, now) };
    }

    /// <summary>The buckets of an answer that are new or have changed.</summary>
    public IEnumerable<AnalyticsBucket> Take(AnalyticsReport report)
    {
        DateTimeOffset oldest = report.Query.Range.Start!.Value - AnalyticsCalendar.LongestBucket(query.Timeframe!.Value);
        foreach (DateTimeOffset start in _seen.Keys.Where(start => start < oldest).ToArray())
        {
            _seen.Remove(start);
        }

        foreach (AnalyticsBucket bucket in report.TimeSeries)
        {
            string digest = Convert.ToHexString(SHA256.HashData(JsonSerializer.SerializeToUtf8Bytes(bucket, AnalyticsJsonContext.Default.AnalyticsBucket)));
            bool unchanged = _seen.TryGetValue(bucket.Start, out string? before) && before == digest;
            _seen[bucket.Start] = digest;
            _behind = bucket.Start;
            if (!unchanged)
            {
                yield return bucket;
            }
        }
    }
}
