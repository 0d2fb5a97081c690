using System.ComponentModel;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Fal.Observability.Client;

/// <summary>
/// Reads and writes an <see cref="AnalyticsBucket"/> as the service's JSON, with the client's marks beside it where they are set. It hangs on the type, so that buckets can be part of other
/// types and of other source-generated contexts; nobody needs to name it.
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
    /// The JSON is not an object with a readable ISO 8601 time in <c>bucket</c>, or <c>results</c> is not a list of objects.
    /// </exception>
    public override AnalyticsBucket Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            throw new JsonException($"A time bucket must be an object, and here is a JSON value of the kind {reader.TokenType}.");
        }

        DateTimeOffset? start = null;
        bool hasOffset = false;
        IReadOnlyList<AnalyticsRow> rows = [];
        bool isProvisional = false;
        bool isOpen = false;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("bucket"u8))
            {
                reader.Read();
                start = ReadStart(ref reader, out hasOffset);
            }
            else if (reader.ValueTextEquals("results"u8))
            {
                reader.Read();
                rows = ReadRows(ref reader);
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

        return start is { } known
            ? new AnalyticsBucket(known, hasOffset, rows) { IsProvisional = isProvisional, IsOpen = isOpen }
            : throw new JsonException("A time bucket has no 'bucket', the time at which it starts.");
    }

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, AnalyticsBucket value, JsonSerializerOptions options)
    {
        ArgumentNullException.ThrowIfNull(writer);
        ArgumentNullException.ThrowIfNull(value);
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

    private static AnalyticsRow[] ReadRows(ref Utf8JsonReader reader)
    {
        if (reader.TokenType == JsonTokenType.Null)
        {
            return [];
        }

        if (reader.TokenType != JsonTokenType.StartArray)
        {
            throw new JsonException($"The results of a time bucket must be a list, and are a JSON value of the kind {reader.TokenType}.");
        }

        List<AnalyticsRow> rows = [];
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (reader.TokenType != JsonTokenType.Null)
            {
                rows.Add(AnalyticsRowJsonConverter.ReadRow(ref reader));
            }
        }

        return [.. rows];
    }
}
