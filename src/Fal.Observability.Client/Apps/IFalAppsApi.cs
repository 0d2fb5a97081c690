using Refit;

namespace Fal.Observability.Client;

/// <summary>
/// The endpoints about the account's apps as Refit sees them: one call each. Use <see cref="IFalAppsClient"/> unless you need a single call
/// with the query exactly as you pass it.
/// </summary>
/// <remarks>
/// Registered by <c>AddFalObservability</c> with the same retries, limits and exceptions as the typed client. Failures are
/// <see cref="FalObservabilityException"/>s, never Refit's own exceptions.
/// </remarks>
public interface IFalAppsApi
{
    /// <summary><c>GET /serverless/apps</c>: the apps of the key's account in one environment.</summary>
    /// <param name="query">The query, with at most one environment; null for every app of the main environment.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>The apps. <see cref="FalAppList.Environments"/> is empty.</returns>
    /// <exception cref="ArgumentException">The query names more than one environment.</exception>
    /// <exception cref="FalObservabilityException">The call failed.</exception>
    [Get("/serverless/apps")]
    [Headers("Accept: application/json")]
    Task<FalAppList> ListAppsAsync(
        [QueryConverter(typeof(FalAppQueryConverter))] FalAppQuery? query = null, CancellationToken cancellationToken = default);

    /// <summary><c>GET /serverless/apps/{owner}/{name}/runners/history</c>: how many runners an app had.</summary>
    /// <param name="owner">The nickname of the app's owner, the first part of its id.</param>
    /// <param name="name">The app's name, the second part of its id.</param>
    /// <param name="query">The query; null for the last 24 hours.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>The history, in the order of the service.</returns>
    /// <exception cref="ArgumentException">The range of the query is a duration that still depends on the clock.</exception>
    /// <exception cref="FalObservabilityException">The call failed.</exception>
    [Get("/serverless/apps/{owner}/{name}/runners/history")]
    [Headers("Accept: application/json")]
    Task<FalRunnerHistory> GetRunnerHistoryAsync(
        string owner,
        string name,
        [QueryConverter(typeof(FalRunnerHistoryQueryConverter))] FalRunnerHistoryQuery? query = null,
        CancellationToken cancellationToken = default);
}
