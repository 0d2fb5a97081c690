namespace Fal.Observability.Client.Prometheus;

/// <summary>A line that lenient reading skipped, or repaired, and why.</summary>
/// <param name="Line">The number of the line; the first is 1.</param>
/// <param name="Column">Where on the line the fault is, in Unicode code points; the first is 1.</param>
/// <param name="ByteOffset">Where in the whole input the fault is, in bytes; the first is 0.</param>
/// <param name="Reason">What is wrong, as a sentence part in English.</param>
/// <param name="Text">The line, cut to its first 256 bytes. Bytes that are not UTF-8 show as U+FFFD.</param>
public sealed record PrometheusSkippedLine(long Line, int Column, long ByteOffset, string Reason, string Text)
{
    /// <summary>
    /// Whether the line was read all the same: a carriage return at its end, a byte order mark before it or the exemplar behind it was
    /// ignored, or the exposition lacks <c># EOF</c> at its end, or the line breaks a rule of its metric family.
    /// </summary>
    /// <value>False for a line that was left out.</value>
    public bool WasKept { get; init; }

    /// <summary>The place, the reason and the line, as a <see cref="PrometheusFormatException"/> says them.</summary>
    /// <returns>The text, the same in every culture, without control characters.</returns>
    public override string ToString() => PrometheusFormatException.Describe(Line, Column, Reason, Text);
}
