namespace Fal.Observability.Client.Prometheus;

/// <summary>The kind of line that <see cref="PrometheusTextReader.Read"/> found.</summary>
public enum PrometheusTokenType
{
    /// <summary>Nothing was read yet, or <see cref="PrometheusTextReader.Read"/> returned false.</summary>
    None = 0,

    /// <summary>A sample: a name, labels, a value, and optionally a timestamp and an exemplar.</summary>
    Sample,

    /// <summary>A <c># HELP</c> line: <see cref="PrometheusTextReader.Name"/> and <see cref="PrometheusTextReader.Text"/>.</summary>
    Help,

    /// <summary>A <c># TYPE</c> line: <see cref="PrometheusTextReader.Name"/> and <see cref="PrometheusTextReader.MetricType"/>.</summary>
    Type,

    /// <summary>
    /// A <c># UNIT</c> line (OpenMetrics only): <see cref="PrometheusTextReader.Name"/> and <see cref="PrometheusTextReader.Text"/>.
    /// </summary>
    Unit,

    /// <summary>A comment (text format only): <see cref="PrometheusTextReader.Text"/>.</summary>
    Comment,

    /// <summary>The <c># EOF</c> line that ends an OpenMetrics exposition.</summary>
    EndOfExposition,

    /// <summary>
    /// A malformed line, if the options are lenient. Strict options throw instead. See
    /// <see cref="PrometheusTextReader.GetSkippedLine"/>.
    /// </summary>
    Malformed,
}
