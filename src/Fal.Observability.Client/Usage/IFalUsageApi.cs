using Refit;

namespace Fal.Observability.Client;

/// <summary>
/// The usage endpoint as Refit sees it: one page per call. Use <see cref="IFalUsageClient"/> unless you need a single page with the query
/// exactly as you pass it.
/// </summary>
/// <remarks>
/// Registered by <c>AddFalObservability</c> with the same retries, limits and exceptions as the typed client. Failures are
/// <see cref="FalObservabilityException"/>s, never Refit's own exceptions. Resolve a range from <see cref="AnalyticsTimeRange.Last"/> first
/// with <see cref="UsageQuery.Resolve"/>.
/// </remarks>
public interface IFalUsageApi
{
    /// <summary><c>GET /serverless/usage</c>: the compute that the account's apps used, and what it cost.</summary>
    /// <param name="query">The query; null for the time series of every app over the last 24 hours.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>One page.</returns>
    /// <exception cref="ArgumentException">The range of the query is a duration that still depends on the clock.</exception>
    /// <exception cref="FalForbiddenException">The key lacks the permission for billing data.</exception>
    /// <exception cref="FalObservabilityException">The call failed in another way.</exception>
    [Get("/serverless/usage")]
    [Headers("Accept: application/json")]
    Task<UsagePage> GetUsageAsync(
        [QueryConverter(typeof(UsageQueryConverter))] UsageQuery? query = null, CancellationToken cancellationToken = default);
}
