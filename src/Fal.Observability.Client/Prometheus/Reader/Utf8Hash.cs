using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Fal.Observability.Client.Prometheus;

/// <summary>
/// A fast hash of bytes, seeded per process, so that nobody who writes an exposition can choose names or values that
/// collide. It only ever finds candidates: whoever uses it compares the bytes.
/// </summary>
internal static class Utf8Hash
{
    private const ulong Multiplier = 0x9E3779B97F4A7C15;

    private static readonly ulong Seed = BinaryPrimitives.ReadUInt64LittleEndian(RandomNumberGenerator.GetBytes(8)) | 1;
    private static readonly ulong SecondSeed = BinaryPrimitives.ReadUInt64LittleEndian(RandomNumberGenerator.GetBytes(8)) | 1;

    public static uint Compute(ReadOnlySpan<byte> bytes)
    {
        ulong hash = Seed ^ ((ulong)bytes.Length * Multiplier);
        while (bytes.Length > 16)
        {
            hash = Mix(hash ^ BinaryPrimitives.ReadUInt64LittleEndian(bytes), BinaryPrimitives.ReadUInt64LittleEndian(bytes[8..]) ^ SecondSeed);
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

    /// <summary>Both halves of the 128-bit product: every bit of both factors reaches every bit of the result.</summary>
    private static ulong Mix(ulong a, ulong b)
    {
        ulong high = Math.BigMul(a, b, out ulong low);
        return high ^ low;
    }
}
