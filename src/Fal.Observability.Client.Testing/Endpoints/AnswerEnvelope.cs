using System.Buffers;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Fal.Observability.Client.Testing;

/// <summary>What the answers of analytics and usage have in common: pages, a time series, a summary.</summary>
internal static class AnswerEnvelope
{
    // The plus of an offset stays a plus.
    private static readonly JsonWriterOptions PlainText = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>A JSON document that a route writes by itself.</summary>
    public static ReadOnlyMemory<byte> ToUtf8(Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>(1024);
        using (var json = new Utf8JsonWriter(buffer, PlainText))
        {
            json.WriteStartObject();
            write(json);
            json.WriteEndObject();
        }

        buffer.Write("\n"u8);
        return buffer.WrittenMemory;
    }

    /// <summary>One page of an answer.</summary>
    /// <param name="nextCursor">The cursor of the next page; null on the last.</param>
    /// <param name="timeSeries">The buckets; null where none were asked for.</param>
    /// <param name="summary">The rows of the whole range; null where none were asked for.</param>
    /// <param name="offset">How a bucket names its instant.</param>
    /// <param name="writeRow">Writes a row.</param>
    public static ReadOnlyMemory<byte> ToUtf8<T>(
        string? nextCursor,
        IEnumerable<(DateTimeOffset Start, IReadOnlyList<T> Rows)>? timeSeries,
        IReadOnlyList<T>? summary,
        BucketOffset offset,
        Action<Utf8JsonWriter, T> writeRow) => ToUtf8(json =>
    {
        json.WriteString("next_cursor", nextCursor);
        json.WriteBoolean("has_more", nextCursor is not null);
        if (timeSeries is not null)
        {
            json.WriteStartArray("time_series");
            foreach ((DateTimeOffset start, IReadOnlyList<T> rows) in timeSeries)
            {
                json.WriteStartObject();
                json.WriteString("bucket", Label(start, offset));
                WriteRows("results", rows);
                json.WriteEndObject();
            }

            json.WriteEndArray();
        }

        if (summary is not null)
        {
            WriteRows("summary", summary);
        }

        void WriteRows(string name, IReadOnlyList<T> rows)
        {
            json.WriteStartArray(name);
            foreach (T row in rows)
            {
                writeRow(json, row);
            }

            json.WriteEndArray();
        }
    });

    private static string Label(DateTimeOffset start, BucketOffset offset) => offset switch
    {
        BucketOffset.Utc => start.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture),
        BucketOffset.None => start.ToString("yyyy-MM-dd'T'HH:mm:ss", CultureInfo.InvariantCulture),
        _ => start.ToString("yyyy-MM-dd'T'HH:mm:sszzz", CultureInfo.InvariantCulture),
    };
}
