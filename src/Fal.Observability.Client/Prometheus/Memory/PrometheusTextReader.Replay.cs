using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

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
    private int ReplayRun(SeriesMemory memory, ValueChunk chunk, int first, bool skipOthers)
    {
        ScriptPlace expected = memory.Expected;
        ScrapeScript script = memory.Script;
        int limit = _data.Length - 2 * BlockLength;
        if (!memory.IsInStep || expected.Line == script.LineCount || limit < Math.Max(script.LongestText, ScrapeStep.ShortShared + ScrapeStep.ShortRest) || script.LongestText > _maxLineLength - BlockLength)
        {
            return 0;
        }

        ref byte data = ref MemoryMarshal.GetReference(_data);
        var run = new ScriptRun
        {
            Line = ref Unsafe.Add(ref data, _position),
            Previous = ref Unsafe.Add(ref data, memory.Previous),
            Limit = ref Unsafe.Add(ref data, limit),
            LongLimit = ref Unsafe.Add(ref data, limit - script.LongestText),
            Step = ref script.Steps[expected.Line],
            Rest = ref script.Rests[expected.Rest],
            Value = ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(chunk.Values), first),
            SkipsOthers = skipOthers,
        };
        ScriptRun start = run;
        while (true)
        {
            int steps = Math.Min(script.LineCount - expected.Line - run.LinesSince(ref start), chunk.Values.Length - first - run.SamplesSince(ref start));
            if (steps == 0)
            {
                break;
            }

            bool isExpected = run.Follow(steps);
            if (run.IsAtEnd || (isExpected && run.TryReadDecimal()))
            {
                continue;
            }

            // Another line ends the run, and one that is only longer than most, or its number, does not.
            if (!isExpected && !run.IsExpected())
            {
                break;
            }

            if (run.Step.IsSample)
            {
                int line = (int)Unsafe.ByteOffset(ref data, ref run.Line);
                if (!TryReadNumbersOfLine(line + run.Step.Length, out int newline) || newline >= limit || newline - line > _maxLineLength)
                {
                    break;
                }

                if (_hasTimestamp)
                {
                    chunk.SetTimestamp(first + run.SamplesSince(ref start), SampleTimestamp);
                }

                run.AdvanceSample(_value, newline + 1 - line);
            }
            else if (skipOthers)
            {
                run.Advance(run.Step.Length);
            }
            else
            {
                break;
            }
        }

        int lines = run.LinesSince(ref start);
        int samples = run.SamplesSince(ref start);
        if (lines > 0)
        {
            _linesRead += lines;
            _position = (int)Unsafe.ByteOffset(ref data, ref run.Line);
            int rest = expected.Rest + (int)Unsafe.ByteOffset(ref start.Rest, ref run.Rest);
            memory.Advance(new ScriptPlace { Line = expected.Line + lines, Rest = rest, Sample = expected.Sample + samples },
                (int)Unsafe.ByteOffset(ref data, ref run.Previous));
        }

        return samples;
    }

    /// <summary>Where the input, the script and the values stand while one follows the other.</summary>
    private ref struct ScriptRun
    {
        internal ref byte Line;
        internal ref byte Previous;

        /// <summary>No text of a line may end behind this.</summary>
        internal ref byte Limit;

        /// <summary>No line may begin behind this, be it as long as the longest.</summary>
        internal ref byte LongLimit;

        internal ref ScrapeStep Step;
        internal ref byte Rest;
        internal ref double Value;
        internal bool SkipsOthers;
        private ref ScrapeStep _end;

        internal readonly int LinesSince(ref ScriptRun start) => (int)(Unsafe.ByteOffset(ref start.Step, ref Step) / ScrapeStep.Size);

        internal readonly int SamplesSince(ref ScriptRun start) => (int)(Unsafe.ByteOffset(ref start.Value, ref Value) / sizeof(double));

        /// <summary>Whether so many lines were followed as there could be.</summary>
        internal readonly bool IsAtEnd => Unsafe.AreSame(ref Step, ref _end);

        /// <summary>Goes from line to line as long as each is the expected one, neither it nor its number being unusually long.</summary>
        /// <param name="steps">How many lines there may be.</param>
        /// <returns>True if the line that ended it is the expected one but for its number.</returns>
        /// <remarks>
        /// This loop is what a repeated scrape costs. It calls nothing, so that all it works with stays in registers, and none
        /// of its branches depends on lengths that change from line to line: a branch guessed wrongly costs as much as half a line.
        /// </remarks>
        [MethodImpl(MethodImplOptions.NoInlining)]
        internal bool Follow(int steps)
        {
            ref byte line = ref Line;
            ref byte previous = ref Previous;
            ref byte limit = ref Unsafe.Subtract(ref Limit, ScrapeStep.ShortShared + ScrapeStep.ShortRest);
            ref byte longLimit = ref LongLimit;
            ref ScrapeStep step = ref Step;
            ref ScrapeStep end = ref Unsafe.Add(ref step, steps);
            ref byte rest = ref Rest;
            ref double value = ref Value;
            _end = ref end;
            bool isExpected = false;
            do
            {
                ScrapeStep expected = step;
                nint shared = expected.Shared;
                nint restLength = expected.RestLength;
                ref byte own = ref Unsafe.Add(ref line, shared);
                if (expected.IsLong)
                {
                    if (!Unsafe.IsAddressLessThan(ref line, ref longLimit)
                        || !IsSame(ref line, ref previous, shared) || !IsSame(ref own, ref rest, restLength))
                    {
                        break;
                    }
                }
                else
                {
                    if (!Unsafe.IsAddressLessThan(ref line, ref limit))
                    {
                        break;
                    }

                    // Two blocks cover what is shared, the one from its start, the other up to its end.
                    nint second = shared - BlockLength;
                    second &= ~(second >> 63);
                    ulong others = LowBits(DifferentBytes(ref line, ref previous, second), shared) | LowBits(~EqualBytes(ref own, ref rest), restLength);
                    if (others != 0)
                    {
                        break;
                    }
                }

                ref byte number = ref Unsafe.Add(ref own, restLength);
                if (expected.IsSample)
                {
                    if (!PrometheusNumber.TryReadDigits(PrometheusNumber.ReadWord(ref number), out int length, out uint digits))
                    {
                        isExpected = true;
                        break;
                    }

                    value = digits;
                    value = ref Unsafe.Add(ref value, 1);
                    previous = ref line;
                    line = ref Unsafe.Add(ref number, length + 1);
                }
                else
                {
                    if (!SkipsOthers)
                    {
                        break;
                    }

                    previous = ref line;
                    line = ref number;
                }

                rest = ref Unsafe.Add(ref rest, restLength);
                step = ref Unsafe.Add(ref step, 1);
            }
            while (Unsafe.IsAddressLessThan(ref step, ref end));

            Line = ref line;
            Previous = ref previous;
            Step = ref step;
            Rest = ref rest;
            Value = ref value;
            return isExpected;
        }

        /// <summary>Goes past the expected sample if it has a number that is not unusually long.</summary>
        internal bool TryReadDecimal()
        {
            int text = Step.Length;
            if (!PrometheusNumber.TryReadDecimal(ref Unsafe.Add(ref Line, text), out int length, out double value))
            {
                return false;
            }

            AdvanceSample(value, text + length + 1);
            return true;
        }

        /// <summary>Whether the line is the expected one, however long it is.</summary>
        internal readonly bool IsExpected()
        {
            int shared = Step.Shared;
            int restLength = Step.RestLength;
            return shared + restLength <= Unsafe.ByteOffset(ref Line, ref Limit)
                && AreSame(ref Line, ref Previous, shared)
                && AreSame(ref Unsafe.Add(ref Line, shared), ref Rest, restLength);
        }

        /// <summary>Goes on to the next line from a sample.</summary>
        internal void AdvanceSample(double value, int lineLength)
        {
            Value = value;
            Value = ref Unsafe.Add(ref Value, 1);
            Advance(lineLength);
        }

        /// <summary>Goes on to the next line.</summary>
        internal void Advance(int lineLength)
        {
            Previous = ref Line;
            Line = ref Unsafe.Add(ref Line, lineLength);
            Rest = ref Unsafe.Add(ref Rest, Step.RestLength);
            Step = ref Unsafe.Add(ref Step, 1);
        }

        private static bool AreSame(ref byte left, ref byte right, int length) =>
            MemoryMarshal.CreateReadOnlySpan(ref left, length).SequenceEqual(MemoryMarshal.CreateReadOnlySpan(ref right, length));

        /// <summary>The same without a call.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static bool IsSame(ref byte left, ref byte right, nint length)
        {
            for (; length > BlockLength; length -= BlockLength)
            {
                if (EqualBytes(ref left, ref right) != ulong.MaxValue)
                {
                    return false;
                }

                left = ref Unsafe.Add(ref left, BlockLength);
                right = ref Unsafe.Add(ref right, BlockLength);
            }

            return LowBits(~EqualBytes(ref left, ref right), length) == 0;
        }

        /// <summary>One bit for each byte of a block that is another in both places, or is so a number of bytes later.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static ulong DifferentBytes(ref byte left, ref byte right, nint second)
        {
            if (Vector512.IsHardwareAccelerated)
            {
                Vector512<byte> first = Vector512.LoadUnsafe(ref left) ^ Vector512.LoadUnsafe(ref right);
                Vector512<byte> other = Vector512.LoadUnsafe(ref Unsafe.Add(ref left, second)) ^ Vector512.LoadUnsafe(ref Unsafe.Add(ref right, second));
                return ~Vector512.Equals(first | other, Vector512<byte>.Zero).ExtractMostSignificantBits();
            }

            return ~(EqualBytes(ref left, ref right) & EqualBytes(ref Unsafe.Add(ref left, second), ref Unsafe.Add(ref right, second)));
        }

        /// <summary>So many of the bits, all of them from 64 on.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static ulong LowBits(ulong bits, nint count) =>
            Bmi2.X64.IsSupported ? Bmi2.X64.ZeroHighBits(bits, (ulong)count)
            : count >= 64 ? bits
            : bits & ((1UL << (int)count) - 1);
    }

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
        if (!memory.TryGuess(rest, out series, out int text))
        {
            int length = memory.IsLost ? -1 : rest.IndexOf((byte)'\n');
            text = length < 0 ? 0 : rest[..length].LastIndexOf((byte)' ') + 1;
            series = text == 0 ? -1 : memory.Find(rest[..text]);
        }

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
