using System.Diagnostics;

namespace Fal.Observability.Client.Prometheus;

/// <summary>
/// Collects samples in chunks: growing copies nothing once a chunk is full size, and no chunk is so large that it would go
/// to the large object heap.
/// </summary>
internal sealed class SampleBuffer
{
    private const int ChunkShift = 10;
    private const int ChunkLength = 1 << ChunkShift;

    private readonly List<PrometheusSample[]> _chunks = [];
    private PrometheusSample[] _current = [];
    private int _used;
    private int _fullChunks;

    internal int Count => (_fullChunks << ChunkShift) + _used;

    internal ref readonly PrometheusSample this[int index]
    {
        get
        {
            Debug.Assert(index < Count);
            return ref _chunks[index >> ChunkShift][index & (ChunkLength - 1)];
        }
    }

    internal void Add(in PrometheusSample sample)
    {
        if (_used == _current.Length)
        {
            Grow();
        }

        _current[_used++] = sample;
    }

    private void Grow()
    {
        if (_used == ChunkLength)
        {
            _fullChunks++;
            _used = 0;
        }

        if (_fullChunks < _chunks.Count && _used == 0)
        {
            _current = _chunks[_fullChunks];
        }
        else if (_used == 0)
        {
            // A small exposition should cost little: only the first chunk starts small.
            _current = new PrometheusSample[_fullChunks == 0 ? 32 : ChunkLength];
            _chunks.Add(_current);
        }
        else
        {
            Array.Resize(ref _current, _current.Length * 2);
            _chunks[_fullChunks] = _current;
        }
    }

    /// <summary>Empties the buffer and keeps its chunks for what comes next.</summary>
    internal void Clear()
    {
        _fullChunks = 0;
        _used = 0;
        _current = _chunks.Count == 0 ? [] : _chunks[0];
    }

    internal PrometheusSample[] ToArray()
    {
        if (Count == 0)
        {
            return [];
        }

        var samples = new PrometheusSample[Count];
        for (int chunk = 0; chunk <= _fullChunks; chunk++)
        {
            _chunks[chunk].AsSpan(0, chunk < _fullChunks ? ChunkLength : _used).CopyTo(samples.AsSpan(chunk << ChunkShift));
        }

        return samples;
    }
}
