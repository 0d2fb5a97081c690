using System.Diagnostics.CodeAnalysis;

namespace Fal.Observability.Client.Prometheus;

/// <summary>A whole exposition as metric families.</summary>
/// <remarks>Immutable; safe to use from any number of threads.</remarks>
public sealed class PrometheusExposition
{
    // Made when a name is first asked for; of two threads that make it at a time, either may win.
    private Dictionary<string, int>? _places;

    /// <summary>Creates an exposition, for instance in a test.</summary>
    /// <param name="families">The families in their order.</param>
    /// <param name="skippedLines">The recorded lines that were skipped or repaired. If null, none.</param>
    /// <param name="skippedLineCount">How many lines were left out.</param>
    /// <exception cref="ArgumentNullException"><paramref name="families"/> is null.</exception>
    /// <exception cref="ArgumentException">One of the families is null.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="skippedLineCount"/> is negative.</exception>
    public PrometheusExposition(
        IEnumerable<MetricFamily> families, IReadOnlyList<PrometheusSkippedLine>? skippedLines = null, long skippedLineCount = 0)
    {
        ArgumentNullException.ThrowIfNull(families);
        ArgumentOutOfRangeException.ThrowIfNegative(skippedLineCount);
        MetricFamily[] all = families.ToArray();
        if (all.Contains(null))
        {
            throw new ArgumentException("One of the families is null.", nameof(families));
        }

        Families = all;
        SkippedLines = skippedLines ?? [];
        SkippedLineCount = skippedLineCount;
    }

    private PrometheusExposition(MetricFamily[] families, PrometheusExposition layout)
    {
        Families = families;
        SkippedLines = [];
        Layout = layout;
        _places = layout._places;
    }

    /// <summary>The families, in the order in which their first lines stand.</summary>
    public IReadOnlyList<MetricFamily> Families { get; }

    /// <summary>
    /// The first of the lines that lenient reading skipped or repaired, at most
    /// <see cref="PrometheusParserOptions.MaxRecordedSkippedLines"/>. Empty after strict reading.
    /// </summary>
    public IReadOnlyList<PrometheusSkippedLine> SkippedLines { get; }

    /// <summary>How many lines lenient reading left out. Lines that were repaired do not count.</summary>
    public long SkippedLineCount { get; }

    /// <summary>The family of a name.</summary>
    /// <param name="name">The name, without suffixes such as <c>_bucket</c>.</param>
    /// <value>The family, or null if there is none.</value>
    /// <exception cref="ArgumentNullException"><paramref name="name"/> is null.</exception>
    public MetricFamily? this[string name] => TryGetFamily(name, out MetricFamily? family) ? family : null;

    /// <summary>Looks a family up.</summary>
    /// <param name="name">The name, without suffixes such as <c>_bucket</c>.</param>
    /// <param name="family">The family, or null if there is none.</param>
    /// <returns>Whether there is such a family.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="name"/> is null.</exception>
    public bool TryGetFamily(string name, [NotNullWhen(true)] out MetricFamily? family)
    {
        _places ??= PlacesOf(Families.Select(known => known.Name));
        family = _places.TryGetValue(name, out int place) ? Families[place] : null;
        return family is not null;
    }

    /// <summary>This exposition with other labels, or without some of its samples: relabelling and filtering.</summary>
    /// <param name="relabel">Gives the labels that a sample is to have, for instance <c>sample.Labels.With("account", "acme")</c>; null leaves it out.</param>
    /// <returns>
    /// The other exposition. Families keep their place, also where no sample is left. That the series still differ from each other is
    /// the caller's affair; OpenMetrics cannot be written where they do not.
    /// </returns>
    /// <exception cref="ArgumentNullException"><paramref name="relabel"/> is null.</exception>
    public PrometheusExposition Relabel(Func<PrometheusSample, LabelSet?> relabel)
    {
        ArgumentNullException.ThrowIfNull(relabel);
        return new PrometheusExposition(Families.Select(family => family.Relabel(relabel)), SkippedLines, SkippedLineCount);
    }

    /// <summary>Puts expositions together, for instance those of several accounts after each got a label that tells them apart.</summary>
    /// <param name="expositions">The expositions.</param>
    /// <returns>
    /// One exposition: a family that stands in several has the samples of all, and the type, help and unit of the first that
    /// declares each. Where the declared types differ, none of them holds for all: each of its sample names becomes a family of
    /// unknown type.
    /// </returns>
    /// <exception cref="ArgumentNullException"><paramref name="expositions"/> is null.</exception>
    /// <exception cref="ArgumentException">One of them is null.</exception>
    public static PrometheusExposition Merge(params IEnumerable<PrometheusExposition> expositions)
    {
        ArgumentNullException.ThrowIfNull(expositions);
        PrometheusExposition[] all = expositions.ToArray();
        if (all.Contains(null))
        {
            throw new ArgumentException("One of the expositions is null.", nameof(expositions));
        }

        MetricFamily[] families = [.. all.SelectMany(exposition => exposition.Families)];
        HashSet<string> disputed = families
            .Where(family => family.Type != PrometheusMetricType.Unknown)
            .GroupBy(family => family.Name, StringComparer.Ordinal)
            .Where(declared => declared.DistinctBy(family => family.Type).Skip(1).Any())
            .Select(declared => declared.Key)
            .ToHashSet(StringComparer.Ordinal);
        return new PrometheusExposition(
            families
                .SelectMany(family => disputed.Contains(family.Name) ? family.SplitByName() : [family])
                .GroupBy(family => family.Name, StringComparer.Ordinal)
                .Select(MetricFamily.Merge),
            [.. all.SelectMany(exposition => exposition.SkippedLines)],
            all.Sum(exposition => exposition.SkippedLineCount));
    }

    /// <summary>
    /// The first of the expositions whose lines differ in their values only, so that what is worked out from families and series
    /// can be kept with it; null if nothing is known.
    /// </summary>
    internal PrometheusExposition? Layout { get; private set; }

    /// <summary>Makes this exposition the first of those that may follow with other values.</summary>
    /// <returns>False if the samples of a family do not stand together.</returns>
    internal bool TryBeginLayout()
    {
        if (Families.All(family => family.Samples is SampleRange || family.Samples.Count == 0))
        {
            _places = PlacesOf(Families.Select(family => family.Name));
            Layout = this;
        }

        return Layout is not null;
    }

    /// <summary>The exposition that has the layout of this one and other values, without a skipped line.</summary>
    internal PrometheusExposition Repeat(SampleStore samples)
    {
        var families = new MetricFamily[Families.Count];
        for (int i = 0; i < families.Length; i++)
        {
            MetricFamily family = Families[i];
            families[i] = new MetricFamily(
                family.Name, family.Type, family.Samples is SampleRange range ? new SampleRange(samples, range.Start, range.Count) : [], family.Help);
        }

        return new PrometheusExposition(families, this);
    }

    /// <summary>The place of each name, the first if there are several.</summary>
    private static Dictionary<string, int> PlacesOf(IEnumerable<string> names)
    {
        var places = new Dictionary<string, int>(StringComparer.Ordinal);
        int place = 0;
        foreach (string name in names)
        {
            places.TryAdd(name, place++);
        }

        return places;
    }
}
