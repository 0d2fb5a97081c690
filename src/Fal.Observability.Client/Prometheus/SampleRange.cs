using System.Collections;

namespace Fal.Observability.Client.Prometheus;

/// <summary>Consecutive samples in a complete buffer.</summary>
internal sealed class SampleRange(SampleStore samples, int start, int count) : IReadOnlyList<PrometheusSample>
{
    public int Count => count;

    /// <summary>The buffer.</summary>
    public SampleStore Store => samples;

    /// <summary>The index of the first sample in the buffer.</summary>
    public int Start => start;

    public PrometheusSample this[int index]
    {
        get
        {
            ArgumentOutOfRangeException.ThrowIfNegative(index);
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, count);
            return samples[start + index];
        }
    }

    public IEnumerator<PrometheusSample> GetEnumerator()
    {
        for (int i = 0; i < count; i++)
        {
            yield return samples[start + i];
        }
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
