using System.Buffers;
using System.Diagnostics;

namespace Fal.Observability.Client.Prometheus;

/// <summary>
/// Collects samples in chunks. Growing copies nothing, and no chunk is large enough for the large object heap.
/// </summary>
internal sealed class SampleBuffer : SampleStore
{
    private const int ChunkShift = 10;
    private const int ChunkLength = 1 << ChunkShift;

    private readonly List<PrometheusSample[]> _chunks = [];
    private PrometheusSample[] _current = [];
    private int _room; // The usable length of the current chunk. The array may be longer.
    private int _used;
    private int _fullChunks;

    // The number of samples is known only at the end. A small exposition should not allocate a whole chunk.
    private PrometheusSample[]? _rented;
    private int _mostRented; // The largest number of elements that were in use before the buffer was emptied.

    public override int Count => (_fullChunks << ChunkShift) + _used;

    public override PrometheusSample this[int index]
    {
        get
        {
            Debug.Assert(index < Count);
            return _chunks[index >> ChunkShift][index & (ChunkLength - 1)];
        }
    }

    public override void Add(in PrometheusSample sample)
    {
        if (_used == _room)
        {
            Grow();
        }

        _current[_used++] = sample;
    }

    private void Grow()
    {
        if (_chunks.Count == 0)
        {
            _current = _rented = ArrayPool<PrometheusSample>.Shared.Rent(ChunkLength);
            _chunks.Add(_current);
            _room = ChunkLength;
            return;
        }

        if (_rented is not null)
        {
            GiveBack();
        }

        _fullChunks++;
        _used = 0;
        if (_fullChunks == _chunks.Count)
        {
            _chunks.Add(new PrometheusSample[ChunkLength]);
        }

        _current = _chunks[_fullChunks];
    }

    /// <summary>Empties the buffer and keeps its chunks for reuse.</summary>
    public void Clear()
    {
        _mostRented = Math.Max(_mostRented, _used);
        _fullChunks = 0;
        _used = 0;
        _current = _chunks.Count == 0 ? [] : _chunks[0];
    }

    /// <summary>Trims the last chunk to its samples, because no more samples follow.</summary>
    public override void End()
    {
        if (_rented is not null)
        {
            GiveBack();
        }
        else if (_used < _current.Length)
        {
            _current = _chunks[_fullChunks] = _current[.._used];
        }
    }

    /// <summary>Replaces the rented array with one that has exactly the length of the samples.</summary>
    private void GiveBack()
    {
        int kept = _fullChunks == 0 ? _used : ChunkLength;
        _chunks[0] = _rented.AsSpan(0, kept).ToArray();
        _current = _chunks[_fullChunks];
        Array.Clear(_rented!, 0, Math.Max(kept, Math.Min(_mostRented, ChunkLength)));
        ArrayPool<PrometheusSample>.Shared.Return(_rented!);
        _rented = null;
    }
}
