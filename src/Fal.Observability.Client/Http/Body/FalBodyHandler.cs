using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Security.Authentication;
using Microsoft.Extensions.Logging;

namespace Fal.Observability.Client;

/// <summary>
/// Makes one attempt, which is one HTTP request: enforces its time limit, and decompresses and reads the body. If the call does not stream,
/// the whole body is read inside the attempt. A truncated body is then a failed attempt, like a refused connection, and can be retried.
/// </summary>
internal sealed class FalBodyHandler(FalObservabilityOptions options, TimeProvider time, ILogger log) : DelegatingHandler
{
    private readonly FalBodyBuffers _buffers = new(options.MaxResponseBytes);

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        // The client decompresses by itself, so that it can limit the size of the decompressed body and notice a truncated body.
        if (request.Headers.AcceptEncoding.Count == 0)
        {
            request.Headers.AcceptEncoding.Add(new StringWithQualityHeaderValue("gzip"));
        }

        string operation = FalRequestOptions.Operation(request);
        using var limit = new CancellationTokenSource(options.AttemptTimeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        HttpResponseMessage? response = null;
        try
        {
            response = await base.SendAsync(request, either.Token).ConfigureAwait(false);
            response.RequestMessage ??= request;
            await TakeBodyAsync(response, request, limit.Token, either.Token).ConfigureAwait(false);
            if (response.StatusCode is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden)
            {
                log.Refused(
                    FalRoute.NameOf(request),
                    (int)response.StatusCode,
                    FalResponseInfo.From(response, options.ApiKey).ContentType ?? "no content type"
                );
            }

            return response;
        }
        catch (Exception e)
        {
            response?.Dispose();
            // Mask the key here, because the resilience pipeline above logs the exceptions that it sees.
            Exception cause = FalApiKey.Scrub(e, options.ApiKey);
            switch (e)
            {
                case OperationCanceledException when limit.IsCancellationRequested && !cancellationToken.IsCancellationRequested:
                    throw new FalTimeoutException(
                        $"{operation}: no complete response arrived within {nameof(options.AttemptTimeout)} " +
                            $"({options.AttemptTimeout}). Try again later, or raise {nameof(options.AttemptTimeout)} if the service " +
                            "is that slow."
                        + FalErrorReader.WhatMayHoldItUp(request, response),
                        cause)
                    {
                        IsTransient = true,
                        Timeout = options.AttemptTimeout,
                        Setting = nameof(options.AttemptTimeout),
                    };
                case TimeoutException:
                    throw new FalTimeoutException($"{operation}: a handler that you added to the HTTP client, or its primary handler, " +
                        "reached a time limit of its own.", cause)
                    {
                        IsTransient = true,
                    };
                case HttpRequestException or IOException or SocketException or AuthenticationException:
                    throw FalErrorReader.NoResponse(request, options.ApiKey, cause);
                default:
                    if (cause != e)
                    {
                        throw cause;
                    }

                    throw;
            }
        }
    }

    private async Task TakeBodyAsync(
        HttpResponseMessage response, HttpRequestMessage request, CancellationToken attemptEnded, CancellationToken cancellationToken)
    {
        FalResponseInfo info = FalResponseInfo.From(response, options.ApiKey);
        bool failed = !response.IsSuccessStatusCode;
        bool streams = !failed && request.Options.TryGetValue(FalRequestOptions.Streaming, out bool asked) && asked;
        HttpContent original = response.Content;
        string coding = CodingOf(original);
        bool gzip =
            coding.Equals("gzip", StringComparison.OrdinalIgnoreCase) || coding.Equals("x-gzip", StringComparison.OrdinalIgnoreCase);
        if (!gzip && coding.Length > 0)
        {
            if (!failed)
            {
                throw FalErrorReader.BadBody(
                    info,
                    $"it is encoded as '{FalErrorReader.Quoted(coding)}', which the client did not request",
                    [],
                    options.ApiKey,
                    null,
                    transient: false
                );
            }

            // The body of this error cannot be read, but the status takes precedence: a 401 stays a 401, and a 503 is retried.
            response.Content = new FalBufferedContent([], 0, _buffers, original, info);
            original.Dispose();
            return;
        }

        if (!failed && Contradiction(response) is { } contradiction)
        {
            throw FalErrorReader.BadBody(info, contradiction, [], options.ApiKey, null, transient: true);
        }

        Stream raw = await original.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        var guard = new FalBodyGuard(
            info,
            options.MaxResponseBytes,
            FalRequestOptions.ProgressOf(request)?.ApiKey ?? options.ApiKey,
            streams ? options.ReadIdleTimeout : Timeout.InfiniteTimeSpan,
            time
        )
        {
            IsText = !AsksForJson(request),
            EndIsProven = gzip || EndIsProven(response),
        };
        var body = new FalGuardedStream(raw, gzip, guard);
        if (!failed && WrongKind(request, info) is { } kind)
        {
            await using (body.ConfigureAwait(false))
            {
                throw await body.RefuseAsync(kind, cancellationToken).ConfigureAwait(false);
            }
        }

        if (streams)
        {
            response.Content = new FalStreamedContent(body, original);
            return;
        }

        await using (body.ConfigureAwait(false))
        {
            response.Content = failed
                ? await ReadErrorAsync(body, original, info, attemptEnded, cancellationToken).ConfigureAwait(false)
                : await ReadWholeAsync(body, original, info, cancellationToken).ConfigureAwait(false);
        }

        original.Dispose();
    }

    /// <summary>
    /// What is wrong with the status or the content type of a success; null if nothing is wrong. Proxies rewrite the content type. An
    /// unknown or missing one is therefore accepted here and left to the parser.
    /// </summary>
    private static string? WrongKind(HttpRequestMessage request, FalResponseInfo info)
    {
        if (info.StatusCode == HttpStatusCode.PartialContent)
        {
            return "it is only a part of the body, but the client requested the whole body";
        }

        if (info.StatusCode != HttpStatusCode.OK)
        {
            return "the status is not 200, and only 200 means that the body is the answer; look for a proxy or gateway in between";
        }

        if (FalErrorReader.IsHtml(info.ContentType, default))
        {
            return "it is a web page, so something between this program and the service sent the answer";
        }

        return info.ContentType is "application/json" or "application/problem+json" && !AsksForJson(request)
            ? "it is JSON instead of Prometheus text; check the base address"
            : null;
    }

    private static bool AsksForJson(HttpRequestMessage request)
    {
        foreach (MediaTypeWithQualityHeaderValue accept in request.Headers.Accept)
        {
            if (accept.MediaType == "application/json")
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>
    /// The content encoding of the body; empty if there is none. The client requests only gzip and cannot read another encoding.
    /// </summary>
    private static string CodingOf(HttpContent content) => content.Headers.ContentEncoding.Count == 0 ? "" : string.Join(
        ", ", content.Headers.ContentEncoding.Where(coding => !coding.Equals("identity", StringComparison.OrdinalIgnoreCase)));

    /// <summary>
    /// Whether HTTP itself distinguishes the end of the body from a lost connection. HTTP/2 and HTTP/3 always do. HTTP/1.x does so with a
    /// length or chunks. Without them, the body ends where the connection ends, for whatever reason.
    /// </summary>
    private static bool EndIsProven(HttpResponseMessage response) =>
        response.Version.Major >= 2
        || response.Headers.TransferEncodingChunked == true
        || response.Content.Headers.ContentLength is not null;

    /// <summary>
    /// Why the headers leave the end of the body ambiguous (RFC 9112, section 6.3); null if they do not. .NET chooses one interpretation
    /// without an error.
    /// </summary>
    private static string? Contradiction(HttpResponseMessage response)
    {
        string[] codings = ListOf(response.Headers.NonValidated, "Transfer-Encoding");
        if (codings.Length > 0 && !(codings.Length == 1 && codings[0].Equals("chunked", StringComparison.OrdinalIgnoreCase)))
        {
            return $"its Transfer-Encoding is '{FalErrorReader.Quoted(string.Join(", ", codings))}', but the client can read only " +
                "'chunked'; look for a faulty proxy in between";
        }

        string[] lengths = ListOf(response.Content.Headers.NonValidated, "Content-Length");
        foreach (string length in lengths)
        {
            if (length != lengths[0] || !long.TryParse(length, NumberStyles.None, CultureInfo.InvariantCulture, out _))
            {
                return $"its Content-Length is '{FalErrorReader.Quoted(string.Join(", ", lengths))}', which is not a single length; look " +
                    "for a faulty proxy in between";
            }
        }

        return codings.Length > 0 && lengths.Length > 0
            ? "it has a Transfer-Encoding and a Content-Length, which contradict each other; look for a faulty proxy in between"
            : null;
    }

    private static string[] ListOf(HttpHeadersNonValidated headers, string name) =>
        headers.TryGetValues(name, out HeaderStringValues values)
            ? string.Join(',', values).Split(',', StringSplitOptions.TrimEntries)
            : [];

    private async Task<HttpContent> ReadWholeAsync(
        FalGuardedStream body, HttpContent original, FalResponseInfo info, CancellationToken cancellationToken)
    {
        byte[] buffer = FalBodyBuffers.Rent();
        int length = 0;
        try
        {
            int count;
            while ((count = await body.ReadAsync(buffer.AsMemory(length), cancellationToken).ConfigureAwait(false)) > 0)
            {
                length += count;
                if (length == buffer.Length)
                {
                    buffer = _buffers.Grow(buffer);
                }
            }

            var content = new FalBufferedContent(buffer, length, _buffers, original, info);
            buffer = [];
            return content;
        }
        finally
        {
            if (buffer.Length > 0)
            {
                _buffers.Return(buffer);
            }
        }
    }

    /// <summary>
    /// Reads the start of the body of an error response. A truncated or stalled body causes no exception, because it must not hide the
    /// status.
    /// </summary>
    private async Task<HttpContent> ReadErrorAsync(
        FalGuardedStream body,
        HttpContent original,
        FalResponseInfo info,
        CancellationToken attemptEnded,
        CancellationToken cancellationToken
    )
    {
        byte[] buffer = FalBodyBuffers.Rent();
        int length = 0;
        try
        {
            int count;
            while (
                length < FalErrorReader.MaxErrorBodyBytes
                && (
                    count = await body.ReadAsync(buffer.AsMemory(length..FalErrorReader.MaxErrorBodyBytes), cancellationToken)
                        .ConfigureAwait(false)
                ) > 0
            )
            {
                length += count;
            }
        }
        catch (FalResponseException)
        {
            // Keep the part before the fault.
        }
        catch (OperationCanceledException) when (attemptEnded.IsCancellationRequested)
        {
            // Keep the part that arrived. A stalled error page must not turn a 401 into a time-out.
        }

        return new FalBufferedContent(buffer, length, _buffers, original, info);
    }

    /// <summary>The content of a call that streams: the body is read as it arrives. Disposal closes the stream of the connection.</summary>
    private sealed class FalStreamedContent : HttpContent
    {
        private readonly FalGuardedStream _body;
        private readonly HttpContent _original;

        public FalStreamedContent(FalGuardedStream body, HttpContent original)
        {
            _body = body;
            _original = original;
            Headers.ContentType = original.Headers.ContentType;
        }

        protected override Task<Stream> CreateContentReadStreamAsync() => Task.FromResult<Stream>(_body);

        protected override Task SerializeToStreamAsync(Stream stream, System.Net.TransportContext? context) => _body.CopyToAsync(stream);

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing)
            {
                _body.Dispose();
                _original.Dispose();
            }

            base.Dispose(disposing);
        }
    }
}
