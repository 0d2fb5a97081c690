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
            value = JsonSerializer.Deserialize(body.Memory.Span, type);
        }
        else
        {
            // A pipeline of the user's own, without our handlers.
            Stream stream = await content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
            await using (stream.ConfigureAwait(false))
                value = await JsonSerializer.DeserializeAsync(stream, type, cancellationToken).ConfigureAwait(false);
        }

        return value ?? throw new JsonException("The body is the JSON value null.");
    }

    public string? GetFieldNameForProperty(PropertyInfo propertyInfo) => null;
}
