using System.Collections;

namespace Fal.Observability.Client.Prometheus;

/// <summary>The samples of an exposition in the order in which they stand, and the lines that were skipped.</summary>
/// <remarks>Immutable; safe to use from any number of threads.</remarks>
public sealed class PrometheusSamples : IReadOnlyList<PrometheusSample>
{
    private readonly IReadOnlyList<PrometheusSample> _samples;

    internal PrometheusSamples(IReadOnlyList<PrometheusSample> samples, IReadOnlyList<PrometheusSkippedLine> skippedLines, long skippedLineCount)
    {
        _samples = samples;
        SkippedLines = skippedLines;
        SkippedLineCount = skippedLineCount;
    }

    /// <summary>
    /// The first of the lines that lenient reading skipped or repaired, at most
    /// <see cref="PrometheusParserOptions.MaxRecordedSkippedLines"/>. Empty after strict reading.
    /// </summary>
    public IReadOnlyList<PrometheusSkippedLine> SkippedLines { get; }

    /// <summary>How many lines lenient reading left out. Lines that were repaired do not count.</summary>
    public long SkippedLineCount { get; }

    /// <summary>The number of samples.</summary>
    public int Count => _samples.Count;

    /// <summary>A sample.</summary>
    /// <param name="index">Its place; the first is 0.</param>
    /// <exception cref="ArgumentOutOfRangeException">The index is negative or not less than <see cref="Count"/>.</exception>
    public PrometheusSample this[int index] => _samples[index];

    /// <summary>Enumerates the samples in their order.</summary>
    /// <returns>The enumerator.</returns>
    public IEnumerator<PrometheusSample> GetEnumerator() => _samples.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
