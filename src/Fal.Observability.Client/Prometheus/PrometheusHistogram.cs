namespace Fal.Observability.Client.Prometheus;

/// <summary>One histogram of a family: the buckets, sum and count with the same labels, apart from <c>le</c>.</summary>
public sealed class PrometheusHistogram
{
    /// <summary>Counts are equal if their difference, relative to their sum, is at most this. Summed doubles have such errors.</summary>
    private const double InsignificantDifference = 1e-12;

    private const double SmallestNormal = 2.2250738585072014e-308;

    private readonly HistogramBucket[] _buckets;

    /// <summary>Creates a histogram.</summary>
    /// <param name="labels">The labels without <c>le</c>.</param>
    /// <param name="buckets">The buckets, in any order.</param>
    /// <param name="sum">The sum of the observations; null if unknown.</param>
    /// <param name="count">The number of observations; null if unknown.</param>
    /// <param name="createdSeconds">The time at which counting began, in seconds since the Unix epoch; null if unknown.</param>
    /// <exception cref="ArgumentNullException"><paramref name="buckets"/> is null.</exception>
    public PrometheusHistogram(
        LabelSet labels, IEnumerable<HistogramBucket> buckets, double? sum = null, double? count = null, double? createdSeconds = null)
    {
        ArgumentNullException.ThrowIfNull(buckets);
        Labels = labels;
        _buckets = buckets.ToArray();
        Sum = sum;
        Count = count;
        CreatedSeconds = createdSeconds;
    }

    /// <summary>The labels without <c>le</c>.</summary>
    public LabelSet Labels { get; }

    /// <summary>The buckets, in the order of the input.</summary>
    public IReadOnlyList<HistogramBucket> Buckets => _buckets;

    /// <summary>The sum of the observations (<c>_sum</c>, <c>_gsum</c>); null if there is none.</summary>
    public double? Sum { get; }

    /// <summary>The number of observations (<c>_count</c>, <c>_gcount</c>); null if there is none.</summary>
    public double? Count { get; }

    /// <summary>
    /// The time at which counting began, in seconds since the Unix epoch (<c>_created</c>, OpenMetrics only); null if unknown.
    /// </summary>
    public double? CreatedSeconds { get; }

    /// <summary>The quantile of this histogram; see <see cref="Quantile(double, ReadOnlySpan{HistogramBucket})"/>.</summary>
    /// <param name="quantile">The quantile, from 0 to 1.</param>
    /// <returns>The value; NaN if there is none.</returns>
    public double Quantile(double quantile) => Quantile(quantile, _buckets);

    /// <summary>
    /// Estimates a quantile from cumulative buckets, as the function <c>histogram_quantile</c> of Prometheus does. It interpolates
    /// linearly within a bucket. The lowest bucket starts at 0 if its upper bound is positive.
    /// </summary>
    /// <param name="quantile">The quantile, from 0 to 1.</param>
    /// <param name="buckets">
    /// The buckets, in any order. The bound of the highest must be positive infinity. A count that is lower than the previous one is
    /// raised to it. Buckets with the same bound are added.
    /// </param>
    /// <returns>
    /// The value. If the quantile is in the highest bucket, or the count of that bucket is NaN, the bound of the bucket below it. NaN
    /// if the quantile is NaN, if there are fewer than two buckets, if no bound is positive infinity, or if there are no
    /// observations. Negative infinity for a quantile below 0, positive infinity for one above 1.
    /// </returns>
    public static double Quantile(double quantile, ReadOnlySpan<HistogramBucket> buckets)
    {
        if (double.IsNaN(quantile))
        {
            return double.NaN;
        }

        if (quantile < 0)
        {
            return double.NegativeInfinity;
        }

        if (quantile > 1)
        {
            return double.PositiveInfinity;
        }

        if (buckets.IsEmpty)
        {
            return double.NaN;
        }

        Span<HistogramBucket> sorted = buckets.Length <= 64
            ? stackalloc HistogramBucket[buckets.Length]
            : new HistogramBucket[buckets.Length];
        buckets.CopyTo(sorted);
        sorted.Sort(static (left, right) => left.UpperBound.CompareTo(right.UpperBound));
        if (!double.IsPositiveInfinity(sorted[^1].UpperBound))
        {
            return double.NaN;
        }

        sorted = AddUpEqualBounds(sorted);
        if (sorted.Length < 2)
        {
            return double.NaN;
        }

        MakeMonotonic(sorted);

        double observations = sorted[^1].CumulativeCount;
        if (observations == 0)
        {
            return double.NaN;
        }

        double rank = quantile * observations;
        int index = FindBucket(sorted[..^1], rank);
        if (index == sorted.Length - 1)
        {
            return sorted[^2].UpperBound;
        }

        double end = sorted[index].UpperBound;
        if (index == 0 && end <= 0)
        {
            return end;
        }

        HistogramBucket below = index == 0 ? new HistogramBucket(0, 0) : sorted[index - 1];
        return below.UpperBound
            + (end - below.UpperBound) * ((rank - below.CumulativeCount) / (sorted[index].CumulativeCount - below.CumulativeCount));
    }

    /// <summary>
    /// The first bucket whose count reaches the rank, or the number of buckets. It uses the binary search of Prometheus. A count
    /// that is NaN reaches no rank, so another search could find another bucket.
    /// </summary>
    private static int FindBucket(ReadOnlySpan<HistogramBucket> buckets, double rank)
    {
        int low = 0;
        int high = buckets.Length;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (buckets[middle].CumulativeCount >= rank)
            {
                high = middle;
            }
            else
            {
                low = middle + 1;
            }
        }

        return low;
    }

    /// <summary>The histograms of a family, in the order of their first samples.</summary>
    internal static IReadOnlyList<PrometheusHistogram> Of(MetricFamily family)
    {
        if (family.Type == PrometheusMetricType.Summary)
        {
            return [];
        }

        var parts = new Dictionary<LabelSet, Parts>();
        var order = new List<Parts>();
        foreach (PrometheusSample sample in family.Samples)
        {
            ReadOnlySpan<char> suffix = sample.Name.StartsWith(family.Name, StringComparison.Ordinal)
                ? sample.Name.AsSpan(family.Name.Length)
                : sample.Name;
            bool isBucket = suffix is "_bucket" or "" && sample.Labels.TryGetValue(ReservedLabels.Bucket, out _);
            LabelSet labels = isBucket ? sample.Labels.Without(ReservedLabels.Bucket) : sample.Labels;
            if (!parts.TryGetValue(labels, out Parts? part))
            {
                part = new Parts(labels);
                parts.Add(labels, part);
                order.Add(part);
            }

            if (isBucket)
            {
                if (ReservedLabels.TryParseBound(sample.Labels[ReservedLabels.Bucket], out double bound))
                {
                    part.Buckets.Add(new HistogramBucket(bound, sample.Value));
                }
            }
            else if (suffix is "_sum" or "_gsum")
            {
                part.Sum = sample.Value;
            }
            else if (suffix is "_count" or "_gcount")
            {
                part.Count = sample.Value;
            }
            else if (suffix is "_created")
            {
                part.Created = sample.Value;
            }
        }

        return [.. order.Where(part => part.Buckets.Count > 0 || part.Count is not null || part.Sum is not null)
            .Select(part => new PrometheusHistogram(part.Labels, part.Buckets, part.Sum, part.Count, part.Created))];
    }

    private static Span<HistogramBucket> AddUpEqualBounds(Span<HistogramBucket> sorted)
    {
        int last = 0;
        for (int i = 1; i < sorted.Length; i++)
        {
            if (sorted[i].UpperBound == sorted[last].UpperBound)
            {
                sorted[last] = sorted[last] with { CumulativeCount = sorted[last].CumulativeCount + sorted[i].CumulativeCount };
            }
            else
            {
                sorted[++last] = sorted[i];
            }
        }

        return sorted[..(last + 1)];
    }

    private static void MakeMonotonic(Span<HistogramBucket> sorted)
    {
        double highest = sorted[0].CumulativeCount;
        for (int i = 1; i < sorted.Length; i++)
        {
            double count = sorted[i].CumulativeCount;
            if (count < highest || IsInsignificant(highest, count))
            {
                sorted[i] = sorted[i] with { CumulativeCount = highest };
            }
            else
            {
                highest = count;
            }
        }
    }

    private static bool IsInsignificant(double a, double b)
    {
        if (a == b)
        {
            return true;
        }

        double sum = Math.Abs(a) + Math.Abs(b);
        double difference = Math.Abs(a - b);
        return a == 0 || b == 0 || sum < SmallestNormal
            ? difference < InsignificantDifference * SmallestNormal
            : difference / Math.Min(sum, double.MaxValue) < InsignificantDifference;
    }

    private sealed class Parts(LabelSet labels)
    {
        public LabelSet Labels { get; } = labels;

        public List<HistogramBucket> Buckets { get; } = [];

        public double? Sum { get; set; }

        public double? Count { get; set; }

        public double? Created { get; set; }
    }
}
