using System.ComponentModel;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Fal.Observability.Client;

/// <summary>
/// Reads a number of seconds that the service may leave out: what is no number, or less than zero, reads as null and fails no answer. It
/// hangs on the property, so that models can be part of other source-generated contexts; nobody needs to name it.
/// </summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public sealed class FalSecondsJsonConverter : JsonConverter<TimeSpan?>
{
    /// <inheritdoc/>
    public override TimeSpan? Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        if (reader.TokenType == JsonTokenType.Number && reader.TryGetDouble(out double seconds) && seconds >= 0)
        {
            return AnalyticsRow.ToTimeSpan(seconds);
        }

        reader.TrySkip();
        return null;
    }

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, TimeSpan? value, JsonSerializerOptions options)
    {
        ArgumentNullException.ThrowIfNull(writer);
        if (value is { } time)
        {
            writer.WriteNumberValue((decimal)time.Ticks / TimeSpan.TicksPerSecond);
        }
        else
        {
            writer.WriteNullValue();
        }
    }
}
