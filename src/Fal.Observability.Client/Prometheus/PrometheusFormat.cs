namespace Fal.Observability.Client.Prometheus;

/// <summary>The exposition format to read.</summary>
public enum PrometheusFormat
{
    /// <summary>
    /// OpenMetrics 1.0 if the input ends with the line <c># EOF</c>, which only that format demands; otherwise the text
    /// format. The end of a stream is not known when its beginning is read, so a stream, a pipe or a block that is not
    /// the last is read as the text format: choose by content type there, with
    /// <see cref="PrometheusParserOptions.WithContentType"/>. The default.
    /// </summary>
    Detect = 0,

    /// <summary>The Prometheus text format, version 0.0.4, with quoted UTF-8 names.</summary>
    Text,

    /// <summary>OpenMetrics 1.0, with quoted UTF-8 names.</summary>
    OpenMetrics,
}
