using System.Collections;

namespace Fal.Observability.Client.Prometheus;

/// <summary>The samples of an exposition in the order of the input, and the lines that were skipped.</summary>
/// <remarks>Immutable and thread-safe.</remarks>
public sealed class PrometheusSamples : IReadOnlyList<PrometheusSample>
{
    private readonly IReadOnlyList<PrometheusSample> _samples;

    internal PrometheusSamples(
        IReadOnlyList<PrometheusSample> samples, IReadOnlyList<PrometheusSkippedLine> skippedLines, long skippedLineCount)
    {
        _samples = samples;
        SkippedLines = skippedLines;
        SkippedLineCount = skippedLineCount;
    }

    /// <summary>
    /// The first lines that lenient reading skipped or repaired, at most
    /// <see cref="PrometheusParserOptions.MaxRecordedSkippedLines"/>. Empty after strict reading.
    /// </summary>
    public IReadOnlyList<PrometheusSkippedLine> SkippedLines { get; }

    /// <summary>The number of lines that lenient reading skipped, without repaired lines.</summary>
    public long SkippedLineCount { get; }

    /// <summary>The number of samples.</summary>
    public int Count => _samples.Count;

    /// <summary>A sample.</summary>
    /// <param name="index">The index; the first is 0.</param>
    /// <exception cref="ArgumentOutOfRangeException">The index is negative, or at least <see cref="Count"/>.</exception>
    public PrometheusSample this[int index] => _samples[index];

    /// <summary>Enumerates the samples in their order.</summary>
    /// <returns>The enumerator.</returns>
    public IEnumerator<PrometheusSample> GetEnumerator() => _samples.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
