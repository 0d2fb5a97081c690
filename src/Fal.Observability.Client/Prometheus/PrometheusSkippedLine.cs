namespace Fal.Observability.Client.Prometheus;

/// <summary>A line that lenient reading skipped or repaired, and the reason.</summary>
/// <param name="Line">The number of the line; the first is 1.</param>
/// <param name="Column">The column of the fault, in Unicode code points; the first is 1.</param>
/// <param name="ByteOffset">The offset of the fault in the whole input, in bytes; the first is 0.</param>
/// <param name="Reason">The reason, an English phrase without a full stop.</param>
/// <param name="Text">The first 256 bytes of the line. Invalid UTF-8 is shown as U+FFFD.</param>
public sealed record PrometheusSkippedLine(long Line, int Column, long ByteOffset, string Reason, string Text)
{
    /// <summary>
    /// Whether the content of the line was kept. This is so if a carriage return at its end, a byte order mark before it or its exemplar
    /// was ignored, if the exposition has no <c># EOF</c>, or if a sample breaks a rule of its metric family.
    /// </summary>
    /// <value>False for a line that was skipped.</value>
    public bool WasKept { get; init; }

    /// <summary>Returns the line number, column, reason and line, in the form of <see cref="PrometheusFormatException"/>.</summary>
    /// <returns>The text, independent of the culture and without control characters.</returns>
    public override string ToString() => PrometheusFormatException.Describe(Line, Column, Reason, Text);
}
