namespace Fal.Observability.Client;

/// <summary>A body in memory, as the stream that Refit returns and as the bytes that the parser needs.</summary>
internal sealed class FalBodyStream(byte[] bytes, int length, FalBodyBuffers buffers, FalResponseInfo info)
    : MemoryStream(bytes, 0, length, writable: false)
{
    private byte[]? _bytes = bytes;

    public FalResponseInfo Info { get; } = info;

    public ReadOnlyMemory<byte> Memory =>
        _bytes is { } bytes ? bytes.AsMemory(0, (int)Length) : throw new ObjectDisposedException(nameof(FalBodyStream));

    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        if (disposing && Interlocked.Exchange(ref _bytes, null) is { } bytes)
        {
            buffers.Return(bytes);
        }
    }
}
