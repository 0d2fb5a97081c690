using System.Buffers.Text;
using System.Text;
using System.Text.Unicode;

namespace Fal.Observability.Client;

/// <summary>
/// Makes every string of a JSON body readable. The framework's reader throws <see cref="InvalidOperationException"/> when it decodes
/// invalid UTF-8 or an escape that stands for an unpaired surrogate, in names as well as in values.
/// </summary>
internal static class FalJsonText
{
    private const int EscapeLength = 6;

    /// <summary>Replaces bytes that are not text. Two different identifiers that contain it can look the same.</summary>
    public const char Replacement = '\uFFFD';

    /// <summary>
    /// The JSON with U+FFFD in place of each invalid byte sequence and each unpaired surrogate; the JSON itself if there is none.
    /// </summary>
    public static ReadOnlySpan<byte> Readable(ReadOnlySpan<byte> json)
    {
        if (!Utf8.IsValid(json))
        {
            json = Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(json));
        }

        byte[]? repaired = null;
        int at = 0;
        while (json[at..].IndexOf((byte)'\\') is >= 0 and int distance)
        {
            at += distance;
            if (!TryReadUnit(json[at..], out char unit))
            {
                // Another escape. It has two bytes unless the body ends within it.
                at = Math.Min(at + 2, json.Length);
                continue;
            }

            if (char.IsHighSurrogate(unit) && TryReadUnit(json[(at + EscapeLength)..], out char next) && char.IsLowSurrogate(next))
            {
                at += 2 * EscapeLength;
                continue;
            }

            if (char.IsSurrogate(unit))
            {
                repaired ??= json.ToArray();
                @"\ufffd"u8.CopyTo(repaired.AsSpan(at));
            }

            at += EscapeLength;
        }

        return repaired ?? json;
    }

    /// <summary>The UTF-16 code unit of an escape such as <c>\u00e9</c> at the start of a text.</summary>
    private static bool TryReadUnit(ReadOnlySpan<byte> json, out char unit)
    {
        unit = default;
        if (json.Length < EscapeLength || json[0] != '\\' || json[1] != 'u'
            || !Utf8Parser.TryParse(json.Slice(2, EscapeLength - 2), out ushort value, out int digits, 'x') || digits != EscapeLength - 2)
        {
            return false;
        }

        unit = (char)value;
        return true;
    }
}
