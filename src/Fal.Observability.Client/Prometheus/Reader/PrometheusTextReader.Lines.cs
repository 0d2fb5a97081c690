using System.Buffers;
using System.Runtime.CompilerServices;
using System.Text;

namespace Fal.Observability.Client.Prometheus;

/// <content>
/// The grammar, the slow part of the reader. It reads a line byte by byte and accepts every form that the formats allow. If a line
/// is malformed, it finds the reason and the place. The fast part, in PrometheusTextReader.Index.cs, reads the usual lines with an
/// index: the positions of quotes, line feeds and backslashes. It leaves all other lines to the grammar.
/// </content>
public ref partial struct PrometheusTextReader
{
    /// <summary>Reads the line [start, end). Without a fault, sets <see cref="TokenType"/>. The type of a blank line is None.</summary>
    private LineFault ReadLine(int start, int end, out int faultPosition)
    {
        int i = start;
        SkipBlanks(ref i, end);
        LineFault fault;
        if (i == end)
        {
            _tokenType = PrometheusTokenType.None;
            fault = _openMetrics ? LineFault.BlankLine : LineFault.None;
        }
        else if (_data[i] == '#')
        {
            fault = _openMetrics ? ReadOpenMetricsComment(ref i, end) : ReadComment(ref i, end);
        }
        else
        {
            fault = ReadSample(ref i, end);
        }

        faultPosition = i;
        return fault;
    }

    /// <summary>
    /// Skips spaces and tabs between tokens in the text format. Skips nothing in OpenMetrics, which allows only single spaces.
    /// </summary>
    private readonly void SkipBlanks(ref int i, int end)
    {
        if (!_openMetrics)
        {
            SkipBlanksAndTabs(ref i, end);
        }
    }

    private readonly void SkipBlanksAndTabs(ref int i, int end)
    {
        while (i < end && _data[i] is (byte)' ' or (byte)'\t')
        {
            i++;
        }
    }

    private readonly int TokenEnd(int i, int end)
    {
        while (i < end && _data[i] != ' ' && (_data[i] != '\t' || _openMetrics))
        {
            i++;
        }

        return i;
    }

    private LineFault ReadSample(ref int i, int end)
    {
        int name = i;
        int nameLength = PrometheusName.MetricNameLength(_data[i..end]);
        i += nameLength;
        if (nameLength == 0 && _data[i] != '{')
        {
            return LineFault.InvalidMetricName;
        }

        SkipBlanks(ref i, end);
        if (i == end)
        {
            return LineFault.MissingValue;
        }

        _tokenType = PrometheusTokenType.Sample;
        _otherShapeBetween = true;
        _sameShape = false;
        _hasTimestamp = false;
        _timestamp = 0;
        _hasExemplar = false;
        _labelCount = 0;
        _labelsCursor = -1;
        _nameIsEscaped = false;
        (_nameStart, _nameLength) = (name, nameLength);
        if (_data[i] == '{')
        {
            int brace = i++;
            _labelsStart = i;
            LineFault fault = ReadLabels(ref i, end, isExemplar: false, out _labelCount);
            if (fault != LineFault.None)
            {
                return fault;
            }

            if (_nameLength == 0)
            {
                i = brace;
                return LineFault.MissingMetricName;
            }
        }

        return i == end ? LineFault.MissingValue : ReadNumbers(ref i, end);
    }

    /// <summary>Reads the part after name and labels: the value, an optional timestamp and, in OpenMetrics, an optional exemplar.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private LineFault ReadNumbers(ref int i, int end)
    {
        _numberStart = i;
        if (_openMetrics)
        {
            _numberStart++;
        }
        else
        {
            SkipBlanksAndTabs(ref _numberStart, end);
        }

        int start = i;
        LineFault fault = ReadValue(ref i, end, out _value);
        if (fault != LineFault.None)
        {
            // In the text format, a value may directly follow the name, as in a+1. If no value can be read there, the byte after the
            // name is reported as an invalid byte of the name.
            bool endsName = fault is LineFault.InvalidValue or LineFault.ExpectedSpace
                && _data[start] is not ((byte)' ' or (byte)'\t') && _data[start - 1] is not ((byte)'}' or (byte)' ' or (byte)'\t');
            i = endsName ? start : i;
            return endsName ? LineFault.InvalidNameByte : fault;
        }

        SkipBlanks(ref i, end);
        if (i == end)
        {
            return LineFault.None;
        }

        if (_openMetrics && IsExemplarAhead(i, end))
        {
            return ReadExemplar(ref i, end);
        }

        fault = ReadTimestamp(ref i, end, out _timestamp, out _timestampNanoseconds);
        if (fault != LineFault.None)
        {
            return fault;
        }

        _hasTimestamp = true;
        SkipBlanks(ref i, end);
        if (i == end)
        {
            return LineFault.None;
        }

        return _openMetrics && IsExemplarAhead(i, end) ? ReadExemplar(ref i, end) : LineFault.TextAfterSample;
    }

    private readonly LineFault ReadValue(ref int i, int end, out double value)
    {
        value = 0;
        if (_openMetrics)
        {
            if (_data[i] != ' ')
            {
                return LineFault.ExpectedSpace;
            }

            i++;
        }
        else
        {
            SkipBlanksAndTabs(ref i, end);
        }

        int tokenEnd = TokenEnd(i, end);
        if (tokenEnd == i)
        {
            return LineFault.MissingValue;
        }

        if (!PrometheusNumber.TryParseValue(_data[i..tokenEnd], out value))
        {
            return NumberFault(LineFault.InvalidValue, ref i, tokenEnd);
        }

        i = tokenEnd;
        return LineFault.None;
    }

    private readonly LineFault ReadTimestamp(ref int i, int end, out long milliseconds, out Int128 nanoseconds)
    {
        milliseconds = 0;
        nanoseconds = 0;
        if (_openMetrics)
        {
            i++; // The space after the previous token.
        }

        int tokenEnd = TokenEnd(i, end);
        ReadOnlySpan<byte> token = _data[i..tokenEnd];
        bool isTimestamp;
        if (_openMetrics)
        {
            isTimestamp = PrometheusNumber.TryParseValue(token, out double seconds) && double.IsFinite(seconds)
                && PrometheusNumber.TryParseSeconds(token, out nanoseconds);
            milliseconds = PrometheusNumber.ToMilliseconds(nanoseconds);
        }
        else
        {
            isTimestamp = PrometheusNumber.TryParseMilliseconds(token, out milliseconds);
        }

        if (!isTimestamp)
        {
            return NumberFault(LineFault.InvalidTimestamp, ref i, tokenEnd);
        }

        i = tokenEnd;
        return LineFault.None;
    }

    /// <summary>
    /// If a carriage return makes a number malformed, reports the carriage return instead. In a text whose lines end with carriage
    /// returns only, as on old Macs, the whole text is one line. Its first number then contains the carriage return.
    /// </summary>
    private readonly LineFault NumberFault(LineFault fault, ref int i, int tokenEnd)
    {
        for (int at = i; at < tokenEnd; at++)
        {
            if (_data[at] == '\r')
            {
                i = at;
                return LineFault.LoneCarriageReturn;
            }
        }

        return fault;
    }

    private readonly bool IsExemplarAhead(int i, int end) => _data[i..end].StartsWith(" #"u8);

    /// <summary>
    /// Reads the exemplar up to the end of the line. The sample is complete even if the exemplar is malformed. After such a fault was
    /// reported, the line is read again, this time without its exemplar.
    /// </summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private LineFault ReadExemplar(ref int i, int end)
    {
        if ((_flags & ReaderFlags.ExemplarReported) != 0)
        {
            _flags &= ~ReaderFlags.ExemplarReported;
            return LineFault.None;
        }

        LineFault fault = ReadExemplarParts(ref i, end);
        _hasExemplar = fault == LineFault.None;
        return _hasExemplar ? fault : fault | LineFault.InExemplar;
    }

    private LineFault ReadExemplarParts(ref int i, int end)
    {
        if (!_data[i..end].StartsWith(" # {"u8))
        {
            return LineFault.InvalidExemplar;
        }

        i += 4;
        _exemplarStart = i;
        _exemplarHasTimestamp = false;
        _exemplarTimestamp = 0;
        LineFault fault = ReadLabels(ref i, end, isExemplar: true, out _exemplarLabelCount);
        if (fault != LineFault.None)
        {
            return fault;
        }

        if (i == end)
        {
            return LineFault.InvalidExemplar;
        }

        if (CountExemplarCharacters(i - _exemplarStart) > OpenMetricsTypes.MaxExemplarLength)
        {
            i = _exemplarStart;
            return LineFault.ExemplarTooLong;
        }

        fault = ReadValue(ref i, end, out _exemplarValue);
        if (fault != LineFault.None || i == end)
        {
            return fault;
        }

        _exemplarHasTimestamp = true;
        fault = ReadTimestamp(ref i, end, out _exemplarTimestamp, out _);
        return fault != LineFault.None || i == end ? fault : LineFault.TextAfterSample;
    }

    /// <summary>
    /// Counts the characters of the names and values. If the number of bytes is within the limit, returns that number without counting,
    /// because there are never more characters than bytes.
    /// </summary>
    private readonly int CountExemplarCharacters(int bytes)
    {
        if (bytes <= OpenMetricsTypes.MaxExemplarLength)
        {
            return bytes;
        }

        int characters = 0;
        foreach (PrometheusLabel label in new PrometheusLabelEnumerator(_data, _exemplarStart, _exemplarLabelCount))
        {
            characters += PrometheusEscaping.CountCharacters(label.Name) + PrometheusEscaping.CountCharacters(label.Value);
        }

        return characters;
    }

    /// <summary>Reads the labels and their closing brace.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private LineFault ReadLabels(ref int i, int end, bool isExemplar, out int count)
    {
        count = 0;
        int start = i;
        bool afterComma = false;
        // Find duplicates while reading, as long as the names are few and have no escapes. Otherwise, compare all names at the end.
        bool isCompared = true;
        int duplicate = -1;
        SkipBlanks(ref i, end);
        while (i < end)
        {
            if (_data[i] == '}')
            {
                if (afterComma && _openMetrics)
                {
                    return LineFault.TrailingComma;
                }

                i++;
                if (!isCompared && count > 1)
                {
                    return CheckDistinctNames(start, count, ref i);
                }

                i = duplicate < 0 ? i : duplicate;
                return duplicate < 0 ? LineFault.None : LineFault.DuplicateLabelName;
            }

            int nameStart = i;
            LineFault fault = ReadLabelName(ref i, end, out int length, out bool isQuoted, out bool isEscaped);
            if (fault != LineFault.None)
            {
                return fault;
            }

            SkipBlanks(ref i, end);
            if (isQuoted && i < end && _data[i] is (byte)',' or (byte)'}')
            {
                // Quoted text without '=' and a value after it is the metric name.
                fault = isExemplar ? LineFault.NameInExemplar : _nameLength > 0 ? LineFault.SecondMetricName : LineFault.None;
                if (fault != LineFault.None)
                {
                    i = nameStart;
                    return fault;
                }

                _nameStart = nameStart + 1;
                _nameLength = length;
                _nameIsEscaped = isEscaped;
            }
            else
            {
                fault = ReadLabelValue(ref i, end);
                if (fault != LineFault.None)
                {
                    return fault;
                }

                if (count == _options.MaxLabels)
                {
                    i = nameStart;
                    return LineFault.TooManyLabels;
                }

                isCompared &= count < FewLabels && !isEscaped;
                if (isCompared)
                {
                    var name = new Part { Start = isQuoted ? nameStart + 1 : nameStart, Length = length };
                    if (duplicate < 0 && StandsBefore(name, count))
                    {
                        duplicate = name.Start;
                    }

                    _names[count] = name;
                }

                count++;

                SkipBlanks(ref i, end);
            }

            afterComma = i < end && _data[i] == ',';
            if (afterComma)
            {
                i++;
                // OpenMetrics allows no space here. It is accepted, because the reference parser accepts it, and because the test cases of
                // OpenMetrics with quoted names contain it.
                SkipBlanksAndTabs(ref i, end);
            }
            else if (i < end && _data[i] != '}')
            {
                return LineFault.ExpectedCommaOrBrace;
            }
        }

        return LineFault.UnclosedBraces;
    }

    private readonly bool StandsBefore(Part name, int count)
    {
        for (int n = 0; n < count; n++)
        {
            if (_names[n].Length == name.Length
                && _data.Slice(_names[n].Start, name.Length).SequenceEqual(_data.Slice(name.Start, name.Length)))
            {
                return true;
            }
        }

        return false;
    }

    private readonly LineFault ReadLabelName(ref int i, int end, out int length, out bool isQuoted, out bool isEscaped)
    {
        int start = i;
        isEscaped = false;
        isQuoted = _data[i] == '"';
        LineFault fault = LineFault.None;
        if (isQuoted)
        {
            fault = ReadQuoted(ref i, end, out isEscaped);
            length = i - start - 2;
            if (fault == LineFault.None && length == 0)
            {
                fault = LineFault.EmptyName;
            }
        }
        else
        {
            length = PrometheusName.LabelNameLength(_data[i..end]);
            i += length;
            if (length == 0)
            {
                fault = LineFault.InvalidLabelName;
            }
        }

        if (fault == LineFault.None && _data[(isQuoted ? start + 1 : start)..][..length].SequenceEqual(ReservedLabels.MetricNameUtf8))
        {
            fault = LineFault.ReservedLabelName;
        }

        if (fault is LineFault.EmptyName or LineFault.ReservedLabelName)
        {
            i = start;
        }

        return fault;
    }

    private readonly LineFault ReadLabelValue(ref int i, int end)
    {
        if (i == end || _data[i] != '=')
        {
            return LineFault.ExpectedEquals;
        }

        i++;
        SkipBlanks(ref i, end);
        if (i == end || _data[i] != '"')
        {
            return LineFault.ExpectedQuotedValue;
        }

        return ReadQuoted(ref i, end, out _);
    }

    /// <summary>Reads quoted text, including both quotes.</summary>
    private readonly LineFault ReadQuoted(ref int i, int end, out bool isEscaped)
    {
        isEscaped = false;
        int open = i;
        int at = open + 1;
        while (true)
        {
            int special = at < end ? PrometheusEscaping.IndexOfQuoteOrBackslash(_data[at..end]) : -1;
            if (special < 0)
            {
                return LineFault.UnclosedQuote;
            }

            at += special + 1;
            if (_data[at - 1] == '"')
            {
                break;
            }

            isEscaped = true;
            at++;
        }

        LineFault fault = CheckUtf8(open + 1, at - 1, ref i);
        if (fault == LineFault.None)
        {
            i = at;
        }

        return fault;
    }

    private readonly LineFault CheckUtf8(int start, int end, ref int faultPosition)
    {
        ReadOnlySpan<byte> text = _data[start..end];
        if (IsShortAscii(text) || System.Text.Unicode.Utf8.IsValid(text))
        {
            return LineFault.None;
        }

        while (Rune.DecodeFromUtf8(text, out _, out int length) == OperationStatus.Done)
        {
            text = text[length..];
        }

        faultPosition = end - text.Length;
        return LineFault.InvalidUtf8;
    }

    private static bool IsShortAscii(ReadOnlySpan<byte> text)
    {
        if (text.Length > 16)
        {
            return false;
        }

        byte all = 0;
        foreach (byte b in text)
        {
            all |= b;
        }

        return all < 0x80;
    }

    /// <summary>Reads a line of the text format that starts with #: HELP, TYPE or a comment.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private LineFault ReadComment(ref int i, int end)
    {
        int afterHash = ++i;
        SkipBlanksAndTabs(ref i, end);
        bool isHelp = i + 4 < end && _data[i..end].StartsWith("HELP"u8);
        bool isType = i + 4 < end && _data[i..end].StartsWith("TYPE"u8);
        int name = i + 4;
        // HELP or TYPE is a keyword only between spaces or tabs. Without a name after it, the line is a comment.
        if ((isHelp || isType) && i > afterHash && name < end && _data[name] is (byte)' ' or (byte)'\t')
        {
            SkipBlanksAndTabs(ref name, end);
            if (name < end)
            {
                i = name;
                LineFault fault = ReadMetadataName(ref i, end);
                if (fault != LineFault.None)
                {
                    return fault;
                }

                SkipBlanksAndTabs(ref i, end);
                return isHelp ? ReadHelp(ref i, end) : ReadType(ref i, end);
            }
        }

        _tokenType = PrometheusTokenType.Comment;
        (_nameStart, _nameLength) = (afterHash, 0);
        (_textStart, _textLength) = (afterHash, end - afterHash);
        return LineFault.None;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private LineFault ReadOpenMetricsComment(ref int i, int end)
    {
        ReadOnlySpan<byte> line = _data[i..end];
        if (line.SequenceEqual("# EOF"u8))
        {
            _tokenType = PrometheusTokenType.EndOfExposition;
            _nameLength = 0;
            _flags |= ReaderFlags.EndSeen;
            // Everything after # EOF is malformed. Discard the index, so that the fast part cannot accept a line there.
            _indexCount = _cursor = 0;
            return LineFault.None;
        }

        bool isHelp = line.StartsWith("# HELP "u8);
        bool isType = line.StartsWith("# TYPE "u8);
        if (!isHelp && !isType && !line.StartsWith("# UNIT "u8))
        {
            return LineFault.UnknownComment;
        }

        i += 7;
        LineFault fault = ReadMetadataName(ref i, end);
        if (fault != LineFault.None)
        {
            return fault;
        }

        if (i == end)
        {
            return LineFault.MissingMetadataText;
        }

        i++;
        return isHelp ? ReadHelp(ref i, end) : isType ? ReadType(ref i, end) : ReadUnit(ref i, end);
    }

    private LineFault ReadMetadataName(ref int i, int end)
    {
        int start = i;
        _nameIsEscaped = false;
        if (i < end && _data[i] == '"')
        {
            LineFault fault = ReadQuoted(ref i, end, out _nameIsEscaped);
            if (fault != LineFault.None)
            {
                return fault;
            }

            (_nameStart, _nameLength) = (start + 1, i - start - 2);
            if (_nameLength == 0)
            {
                i = start;
                return LineFault.EmptyName;
            }
        }
        else
        {
            (_nameStart, _nameLength) = (start, PrometheusName.MetricNameLength(_data[i..end]));
            if (_nameLength == 0)
            {
                return LineFault.InvalidMetadataName;
            }

            i += _nameLength;
        }

        return i == end || _data[i] == ' ' || (_data[i] == '\t' && !_openMetrics) ? LineFault.None : LineFault.ExpectedSpaceAfterName;
    }

    private LineFault ReadHelp(ref int i, int end)
    {
        _tokenType = PrometheusTokenType.Help;
        (_textStart, _textLength) = (i, end - i);
        return CheckUtf8(i, end, ref i);
    }

    private LineFault ReadType(ref int i, int end)
    {
        if (i == end)
        {
            return LineFault.MissingMetadataText;
        }

        _tokenType = PrometheusTokenType.Type;
        ReadOnlySpan<byte> word = _data[i..end];
        (_textStart, _textLength) = (i, end - i);
        PrometheusMetricType? type = MetricTypeWord.Parse(word, _openMetrics);
        _metricType = type.GetValueOrDefault();
        return type is null ? LineFault.UnknownType : LineFault.None;
    }

    private LineFault ReadUnit(ref int i, int end)
    {
        _tokenType = PrometheusTokenType.Unit;
        ReadOnlySpan<byte> unit = _data[i..end];
        (_textStart, _textLength) = (i, end - i);
        LineFault fault = CheckUtf8(i, end, ref i);
        if (fault != LineFault.None || unit.IsEmpty)
        {
            return fault;
        }

        bool isSuffix = Name.Length > unit.Length && Name.EndsWith(unit) && Name[^(unit.Length + 1)] == '_';
        return isSuffix ? LineFault.None : LineFault.UnitNotInName;
    }

    /// <summary>
    /// Checks all label names at the end. It is not inlined, so that <see cref="ReadLabels"/> reserves no stack space for it. Most lines
    /// have few labels and never call it.
    /// </summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private readonly LineFault CheckDistinctNames(int start, int count, ref int i) =>
        CheckDistinctNames(new PrometheusLabelEnumerator(_data, start, count), i - start, count, ref i);

    /// <summary>Checks that no label name is a duplicate.</summary>
    private readonly LineFault CheckDistinctNames(PrometheusLabelEnumerator labels, int length, int count, ref int i)
    {
        PrometheusLabelEnumerator fromStart = labels;
        int tableSize = count <= FewLabels ? 0 : (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)count * 2);
        int[]? rented = null;
        Span<int> scratch = count <= FewLabels ? stackalloc int[2 * FewLabels] : rented = ArrayPool<int>.Shared.Rent(2 * count + tableSize);
        Span<int> starts = scratch[..count];
        Span<int> lengths = scratch.Slice(count, count);
        bool anyEscaped = false;
        for (int n = 0; labels.MoveNext(); n++)
        {
            starts[n] = labels.CurrentNameStart;
            lengths[n] = labels.Current.Name.Length;
            anyEscaped |= labels.Current.NameIsEscaped;
        }

        ReadOnlySpan<byte> names = _data;
        byte[]? unescaped = null;
        if (anyEscaped)
        {
            // Names that differ in their bytes may be equal after unescaping.
            unescaped = ArrayPool<byte>.Shared.Rent(length);
            int written = 0;
            for (int n = 0; n < count; n++)
            {
                lengths[n] = PrometheusEscaping.Unescape(_data.Slice(starts[n], lengths[n]), unescaped.AsSpan(written), quotes: true);
                starts[n] = written;
                written += lengths[n];
            }

            names = unescaped;
        }

        int duplicate = count <= FewLabels ? FindDuplicateInPairs(names, starts, lengths)
            : FindDuplicateInTable(names, starts, lengths, scratch.Slice(2 * count, tableSize));
        if (unescaped is not null)
        {
            ArrayPool<byte>.Shared.Return(unescaped);
        }

        if (duplicate >= 0)
        {
            i = PlaceOfLabel(fromStart, duplicate);
        }

        if (rented is not null)
        {
            ArrayPool<int>.Shared.Return(rented);
        }

        return duplicate < 0 ? LineFault.None : LineFault.DuplicateLabelName;
    }

    private static int FindDuplicateInPairs(ReadOnlySpan<byte> names, ReadOnlySpan<int> starts, ReadOnlySpan<int> lengths)
    {
        for (int n = 1; n < starts.Length; n++)
        {
            for (int m = 0; m < n; m++)
            {
                if (lengths[n] == lengths[m] && names.Slice(starts[n], lengths[n]).SequenceEqual(names.Slice(starts[m], lengths[m])))
                {
                    return n;
                }
            }
        }

        return -1;
    }

    private static int FindDuplicateInTable(ReadOnlySpan<byte> names, ReadOnlySpan<int> starts, ReadOnlySpan<int> lengths, Span<int> table)
    {
        table.Fill(-1);
        for (int n = 0; n < starts.Length; n++)
        {
            ReadOnlySpan<byte> name = names.Slice(starts[n], lengths[n]);
            int slot = (int)Utf8Hash.Compute(name) & (table.Length - 1);
            for (; table[slot] >= 0; slot = (slot + 1) & (table.Length - 1))
            {
                int other = table[slot];
                if (names.Slice(starts[other], lengths[other]).SequenceEqual(name))
                {
                    return n;
                }
            }

            table[slot] = n;
        }

        return -1;
    }

    private static int PlaceOfLabel(PrometheusLabelEnumerator labels, int ordinal)
    {
        for (int n = 0; n <= ordinal; n++)
        {
            labels.MoveNext();
        }

        return labels.CurrentNameStart;
    }
}
