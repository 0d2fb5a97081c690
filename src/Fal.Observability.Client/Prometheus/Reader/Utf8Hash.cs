using System.Buffers.Binary;

namespace Fal.Observability.Client.Prometheus;

/// <summary>
/// A fast hash of bytes. The seed differs per process, so that the author of an exposition cannot choose names or values that
/// collide. The hash only finds candidates. Callers must compare the bytes.
/// </summary>
internal static class Utf8Hash
{
    private const ulong Multiplier = 0x9E3779B97F4A7C15;

    private static readonly ulong Seed = NextSeed();
    private static readonly ulong SecondSeed = NextSeed();

    public static uint Compute(ReadOnlySpan<byte> bytes)
    {
        ulong hash = Seed ^ ((ulong)bytes.Length * Multiplier);
        while (bytes.Length > 16)
        {
            hash = Mix(
                hash ^ BinaryPrimitives.ReadUInt64LittleEndian(bytes),
                BinaryPrimitives.ReadUInt64LittleEndian(bytes[8..]) ^ SecondSeed);
            bytes = bytes[16..];
        }

        ulong low;
        ulong high;
        if (bytes.Length >= 8)
        {
            low = BinaryPrimitives.ReadUInt64LittleEndian(bytes);
            high = BinaryPrimitives.ReadUInt64LittleEndian(bytes[^8..]);
        }
        else if (bytes.Length >= 4)
        {
            low = BinaryPrimitives.ReadUInt32LittleEndian(bytes);
            high = BinaryPrimitives.ReadUInt32LittleEndian(bytes[^4..]);
        }
        else
        {
            low = bytes.IsEmpty ? 0u : bytes[0];
            high = bytes.IsEmpty ? 0u : ((uint)bytes[bytes.Length / 2] << 8) | bytes[^1];
        }

        hash = Mix(hash ^ low, high ^ SecondSeed);
        return (uint)(hash ^ (hash >> 32));
    }

    /// <summary>
    /// 64 random bits. Those of a GUID come from the operating system, too. RandomNumberGenerator would load OpenSSL, which takes longer
    /// than the first parse.
    /// </summary>
    private static ulong NextSeed()
    {
        Span<byte> random = stackalloc byte[16];
        Guid.NewGuid().TryWriteBytes(random);
        return (BinaryPrimitives.ReadUInt64LittleEndian(random) ^ BinaryPrimitives.ReadUInt64LittleEndian(random[8..])) | 1;
    }

    /// <summary>Combines both halves of the 128-bit product, so that every bit of both factors affects every bit of the result.</summary>
    private static ulong Mix(ulong a, ulong b)
    {
        ulong high = Math.BigMul(a, b, out ulong low);
        return high ^ low;
    }
}
