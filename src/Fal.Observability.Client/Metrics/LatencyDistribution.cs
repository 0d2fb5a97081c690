using System.Globalization;
using System.Text.Json.Serialization;
using Fal.Observability.Client.Prometheus;

namespace Fal.Observability.Client;

/// <summary>
/// How long the completed requests of an app took: cumulative counts by upper bound, and the quantiles they allow. Immutable.
/// </summary>
[JsonNumberHandling(JsonNumberHandling.AllowNamedFloatingPointLiterals)]
public sealed class LatencyDistribution
{
    private readonly HistogramBucket[] _buckets;

    /// <summary>Creates a distribution.</summary>
    /// <param name="buckets">The buckets, in any order, each upper bound once. They are copied and sorted.</param>
    /// <exception cref="ArgumentNullException"><paramref name="buckets"/> is null.</exception>
    /// <exception cref="ArgumentException">An upper bound is NaN, or two buckets have the same upper bound.</exception>
    public LatencyDistribution(IEnumerable<HistogramBucket> buckets)
    {
        ArgumentNullException.ThrowIfNull(buckets);
        HistogramBucket[] sorted = [.. buckets.OrderBy(bucket => bucket.UpperBound)];
        for (int i = 0; i < sorted.Length; i++)
        {
            if (double.IsNaN(sorted[i].UpperBound))
            {
                throw new ArgumentException(
                    "The upper bound of a bucket is NaN. It must be a number of seconds or infinity.",
                    nameof(buckets)
                );
            }

            if (i > 0 && sorted[i].UpperBound.Equals(sorted[i - 1].UpperBound))
            {
                throw new ArgumentException(
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"The upper bound {sorted[i].UpperBound} appears twice. Add the two counts."
                    ),
                    nameof(buckets)
                );
            }
        }

        _buckets = sorted;
    }

    /// <summary>The buckets in ascending order of their upper bounds (in seconds), with the counts as the service sent them.</summary>
    public IReadOnlyList<HistogramBucket> Buckets => _buckets;

    /// <summary>How many requests there were: the count of the bucket without an upper bound; null if there is no such bucket.</summary>
    public double? Count => Buckets is [.., { UpperBound: double.PositiveInfinity } last] ? last.CumulativeCount : null;

    /// <summary>
    /// The latency that a share of the requests did not exceed, as Prometheus' <c>histogram_quantile</c> computes it: linear within a
    /// bucket, and the highest finite bound if the quantile falls into the bucket without an upper bound.
    /// </summary>
    /// <param name="quantile">The share, 0 to 1: 0.99 for the 99th percentile.</param>
    /// <returns>
    /// Seconds. Null if the quantile is not known: there are no requests, fewer than two buckets, or no bucket without an upper bound. If
    /// the count of the bucket without an upper bound is NaN, the highest finite bound, as in Prometheus.
    /// </returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="quantile"/> is NaN, negative or above 1.</exception>
    /// <example>
    /// <code>
    /// FalMetricsSnapshot now = await fal.Metrics.GetSnapshotAsync();
    /// double? seconds = now["my-org/my-app"]?.Latency?.Quantile(0.99);
    /// </code>
    /// </example>
    public double? Quantile(double quantile)
    {
        if (!(quantile is >= 0 and <= 1))
        {
            throw new ArgumentOutOfRangeException(nameof(quantile), quantile,
                "The quantile must be from 0 to 1. Write 0.99 for the 99th percentile.");
        }

        double seconds = PrometheusHistogram.Quantile(quantile, _buckets);
        return double.IsNaN(seconds) ? null : seconds;
    }

    /// <summary>The three percentiles that people ask for, for a log line.</summary>
    /// <returns>A short text.</returns>
    public override string ToString()
    {
        return $"p50 {Text(0.5)}, p90 {Text(0.9)}, p99 {Text(0.99)}";

        string Text(double quantile) => Quantile(quantile) is { } seconds ? FormattableString.Invariant($"{seconds:0.###} s") : "?";
    }
}
