namespace Fal.Observability.Client.Prometheus;

/// <summary>
/// The lines of a scrape up to their values, in their order, each as what it has of its own beside the beginning that it shares
/// with the line before. Neighbours mostly differ in one label, so that a script is a small part of the bytes it stands for,
/// and following it costs little more than reading the input.
/// </summary>
internal sealed class ScrapeScript
{
    /// <summary>So many bytes may be read from any place in <see cref="Rests"/>, and more than there are.</summary>
    internal const int Slack = 64;

    private const int BytesPerLine = 8;

    // Fields, because following a line has few cycles to spend.
    internal ScrapeStep[] Steps = [];
    internal byte[] Rests = new byte[Slack];

    /// <summary>For each line that is a sample, its place in the table of series.</summary>
    internal int[] Series = [];

    internal int LineCount;

    internal int SampleCount;

    /// <summary>No line has a longer text.</summary>
    internal int LongestText;

    private int _restLength;

    internal long Bytes => (long)LineCount * BytesPerLine + _restLength;

    internal void Clear() => LineCount = SampleCount = LongestText = _restLength = 0;

    /// <summary>The place after a line.</summary>
    internal ScriptPlace After(ScriptPlace place)
    {
        ScrapeStep step = Steps[place.Line];
        return new ScriptPlace { Line = place.Line + 1, Rest = place.Rest + step.RestLength, Sample = place.Sample + (step.IsSample ? 1 : 0) };
    }

    internal int LengthBefore(ScriptPlace place) => place.Line == 0 ? 0 : Steps[place.Line - 1].Length;

    /// <summary>Completes the text of a line over that of the line before.</summary>
    internal void Complete(ScriptPlace place, Span<byte> text)
    {
        ScrapeStep step = Steps[place.Line];
        Rests.AsSpan(place.Rest, step.RestLength).CopyTo(text[step.Shared..]);
    }

    /// <summary>Writes a line down.</summary>
    /// <param name="before">The line that was written down before; as much of it as is its text.</param>
    /// <param name="text">The text, at most <see cref="ScrapeStep.MaxLength"/> bytes.</param>
    /// <param name="series">The series of a sample; -1 for a line that is none.</param>
    internal void Append(ReadOnlySpan<byte> before, ReadOnlySpan<byte> text, int series)
    {
        int shared = before.CommonPrefixLength(text);
        MakeRoom(1, text.Length - shared, 1);
        Steps[LineCount++] = new ScrapeStep(shared, text.Length - shared, isSample: series >= 0);
        text[shared..].CopyTo(Rests.AsSpan(_restLength));
        _restLength += text.Length - shared;
        LongestText = Math.Max(LongestText, text.Length);
        if (series >= 0)
        {
            Series[SampleCount++] = series;
        }
    }

    /// <summary>Writes down lines of another script, of which the one before the first was written down last.</summary>
    internal void Append(ScrapeScript other, ScriptPlace from, ScriptPlace to)
    {
        int lines = to.Line - from.Line;
        int rests = to.Rest - from.Rest;
        int samples = to.Sample - from.Sample;
        MakeRoom(lines, rests, samples);
        other.Steps.AsSpan(from.Line, lines).CopyTo(Steps.AsSpan(LineCount));
        other.Rests.AsSpan(from.Rest, rests).CopyTo(Rests.AsSpan(_restLength));
        other.Series.AsSpan(from.Sample, samples).CopyTo(Series.AsSpan(SampleCount));
        LineCount += lines;
        LongestText = Math.Max(LongestText, other.LongestText);
        _restLength += rests;
        SampleCount += samples;
    }

    private void MakeRoom(int lines, int rests, int samples)
    {
        Grow(ref Steps, LineCount, lines);
        Grow(ref Rests, _restLength, rests + Slack);
        Grow(ref Series, SampleCount, samples);

        static void Grow<T>(ref T[] items, int count, int more)
        {
            if (count + more > items.Length)
            {
                Array.Resize(ref items, Math.Max(count + more, Math.Max(256, items.Length * 2)));
            }
        }
    }
}

/// <summary>A place in a script: a line, and what of the script's other lists belongs to it and what is before it.</summary>
internal struct ScriptPlace
{
    internal int Line;
    internal int Rest;
    internal int Sample;
}

/// <summary>One line of a script: how much it shares with the line before, and how much it has of its own.</summary>
internal readonly struct ScrapeStep(int shared, int rest, bool isSample)
{
    /// <summary>Longer lines are not written down.</summary>
    internal const int MaxLength = short.MaxValue;

    internal const int ShortShared = 127;

    internal const int ShortRest = 63;

    /// <summary>The bytes of a step.</summary>
    internal const int Size = sizeof(uint);

    // One word, of which the lower half is what is shared, and the highest bit says that the line is no sample.
    private readonly uint _word = (uint)shared | ((uint)rest << 16) | (isSample ? 0 : 0x80000000);

    internal int Shared => (ushort)_word;

    internal int RestLength => (int)(_word >> 16) & MaxLength;

    internal bool IsSample => (int)_word >= 0;

    /// <summary>Whether more is shared, or is not, than <see cref="ShortShared"/> and <see cref="ShortRest"/> say.</summary>
    internal bool IsLong => (_word & (((MaxLength & ~ShortRest) << 16) | (MaxLength & ~ShortShared))) != 0;

    internal int Length => Shared + RestLength;
}
