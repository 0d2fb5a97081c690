using System.Buffers.Binary;
using System.IO.Compression;
using System.IO.Hashing;

namespace Fal.Observability.Bridge;

/// <summary>
/// A page as one gzip member, of which the large first part is compressed once for all scrapers. Two members would do by the format, but
/// curl reads only the first.
/// </summary>
/// <remarks>RFC 1952 for the member, RFC 1951 for the blocks in it.</remarks>
internal static class GzipPage
{
    /// <summary>The header: deflate, no name, no time, an unknown system.</summary>
    public static ReadOnlyMemory<byte> Header { get; } = new byte[] { 0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 0xFF };

    /// <summary>Compresses the first part into whole blocks, after which others may come.</summary>
    public static ReadOnlyMemory<byte> Begin(ReadOnlyMemory<byte> text)
    {
        var blocks = new MemoryStream();
        using (var deflate = new DeflateStream(blocks, CompressionLevel.Fastest, leaveOpen: true))
        {
            deflate.Write(text.Span);
            deflate.Flush();
            // What disposing adds is the last block of a stream, and this is not yet the end of it.
            return blocks.GetBuffer().AsMemory(0, (int)blocks.Length).ToArray();
        }
    }

    /// <summary>Compresses the rest, and adds the checks over the whole page.</summary>
    public static ReadOnlyMemory<byte> End(ReadOnlyMemory<byte> begin, ReadOnlyMemory<byte> text)
    {
        using var blocks = new MemoryStream();
        using (var deflate = new DeflateStream(blocks, CompressionLevel.Fastest, leaveOpen: true))
        {
            deflate.Write(text.Span);
        }

        var check = new Crc32();
        check.Append(begin.Span);
        check.Append(text.Span);
        Span<byte> trailer = stackalloc byte[8];
        BinaryPrimitives.WriteUInt32LittleEndian(trailer, check.GetCurrentHashAsUInt32());
        BinaryPrimitives.WriteUInt32LittleEndian(trailer[4..], (uint)(begin.Length + text.Length));
        blocks.Write(trailer);
        return blocks.ToArray();
    }
}
