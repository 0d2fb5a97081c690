namespace Fal.Observability.Client.Tests.Shared;

/// <summary>A stream that gives a few bytes at a time, like a slow connection.</summary>
internal sealed class TricklingStream(byte[] input, int length) : MemoryStream(input, writable: false)
{
    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        base.ReadAsync(buffer[..Math.Min(length, buffer.Length)], cancellationToken);
}
