using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Text;

namespace Fal.Observability.Client.Prometheus;

/// <summary>
/// Reads Prometheus text (0.0.4) or OpenMetrics 1.0 line by line, forward only, from UTF-8. It allocates nothing, and
/// what it shows are parts of the caller's buffer, valid until the next <see cref="Read"/>.
/// </summary>
/// <remarks>
/// <para>
/// A whole input is read with <c>new PrometheusTextReader(utf8)</c>. Input that arrives in blocks is read with one reader
/// a block: when <see cref="Read"/> returns false, keep the bytes from <see cref="BytesConsumed"/> on, append what
/// arrives next, and go on with a new reader over both and <see cref="CurrentState"/>. A reader always makes progress on
/// a block that is longer than <see cref="PrometheusParserOptions.MaxLineLength"/>. What it reports does not depend on
/// where the input was cut.
/// </para>
/// <para>
/// The reader checks each line in full: names, labels, escapes, UTF-8, numbers. It knows no families: rules that span
/// lines are the business of <see cref="PrometheusTextParser"/>.
/// </para>
/// <para>The reader holds an index of some kilobytes on the stack: pass it by reference.</para>
/// </remarks>
public ref partial struct PrometheusTextReader
{
    private const int ShownLineBytes = 256;
    private const int MaxUntriedLines = 15;

    private readonly ReadOnlySpan<byte> _data;
    private readonly PrometheusParserOptions _options;
    private readonly bool _isFinalBlock;
    private readonly bool _openMetrics;
    private readonly int _maxLineLength;
    private readonly long _bytesBefore;

    private ReaderFlags _flags;
    private long _linesRead;

    /// <summary>Where the next line begins.</summary>
    private int _position;

    // The current token. Its line is [_lineStart, _lineEnd), without line feed.
    private PrometheusTokenType _tokenType;
    private int _lineStart;
    private int _lineEnd;
    private int _nameStart;
    private int _nameLength;
    private bool _nameIsEscaped;
    private int _labelCount;
    private int _labelsStart;
    private int _labelsCursor;
    private int _numberStart;
    private double _value;
    private bool _hasTimestamp;
    private long _timestamp;
    private Int128 _timestampNanoseconds;
    private int _textStart;
    private int _textLength;
    private PrometheusMetricType _metricType;
    private bool _hasExemplar;
    private int _exemplarStart;
    private int _exemplarLabelCount;
    private double _exemplarValue;
    private bool _exemplarHasTimestamp;
    private long _exemplarTimestamp;
    private LineFault _fault;
    private int _faultPosition;

    // The index of the chunk that begins at _indexBase, and the place on it where the next line begins.
    private IndexArray _index;
    private int _indexBase;
    private int _indexCount;
    private int _cursor;
    private bool _chunkIsAscii;

    // The last metric name that was checked, and what the last indexed sample line had before its first value, from the
    // line's start, and between its values.
    private int _knownNameStart;
    private int _knownNameLength;
    private int _knownPrefixStart;
    private int _knownPrefixLength;
    private int _knownPrefixNameLength;
    private SeparatorArray _knownSeparators;
    private int _knownLabelCount;
    private bool _sameShape;

    private NameArray _names; // The label names of the line that the grammar reads, while there are few.

    // How many lines are left to parse without the index, and how many lines in a row the index failed on, which sets the next such number.
    private int _untriedLines;
    private int _oddRun;
    private bool _otherShapeBetween; // A sample that is not what is remembered was read since.

    /// <summary>Begins to read a whole exposition.</summary>
    /// <param name="utf8">The exposition.</param>
    /// <param name="options">How to read. If null, <see cref="PrometheusParserOptions.Strict"/>.</param>
    public PrometheusTextReader(ReadOnlySpan<byte> utf8, PrometheusParserOptions? options = null)
        : this(utf8, isFinalBlock: true, new PrometheusReaderState(options))
    {
    }

    /// <summary>Begins to read the next block of an exposition.</summary>
    /// <param name="utf8">What the reader before left over, and what has arrived since.</param>
    /// <param name="isFinalBlock">Whether the exposition ends with this block.</param>
    /// <param name="state">Where the reader before stopped, or a new state at the beginning.</param>
    public PrometheusTextReader(ReadOnlySpan<byte> utf8, bool isFinalBlock, PrometheusReaderState state)
    {
        _data = utf8;
        _isFinalBlock = isFinalBlock;
        _options = state.Options ?? PrometheusParserOptions.Strict;
        _maxLineLength = _options.MaxLineLength;
        _linesRead = state.LinesRead;
        _bytesBefore = state.BytesRead;
        _flags = state.Flags;
        if (_bytesBefore == 0 && _options.Format == PrometheusFormat.Detect && isFinalBlock && EndsLikeOpenMetrics(utf8))
        {
            _flags |= ReaderFlags.OpenMetrics;
        }

        _openMetrics = _options.Format == PrometheusFormat.OpenMetrics || (_flags & ReaderFlags.OpenMetrics) != 0;
        _knownPrefixLength = -1;
    }

    /// <summary>What the last <see cref="Read"/> found.</summary>
    public readonly PrometheusTokenType TokenType => _tokenType;

    /// <summary>How many bytes of this block the lines read so far take up.</summary>
    public readonly int BytesConsumed => _position;

    /// <summary>What the next reader needs to go on where this one stopped.</summary>
    public readonly PrometheusReaderState CurrentState => new(_options, _linesRead, _bytesBefore + _position, _flags);

    /// <summary>The number of the current line; the first is 1.</summary>
    public readonly long LineNumber => _linesRead + (_tokenType == PrometheusTokenType.Malformed && _fault.IsRepairable() ? 1 : 0);

    /// <summary>Where the current line begins in the whole input, in bytes.</summary>
    public readonly long ByteOffset => _bytesBefore + _lineStart;

    /// <summary>The current line as it stands, without its line feed.</summary>
    public readonly ReadOnlySpan<byte> Line => _data[_lineStart.._lineEnd];

    /// <summary>
    /// The metric name of a sample, or of a HELP, TYPE or UNIT line, without quotes. Still escaped if
    /// <see cref="NameIsEscaped"/>. Empty for other tokens.
    /// </summary>
    public readonly ReadOnlySpan<byte> Name => _data.Slice(_nameStart, _nameLength);

    /// <summary>Whether <see cref="Name"/> contains a backslash. Only a quoted name can.</summary>
    public readonly bool NameIsEscaped => _nameIsEscaped;

    /// <summary>The number of labels of the sample.</summary>
    public readonly int LabelCount => _tokenType == PrometheusTokenType.Sample ? _labelCount : 0;

    /// <summary>The labels of the sample, in the order in which they stand. The enumeration ends with the next <see cref="Read"/>.</summary>
    [UnscopedRef]
    public readonly PrometheusLabelEnumerator Labels
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => new(_data, ref _labelsCursor < 0 ? ref Unsafe.NullRef<ushort>() : ref Unsafe.Add(ref FirstIndexEntry, _labelsCursor), _indexBase, _labelsStart, LabelCount);
    }

    /// <summary>The value of the sample; at another token it says nothing. NaN has the bits 0x7ff8000000000001, as Prometheus stores it.</summary>
    public readonly double Value => _value;

    /// <summary>Whether the sample has a timestamp.</summary>
    public readonly bool HasTimestamp => _hasTimestamp && _tokenType == PrometheusTokenType.Sample;

    /// <summary>
    /// The timestamp of the sample in milliseconds since the Unix epoch; 0 without one. OpenMetrics writes seconds, which
    /// are cut to milliseconds, and limited to the range of this type.
    /// </summary>
    public readonly long TimestampMilliseconds => HasTimestamp ? _timestamp : 0;

    /// <summary>The timestamp as a <see cref="PrometheusSample"/> holds it.</summary>
    internal readonly long SampleTimestamp => _hasTimestamp ? PrometheusSample.HeldTimestamp(_timestamp) : PrometheusSample.NoTimestamp;

    /// <summary>The line of a sample up to its value: the bytes that name the series.</summary>
    internal readonly ReadOnlySpan<byte> SeriesBytes => _data[_lineStart.._numberStart];

    /// <summary>The current line with its line feed, if it has one.</summary>
    internal readonly ReadOnlySpan<byte> LineWithFeed => _data[_lineStart.._position];

    /// <summary>The timestamp of an OpenMetrics sample at the resolution that the rules of its families compare.</summary>
    internal readonly Int128 TimestampNanoseconds => _timestampNanoseconds;

    /// <summary>Whether the sample has an exemplar (OpenMetrics only).</summary>
    public readonly bool HasExemplar => _hasExemplar && _tokenType == PrometheusTokenType.Sample;

    /// <summary>The number of labels of the exemplar.</summary>
    public readonly int ExemplarLabelCount => HasExemplar ? _exemplarLabelCount : 0;

    /// <summary>The labels of the exemplar, in the order in which they stand.</summary>
    public readonly PrometheusLabelEnumerator ExemplarLabels =>
        ExemplarLabelCount == 0 ? default : new PrometheusLabelEnumerator(_data, _exemplarStart, _exemplarLabelCount);

    /// <summary>The value of the exemplar; 0 without one.</summary>
    public readonly double ExemplarValue => HasExemplar ? _exemplarValue : 0;

    /// <summary>Whether the exemplar has a timestamp.</summary>
    public readonly bool ExemplarHasTimestamp => HasExemplar && _exemplarHasTimestamp;

    /// <summary>The timestamp of the exemplar in milliseconds since the Unix epoch; 0 without one.</summary>
    public readonly long ExemplarTimestampMilliseconds => ExemplarHasTimestamp ? _exemplarTimestamp : 0;

    /// <summary>The type that a TYPE line declares.</summary>
    public readonly PrometheusMetricType MetricType => _metricType;

    /// <summary>
    /// The text of a HELP, UNIT or comment line, or the word of a TYPE line, as it stands; a HELP text may hold escapes.
    /// Empty for other tokens.
    /// </summary>
    public readonly ReadOnlySpan<byte> Text =>
        _tokenType is PrometheusTokenType.Help or PrometheusTokenType.Type or PrometheusTokenType.Unit or PrometheusTokenType.Comment
            ? _data.Slice(_textStart, _textLength)
            : default;

    /// <summary>The metric name, unescaped, as a new string.</summary>
    /// <returns>The name.</returns>
    public readonly string GetName() =>
        _nameIsEscaped ? PrometheusEscaping.UnescapeToString(Name, quotes: true) : Encoding.UTF8.GetString(Name);

    /// <summary>The text of a HELP, UNIT or comment line as a new string, the escapes of a HELP text resolved.</summary>
    /// <returns>The text.</returns>
    public readonly string GetText() => _tokenType == PrometheusTokenType.Help
        ? PrometheusEscaping.UnescapeToString(Text, quotes: _openMetrics)
        : Encoding.UTF8.GetString(Text);

    /// <summary>What is wrong with the line of a <see cref="PrometheusTokenType.Malformed"/> token.</summary>
    /// <returns>The line, the place and the reason.</returns>
    /// <exception cref="InvalidOperationException">The token is another one.</exception>
    public readonly PrometheusSkippedLine GetSkippedLine()
    {
        if (_tokenType != PrometheusTokenType.Malformed)
        {
            throw new InvalidOperationException("The current token is not a malformed line. Check TokenType before this call.");
        }

        return new PrometheusSkippedLine(LineNumber, Column(_faultPosition), _bytesBefore + _faultPosition,
            _fault.Describe(ByteAt(_faultPosition)), Show(_lineStart, _lineEnd))
        {
            WasKept = _fault.IsRepairable(),
        };
    }

    /// <summary>Describes the current line for a rule that it breaks beyond itself.</summary>
    internal readonly PrometheusSkippedLine DescribeLine(string reason, bool wasKept)
    {
        int position = _tokenType == PrometheusTokenType.Sample || _nameLength > 0 ? Math.Max(_nameStart, _lineStart) : _lineStart;
        return new PrometheusSkippedLine(_linesRead, Column(position), _bytesBefore + position, reason, Show(_lineStart, _lineEnd)) { WasKept = wasKept };
    }

    /// <summary>Whether the input is read as OpenMetrics.</summary>
    internal readonly bool IsOpenMetrics => _openMetrics;

    /// <summary>Whether <see cref="GetSkippedLine"/> would report a line that was left out.</summary>
    internal readonly bool LineWasLost => !_fault.IsRepairable();

    /// <summary>Whether a <see cref="PrometheusTokenType.Malformed"/> token says that the exposition ended without <c># EOF</c>.</summary>
    internal readonly bool LacksEnd => _fault == LineFault.MissingEnd;

    /// <summary>Reads the next line that says something; blank lines are passed over.</summary>
    /// <returns>
    /// False at the end of the input, or when the block holds no further whole line and is not the last one.
    /// </returns>
    /// <exception cref="PrometheusFormatException">
    /// The line breaks the format and the options do not skip such lines. The reader stays where it is.
    /// </exception>
    public bool Read() => (_cursor < _indexCount && TryReadIndexedLine()) || ReadAnyLine();

    private bool ReadAnyLine()
    {
        // Where an index exists, Read has tried the line with it: then this one is odd, and its end is known.
        while (_cursor < _indexCount)
        {
            if (_data[_position] == '\n' && !_openMetrics)
            {
                PassBlankLines();
            }
            else if (NextIndexedNewline() is var newline && ReadByGrammar(newline, newline + 1))
            {
                return true;
            }

            if (_cursor < _indexCount && TryReadIndexedLine())
            {
                return true;
            }
        }

        return ReadUnindexedLine();
    }

    /// <summary>Reads a line for which there is no index: builds one, or goes on without where none can be.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool ReadUnindexedLine()
    {
        while (true)
        {
            if ((_flags & (ReaderFlags.Started | ReaderFlags.DroppingLine | ReaderFlags.EndSeen)) != ReaderFlags.Started && !PrepareToRead(out bool isToken))
            {
                return isToken;
            }

            if (!_openMetrics && _position < _data.Length && _data[_position] == '\n')
            {
                PassBlankLines();
            }

            if (BuildIndex())
            {
                return TryReadIndexedLine() || ReadAnyLine();
            }

            int newline = _data[_position..].IndexOf((byte)'\n');
            if (newline < 0 && !_isFinalBlock)
            {
                if (_data.Length - _position <= _maxLineLength)
                {
                    return EndOfBlock();
                }

                int limit = _position + _maxLineLength;
                bool refused = Refuse(LineFault.LineTooLong, _position, limit, _data.Length, limit);
                _flags |= ReaderFlags.DroppingLine;
                return refused;
            }

            if (_position == _data.Length)
            {
                return ReadEnd();
            }

            if (newline < 0 ? ReadByGrammar(_data.Length, _data.Length) : ReadByGrammar(_position + newline, _position + newline + 1))
            {
                return true;
            }
        }
    }

    /// <summary>Reads the next line, whose bounds are known, by the grammar.</summary>
    /// <returns>False for a blank line, which says nothing.</returns>
    private bool ReadByGrammar(int end, int next)
    {
        int start = _position;
        bool hasFeed = next > end;
        bool isTooLong = end - start > _maxLineLength;
        if (end > start && _data[end - 1] == '\r' && !isTooLong)
        {
            if ((_flags & ReaderFlags.CarriageReturnReported) == 0)
            {
                // Reported before the line itself, which the next call reads.
                ReportFault(LineFault.CarriageReturnAtEnd, start, end, end - 1);
                _flags |= ReaderFlags.CarriageReturnReported;
                return true;
            }

            end--;
        }

        // Unusual lines come in runs: after each failed attempt, twice as many lines skip the index, at most MaxUntriedLines.
        _knownPrefixLength = -1;
        if (--_untriedLines < 0)
        {
            _oddRun = Math.Min(2 * _oddRun + 1, MaxUntriedLines);
            _untriedLines = _oddRun;
        }

        LineFault fault;
        int faultPosition;
        if (isTooLong)
        {
            // Of a line that comes in blocks nothing beyond the limit may be there.
            fault = LineFault.LineTooLong;
            end = faultPosition = start + _maxLineLength;
        }
        else
        {
            fault = ReadLine(start, end, out faultPosition);
            if (_openMetrics && !hasFeed && (fault.IsRepairable() || (fault == LineFault.None && _tokenType != PrometheusTokenType.EndOfExposition)))
            {
                // Nothing tells a line that is complete from one that was cut within a value.
                (fault, faultPosition) = (LineFault.CutOff, end);
            }
        }

        if (fault.IsRepairable())
        {
            // Reported before the sample itself, which the next call reads without its exemplar.
            ReportFault(fault, start, end, faultPosition);
            _flags |= ReaderFlags.ExemplarReported;
            return true;
        }

        if (fault != LineFault.None)
        {
            return Refuse(fault, start, end, next, faultPosition);
        }

        _lineStart = start;
        _lineEnd = end;
        _linesRead++;
        MoveTo(next);
        return _tokenType != PrometheusTokenType.None;
    }

    private void PassBlankLines()
    {
        int position = _position;
        while (position < _data.Length && _data[position] == '\n')
        {
            position++;
        }

        _linesRead += position - _position;
        MoveTo(position);
    }

    /// <summary>What must happen before a line can be read in other states than the usual one.</summary>
    /// <returns>False if the call to <see cref="Read"/> ends here, with <paramref name="isToken"/> as its result.</returns>
    private bool PrepareToRead(out bool isToken)
    {
        isToken = false;
        if ((_flags & ReaderFlags.Started) == 0)
        {
            ReadOnlySpan<byte> mark = [0xEF, 0xBB, 0xBF];
            ReadOnlySpan<byte> head = _data[..Math.Min(_data.Length, mark.Length)];
            bool isMark = head.SequenceEqual(mark);
            int end = 0;
            if (isMark ? !TryFindShownEnd(out end) : !_isFinalBlock && head.Length < mark.Length && mark.StartsWith(head))
            {
                return EndOfBlock();
            }

            if (isMark)
            {
                ReportFault(LineFault.ByteOrderMark, 0, end, 0);
                _position = mark.Length;
            }

            _flags |= ReaderFlags.Started;
            isToken = isMark;
            if (isToken)
            {
                return false;
            }
        }

        if ((_flags & ReaderFlags.DroppingLine) != 0)
        {
            int newline = _data[_position..].IndexOf((byte)'\n');
            MoveTo(newline < 0 ? _data.Length : _position + newline + 1);
            if (newline < 0 && !_isFinalBlock)
            {
                return EndOfBlock();
            }

            _flags &= ~ReaderFlags.DroppingLine;
        }

        if ((_flags & ReaderFlags.EndSeen) != 0 && _position < _data.Length)
        {
            if ((_flags & ReaderFlags.EndReported) != 0)
            {
                MoveTo(_data.Length);
                return EndOfBlock();
            }

            if (!TryFindShownEnd(out int end))
            {
                return EndOfBlock();
            }

            isToken = Refuse(LineFault.TextAfterEnd, _position, end, _data.Length, _position);
            _flags |= ReaderFlags.EndReported;
            return false;
        }

        return true;
    }

    /// <summary>Finds the end of the line at the current place, or of the block if that holds more of the line than a report shows.</summary>
    /// <returns>False if the next block is needed for a report that does not depend on where the input was cut.</returns>
    private readonly bool TryFindShownEnd(out int end)
    {
        int newline = _data[_position..].IndexOf((byte)'\n');
        end = newline < 0 ? _data.Length : _position + newline;
        return newline >= 0 || _isFinalBlock || end - _position > ShownLineBytes;
    }

    /// <summary>The last line was read. OpenMetrics demands that it was the line that says so.</summary>
    private bool ReadEnd()
    {
        if (!_openMetrics || (_flags & (ReaderFlags.EndSeen | ReaderFlags.EndReported)) != 0)
        {
            return EndOfBlock();
        }

        ReportFault(LineFault.MissingEnd, _position, _position, _position);
        _flags |= ReaderFlags.EndReported;
        return true;
    }

    private bool EndOfBlock()
    {
        _tokenType = PrometheusTokenType.None;
        return false;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void MoveTo(int position)
    {
        _position = position;
        int cursor = _cursor;
        while (cursor < _indexCount && _indexBase + IndexEntries[cursor] < position)
        {
            cursor++;
        }

        _cursor = cursor;
    }

    /// <summary>Refuses a line and, if that is what the options say, goes on after it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool Refuse(LineFault fault, int start, int end, int next, int faultPosition)
    {
        ReportFault(fault, start, end, faultPosition);
        _linesRead++;
        MoveTo(next);
        return true;
    }

    /// <summary>Makes the fault the current token, or throws it; then the reader has not moved.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void ReportFault(LineFault fault, int start, int end, int faultPosition)
    {
        if (!_options.SkipMalformedLines)
        {
            _lineStart = start;
            ThrowFault(fault, end, faultPosition);
        }

        _tokenType = PrometheusTokenType.Malformed;
        _nameLength = 0;
        _fault = fault;
        _faultPosition = faultPosition;
        _lineStart = start;
        _lineEnd = end;
    }

    [DoesNotReturn]
    private readonly void ThrowFault(LineFault fault, int end, int faultPosition) =>
        throw new PrometheusFormatException(_linesRead + 1, Column(faultPosition), _bytesBefore + faultPosition,
            fault.Describe(ByteAt(faultPosition, end)), Show(_lineStart, end));

    private readonly int ByteAt(int position) => ByteAt(position, _lineEnd);

    private readonly int ByteAt(int position, int lineEnd) => position < lineEnd ? _data[position] : -1;

    /// <summary>The column in code points: bytes that continue a code point do not count.</summary>
    private readonly int Column(int position)
    {
        Debug.Assert(position >= _lineStart);
        int column = 1;
        foreach (byte b in _data[_lineStart..position])
        {
            if ((b & 0xC0) != 0x80)
            {
                column++;
            }
        }

        return column;
    }

    private readonly string Show(int start, int end)
    {
        int length = Math.Min(end - start, ShownLineBytes);
        // A character is not cut in two: that would show as one that is not in the line.
        while (length > 0 && start + length < _data.Length && (_data[start + length] & 0xC0) == 0x80)
        {
            length--;
        }

        return Encoding.UTF8.GetString(_data.Slice(start, length));
    }

    internal static bool EndsLikeOpenMetrics(ReadOnlySpan<byte> utf8)
    {
        if (utf8.EndsWith("\n"u8))
        {
            utf8 = utf8[..^1];
        }

        return utf8.EndsWith("\n# EOF"u8) || utf8.SequenceEqual("# EOF"u8);
    }
}
