namespace Fal.Observability.Client.Prometheus;

/// <summary>The exposition format to read.</summary>
public enum PrometheusFormat
{
    /// <summary>
    /// The default. OpenMetrics 1.0 if the input ends with the line <c># EOF</c>, which only that format requires; otherwise the text
    /// format. The end of a stream is unknown when reading starts. A stream, a pipe, or a block that is not the last is therefore read
    /// as the text format. Use <see cref="PrometheusParserOptions.WithContentType"/> there.
    /// </summary>
    Detect = 0,

    /// <summary>The Prometheus text format, version 0.0.4, with quoted UTF-8 names.</summary>
    Text,

    /// <summary>OpenMetrics 1.0, with quoted UTF-8 names.</summary>
    OpenMetrics,
}
