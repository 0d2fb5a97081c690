using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Refit;

namespace Fal.Observability.Client;

/// <summary>
/// Reads JSON bodies with source-generated metadata, straight from the bytes that <see cref="FalBodyHandler"/> took, where
/// Refit's own serializer would copy them through a stream first.
/// </summary>
internal sealed class FalJsonContentSerializer(JsonSerializerContext context) : IHttpContentSerializer
{
    public HttpContent ToHttpContent<T>(T item) => throw new NotSupportedException("The API has no call with a request body.");

    public async Task<T?> FromHttpContentAsync<T>(HttpContent content, CancellationToken cancellationToken = default)
    {
        var type = (JsonTypeInfo<T>)(context.GetTypeInfo(typeof(T)) ?? throw new NotSupportedException($"No JSON metadata for {typeof(T)}."));
        T? value;
        if (content is FalBufferedContent body)
        {
            ReadOnlySpan<byte> json = body.Memory.Span;
            json = json.StartsWith("\uFEFF"u8) ? json[3..] : json;
            RefuseForeign(json, type);
            value = JsonSerializer.Deserialize(json, type);
        }
        else
        {
            // A pipeline of the user's own, without our handlers.
            Stream stream = await content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
            await using (stream.ConfigureAwait(false))
            {
                value = await JsonSerializer.DeserializeAsync(stream, type, cancellationToken).ConfigureAwait(false);
            }
        }

        return value ?? throw new JsonException("The body is the JSON value null.");
    }

    /// <summary>
    /// Refuses an object without a single field of what was asked for, such as an error that came with status 200: every field
    /// of a page may be absent, so it would read as a page without buckets, and an outage as a time without traffic.
    /// </summary>
    private static void RefuseForeign(ReadOnlySpan<byte> json, JsonTypeInfo type)
    {
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = type.Options.MaxDepth });
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
        {
            return;
        }

        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            foreach (JsonPropertyInfo property in type.Properties)
            {
                if (property.Get is not null && reader.ValueTextEquals(property.Name))
                {
                    return;
                }
            }

            reader.Skip();
        }

        throw new JsonException($"The object has none of the fields {string.Join(", ", type.Properties.Where(property => property.Get is not null).Select(property => property.Name))}.");
    }

    public string? GetFieldNameForProperty(PropertyInfo propertyInfo) => null;
}
