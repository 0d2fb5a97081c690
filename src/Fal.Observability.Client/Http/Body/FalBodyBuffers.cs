using System.Buffers;

namespace Fal.Observability.Client;

/// <summary>
/// The arrays that one client reads bodies into. An array grows as data arrives, whatever length is announced. All arrays of one body
/// together are at most 1.5 times as large as the largest accepted body, even if none is collected meanwhile.
/// </summary>
/// <remarks>
/// Arrays up to <see cref="MaxPooledBytes"/> come from the shared pool. The pool would keep a larger one for the lifetime of the process,
/// so larger arrays belong to the client. The client retains the last one that was returned, so that a poll of the same metrics needs no
/// new array, but only until the garbage collector reclaims it.
/// </remarks>
/// <param name="maxBodyBytes">The largest body that is accepted.</param>
internal sealed class FalBodyBuffers(long maxBodyBytes)
{
    public const int MaxPooledBytes = 1024 * 1024;

    private const int FirstBytes = 64 * 1024;

    private WeakReference<byte[]>? _spare;

    /// <summary>A first array, small, since nothing has arrived yet.</summary>
    public static byte[] Rent() => ArrayPool<byte>.Shared.Rent(FirstBytes);

    /// <summary>A larger array with the content of a full one, which is taken back.</summary>
    public byte[] Grow(byte[] full)
    {
        byte[] larger = Larger(full.Length);
        full.CopyTo(larger, 0);
        Return(full);
        return larger;
    }

    /// <summary>Takes an array back.</summary>
    public void Return(byte[] buffer)
    {
        if (buffer.Length > MaxPooledBytes)
        {
            Volatile.Write(ref _spare, new WeakReference<byte[]>(buffer));
        }
        else
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private byte[] Larger(int length)
    {
        if (length <= MaxPooledBytes / 2)
        {
            return ArrayPool<byte>.Shared.Rent(length * 2);
        }

        if (Interlocked.Exchange(ref _spare, null) is { } reference && reference.TryGetTarget(out byte[]? spare) && spare.Length > length)
        {
            return spare;
        }

        // The extra byte above the limit shows that a body is too large. The sizes are the whole, a quarter of it, and halves of that
        // quarter: 1 + 1/4 + 1/8 + ... is 1.5.
        long whole = maxBodyBytes + 1;
        long size = whole / 4;
        if (size < length * 2L)
        {
            size = whole;
        }

        while (size / 2 >= length * 2L && size < whole)
        {
            size /= 2;
        }

        return GC.AllocateUninitializedArray<byte>((int)size);
    }
}
