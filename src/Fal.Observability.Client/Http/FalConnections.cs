using System.Collections.Concurrent;
using System.Net.Sockets;

namespace Fal.Observability.Client;

/// <summary>
/// Owns the primary handlers, and with them the sockets. The client factory disposes a handler only when it expires, and ours do not
/// expire, so without an owner a disposed client would leave its connections open. It also owns the user's own handlers, as the factory's
/// contract requires.
/// </summary>
internal sealed class FalConnections : IDisposable
{
    private readonly ConcurrentBag<HttpMessageHandler> _handlers = [];
    private readonly CancellationTokenSource _closed = new();
    private int _isDisposed;

    public FalConnections() => Closed = _closed.Token;

    /// <summary>Cancelled when the client, or the container that owns it, is disposed.</summary>
    public CancellationToken Closed { get; }

    /// <summary>The primary handler, unless the user sets another.</summary>
    public static SocketsHttpHandler CreateHandler(Uri baseAddress) => new()
    {
        PooledConnectionLifetime = TimeSpan.FromMinutes(5),
        // A redirect would send the call, though not the key, to an address that nobody configured.
        AllowAutoRedirect = false,
        UseCookies = false,
        // A proxy cannot reach this machine's loopback, and over plain http it would see the key.
        UseProxy = !baseAddress.IsLoopback,
        ConnectCallback = ConnectAsync,
        PlaintextStreamFilter = static (context, _) =>
        {
            FalRequestOptions.ProgressOf(context.InitialRequestMessage)?.Handshakes(false);
            return ValueTask.FromResult(context.PlaintextStream);
        },
    };

    public void Own(HttpMessageHandler handler) => _handlers.Add(handler);

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _isDisposed, 1) != 0)
        {
            return;
        }

        _closed.Cancel();
        foreach (HttpMessageHandler handler in _handlers)
        {
            handler.Dispose();
        }

        _closed.Dispose();
    }

    /// <summary>Connects as .NET does, and records that the TLS handshake comes next, so that a time-out there can say so.</summary>
    private static async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        Socket? socket = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(context.DnsEndPoint, cancellationToken).ConfigureAwait(false);
            FalRequestOptions.ProgressOf(context.InitialRequestMessage)?.Handshakes(
                context.InitialRequestMessage.RequestUri?.Scheme == Uri.UriSchemeHttps);
            var stream = new NetworkStream(socket, ownsSocket: true);
            socket = null;
            return stream;
        }
        finally
        {
            socket?.Dispose();
        }
    }
}
