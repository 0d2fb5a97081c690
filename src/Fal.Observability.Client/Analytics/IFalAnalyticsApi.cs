using Refit;

namespace Fal.Observability.Client;

/// <summary>
/// The analytics endpoints as Refit sees them: one page a call. Take <see cref="IFalAnalyticsClient"/> unless a single page,
/// with the query exactly as you give it, is what you want.
/// </summary>
/// <remarks>
/// Registered by <c>AddFalObservability</c> with the same retries, limits and exceptions as the typed client. Failures are
/// <see cref="FalObservabilityException"/>s, never exceptions of Refit's own. A range that <see cref="AnalyticsTimeRange.Last"/> made
/// must be fixed first with <see cref="AnalyticsQuery.Resolve"/>; the ends that the default range and
/// <see cref="AnalyticsTimeRange.Since(DateTimeOffset)"/> leave open are not sent, and the service fills them in.
/// <para>
/// A page is checked by itself: it has a time series or a summary, and every row names its endpoint. It is not held against the query:
/// whether the list that was asked for is the one that came, whether the buckets lie in the range, and whether there is a cursor where
/// <see cref="FalPage{TBucket,TRow}.HasMore"/> is true, is left to you.
/// </para>
/// </remarks>
public interface IFalAnalyticsApi
{
    /// <summary><c>GET /serverless/analytics</c>: all inbound traffic to endpoints that the key's account owns.</summary>
    /// <param name="query">What to ask for. <see cref="AnalyticsQuery.Source"/> is not looked at.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>One page.</returns>
    /// <exception cref="ArgumentException">
    /// The query is null or cannot be valid, or its range is a duration that still depends on the clock.
    /// </exception>
    /// <exception cref="FalObservabilityException">The call failed.</exception>
    [Get("/serverless/analytics")]
    [Headers("Accept: application/json")]
    Task<AnalyticsPage> GetServerlessAnalyticsAsync(
        [QueryConverter(typeof(AnalyticsQueryConverter))] AnalyticsQuery query, CancellationToken cancellationToken = default);

    /// <summary><c>GET /models/analytics</c>: the calls that the key's account made, to any model.</summary>
    /// <param name="query">What to ask for. <see cref="AnalyticsQuery.Source"/> is not looked at.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>One page.</returns>
    /// <exception cref="ArgumentException">
    /// The query is null or cannot be valid, or its range is a duration that still depends on the clock.
    /// </exception>
    /// <exception cref="FalObservabilityException">The call failed.</exception>
    [Get("/models/analytics")]
    [Headers("Accept: application/json")]
    Task<AnalyticsPage> GetModelsAnalyticsAsync(
        [QueryConverter(typeof(AnalyticsQueryConverter))] AnalyticsQuery query, CancellationToken cancellationToken = default);
}
