using System.Buffers;
using System.Runtime.InteropServices;

namespace Fal.Observability.Client.Prometheus;

/// <summary>
/// The families of an exposition while it is read, in the order of their first lines, with a lookup by name. The arrays are rented. With
/// many small families, an object for each and a dictionary would be most of the allocations of a parse.
/// </summary>
internal sealed class FamilyTable
{
    private const int FirstCapacity = 64;

    private int[] _buckets = [];
    private FamilyEntry[] _families = []; // Always returned empty.

    public int Count { get; private set; }

    /// <summary>A reference to a family, valid until the next family is added.</summary>
    public ref FamilyEntry this[int index] => ref _families[index];

    /// <summary>The index of the family with a name; -1 if there is none.</summary>
    public int Find(ReadOnlySpan<char> name) => Find(name, string.GetHashCode(name, StringComparison.Ordinal));

    /// <summary>The index of the family with a name. Adds the family if there is none.</summary>
    public int GetOrAdd(string name)
    {
        int hash = string.GetHashCode(name, StringComparison.Ordinal);
        int found = Find(name, hash);
        if (found >= 0)
        {
            return found;
        }

        if (Count == _families.Length)
        {
            Grow();
        }

        _families[Count] = new FamilyEntry { Name = name, Hash = hash };
        Link(Count);
        return Count++;
    }

    public void ReturnTables()
    {
        Return(_families);
        ArrayPool<int>.Shared.Return(_buckets);
        (_families, _buckets, Count) = ([], [], 0);
    }

    private int Find(ReadOnlySpan<char> name, int hash)
    {
        if (Count == 0)
        {
            return -1;
        }

        int index = _buckets[hash & (_families.Length - 1)] - 1;
        while (index >= 0 && (_families[index].Hash != hash || !name.SequenceEqual(_families[index].Name)))
        {
            index = _families[index].Next;
        }

        return index;
    }

    private void Grow()
    {
        FamilyEntry[] smaller = _families;
        // The length of a rented array is a power of two, and so is the number of buckets in use.
        _families = ArrayPool<FamilyEntry>.Shared.Rent(Math.Max(FirstCapacity, Count * 2));
        smaller.CopyTo(_families, 0);
        Return(smaller);
        ArrayPool<int>.Shared.Return(_buckets);
        _buckets = ArrayPool<int>.Shared.Rent(_families.Length);
        Array.Clear(_buckets, 0, _families.Length);
        for (int i = 0; i < Count; i++)
        {
            Link(i);
        }
    }

    private void Link(int index)
    {
        ref int bucket = ref _buckets[_families[index].Hash & (_families.Length - 1)];
        _families[index].Next = bucket - 1;
        bucket = index + 1;
    }

    private void Return(FamilyEntry[] families)
    {
        Array.Clear(families, 0, Count);
        ArrayPool<FamilyEntry>.Shared.Return(families);
    }
}

/// <summary>A family that is being read.</summary>
[StructLayout(LayoutKind.Auto)]
internal struct FamilyEntry
{
    // Usually, the samples of a family are one consecutive run. The list is for families with several runs.
    private List<(int Start, int Before)>? _runs;
    private int _sampleCount;

    public string Name;
    public string? Help;
    public PrometheusMetricType? Type;
    public bool HasSamples;
    public int Hash;
    public int Next;

    /// <summary>The index of the first sample among the samples of the exposition.</summary>
    public int FirstSample { get; private set; }

    public void AddRun(int start, int count)
    {
        if (_sampleCount == 0)
        {
            FirstSample = start;
        }
        else
        {
            _runs ??= [(FirstSample, 0)];
            _runs.Add((start, _sampleCount));
        }

        _sampleCount += count;
    }

    public readonly MetricFamily Build(SampleStore samples) => new(
        Name, Type ?? PrometheusMetricType.Unknown,
        _runs is not null ? new SampleRuns(samples, _runs, _sampleCount)
            : _sampleCount > 0 ? new SampleRange(samples, FirstSample, _sampleCount) : [],
        Help);
}
