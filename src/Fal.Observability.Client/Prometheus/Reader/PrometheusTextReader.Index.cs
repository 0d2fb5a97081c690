using System.Diagnostics.CodeAnalysis;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Text.Unicode;

namespace Fal.Observability.Client.Prometheus;

/// <content>
/// <para>The fast part of the reader, in two stages.</para>
/// <para>
/// Stage one searches a chunk of the buffer for three characters: the quote, the line feed and the backslash. It searches a block
/// of 64 bytes at a time. The list of the positions found is the index. Spaces, braces and commas are not in the index, because
/// stage two finds them from the positions of the quotes.
/// </para>
/// <para>
/// Stage two goes through the index. It reads lines of the form <c>name{label="value",label="value"} number</c>. In such a line,
/// the entry after an opening quote is the closing quote, and the text from there to the next opening quote is <c>,label=</c>. If
/// all names of a line equal those of the last such line byte for byte, they are valid and distinct, and need no check.
/// </para>
/// <para>
/// The fast part also reads samples without labels, and HELP and TYPE lines. All other lines are left to the grammar in
/// PrometheusTextReader.Lines.cs, which reads a line from its start. The fast part never decides that a line is malformed. On a
/// machine without vectors there is no index, and the grammar reads all lines.
/// </para>
/// <para>
/// Bounds are checked once per chunk instead of at each step. Within a line, stage two goes from entry to entry and stops at the first
/// line feed. The index ends with a line feed, so stage two never passes the last one. At least one block follows that line feed, so
/// whole vectors can be read from any position before it.
/// </para>
/// </content>
public ref partial struct PrometheusTextReader
{
    private const int BlockLength = 64;
    private const int ChunkLength = 16 * 1024;
    private const int IndexCapacity = 2048;

    /// <summary>The names of up to this many labels of the last indexed sample are remembered.</summary>
    private const int KnownSeparators = 16;

    /// <summary>
    /// If a line has at most this many labels, each pair of names is compared to find a duplicate. More labels need a hash table.
    /// </summary>
    private const int FewLabels = 8;

    /// <summary>
    /// The number of bytes that the grammar has yet to read in this process before the index is used. For a small input, compiling the
    /// index code takes longer than the index saves. Threads count down without a lock, because no result depends on the count.
    /// </summary>
    private static int _bytesToReadCold = ChunkLength;

    [UnscopedRef]
    private readonly ReadOnlySpan<ushort> IndexEntries => _index;

    /// <summary>
    /// Whether each value is the text between two quotes of the index, without escapes. A whole block of bytes can then be read from the
    /// start of each value.
    /// </summary>
    internal readonly bool HasPlainValues => _labelsCursor >= 0 && _cursor - _labelsCursor == 2 * _labelCount + 1;

    [UnscopedRef]
    private readonly ref ushort FirstIndexEntry => ref Unsafe.As<IndexArray, ushort>(ref Unsafe.AsRef(in _index));

    /// <summary>Returns a value of a sample for which <see cref="HasPlainValues"/> is true.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal readonly ReadOnlySpan<byte> PlainValue(int ordinal)
    {
        ref ushort open = ref Unsafe.Add(ref FirstIndexEntry, _labelsCursor + 2 * ordinal);
        return MemoryMarshal.CreateReadOnlySpan(
            ref Unsafe.Add(ref MemoryMarshal.GetReference(_data), _indexBase + open + 1), Unsafe.Add(ref open, 1) - open - 1);
    }

    /// <summary>
    /// True if this sample is known to have the shape of the previous sample in this buffer: its metric name and its label names. If
    /// false, the shapes may still be equal.
    /// </summary>
    internal readonly bool HasSameShape => _sameShape;

    /// <summary>
    /// Whether <paramref name="length"/> bytes are equal at two positions. Whole blocks are compared, so the last block must be readable
    /// to its end at both positions. The bits beyond the length are shifted out of the result.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool StartsLike(ref byte left, ref byte right, int length)
    {
        while (true)
        {
            ulong differences = ~EqualBytes(ref left, ref right);
            if (length <= BlockLength)
            {
                return differences << (BlockLength - length) == 0;
            }

            if (differences != 0)
            {
                return false;
            }

            left = ref Unsafe.Add(ref left, BlockLength);
            right = ref Unsafe.Add(ref right, BlockLength);
            length -= BlockLength;
        }
    }

    /// <summary>Compares two blocks of 64 bytes. A bit of the result is set if its byte is equal in both.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong EqualBytes(ref byte left, ref byte right)
    {
        if (Vector512.IsHardwareAccelerated)
        {
            return Vector512.Equals(Vector512.LoadUnsafe(ref left), Vector512.LoadUnsafe(ref right)).ExtractMostSignificantBits();
        }

        return Half(ref left, ref right) | ((ulong)Half(ref Unsafe.Add(ref left, 32), ref Unsafe.Add(ref right, 32)) << 32);

        static uint Half(ref byte left, ref byte right) =>
            Vector256.Equals(Vector256.LoadUnsafe(ref left), Vector256.LoadUnsafe(ref right)).ExtractMostSignificantBits();
    }

    /// <summary>Stage one: builds the index, starting at the next line.</summary>
    /// <returns>False if no complete line can be indexed. The grammar must then read the next line.</returns>
    private bool BuildIndex()
    {
        _indexCount = _cursor = 0;
        // Leave one block after the indexed bytes, so that a whole vector can be read from any position in them.
        int length = Math.Min(_data.Length - _position - BlockLength, ChunkLength);
        if (!Vector128.IsHardwareAccelerated || length < BlockLength)
        {
            return false;
        }

        _indexBase = _position;
        ref byte data = ref Unsafe.Add(ref MemoryMarshal.GetReference(_data), _position);
        Span<ushort> index = _index;
        ref ushort entries = ref MemoryMarshal.GetReference(index);
        int count = 0;
        ulong beyondAscii = 0;
        // The index needs room for the entries of one more block, and for the surplus entries that the inner loop writes.
        for (int offset = 0; offset + BlockLength <= length && count <= IndexCapacity - 2 * BlockLength; offset += BlockLength)
        {
            ulong mask = MaskOf(ref Unsafe.Add(ref data, offset), ref beyondAscii);
            int found = BitOperations.PopCount(mask);
            ref ushort entry = ref Unsafe.Add(ref entries, count);
            count += found;
            // Write eight entries at a time, even if there are fewer. The surplus costs less than a mispredicted branch, and the next block
            // overwrites it.
            do
            {
                for (int n = 0; n < 8; n++)
                {
                    Unsafe.Add(ref entry, n) = (ushort)(offset + BitOperations.TrailingZeroCount(mask));
                    mask &= mask - 1;
                }

                entry = ref Unsafe.Add(ref entry, 8);
            }
            while (mask != 0);
        }

        while (count > 0 && Unsafe.Add(ref data, Unsafe.Add(ref entries, count - 1)) != '\n')
        {
            count--;
        }

        _indexCount = count;
        _chunkIsAscii = beyondAscii == 0;
        return count > 0;
    }

    /// <summary>A mask with one bit for each quote, line feed or backslash in the block.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong MaskOf(ref byte block, ref ulong beyondAscii)
    {
        if (Vector512.IsHardwareAccelerated)
        {
            Vector512<byte> v = Vector512.LoadUnsafe(ref block);
            beyondAscii |= v.ExtractMostSignificantBits();
            return (Vector512.Equals(v, Vector512.Create((byte)'"')) | Vector512.Equals(v, Vector512.Create((byte)'\n'))
                | Vector512.Equals(v, Vector512.Create((byte)'\\'))).ExtractMostSignificantBits();
        }

        if (Vector256.IsHardwareAccelerated)
        {
            return MaskOfHalf(ref block, ref beyondAscii) | ((ulong)MaskOfHalf(ref Unsafe.Add(ref block, 32), ref beyondAscii) << 32);
        }

        return MaskOfQuarter(ref block, ref beyondAscii)
            | ((ulong)MaskOfQuarter(ref Unsafe.Add(ref block, 16), ref beyondAscii) << 16)
            | ((ulong)MaskOfQuarter(ref Unsafe.Add(ref block, 32), ref beyondAscii) << 32)
            | ((ulong)MaskOfQuarter(ref Unsafe.Add(ref block, 48), ref beyondAscii) << 48);

        static uint MaskOfHalf(ref byte half, ref ulong beyondAscii)
        {
            Vector256<byte> v = Vector256.LoadUnsafe(ref half);
            beyondAscii |= v.ExtractMostSignificantBits();
            return (Vector256.Equals(v, Vector256.Create((byte)'"')) | Vector256.Equals(v, Vector256.Create((byte)'\n'))
                | Vector256.Equals(v, Vector256.Create((byte)'\\'))).ExtractMostSignificantBits();
        }

        static uint MaskOfQuarter(ref byte quarter, ref ulong beyondAscii)
        {
            Vector128<byte> v = Vector128.LoadUnsafe(ref quarter);
            beyondAscii |= v.ExtractMostSignificantBits();
            return (Vector128.Equals(v, Vector128.Create((byte)'"')) | Vector128.Equals(v, Vector128.Create((byte)'\n'))
                | Vector128.Equals(v, Vector128.Create((byte)'\\'))).ExtractMostSignificantBits();
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private readonly int NextIndexedNewline()
    {
        int cursor = _cursor;
        int place;
        do
        {
            place = _indexBase + IndexEntries[cursor++];
        }
        while (_data[place] != '\n');
        return place;
    }

    /// <summary>
    /// Stage two for a line with the names of the last indexed sample. It compares the text before and between the values, including the
    /// quotes, with the remembered text. After the last value, only <c>"} </c> and the number are left to check.
    /// </summary>
    /// <returns>False if the line does not have the usual form. The reader then stays at the line.</returns>
    private bool TryReadIndexedLine()
    {
        ref byte data = ref MemoryMarshal.GetReference(_data);
        ref ushort index = ref Unsafe.Add(ref Unsafe.As<IndexArray, ushort>(ref _index), _cursor);
        int line = _position;
        if (Unsafe.Add(ref data, line) == '#')
        {
            return TryReadIndexedComment(_cursor);
        }

        int prefixLength = _knownPrefixLength;
        if (prefixLength <= 0)
        {
            return _untriedLines == 0 && TryReadIndexedLineAnew();
        }

        if (!StartsLike(ref Unsafe.Add(ref data, line), ref Unsafe.Add(ref data, _knownPrefixStart), prefixLength))
        {
            return TryReadIndexedLineAnew();
        }

        int labels = _knownLabelCount;
        int close = _indexBase + Unsafe.Add(ref index, 1);
        int ordinal = 1;
        for (; ordinal < labels; ordinal++)
        {
            Part known = _knownSeparators[ordinal];
            if (!StartsLike(ref Unsafe.Add(ref data, close), ref Unsafe.Add(ref data, known.Start), known.Length))
            {
                return TryReadIndexedLineAnew();
            }

            close = _indexBase + Unsafe.Add(ref index, ordinal * 2 + 1);
        }

        const uint end = '"' | ('}' << 8) | (' ' << 16);
        uint after = Unsafe.ReadUnaligned<uint>(ref Unsafe.Add(ref data, close));
        int newline = _indexBase + Unsafe.Add(ref index, ordinal * 2);
        if ((after & 0xFFFFFF) != end || Unsafe.Add(ref data, newline) != '\n' || !FinishIndexedSample(line, close + 3, newline))
        {
            return TryReadIndexedLineAnew();
        }

        _sameShape = !_otherShapeBetween;
        _otherShapeBetween = false;
        (_nameStart, _nameLength) = (line, _knownPrefixNameLength);
        _labelsStart = line + _knownPrefixNameLength + 1;
        _labelsCursor = _cursor;
        _labelCount = labels;
        _cursor += ordinal * 2 + 1;
        return true;
    }

    /// <summary>Stage two for a line with other names, which it checks and remembers.</summary>
    /// <returns>False if the line does not have the usual form. The reader then stays at the line.</returns>
    private bool TryReadIndexedLineAnew()
    {
        ref byte data = ref MemoryMarshal.GetReference(_data);
        ref ushort index = ref Unsafe.As<IndexArray, ushort>(ref _index);
        int line = _position;
        int cursor = _cursor;
        int place = _indexBase + Unsafe.Add(ref index, cursor);
        if (Unsafe.Add(ref data, place) != '"')
        {
            return TryReadIndexedBareSample(place);
        }

        // Up to the first quote: name{label=
        bool sameShape = place + 1 - line == _knownPrefixLength && AreEqual(ref data, line, _knownPrefixStart, place - line);
        if (!sameShape && !CheckPrefix(line, place))
        {
            return false;
        }

        int labels = 0;
        while (true)
        {
            place = _indexBase + Unsafe.Add(ref index, ++cursor);
            while (Unsafe.Add(ref data, place) == '\\')
            {
                int escaped = _indexBase + Unsafe.Add(ref index, ++cursor);
                // A quote or backslash directly after this backslash is escaped. A line feed never is.
                if (escaped == place + 1 && Unsafe.Add(ref data, escaped) != '\n')
                {
                    escaped = _indexBase + Unsafe.Add(ref index, ++cursor);
                }

                place = escaped;
            }

            if (Unsafe.Add(ref data, place) != '"')
            {
                return Forget();
            }

            byte after = Unsafe.Add(ref data, place + 1);
            labels++;
            if (after != ',')
            {
                if (after != '}')
                {
                    return Forget();
                }

                break;
            }

            // From the closing quote to the next opening one: ",label="
            int close = place;
            place = _indexBase + Unsafe.Add(ref index, ++cursor);
            if (Unsafe.Add(ref data, place) != '"')
            {
                return Forget();
            }

            if (!IsKnownSeparator(ref data, close, place + 1 - close, labels))
            {
                if (!CheckSeparator(close, place, labels))
                {
                    return Forget();
                }

                sameShape = false;
            }
        }

        int newline = _indexBase + Unsafe.Add(ref index, ++cursor);
        if (Unsafe.Add(ref data, newline) != '\n' || Unsafe.Add(ref data, place + 2) != ' ' || labels > _options.MaxLabels)
        {
            return Forget();
        }

        if (labels != _knownLabelCount || !sameShape)
        {
            sameShape = false;
            int duplicate = 0;
            if (labels > 1 && CheckDistinctNames(
                new PrometheusLabelEnumerator(_data, in IndexEntries[_cursor], _indexBase, line + _knownPrefixNameLength + 1, labels),
                place + 1 - line, labels, ref duplicate) != LineFault.None)
            {
                return Forget();
            }
        }

        _knownLabelCount = labels;
        if (!FinishIndexedSample(line, place + 3, newline))
        {
            return Forget();
        }

        if (labels > KnownSeparators)
        {
            Forget();
        }

        _oddRun = 0;
        _sameShape = sameShape && !_otherShapeBetween;
        _otherShapeBetween = false;
        (_nameStart, _nameLength) = (line, _knownPrefixNameLength);
        _labelsStart = line + _knownPrefixNameLength + 1;
        _labelsCursor = _cursor;
        _labelCount = labels;
        _cursor = cursor + 1;
        return true;
    }

    /// <summary>Reads a sample without labels: <c>name number</c>.</summary>
    private bool TryReadIndexedBareSample(int newline)
    {
        // A line whose first entry is a backslash does not have the usual form.
        if (_data[newline] != '\n')
        {
            return false;
        }

        int line = _position;
        int length = KnownNameLength(line, newline);
        if (length == 0 || _data[line + length] != ' ' || !FinishIndexedSample(line, line + length + 1, newline))
        {
            return false;
        }

        _oddRun = 0;
        _otherShapeBetween = true;
        _sameShape = false;
        (_nameStart, _nameLength, _labelCount) = (line, length, 0);
        _cursor++;
        return true;
    }

    private bool TryReadIndexedComment(int cursor)
    {
        while (_data[_indexBase + IndexEntries[cursor]] != '\n')
        {
            cursor++;
        }

        int line = _position;
        int newline = _indexBase + IndexEntries[cursor];
        int indexed = _indexCount;
        if (newline - line > _maxLineLength || _data[newline - 1] == '\r'
            || (!TryReadMetadata(line, newline) && ReadLine(line, newline, out _) != LineFault.None))
        {
            return false;
        }

        _lineStart = line;
        _lineEnd = newline;
        _position = newline + 1;
        _linesRead++;
        if (_indexCount == indexed)
        {
            _cursor = cursor + 1;
        }

        return true;
    }

    /// <summary>Reads a HELP or TYPE line with single spaces, the usual form in both formats.</summary>
    private bool TryReadMetadata(int line, int newline)
    {
        const ulong sevenBytes = 0x00FFFFFF_FFFFFFFF;
        const ulong help = 0x20_50_4C_45_48_20_23; // "# HELP ", little-endian.
        const ulong type = 0x20_45_50_59_54_20_23; // "# TYPE "
        ulong head = Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref MemoryMarshal.GetReference(_data), line)) & sevenBytes;
        bool isHelp = head == help;
        bool isType = head == type;
        if (!_chunkIsAscii || !(isHelp || isType))
        {
            return false;
        }

        int name = line + 7;
        int length = KnownNameLength(name, newline);
        int text = name + length + 1;
        if (length == 0 || text > newline || _data[text - 1] != ' ' || _data[text] is (byte)' ' or (byte)'\t')
        {
            return false;
        }

        if (isHelp)
        {
            _tokenType = PrometheusTokenType.Help;
            (_textStart, _textLength) = (text, newline - text);
        }
        else if (ReadType(ref text, newline) != LineFault.None)
        {
            return false;
        }

        _nameIsEscaped = false;
        (_nameStart, _nameLength) = (name, length);
        return true;
    }

    /// <summary>
    /// The length of the unquoted metric name at a position; 0 if there is none. Consecutive lines usually have the same name, so the
    /// last name is tried first.
    /// </summary>
    private int KnownNameLength(int place, int end)
    {
        ref byte data = ref MemoryMarshal.GetReference(_data);
        int length = _knownNameLength;
        if (length > 0 && place + length < end
            && StartsLike(ref Unsafe.Add(ref data, place), ref Unsafe.Add(ref data, _knownNameStart), length)
            && _data[place + length] is (byte)' ' or (byte)'{')
        {
            return length;
        }

        _knownNameStart = place;
        _knownNameLength = PrometheusName.MetricNameLength(_data[place..end]);
        return _knownNameLength;
    }

    /// <summary>Reads the numbers, checks the length and the UTF-8 of the line, and sets the bounds of the token.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool FinishIndexedSample(int line, int number, int newline)
    {
        _hasTimestamp = false;
        _numberStart = number;
        int end = newline;
        _timestamp = 0;
        if (!TryReadShortInteger(ref MemoryMarshal.GetReference(_data), number, end, out _value) && !TryReadLongerNumbers(number, ref end))
        {
            return false;
        }

        if (newline - line > _maxLineLength || (!_chunkIsAscii && !Utf8.IsValid(_data[line..newline])))
        {
            return false;
        }

        _tokenType = PrometheusTokenType.Sample;
        _nameIsEscaped = false;
        _hasExemplar = false;
        _lineStart = line;
        _lineEnd = end;
        _position = newline + 1;
        _linesRead++;
        return true;
    }

    /// <summary>Reads any value and timestamp. If a carriage return was already reported, ignores one at the end of this line.</summary>
    private bool TryReadLongerNumbers(int start, ref int end)
    {
        if (_data[end - 1] == '\r')
        {
            if ((_flags & ReaderFlags.CarriageReturnReported) == 0)
            {
                return false;
            }

            end--;
            if (TryReadShortInteger(ref MemoryMarshal.GetReference(_data), start, end, out _value))
            {
                return true;
            }
        }

        return TryReadNumbers(start, end);
    }

    /// <summary>Reads up to eight digits at the end of the line, all at once as one 64-bit word.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool TryReadShortInteger(ref byte data, int start, int end, out double value)
    {
        value = 0;
        int digits = end - start;
        if ((uint)(digits - 1) >= 8 || end < 8 || !BitConverter.IsLittleEndian)
        {
            return false;
        }

        ulong word = Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref data, end - 8));
        // The low bytes contain the text before the digits. Replace that text with leading zeros.
        int foreign = (8 - digits) * 8;
        word = ((word >> foreign) << foreign) | (0x3030303030303030 & ((1UL << foreign) - 1));
        ulong values = word - 0x3030303030303030;
        if ((((word + 0x4646464646464646) | values) & 0x8080808080808080) != 0)
        {
            return false;
        }

        value = PrometheusNumber.Join(values);
        return true;
    }

    /// <summary>Reads any value and, in the text format, an optional timestamp after a single space.</summary>
    private bool TryReadNumbers(int start, int end)
    {
        if (!TryReadNumbers(_data[start..end], out _value, out long? timestamp) || (timestamp is not null && _openMetrics))
        {
            return false;
        }

        _hasTimestamp = timestamp is not null;
        _timestamp = timestamp.GetValueOrDefault();
        return true;
    }

    /// <summary>Reads a value and an optional timestamp of the text format after a single space.</summary>
    internal static bool TryReadNumbers(ReadOnlySpan<byte> numbers, out double value, out long? timestamp)
    {
        timestamp = null;
        int blank = numbers.IndexOf((byte)' ');
        if (blank >= 0)
        {
            if (!PrometheusNumber.TryParseMilliseconds(numbers[(blank + 1)..], out long milliseconds))
            {
                value = 0;
                return false;
            }

            timestamp = milliseconds;
            numbers = numbers[..blank];
        }

        return PrometheusNumber.TryParseValue(numbers, out value);
    }

    /// <summary>Forgets the remembered names, because they are incomplete. Returns false, which leaves the line to the grammar.</summary>
    private bool Forget()
    {
        _knownPrefixLength = -1;
        return false;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool AreEqual(ref byte data, int first, int second, int length) =>
        MemoryMarshal.CreateReadOnlySpan(ref Unsafe.Add(ref data, first), length)
            .SequenceEqual(MemoryMarshal.CreateReadOnlySpan(ref Unsafe.Add(ref data, second), length));

    private bool IsKnownSeparator(ref byte data, int start, int length, int ordinal) =>
        ordinal < KnownSeparators && ordinal < _knownLabelCount && length == _knownSeparators[ordinal].Length
            && AreEqual(ref data, start, _knownSeparators[ordinal].Start, length);

    /// <summary>Checks <c>",label="</c>, or for the first label <c>{label="</c>, and remembers it.</summary>
    private bool CheckSeparator(int start, int quote, int ordinal)
    {
        int name = ordinal == 0 ? start + 1 : start + 2;
        int length = quote - 1 - name;
        if (length <= 0 || _data[quote - 1] != '=' || PrometheusName.LabelNameLength(_data[name..quote]) != length
            || _data.Slice(name, length).SequenceEqual(ReservedLabels.MetricNameUtf8))
        {
            return false;
        }

        if (ordinal < KnownSeparators)
        {
            _knownSeparators[ordinal] = new Part { Start = start, Length = quote + 1 - start };
        }

        return true;
    }

    /// <summary>Checks <c>name{label="</c> and remembers it.</summary>
    private bool CheckPrefix(int line, int quote)
    {
        _knownPrefixLength = -1;
        int length = KnownNameLength(line, quote);
        if (length == 0 || _data[line + length] != '{' || !CheckSeparator(line + length, quote, 0))
        {
            return false;
        }

        _knownPrefixNameLength = length;
        _knownPrefixStart = line;
        _knownPrefixLength = quote + 1 - line;
        _knownLabelCount = 0;
        return true;
    }

    /// <summary>A range of the buffer.</summary>
    private struct Part
    {
        public int Start;
        public int Length;
    }

    [InlineArray(FewLabels)]
    private struct NameArray
    {
        private Part _first;
    }

    [InlineArray(KnownSeparators)]
    private struct SeparatorArray
    {
        private Part _first;
    }

    [InlineArray(IndexCapacity)]
    private struct IndexArray
    {
        private ushort _first;
    }
}
