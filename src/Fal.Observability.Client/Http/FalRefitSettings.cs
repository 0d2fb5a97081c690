using System.Text.Json;
using Refit;

namespace Fal.Observability.Client;

/// <summary>
/// The settings that make the Refit interfaces throw our exceptions. Refit's own exceptions hold the request message, and with it the key.
/// </summary>
internal static class FalRefitSettings
{
    public static RefitSettings Create(IHttpContentSerializer serializer, FalObservabilityOptions options, TimeProvider time) =>
        new(serializer)
        {
            ExceptionFactory = async response =>
            {
                if (response.IsSuccessStatusCode)
                {
                    return null;
                }

                byte[] body = await response.Content.ReadAsByteArrayAsync().ConfigureAwait(false);
                return FalErrorReader.BadStatus(response, body, options.ApiKey, time.GetUtcNow());
            },
            TransportExceptionFactory = (request, exception, cancellationToken) =>
                exception switch
                {
                    HttpRequestException => FalErrorReader.NoResponse(request, options.ApiKey, exception),
                    // With the caller's own token, because code that catches a cancellation compares it.
                    OperationCanceledException when cancellationToken.IsCancellationRequested => Cancelled(
                        exception,
                        options,
                        cancellationToken
                    ),
                    OperationCanceledException => new FalTimeoutException(
                        $"{FalRequestOptions.Operation(request)}: a time limit outside the client ended the call.",
                        FalApiKey.Scrub(exception, options.ApiKey)
                    )
                    {
                        IsTransient = true,
                    },
                    _ => FalApiKey.Scrub(exception, options.ApiKey),
                },
            DeserializationExceptionFactory = async (response, exception) =>
            {
                if (exception is FalObservabilityException)
                {
                    return exception;
                }

                if (exception is OperationCanceledException)
                {
                    return FalApiKey.Scrub(exception, options.ApiKey);
                }

                byte[] body = await response.Content.ReadAsByteArrayAsync().ConfigureAwait(false);
                string what = exception is JsonException json
                    ? $"it is not the expected JSON ({MessageOf(json)})"
                    : $"reading it failed ({exception.Message})";
                return FalErrorReader.BadBody(
                    FalResponseInfo.From(response, options.ApiKey),
                    what,
                    body,
                    options.ApiKey,
                    exception,
                    transient: false
                );
            },
        };

    /// <summary>What is wrong and where. The framework's messages name the place; those of a converter do not.</summary>
    private static string MessageOf(JsonException json) => json.Path is { } path && !json.Message.Contains(path, StringComparison.Ordinal)
        ? $"{json.Message} Path: {path}."
        : json.Message;

    private static OperationCanceledException Cancelled(
        Exception exception,
        FalObservabilityOptions options,
        CancellationToken cancellationToken
    )
    {
        Exception cause = FalApiKey.Scrub(exception, options.ApiKey);
        return new OperationCanceledException(cause.Message, cause, cancellationToken);
    }
}
