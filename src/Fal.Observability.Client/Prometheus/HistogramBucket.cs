using System.Text.Json.Serialization;

namespace Fal.Observability.Client.Prometheus;

/// <summary>A bucket of a histogram.</summary>
/// <param name="UpperBound">The largest value that the bucket counts, inclusive; the last bucket's is positive infinity.</param>
/// <param name="CumulativeCount">How many observations are at most as large, those of the lower buckets included.</param>
[JsonNumberHandling(JsonNumberHandling.AllowNamedFloatingPointLiterals)]
public readonly record struct HistogramBucket(double UpperBound, double CumulativeCount)
{
    /// <summary>The bound and the count, for a log line.</summary>
    /// <returns>A short text.</returns>
    public override string ToString() => FormattableString.Invariant($"le {UpperBound}: {CumulativeCount}");
}
