namespace Fal.Observability.Client;

/// <summary>Which apps the account has, and how many runners they had. Thread-safe.</summary>
public interface IFalAppsClient
{
    /// <summary>Lists the apps that the account owns, in the environments that the query names.</summary>
    /// <remarks>
    /// Each environment takes one call, and the service has no call that lists the environments of an account. If the query is null or
    /// names no environment, the list holds the apps of the main environment. <see cref="FalAppList.Environments"/> says which ones were
    /// requested.
    /// </remarks>
    /// <param name="query">Which apps; null for every app of the main environment.</param>
    /// <param name="cancellationToken">Cancels the calls, their retries and their waits.</param>
    /// <returns>The apps.</returns>
    /// <exception cref="FalForbiddenException">The key lacks a permission, or the account has no access to Serverless.</exception>
    /// <exception cref="FalObservabilityException">The call failed in another way.</exception>
    /// <example>
    /// <code>
    /// FalAppList apps = await fal.Apps.ListAsync();
    /// AnalyticsReport report = await fal.Analytics.GetReportAsync(apps.ToQuery());
    /// </code>
    /// </example>
    Task<FalAppList> ListAsync(FalAppQuery? query = null, CancellationToken cancellationToken = default);

    /// <summary>Reads how many runners an app had: running, idle, pending and draining, by bucket.</summary>
    /// <param name="endpointId">The app's id, <c>owner/name</c>: <see cref="FalApp.EndpointId"/>. The id of a route is refused.</param>
    /// <param name="range">
    /// The time to cover, at most 90 days. Default: the last 24 hours. A relative range is fixed once, before the call.
    /// </param>
    /// <param name="timeframe">The length of a bucket, in UTC. Null: the service chooses by the length of the range.</param>
    /// <param name="aggregation">
    /// How the numbers within a bucket are aggregated. The default, <see cref="FalRunnerAggregation.Max"/>, shows capacity;
    /// <see cref="FalRunnerHistory.IdleShare"/> needs <see cref="FalRunnerAggregation.Average"/>.
    /// </param>
    /// <param name="cancellationToken">Cancels the call, its retries and their waits.</param>
    /// <returns>The history.</returns>
    /// <exception cref="ArgumentException">
    /// The id is not <c>owner/name</c>, or the range is not valid: it is longer than 90 days or does not start in the past. Nothing was
    /// sent.
    /// </exception>
    /// <exception cref="FalApiException">There is no such app (404).</exception>
    /// <exception cref="FalForbiddenException">The key lacks a permission, or the app is not the account's.</exception>
    /// <exception cref="FalObservabilityException">The call failed in another way.</exception>
    /// <example>
    /// <code>
    /// FalRunnerHistory month = await fal.Apps.GetRunnerHistoryAsync(
    ///     "my-org/my-app", AnalyticsTimeRange.Last(TimeSpan.FromDays(30)), AnalyticsTimeframe.Hour, FalRunnerAggregation.Average);
    /// Console.WriteLine($"{month.IdleShare:P0} of the paid runner time was idle.");
    /// </code>
    /// </example>
    Task<FalRunnerHistory> GetRunnerHistoryAsync(
        string endpointId,
        AnalyticsTimeRange range = default,
        AnalyticsTimeframe? timeframe = null,
        FalRunnerAggregation aggregation = FalRunnerAggregation.Max,
        CancellationToken cancellationToken = default);
}
