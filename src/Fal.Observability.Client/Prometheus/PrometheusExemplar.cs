using System.Globalization;

namespace Fal.Observability.Client.Prometheus;

/// <summary>An observation that OpenMetrics attaches to a bucket or a counter, usually with the id of a trace.</summary>
/// <param name="Labels">The labels of the exemplar, for instance <c>trace_id</c>.</param>
/// <param name="Value">The observed value.</param>
/// <param name="TimestampMilliseconds">The time of the observation, in milliseconds since the Unix epoch; null for none.</param>
public sealed record PrometheusExemplar(LabelSet Labels, double Value, long? TimestampMilliseconds = null)
{
    /// <summary>Returns the exemplar as OpenMetrics writes it after a sample: <c># {trace_id="x"} 0.5 1520879607.789</c>.</summary>
    /// <returns>The text, independent of the culture.</returns>
    public override string ToString()
    {
        string value = PrometheusSample.Format(Value);
        return TimestampMilliseconds is { } timestamp
            ? string.Create(CultureInfo.InvariantCulture, $"# {Labels} {value} {timestamp / 1000m}")
            : $"# {Labels} {value}";
    }
}
