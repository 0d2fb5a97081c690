using System.Buffers;
using System.IO.Compression;
using System.Text.Json;

namespace Fal.Observability.Client.Testing;

/// <summary>A whole response before it is sent. Immutable, so that one may serve many calls.</summary>
internal sealed class Answer(int status, string? contentType, ReadOnlyMemory<byte> body)
{
    private readonly Lazy<byte[]> _gzipped = new(() => Compress(body.Span));

    public int Status => status;

    /// <summary>Null: the response names none, as one without a body does.</summary>
    public string? ContentType => contentType;

    public ReadOnlyMemory<byte> Body => body;

    /// <summary>The body as gzip, compressed at the first use.</summary>
    public ReadOnlyMemory<byte> Gzipped => _gzipped.Value;

    /// <summary>Response headers beyond those of every response.</summary>
    public IReadOnlyList<(string Name, string Value)> Headers { get; init; } = [];

    /// <summary>The error body that every status shares.</summary>
    /// <param name="status">The status.</param>
    /// <param name="type">The kind of error.</param>
    /// <param name="message">What went wrong.</param>
    /// <param name="requestId">The id of the request in a body as documented; null: a body as the service sends it, without one.</param>
    /// <param name="headers">Headers of the response.</param>
    public static Answer Error(int status, string type, string message, string? requestId, params (string Name, string Value)[] headers)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteStartObject("error");
            json.WriteString("type", type);
            json.WriteString("message", message);
            if (requestId is not null)
            {
                json.WriteString("docs_url", "https://fal.ai/docs");
                json.WriteString("request_id", requestId);
            }

            json.WriteEndObject();
            json.WriteEndObject();
        }
        buffer.Write("\n"u8);
        return new Answer(status, Json, buffer.WrittenMemory) { Headers = headers };
    }

    public const string Json = "application/json";
    public const string Html = "text/html; charset=utf-8";
    public const string Text = "text/plain; charset=utf-8";

    private static byte[] Compress(ReadOnlySpan<byte> body)
    {
        using var buffer = new MemoryStream();
        using (var gzip = new GZipStream(buffer, CompressionLevel.Fastest, leaveOpen: true))
        {
            gzip.Write(body);
        }

        return buffer.ToArray();
    }
}
