using System.Buffers;
using System.Globalization;
using System.Net;
using System.Runtime.CompilerServices;
using System.Text;

namespace Fal.Observability.Client;

/// <summary>Finds a key in a text from outside, in any of its encodings, and masks it.</summary>
internal sealed class FalEchoedKey
{
    private const string Redacted = "[redacted]";

    /// <summary>
    /// Masking shorter secrets would mangle ordinary text. For a key with a shorter secret, the whole key is masked in every encoding, but
    /// not the secret alone.
    /// </summary>
    private const int ShortestSecret = 6;

    /// <summary>This many consecutive characters of the secret are treated as a part of it, whatever follows.</summary>
    private const int SurePart = 12;

    /// <summary>
    /// The longest run of NULs, line ends and indentation within a key. UTF-32 that is read as UTF-8 has three NULs beside each letter. A
    /// folded header has a line end and a few spaces.
    /// </summary>
    private const int MostGapsInARow = 6;

    /// <summary>Far more backslashes than nested JSON puts before an escape.</summary>
    private const int MostBackslashesInARow = 16;

    private static readonly ConditionalWeakTable<string, FalEchoedKey> Keys = [];

    /// <summary>The encodings of a key as bytes, before they are written as base64 or hexadecimal.</summary>
    private static readonly Encoding[] Encodings = [Encoding.UTF8, Encoding.Unicode, Encoding.BigEndianUnicode];

    private readonly Form[] _forms;
    private readonly SearchValues<char> _beginnings;

    private FalEchoedKey(string key)
    {
        string bare = FalApiKey.Normalize(key);
        string secret = bare[(bare.IndexOf(':', StringComparison.Ordinal) + 1)..];
        bool isShort = secret.Length < ShortestSecret;
        string hidden = isShort ? bare : secret;
        List<Form> forms = [new(bare, IsWholeKey: true, IsBase64: false), new(hidden, isShort, IsBase64: false)];
        foreach (Encoding encoding in Encodings)
        {
            AddBinaryForms(forms, encoding.GetBytes(hidden), isShort);
        }

        _forms = [.. forms.Distinct()];
        // What every coding begins with, and the first character of each form.
        var beginnings = new StringBuilder(@"%\&");
        foreach (Form form in _forms)
        {
            beginnings.Append(char.ToUpperInvariant(form.Text[0])).Append(char.ToLowerInvariant(form.Text[0]));
        }

        _beginnings = SearchValues.Create(beginnings.ToString());
    }

    /// <summary>Keys that this one replaced. A call that began with one of them keeps it alive, and may still fail.</summary>
    private WeakReference<string>[] _earlier = [];

    public static FalEchoedKey Of(string key) => Keys.GetValue(key, static key => new FalEchoedKey(key));

    /// <summary>Masks the earlier key too, while a call still uses it.</summary>
    public void Follows(string earlier) =>
        _earlier = [.. Of(earlier)._earlier.Where(reference => reference.TryGetTarget(out _)), new WeakReference<string>(earlier)];

    public string Mask(string text)
    {
        text = MaskOwn(text);
        foreach (WeakReference<string> reference in _earlier)
        {
            text = reference.TryGetTarget(out string? earlier) ? Of(earlier).MaskOwn(text) : text;
        }

        return text;
    }

    private string MaskOwn(string text)
    {
        StringBuilder? masked = null;
        int copied = 0;
        int at = 0;
        while (text.AsSpan(at).IndexOfAny(_beginnings) is var next and >= 0)
        {
            at += next;
            (int length, bool isBase64) = Find(text.AsSpan(at));
            if (length == 0)
            {
                at++;
                continue;
            }

            int begin = at;
            at += length;
            if (isBase64)
            {
                // The characters at the edges hold a part of the secret too.
                while (begin > copied && IsBase64(text[begin - 1]))
                {
                    begin--;
                }

                while (at < text.Length && IsBase64(text[at]))
                {
                    at++;
                }
            }

            masked ??= new StringBuilder(text.Length);
            masked.Append(text, copied, begin - copied).Append(Redacted);
            copied = at;
        }

        return masked is null ? text : masked.Append(text, copied, text.Length - copied).ToString();
    }

    /// <summary>
    /// The forms of a secret in hexadecimal and in base64. The secret can be anywhere in the text that was encoded as base64, so it can
    /// begin at each of the three positions of a group. Characters that also hold bits of the neighbouring text are left out.
    /// </summary>
    private static void AddBinaryForms(List<Form> forms, byte[] secret, bool isWholeKey)
    {
        forms.Add(new Form(Convert.ToHexString(secret), isWholeKey, IsBase64: false));
        for (int before = 0; before < 3; before++)
        {
            string encoded = Convert.ToBase64String([.. new byte[before], .. secret]);
            int begin = ((before * 8) + 5) / 6;
            int end = (before + secret.Length) * 8 / 6;
            string own = encoded[begin..end];
            forms.Add(new Form(own, isWholeKey, IsBase64: true));
            forms.Add(new Form(own.Replace('+', '-').Replace('/', '_'), isWholeKey, IsBase64: true));
        }
    }

    private static bool IsBase64(char c) => char.IsAsciiLetterOrDigit(c) || c is '+' or '/' or '-' or '_' or '=';

    /// <summary>How many characters at the start of the text are the key; 0 for none.</summary>
    private (int Length, bool IsBase64) Find(ReadOnlySpan<char> text)
    {
        (int Length, bool IsBase64) found = default;
        foreach (Form form in _forms)
        {
            int length = Math.Max(Match(text, form, decode: false), Match(text, form, decode: true));
            if (length > found.Length)
            {
                found = (length, form.IsBase64);
            }
        }

        return found;
    }

    private static int Match(ReadOnlySpan<char> text, Form form, bool decode)
    {
        int at = 0;
        int end = 0;
        int matched = 0;
        int gaps = 0;
        // Do not scan an endless run again from each letter before it.
        while (matched < form.Text.Length && at < text.Length && gaps <= MostGapsInARow)
        {
            (char value, int used) = decode ? Decode(text[at..]) : (text[at], 1);
            at += used;
            // UTF-16 that is read as UTF-8 has a NUL beside each letter. A line can end anywhere, and the next one be indented.
            if (matched > 0 && (value is '\0' or '\r' or '\n' || (gaps > 0 && value is ' ' or '\t')))
            {
                gaps++;
                continue;
            }

            gaps = 0;
            if (char.ToUpperInvariant(value) != char.ToUpperInvariant(form.Text[matched]))
            {
                break;
            }

            matched++;
            end = at;
        }

        bool isWhole = matched == form.Text.Length;
        bool isPart = !form.IsWholeKey && (matched >= SurePart
            || (matched >= ShortestSecret && (end == text.Length || !char.IsAsciiLetterOrDigit(text[end]))));
        return isWhole || isPart ? end : 0;
    }

    /// <summary>The character that the text begins with, and how much of the text it takes, where it may be encoded.</summary>
    private static (char Value, int Used) Decode(ReadOnlySpan<char> text)
    {
        switch (text[0])
        {
            case '%' when Hex(text, 1, 2) is { } value:
                int used = 3;
                // Encoded more than once.
                while (value == '%' && Hex(text, used, 2) is { } inner)
                {
                    value = inner;
                    used += 2;
                }

                return (value, used);
            case '\\' when text.Length > 1:
                int slashes = Math.Max(text[..Math.Min(text.Length, MostBackslashesInARow)].IndexOfAnyExcept('\\'), 1);
                if (slashes < text.Length && text[slashes] is 'u' or 'U' && Hex(text, slashes + 1, 4) is { } unit)
                {
                    return (unit, slashes + 5);
                }

                if (slashes < text.Length && text[slashes] is 'x' or 'X' && Hex(text, slashes + 1, 2) is { } octet)
                {
                    return (octet, slashes + 3);
                }

                return (text[1] switch { 'n' => '\n', 'r' => '\r', 't' => '\t', _ => text[1] }, 2);
            case '&' when text[..Math.Min(text.Length, 12)].IndexOf(';') is var end and > 0
                && WebUtility.HtmlDecode(text[..(end + 1)].ToString()) is [var decoded]:
                return (decoded, end + 1);
            default:
                return (text[0], 1);
        }
    }

    private static char? Hex(ReadOnlySpan<char> text, int start, int digits) =>
        text.Length >= start + digits
        && ushort.TryParse(text.Slice(start, digits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ushort value)
            ? (char)value
            : null;

    /// <summary>
    /// A way to write the key or its secret part. It is a class, because collections of a struct would need code of their own at the first
    /// call.
    /// </summary>
    private sealed record Form(string Text, bool IsWholeKey, bool IsBase64);
}
