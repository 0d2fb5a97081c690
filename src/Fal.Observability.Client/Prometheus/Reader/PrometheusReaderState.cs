namespace Fal.Observability.Client.Prometheus;

/// <summary>
/// The state that a <see cref="PrometheusTextReader"/> passes to the next one if the input arrives in blocks. It contains no part
/// of the input.
/// </summary>
/// <remarks>The default value is the start of an exposition, with <see cref="PrometheusParserOptions.Strict"/>.</remarks>
public readonly struct PrometheusReaderState
{
    internal readonly PrometheusParserOptions? Options;
    internal readonly long LinesRead;
    internal readonly long BytesRead;
    internal readonly ReaderFlags Flags;

    /// <summary>Creates the state for the start of an exposition.</summary>
    /// <param name="options">The options. If null, <see cref="PrometheusParserOptions.Strict"/>.</param>
    public PrometheusReaderState(PrometheusParserOptions? options) => Options = options;

    internal PrometheusReaderState(PrometheusParserOptions options, long linesRead, long bytesRead, ReaderFlags flags)
    {
        Options = options;
        LinesRead = linesRead;
        BytesRead = bytesRead;
        Flags = flags;
    }

    /// <summary>The state after complete lines that the caller has recognised without a reader.</summary>
    internal PrometheusReaderState After(long lines, long bytes) =>
        new(Options ?? PrometheusParserOptions.Strict, LinesRead + lines, BytesRead + bytes, Flags | ReaderFlags.Started);
}

/// <summary>The part of the state that is not a position.</summary>
[Flags]
internal enum ReaderFlags
{
    None = 0,

    /// <summary>The first bytes were checked for a byte order mark.</summary>
    Started = 1,

    /// <summary>A carriage return was already reported.</summary>
    CarriageReturnReported = 2,

    /// <summary>The reader is discarding the rest of a line that is too long.</summary>
    DroppingLine = 4,

    /// <summary>The line <c># EOF</c> was read.</summary>
    EndSeen = 8,

    /// <summary>The absence of <c># EOF</c>, or text after it, was already reported.</summary>
    EndReported = 16,

    /// <summary><see cref="PrometheusFormat.Detect"/> found OpenMetrics.</summary>
    OpenMetrics = 32,

    /// <summary>The exemplar of the next line was already reported. The line is read without it.</summary>
    ExemplarReported = 64,
}
