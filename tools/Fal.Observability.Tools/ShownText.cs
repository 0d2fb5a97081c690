using System.Buffers;
using System.Globalization;
using System.Text;

namespace Fal.Observability.Tools;

/// <summary>Text of the service's as a person can tell it apart in a log.</summary>
internal static class ShownText
{
    /// <summary>
    /// The text with an escape such as <c>\uD800</c> for each character that cannot be seen: controls, marks that have no width of their
    /// own,
    /// unusual blanks, and halves of surrogate pairs.
    /// </summary>
    public static string Of(string text)
    {
        var shown = new StringBuilder(text.Length);
        for (ReadOnlySpan<char> rest = text; rest.Length > 0;)
        {
            bool isWhole = Rune.DecodeFromUtf16(rest, out Rune rune, out int length) == OperationStatus.Done;
            if (isWhole && IsVisible(rune))
            {
                shown.Append(rest[..length]);
            }
            else if (length == 1)
            {
                shown.Append(CultureInfo.InvariantCulture, $"\\u{(int)rest[0]:X4}");
            }
            else
            {
                shown.Append(CultureInfo.InvariantCulture, $"\\U{rune.Value:X8}");
            }

            rest = rest[length..];
        }

        return shown.ToString();
    }

    private static bool IsVisible(Rune rune) =>
        rune.Value is ' '
        || Rune.GetUnicodeCategory(rune)
            is not (
                UnicodeCategory.Control
                or UnicodeCategory.Format
                or UnicodeCategory.Surrogate
                or UnicodeCategory.PrivateUse
                or UnicodeCategory.OtherNotAssigned
                or UnicodeCategory.SpaceSeparator
                or UnicodeCategory.LineSeparator
                or UnicodeCategory.ParagraphSeparator
                or UnicodeCategory.NonSpacingMark
                or UnicodeCategory.EnclosingMark
            );
}
