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
internal sealed class FalJsonContentSerializer(Func<JsonSerializerContext> context, TimeProvider time) : IHttpContentSerializer
{
    public HttpContent ToHttpContent<T>(T item) => throw new NotSupportedException("The API has no call with a request body.");

    public async Task<T?> FromHttpContentAsync<T>(HttpContent content, CancellationToken cancellationToken = default)
    {
        var type =
            (JsonTypeInfo<T>)(context().GetTypeInfo(typeof(T)) ?? throw new NotSupportedException($"No JSON metadata for {typeof(T)}."));
        var body = content as FalBufferedContent;
        T value = body is not null
            ? Read(body.Memory.Span, type)
            // The content comes from a user's own pipeline, without our handlers.
            : Read(await content.ReadAsByteArrayAsync(cancellationToken).ConfigureAwait(false), type);
        if (value is IFalAnswered answered)
        {
            answered.Answer = answered.Answer with { RequestId = body?.Info.RequestId, ReceivedAt = time.GetUtcNow() };
        }

        return value;
    }

    public string? GetFieldNameForProperty(PropertyInfo propertyInfo) => null;

    private static T Read<T>(ReadOnlySpan<byte> json, JsonTypeInfo<T> type)
    {
        json = json.StartsWith("\uFEFF"u8) ? json[3..] : json;
        return JsonSerializer.Deserialize(FalJsonText.Readable(json), type) ?? throw new JsonException("The body is the JSON value null.");
    }
}
