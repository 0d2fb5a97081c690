using System.Globalization;

namespace Fal.Observability.Client.Prometheus;

/// <summary>The input is malformed. The message contains the line number, the column, the reason and the line.</summary>
public sealed class PrometheusFormatException : FormatException
{
    /// <summary>Creates the exception with a general message.</summary>
    public PrometheusFormatException()
        : this("The input is not a valid Prometheus exposition.")
    {
    }

    /// <summary>Creates the exception.</summary>
    /// <param name="message">The message.</param>
    public PrometheusFormatException(string message)
        : base(message) => (Reason, LineText) = (message, "");

    /// <summary>Creates the exception.</summary>
    /// <param name="message">The message.</param>
    /// <param name="innerException">What caused it.</param>
    public PrometheusFormatException(string message, Exception? innerException)
        : base(message, innerException) => (Reason, LineText) = (message, "");

    /// <summary>Creates the exception for a line.</summary>
    /// <param name="line">The number of the line; the first is 1.</param>
    /// <param name="column">The column of the fault, in Unicode code points; the first is 1.</param>
    /// <param name="byteOffset">The offset of the fault in the whole input, in bytes; the first is 0.</param>
    /// <param name="reason">The reason, an English phrase without a full stop.</param>
    /// <param name="lineText">The line, cut to a bounded length.</param>
    public PrometheusFormatException(long line, int column, long byteOffset, string reason, string lineText)
        : base(Describe(line, column, reason, lineText))
    {
        Line = line;
        Column = column;
        ByteOffset = byteOffset;
        Reason = reason ?? "";
        LineText = lineText ?? "";
    }

    /// <summary>The number of the line; the first is 1. 0 if the line is unknown.</summary>
    public long Line { get; }

    /// <summary>The column of the fault, in Unicode code points; the first is 1. 0 if the line is unknown.</summary>
    public int Column { get; }

    /// <summary>The offset of the fault in the whole input, in bytes; the first is 0.</summary>
    public long ByteOffset { get; }

    /// <summary>The reason, without the line and column.</summary>
    public string Reason { get; }

    /// <summary>The first 256 bytes of the line. Invalid UTF-8 is shown as U+FFFD.</summary>
    public string LineText { get; }

    internal static string Describe(long line, int column, string reason, string? lineText) =>
        string.Create(CultureInfo.InvariantCulture, $"Line {line}, column {column}: {Show(reason)}. The line reads: {Show(lineText)}");

    /// <summary>Escapes characters that could hide, reverse or forge the text around them in a log or terminal.</summary>
    private static string Show(string? text) => string.Concat((text ?? "").Select(c => char.GetUnicodeCategory(c) switch
    {
        UnicodeCategory.Control => string.Create(CultureInfo.InvariantCulture, $"\\x{(int)c:x2}"),
        UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator =>
            string.Create(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}"),
        _ => c.ToString(),
    }));
}
