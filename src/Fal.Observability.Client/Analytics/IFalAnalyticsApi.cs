using Refit;

namespace Fal.Observability.Client;

/// <summary>
/// The analytics endpoints as Refit sees them: one page per call. Use <see cref="IFalAnalyticsClient"/> unless you need a single page with
/// the query exactly as you pass it.
/// </summary>
/// <remarks>
/// Registered by <c>AddFalObservability</c> with the same retries, limits and exceptions as the typed client. Failures are
/// <see cref="FalObservabilityException"/>s, never Refit's own exceptions. Resolve a range from <see cref="AnalyticsTimeRange.Last"/> first
/// with <see cref="AnalyticsQuery.Resolve"/>. Ends that the default range and <see cref="AnalyticsTimeRange.Since(DateTimeOffset)"/> leave
/// open are not sent; the service fills them in.
/// <para>
/// Each page is checked on its own: it has a time series or a summary, and every row names its endpoint. It is not compared with the query.
/// The caller must check that the page has the requested list, that the buckets are in the range, and that there is a cursor if
/// <see cref="FalPage{TBucket,TRow}.HasMore"/> is true.
/// </para>
/// </remarks>
public interface IFalAnalyticsApi
{
    /// <summary><c>GET /serverless/analytics</c>: all inbound traffic to endpoints that the key's account owns.</summary>
    /// <param name="query">The query. <see cref="AnalyticsQuery.Source"/> is ignored.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>One page.</returns>
    /// <exception cref="ArgumentException">
    /// The query is null or not valid, or its range still depends on the clock.
    /// </exception>
    /// <exception cref="FalObservabilityException">The call failed.</exception>
    [Get("/serverless/analytics")]
    [Headers("Accept: application/json")]
    Task<AnalyticsPage> GetServerlessAnalyticsAsync(
        [QueryConverter(typeof(AnalyticsQueryConverter))] AnalyticsQuery query, CancellationToken cancellationToken = default);

    /// <summary><c>GET /models/analytics</c>: the calls that the key's account made, to any model.</summary>
    /// <param name="query">The query. <see cref="AnalyticsQuery.Source"/> is ignored.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>One page.</returns>
    /// <exception cref="ArgumentException">
    /// The query is null or not valid, or its range still depends on the clock.
    /// </exception>
    /// <exception cref="FalObservabilityException">The call failed.</exception>
    [Get("/models/analytics")]
    [Headers("Accept: application/json")]
    Task<AnalyticsPage> GetModelsAnalyticsAsync(
        [QueryConverter(typeof(AnalyticsQueryConverter))] AnalyticsQuery query, CancellationToken cancellationToken = default);
}
