using System.Globalization;
using System.Net;
using System.Security.Authentication;
using System.Text;
using System.Text.Json;

namespace Fal.Observability.Client;

/// <summary>Turns a failed response into the exception that says what happened and what to do.</summary>
internal static class FalErrorReader
{
    /// <summary>
    /// The number of bytes of an unexpected body that are examined. A message shows fewer. The key is masked before the text is cut to the
    /// shown length, so the cut never leaves a part of a key.
    /// </summary>
    public const int MaxBodyStartBytes = 2048;

    private static readonly string[] MitigationHeaders = ["cf-mitigated", "x-vercel-mitigated"];

    private const int MaxBodyStartCharacters = 256;

    /// <summary>The number of bytes of an error body that are read. The longest known message is much shorter.</summary>
    public const int MaxErrorBodyBytes = 64 * 1024;

    private const int MaxBodyCharacters = 4096;
    private const int MaxMessageCharacters = 512;
    private const int MaxQuotedCharacters = 128;

    /// <summary>The exception for a response whose status is not a success.</summary>
    public static FalApiException BadStatus(HttpResponseMessage response, ReadOnlySpan<byte> body, string? apiKey, DateTimeOffset now)
    {
        FalResponseInfo info = FalResponseInfo.From(response, apiKey);
        string text = Scrubbed(body, apiKey, MaxBodyCharacters);
        ErrorBody error = ErrorBody.Parse(body, apiKey);
        bool html = IsHtml(info.ContentType, text);
        string? words = error.Message ?? (html || string.IsNullOrWhiteSpace(text) ? null : Cut(text.Trim(), MaxMessageCharacters));
        bool challenge = IsMitigated(response) || (html && response.StatusCode == HttpStatusCode.Forbidden);
        var facts = new FalApiFacts(response.StatusCode)
        {
            ErrorType = error.Type,
            ServiceMessage = words,
            RequestId = error.RequestId ?? info.RequestId,
            DocsUrl = error.DocsUrl,
            ContentType = info.ContentType,
            ResponseBody = text,
            RetryAfter = FalRetryDelay.AskedFor(response, now),
            Reason = challenge ? FalForbiddenReason.EdgeChallenge : FalForbiddenReason.PermissionOrOwnership,
            Attempts = info.Attempts,
            Elapsed = info.Elapsed,
        };
        var route = FalRoute.Of(response.RequestMessage?.RequestUri?.AbsolutePath);
        string advice = Advice(route, facts, challenge, html);
        if (!challenge && facts.StatusCode is HttpStatusCode.Forbidden or HttpStatusCode.NotFound
            && IdWithoutOwner(response.RequestMessage?.RequestUri) is { } id)
        {
            advice += $" The id '{Quoted(FalApiKey.Scrub(id, apiKey))}' names no owner. An endpoint id has the form owner/name, such as " +
                "my-org/my-app.";
        }

        if (facts.RetryAfter is { } wait && FalApiException.IsTransientStatus(facts.StatusCode))
        {
            string? why = FalRequestOptions.ProgressOf(response.RequestMessage)?.WhyNotRetried;
            advice = string.Create(CultureInfo.InvariantCulture,
                $"{advice} The service asks you to wait {wait.TotalSeconds:0.###} s before the next call. {why}").TrimEnd();
        }

        return FalApiException.Create(Describe(info.Operation, facts, advice), facts);
    }

    /// <summary>The exception for a response with a success status and a body that cannot be used.</summary>
    public static FalResponseException BadBody(
        FalResponseInfo info, string what, ReadOnlySpan<byte> start, string? apiKey, Exception? cause, bool transient)
    {
        string shown = Scrubbed(start[..Math.Min(start.Length, MaxBodyStartBytes)], apiKey, MaxBodyStartCharacters);
        // This text and that of the cause may quote the body, which may contain the key.
        string reason = FalApiKey.Scrub(what, apiKey);
        string message = string.Create(CultureInfo.InvariantCulture,
            $"{info.Operation} answered {(int)info.StatusCode} with a body that cannot be used: {reason}. Content " +
                $"type: {Quoted(info.ContentType ?? "none")}; request id: {Quoted(info.RequestId ?? "none")}; the body " +
                    $"starts: {(shown.Length == 0 ? "(nothing)" : OnOneLine(shown))}");
        return new FalResponseException(message, cause is null ? null : FalApiKey.Scrub(cause, apiKey))
        {
            StatusCode = info.StatusCode,
            ContentType = info.ContentType,
            RequestId = info.RequestId,
            BodyStart = shown,
            IsTransient = transient,
            Attempts = info.Attempts,
            Elapsed = info.Elapsed,
        };
    }

    /// <summary>The exception for a request without a response.</summary>
    public static FalTransportException NoResponse(HttpRequestMessage request, string? apiKey, Exception cause)
    {
        string host = request.RequestUri?.Authority ?? "the service";
        string? proxy = FalRequestOptions.ProgressOf(request)?.Proxy;
        HttpRequestError error = (cause as HttpRequestException)?.HttpRequestError ?? (cause as HttpIOException)?.HttpRequestError
            ?? (cause is AuthenticationException ? HttpRequestError.SecureConnectionError : HttpRequestError.Unknown);
        string through = ThroughProxy(request);
        string what = error switch
        {
            HttpRequestError.NameResolutionError =>
                $"the name of {(proxy is null ? host : $"the proxy {proxy}")} was not found. Check the name and the DNS.",
            HttpRequestError.ConnectionError =>
                $"the connection to {(proxy is null ? host : $"the proxy {proxy}")} could not be established. Check the address, the " +
                    $"network and the firewall.",
            HttpRequestError.ProxyTunnelError =>
                $"the proxy {proxy ?? "of the primary HTTP handler"} did not open a tunnel to {host}. If it asks for credentials (407), " +
                "set them on the Proxy of the primary HTTP handler, or in the environment variable HTTPS_PROXY.",
            HttpRequestError.SecureConnectionError =>
                $"the TLS handshake with {host} failed. Check the certificate and the clock of this machine, whether a proxy intercepts " +
                    $"TLS, and whether plain http answers at that port.{through}",
            HttpRequestError.ResponseEnded =>
                $"{host} closed the connection before the response was complete. Try again later. If it happens again, look for a proxy or "
                    + $"a firewall that ends connections.{through}",
            _ => $"the client received no usable response from {host}. Try again later. If it happens again, check what answers at "
                + $"this address, and look for a faulty proxy.{through}",
        };
        // The outermost message often says only that sending failed. The innermost message says why. Each may contain the address of the
        // proxy, and credentials in that address.
        Exception root = cause.GetBaseException();
        string texts = cause.Message.Replace(", see inner exception", "", StringComparison.Ordinal);
        texts = texts.Contains(root.Message, StringComparison.Ordinal) ? texts : $"{texts} {root.Message}";
        string detail = WithoutUserInfo(FalApiKey.Scrub(texts, apiKey));
        Exception clean = FalApiKey.Scrub(cause, apiKey);
        return new FalTransportException(
            $"{FalRequestOptions.Operation(request)}: {what} The cause: {detail}",
            clean.ToString() is var all && WithoutUserInfo(all) != all ? new HttpRequestException(error, detail) : clean)
        {
            IsTransient = true,
        };
    }

    /// <summary>What may have caused a time-out before the response, as a sentence with a leading space.</summary>
    public static string WhatMayHoldItUp(HttpRequestMessage request, HttpResponseMessage? response)
    {
        if (response is not null || FalRequestOptions.ProgressOf(request) is not { } progress)
        {
            return "";
        }

        return progress.Proxy is null && progress.IsHandshaking
            ? $" The connection to {request.RequestUri?.Authority} was established, but its TLS handshake did not finish. Check " +
                "whether the server speaks TLS at that port, and whether a firewall or a proxy blocks it."
            : ThroughProxy(request);
    }

    private static string ThroughProxy(HttpRequestMessage request) => FalRequestOptions.ProgressOf(request)?.Proxy is { } proxy
        ? $" The call goes through the proxy {proxy}. Check that it is the right one, and that it allows CONNECT " +
            $"to {request.RequestUri?.Authority}."
        : "";

    /// <summary>
    /// Removes the user info, which may be credentials, from the addresses in a text. A regular expression would make a native program
    /// 0.29 MB larger, because it would be the only one in the client.
    /// </summary>
    private static string WithoutUserInfo(string text)
    {
        int at = 0;
        while ((at = text.IndexOf("//", at, StringComparison.Ordinal)) >= 0)
        {
            int begin = at + 2;
            int end = begin;
            while (end < text.Length && text[end] is not ('/' or '@' or '\'') && !char.IsWhiteSpace(text[end]))
            {
                end++;
            }

            bool isUserInfo = end < text.Length && text[end] == '@';
            text = isUserInfo ? text.Remove(begin, end + 1 - begin) : text;
            at = isUserInfo ? begin : at + 1;
        }

        return text;
    }

    /// <summary>Whether a body is a web page, by its content type or by its first bytes.</summary>
    public static bool IsHtml(string? contentType, ReadOnlySpan<char> text)
    {
        if (contentType is not null && contentType.Equals("text/html", StringComparison.OrdinalIgnoreCase))
        {
            return true;
        }

        text = text.TrimStart();
        return text.StartsWith("<!doctype html", StringComparison.OrdinalIgnoreCase)
            || text.StartsWith("<html", StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>
    /// Whether the edge (the proxies in front of the service) sent a challenge, such as a page that tests for a browser. Cloudflare marks a
    /// challenge with the header <c>cf-mitigated</c>. Vercel, which serves fal's API, uses <c>x-vercel-mitigated</c>. With a 403, any value
    /// except a blank one means a challenge. With another status, only <c>challenge</c> does, because the edge may merely limit the rate.
    /// </summary>
    private static bool IsMitigated(HttpResponseMessage response) => MitigationHeaders.Any(header =>
        response.Headers.TryGetValues(header, out IEnumerable<string>? values)
        && values.Any(value => response.StatusCode == HttpStatusCode.Forbidden
            ? !string.IsNullOrWhiteSpace(value)
            : value.Trim().Equals("challenge", StringComparison.OrdinalIgnoreCase)));

    /// <summary>The first endpoint id in the query that lacks an owner; null if none does.</summary>
    private static string? IdWithoutOwner(Uri? address) => address?.Query.TrimStart('?').Split('&')
        .Where(parameter => parameter.StartsWith("endpoint_id=", StringComparison.Ordinal))
        .Select(parameter => Uri.UnescapeDataString(parameter["endpoint_id=".Length..]))
        .FirstOrDefault(id => !id.Contains('/', StringComparison.Ordinal));

    private static string Advice(FalRoute route, FalApiFacts facts, bool challenge, bool html) => facts.StatusCode switch
    {
        _ when challenge =>
            "The network edge in front of the service answered with a browser challenge. This says nothing about the key or the"
            + " endpoints, and a retry does not help. Call from another network or address, or ask fal's support to allow this one.",
        HttpStatusCode.BadRequest => "The service refused the parameters of the call. Change them as the message says.",
        HttpStatusCode.Unauthorized => "The key is missing, wrong or revoked. Check it in the fal dashboard.",
        HttpStatusCode.Forbidden => route.ForbiddenAdvice(facts.ServiceMessage),
        HttpStatusCode.NotFound => route.NotFound,
        HttpStatusCode.RequestTimeout => "The request did not reach the service in time. Try again later.",
        HttpStatusCode.TooManyRequests when facts.RetryAfter is not null => "Too many calls. Call less often.",
        HttpStatusCode.TooManyRequests => "Too many calls. Call less often. The service does not say how long to wait.",
        HttpStatusCode.NotModified =>
            "The client never sends conditional requests. Either a cache in between, or a handler that adds If-None-Match or"
            + " If-Modified-Since, caused this answer. Remove that header, or let the cache pass these calls through.",
        >= HttpStatusCode.MultipleChoices and < HttpStatusCode.BadRequest =>
            "The client does not follow redirects, because a redirect could send the key to another host. Set the base address to the " +
                "address of the service.",
        >= HttpStatusCode.InternalServerError when html =>
            "A proxy in front of the service answered with a web page. The call did not reach the service. Try again later.",
        >= HttpStatusCode.InternalServerError when FalApiException.IsTransientStatus(facts.StatusCode) =>
            "The service failed. Try again later. If it keeps failing, send the request id to fal's support.",
        HttpStatusCode.NotImplemented or HttpStatusCode.HttpVersionNotSupported =>
            "A retry does not help. Check the base address, and whether a proxy in between supports HTTP/1.1.",
        _ => "Check the base address, and what answers there. If it is the service, send the request id to fal's support.",
    };

    private static string Describe(string operation, FalApiFacts facts, string advice)
    {
        var text = new StringBuilder();
        string status = facts.StatusCode.ToString();
        string words = OnOneLine(facts.ServiceMessage?.Trim().TrimEnd('.') ?? "");
        text.Append(CultureInfo.InvariantCulture, $"{operation} answered {(int)facts.StatusCode}");
        // A status without a name would appear as its number, which the message already contains.
        if (!char.IsAsciiDigit(status[0]) && !SaysTheSame(status, words))
        {
            text.Append(' ').Append(status);
        }

        if (facts.ErrorType is { } type && !SaysTheSame(type, status) && !SaysTheSame(type, words))
        {
            text.Append(CultureInfo.InvariantCulture, $" ({Quoted(type)})");
        }

        if (words.Length > 0)
        {
            text.Append(CultureInfo.InvariantCulture, $": {words}");
        }

        if (text[^1] is not ('.' or '!' or '?'))
        {
            text.Append('.');
        }

        if (advice.Length > 0)
        {
            text.Append(' ').Append(advice);
        }

        if (facts.RequestId is { } requestId && !words.Contains(requestId, StringComparison.Ordinal))
        {
            text.Append(CultureInfo.InvariantCulture, $" Request id: {Quoted(requestId)}.");
        }

        return text.ToString();
    }

    /// <summary>Replaces the line breaks in a text of the service or a proxy by \n, because logs treat each line as an event.</summary>
    private static string OnOneLine(string text) => text.ReplaceLineEndings("\\n");

    /// <summary>Whether two texts have the same letters and digits, as "Not found" and <c>not_found</c> do.</summary>
    private static bool SaysTheSame(string one, string other) =>
        LettersOf(one).Equals(LettersOf(other), StringComparison.OrdinalIgnoreCase);

    private static string LettersOf(string text) => string.Concat(text.Where(char.IsLetterOrDigit));

    /// <summary>
    /// Returns a text of the service or a proxy in the form in which a message quotes it. A long text would hide the rest of the message.
    /// It is therefore truncated, and the message says so.
    /// </summary>
    public static string Quoted(string text) => text.Length <= MaxQuotedCharacters
        ? text
        : string.Create(CultureInfo.InvariantCulture,
            $"{Cut(text, MaxQuotedCharacters)}... (truncated, {text.Length} characters in total)");

    private static string Scrubbed(ReadOnlySpan<byte> body, string? apiKey, int characters) =>
        Cut(FalApiKey.Scrub(Encoding.UTF8.GetString(body), apiKey), characters);

    private static string Cut(string text, int characters)
    {
        if (text.Length <= characters)
        {
            return text;
        }

        int end = char.IsHighSurrogate(text[characters - 1]) ? characters - 1 : characters;
        return text[..end];
    }

    /// <summary>
    /// The error details in the body. fal's platform API sends <c>{"error":{...}}</c>. Other hosts of fal send <c>{"detail":"..."}</c> or
    /// <c>{"detail":[{"loc":..,"msg":..}]}</c>.
    /// </summary>
    private readonly record struct ErrorBody(string? Type, string? Message, string? RequestId, Uri? DocsUrl)
    {
        public static ErrorBody Parse(ReadOnlySpan<byte> body, string? apiKey)
        {
            try
            {
                var reader = new Utf8JsonReader(FalJsonText.Readable(body));
                using JsonDocument document = JsonDocument.ParseValue(ref reader);
                JsonElement root = document.RootElement;
                if (root.ValueKind != JsonValueKind.Object)
                {
                    return default;
                }

                if (root.TryGetProperty("error", out JsonElement error))
                {
                    if (error.ValueKind == JsonValueKind.String)
                    {
                        return new(null, Text(error, apiKey), null, null);
                    }

                    if (error.ValueKind == JsonValueKind.Object)
                    {
                        return new(Text(error, "type", apiKey), Text(error, "message", apiKey) ?? Detail(root, apiKey),
                            Text(error, "request_id", apiKey, int.MaxValue), WebAddress(Text(error, "docs_url", apiKey)));
                    }
                }

                return new(null, Detail(root, apiKey), null, null);
            }
            catch (JsonException)
            {
                return default;
            }
        }

        private static string? Detail(JsonElement root, string? apiKey)
        {
            if (!root.TryGetProperty("detail", out JsonElement detail))
            {
                return Text(root, "message", apiKey);
            }

            if (detail.ValueKind != JsonValueKind.Array)
            {
                return Text(detail, apiKey);
            }

            string[] messages = [.. detail.EnumerateArray().Select(One).OfType<string>()];
            return messages.Length == 0 ? null : Cut(string.Join("; ", messages), MaxMessageCharacters);

            string? One(JsonElement item)
            {
                if (item.ValueKind != JsonValueKind.Object)
                {
                    return Text(item, apiKey);
                }

                string? message = Text(item, "msg", apiKey);
                return message is not null && item.TryGetProperty("loc", out JsonElement loc) && loc.ValueKind == JsonValueKind.Array
                    ? FalApiKey.Scrub($"{string.Join('.', loc.EnumerateArray().Select(part => part.ToString()))}: {message}", apiKey)
                    : message;
            }
        }

        private static Uri? WebAddress(string? text) =>
            Uri.TryCreate(text, UriKind.Absolute, out Uri? address) && address.Scheme is "https" or "http"
                ? address
                : null;

        private static string? Text(JsonElement parent, string name, string? apiKey, int characters = MaxMessageCharacters) =>
            parent.TryGetProperty(name, out JsonElement value) ? Text(value, apiKey, characters) : null;

        private static string? Text(JsonElement value, string? apiKey, int characters = MaxMessageCharacters) =>
            value.ValueKind == JsonValueKind.String && value.GetString() is { Length: > 0 } text
                ? Cut(FalApiKey.Scrub(text, apiKey), characters)
                : null;
    }
}
