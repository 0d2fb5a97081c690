using Refit;

namespace Fal.Observability.Client;

/// <summary>
/// The metrics endpoint as Refit sees it: one method, the body as bytes. Take <see cref="IFalMetricsClient"/> unless the
/// bytes themselves are what you want, to hand them on to another Prometheus reader, say.
/// </summary>
/// <remarks>
/// Registered by <c>AddFalObservability</c> with the same retries, limits and exceptions as the typed client. Failures are
/// <see cref="FalObservabilityException"/>s, never exceptions of Refit's own.
/// </remarks>
public interface IFalMetricsApi
{
    /// <summary><c>GET /serverless/metrics</c>: the current metrics of every app of the key's account.</summary>
    /// <param name="streaming">
    /// Whether the body is handed on as it arrives. When not, it is read whole, decompressed, before the task completes, and
    /// a body that breaks off is retried.
    /// </param>
    /// <param name="cancellationToken">Ends the call and, while it streams, every read that is handed this token.</param>
    /// <returns>The exposition, UTF-8, decompressed, as the service sent it. Dispose it; a read that is pending then ends.</returns>
    /// <exception cref="FalObservabilityException">
    /// The call failed. Reads of a streamed body throw it too. A body that is truncated, empty without being declared as text, still
    /// compressed, or of a status other than 200 is a <see cref="FalResponseException"/>. Over HTTP/1.x, a body without length, chunks
    /// or gzip must end with a line feed or with OpenMetrics' <c># EOF</c>; if it is cut exactly at the end of a line, nothing shows it.
    /// </exception>
    [Get("/serverless/metrics")]
    [Headers("Accept: text/plain")]
    Task<Stream> GetMetricsAsync(
        [Property(FalRequestOptions.StreamingKey)] bool streaming = false,
        CancellationToken cancellationToken = default
    );
}
