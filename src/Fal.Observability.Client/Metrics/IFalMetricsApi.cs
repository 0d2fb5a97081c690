using Refit;

namespace Fal.Observability.Client;

/// <summary>
/// The metrics endpoint as Refit sees it: one method, the body as bytes. Use <see cref="IFalMetricsClient"/> unless you need the bytes
/// themselves, for example to pass them to another Prometheus reader.
/// </summary>
/// <remarks>
/// Registered by <c>AddFalObservability</c> with the same retries, limits and exceptions as the typed client. Failures are
/// <see cref="FalObservabilityException"/>s, never Refit's own exceptions.
/// </remarks>
public interface IFalMetricsApi
{
    /// <summary><c>GET /serverless/metrics</c>: the current metrics of every app of the key's account.</summary>
    /// <param name="streaming">
    /// Whether the body is returned as it arrives. If false, the whole body is read and decompressed before the task completes, and a
    /// truncated body is retried.
    /// </param>
    /// <param name="cancellationToken">Cancels the call and, while it streams, every read that gets this token.</param>
    /// <returns>The exposition, UTF-8, decompressed, as the service sent it. Dispose it: a pending read then ends.</returns>
    /// <exception cref="FalObservabilityException">
    /// The call failed. Reads of a streamed body throw it too. A body that is truncated, empty without being declared as text, still
    /// compressed, or of a status other than 200 is a <see cref="FalResponseException"/>. Over HTTP/1.x, a body without length, chunks or
    /// gzip must end with a line feed or with OpenMetrics' <c># EOF</c>. A cut exactly at the end of a line cannot be detected.
    /// </exception>
    [Get("/serverless/metrics")]
    [Headers("Accept: text/plain")]
    Task<Stream> GetMetricsAsync(
        [Property(FalRequestOptions.StreamingKey)] bool streaming = false,
        CancellationToken cancellationToken = default
    );
}
