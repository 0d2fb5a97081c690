using System.Buffers;
using System.Text;

namespace Fal.Observability.Client.Prometheus;

/// <summary>The escapes of the exposition formats, in both directions.</summary>
/// <remarks>
/// <c>\\</c> and <c>\n</c> everywhere; <c>\"</c> in quoted text and in the HELP text of OpenMetrics. A backslash before any other
/// character is not an escape: both characters are kept, as in the reference parsers.
/// </remarks>
internal static class PrometheusEscaping
{
    /// <summary>The position of the first quote or backslash; -1 for none. Short texts are checked byte by byte, which is faster.</summary>
    public static int IndexOfQuoteOrBackslash(ReadOnlySpan<byte> text)
    {
        const int shortLength = 16;
        for (int i = 0; i < Math.Min(text.Length, shortLength); i++)
        {
            if (text[i] is (byte)'"' or (byte)'\\')
            {
                return i;
            }
        }

        int found = text.Length <= shortLength ? -1 : text[shortLength..].IndexOfAny((byte)'"', (byte)'\\');
        return found < 0 ? -1 : shortLength + found;
    }

    /// <summary>Unescapes into <paramref name="destination"/>, which may be the source. The result is never longer.</summary>
    /// <returns>The number of bytes written.</returns>
    public static int Unescape(ReadOnlySpan<byte> escaped, Span<byte> destination, bool quotes)
    {
        int written = 0;
        while (true)
        {
            int backslash = escaped.IndexOf((byte)'\\');
            if (backslash < 0 || backslash + 1 == escaped.Length)
            {
                escaped.CopyTo(destination[written..]);
                return written + escaped.Length;
            }

            escaped[..backslash].CopyTo(destination[written..]);
            written += backslash;
            byte next = escaped[backslash + 1];
            if (next == 'n')
            {
                destination[written++] = (byte)'\n';
            }
            else if (next == '\\' || (next == '"' && quotes))
            {
                destination[written++] = next;
            }
            else
            {
                destination[written++] = (byte)'\\';
                destination[written++] = next;
            }

            escaped = escaped[(backslash + 2)..];
        }
    }

    /// <summary>The number of code points of valid UTF-8 after unescaping, including escaped quotes.</summary>
    public static int CountCharacters(ReadOnlySpan<byte> escaped)
    {
        int characters = 0;
        for (int i = 0; i < escaped.Length; i++)
        {
            characters += (escaped[i] & 0xC0) != 0x80 ? 1 : 0;
            if (escaped[i] == '\\' && i + 1 < escaped.Length && escaped[i + 1] is (byte)'n' or (byte)'\\' or (byte)'"')
            {
                i++;
            }
        }

        return characters;
    }

    /// <summary>Returns the string for valid UTF-8. The text is mostly ASCII, which only needs to be widened.</summary>
    public static string ToText(ReadOnlySpan<byte> utf8) =>
        Ascii.IsValid(utf8) ? Encoding.Latin1.GetString(utf8) : Encoding.UTF8.GetString(utf8);

    public static string UnescapeToString(ReadOnlySpan<byte> escaped, bool quotes)
    {
        if (escaped.IndexOf((byte)'\\') < 0)
        {
            return ToText(escaped);
        }

        byte[]? rented = null;
        Span<byte> buffer = escaped.Length <= 256 ? stackalloc byte[256] : rented = ArrayPool<byte>.Shared.Rent(escaped.Length);
        string text = Encoding.UTF8.GetString(buffer[..Unescape(escaped, buffer, quotes)]);
        if (rented is not null)
        {
            ArrayPool<byte>.Shared.Return(rented);
        }

        return text;
    }

    public static void AppendQuoted(StringBuilder builder, string text)
    {
        builder.Append('"');
        foreach (char c in text)
        {
            _ = c switch
            {
                '\\' => builder.Append("\\\\"),
                '"' => builder.Append("\\\""),
                '\n' => builder.Append("\\n"),
                _ => builder.Append(c),
            };
        }

        builder.Append('"');
    }
}
