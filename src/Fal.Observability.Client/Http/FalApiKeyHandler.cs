using System.Net;
using System.Net.Http.Headers;

namespace Fal.Observability.Client;

/// <summary>
/// Puts <c>Authorization: Key &lt;key_id&gt;:&lt;key_secret&gt;</c> on every request. Use it in your own pipeline when you use
/// <see cref="IFalMetricsApi"/> or <see cref="IFalAnalyticsApi"/> without <c>AddFalObservability</c>.
/// </summary>
/// <remarks>
/// The header is set, never appended, so a retried request has the key once. It is removed when the response arrives, so that a retained or
/// logged request does not show it. The key is sent only over https, or to loopback, unless plain http is allowed. Plain http to loopback
/// is refused if the handler below would use a proxy. An exception from below that quotes the key is replaced by one of the same type that
/// does not.
/// </remarks>
public sealed class FalApiKeyHandler : DelegatingHandler
{
    private readonly Func<string> _defaultKey;
    private readonly bool _allowInsecureHttp;

    /// <summary>Creates the handler.</summary>
    /// <param name="apiKey">The key, <c>&lt;key_id&gt;:&lt;key_secret&gt;</c>; a leading <c>Key </c> is removed.</param>
    /// <param name="allowInsecureHttp">Whether the key may be sent over plain http to a host that is not loopback.</param>
    /// <exception cref="ArgumentException"><paramref name="apiKey"/> is missing or malformed. The message does not quote it.</exception>
    public FalApiKeyHandler(string apiKey, bool allowInsecureHttp = false)
    {
        if (FalApiKey.Problem(apiKey) is { } problem)
        {
            throw new ArgumentException($"The API key {problem}", nameof(apiKey));
        }

        _defaultKey = () => apiKey;
        _allowInsecureHttp = allowInsecureHttp;
    }

    /// <summary>Creates the handler for the key of each call, which <see cref="FalCallHandler"/> has looked up.</summary>
    /// <param name="options">The options of the account. Their key is for a call that has none of its own.</param>
    internal FalApiKeyHandler(FalObservabilityOptions options) =>
        (_defaultKey, _allowInsecureHttp) = (() => options.ApiKey!, options.AllowInsecureHttp);

    /// <inheritdoc/>
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        Uri? address = Authorize(request);
        try
        {
            HttpResponseMessage response = await base.SendAsync(request, cancellationToken).ConfigureAwait(false);
            RefuseRedirected(request, response, address);
            return response;
        }
        catch (Exception e) when (Explained(e, request, address) is { } explained)
        {
            throw explained;
        }
        finally
        {
            TakeBack(request, address);
        }
    }

    /// <inheritdoc/>
    protected override HttpResponseMessage Send(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        Uri? address = Authorize(request);
        try
        {
            HttpResponseMessage response = base.Send(request, cancellationToken);
            RefuseRedirected(request, response, address);
            return response;
        }
        catch (Exception e) when (Explained(e, request, address) is { } explained)
        {
            throw explained;
        }
        finally
        {
            TakeBack(request, address);
        }
    }

    private string KeyOf(HttpRequestMessage request) => FalRequestOptions.ProgressOf(request)?.ApiKey ?? _defaultKey();

    private Uri? Authorize(HttpRequestMessage request)
    {
        ArgumentNullException.ThrowIfNull(request);
        RefuseInsecure(request.RequestUri);
        request.Headers.Authorization = new AuthenticationHeaderValue("Key", FalApiKey.Normalize(KeyOf(request)));
        return request.RequestUri;
    }

    /// <summary>
    /// Restores the request. A handler that follows a redirect leaves the other address in it, and the next attempt would send the key
    /// there.
    /// </summary>
    private static void TakeBack(HttpRequestMessage request, Uri? address)
    {
        request.Headers.Authorization = null;
        if (request.RequestUri != address)
        {
            request.RequestUri = address;
        }
    }

    /// <summary>
    /// The exception to throw instead; null if the original can stay. Everything above, including the logs of the resilience pipeline and
    /// of .NET's HTTP client factory, then sees an exception that does not contain the key and that names the proxy.
    /// </summary>
    private Exception? Explained(Exception exception, HttpRequestMessage request, Uri? address)
    {
        if (exception is FalResponseException)
        {
            return null;
        }

        if (request.RequestUri != address && exception is not OperationCanceledException)
        {
            return Redirected(request, address, default);
        }

        if (address is not null && FalProxy.Between(InnerHandler, address) is { } proxy)
        {
            FalRequestOptions.ProgressOf(request)?.GoesThrough(proxy);
        }

        Exception clean = FalApiKey.Scrub(exception, KeyOf(request));
        return clean == exception ? null : clean;
    }

    /// <summary>
    /// The user's own primary handler may follow redirects, as .NET's handlers do by default. A response from another address is not the
    /// service's answer.
    /// </summary>
    private void RefuseRedirected(HttpRequestMessage request, HttpResponseMessage response, Uri? address)
    {
        if (request.RequestUri == address)
        {
            return;
        }

        HttpStatusCode status = response.StatusCode;
        response.Dispose();
        throw Redirected(request, address, status);
    }

    private FalResponseException Redirected(HttpRequestMessage request, Uri? address, HttpStatusCode status)
    {
        string target = FalApiKey.Scrub(request.RequestUri?.GetLeftPart(UriPartial.Authority) ?? "", KeyOf(request));
        return new FalResponseException(
            $"{request.Method} {address?.AbsolutePath}: the primary HTTP handler followed a redirect from"
            + $" {address?.GetLeftPart(UriPartial.Authority)} to {target}. The client discarded the response."
            + " Set AllowAutoRedirect = false on the handler, and set the base address to the address of the service.")
        {
            StatusCode = status,
        };
    }

    private void RefuseInsecure(Uri? address)
    {
        if (address is null || address.Scheme == Uri.UriSchemeHttps || _allowInsecureHttp)
        {
            return;
        }

        if (!address.IsLoopback)
        {
            throw new InvalidOperationException(
                $"The request goes over '{address.Scheme}' to '{address.Host}'. The key would cross the network in clear text. Use https."
            );
        }

        if (FalProxy.Between(InnerHandler, address) is { } proxy)
        {
            throw new InvalidOperationException(
                $"The request to '{address.Authority}' would go through the proxy '{proxy.Authority}' over plain http. The proxy " +
                "would see the key in clear text. Set UseProxy = false on the primary HTTP handler, or add the address to the " +
                "environment variable NO_PROXY.");
        }
    }
}
