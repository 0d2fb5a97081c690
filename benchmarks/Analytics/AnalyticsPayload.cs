using System.Globalization;
using System.Text;

namespace Fal.Observability.Client.Benchmarks;

/// <summary>
/// The body of an analytics answer, made once: buckets in which each of up to 50 endpoints has a row with all 24 metrics. Times and ids
/// have a fixed length, so that one copy serves any range and any endpoints by being written over in those places.
/// </summary>
internal sealed class AnalyticsPayload
{
    private const int TimeLength = 20;
    private const int NumberLength = 4;

    private readonly byte[] _bytes;
    private readonly int[] _times;
    private readonly int[] _ids;
    private readonly int _rows;

    public AnalyticsPayload(int buckets, int endpoints)
    {
        var random = new Random(20260101);
        var text = new StringBuilder();
        _times = new int[buckets + 1];
        _ids = new int[buckets * endpoints];
        _rows = endpoints;
        for (int bucket = 0; bucket < buckets; bucket++)
        {
            text.Append(bucket == 0 ? "{\"bucket\":\"" : ",{\"bucket\":\"");
            _times[bucket] = text.Length;
            text.Append('0', TimeLength).Append("\",\"results\":[");
            for (int row = 0; row < endpoints; row++)
            {
                text.Append(row == 0 ? "{\"endpoint_id\":\"bench-org/app-" : ",{\"endpoint_id\":\"bench-org/app-");
                _ids[(bucket * endpoints) + row] = text.Length;
                text.Append('0', NumberLength).Append('"');
                foreach (AnalyticsExpand metric in AnalyticsExpand.AllMetrics.GetFlags())
                {
                    text.Append(",\"").Append(metric.GetWireName()).Append("\":");
                    text.Append(metric.IsDuration()
                        ? Math.Round(Math.Exp((random.NextDouble() * 8) - 3), 6).ToString(CultureInfo.InvariantCulture)
                        : random.Next(0, 20_000).ToString(CultureInfo.InvariantCulture));
                }

                text.Append('}');
            }

            text.Append("]}");
        }

        // Where the bucket after the last one would have its time, behind the comma and the beginning of it.
        _times[buckets] = text.Length + ",{\"bucket\":\"".Length;
        _bytes = Encoding.ASCII.GetBytes(text.ToString());
    }

    private AnalyticsPayload(AnalyticsPayload original)
    {
        _bytes = [.. original._bytes];
        (_times, _ids, _rows) = (original._times, original._ids, original._rows);
    }

    /// <summary>How many buckets there are.</summary>
    public int Buckets => _times.Length - 1;

    /// <summary>A copy that can be written over without disturbing this one.</summary>
    public AnalyticsPayload Copy() => new(this);

    /// <summary>The buckets from an instant on, for endpoints numbered from one on.</summary>
    public ReadOnlyMemory<byte> BucketsFrom(DateTime start, TimeSpan length, int count, int firstEndpoint)
    {
        for (int bucket = 0; bucket < count; bucket++)
        {
            (start + (bucket * length)).TryFormat(
                _bytes.AsSpan(_times[bucket], TimeLength),
                out _,
                "yyyy-MM-ddTHH:mm:ssZ",
                CultureInfo.InvariantCulture
            );
        }

        for (int row = 0; row < count * _rows; row++)
        {
            (firstEndpoint + (row % _rows)).TryFormat(_bytes.AsSpan(_ids[row], NumberLength), out _, "0000", CultureInfo.InvariantCulture);
        }

        return _bytes.AsMemory(0, _times[count] - ",{\"bucket\":\"".Length);
    }

    /// <summary>The rows of the first bucket, as a list of their own.</summary>
    public ReadOnlyMemory<byte> RowsOf(int firstEndpoint)
    {
        ReadOnlyMemory<byte> bucket = BucketsFrom(DateTime.UnixEpoch, TimeSpan.Zero, 1, firstEndpoint);
        return bucket[bucket.Span.IndexOf((byte)'[')..^1];
    }
}
