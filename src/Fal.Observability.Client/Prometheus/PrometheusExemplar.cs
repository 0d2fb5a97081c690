using System.Globalization;

namespace Fal.Observability.Client.Prometheus;

/// <summary>An observation that OpenMetrics attaches to a bucket or a counter, usually with the id of a trace.</summary>
/// <param name="Labels">The labels of the exemplar, for instance <c>trace_id</c>.</param>
/// <param name="Value">The observed value.</param>
/// <param name="TimestampMilliseconds">When it was observed, in milliseconds since the Unix epoch; null if that was not written.</param>
public sealed record PrometheusExemplar(LabelSet Labels, double Value, long? TimestampMilliseconds = null)
{
    /// <summary>The exemplar as it stands behind a sample in OpenMetrics: <c># {trace_id="x"} 0.5 1520879607.789</c>.</summary>
    /// <returns>The text, the same in every culture.</returns>
    public override string ToString()
    {
        string value = PrometheusSample.Format(Value);
        return TimestampMilliseconds is { } timestamp
            ? string.Create(CultureInfo.InvariantCulture, $"# {Labels} {value} {timestamp / 1000m}")
            : $"# {Labels} {value}";
    }
}
