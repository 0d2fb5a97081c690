using System.Text;
using Xunit;

namespace Fal.Observability.Client.Tests;

public sealed class FalEchoedKeyTests
{
    private const string Secret = "9d8c7b6a-5f4e/3d2c+1b0a:Zz";
    private const string Key = $"key-id-1a2b3c:{Secret}";

    private static readonly Dictionary<string, Func<string, string>> Codings = new(StringComparer.Ordinal)
    {
        ["as it is"] = text => text,
        ["in capitals"] = text => text.ToUpperInvariant(),
        ["percent-encoded"] = Uri.EscapeDataString,
        ["percent-encoded in every character"] = text => string.Concat(text.Select(c => $"%{(int)c:x2}")),
        ["percent-encoded twice"] = text => Uri.EscapeDataString(Uri.EscapeDataString(text)),
        ["JSON-escaped"] = text => text.Replace("/", "\\/", StringComparison.Ordinal).Replace(":", "\\u003a", StringComparison.Ordinal),
        ["JSON-escaped in every character"] = text => string.Concat(text.Select(c => $"\\u{(int)c:X4}")),
        ["JSON in JSON"] = text => text.Replace("+", "\\\\u002B", StringComparison.Ordinal),
        ["HTML-escaped"] = text => string.Concat(text.Select(c => $"&#{(int)c};")),
        ["HTML-escaped in hexadecimal"] = text => text.Replace(":", "&#x3A;", StringComparison.Ordinal),
        ["UTF-16, read as UTF-8"] = text => Encoding.UTF8.GetString(Encoding.Unicode.GetBytes(text)),
        ["UTF-16 of the other byte order, read as UTF-8"] = text => Encoding.UTF8.GetString(Encoding.BigEndianUnicode.GetBytes(text)),
        ["UTF-32, read as UTF-8"] = text => Encoding.UTF8.GetString(Encoding.UTF32.GetBytes(text)),
        ["UTF-16 whose zeros are shown"] = text => string.Concat(text.Select(c => $"{c}\\x00")),
        ["base64"] = text => Convert.ToBase64String(Encoding.UTF8.GetBytes(text)),
        ["base64 with what stands before it"] = text => Convert.ToBase64String(Encoding.UTF8.GetBytes($"Key {text}\r\n")),
        ["base64 with something longer before it"] = text => Convert.ToBase64String(Encoding.UTF8.GetBytes($"Keys {text}\r\n")),
        ["base64 for addresses"] = text =>
            Convert.ToBase64String(Encoding.UTF8.GetBytes(text)).Replace('+', '-').Replace('/', '_').TrimEnd('='),
        ["base64 of UTF-16"] = text => Convert.ToBase64String(Encoding.Unicode.GetBytes(text)),
        ["base64 of UTF-16 with what stands before it"] = text => Convert.ToBase64String(Encoding.Unicode.GetBytes($"Key {text}\r\n")),
        ["base64 of UTF-16 of the other byte order"] = text => Convert.ToBase64String(Encoding.BigEndianUnicode.GetBytes(text)),
        ["base64 in lines"] = text => Broken(Convert.ToBase64String(Encoding.UTF8.GetBytes(text)), "\r\n"),
        ["broken by line feeds"] = text => Broken(text, "\n"),
        ["broken by line ends that are indented"] = text => Broken(text, "\r\n    "),
        ["broken by line feeds in JSON"] = text => Broken(text, "\\r\\n"),
        ["hexadecimal of UTF-16"] = text => Convert.ToHexString(Encoding.Unicode.GetBytes(text)),
        ["hexadecimal"] = text => Convert.ToHexString(Encoding.UTF8.GetBytes(text)),
        ["cut off"] = text => text[..^8],
        ["cut off, with dots"] = text => text[..^8] + "...",
    };

    public static TheoryData<string> Names => [.. Codings.Keys];

    public static TheoryData<string> WholeNames => [.. Codings.Keys.Where(name => !name.StartsWith("cut off", StringComparison.Ordinal))];

    [Theory]
    [MemberData(nameof(Names))]
    public void A_key_is_masked_however_it_is_written(string coding)
    {
        foreach (string echoed in new[] { Codings[coding](Key), Codings[coding](Secret) })
        {
            string masked = FalApiKey.Scrub($"You sent '{echoed}' to us.", Key);

            Assert.Matches(@"^You sent '[^']*\[redacted\][^']*' to us\.$", masked);
            // At most the id is left, and of a coding of it no more than it takes.
            Assert.DoesNotContain(echoed[^6..].TrimEnd('.'), masked, StringComparison.Ordinal);
            string idAlone = coding.StartsWith("cut off", StringComparison.Ordinal)
                ? "key-id-1a2b3c:..."
                : Codings[coding]("key-id-1a2b3c:");
            Assert.True(masked.Length < $"You sent '{idAlone}[redacted]___' to us.".Length, masked);
        }
    }

    [Theory]
    [MemberData(nameof(WholeNames))]
    public void A_key_with_a_secret_too_short_for_one_is_masked_as_a_whole(string coding)
    {
        foreach (string key in new[] { "ab:cd", "a:b", "id:12345" })
        {
            string masked = FalApiKey.Scrub($"You sent '{Codings[coding](key)}' to us.", key);

            Assert.Contains("[redacted]", masked, StringComparison.Ordinal);
            Assert.DoesNotContain(Codings[coding](key), masked, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("The key id is key-id-1a2b3c.")]
    [InlineData("100 % of \\ & \0 and 9d8c7 of them")]
    [InlineData("")]
    [InlineData("a%zz\\u12&amp;&#x;%")]
    public void Other_text_is_left_as_it_is(string text) => Assert.Same(text, FalApiKey.Scrub(text, Key));

    [Theory]
    [InlineData("\0")]
    [InlineData("\\")]
    [InlineData("%25")]
    [InlineData("\\x00")]
    public void A_long_run_of_what_can_belong_to_a_coding_is_read_once(string part)
    {
        string text = string.Concat(Enumerable.Repeat(part, 1 << 18));

        Assert.Same(text, FalApiKey.Scrub(text, Key));
    }

    private static string Broken(string text, string by) => string.Join(by, text.Chunk(4).Select(line => new string(line)));

    [Fact]
    public void An_exception_that_quotes_the_key_is_copied_with_its_kind_and_its_token_and_another_is_left()
    {
        using var caller = new CancellationTokenSource();
        var socket = new System.Net.Sockets.SocketException(104);
        var wire = new HttpRequestException(
            HttpRequestError.InvalidResponse,
            $"Received an invalid status line: 'Key {Key}'.",
            new IOException($"it was {Secret}", socket)
        );
        var cancelled = new TaskCanceledException("A task was canceled.", wire, caller.Token);

        var clean = Assert.IsType<TaskCanceledException>(FalApiKey.Scrub(cancelled, Key));

        Assert.DoesNotContain("9d8c7b6a", clean.ToString(), StringComparison.OrdinalIgnoreCase);
        Assert.Equal(caller.Token, clean.CancellationToken);
        var cause = Assert.IsType<HttpRequestException>(clean.InnerException);
        Assert.Equal(HttpRequestError.InvalidResponse, cause.HttpRequestError);
        Assert.Contains("invalid status line", cause.Message, StringComparison.Ordinal);
        Assert.IsType<System.Net.Sockets.SocketException>(Assert.IsType<IOException>(cause.InnerException).InnerException);
        var other = new HttpRequestException("refused", socket);
        Assert.Same(other, FalApiKey.Scrub(other, Key));
    }
}
