using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Threading.Channels;

namespace Fal.Observability.Client.IntegrationTests;

/// <summary>
/// A raw TCP server on a loopback port. It records the head of every request as it arrived. Each test writes the answer itself, so it can
/// truncate, stall or drop the answer anywhere.
/// </summary>
internal sealed class RawServer : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stopping = new();
    private readonly ConcurrentBag<Task> _connections = [];
    private readonly ConcurrentQueue<string> _heads = new();
    private readonly Channel<string> _arrivals = Channel.CreateUnbounded<string>();
    private readonly Func<RawExchange, Task>[] _script;
    private readonly Task _accepting;
    private int _requests;

    private RawServer(Func<RawExchange, Task>[] script)
    {
        _script = script;
        _listener.Start();
        BaseAddress = new Uri($"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}/v1");
        _accepting = AcceptAsync();
    }

    public Uri BaseAddress { get; }

    /// <summary>The heads of the requests so far, line ends included, in the order of their arrival.</summary>
    public IReadOnlyList<string> Heads => [.. _heads];

    /// <summary>How many connections were made.</summary>
    public int Connections => _connections.Count;

    /// <summary>Starts a server that answers each request with the next line of a script, the last one again and again.</summary>
    public static RawServer Start(params Func<RawExchange, Task>[] script) => new(script);

    /// <summary>A whole answer with its length.</summary>
    public static Func<RawExchange, Task> Answer(int status, string? contentType, byte[] body, params string[] headers) =>
        exchange =>
            exchange.WriteAsync(
                Head(status, contentType, [.. headers, string.Create(CultureInfo.InvariantCulture, $"Content-Length: {body.Length}")]),
                body
            );

    /// <inheritdoc cref="Answer(int, string, byte[], string[])"/>
    public static Func<RawExchange, Task> Answer(int status, string? contentType, string body, params string[] headers) =>
        Answer(status, contentType, Encoding.UTF8.GetBytes(body), headers);

    /// <summary>The head of an answer, with the empty line that ends it.</summary>
    public static byte[] Head(int status, string? contentType, params string[] headers)
    {
        var head = new StringBuilder().Append(CultureInfo.InvariantCulture, $"HTTP/1.1 {status} Simulated\r\n");
        if (contentType is not null)
        {
            head.Append(CultureInfo.InvariantCulture, $"Content-Type: {contentType}\r\n");
        }

        foreach (string header in headers)
        {
            head.Append(CultureInfo.InvariantCulture, $"{header}\r\n");
        }

        return Encoding.Latin1.GetBytes(head.Append("\r\n").ToString());
    }

    /// <summary>Waits for the head of the next request that no earlier call returned.</summary>
    public Task<string> ArrivalAsync() => _arrivals.Reader.ReadAsync().AsTask().OrHangs();

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _accepting;
        _listener.Stop();
        await Task.WhenAll(_connections).OrHangs();
        _listener.Dispose();
        _stopping.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                _connections.Add(ServeAsync(await _listener.AcceptSocketAsync(_stopping.Token)));
            }
        }
        catch (OperationCanceledException)
        {
            // The test is over.
        }
    }

    private async Task ServeAsync(Socket socket)
    {
        using (socket)
        {
            socket.NoDelay = true;
            using var exchange = new RawExchange(socket, _stopping.Token);
            try
            {
                while (!exchange.IsClosed && await exchange.ReadHeadAsync() is { } head)
                {
                    _heads.Enqueue(head);
                    int line = Math.Min(Interlocked.Increment(ref _requests), _script.Length) - 1;
                    _arrivals.Writer.TryWrite(head);
                    // A line may wait for its test, which may be over.
                    await _script[line](exchange).WaitAsync(_stopping.Token);
                }
            }
            catch (Exception e) when (e is IOException or SocketException or OperationCanceledException)
            {
                // The client closed the connection, which it may do, or the test has ended.
            }
        }
    }
}

/// <summary>One connection, while a request on it is answered.</summary>
internal sealed class RawExchange(Socket socket, CancellationToken stopping) : IDisposable
{
    private readonly NetworkStream _stream = new(socket);

    public bool IsClosed { get; private set; }

    /// <summary>The request that is being answered.</summary>
    public string RequestHead { get; private set; } = "";

    public async Task WriteAsync(params byte[][] parts)
    {
        foreach (byte[] part in parts)
        {
            await _stream.WriteAsync(part, stopping);
        }
    }

    public Task WriteAsync(string text) => WriteAsync(Encoding.UTF8.GetBytes(text));

    /// <summary>Ends the connection after this answer, in good order: everything sent arrives.</summary>
    public void Close()
    {
        IsClosed = true;
        socket.Shutdown(SocketShutdown.Send);
    }

    /// <summary>Breaks the connection.</summary>
    public void Reset()
    {
        IsClosed = true;
        socket.LingerState = new LingerOption(true, 0);
        socket.Close();
    }

    /// <summary>Completes when the client has closed the connection, and with it the call.</summary>
    public async Task ClientLeavesAsync()
    {
        IsClosed = true;
        try
        {
            while (await _stream.ReadAsync(new byte[256], stopping) > 0)
            {
                // The client should send nothing more. Anything that it does send is ignored.
            }
        }
        catch (IOException)
        {
            // The client reset the connection.
        }
    }

    public void Dispose() => _stream.Dispose();

    /// <summary>The head of the next request; null if the client closes the connection instead.</summary>
    public async Task<string?> ReadHeadAsync()
    {
        var head = new List<byte>();
        byte[] one = new byte[1];
        while (await _stream.ReadAsync(one, stopping) > 0)
        {
            head.Add(one[0]);
            if (head is [.., (byte)'\r', (byte)'\n', (byte)'\r', (byte)'\n'])
            {
                return RequestHead = Encoding.Latin1.GetString([.. head]);
            }
        }

        return null;
    }
}
