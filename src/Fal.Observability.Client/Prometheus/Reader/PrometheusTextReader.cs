using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Text;

namespace Fal.Observability.Client.Prometheus;

/// <summary>
/// Reads Prometheus text (0.0.4) or OpenMetrics 1.0 from UTF-8, line by line and forward only. It allocates nothing. The spans
/// that it returns are parts of the caller's buffer, valid until the next <see cref="Read"/>.
/// </summary>
/// <remarks>
/// <para>
/// Use <c>new PrometheusTextReader(utf8)</c> for a complete input. For input that arrives in blocks, use one reader per block.
/// When <see cref="Read"/> returns false, keep the bytes after <see cref="BytesConsumed"/>, and append the next block. Create the
/// next reader with these bytes and with <see cref="CurrentState"/>. A reader always makes progress on a block that is longer than
/// 256 bytes and longer than <see cref="PrometheusParserOptions.MaxLineLength"/>. The results do not depend on where the input was
/// split.
/// </para>
/// <para>
/// The reader checks each line completely: names, labels, escapes, UTF-8 and numbers. It does not check rules that span lines. The
/// methods of <see cref="PrometheusTextParser"/> that return families do.
/// </para>
/// <para>
/// The reader contains an index: the positions of quotes, line feeds and backslashes in a part of the input. The index takes several
/// kilobytes of the stack, so pass the reader by reference.
/// </para>
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

    /// <summary>The start of the next line in the block.</summary>
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

    // The index of the chunk that starts at _indexBase. _cursor: the first index entry of the next line.
    private IndexArray _index;
    private int _indexBase;
    private int _indexCount;
    private int _cursor;
    private bool _chunkIsAscii;

    // _knownName...: the last metric name that was checked. _knownPrefix...: the text before the first label value of the last sample
    // line that was read with the index. _knownSeparators: the texts between the label values of that line.
    private int _knownNameStart;
    private int _knownNameLength;
    private int _knownPrefixStart;
    private int _knownPrefixLength;
    private int _knownPrefixNameLength;
    private SeparatorArray _knownSeparators;
    private int _knownLabelCount;
    private bool _sameShape;

    // The first FewLabels label names of the current line. Only the grammar uses them. The grammar is the slow part of the reader, which
    // reads a line byte by byte.
    private NameArray _names;

    // How many of the next lines are read without trying the index.
    private int _untriedLines;

    // What _untriedLines was set to at the last failure of the index. The next failure doubles it.
    private int _oddRun;

    // Whether a sample of another shape was read since the sample whose names are remembered. The shape is the metric name and label names.
    private bool _otherShapeBetween;

    /// <summary>Creates a reader for a complete exposition.</summary>
    /// <param name="utf8">The exposition.</param>
    /// <param name="options">The options. If null, <see cref="PrometheusParserOptions.Strict"/>.</param>
    public PrometheusTextReader(ReadOnlySpan<byte> utf8, PrometheusParserOptions? options = null)
        : this(utf8, isFinalBlock: true, new PrometheusReaderState(options))
    {
    }

    /// <summary>Creates a reader for the next block of an exposition.</summary>
    /// <param name="utf8">The bytes that the previous reader did not consume, and the bytes that arrived since.</param>
    /// <param name="isFinalBlock">Whether the exposition ends with this block.</param>
    /// <param name="state">The state of the previous reader, or a new state at the start of the exposition.</param>
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

    /// <summary>The kind of the line that the last <see cref="Read"/> found.</summary>
    public readonly PrometheusTokenType TokenType => _tokenType;

    /// <summary>The length, in bytes, of the lines read so far in this block.</summary>
    public readonly int BytesConsumed => _position;

    /// <summary>The state with which the next reader continues.</summary>
    public readonly PrometheusReaderState CurrentState => new(_options, _linesRead, _bytesBefore + _position, _flags);

    /// <summary>The number of the current line; the first is 1.</summary>
    public readonly long LineNumber => _linesRead + (_tokenType == PrometheusTokenType.Malformed && _fault.IsRepairable() ? 1 : 0);

    /// <summary>The offset of the current line in the whole input, in bytes.</summary>
    public readonly long ByteOffset => _bytesBefore + _lineStart;

    /// <summary>The bytes of the current line, without its line feed.</summary>
    public readonly ReadOnlySpan<byte> Line => _data[_lineStart.._lineEnd];

    /// <summary>
    /// The metric name of a sample, or of a HELP, TYPE or UNIT line, without quotes. It is still escaped if
    /// <see cref="NameIsEscaped"/> is true. It is empty for other tokens.
    /// </summary>
    public readonly ReadOnlySpan<byte> Name => _data.Slice(_nameStart, _nameLength);

    /// <summary>Whether <see cref="Name"/> contains a backslash. Only a quoted name can contain one.</summary>
    public readonly bool NameIsEscaped => _nameIsEscaped;

    /// <summary>The number of labels of the sample.</summary>
    public readonly int LabelCount => _tokenType == PrometheusTokenType.Sample ? _labelCount : 0;

    /// <summary>The labels of the sample, in the order of the input. Valid until the next <see cref="Read"/>.</summary>
    [UnscopedRef]
    public readonly PrometheusLabelEnumerator Labels
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => new(
            _data,
            ref _labelsCursor < 0 ? ref Unsafe.NullRef<ushort>() : ref Unsafe.Add(ref FirstIndexEntry, _labelsCursor),
            _indexBase, _labelsStart, LabelCount);
    }

    /// <summary>
    /// The value of the sample; undefined for other tokens. NaN has the bits 0x7ff8000000000001, as in Prometheus.
    /// </summary>
    public readonly double Value => _value;

    /// <summary>Whether the sample has a timestamp.</summary>
    public readonly bool HasTimestamp => _hasTimestamp && _tokenType == PrometheusTokenType.Sample;

    /// <summary>
    /// The timestamp of the sample in milliseconds since the Unix epoch; 0 without one. OpenMetrics uses seconds, which
    /// are truncated to milliseconds and limited to the range of this type.
    /// </summary>
    public readonly long TimestampMilliseconds => HasTimestamp ? _timestamp : 0;

    /// <summary>The timestamp in the representation of <see cref="PrometheusSample"/>.</summary>
    internal readonly long SampleTimestamp => _hasTimestamp ? PrometheusSample.HeldTimestamp(_timestamp) : PrometheusSample.NoTimestamp;

    /// <summary>The bytes of a sample line before its value, which identify the series.</summary>
    internal readonly ReadOnlySpan<byte> SeriesBytes => _data[_lineStart.._numberStart];

    /// <summary>The current line with its line feed, if it has one.</summary>
    internal readonly ReadOnlySpan<byte> LineWithFeed => _data[_lineStart.._position];

    /// <summary>The timestamp of an OpenMetrics sample in nanoseconds, the precision at which family rules compare.</summary>
    internal readonly Int128 TimestampNanoseconds => _timestampNanoseconds;

    /// <summary>Whether the sample has an exemplar (OpenMetrics only).</summary>
    public readonly bool HasExemplar => _hasExemplar && _tokenType == PrometheusTokenType.Sample;

    /// <summary>The number of labels of the exemplar.</summary>
    public readonly int ExemplarLabelCount => HasExemplar ? _exemplarLabelCount : 0;

    /// <summary>The labels of the exemplar, in the order of the input.</summary>
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
    /// The raw text of a HELP, UNIT or comment line, or the word of a TYPE line. A HELP text may contain escapes.
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

    /// <summary>The text of a HELP, UNIT or comment line as a new string. Escapes of a HELP text are resolved.</summary>
    /// <returns>The text.</returns>
    public readonly string GetText() => _tokenType == PrometheusTokenType.Help
        ? PrometheusEscaping.UnescapeToString(Text, quotes: _openMetrics)
        : Encoding.UTF8.GetString(Text);

    /// <summary>Describes the line of a <see cref="PrometheusTokenType.Malformed"/> token.</summary>
    /// <returns>The line, the place and the reason.</returns>
    /// <exception cref="InvalidOperationException">The current token is not malformed.</exception>
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

    /// <summary>Describes the current line, which is well-formed but breaks a rule of its family.</summary>
    internal readonly PrometheusSkippedLine DescribeLine(string reason, bool wasKept)
    {
        int position = _tokenType == PrometheusTokenType.Sample || _nameLength > 0 ? Math.Max(_nameStart, _lineStart) : _lineStart;
        return new PrometheusSkippedLine(_linesRead, Column(position), _bytesBefore + position, reason, Show(_lineStart, _lineEnd))
        {
            WasKept = wasKept,
        };
    }

    /// <summary>Whether the input is read as OpenMetrics.</summary>
    internal readonly bool IsOpenMetrics => _openMetrics;

    /// <summary>Whether the malformed line is skipped. If false, it is repaired: it is reported, but its content is kept.</summary>
    internal readonly bool LineWasLost => !_fault.IsRepairable();

    /// <summary>Whether a <see cref="PrometheusTokenType.Malformed"/> token says that the exposition ended without <c># EOF</c>.</summary>
    internal readonly bool LacksEnd => _fault == LineFault.MissingEnd;

    /// <summary>Reads the next line that is not blank.</summary>
    /// <returns>
    /// False at the end of the input, or if the block is not the last one and contains no other complete line.
    /// </returns>
    /// <exception cref="PrometheusFormatException">
    /// The line is malformed, and the options do not skip malformed lines. The reader does not advance.
    /// </exception>
    public bool Read() => (_cursor < _indexCount && TryReadIndexedLine()) || ReadAnyLine();

    private bool ReadAnyLine()
    {
        // If there is an index, Read has already tried and failed to read the line with it. The index still shows where the line ends.
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

    /// <summary>Reads a line that is not in the index. Builds a new index if possible, and otherwise uses the grammar.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool ReadUnindexedLine()
    {
        while (true)
        {
            if ((_flags & (ReaderFlags.Started | ReaderFlags.DroppingLine | ReaderFlags.EndSeen)) != ReaderFlags.Started
                && !PrepareToRead(out bool isToken))
            {
                return isToken;
            }

            if (!_openMetrics && _position < _data.Length && _data[_position] == '\n')
            {
                PassBlankLines();
            }

            if (_bytesToReadCold <= 0 && BuildIndex())
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

            if (_bytesToReadCold > 0)
            {
                _bytesToReadCold -= newline < 0 ? _data.Length - _position : newline + 1;
            }

            if (newline < 0 ? ReadByGrammar(_data.Length, _data.Length) : ReadByGrammar(_position + newline, _position + newline + 1))
            {
                return true;
            }
        }
    }

    /// <summary>Reads the next line, whose bounds are known, with the grammar.</summary>
    /// <returns>False for a blank line.</returns>
    private bool ReadByGrammar(int end, int next)
    {
        int start = _position;
        bool hasFeed = next > end;
        bool isTooLong = end - start > _maxLineLength;
        if (end > start && _data[end - 1] == '\r' && !isTooLong)
        {
            if ((_flags & ReaderFlags.CarriageReturnReported) == 0)
            {
                // Report the fault first. The next call reads the line itself.
                ReportFault(LineFault.CarriageReturnAtEnd, start, end, end - 1);
                _flags |= ReaderFlags.CarriageReturnReported;
                return true;
            }

            end--;
        }

        // Unusual lines are often consecutive. Each consecutive failure of the index about doubles the number of lines that are read
        // without trying it, up to MaxUntriedLines.
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
            // If the line arrives in blocks, bytes beyond the limit may not have arrived yet. Reports must not depend on them.
            fault = LineFault.LineTooLong;
            end = faultPosition = start + _maxLineLength;
        }
        else
        {
            fault = ReadLine(start, end, out faultPosition);
            if (_openMetrics && !hasFeed
                && (fault.IsRepairable() || (fault == LineFault.None && _tokenType != PrometheusTokenType.EndOfExposition)))
            {
                // Without a line feed and # EOF, a complete line cannot be distinguished from one that was cut inside its value.
                (fault, faultPosition) = (LineFault.CutOff, end);
            }
        }

        if (fault.IsRepairable())
        {
            // Report the fault first. The next call reads the sample without its exemplar.
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

    /// <summary>
    /// Handles the states in which the next line cannot be read at once. These are the start of the input, the rest of a line that is too
    /// long, and text after <c># EOF</c>.
    /// </summary>
    /// <returns>True if a line can be read now. If false, <see cref="Read"/> returns <paramref name="isToken"/>.</returns>
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

    /// <summary>
    /// Finds the end of the current line. If the line continues beyond the block, its end is the end of the block, provided that the block
    /// contains the part of the line that a report quotes.
    /// </summary>
    /// <returns>
    /// False if that part is incomplete. The caller then needs the next block, because a report must not depend on where the input was
    /// split.
    /// </returns>
    private readonly bool TryFindShownEnd(out int end)
    {
        int newline = _data[_position..].IndexOf((byte)'\n');
        end = newline < 0 ? _data.Length : _position + newline;
        return newline >= 0 || _isFinalBlock || end - _position > ShownLineBytes;
    }

    /// <summary>Ends the input. OpenMetrics requires <c># EOF</c> as the last line.</summary>
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

    /// <summary>Reports a malformed line and moves past it. Throws if the options do not skip malformed lines.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool Refuse(LineFault fault, int start, int end, int next, int faultPosition)
    {
        ReportFault(fault, start, end, faultPosition);
        _linesRead++;
        MoveTo(next);
        return true;
    }

    /// <summary>
    /// Makes the fault the current token, or throws it if the options do not skip malformed lines. The reader does not advance.
    /// </summary>
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

    /// <summary>The column of a position. It counts code points, so it leaves out the continuation bytes of UTF-8.</summary>
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
        // Do not cut inside a character. The report would show U+FFFD in its place, which is not in the line.
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
