namespace Fal.Observability.Client;

/// <summary>The data that a call and the handlers below it exchange through the options of the request.</summary>
internal static class FalRequestOptions
{
    /// <summary>The name of the option by which the Refit interfaces request a streamed body.</summary>
    public const string StreamingKey = "Fal.Observability.Streaming";

    /// <summary>True if the body is returned as it arrives. Otherwise the whole body is read inside the attempt.</summary>
    public static readonly HttpRequestOptionsKey<bool> Streaming = new(StreamingKey);

    private static readonly HttpRequestOptionsKey<FalCallProgress> Progress = new("Fal.Observability.Progress");

    /// <summary>
    /// The method and path of a request, without its query. Telemetry uses <see cref="FalRoute.NameOf"/> instead, which has only a few
    /// distinct values.
    /// </summary>
    public static string Operation(HttpRequestMessage request) =>
        $"{request.Method} {request.RequestUri?.AbsolutePath}";

    /// <summary>Starts to track a call.</summary>
    public static FalCallProgress Begin(HttpRequestMessage request, TimeProvider time)
    {
        var progress = new FalCallProgress(time);
        request.Options.Set(Progress, progress);
        return progress;
    }

    /// <summary>The progress of the call; null in the user's own pipeline, which has no <see cref="FalCallHandler"/>.</summary>
    public static FalCallProgress? ProgressOf(HttpRequestMessage? request) =>
        request is not null && request.Options.TryGetValue(Progress, out FalCallProgress? progress) ? progress : null;
}
