using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace Fal.Observability.Client;

/// <summary>
/// Reads the parts of every JSON answer. Unknown parts are kept or ignored. Anything that would silently lose data is an error with its
/// place in <see cref="JsonException.Path"/>.
/// </summary>
internal static class AnswerJson
{
    /// <summary>Reads a list whose elements must not be null.</summary>
    /// <param name="reader">The reader, at the value of a member.</param>
    /// <param name="name">The name of the member.</param>
    public static List<T> ReadList<T>(ref Utf8JsonReader reader, string name)
        where T : class, IFalJson<T>
    {
        if (reader.TokenType != JsonTokenType.StartArray)
        {
            throw new JsonException(
                $"'{name}' must be a list, but the JSON value is of kind {reader.TokenType}.",
                $"$.{name}",
                null,
                null
            );
        }

        List<T> items = [];
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            try
            {
                items.Add(T.ReadJson(ref reader));
            }
            catch (JsonException e)
            {
                string path = string.Create(CultureInfo.InvariantCulture, $"$.{name}[{items.Count}]{e.Path?[1..]}");
                throw new JsonException(e.Message, path, e.LineNumber, e.BytePositionInLine, e);
            }
        }

        return items;
    }

    /// <summary>Writes a list as a member.</summary>
    public static void WriteList<T>(Utf8JsonWriter writer, string name, IReadOnlyList<T> items)
        where T : class, IFalJson<T>
    {
        writer.WriteStartArray(name);
        foreach (T item in items)
        {
            item.WriteJson(writer);
        }

        writer.WriteEndArray();
    }

    /// <summary>Refuses a value that is not an object.</summary>
    public static void ThrowIfNotObject(ref Utf8JsonReader reader, string what)
    {
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            throw new JsonException($"{what} must be an object, but the JSON value is of kind {reader.TokenType}.");
        }
    }

    /// <summary>The failure of an object that holds a known member twice.</summary>
    public static JsonException Twice(string what, string name) =>
        new($"{what} contains '{name}' twice, and nothing says which of the two is valid.");

    /// <summary>Reads a string; null if the value is of another type.</summary>
    public static string? ReadTextIfAny(ref Utf8JsonReader reader)
    {
        string? text = reader.TokenType == JsonTokenType.String ? reader.GetString() : null;
        reader.TrySkip();
        return text;
    }

    /// <summary>Reads a flag in any of the usual spellings of yes. Every other value is no.</summary>
    public static bool ReadFlagIfAny(ref Utf8JsonReader reader)
    {
        bool isSet = reader.TokenType switch
        {
            JsonTokenType.True => true,
            JsonTokenType.Number => reader.TryGetDouble(out double number) && number != 0,
            JsonTokenType.String => reader.ValueTextEquals("1"u8)
                || string.Equals(reader.GetString(), "true", StringComparison.OrdinalIgnoreCase),
            _ => false,
        };
        reader.TrySkip();
        return isSet;
    }

    /// <summary>Reads an instant; null if the value is of another type. A time without an offset is UTC.</summary>
    public static DateTimeOffset? ReadInstantIfAny(ref Utf8JsonReader reader)
    {
        BucketStart? instant = reader.TokenType == JsonTokenType.String ? TryReadStart(ref reader) : null;
        reader.TrySkip();
        return instant?.Instant;
    }

    /// <summary>Writes the instant up to which the data of an answer is complete, if it is known.</summary>
    public static void WriteAsOf(Utf8JsonWriter writer, FalAnswer answer)
    {
        if (answer.AsOf is { } asOf)
        {
            writer.WriteString("as_of"u8, asOf);
        }
    }

    /// <summary>Reads the start of a time bucket.</summary>
    public static BucketStart ReadStart(ref Utf8JsonReader reader) => reader.TokenType != JsonTokenType.String
        ? throw new JsonException($"The start of a time bucket must be a string, but the JSON value is of kind {reader.TokenType}.")
        : TryReadStart(ref reader) ?? throw new JsonException(
            $"The start of a time bucket, \"{FalErrorReader.Quoted(reader.GetString()!)}\", is not an ISO 8601 time such as " +
                $"2026-01-15T12:00:00-05:00.");

    /// <summary>Reads an instant; null if the value is of another type.</summary>
    public static BucketStart? StartOf(JsonElement value)
    {
        var reader = new Utf8JsonReader(JsonMarshal.GetRawUtf8Value(value));
        reader.Read();
        return reader.TokenType == JsonTokenType.String ? TryReadStart(ref reader) : null;
    }

    /// <summary>Writes the start of a time bucket as it was read.</summary>
    public static void WriteStart(Utf8JsonWriter writer, string name, BucketStart start)
    {
        if (start.HasOffset)
        {
            writer.WriteString(name, start.Instant);
        }
        else
        {
            // Of unspecified kind, so that it is written without an offset again.
            writer.WriteString(name, start.Instant.DateTime);
        }
    }

    /// <summary>A number of seconds as a time, rounded to the tick. A number beyond the range of the type gives the longest time.</summary>
    public static TimeSpan ToTimeSpan(double seconds)
    {
        // TimeSpan.FromSeconds is a tick off for numbers such as 0.043. The whole seconds are converted separately, so that a sum of many
        // years is as exact as the number that was sent.
        double whole = Math.Truncate(seconds);
        return Math.Abs(whole) >= (long)TimeSpan.MaxValue.TotalSeconds
            ? (seconds > 0 ? TimeSpan.MaxValue : TimeSpan.MinValue)
            : new TimeSpan(((long)whole * TimeSpan.TicksPerSecond) + (long)Math.Round((seconds - whole) * TimeSpan.TicksPerSecond));
    }

    /// <summary>Writes a number; null if there is none.</summary>
    public static void Write(Utf8JsonWriter writer, string name, decimal? value)
    {
        if (value is { } number)
        {
            writer.WriteNumber(name, number);
        }
        else
        {
            writer.WriteNull(name);
        }
    }

    /// <summary>Writes a number; null if there is none.</summary>
    public static void Write(Utf8JsonWriter writer, string name, double? value)
    {
        if (value is { } number)
        {
            writer.WriteNumber(name, number);
        }
        else
        {
            writer.WriteNull(name);
        }
    }

    /// <summary>Writes a time as seconds; null if there is none.</summary>
    public static void Write(Utf8JsonWriter writer, string name, TimeSpan? value) =>
        Write(writer, name, (decimal?)value?.Ticks / TimeSpan.TicksPerSecond);

    /// <summary>Writes an instant; null if there is none.</summary>
    public static void Write(Utf8JsonWriter writer, string name, DateTimeOffset? value)
    {
        if (value is { } instant)
        {
            writer.WriteString(name, instant);
        }
        else
        {
            writer.WriteNull(name);
        }
    }

    /// <summary>Writes a list of strings; null if there is none.</summary>
    public static void Write(Utf8JsonWriter writer, string name, IReadOnlyList<string>? texts)
    {
        if (texts is null)
        {
            writer.WriteNull(name);
            return;
        }

        writer.WriteStartArray(name);
        foreach (string text in texts)
        {
            writer.WriteStringValue(text);
        }

        writer.WriteEndArray();
    }

    /// <summary>Writes the members that this version does not know, as they arrived.</summary>
    public static void WriteOthers(Utf8JsonWriter writer, IReadOnlyDictionary<string, JsonElement> others)
    {
        foreach ((string name, JsonElement value) in others)
        {
            writer.WritePropertyName(name);
            WriteAsSent(writer, value);
        }
    }

    // A time without an offset is read as a DateTime, which leaves it unchanged: as a DateTimeOffset it would be read in the machine's
    // zone.
    private static BucketStart? TryReadStart(ref Utf8JsonReader reader) =>
        reader.TryGetDateTime(out DateTime local) && local.Kind == DateTimeKind.Unspecified
            ? new BucketStart(new DateTimeOffset(local, TimeSpan.Zero), HasOffset: false)
            : reader.TryGetDateTimeOffset(out DateTimeOffset instant) ? new BucketStart(instant, HasOffset: true)
            : null;

    // Copies the text as it arrived, without the white space between its tokens. JsonElement.WriteTo decodes strings, and throws for one
    // that contains an unpaired surrogate.
    private static void WriteAsSent(Utf8JsonWriter writer, JsonElement value)
    {
        ReadOnlySpan<byte> sent = JsonMarshal.GetRawUtf8Value(value);
        if (value.ValueKind is not (JsonValueKind.Object or JsonValueKind.Array))
        {
            writer.WriteRawValue(sent, skipInputValidation: true);
            return;
        }

        byte[] dense = new byte[sent.Length];
        int length = 0;
        bool inString = false;
        for (int i = 0; i < sent.Length; i++)
        {
            byte b = sent[i];
            if (!inString && (b is (byte)' ' or (byte)'\t' or (byte)'\r' or (byte)'\n'))
            {
                continue;
            }

            dense[length++] = b;
            if (inString && b == '\\')
            {
                dense[length++] = sent[++i];
            }
            else if (b == '"')
            {
                inString = !inString;
            }
        }

        writer.WriteRawValue(dense.AsSpan(0, length), skipInputValidation: true);
    }
}
