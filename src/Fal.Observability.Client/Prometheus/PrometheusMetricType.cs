namespace Fal.Observability.Client.Prometheus;

/// <summary>The type that a <c># TYPE</c> line gives a metric family.</summary>
/// <remarks>
/// The text format 0.0.4 has counter, gauge, histogram, summary and untyped. OpenMetrics 1.0 adds the others and
/// writes <c>unknown</c> instead of untyped.
/// </remarks>
public enum PrometheusMetricType
{
    /// <summary>No type was declared, or it was declared as <c>untyped</c> or <c>unknown</c>. The default.</summary>
    Unknown = 0,

    /// <summary>A value that can go up and down.</summary>
    Gauge,

    /// <summary>A value that only increases, and is reset to zero when its source restarts.</summary>
    Counter,

    /// <summary>
    /// Counts of observations in buckets, with the sum and number of observations: <c>_bucket</c>, <c>_sum</c>, <c>_count</c>.
    /// </summary>
    Histogram,

    /// <summary>Quantiles that the source computed, with the sum and number of observations: <c>_sum</c>, <c>_count</c>.</summary>
    Summary,

    /// <summary>A histogram of a current state, whose counts may decrease: <c>_bucket</c>, <c>_gsum</c>, <c>_gcount</c>.</summary>
    GaugeHistogram,

    /// <summary>Facts in labels that do not change while the source runs: <c>_info</c>, with the value 1.</summary>
    Info,

    /// <summary>A set of states, each 0 or 1. The label with the name of the family names the state.</summary>
    StateSet,
}
