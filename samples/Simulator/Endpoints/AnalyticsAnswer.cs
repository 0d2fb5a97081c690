using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Fal.Observability.Simulator;

/// <summary>One row: an endpoint and the metrics asked for.</summary>
public sealed class AnalyticsAnswerRow
{
    private readonly TrafficTotals _totals;
    private readonly IReadOnlyList<AnalyticsMetric> _metrics;

    internal AnalyticsAnswerRow(string endpointId, in TrafficTotals totals, IReadOnlyList<AnalyticsMetric> metrics)
    {
        EndpointId = endpointId;
        _totals = totals;
        _metrics = metrics;
    }

    /// <summary>The id under which the traffic was recorded.</summary>
    public string EndpointId { get; }

    /// <summary>
    /// A metric by its wire name, as it is sent: a count, or seconds. Null for a percentile of nothing.
    /// </summary>
    /// <exception cref="KeyNotFoundException">There is no metric of that name.</exception>
    public double? GetValue(string metric) => AnalyticsMetric.ByName[metric].Read(_totals);

    internal void WriteTo(Utf8JsonWriter json, MissingMetrics missing)
    {
        json.WriteStartObject();
        json.WriteString("endpoint_id", EndpointId);
        foreach (AnalyticsMetric metric in _metrics)
        {
            double? value = metric.Read(_totals);
            if (value is null && missing == MissingMetrics.Absent)
            {
                continue;
            }

            if (value is null)
            {
                json.WriteNull(metric.Name);
            }
            else if (metric.IsCount)
            {
                json.WriteNumber(metric.Name, (long)value);
            }
            else
            {
                json.WriteNumber(metric.Name, value.Value);
            }
        }
        json.WriteEndObject();
    }
}

/// <summary>One bucket of a time series.</summary>
/// <param name="Start">The start of the calendar period, with the offset of the requested zone.</param>
/// <param name="Rows">The endpoints that had a request or a runner; none in a quiet bucket.</param>
public sealed record AnalyticsAnswerBucket(DateTimeOffset Start, IReadOnlyList<AnalyticsAnswerRow> Rows);

/// <summary>An answer to an analytics call, or one page of it.</summary>
/// <param name="TimeSeries">The buckets, or null where none were asked for.</param>
/// <param name="Summary">The rows of the whole range, or null where none were asked for.</param>
/// <param name="NextCursor">The cursor of the next page, or null on the last.</param>
public sealed record AnalyticsAnswer(
    IReadOnlyList<AnalyticsAnswerBucket>? TimeSeries,
    IReadOnlyList<AnalyticsAnswerRow>? Summary,
    string? NextCursor)
{
    // The plus of an offset stays a plus.
    private static readonly JsonWriterOptions PlainText = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The answer as the service writes it: offsets of the zone, null for what is missing.</summary>
    public string ToJson() => Encoding.UTF8.GetString(ToUtf8(MissingMetrics.Null, BucketOffset.Zone).Span);

    internal ReadOnlyMemory<byte> ToUtf8(MissingMetrics missing, BucketOffset offset)
    {
        var buffer = new ArrayBufferWriter<byte>(1024);
        using (var json = new Utf8JsonWriter(buffer, PlainText))
        {
            json.WriteStartObject();
            json.WriteString("next_cursor", NextCursor);
            json.WriteBoolean("has_more", NextCursor is not null);
            if (TimeSeries is not null)
            {
                json.WriteStartArray("time_series");
                foreach (AnalyticsAnswerBucket bucket in TimeSeries)
                {
                    json.WriteStartObject();
                    json.WriteString("bucket", Label(bucket.Start, offset));
                    WriteRows(json, "results", bucket.Rows, missing);
                    json.WriteEndObject();
                }
                json.WriteEndArray();
            }
            if (Summary is not null)
            {
                WriteRows(json, "summary", Summary, missing);
            }

            json.WriteEndObject();
        }
        return buffer.WrittenMemory;
    }

    private static void WriteRows(Utf8JsonWriter json, string name, IReadOnlyList<AnalyticsAnswerRow> rows, MissingMetrics missing)
    {
        json.WriteStartArray(name);
        foreach (AnalyticsAnswerRow row in rows)
        {
            row.WriteTo(json, missing);
        }

        json.WriteEndArray();
    }

    private static string Label(DateTimeOffset start, BucketOffset offset) => offset switch
    {
        BucketOffset.Utc => start.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture),
        BucketOffset.None => start.ToString("yyyy-MM-dd'T'HH:mm:ss", CultureInfo.InvariantCulture),
        _ => start.ToString("yyyy-MM-dd'T'HH:mm:sszzz", CultureInfo.InvariantCulture),
    };
}
