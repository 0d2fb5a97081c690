namespace Fal.Observability.Client.Prometheus;

/// <summary>A metric family: a name, its type, help and unit, and its samples.</summary>
/// <remarks>Immutable and thread-safe, as long as the list of samples is not changed.</remarks>
public sealed class MetricFamily
{
    /// <summary>Creates a family.</summary>
    /// <param name="name">The name in the TYPE and HELP lines, without a suffix such as <c>_bucket</c>.</param>
    /// <param name="type">The type.</param>
    /// <param name="samples">The samples. Those of a histogram have names with <c>_bucket</c>, <c>_sum</c> or <c>_count</c>.</param>
    /// <param name="help">The help text, or null for none.</param>
    /// <param name="unit">The unit, or null for none.</param>
    /// <exception cref="ArgumentException"><paramref name="name"/> is null or empty.</exception>
    /// <exception cref="ArgumentNullException"><paramref name="samples"/> is null.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="type"/> is not one of the named values.</exception>
    public MetricFamily(
        string name, PrometheusMetricType type, IReadOnlyList<PrometheusSample> samples, string? help = null, string? unit = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentNullException.ThrowIfNull(samples);
        if (!Enum.IsDefined(type))
        {
            throw new ArgumentOutOfRangeException(nameof(type), type, "Unknown metric type. Use a named value of PrometheusMetricType.");
        }

        Name = name;
        Type = type;
        Samples = samples;
        Help = help;
        Unit = unit;
    }

    /// <summary>The name in the TYPE and HELP lines, without a suffix such as <c>_bucket</c>.</summary>
    public string Name { get; }

    /// <summary>The declared type; <see cref="PrometheusMetricType.Unknown"/> if none was declared.</summary>
    public PrometheusMetricType Type { get; }

    /// <summary>The help text; null if there is no HELP line.</summary>
    public string? Help { get; }

    /// <summary>The unit; null if there is no UNIT line. Only OpenMetrics has them.</summary>
    public string? Unit { get; }

    /// <summary>The samples, in the order of the input. Empty if the family is only declared.</summary>
    public IReadOnlyList<PrometheusSample> Samples { get; }

    /// <summary>
    /// Returns the samples as histograms. A bucket is a sample with a label <c>le</c> and the name of the family, with or without
    /// <c>_bucket</c>. A family that is declared a gauge can therefore have histograms too. Some exporters write such families.
    /// </summary>
    /// <returns>The histograms; empty if no sample belongs to one. A bucket whose bound is not a number is omitted.</returns>
    public IReadOnlyList<PrometheusHistogram> GetHistograms() => PrometheusHistogram.Of(this);

    /// <summary>Returns the samples as summaries, if the family is declared as a summary.</summary>
    /// <returns>The summaries; empty if the family is not a summary. A quantile that is not a number is omitted.</returns>
    public IReadOnlyList<PrometheusSummary> GetSummaries() => Type == PrometheusMetricType.Summary ? PrometheusSummary.Of(this) : [];

    internal MetricFamily Relabel(Func<PrometheusSample, LabelSet?> relabel)
    {
        var samples = new List<PrometheusSample>(Samples.Count);
        SampleShape? shape = null;
        foreach (PrometheusSample sample in Samples)
        {
            if (relabel(sample) is not { } labels)
            {
                continue;
            }

            // The samples of a family usually get the same names. Let them share a shape, as parsed samples do.
            if (shape is null || shape.Name != sample.Name || shape.Exemplar != sample.Exemplar
                || !shape.LabelNames.AsSpan().SequenceEqual(labels.Names))
            {
                shape = new SampleShape(sample.Name, labels.Names, sample.Exemplar);
            }

            samples.Add(new PrometheusSample(
                shape, labels.ValueArray, labels.Start, sample.Value,
                sample.TimestampMilliseconds ?? PrometheusSample.NoTimestamp));
        }

        return new MetricFamily(Name, Type, samples, Help, Unit);
    }

    /// <summary>Merges families that have the same name and no contradicting types.</summary>
    internal static MetricFamily Merge(IEnumerable<MetricFamily> parts)
    {
        MetricFamily[] all = parts.ToArray();
        return all.Length == 1 ? all[0] : new MetricFamily(
            all[0].Name, all.Max(family => family.Type), [.. all.SelectMany(family => family.Samples)],
            all.FirstOrDefault(family => family.Help is not null)?.Help, all.FirstOrDefault(family => family.Unit is not null)?.Unit);
    }

    /// <summary>Returns a family of unknown type for each sample name.</summary>
    internal IEnumerable<MetricFamily> SplitByName() =>
        Samples.GroupBy(sample => sample.Name, StringComparer.Ordinal)
            .Select(named => new MetricFamily(named.Key, PrometheusMetricType.Unknown, [.. named], Help));

    /// <summary>Returns the name, the type and the number of samples, for a debugger or a log.</summary>
    /// <returns>The text.</returns>
    public override string ToString() =>
        string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{Name} ({Type}, {Samples.Count} samples)");
}
