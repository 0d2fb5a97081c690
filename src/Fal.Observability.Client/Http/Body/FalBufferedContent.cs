using System.Net;
using System.Net.Http.Headers;

namespace Fal.Observability.Client;

/// <summary>A complete body, in an array that returns to its buffers when the body is disposed.</summary>
internal sealed class FalBufferedContent : HttpContent
{
    private readonly FalBodyStream _stream;

    public FalBufferedContent(byte[] bytes, int length, FalBodyBuffers buffers, HttpContent original, FalResponseInfo info)
    {
        _stream = new FalBodyStream(bytes, length, buffers, info);
        foreach ((string name, HeaderStringValues values) in original.Headers.NonValidated)
        {
            // The body is no longer what these two described.
            if (
                !name.Equals("Content-Encoding", StringComparison.OrdinalIgnoreCase)
                && !name.Equals("Content-Length", StringComparison.OrdinalIgnoreCase)
            )
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
