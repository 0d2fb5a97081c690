using System.Text.Json.Serialization;

namespace Fal.Observability.Client.Prometheus;

/// <summary>A bucket of a histogram.</summary>
/// <param name="UpperBound">The inclusive upper bound. That of the last bucket is positive infinity.</param>
/// <param name="CumulativeCount">The number of observations up to the bound, including those of lower buckets.</param>
[JsonNumberHandling(JsonNumberHandling.AllowNamedFloatingPointLiterals)]
public readonly record struct HistogramBucket(double UpperBound, double CumulativeCount)
{
    /// <summary>Returns the bound and the count, for a log line.</summary>
    /// <returns>A short text.</returns>
    public override string ToString() => FormattableString.Invariant($"le {UpperBound}: {CumulativeCount}");
}
