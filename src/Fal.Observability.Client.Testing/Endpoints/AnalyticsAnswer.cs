using System.Text;
using System.Text.Json;

namespace Fal.Observability.Client.Testing;

/// <summary>One row: an endpoint and the metrics asked for.</summary>
internal sealed class AnalyticsAnswerRow
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
internal sealed record AnalyticsAnswerBucket(DateTimeOffset Start, IReadOnlyList<AnalyticsAnswerRow> Rows);

/// <summary>An answer to an analytics call, or one page of it.</summary>
/// <param name="TimeSeries">The buckets, or null where none were asked for.</param>
/// <param name="Summary">The rows of the whole range, or null where none were asked for.</param>
/// <param name="NextCursor">The cursor of the next page, or null on the last.</param>
internal sealed record AnalyticsAnswer(
    IReadOnlyList<AnalyticsAnswerBucket>? TimeSeries,
    IReadOnlyList<AnalyticsAnswerRow>? Summary,
    string? NextCursor)
{
    /// <summary>The answer as the service writes it: offsets of the zone, null for what is missing.</summary>
    public string ToJson() => Encoding.UTF8.GetString(ToUtf8(MissingMetrics.Null, BucketOffset.Zone).Span);

    internal ReadOnlyMemory<byte> ToUtf8(MissingMetrics missing, BucketOffset offset) =>
        AnswerEnvelope.ToUtf8(
            NextCursor,
            TimeSeries?.Select(bucket => (bucket.Start, bucket.Rows)),
            Summary,
            offset,
            (json, row) => row.WriteTo(json, missing)
        );
}
