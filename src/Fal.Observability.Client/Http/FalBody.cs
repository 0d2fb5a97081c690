using System.Buffers;
using System.Net;

namespace Fal.Observability.Client;

/// <summary>The facts of a response that an error about its body has to name.</summary>
internal sealed record FalResponseInfo(HttpStatusCode StatusCode, string? ContentType, string? RequestId, string Operation)
{
    private const string RequestIdHeader = "x-fal-request-id";

    /// <summary>How many times the call had been sent when the response came: a body can fail long after its call has returned.</summary>
    public int Attempts { get; init; }

    public static FalResponseInfo From(HttpResponseMessage response, string? apiKey) => new(
        response.StatusCode,
        response.Content.Headers.ContentType?.MediaType is { } type ? FalApiKey.Scrub(type, apiKey) : null,
        response.Headers.TryGetValues(RequestIdHeader, out IEnumerable<string>? ids) ? FalApiKey.Scrub(ids.FirstOrDefault() ?? "", apiKey) : null,
        response.RequestMessage is { } request ? FalRequestOptions.Operation(request) : "The call")
    {
        Attempts = FalRequestOptions.AttemptsOf(response.RequestMessage),
    };
}

/// <summary>A body that was read whole, in a rented array that goes back when the body is disposed.</summary>
internal sealed class FalBufferedContent : HttpContent
{
    private readonly FalBodyStream _stream;

    public FalBufferedContent(byte[] rented, int length, HttpContent original, FalResponseInfo info)
    {
        _stream = new FalBodyStream(rented, length, info);
        foreach ((string name, IEnumerable<string> values) in original.Headers.NonValidated.Select(h => (h.Key, h.Value.AsEnumerable())))
        {
            // The body is no longer what these two described.
            if (!name.Equals("Content-Encoding", StringComparison.OrdinalIgnoreCase) && !name.Equals("Content-Length", StringComparison.OrdinalIgnoreCase))
            {
                Headers.TryAddWithoutValidation(name, values);
            }
        }
    }

    public ReadOnlyMemory<byte> Memory => _stream.Memory;

    public FalResponseInfo Info => _stream.Info;

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        stream.WriteAsync(_stream.Memory).AsTask();

    protected override Task<Stream> CreateContentReadStreamAsync() => Task.FromResult<Stream>(_stream);

    protected override Stream CreateContentReadStream(CancellationToken cancellationToken) => _stream;

    protected override bool TryComputeLength(out long length)
    {
        length = _stream.Memory.Length;
        return true;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _stream.Dispose();
        }

        base.Dispose(disposing);
    }
}

/// <summary>A body in memory, as the stream that Refit hands out and as the bytes that the parser wants.</summary>
internal sealed class FalBodyStream(byte[] rented, int length, FalResponseInfo info) : MemoryStream(rented, 0, length, writable: false)
{
    private byte[]? _rented = rented;

    public FalResponseInfo Info { get; } = info;

    public ReadOnlyMemory<byte> Memory =>
        _rented is { } bytes ? bytes.AsMemory(0, (int)Length) : throw new ObjectDisposedException(nameof(FalBodyStream));

    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        if (disposing && Interlocked.Exchange(ref _rented, null) is { } bytes)
        {
            ArrayPool<byte>.Shared.Return(bytes);
        }
    }
}
