namespace Fal.Observability.Client.Prometheus;

/// <summary>An observation that OpenMetrics attaches to a bucket or a counter, usually with the id of a trace.</summary>
/// <param name="Labels">The labels of the exemplar, for instance <c>trace_id</c>.</param>
/// <param name="Value">The observed value.</param>
/// <param name="TimestampMilliseconds">When it was observed, in milliseconds since the Unix epoch; null if that was not written.</param>
public sealed record PrometheusExemplar(LabelSet Labels, double Value, long? TimestampMilliseconds = null);
