using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Fal.Observability.Client.Prometheus;

/// <summary>
/// The lines of the last scrape without their values, and the samples that were created from them. A scrape is one download of a metrics
/// page.
/// </summary>
/// <remarks>
/// <para>
/// A scrape usually repeats the last one with other values. The memory therefore compares each line with the line that it expects next.
/// If all bytes before the value are equal, the line has the same series, and only its value and timestamp are read:
/// </para>
/// <code>
/// the last scrape                     this scrape
/// a{app="x"}  -> sample 0             a{app="x"} 7     expected: sample 0 with the value 7
/// a{app="y"}  -> sample 1             a{app="z"} 1     not expected: parsed
/// b{app="x"}  -> sample 2             b{app="x"} 3     not expected, but found one line ahead: sample 2 with the value 3
/// </code>
/// <para>
/// A remembered line is not checked again, because it was checked when it was parsed. The result of that check depends on the options.
/// A memory can therefore be used with one set of options only.
/// </para>
/// </remarks>
/// <param name="maxBytes">The approximate limit of the memory in bytes, without strings.</param>
/// <param name="maxLineLength">The longest line that the options allow, in bytes.</param>
internal sealed class ScrapeMemory(long maxBytes, int maxLineLength) : ILineObserver
{
    /// <summary>
    /// The number of remembered lines, including the expected one, among which a line is searched. Four more are included for each line
    /// parsed since the last expected one.
    /// </summary>
    private const int NearLines = 4;

    /// <summary>The approximate size, in bytes, of one remembered line and its sample.</summary>
    private const int BytesPerLine = 64;

    /// <summary>The room, in bytes, that a remembered line must leave for its number within the longest allowed line.</summary>
    private const int NumberRoom = 64;

    // The texts of the lines of the last scrape, and of earlier scrapes until too many of them are stale.
    private byte[] _text = [];
    private int _textLength;
    private int _liveLength; // The length of the texts of the last scrape.

    private RememberedLine[] _lines = [];
    private RememberedLine[] _newLines = [];
    private int _newCount;
    private bool _isWhole; // Whether every line of the current scrape has been remembered so far.
    private bool _isFull;

    private int _line; // The index of the line that is expected next.
    private int _unexpected; // The number of lines parsed since the last expected one.

    /// <summary>The number of lines remembered.</summary>
    public int LineCount { get; private set; }

    /// <summary>The samples of the last scrape in the order of their lines.</summary>
    public RepeatedStore? Samples { get; private set; }

    /// <summary>The series of the last scrape, and of earlier scrapes until too many of the remembered texts are stale.</summary>
    public SeriesList Series { get; private set; } = new();

    /// <summary>Whether every line of the last scrape is remembered.</summary>
    public bool RemembersAll { get; private set; }

    /// <summary>The start of the next line in the input.</summary>
    public int Position { get; set; }

    /// <summary>Begins a scrape.</summary>
    public void Begin()
    {
        // Texts are only ever added. Clear the memory when most of them are stale, so that old series do not fill it.
        if (_textLength > 2L * _liveLength + ushort.MaxValue)
        {
            Clear();
        }

        (Position, _line, _unexpected) = (0, 0, 0);
        (_newCount, _isWhole, _isFull) = (0, true, false);
    }

    /// <summary>Ends a complete scrape, which replaces the last one.</summary>
    /// <param name="samples">The samples of the scrape. They must not change afterwards.</param>
    /// <param name="isWhole">Whether no line was skipped, and none was repaired (reported but kept).</param>
    public void End(RepeatedStore samples, bool isWhole)
    {
        if (_isFull)
        {
            Clear();
            return;
        }

        (_lines, _newLines) = (_newLines, _lines);
        (LineCount, Samples, RemembersAll) = (_newCount, samples, isWhole && _isWhole);
        _liveLength = 0;
        foreach (RememberedLine line in _lines.AsSpan(0, LineCount))
        {
            _liveLength += line.Length == RememberedLine.NeverExpected ? 0 : line.Length;
        }
    }

    /// <summary>Forgets everything.</summary>
    public void Clear()
    {
        (_text, _lines, _newLines, Samples, Series, RemembersAll) = ([], [], [], null, new SeriesList(), false);
        LineCount = _textLength = _liveLength = 0;
    }

    /// <summary>Reads a complete scrape that differs from the last one only in its values and timestamps.</summary>
    /// <returns>The samples; null if the scrape has other differences, or if a line of the last scrape is not remembered.</returns>
    public RepeatedStore? TryRepeat(ReadOnlySpan<byte> utf8)
    {
        if (!RemembersAll)
        {
            return null;
        }

        Begin();
        var samples = new RepeatedStore(Series, Samples);
        int count = 1;
        while (count > 0 && _line < LineCount)
        {
            count = Follow(utf8, samples.GetRoom(out int place), place, passOthers: true);
            samples.AddRepeated(count);
        }

        return _line == LineCount && Position == utf8.Length ? samples : null;
    }

    /// <summary>Reads samples until a line is not the expected one, or is not a sample.</summary>
    /// <param name="utf8">The scrape.</param>
    /// <param name="samples">Receives the values, up to the end of its current chunk.</param>
    /// <returns>The lines that were read. The caller must add a sample for each.</returns>
    public ReadOnlySpan<RememberedLine> TakeExpected(ReadOnlySpan<byte> utf8, RepeatedStore samples)
    {
        int line = _line;
        int count = Follow(utf8, samples.GetRoom(out int place), place, passOthers: false);
        if (count > 0)
        {
            _unexpected = 0;
            Keep(_lines.AsSpan(line, count));
        }

        return _lines.AsSpan(line, count);
    }

    /// <summary>Searches for the next line of the input some remembered lines ahead, in case the expected line no longer exists.</summary>
    /// <returns>Whether it was found. The line that was found is then the expected one.</returns>
    public bool TryFindAhead(ReadOnlySpan<byte> utf8)
    {
        // Limit the search to a multiple of the parsed lines. Otherwise many new lines would make the total search time quadratic.
        int end = (int)Math.Min(LineCount, _line + NearLines + 4L * _unexpected);
        for (int line = _line + 1; line < end; line++)
        {
            if (_lines[line].Length <= utf8.Length - Position && utf8[Position..].StartsWith(TextOf(_lines[line])))
            {
                _line = line;
                return true;
            }
        }

        return false;
    }

    /// <summary>Remembers a line that was parsed.</summary>
    public void OnLine(scoped ref readonly PrometheusTextReader reader)
    {
        _unexpected++;
        bool isSample = reader.TokenType == PrometheusTokenType.Sample;
        ReadOnlySpan<byte> text = isSample ? reader.SeriesBytes : reader.LineWithFeed;
        int series = isSample ? Series.Count - 1 : -1;
        // A remembered text must end at a boundary. Otherwise the next byte could extend it: a letter after "a" makes another name.
        bool isBounded = isSample ? text[^1] is (byte)' ' or (byte)'\t' or (byte)'}' : text[^1] == '\n' && !text.EndsWith("\r\n"u8);
        if (!isBounded || text.Length > maxLineLength - NumberRoom)
        {
            _isWhole = false;
            Keep([new RememberedLine(0, RememberedLine.NeverExpected, series)]);
        }
        else if (_line < LineCount && _lines[_line].IsSample == isSample && text.Length == _lines[_line].Length
            && text.SequenceEqual(TextOf(_lines[_line])))
        {
            // The line was expected. It was parsed all the same, because Follow could not read its number, or because it is not a sample.
            Keep([_lines[_line]]);
            _line++;
        }
        else
        {
            Keep([new RememberedLine(Append(text), text.Length, series)]);
        }
    }

    /// <summary>
    /// Compares lines with the expected ones and reads their values, until a line differs. With <paramref name="passOthers"/>, passes equal
    /// lines that are not samples. Otherwise stops there.
    /// </summary>
    /// <remarks>A repeated scrape spends nearly all of its time in this loop.</remarks>
    private int Follow(ReadOnlySpan<byte> utf8, ValueChunk chunk, int place, bool passOthers)
    {
        ReadOnlySpan<byte> text = _text;
        ReadOnlySpan<RememberedLine> lines = _lines.AsSpan(0, LineCount);
        Span<double> values = chunk.Values.AsSpan(place);
        int position = Position;
        int line = _line;
        int count = 0;
        for (; line < lines.Length; line++)
        {
            RememberedLine expected = lines[line];
            int length = expected.Length;
            if (length > utf8.Length - position || !utf8.Slice(position, length).SequenceEqual(text.Slice(expected.Start, length)))
            {
                break;
            }

            if (!expected.IsSample)
            {
                if (!passOthers)
                {
                    break;
                }

                position += length;
                continue;
            }

            if ((uint)count >= (uint)values.Length)
            {
                break;
            }

            ReadOnlySpan<byte> number = utf8[(position + length)..];
            if (number.Length >= sizeof(ulong) && PrometheusNumber.TryReadDigits(
                PrometheusNumber.ReadWord(ref MemoryMarshal.GetReference(number)), out int digits, out uint value))
            {
                values[count++] = value;
                position += length + digits + 1;
            }
            else if (TryReadNumbers(number, maxLineLength - length, out values[count], out long? timestamp, out int read))
            {
                chunk.Set(
                    place + count,
                    values[count],
                    timestamp is { } known ? PrometheusSample.HeldTimestamp(known) : PrometheusSample.NoTimestamp);
                count++;
                position += length + read;
            }
            else
            {
                break;
            }
        }

        _line = line;
        Position = position;
        return count;
    }

    /// <summary>Reads any value and an optional timestamp, up to the end of the line or of the input.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static bool TryReadNumbers(ReadOnlySpan<byte> text, int maxLength, out double value, out long? timestamp, out int read)
    {
        int newline = text.IndexOf((byte)'\n');
        ReadOnlySpan<byte> numbers = newline < 0 ? text : text[..newline];
        read = newline < 0 ? text.Length : newline + 1;
        timestamp = null;
        value = 0;
        return numbers.Length <= maxLength && PrometheusTextReader.TryReadNumbers(numbers, out value, out timestamp);
    }

    private ReadOnlySpan<byte> TextOf(RememberedLine line) => _text.AsSpan(line.Start, line.Length);

    private int Append(ReadOnlySpan<byte> text)
    {
        if (_isFull || _textLength + (long)text.Length + (long)_newCount * BytesPerLine > Math.Min(maxBytes, Array.MaxLength))
        {
            _isFull = true;
            return 0;
        }

        int start = _textLength;
        MakeRoom(ref _text, start, text.Length);
        text.CopyTo(_text.AsSpan(start));
        _textLength += text.Length;
        return start;
    }

    private void Keep(ReadOnlySpan<RememberedLine> lines)
    {
        if (!_isFull)
        {
            MakeRoom(ref _newLines, _newCount, lines.Length);
            lines.CopyTo(_newLines.AsSpan(_newCount));
            _newCount += lines.Length;
        }
    }

    private static void MakeRoom<T>(ref T[] items, int count, int more)
    {
        if (items.Length - count < more)
        {
            Array.Resize(ref items, (int)Math.Min(Array.MaxLength, Math.Max(256, Math.Max(count + (long)more, 2L * items.Length))));
        }
    }
}

/// <summary>A sample line without its value, or a complete line that is not a sample.</summary>
/// <param name="Start">The start of its text among the texts of the memory.</param>
/// <param name="Length">The length of its text, in bytes.</param>
/// <param name="Series">The index of its series; -1 for a line that is not a sample.</param>
internal readonly record struct RememberedLine(int Start, int Length, int Series)
{
    /// <summary>The length of a line that is not remembered. It is longer than any input, so no line matches it.</summary>
    public const int NeverExpected = int.MaxValue;

    public bool IsSample => Series >= 0;
}
