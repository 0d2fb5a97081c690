using System.ComponentModel;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Fal.Observability.Client;

/// <summary>
/// The converter of every type that an answer is made of. It is attached to the types, so they can be part of other types and of other
/// source-generated contexts. Callers do not use it directly.
/// </summary>
/// <typeparam name="T">The type.</typeparam>
[EditorBrowsable(EditorBrowsableState.Never)]
public sealed class FalJsonConverter<T> : JsonConverter<T>
    where T : class, IFalJson<T>
{
    /// <inheritdoc/>
    /// <exception cref="JsonException">The JSON is not such a value. <see cref="JsonException.Path"/> names its place.</exception>
    public override T Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => T.ReadJson(ref reader);

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, T value, JsonSerializerOptions options)
    {
        ArgumentNullException.ThrowIfNull(writer);
        ArgumentNullException.ThrowIfNull(value);
        value.WriteJson(writer);
    }
}
