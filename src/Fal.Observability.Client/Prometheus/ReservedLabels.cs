namespace Fal.Observability.Client.Prometheus;

/// <summary>The labels to which Prometheus gives a meaning of its own.</summary>
internal static class ReservedLabels
{
    /// <summary>Under this label Prometheus stores the name of the metric, so a sample must not set it.</summary>
    public const string MetricName = "__name__";

    /// <summary>The upper bound of a bucket.</summary>
    public const string Bucket = "le";

    /// <summary>The quantile of a summary.</summary>
    public const string Quantile = "quantile";

    /// <summary><see cref="MetricName"/> in UTF-8.</summary>
    public static ReadOnlySpan<byte> MetricNameUtf8 => "__name__"u8;

    /// <summary>The label that distinguishes the samples of one metric; null if nothing but the name does.</summary>
    public static string? Of(PrometheusMetricType? type, string family, ReadOnlySpan<char> suffix) => suffix switch
    {
        "_bucket" when type is PrometheusMetricType.Histogram or PrometheusMetricType.GaugeHistogram => Bucket,
        "" when type == PrometheusMetricType.Summary => Quantile,
        "" when type == PrometheusMetricType.StateSet => family,
        _ => null,
    };

    /// <summary>
    /// Reads the bound of a bucket or the quantile of a summary. As in Prometheus, NaN does not count as a bound: a sample with it belongs
    /// to no bucket.
    /// </summary>
    public static bool TryParseBound(string? text, out double bound) =>
        PrometheusNumber.TryParseValue(text, out bound) && !double.IsNaN(bound);
}
