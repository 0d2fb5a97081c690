namespace Fal.Observability.Client;

/// <summary>The members of a stream that can only be read, asynchronously and forward.</summary>
internal abstract class FalForwardStream : Stream
{
    private const string ForwardOnly = "A response body can only be read forward.";

    public sealed override bool CanRead => true;

    public sealed override bool CanSeek => false;

    public sealed override bool CanWrite => false;

    public sealed override long Length => throw new NotSupportedException(ForwardOnly);

    public sealed override long Position
    {
        get => throw new NotSupportedException(ForwardOnly);
        set => throw new NotSupportedException(ForwardOnly);
    }

    public abstract override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default);

    public sealed override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    /// <summary>For synchronous callers: it blocks, under the same limits.</summary>
    public sealed override int Read(byte[] buffer, int offset, int count) =>
        ReadAsync(buffer.AsMemory(offset, count)).AsTask().GetAwaiter().GetResult();

    public sealed override void Flush()
    {
    }

    public sealed override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException(ForwardOnly);

    public sealed override void SetLength(long value) => throw new NotSupportedException(ForwardOnly);

    public sealed override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException(ForwardOnly);
}
