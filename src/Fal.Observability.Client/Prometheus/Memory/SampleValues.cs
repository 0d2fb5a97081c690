namespace Fal.Observability.Client.Prometheus;

/// <summary>The values of the samples of an exposition in their order, in chunks of which none goes to the large object heap.</summary>
internal sealed class SampleValues
{
    internal const int ChunkShift = 12;
    internal const int ChunkLength = 1 << ChunkShift;

    private readonly ValueChunk[] _chunks;

    internal SampleValues(int count)
    {
        Count = count;
        _chunks = new ValueChunk[(count + ChunkLength - 1) >> ChunkShift];
        for (int i = 0; i < _chunks.Length; i++)
        {
            _chunks[i] = new ValueChunk(Math.Min(ChunkLength, count - (i << ChunkShift)));
        }
    }

    internal int Count { get; }

    /// <summary>The chunk that a value belongs to; one without room for the value after the last.</summary>
    internal ValueChunk ChunkOf(int index) => index < Count ? _chunks[index >> ChunkShift] : ValueChunk.Empty;

    internal static int PlaceInChunk(int index) => index & (ChunkLength - 1);
}

/// <summary>A few thousand values in a row.</summary>
internal sealed class ValueChunk(int length)
{
    internal static readonly ValueChunk Empty = new(0);

    internal readonly double[] Values = GC.AllocateUninitializedArray<double>(length);

    // Few expositions have timestamps.
    private long[]? _timestamps;

    internal bool HasTimestamps => _timestamps is not null;

    internal long TimestampOf(int index) => _timestamps is null ? PrometheusSample.NoTimestamp : _timestamps[index];

    internal void Set(int index, double value, long timestamp)
    {
        Values[index] = value;
        if (timestamp != PrometheusSample.NoTimestamp)
        {
            SetTimestamp(index, timestamp);
        }
    }

    internal void SetTimestamp(int index, long timestamp)
    {
        if (_timestamps is null)
        {
            _timestamps = new long[Values.Length];
            ClearTimestamps();
        }

        _timestamps[index] = timestamp;
    }

    internal void ClearTimestamps() => _timestamps?.AsSpan().Fill(PrometheusSample.NoTimestamp);
}
