using System.Diagnostics.CodeAnalysis;

namespace Fal.Observability.Client.Prometheus;

/// <summary>A whole exposition as metric families.</summary>
/// <remarks>Immutable; safe to use from any number of threads.</remarks>
public sealed class PrometheusExposition
{
    private readonly Dictionary<string, MetricFamily> _byName;

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
        MetricFamily[] all = families.ToArray();
        Families = all;
        SkippedLines = skippedLines ?? [];
        SkippedLineCount = skippedLineCount;
        _byName = new Dictionary<string, MetricFamily>(all.Length, StringComparer.Ordinal);
        foreach (MetricFamily family in all)
        {
            _byName.TryAdd(family.Name, family);
        }
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
    public MetricFamily? this[string name] => _byName.GetValueOrDefault(name);

    /// <summary>Looks a family up.</summary>
    /// <param name="name">The name, without suffixes such as <c>_bucket</c>.</param>
    /// <param name="family">The family, or null if there is none.</param>
    /// <returns>Whether there is such a family.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="name"/> is null.</exception>
    public bool TryGetFamily(string name, [NotNullWhen(true)] out MetricFamily? family) => _byName.TryGetValue(name, out family);
}
