using System.Globalization;

namespace Fal.Observability.Client.Prometheus;

/// <summary>
/// The reason why a line is malformed. It is a code, so that a skipped line allocates no string unless a report needs it.
/// </summary>
internal enum LineFault
{
    None = 0,
    ByteOrderMark,
    CarriageReturnAtEnd,
    LoneCarriageReturn,
    LineTooLong,
    BlankLine,
    InvalidMetricName,
    InvalidNameByte,
    MissingMetricName,
    EmptyName,
    SecondMetricName,
    NameInExemplar,
    InvalidLabelName,
    ReservedLabelName,
    DuplicateLabelName,
    TooManyLabels,
    ExpectedEquals,
    ExpectedQuotedValue,
    UnclosedQuote,
    InvalidUtf8,
    ExpectedCommaOrBrace,
    TrailingComma,
    UnclosedBraces,
    ExpectedSpace,
    MissingValue,
    InvalidValue,
    InvalidTimestamp,
    TextAfterSample,
    InvalidExemplar,
    InvalidMetadataName,
    ExpectedSpaceAfterName,
    MissingMetadataText,
    UnknownType,
    UnitNotInName,
    UnknownComment,
    ExemplarTooLong,
    TextAfterEnd,
    CutOff,
    MissingEnd,

    /// <summary>A flag for another fault: the fault is in the exemplar, and the sample is complete.</summary>
    InExemplar = 0x100,
}

internal static class LineFaultExtensions
{
    /// <summary>Returns the reason in words. Some reasons contain the byte at the fault.</summary>
    public static string Describe(this LineFault fault, int byteAtFault) => fault switch
    {
        > LineFault.InExemplar => "invalid exemplar: " + (fault & ~LineFault.InExemplar).Describe(byteAtFault),
        LineFault.ByteOrderMark => "the input starts with a byte order mark (EF BB BF); write UTF-8 without one",
        LineFault.CarriageReturnAtEnd => "a carriage return precedes the line feed; end each line with a line feed only",
        LineFault.LoneCarriageReturn => "unexpected carriage return; end each line with a line feed only",
        LineFault.LineTooLong => "the line is longer than the limit of MaxLineLength bytes",
        LineFault.BlankLine => "OpenMetrics does not allow blank lines",
        LineFault.InvalidMetricName => "expected a metric name, but found " + Show(byteAtFault)
            + "; a name starts with a letter, '_' or ':', or is quoted inside braces",
        LineFault.InvalidNameByte => "unexpected " + Show(byteAtFault)
            + " in a metric name; a name has letters, digits, '_' and ':' only, unless it is quoted inside braces",
        LineFault.MissingMetricName => "the sample has no metric name",
        LineFault.EmptyName => "the quoted name is empty",
        LineFault.SecondMetricName => "the sample has a second metric name",
        LineFault.NameInExemplar => "expected '=' and a value after the quoted text; an exemplar has labels and no metric name",
        LineFault.InvalidLabelName => "expected a label name, but found " + Show(byteAtFault)
            + "; a name starts with a letter or '_', or is quoted",
        LineFault.ReservedLabelName => "the label name __name__ is reserved for the metric name",
        LineFault.DuplicateLabelName => "duplicate label name",
        LineFault.TooManyLabels => "the number of labels exceeds the limit MaxLabels",
        LineFault.ExpectedEquals => "expected '=' after the label name, but found " + Show(byteAtFault),
        LineFault.ExpectedQuotedValue => "expected a label value in double quotes, but found " + Show(byteAtFault),
        LineFault.UnclosedQuote => "the closing quote is missing on this line; write a line feed in a value as \\n",
        LineFault.InvalidUtf8 => "the text is not valid UTF-8",
        LineFault.ExpectedCommaOrBrace => "expected ',' or '}' after the label value, but found " + Show(byteAtFault),
        LineFault.TrailingComma => "OpenMetrics does not allow a comma before '}'",
        LineFault.UnclosedBraces => "the closing '}' of the labels is missing on this line",
        LineFault.ExpectedSpace => "expected one space, but found " + Show(byteAtFault),
        LineFault.MissingValue => "the sample has no value",
        LineFault.InvalidValue => "invalid value; expected a decimal number that fits into a double, Inf or NaN",
        LineFault.InvalidTimestamp => "invalid timestamp; the text format requires whole milliseconds, and OpenMetrics requires a " +
            "finite number of seconds",
        LineFault.TextAfterSample => "unexpected " + Show(byteAtFault) + " after the end of the sample",
        LineFault.InvalidExemplar => "expected # {labels} value, with single spaces",
        LineFault.InvalidMetadataName => "expected a metric name after HELP, TYPE or UNIT, but found " + Show(byteAtFault),
        LineFault.ExpectedSpaceAfterName => "expected a space after the metric name, but found " + Show(byteAtFault),
        LineFault.MissingMetadataText => "the text after the metric name is missing",
        LineFault.UnknownType => "the format does not define this metric type",
        LineFault.UnitNotInName => "the metric name must end with an underscore and the unit",
        LineFault.UnknownComment => "OpenMetrics allows no comments except HELP, TYPE, UNIT and EOF",
        LineFault.ExemplarTooLong => string.Create(CultureInfo.InvariantCulture,
            $"its labels have more than {OpenMetricsTypes.MaxExemplarLength} characters"),
        LineFault.TextAfterEnd => "the exposition continues after # EOF",
        LineFault.CutOff => "the exposition is truncated: it ends within this line, without # EOF",
        LineFault.MissingEnd => "the exposition does not end with # EOF; it may be truncated",
        _ => "the line is malformed",
    };

    /// <summary>Whether the line, perhaps without its exemplar, is read after the fault was reported.</summary>
    public static bool IsRepairable(this LineFault fault) =>
        fault is LineFault.ByteOrderMark or LineFault.CarriageReturnAtEnd or LineFault.MissingEnd or > LineFault.InExemplar;

    private static string Show(int value) => value switch
    {
        < 0 => "the end of the line",
        > ' ' and < 0x7f => string.Create(CultureInfo.InvariantCulture, $"'{(char)value}'"),
        ' ' => "a space",
        '\t' => "a tab",
        _ => string.Create(CultureInfo.InvariantCulture, $"the byte 0x{value:X2}"),
    };
}
