namespace Fal.Observability.Client;

/// <summary>The typed client for the account's apps over <see cref="IFalAppsApi"/>.</summary>
internal sealed class FalAppsClient(IFalAppsApi api, TimeProvider time) : IFalAppsClient
{
    public async Task<FalAppList> ListAsync(FalAppQuery? query = null, CancellationToken cancellationToken = default)
    {
        query ??= new FalAppQuery();
        List<(FalApp App, string? Asked)> apps = [];
        List<FalAnswer> answers = [];
        IEnumerable<FalAppQuery> calls = query.Environments.Count <= 1
            ? [query]
            : query.Environments.Select(name => query with { Environments = [name] });
        foreach (FalAppQuery call in calls)
        {
            FalAppList list = await api.ListAppsAsync(call, cancellationToken).ConfigureAwait(false);
            apps.AddRange(list.Apps.Select(app => (app, call.Environments is [var asked] ? asked : null)));
            answers.AddRange(list.Answers);
        }

        return new FalAppList
        {
            // An app without an environment belongs to the requested one, and differs from the same app in another one.
            Apps =
            [
                .. apps.GroupBy(one => (one.App.EndpointId, one.App.Environment ?? one.Asked), one => one.App).Select(same => same.Last()),
            ],
            Environments = query.Environments.Count == 0 ? [FalEnvironments.Main] : query.Environments,
            Answers = answers,
        };
    }

    public Task<FalRunnerHistory> GetRunnerHistoryAsync(
        string endpointId,
        AnalyticsTimeRange range = default,
        AnalyticsTimeframe? timeframe = null,
        FalRunnerAggregation aggregation = FalRunnerAggregation.Max,
        CancellationToken cancellationToken = default)
    {
        (string owner, string name) = FalAppId.Split(endpointId, nameof(endpointId));
        FalRunnerHistoryQuery query =
            new FalRunnerHistoryQuery { Range = range, Timeframe = timeframe, Aggregation = aggregation }.Resolve(time.GetUtcNow());
        return ReadAsync();

        async Task<FalRunnerHistory> ReadAsync() =>
            (await api.GetRunnerHistoryAsync(owner, name, query, cancellationToken).ConfigureAwait(false)).AsAnswerTo(endpointId, query);
    }
}
