using System.ComponentModel;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Fal.Observability.Client;

/// <summary>
/// Reads a number of runners. What cannot be one is refused, since it would pass for a measurement. It hangs on the property, so that
/// models can be part of other source-generated contexts; nobody needs to name it.
/// </summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public sealed class FalRunnerNumberJsonConverter : JsonConverter<double?>
{
    /// <inheritdoc/>
    /// <exception cref="JsonException">The JSON is neither null nor a number of zero or more.</exception>
    public override double? Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        if (reader.TokenType != JsonTokenType.Number)
        {
            throw new JsonException($"A number of runners is needed here, and the JSON value is of the kind {reader.TokenType}.");
        }

        return reader.TryGetDouble(out double number) && number >= 0 && double.IsFinite(number)
            ? number
            : throw new JsonException("A number of runners cannot be negative or beyond what a double holds.");
    }

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, double? value, JsonSerializerOptions options)
    {
        ArgumentNullException.ThrowIfNull(writer);
        if (value is { } number)
        {
            writer.WriteNumberValue(number);
        }
        else
        {
            writer.WriteNullValue();
        }
    }
}
