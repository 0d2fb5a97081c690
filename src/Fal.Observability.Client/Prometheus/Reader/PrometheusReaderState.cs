namespace Fal.Observability.Client.Prometheus;

/// <summary>
/// What a <see cref="PrometheusTextReader"/> hands to the next one when the input arrives in blocks. It holds no part of
/// the input.
/// </summary>
/// <remarks>The default value stands for the beginning of an exposition, read with <see cref="PrometheusParserOptions.Strict"/>.</remarks>
public readonly struct PrometheusReaderState
{
    internal readonly PrometheusParserOptions? Options;
    internal readonly long LinesRead;
    internal readonly long BytesRead;
    internal readonly ReaderFlags Flags;

    /// <summary>The state at the beginning of an exposition.</summary>
    /// <param name="options">How to read. If null, <see cref="PrometheusParserOptions.Strict"/>.</param>
    public PrometheusReaderState(PrometheusParserOptions? options) => Options = options;

    internal PrometheusReaderState(PrometheusParserOptions options, long linesRead, long bytesRead, ReaderFlags flags)
    {
        Options = options;
        LinesRead = linesRead;
        BytesRead = bytesRead;
        Flags = flags;
    }

    /// <summary>The state after whole lines that the caller has read without a reader.</summary>
    internal PrometheusReaderState After(long lines, long bytes) =>
        new(Options ?? PrometheusParserOptions.Strict, LinesRead + lines, BytesRead + bytes, Flags | ReaderFlags.Started);
}

/// <summary>What must be remembered across blocks beside the place.</summary>
[Flags]
internal enum ReaderFlags
{
    None = 0,

    /// <summary>The first bytes were looked at: what comes now is no leading byte order mark.</summary>
    Started = 1,

    /// <summary>A carriage return was reported already.</summary>
    CarriageReturnReported = 2,

    /// <summary>The rest of a line that is too long is being dropped.</summary>
    DroppingLine = 4,

    /// <summary>The line <c># EOF</c> was read.</summary>
    EndSeen = 8,

    /// <summary>The absence of <c># EOF</c>, or what follows it, was reported already.</summary>
    EndReported = 16,

    /// <summary><see cref="PrometheusFormat.Detect"/> was settled in favour of OpenMetrics.</summary>
    OpenMetrics = 32,

    /// <summary>The exemplar of the line that comes next was reported already: the line is read without it.</summary>
    ExemplarReported = 64,
}
