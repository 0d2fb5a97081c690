namespace Fal.Observability.Client.Prometheus;

/// <summary>The type that a <c># TYPE</c> line gives a metric family.</summary>
/// <remarks>
/// The text format 0.0.4 knows counter, gauge, histogram, summary and untyped; OpenMetrics 1.0 adds the others and
/// writes <c>unknown</c> for untyped.
/// </remarks>
public enum PrometheusMetricType
{
    /// <summary>No type was declared, or it was declared as <c>untyped</c> or <c>unknown</c>. The default.</summary>
    Unknown = 0,

    /// <summary>A value that can go up and down.</summary>
    Gauge,

    /// <summary>A value that only goes up, and returns to zero when its source restarts.</summary>
    Counter,

    /// <summary>Counts of observations in buckets, with their sum and number: <c>_bucket</c>, <c>_sum</c>, <c>_count</c>.</summary>
    Histogram,

    /// <summary>Quantiles computed at the source, with sum and number: <c>_sum</c>, <c>_count</c>.</summary>
    Summary,

    /// <summary>A histogram of a current state, whose buckets may fall: <c>_bucket</c>, <c>_gsum</c>, <c>_gcount</c>.</summary>
    GaugeHistogram,

    /// <summary>Facts that do not change while the source lives, carried in labels: <c>_info</c>, always 1.</summary>
    Info,

    /// <summary>A set of states, each 0 or 1, named by a label that bears the family's name.</summary>
    StateSet,
}
