using System.Buffers;

namespace Fal.Observability.Client.Prometheus;

/// <summary>
/// Takes an exposition in blocks, wherever they are cut, runs a reader over them, and keeps account of skipped lines.
/// </summary>
internal abstract class ExpositionBuilder : IDisposable
{
    private readonly List<PrometheusSkippedLine> _skippedLines = [];
    private PrometheusReaderState _state;

    // The beginning of a line whose end has not arrived.
    private byte[] _carry = [];
    private int _carried;

    protected ExpositionBuilder(PrometheusParserOptions? options)
    {
        Options = options ?? PrometheusParserOptions.Strict;
        _state = new PrometheusReaderState(Options);
    }

    /// <summary>Who is told of the lines that are read; null if nobody.</summary>
    public ILineObserver? Lines { get; init; }

    /// <summary>The samples so far.</summary>
    public SampleStore Samples { get; init; } = new SampleBuffer();

    /// <summary>Makes the samples.</summary>
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
            // Only the line that was cut is copied together; the rest is read where it is.
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

    /// <summary>Passes over whole lines that the caller has recognised.</summary>
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

    /// <summary>Takes note of the malformed line that the reader shows.</summary>
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

    /// <summary>Refuses a line that is well formed but breaks a rule beyond it: throws, or takes note of it.</summary>
    /// <param name="reader">The reader that shows the line.</param>
    /// <param name="reason">What is wrong.</param>
    /// <param name="wasKept">Whether what the line says is kept all the same.</param>
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

    /// <summary>Whether somebody would see a report; to describe a line for nobody costs more than to read it.</summary>
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
