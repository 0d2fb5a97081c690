namespace Fal.Observability.Client;

/// <summary>What a call tells the handlers below it, and they it, through the options of the request.</summary>
internal static class FalRequestOptions
{
    /// <summary>The name under which the Refit interfaces say that a body is to be streamed.</summary>
    public const string StreamingKey = "Fal.Observability.Streaming";

    /// <summary>True where the body is handed on as it arrives; else it is read whole, inside the attempt.</summary>
    public static readonly HttpRequestOptionsKey<bool> Streaming = new(StreamingKey);

    private static readonly HttpRequestOptionsKey<FalCallProgress> Progress = new("Fal.Observability.Progress");

    /// <summary>
    /// The method and path of a request, without its query. Telemetry has <see cref="FalRoute.NameOf"/>, which takes few values.
    /// </summary>
    public static string Operation(HttpRequestMessage request) =>
        $"{request.Method} {request.RequestUri?.AbsolutePath}";

    /// <summary>Begins to follow a call.</summary>
    public static FalCallProgress Begin(HttpRequestMessage request, TimeProvider time)
    {
        var progress = new FalCallProgress(time);
        request.Options.Set(Progress, progress);
        return progress;
    }

    /// <summary>How far the call has come; null in a pipeline of the user's own, which <see cref="FalCallHandler"/> is not in.</summary>
    public static FalCallProgress? ProgressOf(HttpRequestMessage? request) =>
        request is not null && request.Options.TryGetValue(Progress, out FalCallProgress? progress) ? progress : null;
}
