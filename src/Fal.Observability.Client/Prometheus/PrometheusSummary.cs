namespace Fal.Observability.Client.Prometheus;

/// <summary>One summary of a family: the quantiles, sum and count with the same labels, apart from <c>quantile</c>.</summary>
public sealed class PrometheusSummary
{
    /// <summary>Creates a summary.</summary>
    /// <param name="labels">The labels without <c>quantile</c>.</param>
    /// <param name="quantiles">The quantiles (0 to 1) and their values, in any order.</param>
    /// <param name="sum">The sum of the observations; null if unknown.</param>
    /// <param name="count">The number of observations; null if unknown.</param>
    /// <param name="createdSeconds">The time at which counting began, in seconds since the Unix epoch; null if unknown.</param>
    /// <exception cref="ArgumentNullException"><paramref name="quantiles"/> is null.</exception>
    public PrometheusSummary(
        LabelSet labels, IEnumerable<KeyValuePair<double, double>> quantiles,
        double? sum = null, double? count = null, double? createdSeconds = null)
    {
        ArgumentNullException.ThrowIfNull(quantiles);
        Labels = labels;
        Quantiles = quantiles.ToArray();
        Sum = sum;
        Count = count;
        CreatedSeconds = createdSeconds;
    }

    /// <summary>The labels without <c>quantile</c>.</summary>
    public LabelSet Labels { get; }

    /// <summary>The quantiles (0 to 1) with their values, in the order of the input. A value is NaN if there are no observations.</summary>
    public IReadOnlyList<KeyValuePair<double, double>> Quantiles { get; }

    /// <summary>The sum of the observations (<c>_sum</c>); null if there is none.</summary>
    public double? Sum { get; }

    /// <summary>The number of observations (<c>_count</c>); null if there is none.</summary>
    public double? Count { get; }

    /// <summary>
    /// The time at which counting began, in seconds since the Unix epoch (<c>_created</c>, OpenMetrics only); null if unknown.
    /// </summary>
    public double? CreatedSeconds { get; }

    /// <summary>The summaries of a family, in the order of their first samples.</summary>
    internal static IReadOnlyList<PrometheusSummary> Of(MetricFamily family)
    {
        var parts = new Dictionary<LabelSet, Parts>();
        var order = new List<Parts>();
        foreach (PrometheusSample sample in family.Samples)
        {
            bool isQuantile = sample.Name == family.Name;
            LabelSet labels = isQuantile ? sample.Labels.Without(ReservedLabels.Quantile) : sample.Labels;
            if (!parts.TryGetValue(labels, out Parts? part))
            {
                part = new Parts(labels);
                parts.Add(labels, part);
                order.Add(part);
            }

            if (isQuantile)
            {
                if (ReservedLabels.TryParseBound(sample.Labels[ReservedLabels.Quantile], out double quantile))
                {
                    part.Quantiles.Add(new(quantile, sample.Value));
                }
            }
            else if (sample.Name.EndsWith("_sum", StringComparison.Ordinal))
            {
                part.Sum = sample.Value;
            }
            else if (sample.Name.EndsWith("_count", StringComparison.Ordinal))
            {
                part.Count = sample.Value;
            }
            else if (sample.Name.EndsWith("_created", StringComparison.Ordinal))
            {
                part.Created = sample.Value;
            }
        }

        return [.. order.Select(part => new PrometheusSummary(part.Labels, part.Quantiles, part.Sum, part.Count, part.Created))];
    }

    private sealed class Parts(LabelSet labels)
    {
        public LabelSet Labels { get; } = labels;

        public List<KeyValuePair<double, double>> Quantiles { get; } = [];

        public double? Sum { get; set; }

        public double? Count { get; set; }

        public double? Created { get; set; }
    }
}
