using System.Globalization;

namespace Fal.Observability.Client.Prometheus;

/// <summary>Why a line is refused. A code, so that a skipped line costs no string unless somebody asks for the reason.</summary>
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

    /// <summary>Added to another fault: it is one of the exemplar, and the sample before it is complete.</summary>
    InExemplar = 0x100,
}

internal static class LineFaultExtensions
{
    /// <summary>The reason in words, where the byte at the fault helps with that byte.</summary>
    public static string Describe(this LineFault fault, int byteAtFault) => fault switch
    {
        > LineFault.InExemplar => "the exemplar cannot be read: " + (fault & ~LineFault.InExemplar).Describe(byteAtFault),
        LineFault.ByteOrderMark => "the input begins with a byte order mark (EF BB BF); the format is UTF-8 without one",
        LineFault.CarriageReturnAtEnd => "a carriage return precedes the line feed; lines end with a line feed alone",
        LineFault.LoneCarriageReturn => "a carriage return stands where a line feed or a blank is expected; lines end with a line feed",
        LineFault.LineTooLong => "the line is longer than the limit (MaxLineLength)",
        LineFault.BlankLine => "a blank line is not allowed in OpenMetrics",
        LineFault.InvalidMetricName => "expected a metric name, which starts with a letter, '_' or ':', or '{' before a quoted one, but found " + Show(byteAtFault),
        LineFault.InvalidNameByte => "a metric name has letters, digits, '_' and ':' unless it stands in braces and quotes, but this one goes on with " + Show(byteAtFault),
        LineFault.MissingMetricName => "the sample has no metric name",
        LineFault.EmptyName => "a quoted name is empty",
        LineFault.SecondMetricName => "the sample has a second metric name",
        LineFault.NameInExemplar => "an exemplar has labels only, but this quoted text has no '=' and value",
        LineFault.InvalidLabelName => "expected a label name, which starts with a letter or '_' or is quoted, but found " + Show(byteAtFault),
        LineFault.ReservedLabelName => "the label name __name__ is reserved for the metric name",
        LineFault.DuplicateLabelName => "a label name stands twice",
        LineFault.TooManyLabels => "there are more labels than the limit (MaxLabels)",
        LineFault.ExpectedEquals => "expected '=' after the label name, but found " + Show(byteAtFault),
        LineFault.ExpectedQuotedValue => "expected a label value in double quotes, but found " + Show(byteAtFault),
        LineFault.UnclosedQuote => "the quote is not closed on this line; a line feed in a value is written \\n",
        LineFault.InvalidUtf8 => "the text is not valid UTF-8",
        LineFault.ExpectedCommaOrBrace => "expected ',' or '}' after the label value, but found " + Show(byteAtFault),
        LineFault.TrailingComma => "a comma before '}' is not allowed in OpenMetrics",
        LineFault.UnclosedBraces => "the labels are not closed with '}' on this line",
        LineFault.ExpectedSpace => "expected one space, but found " + Show(byteAtFault),
        LineFault.MissingValue => "the sample has no value",
        LineFault.InvalidValue => "the value is not a decimal number, Inf or NaN that a double can hold",
        LineFault.InvalidTimestamp => "the timestamp is not a number as the format demands (text: whole milliseconds, OpenMetrics: finite seconds)",
        LineFault.TextAfterSample => "the sample is complete, but the line goes on with " + Show(byteAtFault),
        LineFault.InvalidExemplar => "an exemplar is written # {labels} value, with single spaces",
        LineFault.InvalidMetadataName => "expected a metric name after HELP, TYPE or UNIT, but found " + Show(byteAtFault),
        LineFault.ExpectedSpaceAfterName => "expected a space after the metric name, but found " + Show(byteAtFault),
        LineFault.MissingMetadataText => "the line ends after the metric name",
        LineFault.UnknownType => "the metric type is unknown to this format",
        LineFault.UnitNotInName => "the metric name does not end with an underscore and the unit",
        LineFault.UnknownComment => "OpenMetrics allows no comments other than HELP, TYPE, UNIT and EOF",
        LineFault.ExemplarTooLong => string.Create(CultureInfo.InvariantCulture, $"its labels have more than {OpenMetricsTypes.MaxExemplarLength} characters"),
        LineFault.TextAfterEnd => "the exposition goes on after # EOF",
        LineFault.CutOff => "the exposition ends within this line and without # EOF: it was cut off",
        LineFault.MissingEnd => "the exposition does not end with # EOF; it may have been cut off",
        _ => "the line is malformed",
    };

    /// <summary>Whether the line, or what it says beside its exemplar, is read all the same once the fault is reported.</summary>
    public static bool IsRepairable(this LineFault fault) =>
        fault is LineFault.ByteOrderMark or LineFault.CarriageReturnAtEnd or LineFault.MissingEnd or > LineFault.InExemplar;

    private static string Show(int value) => value switch
    {
        < 0 => "the end of the line",
        > ' ' and < 0x7f => string.Create(CultureInfo.InvariantCulture, $"'{(char)value}'"),
        ' ' => "a blank",
        '\t' => "a tab",
        _ => string.Create(CultureInfo.InvariantCulture, $"the byte 0x{value:X2}"),
    };
}
