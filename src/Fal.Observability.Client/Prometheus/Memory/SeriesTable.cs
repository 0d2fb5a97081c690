using System.Numerics;

namespace Fal.Observability.Client.Prometheus;

/// <summary>The series that were seen lately, found by all the bytes that name them: a line up to its value.</summary>
internal sealed class SeriesTable
{
    private const int BytesPerSeries = 64;

    private Slot[] _slots = [];
    private SampleSeries[] _series = [];
    private byte[] _text = [];

    // Where the text of each series begins, and last where the next will. Apart from the series, so that more of them are at hand.
    private int[] _starts = new int[1];

    private struct Slot
    {
        internal uint Hash;
        internal int Number; // Of the series, from 1; 0 stands for none.
    }

    internal int Count { get; private set; }

    internal long Bytes => (long)Count * BytesPerSeries + _starts[Count];

    internal SampleSeries this[int series] => _series[series];

    internal ReadOnlySpan<byte> TextOf(int series) => _text.AsSpan(_starts[series], _starts[series + 1] - _starts[series]);

    /// <summary>Whether there is a series at a place and a line begins with it.</summary>
    internal bool IsAt(int place, ReadOnlySpan<byte> line, out int length)
    {
        if (place >= Count)
        {
            length = 0;
            return false;
        }

        ReadOnlySpan<byte> text = TextOf(place);
        length = text.Length;
        return line.StartsWith(text);
    }

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
        if (Count == _series.Length)
        {
            Array.Resize(ref _series, Math.Max(256, Count * 2));
            Array.Resize(ref _starts, _series.Length + 1);
            _slots = new Slot[BitOperations.RoundUpToPowerOf2((uint)_series.Length * 2)];
            for (int i = 0; i < Count; i++)
            {
                Link(i, Utf8Hash.Compute(TextOf(i)));
            }
        }

        int start = _starts[Count];
        int end = start + text.Length;
        if (end > _text.Length)
        {
            Array.Resize(ref _text, Math.Max(end, (int)Math.Min(Array.MaxLength, Math.Max(4096, _text.Length * 2L))));
        }

        text.CopyTo(_text.AsSpan(start));
        _series[Count] = series;
        _starts[Count + 1] = end;
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
