namespace Fal.Observability.Client;

/// <summary>What a call tells the handlers below it, and they it, through the options of the request.</summary>
internal static class FalRequestOptions
{
    /// <summary>The name under which the Refit interfaces say that a body is to be streamed.</summary>
    public const string StreamingKey = "Fal.Observability.Streaming";

    /// <summary>True where the body is handed on as it arrives; else it is read whole, inside the attempt.</summary>
    public static readonly HttpRequestOptionsKey<bool> Streaming = new(StreamingKey);

    /// <summary>How many times the request has been sent.</summary>
    public static readonly HttpRequestOptionsKey<int> Attempts = new("Fal.Observability.Attempts");

    /// <summary>The method and path of a request, without its query. Telemetry has <see cref="FalRoute.NameOf"/>, which takes few values.</summary>
    public static string Operation(HttpRequestMessage request) =>
        $"{request.Method} {request.RequestUri?.AbsolutePath}";

    public static int AttemptsOf(HttpRequestMessage? request) =>
        request is not null && request.Options.TryGetValue(Attempts, out int attempts) ? attempts : 0;
}
