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
    /// <returns>The exposition, UTF-8, decompressed. Dispose it.</returns>
    /// <exception cref="FalObservabilityException">The call failed.</exception>
    [Get("/serverless/metrics")]
    [Headers("Accept: text/plain")]
    Task<Stream> GetMetricsAsync([Property(FalRequestOptions.StreamingKey)] bool streaming = false, CancellationToken cancellationToken = default);
}
