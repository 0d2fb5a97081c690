using System.ComponentModel;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Fal.Observability.Client;

/// <summary>
/// Reads and writes an <see cref="AnalyticsBucket"/> as the service's JSON, with the client's marks beside it where they are set. It
/// hangs on the type, so that buckets can be part of other types and of other source-generated contexts; nobody needs to name it.
/// </summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public sealed class AnalyticsBucketJsonConverter : JsonConverter<AnalyticsBucket>
{
    private const int LongestQuotedText = 64;

    // In a spelling that the service never uses.
    private static ReadOnlySpan<byte> IsProvisionalName => "isProvisional"u8;

    private static ReadOnlySpan<byte> IsOpenName => "isOpen"u8;

    /// <inheritdoc/>
    /// <exception cref="JsonException">
    /// The JSON is not an object with a readable ISO 8601 time in <c>bucket</c> and a list of rows in <c>results</c>, each once, or a row
    /// holds a known field twice.
    /// </exception>
    public override AnalyticsBucket Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => ReadBucket(ref reader);

    internal static AnalyticsBucket ReadBucket(ref Utf8JsonReader reader)
    {
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            throw new JsonException($"A time bucket must be an object, and here is a JSON value of the kind {reader.TokenType}.");
        }

        DateTimeOffset? start = null;
        bool hasOffset = false;
        IReadOnlyList<AnalyticsRow>? rows = null;
        bool isProvisional = false;
        bool isOpen = false;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("bucket"u8))
            {
                ThrowIfTwice(start is not null, "bucket");
                reader.Read();
                start = ReadStart(ref reader, out hasOffset);
            }
            else if (reader.ValueTextEquals("results"u8))
            {
                ThrowIfTwice(rows is not null, "results");
                reader.Read();
                rows = AnalyticsRowJsonConverter.ReadRows(ref reader, "results");
            }
            else if (reader.ValueTextEquals(IsProvisionalName))
            {
                isProvisional = ReadMark(ref reader);
            }
            else if (reader.ValueTextEquals(IsOpenName))
            {
                isOpen = ReadMark(ref reader);
            }
            else
            {
                // Skip() refuses a reader over a part of a document, even where the whole value is there, as it is in a converter.
                reader.Read();
                reader.TrySkip();
            }
        }

        return new AnalyticsBucket(
            start ?? throw new JsonException("A time bucket has no 'bucket', the time at which it starts."),
            hasOffset,
            rows ?? throw new JsonException("A time bucket has no 'results'. A bucket without traffic has an empty list there."))
        {
            IsProvisional = isProvisional,
            IsOpen = isOpen,
        };
    }

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, AnalyticsBucket value, JsonSerializerOptions options)
    {
        ArgumentNullException.ThrowIfNull(writer);
        ArgumentNullException.ThrowIfNull(value);
        WriteBucket(writer, value);
    }

    internal static void WriteBucket(Utf8JsonWriter writer, AnalyticsBucket value)
    {
        writer.WriteStartObject();
        if (value.HasOffset)
        {
            writer.WriteString("bucket"u8, value.Start);
        }
        else
        {
            // Of unspecified kind, so that it is written without an offset again.
            writer.WriteString("bucket"u8, value.Start.DateTime);
        }

        writer.WriteStartArray("results"u8);
        foreach (AnalyticsRow row in value.Rows)
        {
            AnalyticsRowJsonConverter.WriteRow(writer, row);
        }

        writer.WriteEndArray();
        if (value.IsProvisional)
        {
            writer.WriteBoolean(IsProvisionalName, true);
        }

        if (value.IsOpen)
        {
            writer.WriteBoolean(IsOpenName, true);
        }

        writer.WriteEndObject();
    }

    private static bool ReadMark(ref Utf8JsonReader reader)
    {
        reader.Read();
        bool value = reader.TokenType == JsonTokenType.True;
        reader.TrySkip();
        return value;
    }

    // A time without an offset is asked for as a DateTime, which leaves it alone: as a DateTimeOffset it would be read in the
    // machine's zone.
    internal static DateTimeOffset ReadStart(ref Utf8JsonReader reader, out bool hasOffset)
    {
        hasOffset = true;
        if (reader.TokenType != JsonTokenType.String)
        {
            throw new JsonException($"The start of a time bucket must be a string, and is a JSON value of the kind {reader.TokenType}.");
        }

        if (reader.TryGetDateTime(out DateTime local) && local.Kind == DateTimeKind.Unspecified)
        {
            hasOffset = false;
            return new DateTimeOffset(local, TimeSpan.Zero);
        }

        if (reader.TryGetDateTimeOffset(out DateTimeOffset start))
        {
            return start;
        }

        string text = reader.GetString()!;
        text = text.Length > LongestQuotedText ? text[..LongestQuotedText] + "..." : text;
        throw new JsonException(
            $"The start of a time bucket, \"{text}\", is not an ISO 8601 time such as 2026-01-15T12:00:00-05:00.");
    }

    private static void ThrowIfTwice(bool isThere, string name)
    {
        if (isThere)
        {
            throw new JsonException($"A time bucket holds '{name}' twice, and nothing says which of the two counts.");
        }
    }
}
