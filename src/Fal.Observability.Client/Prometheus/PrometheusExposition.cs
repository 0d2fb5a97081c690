using System.Diagnostics.CodeAnalysis;

namespace Fal.Observability.Client.Prometheus;

/// <summary>A whole exposition as metric families.</summary>
/// <remarks>Immutable; safe to use from any number of threads.</remarks>
public sealed class PrometheusExposition
{
    private readonly Dictionary<string, int> _places;

    /// <summary>Creates an exposition, for instance in a test.</summary>
    /// <param name="families">The families in their order.</param>
    /// <param name="skippedLines">The recorded lines that were skipped or repaired. If null, none.</param>
    /// <param name="skippedLineCount">How many lines were left out.</param>
    /// <exception cref="ArgumentNullException"><paramref name="families"/> is null.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="skippedLineCount"/> is negative.</exception>
    public PrometheusExposition(
        IEnumerable<MetricFamily> families, IReadOnlyList<PrometheusSkippedLine>? skippedLines = null, long skippedLineCount = 0)
    {
        ArgumentNullException.ThrowIfNull(families);
        ArgumentOutOfRangeException.ThrowIfNegative(skippedLineCount);
        Families = families.ToArray();
        SkippedLines = skippedLines ?? [];
        SkippedLineCount = skippedLineCount;
        _places = PlacesOf(Families.Select(family => family.Name));
    }

    /// <summary>Creates an exposition that has a known layout, in which no line was skipped.</summary>
    internal PrometheusExposition(MetricFamily[] families, ExpositionLayout layout)
    {
        Families = families;
        SkippedLines = [];
        Layout = layout;
        _places = layout.Places;
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
    public MetricFamily? this[string name] => TryGetFamily(name, out MetricFamily? family) ? family : null;

    /// <summary>Looks a family up.</summary>
    /// <param name="name">The name, without suffixes such as <c>_bucket</c>.</param>
    /// <param name="family">The family, or null if there is none.</param>
    /// <returns>Whether there is such a family.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="name"/> is null.</exception>
    public bool TryGetFamily(string name, [NotNullWhen(true)] out MetricFamily? family)
    {
        family = _places.TryGetValue(name, out int place) ? Families[place] : null;
        return family is not null;
    }

    /// <summary>What this has in common with other scrapes of its source; null if nothing is known.</summary>
    internal ExpositionLayout? Layout { get; }

    /// <summary>The place of each name, the first if there are several.</summary>
    internal static Dictionary<string, int> PlacesOf(IEnumerable<string> names)
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
