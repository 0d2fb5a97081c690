using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Fal.Observability.Client.Prometheus;

/// <content>
/// Reading with a memory of the scrape before. A line that begins with the bytes of the expected series was checked when it
/// was read the first time; what is left to read is its number.
/// </content>
public ref partial struct PrometheusTextReader
{
    /// <summary>The input.</summary>
    internal readonly ReadOnlySpan<byte> Data => _data;

    /// <summary>Where the current line begins in <see cref="Data"/>.</summary>
    internal readonly int LineStart => _lineStart;

    /// <summary>The line of the sample up to its value: what names the series, as it stands.</summary>
    internal readonly ReadOnlySpan<byte> SeriesBytes => _data[_lineStart.._numberStart];

    /// <summary>The timestamp as a <see cref="PrometheusSample"/> holds it.</summary>
    internal readonly long SampleTimestamp =>
        _hasTimestamp ? Math.Max(_timestamp, PrometheusSample.NoTimestamp + 1) : PrometheusSample.NoTimestamp;

    /// <summary>The current line with its line feed, if it has one.</summary>
    internal readonly ReadOnlySpan<byte> LineWithFeed => _data[_lineStart.._position];

    /// <summary>Reads the next samples if they are remembered ones; then they are the run of the memory.</summary>
    /// <param name="memory">The memory.</param>
    /// <param name="skipOthers">Whether expected lines that are no samples are passed over; else they end the replay.</param>
    /// <returns>False, with nothing read but lines passed over, if another line stands here.</returns>
    internal bool TryReplay(SeriesMemory memory, bool skipOthers)
    {
        if (!CanReplay() || _position == _notReplayedAt)
        {
            _notReplayedAt = -1;
            return false;
        }

        ValueChunk run = memory.BeginRun();
        int count = 0;
        while (count < run.Values.Length)
        {
            int read = ReplayRun(memory, run, count, skipOthers);
            memory.AddToRun(read);
            count += read;
            if (count == run.Values.Length)
            {
                break;
            }

            int series;
            if (TryReplayLine(memory, SeriesMemory.Lookahead, skipOthers, out ScriptPlace found))
            {
                series = memory.SeriesAt(found);
                memory.Resume(_data, _lineStart, found);
            }
            else if (!TryLookUp(memory, out series))
            {
                // Not to be tried again when the run is used up.
                _notReplayedAt = _position;
                break;
            }

            if (series >= 0)
            {
                run.Set(count++, _value, SampleTimestamp);
                memory.AddToRunOutOfOrder(series);
            }
        }

        _notReplayedAt = count == 0 ? -1 : _notReplayedAt;
        return count > 0;
    }

    /// <summary>Reads a whole scrape that is the last one with other values.</summary>
    /// <returns>False if it is another one.</returns>
    internal bool TryRepeat(SeriesMemory memory, SampleValues values)
    {
        int read = 0;
        while (CanReplay())
        {
            ValueChunk chunk = values.ChunkOf(read);
            int first = SampleValues.PlaceInChunk(read);
            int count = ReplayRun(memory, chunk, first, skipOthers: true);
            read += count;
            if (count > 0 && first + count == chunk.Values.Length)
            {
                continue;
            }

            if (!TryReplayLine(memory, lookahead: 0, skipOthers: true, out ScriptPlace found))
            {
                break;
            }

            if (memory.SeriesAt(found) >= 0)
            {
                chunk.Set(first + count, _value, SampleTimestamp);
                read++;
            }

            memory.Resume(_data, _lineStart, found);
        }

        return read == values.Count && _position == _data.Length && memory.Expected.Line == memory.Script.LineCount;
    }

    /// <summary>Whether the reader is at a line like any other, and not at something that it has to report first.</summary>
    private bool CanReplay()
    {
        if (_flags == ReaderFlags.None && !_data.IsEmpty && _data[0] != 0xEF)
        {
            _flags = ReaderFlags.Started;
        }

        return (_flags & ~ReaderFlags.CarriageReturnReported) == ReaderFlags.Started;
    }

    /// <summary>
    /// Follows the script from line to line as long as the input does, but not into the last two blocks of it: whole vectors
    /// are compared, wherever a line ends.
    /// </summary>
    /// <returns>How many samples were read.</returns>
    /// <remarks>Nothing is inlined into the loop but what each line needs, nor the loop into anything: it needs all registers.</remarks>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private int ReplayRun(SeriesMemory memory, ValueChunk chunk, int first, bool skipOthers)
    {
        ScriptPlace expected = memory.Expected;
        ScrapeScript script = memory.Script;
        if (!memory.IsInStep || expected.Line == script.LineCount)
        {
            return 0;
        }

        ref byte data = ref MemoryMarshal.GetReference(_data);
        ref ScrapeStep steps = ref MemoryMarshal.GetArrayDataReference(script.Steps);
        ref byte rests = ref MemoryMarshal.GetArrayDataReference(script.Rests);
        ref double values = ref MemoryMarshal.GetArrayDataReference(chunk.Values);
        int limit = _data.Length - 2 * BlockLength;
        int longest = _maxLineLength;
        int lines = script.LineCount;
        int room = chunk.Values.Length;
        int place = first;
        int previous = memory.Previous;
        int line = _position;
        int blankLines = 0;
        int at = expected.Line;
        int restAt = expected.Rest;
        while (at < lines)
        {
            ScrapeStep step = Unsafe.Add(ref steps, at);
            int rest = line + step.Shared;
            int number = rest + step.RestLength;
            if (number > limit
                || !StartSame(ref Unsafe.Add(ref data, line), ref Unsafe.Add(ref data, previous), step.Shared)
                || !RestIsSame(ref Unsafe.Add(ref data, rest), ref Unsafe.Add(ref rests, restAt), step.RestLength))
            {
                if (line >= limit || Unsafe.Add(ref data, line) != '\n')
                {
                    break;
                }

                line++;
                blankLines++;
                continue;
            }

            if (!step.IsSample)
            {
                if (!skipOthers)
                {
                    break;
                }

                previous = line;
                line = number;
            }
            else
            {
                if (place == room)
                {
                    break;
                }

                uint feeds = Vector128.Equals(Vector128.LoadUnsafe(ref Unsafe.Add(ref data, number)), Vector128.Create((byte)'\n')).ExtractMostSignificantBits();
                int newline = number + BitOperations.TrailingZeroCount(feeds);
                if (feeds == 0 || !TryReadShortInteger(ref data, number, newline, out double value))
                {
                    // A variable of its own: the place of the next line must not have to go through memory.
                    if (!TryReadNumbersOfLine(number, out int end))
                    {
                        break;
                    }

                    newline = end;
                    if (_hasTimestamp)
                    {
                        chunk.SetTimestamp(place, SampleTimestamp);
                    }

                    value = _value;
                }

                if (newline - line > longest)
                {
                    break;
                }

                Unsafe.Add(ref values, place++) = value;
                previous = line;
                line = newline + 1;
            }

            restAt += step.RestLength;
            at++;
        }

        _linesRead += at - expected.Line + blankLines;
        _position = line;
        if (at > expected.Line)
        {
            memory.Advance(new ScriptPlace { Line = at, Rest = restAt, Sample = expected.Sample + place - first }, previous);
        }

        return place - first;
    }

    /// <summary>Whether so many bytes are the same in two places that have a block behind them. Mostly one block decides.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool StartSame(ref byte left, ref byte right, int length)
    {
        while (length > BlockLength)
        {
            if (EqualBytes(ref left, ref right) != ulong.MaxValue)
            {
                return false;
            }

            left = ref Unsafe.Add(ref left, BlockLength);
            right = ref Unsafe.Add(ref right, BlockLength);
            length -= BlockLength;
        }

        return BitOperations.TrailingZeroCount(~EqualBytes(ref left, ref right)) >= length;
    }

    /// <summary>The same for what a line has of its own, which is mostly a few bytes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool RestIsSame(ref byte left, ref byte right, int length) =>
        length <= Vector128<byte>.Count
            ? BitOperations.TrailingZeroCount(~Vector128.Equals(Vector128.LoadUnsafe(ref left), Vector128.LoadUnsafe(ref right)).ExtractMostSignificantBits()) >= length
            : StartSame(ref left, ref right, length);

    /// <summary>Reads the next line with care for where the input ends, if it is one of the next of the script.</summary>
    private bool TryReplayLine(SeriesMemory memory, int lookahead, bool skipOthers, out ScriptPlace found)
    {
        while (_position < _data.Length && _data[_position] == '\n')
        {
            _position++;
            _linesRead++;
        }

        if (!memory.TryFindAhead(_data, _position, -1, lookahead, out found))
        {
            return false;
        }

        ScrapeStep step = memory.StepAt(found);
        return step.IsSample ? TryFinishReplay(_position + step.Length) : skipOthers && FinishReplay(_position + step.Length);
    }

    /// <summary>
    /// Looks the next line up: its bytes to the last blank name its series, unless a timestamp follows the value. A reader that is
    /// lost had better read the line, since it mostly is a new one.
    /// </summary>
    private bool TryLookUp(SeriesMemory memory, out int series)
    {
        ReadOnlySpan<byte> rest = _data[_position..];
        int length = memory.IsLost ? -1 : rest.IndexOf((byte)'\n');
        int text = length < 0 ? 0 : rest[..length].LastIndexOf((byte)' ') + 1;
        series = text == 0 ? -1 : memory.Find(rest[..text]);
        if (series < 0 || !TryFinishReplay(_position + text))
        {
            return false;
        }

        memory.Come(_data, _lineStart, text, series);
        return true;
    }

    private bool TryFinishReplay(int number) =>
        TryReadNumbersOfLine(number, out int newline) && newline - _position <= _maxLineLength && FinishReplay(Math.Min(newline + 1, _data.Length));

    private bool FinishReplay(int next)
    {
        _lineStart = _position;
        _position = next;
        _linesRead++;
        return true;
    }

    /// <summary>Any value, perhaps a timestamp, to the end of the line or of the input.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool TryReadNumbersOfLine(int number, out int newline)
    {
        int length = _data[number..].IndexOf((byte)'\n');
        newline = length < 0 ? _data.Length : number + length;
        _hasTimestamp = false;
        return TryReadShortInteger(ref MemoryMarshal.GetReference(_data), number, newline, out _value) || TryReadNumbers(number, newline);
    }

    /// <summary>Reads the next line, which was not the expected one. An index for a line or two costs more than it saves.</summary>
    internal bool ReadUnexpected(SeriesMemory memory)
    {
        _indexIsSuspended = !memory.IsLost;
        // The lines replayed since were not taken from the index.
        MoveTo(_position);
        if (_indexIsSuspended)
        {
            _indexCount = _cursor = 0;
        }

        return Read();
    }
}
