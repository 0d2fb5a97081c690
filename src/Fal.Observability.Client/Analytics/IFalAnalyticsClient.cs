namespace Fal.Observability.Client;

/// <summary>
/// Time-bucketed counts, error classes and latency percentiles. Thread-safe. The data comes from a warehouse and lags by
/// minutes, at times by more: the newest buckets are provisional.
/// </summary>
public interface IFalAnalyticsClient
{
    /// <summary>Asks for one page: the first, or the one that <see cref="AnalyticsQuery.Cursor"/> points at.</summary>
    /// <param name="query">What to ask for.</param>
    /// <param name="cancellationToken">Ends the call, its retries and their waits.</param>
    /// <returns>
    /// The page. Its <see cref="AnalyticsPage.Query"/> is the query with the range fixed to the instants that were sent.
    /// </returns>
    /// <exception cref="ArgumentException">
    /// The query cannot be valid: no metric, or more than <see cref="AnalyticsQuery.MaxEndpointIdsPerCall"/> endpoints. Nothing was sent.
    /// </exception>
    /// <exception cref="FalForbiddenException">The key lacks a permission, or an endpoint is not the account's.</exception>
    /// <exception cref="FalObservabilityException">The call failed in another way.</exception>
    Task<AnalyticsPage> GetPageAsync(AnalyticsQuery query, CancellationToken cancellationToken = default);

    /// <summary>Asks for the page after one, with the same query and the same fixed range.</summary>
    /// <param name="page">A page that this client returned.</param>
    /// <param name="cancellationToken">Ends the call, its retries and their waits.</param>
    /// <returns>The next page; null where <paramref name="page"/> is the last.</returns>
    /// <exception cref="ArgumentException"><paramref name="page"/> carries no query: it did not come from this client.</exception>
    /// <exception cref="FalResponseException">The service's cursor does not advance.</exception>
    /// <exception cref="FalObservabilityException">The call failed in another way.</exception>
    Task<AnalyticsPage?> GetNextPageAsync(AnalyticsPage page, CancellationToken cancellationToken = default);

    /// <summary>
    /// Reads the time series page by page as it is enumerated. Each bucket comes once, whole, also where a page boundary cuts
    /// it, in the order in which the service sends them. The structure flags of the query are not looked at.
    /// </summary>
    /// <param name="query">What to ask for. A relative range is fixed once, before the first page.</param>
    /// <param name="cancellationToken">Ends the calls and the enumeration.</param>
    /// <returns>The buckets; those without traffic are there too, with no rows.</returns>
    /// <exception cref="ArgumentException">The query cannot be valid. Thrown at the call, before any request.</exception>
    /// <exception cref="FalResponseException">
    /// The service's cursor repeats, or its pages are more than <see cref="FalObservabilityOptions.MaxPages"/>.
    /// </exception>
    /// <exception cref="FalObservabilityException">A call failed in another way, after its retries.</exception>
    IAsyncEnumerable<AnalyticsBucket> StreamTimeSeriesAsync(AnalyticsQuery query, CancellationToken cancellationToken = default);
}
