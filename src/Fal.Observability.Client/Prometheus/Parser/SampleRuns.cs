using System.Collections;

namespace Fal.Observability.Client.Prometheus;

/// <summary>Several runs of samples in a complete buffer, as one list.</summary>
/// <param name="samples">The buffer.</param>
/// <param name="runs">The start of each run in the buffer, and the number of samples in all earlier runs.</param>
/// <param name="count">The number of samples.</param>
internal sealed class SampleRuns(SampleStore samples, IReadOnlyList<(int Start, int Before)> runs, int count)
    : IReadOnlyList<PrometheusSample>
{
    public int Count => count;

    public PrometheusSample this[int index]
    {
        get
        {
            ArgumentOutOfRangeException.ThrowIfNegative(index);
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, count);
            int first = 0;
            int end = runs.Count;
            while (end - first > 1)
            {
                int middle = (first + end) / 2;
                (first, end) = runs[middle].Before <= index ? (middle, end) : (first, middle);
            }

            return samples[runs[first].Start + index - runs[first].Before];
        }
    }

    public IEnumerator<PrometheusSample> GetEnumerator()
    {
        for (int run = 0; run < runs.Count; run++)
        {
            (int start, int before) = runs[run];
            int length = (run + 1 < runs.Count ? runs[run + 1].Before : count) - before;
            for (int i = start; i < start + length; i++)
            {
                yield return samples[i];
            }
        }
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
