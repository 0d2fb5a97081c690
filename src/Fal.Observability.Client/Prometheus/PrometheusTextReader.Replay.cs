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
    /// <summary>The line of the sample up to its value: what names the series, as it stands.</summary>
    internal readonly ReadOnlySpan<byte> SeriesBytes => _data[_lineStart.._numberStart];

    /// <summary>The timestamp as a <see cref="PrometheusSample"/> holds it.</summary>
    internal readonly long SampleTimestamp =>
        _hasTimestamp ? Math.Max(_timestamp, PrometheusSample.NoTimestamp + 1) : PrometheusSample.NoTimestamp;

    /// <summary>The current line with its line feed, if it has one.</summary>
    internal readonly ReadOnlySpan<byte> LineWithFeed => _data[_lineStart.._position];

    /// <summary>Reads the next sample if it is the expected one.</summary>
    /// <param name="memory">The memory.</param>
    /// <param name="skipOthers">Whether expected lines that are no samples are passed over; else they end the replay.</param>
    /// <param name="entry">The entry of the sample, whose number is <see cref="Value"/>.</param>
    /// <returns>False, with nothing read but lines passed over, if another line stands here.</returns>
    internal bool TryReplay(SeriesMemory memory, bool skipOthers, out int entry)
    {
        ref byte data = ref MemoryMarshal.GetReference(_data);
        // Two blocks behind the number: one for whole vectors, one for the number itself.
        int limit = (_flags & ~(ReaderFlags.OpenMetrics | ReaderFlags.CarriageReturnReported)) == ReaderFlags.Started
            ? _data.Length - 2 * BlockLength
            : -1;
        while ((entry = memory.Expected) >= 0)
        {
            ref SeriesMemory.Entry expected = ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(memory.Entries), entry);
            int line = _position;
            int number = line + expected.TextLength;
            if (number > limit || !StartsLike(ref Unsafe.Add(ref data, line),
                ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(memory.Text), expected.TextStart), expected.TextLength))
            {
                return TryReplayElsewhere(memory, limit, out entry);
            }

            if (expected.Shape is null)
            {
                if (!skipOthers)
                {
                    return false;
                }

                _position = number;
            }
            else if (!TryReplayNumber(line, number))
            {
                return false;
            }

            _linesRead++;
            memory.AdvanceTo(entry, expected.Next);
            if (expected.Shape is not null)
            {
                return true;
            }
        }

        return false;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool TryReplayNumber(int line, int number)
    {
        uint feeds = Vector128.Equals(Vector128.LoadUnsafe(ref Unsafe.Add(ref MemoryMarshal.GetReference(_data), number)), Vector128.Create((byte)'\n'))
            .ExtractMostSignificantBits();
        int newline = number + BitOperations.TrailingZeroCount(feeds);
        _hasTimestamp = false;
        if ((feeds == 0 || !TryReadShortInteger(number, newline)) && !TryReplayNumbers(number, ref newline))
        {
            return false;
        }

        if (newline - line > _maxLineLength)
        {
            return false;
        }

        _position = newline + 1;
        return true;
    }

    private bool TryReplayNumbers(int number, ref int newline)
    {
        int length = _data[number..].IndexOf((byte)'\n');
        newline = number + length;
        return length >= 0 && TryReadNumbers(number, newline);
    }

    /// <summary>
    /// Some of the expected lines may be gone: then the sample that stands here follows close behind them. Or it is
    /// remembered from elsewhere: then its bytes up to the last blank find it, unless a timestamp follows the value.
    /// </summary>
    private bool TryReplayElsewhere(SeriesMemory memory, int limit, out int entry)
    {
        entry = memory.Expected;
        for (int tried = 0; tried < SeriesMemory.Lookahead; tried++)
        {
            entry = memory.Entries[entry].Next;
            if (entry < 0)
            {
                break;
            }

            SeriesMemory.Entry candidate = memory.Entries[entry];
            int number = _position + candidate.TextLength;
            if (number <= limit && _data[_position..number].SequenceEqual(memory.Text.AsSpan(candidate.TextStart, candidate.TextLength))
                && TryReplayOutOfOrder(memory, entry, number))
            {
                return true;
            }
        }

        int length = limit < 0 || memory.IsLost ? -1 : _data[_position..].IndexOf((byte)'\n');
        int blank = length < 0 ? -1 : _data.Slice(_position, length).LastIndexOf((byte)' ');
        if (blank < 0 || _position + blank >= limit)
        {
            return false;
        }

        entry = memory.Find(_data.Slice(_position, blank + 1), out _);
        return entry >= 0 && TryReplayOutOfOrder(memory, entry, _position + blank + 1);
    }

    private bool TryReplayOutOfOrder(SeriesMemory memory, int entry, int number)
    {
        if (memory.Entries[entry].Shape is null || !TryReplayNumber(_position, number))
        {
            return false;
        }

        _linesRead++;
        memory.Advance(entry);
        return true;
    }

    /// <summary>Reads the next line, which was not the expected one. An index for a line or two costs more than it saves.</summary>
    internal bool ReadUnexpected(SeriesMemory memory)
    {
        memory.NoteMiss(_linesRead);
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
