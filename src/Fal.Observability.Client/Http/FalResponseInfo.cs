using System.Net;
using System.Net.Http.Headers;

namespace Fal.Observability.Client;

/// <summary>The facts of a response that an error about its body names.</summary>
internal sealed record FalResponseInfo(HttpStatusCode StatusCode, string? ContentType, string? RequestId, string Operation)
{
    /// <summary>The request id of the service, otherwise that of the edge in front of it.</summary>
    private static readonly string[] RequestIdHeaders = ["x-fal-request-id", "x-vercel-id"];

    /// <summary>
    /// Whether the content type declares the body as metrics: plain text or OpenMetrics. Only then may it have no samples.
    /// </summary>
    public bool DeclaresMetrics => ContentType is { } type
        && (type.Equals("text/plain", StringComparison.OrdinalIgnoreCase) || IsOpenMetrics(type));

    /// <summary>Whether the content type is that of OpenMetrics, whose last line is <c># EOF</c>.</summary>
    public bool DeclaresOpenMetrics => ContentType is { } type && IsOpenMetrics(type);

    /// <summary>The call of the response. A body can fail long after its call has returned.</summary>
    public FalCallProgress? Progress { get; init; }

    /// <summary>How many times the call has been sent.</summary>
    public int Attempts => Progress?.Attempts ?? 0;

    /// <summary>The duration of the call so far.</summary>
    public TimeSpan Elapsed => Progress?.Elapsed ?? TimeSpan.Zero;

    public static FalResponseInfo From(HttpResponseMessage response, string? apiKey) => new(
        response.StatusCode,
        response.Content.Headers.ContentType?.MediaType is { } type ? Cleaned(type, apiKey) : null,
        RequestIdOf(response) is { } id ? FalApiKey.Scrub(id, apiKey) : null,
        response.RequestMessage is { } request ? FalRequestOptions.Operation(request) : "The call")
    {
        Progress = FalRequestOptions.ProgressOf(response.RequestMessage),
    };

    /// <summary>The content type without the key. The types that the service answers with need no search for it.</summary>
    private static string Cleaned(string mediaType, string? apiKey) =>
        mediaType is "text/plain" or "application/json" or "application/openmetrics-text" ? mediaType : FalApiKey.Scrub(mediaType, apiKey);

    private static bool IsOpenMetrics(string mediaType) =>
        mediaType.Equals("application/openmetrics-text", StringComparison.OrdinalIgnoreCase);

    private static string? RequestIdOf(HttpResponseMessage response)
    {
        foreach (string header in RequestIdHeaders)
        {
            if (response.Headers.NonValidated.TryGetValues(header, out HeaderStringValues ids) && ids.ToString() is { Length: > 0 } id)
            {
                return id;
            }
        }

        return null;
    }
}
