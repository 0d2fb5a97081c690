namespace Fal.Observability.Client.Prometheus;

/// <summary>The words by which a <c># TYPE</c> line names the metric types.</summary>
internal static class MetricTypeWord
{
    public static ReadOnlySpan<byte> Of(PrometheusMetricType type, bool openMetrics) => type switch
    {
        PrometheusMetricType.Gauge => "gauge"u8,
        PrometheusMetricType.Counter => "counter"u8,
        PrometheusMetricType.Histogram => "histogram"u8,
        PrometheusMetricType.Summary => "summary"u8,
        PrometheusMetricType.GaugeHistogram => "gaugehistogram"u8,
        PrometheusMetricType.Info => "info"u8,
        PrometheusMetricType.StateSet => "stateset"u8,
        _ => openMetrics ? "unknown"u8 : "untyped"u8,
    };

    /// <summary>The type that a word names; null if it names none. As in Prometheus, the text format has the word gaugehistogram.</summary>
    public static PrometheusMetricType? Parse(ReadOnlySpan<byte> word, bool openMetrics)
    {
        PrometheusMetricType last = openMetrics ? PrometheusMetricType.StateSet : PrometheusMetricType.GaugeHistogram;
        for (PrometheusMetricType type = PrometheusMetricType.Unknown; type <= last; type++)
        {
            if (word.SequenceEqual(Of(type, openMetrics)))
            {
                return type;
            }
        }

        return null;
    }
}
