using System.IO.Compression;
using System.Text;
using Xunit;

namespace Fal.Observability.Client.Tests;

/// <summary>Gzip bodies of several members: RFC 1952, section 2.2.</summary>
public sealed class FalGzipBodyTests
{
    private const string First = "fal_app_queue_size{application=\"my/app\"} 7\n";
    private const string Second = "fal_app_queue_size{application=\"my/other\"} 8\n";

    /// <summary>How many compressed bytes come at a time: as few as possible, a boundary anywhere, all at once.</summary>
    public static TheoryData<int> Pieces => [1, 2, 3, 7, 18, 19, 4096];

    [Theory]
    [MemberData(nameof(Pieces))]
    public async Task Every_member_is_read_and_zeros_behind_them_are_padding(int piece)
    {
        byte[] first = Member(First);
        byte[] second = Member(Second);
        byte[] nothing = Member("");
        foreach ((byte[] body, string text) in new (byte[], string)[]
        {
            ([.. first, .. second], First + Second),
            ([.. nothing, .. first], First),
            ([.. first, .. nothing], First),
            ([.. nothing, .. nothing, .. first, .. nothing, .. second], First + Second),
            ([.. first, 0], First),
            ([.. first, .. second, .. new byte[512]], First + Second),
            ([.. first, .. new byte[20_000]], First),
            ([.. first, 0, 0, 0, .. second], First + Second),
            ([.. nothing, 0, 0, .. first, 0], First),
            ([.. Member(First, CompressionLevel.NoCompression), .. Member(Second, CompressionLevel.NoCompression), 0], First + Second),
            ([.. WithEveryHeaderField(first), .. WithEveryHeaderField(second)], First + Second),
            ([.. Member(new string('\0', 70_000)), .. second], new string('\0', 70_000) + Second),
        })
        {
            Assert.Equal(text, await ReadAsync(body, piece, streaming: false));
            Assert.Equal(text, await ReadAsync(body, piece, streaming: true));
        }
    }

    [Theory]
    [MemberData(nameof(Pieces))]
    public async Task A_cut_in_any_member_is_a_truncated_body_and_no_byte_is_made_up(int piece)
    {
        byte[] first = Member(First, CompressionLevel.NoCompression);
        byte[] second = WithEveryHeaderField(Member(Second));
        byte[] nothing = Member("");
        byte[] body = [.. first, .. second, .. nothing];
        int[] ends = [first.Length, first.Length + second.Length, body.Length];
        for (int length = 0; length <= body.Length; length++)
        {
            foreach (bool streaming in new[] { false, true })
            {
                var read = new MemoryStream();
                Task reading = ReadAsync(body[..length], piece, streaming, read);
                if (ends.Contains(length))
                {
                    await reading;
                }
                else
                {
                    FalResponseException failure = await Assert.ThrowsAsync<FalResponseException>(() => reading);
                    Assert.True(failure.IsTransient);
                    Assert.Contains("truncated", failure.Message, StringComparison.Ordinal);
                }

                Assert.StartsWith(Encoding.UTF8.GetString(read.ToArray()), First + Second, StringComparison.Ordinal);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Pieces))]
    public async Task A_damaged_checksum_or_length_of_any_member_is_an_error(int piece)
    {
        byte[] first = Member(First);
        byte[] body = [.. first, .. Member(Second), .. Member("")];
        IEnumerable<int> trailers = [.. Enumerable.Range(first.Length - 8, 8), .. Enumerable.Range(body.Length - 8, 8)];
        foreach (int i in trailers)
        {
            byte[] damaged = [.. body];
            damaged[i] ^= 0x01;
            foreach (bool streaming in new[] { false, true })
            {
                FalResponseException failure = await Assert.ThrowsAsync<FalResponseException>(() => ReadAsync(damaged, piece, streaming));
                Assert.Contains("damaged", failure.Message, StringComparison.Ordinal);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Pieces))]
    public async Task Data_behind_a_member_that_are_neither_a_member_nor_zeros_are_an_error(int piece)
    {
        byte[] first = Member(First);
        foreach (byte[] behind in new byte[][]
        {
            [1], "garbage"u8.ToArray(), [0, 0, 1], [0x1f, 0x8c, 8, 0], [0x1f, 1], [0x1f, 0, 0, 0], [.. new byte[20_000], 7],
            [.. First.Select(c => (byte)c)],
        })
        {
            foreach (bool streaming in new[] { false, true })
            {
                FalResponseException failure = await Assert.ThrowsAsync<FalResponseException>(() =>
                    ReadAsync([.. first, .. behind], piece, streaming)
                );
                Assert.True(failure.IsTransient);
                Assert.Contains("gzip", failure.Message, StringComparison.Ordinal);
            }
        }
    }

    [Fact]
    public async Task A_large_body_of_many_members_is_read_whole()
    {
        string text = string.Concat(Enumerable.Range(0, 20_000).Select(i => $"a{{i=\"{i}\"}} {i * 7919L}\n"));
        IEnumerable<byte> body = text.Chunk(5_000).SelectMany(part => Member(new string(part)));
        Assert.Equal(text, await ReadAsync([.. body, 0, 0], 1460, streaming: false));
        Assert.Equal(text, await ReadAsync([.. body, 0, 0], 1460, streaming: true));
    }

    private static async Task<string> ReadAsync(byte[] compressed, int piece, bool streaming)
    {
        using var read = new MemoryStream();
        await ReadAsync(compressed, piece, streaming, read);
        return Encoding.UTF8.GetString(read.ToArray());
    }

    private static async Task ReadAsync(byte[] compressed, int piece, bool streaming, Stream read)
    {
        HttpResponseMessage response = ScriptedHandler.Response(System.Net.HttpStatusCode.OK, new PiecewiseStream(compressed, piece));
        response.Content.Headers.ContentEncoding.Add("gzip");
        using var pipeline = new Pipeline(ScriptedHandler.Answering(response), options => options.MaxAttempts = 1);
        using HttpResponseMessage answer = await pipeline.SendAsync(streaming);
        Stream body = await answer.Content.ReadAsStreamAsync();
        await body.CopyToAsync(read, piece);
    }

    private static byte[] Member(string text, CompressionLevel level = CompressionLevel.Optimal)
    {
        if (text.Length == 0)
        {
            // .NET writes nothing at all for nothing.
            return [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        }

        using var output = new MemoryStream();
        using (var gzip = new GZipStream(output, level))
        {
            gzip.Write(Encoding.UTF8.GetBytes(text));
        }

        return output.ToArray();
    }

    /// <summary>
    /// The same member with extra data, a name and a comment in its header, and zeros and a header's first bytes in them.
    /// </summary>
    private static byte[] WithEveryHeaderField(byte[] member) =>
    [
        .. member[..3], 0x1c, .. member[4..10],
        4, 0, 0x1f, 0x8b, 0, 0,
        .. "metrics.txt"u8, 0,
        .. "a comment"u8, 0,
        .. member[10..],
    ];
}
