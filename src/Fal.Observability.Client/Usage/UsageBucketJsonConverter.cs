using System.ComponentModel;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Fal.Observability.Client;

/// <summary>
/// Reads and writes a <see cref="UsageBucket"/> as the service's JSON. It hangs on the type, so that buckets can be part of other types
/// and of other source-generated contexts; nobody needs to name it.
/// </summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public sealed class UsageBucketJsonConverter : JsonConverter<UsageBucket>
{
    private static readonly UsageRowJsonConverter RowConverter = new();

    /// <inheritdoc/>
    /// <exception cref="JsonException">
    /// The JSON is not an object with a readable ISO 8601 time in <c>bucket</c> and a list of rows in <c>results</c>.
    /// </exception>
    public override UsageBucket Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            throw new JsonException($"A time bucket must be an object, and here is a JSON value of the kind {reader.TokenType}.");
        }

        DateTimeOffset? start = null;
        bool hasOffset = false;
        List<UsageRow>? rows = null;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("bucket"u8))
            {
                reader.Read();
                start = AnalyticsBucketJsonConverter.ReadStart(ref reader, out hasOffset);
            }
            else if (reader.ValueTextEquals("results"u8))
            {
                reader.Read();
                rows = ReadRows(ref reader, options);
            }
            else
            {
                // Skip() refuses a reader over a part of a document, even where the whole value is there, as it is in a converter.
                reader.Read();
                reader.TrySkip();
            }
        }

        // A quiet bucket has an empty list: one without a list would pass for a time that cost nothing.
        return new UsageBucket(
            start ?? throw new JsonException("A time bucket has no 'bucket', the time at which it starts."),
            hasOffset,
            rows ?? throw new JsonException("A time bucket has no 'results', the list of its rows."));
    }

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, UsageBucket value, JsonSerializerOptions options)
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
        foreach (UsageRow row in value.Rows)
        {
            RowConverter.Write(writer, row, options);
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    private static List<UsageRow>? ReadRows(ref Utf8JsonReader reader, JsonSerializerOptions options)
    {
        if (reader.TokenType == JsonTokenType.Null)
        {
            return null;
        }

        if (reader.TokenType != JsonTokenType.StartArray)
        {
            throw new JsonException($"The results of a time bucket must be a list, and are a JSON value of the kind {reader.TokenType}.");
        }

        List<UsageRow> rows = [];
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            rows.Add(RowConverter.Read(ref reader, typeof(UsageRow), options));
        }

        return rows;
    }
}
