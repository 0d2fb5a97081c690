using System.Buffers;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Text;

namespace Fal.Observability.Client.Prometheus;

/// <summary>
/// Turns equal texts into one string. An exposition repeats its label values thousands of times, usually in the same order. The pool
/// therefore first tries the value that followed the last value when that value was read before.
/// </summary>
/// <param name="keepsHeads">Whether to keep the first bytes of each text, so that a text can be compared with a guess in one step.</param>
internal sealed class Utf8StringPool(bool keepsHeads)
{
    /// <summary>
    /// The number of strings at which the pool starts again, because an endless stream of new values must not fill the memory.
    /// </summary>
    private const int MaxEntries = 1 << 16;

    /// <summary>The length, in bytes, up to which texts are pooled. Longer texts rarely repeat.</summary>
    private const int MaxPooledLength = 256;

    private const int FirstCapacity = 256;

    // Rented, because a pool lives only for one parse, and its tables would be most of the allocations of a small parse.
    private int[] _buckets = RentBuckets(FirstCapacity);
    private Entry[] _entries = ArrayPool<Entry>.Shared.Rent(FirstCapacity); // Always returned empty.
    private int _bucketMask = FirstCapacity - 1;
    private int _count = 1; // Entry 0 means none.

    private struct Entry
    {
        /// <summary>The first bytes of the text. A short text is compared in one step, without decoding.</summary>
        public Vector256<byte> Head;
        public int Utf8Length;
        public int Successor;
        public string Text;
        public SampleShape? Shape;
        public uint Hash;
        public int Next;
    }

    /// <summary>Returns the rented tables. Existing strings stay valid, but no more can be created.</summary>
    public void ReturnTables()
    {
        ArrayPool<int>.Shared.Return(_buckets);
        ReturnEntries(_entries);
        (_buckets, _entries, _count) = ([], [], 0);
    }

    private static int[] RentBuckets(int length)
    {
        int[] rented = ArrayPool<int>.Shared.Rent(length);
        Array.Clear(rented);
        return rented;
    }

    private void ReturnEntries(Entry[] entries)
    {
        Array.Clear(entries, 0, _count);
        ArrayPool<Entry>.Shared.Return(entries);
    }

    /// <summary>Returns the string of a metric name, and the index under which its first shape is kept.</summary>
    public string GetName(ReadOnlySpan<byte> utf8, out int index)
    {
        index = 0;
        return Find(utf8, ref index);
    }

    /// <summary>The first shape that is kept with a name. Index 0 keeps none.</summary>
    public ref SampleShape? ShapeOf(int index) => ref _entries[index].Shape;

    /// <summary>Whether <paramref name="index"/> still belongs to a text.</summary>
    public bool IsAt(int index, string text) => index < _count && ReferenceEquals(_entries[index].Text, text);

    /// <summary>Returns the string for <paramref name="utf8"/>.</summary>
    /// <param name="utf8">Valid UTF-8.</param>
    /// <param name="last">
    /// The entry of the last text in the same role, for instance the last value of the same label. Start with 0.
    /// </param>
    /// <param name="isPadded">Whether at least the 32 bytes of a <see cref="Vector256"/> can be read from the start of the text.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public string Get(ReadOnlySpan<byte> utf8, ref int last, bool isPadded = false)
    {
        int length = utf8.Length;
        if (isPadded && (uint)(length - 1) < (uint)Vector256<byte>.Count && (uint)last < (uint)_count)
        {
            Vector256<byte> head = Vector256.LoadUnsafe(ref MemoryMarshal.GetReference(utf8));
            ref Entry entry = ref _entries[last];
            if (entry.Utf8Length == length && IsHead(entry.Head, head, length))
            {
                return entry.Text;
            }

            int successor = entry.Successor;
            entry = ref _entries[successor];
            if (entry.Utf8Length == length && IsHead(entry.Head, head, length))
            {
                last = successor;
                return entry.Text;
            }
        }

        return Find(utf8, ref last);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool IsHead(Vector256<byte> left, Vector256<byte> right, int length) =>
        ~Vector256.Equals(left, right).ExtractMostSignificantBits() << (Vector256<byte>.Count - length) == 0;

    private string Find(ReadOnlySpan<byte> utf8, ref int last)
    {
        if (utf8.Length > MaxPooledLength)
        {
            return PrometheusEscaping.ToText(utf8);
        }

        uint hash = Utf8Hash.Compute(utf8);
        int index = _buckets[hash & (uint)_bucketMask];
        while (index != 0 && (_entries[index].Hash != hash || !IsText(_entries[index].Text, utf8)))
        {
            index = _entries[index].Next;
        }

        if (index == 0)
        {
            index = Add(utf8, hash);
        }

        if ((uint)last < (uint)_count && last != 0)
        {
            _entries[last].Successor = index;
        }

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
            Entry[] smaller = _entries;
            _entries = ArrayPool<Entry>.Shared.Rent(_count * 2);
            smaller.CopyTo(_entries, 0);
            ReturnEntries(smaller);
            ArrayPool<int>.Shared.Return(_buckets);
            _bucketMask = (int)BitOperations.RoundUpToPowerOf2((uint)_count * 2) - 1;
            _buckets = RentBuckets(_bucketMask + 1);
            for (int i = 1; i < _count; i++)
            {
                Link(i);
            }
        }

        int index = _count++;
        _entries[index] = new Entry { Text = PrometheusEscaping.ToText(utf8), Hash = hash, Utf8Length = utf8.Length };
        if (keepsHeads)
        {
            Span<byte> head = stackalloc byte[Vector256<byte>.Count];
            head.Clear();
            utf8[..Math.Min(utf8.Length, head.Length)].CopyTo(head);
            _entries[index].Head = Vector256.Create<byte>(head);
        }

        Link(index);
        return index;
    }

    private void Link(int index)
    {
        ref int bucket = ref _buckets[_entries[index].Hash & (uint)_bucketMask];
        _entries[index].Next = bucket;
        bucket = index;
    }

    /// <summary>Compares the whole text. If it is not ASCII, the lengths differ and the bytes must be decoded.</summary>
    private static bool IsText(string text, ReadOnlySpan<byte> utf8)
    {
        if (text.Length == utf8.Length)
        {
            return Ascii.Equals(utf8, text);
        }

        if (text.Length > utf8.Length || utf8.Length > MaxPooledLength || text.Length * 3 < utf8.Length)
        {
            return false;
        }

        Span<char> chars = stackalloc char[MaxPooledLength];
        int length = Encoding.UTF8.GetChars(utf8, chars);
        return chars[..length].SequenceEqual(text);
    }
}
