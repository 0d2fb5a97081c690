using System.Buffers;

namespace Fal.Observability.Client.Prometheus;

/// <summary>
/// Reads an exposition in blocks, which may be cut anywhere, and records the skipped lines.
/// </summary>
internal abstract class ExpositionBuilder : IDisposable
{
    private readonly List<PrometheusSkippedLine> _skippedLines = [];
    private PrometheusReaderState _state;

    // The start of a line whose end has not arrived yet.
    private byte[] _carry = [];
    private int _carried;

    protected ExpositionBuilder(PrometheusParserOptions? options)
    {
        Options = options ?? PrometheusParserOptions.Strict;
        _state = new PrometheusReaderState(Options);
    }

    /// <summary>The observer of the lines; null for none.</summary>
    public ILineObserver? Lines { get; init; }

    /// <summary>The samples so far.</summary>
    public SampleStore Samples { get; init; } = new SampleBuffer();

    /// <summary>The factory that creates the samples.</summary>
    public SampleFactory Factory { get; } = new();

    /// <summary>Whether a line was skipped, refused or repaired.</summary>
    public bool HasReported { get; private set; }

    protected PrometheusParserOptions Options { get; }

    protected IReadOnlyList<PrometheusSkippedLine> SkippedLines => _skippedLines.Count == 0 ? [] : _skippedLines;

    protected long SkippedLineCount { get; private set; }

    public void Append(ReadOnlySpan<byte> block, bool isFinalBlock)
    {
        if (_carried > 0)
        {
            // Copy only the line that was cut. Read the rest of the block in place.
            int newline = block.IndexOf((byte)'\n');
            int missing = newline < 0 ? block.Length : newline + 1;
            Carry(block[..missing]);
            block = block[missing..];
            bool isAll = isFinalBlock && block.IsEmpty;
            if (newline < 0 && !isAll && _carried <= Options.MaxLineLength)
            {
                return;
            }

            int consumed = Read(_carry.AsSpan(0, _carried), isAll);
            _carry.AsSpan(consumed, _carried - consumed).CopyTo(_carry);
            _carried -= consumed;
            if (isAll || _carried > 0)
            {
                return;
            }
        }

        int read = Read(block, isFinalBlock);
        Carry(block[read..]);
    }

    /// <summary>Counts complete lines that the caller has recognised without this builder.</summary>
    public void PassRepeated(int lines, int bytes) => _state = _state.After(lines, bytes);

    public virtual void Dispose()
    {
        ReturnCarry();
        Samples.End();
        Factory.ReturnTables();
    }

    private void ReturnCarry()
    {
        if (_carry.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(_carry);
        }

        _carry = [];
    }

    /// <summary>Reads tokens until there are no more.</summary>
    protected abstract void ReadTokens(ref PrometheusTextReader reader);

    /// <summary>Records the current malformed line.</summary>
    protected void Skip(scoped ref readonly PrometheusTextReader reader)
    {
        HasReported = true;
        if (reader.LineWasLost)
        {
            SkippedLineCount++;
        }

        if (IsReportWanted)
        {
            Report(reader.GetSkippedLine());
        }
    }

    /// <summary>Refuses a well-formed line that breaks a rule of its family: throws, or records it in lenient mode.</summary>
    /// <param name="reader">The reader that shows the line.</param>
    /// <param name="reason">The reason.</param>
    /// <param name="wasKept">Whether the content of the line is kept.</param>
    protected void Refuse(scoped ref readonly PrometheusTextReader reader, string reason, bool wasKept = false)
    {
        if (!Options.SkipMalformedLines)
        {
            PrometheusSkippedLine line = reader.DescribeLine(reason, wasKept);
            throw new PrometheusFormatException(line.Line, line.Column, line.ByteOffset, line.Reason, line.Text);
        }

        HasReported = true;
        if (!wasKept)
        {
            SkippedLineCount++;
        }

        if (IsReportWanted)
        {
            Report(reader.DescribeLine(reason, wasKept));
        }
    }

    /// <summary>Whether a report would be used. A description costs more time than the line, so unused ones are not created.</summary>
    private bool IsReportWanted => _skippedLines.Count < Options.MaxRecordedSkippedLines || Options.OnSkippedLine is not null;

    private void Report(PrometheusSkippedLine line)
    {
        if (_skippedLines.Count < Options.MaxRecordedSkippedLines)
        {
            _skippedLines.Add(line);
        }

        Options.OnSkippedLine?.Invoke(line);
    }

    private int Read(ReadOnlySpan<byte> block, bool isFinalBlock)
    {
        var reader = new PrometheusTextReader(block, isFinalBlock, _state);
        ReadTokens(ref reader);
        _state = reader.CurrentState;
        return reader.BytesConsumed;
    }

    private void Carry(ReadOnlySpan<byte> bytes)
    {
        if (_carry.Length - _carried < bytes.Length)
        {
            byte[] larger = ArrayPool<byte>.Shared.Rent(Math.Max(_carried + bytes.Length, _carry.Length * 2));
            _carry.AsSpan(0, _carried).CopyTo(larger);
            ReturnCarry();
            _carry = larger;
        }

        bytes.CopyTo(_carry.AsSpan(_carried));
        _carried += bytes.Length;
    }
}
