using System.Numerics;
using System.Text;

namespace Fal.Observability.Client.Prometheus;

/// <summary>
/// Makes each distinct text one string. An exposition repeats its label values thousands of times, and mostly in the same
/// order, so that the value that followed the last one the time before is tried first.
/// </summary>
internal sealed class Utf8StringPool
{
    /// <summary>Beyond so many strings the pool starts anew: an endless stream of new values must not fill the memory.</summary>
    private const int MaxEntries = 1 << 16;

    /// <summary>Longer texts hardly repeat, and are made as they come.</summary>
    private const int MaxPooledLength = 256;

    private int[] _buckets = new int[64];
    private Entry[] _entries = new Entry[64];
    private int _count = 1; // Entry 0 stands for none.

    private struct Entry
    {
        internal string Text;
        internal uint Hash;
        internal int Next;
        internal int Successor;
    }

    /// <summary>The string for <paramref name="utf8"/>.</summary>
    /// <param name="utf8">Valid UTF-8.</param>
    /// <param name="last">
    /// The caller's memory of its last text in this place, for instance of the same label; 0 at first.
    /// </param>
    internal string Get(ReadOnlySpan<byte> utf8, ref int last)
    {
        Entry[] entries = _entries;
        int previous = last;
        if ((uint)previous < (uint)_count && previous != 0)
        {
            ref Entry entry = ref entries[previous];
            if (IsText(entry.Text, utf8))
                return entry.Text;
            int successor = entry.Successor;
            if (successor != 0 && IsText(entries[successor].Text, utf8))
            {
                last = successor;
                return entries[successor].Text;
            }
        }

        return Find(utf8, ref last);
    }

    private string Find(ReadOnlySpan<byte> utf8, ref int last)
    {
        if (utf8.Length > MaxPooledLength)
            return Encoding.UTF8.GetString(utf8);
        uint hash = Utf8Hash.Compute(utf8);
        int index = _buckets[hash & (uint)(_buckets.Length - 1)];
        while (index != 0 && (_entries[index].Hash != hash || !IsText(_entries[index].Text, utf8)))
            index = _entries[index].Next;
        if (index == 0)
            index = Add(utf8, hash);
        if ((uint)last < (uint)_count && last != 0)
            _entries[last].Successor = index;
        last = index;
        return _entries[index].Text;
    }

    private int Add(ReadOnlySpan<byte> utf8, uint hash)
    {
        if (_count == MaxEntries)
        {
            Array.Clear(_buckets);
            Array.Clear(_entries);
            _count = 1;
        }
        else if (_count == _entries.Length)
        {
            Array.Resize(ref _entries, _count * 2);
            _buckets = new int[BitOperations.RoundUpToPowerOf2((uint)_count * 2)];
            for (int i = 1; i < _count; i++)
                Link(i);
        }

        int index = _count++;
        _entries[index] = new Entry { Text = Encoding.UTF8.GetString(utf8), Hash = hash };
        Link(index);
        return index;
    }

    private void Link(int index)
    {
        ref int bucket = ref _buckets[_entries[index].Hash & (uint)(_buckets.Length - 1)];
        _entries[index].Next = bucket;
        bucket = index;
    }

    /// <summary>Compares the text itself. Beyond ASCII the lengths differ, and the bytes must be decoded.</summary>
    private static bool IsText(string text, ReadOnlySpan<byte> utf8)
    {
        if (text.Length == utf8.Length)
            return Ascii.Equals(utf8, text);
        if (text.Length > utf8.Length || utf8.Length > MaxPooledLength || text.Length * 3 < utf8.Length)
            return false;
        Span<char> chars = stackalloc char[MaxPooledLength];
        int length = Encoding.UTF8.GetChars(utf8, chars);
        return chars[..length].SequenceEqual(text);
    }
}
