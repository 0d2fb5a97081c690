using System.Net.Sockets;
using System.Security.Authentication;

namespace Fal.Observability.Client;

/// <summary>The form of a key, its sources, and how it is kept out of every text.</summary>
internal static class FalApiKey
{
    private const string Scheme = "Key ";
    /// <summary>
    /// What is wrong with a key, as the end of a sentence, or null. The text never quotes the key.
    /// </summary>
    public static string? Problem(string? key)
    {
        if (string.IsNullOrWhiteSpace(key))
        {
            return "is missing.";
        }

        string bare = Normalize(key);
        if (bare.StartsWith("FAL_KEY=", StringComparison.Ordinal))
        {
            return "begins with the name of the variable, FAL_KEY=. Leave the name out.";
        }

        foreach (char c in bare)
        {
            if (c is < '!' or > '~' or '"' or '\'')
            {
                return "contains a space, a quotation mark, a control character or a non-ASCII character. Check what was copied with " +
                    "it, such as a line break.";
            }
        }

        int colon = bare.IndexOf(':', StringComparison.Ordinal);
        return colon <= 0 || colon == bare.Length - 1
            ? "does not have the form <key_id>:<key_secret>."
            : null;
    }

    /// <summary>The key without surrounding white space and without the scheme, which people copy with it from a header.</summary>
    public static string Normalize(string key)
    {
        ReadOnlySpan<char> bare = key.AsSpan().Trim(' ');
        return bare.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase)
            ? bare[Scheme.Length..].TrimStart(' ').ToString()
            : bare.ToString();
    }

    /// <summary>The key that the environment holds, in the order of fal's own clients, or null.</summary>
    public static string? FromEnvironment()
    {
        if (Environment.GetEnvironmentVariable("FAL_KEY") is { } key && !string.IsNullOrWhiteSpace(key))
        {
            return key;
        }

        return Environment.GetEnvironmentVariable("FAL_KEY_ID") is { Length: > 0 } id
            && Environment.GetEnvironmentVariable("FAL_KEY_SECRET") is { Length: > 0 } secret
                ? $"{id}:{secret}"
                : null;
    }

    /// <summary>The file that the environment names, or null.</summary>
    public static string? FileFromEnvironment() => Environment.GetEnvironmentVariable("FAL_KEY_FILE") is { Length: > 0 } file ? file : null;

    /// <summary>
    /// A text from outside in which every occurrence of the key, or of its secret part, is masked: as it is, in another case, encoded
    /// (percent, JSON, HTML, base64, hexadecimal, UTF-16 read as UTF-8), broken into lines, or cut off in its middle.
    /// </summary>
    public static string Scrub(string text, string? key) =>
        string.IsNullOrEmpty(key) || text.Length == 0 ? text : FalEchoedKey.Of(key).Mask(text);

    /// <summary>
    /// Returns an exception from outside without the key. If no text in its chain quotes the key, this is the exception itself. Otherwise
    /// it is an exception of the same type with masked texts.
    /// </summary>
    public static Exception Scrub(Exception exception, string? key)
    {
        string text = exception.ToString();
        return Scrub(text, key) == text ? exception : Copy(exception, key);
    }

    private static Exception Copy(Exception exception, string? key)
    {
        string message = Scrub(exception.Message, key);
        Exception? inner = exception.InnerException is { } cause ? Copy(cause, key) : null;
        return exception switch
        {
            TaskCanceledException cancelled => new TaskCanceledException(message, inner, cancelled.CancellationToken),
            OperationCanceledException cancelled => new OperationCanceledException(message, inner, cancelled.CancellationToken),
            HttpRequestException failed => new HttpRequestException(failed.HttpRequestError, message, inner, failed.StatusCode),
            HttpIOException failed => new HttpIOException(failed.HttpRequestError, message, inner),
            SocketException failed => new SocketException((int)failed.SocketErrorCode),
            AuthenticationException => new AuthenticationException(message, inner),
            TimeoutException => new TimeoutException(message, inner),
            IOException => new IOException(message, inner),
            ObjectDisposedException => new ObjectDisposedException(message, inner),
            _ => new InvalidOperationException($"{exception.GetType()}: {message}", inner),
        };
    }
}
