using System.ComponentModel;
using System.Text.Json;

namespace Fal.Observability.Client;

/// <summary>A part of an answer that reads and writes its own JSON. Callers use <see cref="JsonSerializer"/> instead.</summary>
/// <typeparam name="TSelf">The type itself.</typeparam>
[EditorBrowsable(EditorBrowsableState.Never)]
public interface IFalJson<TSelf>
    where TSelf : class, IFalJson<TSelf>
{
    /// <summary>Reads a value from the service's JSON.</summary>
    /// <param name="reader">The reader, at the first token of the value. Afterwards it is at the last.</param>
    /// <exception cref="JsonException">The JSON is not such a value, or reading it would silently lose data.</exception>
    static abstract TSelf ReadJson(ref Utf8JsonReader reader);

    /// <summary>Writes the value as the service's JSON.</summary>
    /// <param name="writer">The writer.</param>
    void WriteJson(Utf8JsonWriter writer);
}
