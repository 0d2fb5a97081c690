using System.Net;
using System.Text;

namespace Fal.Observability.Client.Tests;

/// <summary>The end of a pipeline: answers each attempt with the next line of a script, the last one again and again.</summary>
internal sealed class ScriptedHandler(params Func<HttpRequestMessage, CancellationToken, Task<HttpResponseMessage>>[] script)
    : HttpMessageHandler
{
    public int Sent { get; private set; }

    public List<string> Authorizations { get; } = [];

    /// <summary>Completes when the first attempt has arrived.</summary>
    public TaskCompletionSource Arrived { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public static ScriptedHandler Answering(params HttpResponseMessage[] responses) =>
        new([
            .. responses.Select(r => new Func<HttpRequestMessage, CancellationToken, Task<HttpResponseMessage>>(
                (_, _) => Task.FromResult(r)
            )),
        ]);

    public static HttpResponseMessage Response(HttpStatusCode status, string body = "", string mediaType = "application/json") =>
        new(status) { Content = new StringContent(body, Encoding.UTF8, mediaType) };

    public static HttpResponseMessage Response(HttpStatusCode status, Stream body, string mediaType = "text/plain")
    {
        var response = new HttpResponseMessage(status) { Content = new StreamContent(body) };
        response.Content.Headers.ContentType = new(mediaType);
        return response;
    }

    public static HttpResponseMessage Gzip(byte[] compressed)
    {
        HttpResponseMessage response = Response(HttpStatusCode.OK, new MemoryStream(compressed));
        response.Content.Headers.ContentEncoding.Add("gzip");
        return response;
    }

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        Authorizations.AddRange(request.Headers.TryGetValues("Authorization", out IEnumerable<string>? values) ? values : []);
        int line = Math.Min(Sent++, script.Length - 1);
        Arrived.TrySetResult();
        HttpResponseMessage response = await script[line](request, cancellationToken);
        response.RequestMessage = request;
        return response;
    }
}

/// <summary>A body that gives what it has and then never ends and never fails, until the read is cancelled.</summary>
internal sealed class StallingStream(byte[] start) : Stream
{
    private int _position;

    public TaskCompletionSource Stalled { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => _position; set => throw new NotSupportedException(); }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        int count = Math.Min(buffer.Length, start.Length - _position);
        if (count > 0)
        {
            start.AsMemory(_position, count).CopyTo(buffer);
            _position += count;
            return count;
        }

        Stalled.TrySetResult();
        var never = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using (cancellationToken.Register(() => never.TrySetCanceled(cancellationToken)))
        {
            await never.Task;
        }

        return 0;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}

/// <summary>A body of unknown length that gives at most so many bytes at a time.</summary>
internal sealed class PiecewiseStream(byte[] bytes, int size) : MemoryStream(bytes)
{
    public override bool CanSeek => false;

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        base.ReadAsync(buffer[..Math.Min(size, buffer.Length)], cancellationToken);
}

/// <summary>A body that lets the test act before each read, such as by moving the clock.</summary>
internal sealed class ObservedStream(Stream inner, Action onRead) : FalForwardStream
{
    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        onRead();
        return inner.ReadAsync(buffer, CancellationToken.None);
    }
}

/// <summary>Gzip of empty blocks without an end: bytes come, and none comes out. It takes no notice of a cancellation.</summary>
internal sealed class EndlessGzipStream : FalForwardStream
{
    private static readonly byte[] Header = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3];
    private static readonly byte[] EmptyBlock = [0, 0, 0, 0xff, 0xff];

    private long _position;

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        foreach (ref byte b in buffer.Span)
        {
            b = _position < Header.Length ? Header[_position] : EmptyBlock[(_position - Header.Length) % EmptyBlock.Length];
            _position++;
        }

        return ValueTask.FromResult(buffer.Length);
    }
}

/// <summary>A body whose connection drops after what it has.</summary>
internal sealed class BreakingStream(byte[] start) : MemoryStream(start)
{
    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        Position == Length
            ? throw new HttpIOException(HttpRequestError.ResponseEnded, "The response ended prematurely.")
            : base.ReadAsync(buffer, cancellationToken);
}
