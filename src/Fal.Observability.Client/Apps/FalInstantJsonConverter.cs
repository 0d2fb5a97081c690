using System.ComponentModel;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Fal.Observability.Client;

/// <summary>
/// Reads an ISO 8601 time; one without an offset is UTC, never of the machine's zone. It hangs on the property, so that models can be part
/// of other source-generated contexts; nobody needs to name it.
/// </summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public sealed class FalInstantJsonConverter : JsonConverter<DateTimeOffset>
{
    private const int LongestQuotedText = 64;

    /// <inheritdoc/>
    /// <exception cref="JsonException">The JSON is not an ISO 8601 time.</exception>
    public override DateTimeOffset Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        if (reader.TokenType != JsonTokenType.String)
        {
            throw new JsonException($"A time is needed here, and the JSON value is of the kind {reader.TokenType}.");
        }

        if (TryRead(ref reader, out DateTimeOffset instant))
        {
            return instant;
        }

        string text = reader.GetString()!;
        text = text.Length > LongestQuotedText ? text[..LongestQuotedText] + "..." : text;
        throw new JsonException($"\"{text}\" is not an ISO 8601 time such as 2026-01-15T12:00:00Z.");
    }

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, DateTimeOffset value, JsonSerializerOptions options)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.WriteStringValue(value);
    }

    internal static bool TryRead(ref Utf8JsonReader reader, out DateTimeOffset instant)
    {
        // A time without an offset is asked for as a DateTime, which leaves it alone: as a DateTimeOffset it would be read in the
        // machine's zone.
        if (reader.TryGetDateTime(out DateTime local) && local.Kind == DateTimeKind.Unspecified)
        {
            instant = new DateTimeOffset(local, TimeSpan.Zero);
            return true;
        }

        return reader.TryGetDateTimeOffset(out instant);
    }
}
