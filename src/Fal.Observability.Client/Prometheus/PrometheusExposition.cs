using System.Diagnostics.CodeAnalysis;

namespace Fal.Observability.Client.Prometheus;

/// <summary>A complete exposition as metric families.</summary>
/// <remarks>Immutable and thread-safe.</remarks>
public sealed class PrometheusExposition
{
    // Created at the first lookup. If two threads create it at the same time, either result may be kept.
    private Dictionary<string, int>? _places;

    /// <summary>Creates an exposition, for instance in a test.</summary>
    /// <param name="families">The families in their order.</param>
    /// <param name="skippedLines">The recorded lines that were skipped or repaired. Null means none.</param>
    /// <param name="skippedLineCount">The number of skipped lines. At least 0.</param>
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

    /// <summary>This exposition with other texts of its skipped lines. It shares the families.</summary>
    internal PrometheusExposition WithSkippedLines(Func<PrometheusSkippedLine, PrometheusSkippedLine> change) => SkippedLines.Count == 0
        ? this
        : new PrometheusExposition(Families, [.. SkippedLines.Select(change)], SkippedLineCount);

    /// <summary>The families, in the order of their first lines.</summary>
    public IReadOnlyList<MetricFamily> Families { get; }

    /// <summary>
    /// The first lines that lenient reading skipped or repaired, at most
    /// <see cref="PrometheusParserOptions.MaxRecordedSkippedLines"/>. Empty after strict reading.
    /// </summary>
    public IReadOnlyList<PrometheusSkippedLine> SkippedLines { get; }

    /// <summary>The number of lines that lenient reading skipped, without repaired lines.</summary>
    public long SkippedLineCount { get; }

    /// <summary>The family with a name.</summary>
    /// <param name="name">The family name, without a suffix such as <c>_bucket</c>.</param>
    /// <value>The family, or null if there is none.</value>
    /// <exception cref="ArgumentNullException"><paramref name="name"/> is null.</exception>
    public MetricFamily? this[string name] => TryGetFamily(name, out MetricFamily? family) ? family : null;

    /// <summary>Looks a family up.</summary>
    /// <param name="name">The family name, without a suffix such as <c>_bucket</c>.</param>
    /// <param name="family">The family, or null if there is none.</param>
    /// <returns>Whether there is such a family.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="name"/> is null.</exception>
    public bool TryGetFamily(string name, [NotNullWhen(true)] out MetricFamily? family)
    {
        _places ??= PlacesOf(Families.Select(known => known.Name));
        family = _places.TryGetValue(name, out int place) ? Families[place] : null;
        return family is not null;
    }

    /// <summary>Relabels and filters: returns a copy with other labels, or without some of the samples.</summary>
    /// <param name="relabel">
    /// Returns the new labels of a sample, for instance <c>sample.Labels.With("account", "acme")</c>, or null to remove the sample.
    /// </param>
    /// <returns>
    /// The new exposition. Families keep their place, even if they have no samples left. The caller must ensure that the series remain
    /// distinct. OpenMetrics cannot be written with duplicate series.
    /// </returns>
    /// <exception cref="ArgumentNullException"><paramref name="relabel"/> is null.</exception>
    public PrometheusExposition Relabel(Func<PrometheusSample, LabelSet?> relabel)
    {
        ArgumentNullException.ThrowIfNull(relabel);
        return new PrometheusExposition(Families.Select(family => family.Relabel(relabel)), SkippedLines, SkippedLineCount);
    }

    /// <summary>Merges expositions, for instance of several accounts after each got a label with the name of its account.</summary>
    /// <param name="expositions">The expositions.</param>
    /// <returns>
    /// One exposition. A family that several expositions contain has the samples of all of them. Its type, help and unit come from the
    /// first exposition that declares each. If the declared types differ, each sample name becomes a family of unknown type.
    /// </returns>
    /// <exception cref="ArgumentNullException"><paramref name="expositions"/> is null.</exception>
    /// <exception cref="ArgumentException">One of the expositions is null.</exception>
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
    /// The first of several expositions that differ only in their values. Results that depend only on families and series can be cached
    /// with it. Null if no such exposition is known.
    /// </summary>
    internal PrometheusExposition? Layout { get; private set; }

    /// <summary>Makes this exposition the layout of those that may follow with other values.</summary>
    /// <returns>False if the samples of a family are not consecutive.</returns>
    internal bool TryBeginLayout()
    {
        if (Families.All(family => family.Samples is SampleRange || family.Samples.Count == 0))
        {
            _places = PlacesOf(Families.Select(family => family.Name));
            Layout = this;
        }

        return Layout is not null;
    }

    /// <summary>Creates an exposition with the layout of this one and other values. It has no skipped lines.</summary>
    internal PrometheusExposition Repeat(SampleStore samples)
    {
        var families = new MetricFamily[Families.Count];
        for (int i = 0; i < families.Length; i++)
        {
            MetricFamily family = Families[i];
            families[i] = new MetricFamily(
                family.Name,
                family.Type,
                family.Samples is SampleRange range ? new SampleRange(samples, range.Start, range.Count) : [],
                family.Help);
        }

        return new PrometheusExposition(families, this);
    }

    /// <summary>The index of each name. A duplicate name has the index of the first family.</summary>
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
