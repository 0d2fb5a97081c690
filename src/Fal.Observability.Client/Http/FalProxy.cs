using System.Net;

namespace Fal.Observability.Client;

/// <summary>Which proxy .NET's own handlers use.</summary>
internal static class FalProxy
{
    /// <summary>The proxy between a handler and an address; null if there is none, or if the handler is not one of .NET's.</summary>
    public static Uri? Between(HttpMessageHandler? handler, Uri address)
    {
        while (handler is DelegatingHandler { InnerHandler: { } inner })
        {
            handler = inner;
        }

        IWebProxy? proxy = handler switch
        {
            SocketsHttpHandler { UseProxy: true } sockets => sockets.Proxy ?? HttpClient.DefaultProxy,
            HttpClientHandler { UseProxy: true } client => client.Proxy ?? HttpClient.DefaultProxy,
            _ => null,
        };
        Uri? between = proxy is null || proxy.IsBypassed(address) ? null : proxy.GetProxy(address);
        return between == address ? null : between;
    }
}
