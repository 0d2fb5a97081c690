using System.Net;
using System.Net.Http.Headers;

namespace Fal.Observability.Client;

/// <summary>
/// Puts <c>Authorization: Key &lt;key_id&gt;:&lt;key_secret&gt;</c> on every request. Use it on a pipeline of your own when you
/// take <see cref="IFalMetricsApi"/> or <see cref="IFalAnalyticsApi"/> without <c>AddFalObservability</c>.
/// </summary>
/// <remarks>
/// The header is set, never appended, so a request that is sent again carries the key once, and it is taken off when the
/// response is there, so that a request that is kept or logged does not show it. It goes only to https, or to loopback, unless
/// the handler was told that plain http is acceptable.
/// </remarks>
public sealed class FalApiKeyHandler : DelegatingHandler
{
    private readonly Func<string> _key;
    private readonly bool _allowInsecureHttp;

    /// <summary>Creates the handler.</summary>
    /// <param name="apiKey">The key, <c>&lt;key_id&gt;:&lt;key_secret&gt;</c>; a leading <c>Key </c> is taken off.</param>
    /// <param name="allowInsecureHttp">Whether the key may go out over plain http to a host that is not loopback.</param>
    /// <exception cref="ArgumentException"><paramref name="apiKey"/> is missing or malformed. The message does not quote it.</exception>
    public FalApiKeyHandler(string apiKey, bool allowInsecureHttp = false)
    {
        if (FalApiKey.Problem(apiKey) is { } problem)
        {
            throw new ArgumentException($"The API key {problem}", nameof(apiKey));
        }

        _key = () => apiKey;
        _allowInsecureHttp = allowInsecureHttp;
    }

    /// <summary>Creates the handler for a key that may change from call to call, and that was looked at before.</summary>
    internal FalApiKeyHandler(Func<string> key, bool allowInsecureHttp) => (_key, _allowInsecureHttp) = (key, allowInsecureHttp);

    private AuthenticationHeaderValue Authorization => new("Key", FalApiKey.Normalize(_key()));

    /// <inheritdoc/>
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        RefuseInsecure(request.RequestUri);
        request.Headers.Authorization = Authorization;
        Uri? address = request.RequestUri;
        try
        {
            HttpResponseMessage response = await base.SendAsync(request, cancellationToken).ConfigureAwait(false);
            RefuseRedirected(response, address, request.RequestUri);
            return response;
        }
        finally
        {
            request.Headers.Authorization = null;
        }
    }

    /// <inheritdoc/>
    protected override HttpResponseMessage Send(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        RefuseInsecure(request.RequestUri);
        request.Headers.Authorization = Authorization;
        Uri? address = request.RequestUri;
        try
        {
            HttpResponseMessage response = base.Send(request, cancellationToken);
            RefuseRedirected(response, address, request.RequestUri);
            return response;
        }
        finally
        {
            request.Headers.Authorization = null;
        }
    }

    /// <summary>
    /// A primary handler of the user's own may follow redirects, as .NET's do unless they are told not to: what came from another
    /// address is not the service's answer.
    /// </summary>
    private static void RefuseRedirected(HttpResponseMessage response, Uri? asked, Uri? answered)
    {
        if (answered == asked)
        {
            return;
        }

        HttpStatusCode status = response.StatusCode;
        response.Dispose();
        throw new FalResponseException(
            $"The call to {asked?.Host} was redirected to {answered?.Host}, and what that answered is not used. Set AllowAutoRedirect = false on the primary handler, and the base address to where the service is.")
        {
            StatusCode = status,
        };
    }

    private void RefuseInsecure(Uri? address)
    {
        if (address is null || address.Scheme == Uri.UriSchemeHttps || address.IsLoopback || _allowInsecureHttp)
        {
            return;
        }

        throw new InvalidOperationException(
            $"The request goes over '{address.Scheme}' to '{address.Host}', where the key would cross the network in clear. Use https.");
    }
}
