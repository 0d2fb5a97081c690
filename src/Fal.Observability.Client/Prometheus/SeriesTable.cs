using System.Numerics;

namespace Fal.Observability.Client.Prometheus;

/// <summary>The series that were seen lately, found by all the bytes that name them: a line up to its value.</summary>
internal sealed class SeriesTable
{
    private const int BytesPerSeries = 64;

    private Slot[] _slots = [];
    private Entry[] _entries = [];
    private byte[] _text = [];
    private int _textLength;

    private struct Slot
    {
        internal uint Hash;
        internal int Number; // Of the series, from 1; 0 stands for none.
    }

    private struct Entry
    {
        internal SampleSeries Series;
        internal int TextStart;
        internal int TextLength;
    }

    internal int Count { get; private set; }

    internal long Bytes => (long)Count * BytesPerSeries + _textLength;

    internal SampleSeries this[int series] => _entries[series].Series;

    internal ReadOnlySpan<byte> TextOf(int series) => _text.AsSpan(_entries[series].TextStart, _entries[series].TextLength);

    /// <summary>The place of a series; -1 if it is not there.</summary>
    internal int Find(ReadOnlySpan<byte> text, out uint hash)
    {
        hash = Utf8Hash.Compute(text);
        if (Count == 0)
        {
            return -1;
        }

        Slot[] slots = _slots;
        for (uint i = hash; ; i++)
        {
            Slot slot = slots[i & (uint)(slots.Length - 1)];
            if (slot.Number == 0)
            {
                return -1;
            }

            if (slot.Hash == hash && TextOf(slot.Number - 1).SequenceEqual(text))
            {
                return slot.Number - 1;
            }
        }
    }

    /// <summary>Takes a series in that is not there.</summary>
    /// <returns>Its place.</returns>
    internal int Add(ReadOnlySpan<byte> text, uint hash, SampleSeries series)
    {
        if (Count == _entries.Length)
        {
            Array.Resize(ref _entries, Math.Max(256, Count * 2));
            _slots = new Slot[BitOperations.RoundUpToPowerOf2((uint)_entries.Length * 2)];
            for (int i = 0; i < Count; i++)
            {
                Link(i, Utf8Hash.Compute(TextOf(i)));
            }
        }

        if (_textLength + text.Length > _text.Length)
        {
            Array.Resize(ref _text, Math.Max(_textLength + text.Length, (int)Math.Min(Array.MaxLength, Math.Max(4096, _text.Length * 2L))));
        }

        text.CopyTo(_text.AsSpan(_textLength));
        _entries[Count] = new Entry { Series = series, TextStart = _textLength, TextLength = text.Length };
        _textLength += text.Length;
        Link(Count, hash);
        return Count++;
    }

    private void Link(int series, uint hash)
    {
        uint i = hash;
        while (_slots[i & (uint)(_slots.Length - 1)].Number != 0)
        {
            i++;
        }

        _slots[i & (uint)(_slots.Length - 1)] = new Slot { Hash = hash, Number = series + 1 };
    }
}

/// <summary>What samples of one series have in common: all but value and timestamp.</summary>
internal readonly record struct SampleSeries(SampleShape Shape, string[] LabelValues);
