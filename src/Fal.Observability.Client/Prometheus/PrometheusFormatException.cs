using System.Globalization;

namespace Fal.Observability.Client.Prometheus;

/// <summary>The input breaks the exposition format. The message names the line, the column and the reason.</summary>
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
    /// <param name="column">Where on the line the fault is, in Unicode code points; the first is 1.</param>
    /// <param name="byteOffset">Where in the whole input the fault is, in bytes; the first is 0.</param>
    /// <param name="reason">What is wrong, as a sentence part in English.</param>
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

    /// <summary>The number of the line; the first is 1. 0 where no line is known.</summary>
    public long Line { get; }

    /// <summary>Where on the line the fault is, in Unicode code points; the first is 1. 0 where no line is known.</summary>
    public int Column { get; }

    /// <summary>Where in the whole input the fault is, in bytes; the first is 0.</summary>
    public long ByteOffset { get; }

    /// <summary>What is wrong, without the place.</summary>
    public string Reason { get; }

    /// <summary>The line, cut to its first 256 bytes. Bytes that are not UTF-8 show as U+FFFD.</summary>
    public string LineText { get; }

    internal static string Describe(long line, int column, string reason, string? lineText) =>
        string.Create(CultureInfo.InvariantCulture, $"Line {line}, column {column}: {Show(reason)}. The line reads: {Show(lineText)}");

    /// <summary>A line may hold characters that in a log or a terminal would hide, turn round or forge what is around them.</summary>
    private static string Show(string? text) => string.Concat((text ?? "").Select(c => char.GetUnicodeCategory(c) switch
    {
        UnicodeCategory.Control => string.Create(CultureInfo.InvariantCulture, $"\\x{(int)c:x2}"),
        UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator =>
            string.Create(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}"),
        _ => c.ToString(),
    }));
}
