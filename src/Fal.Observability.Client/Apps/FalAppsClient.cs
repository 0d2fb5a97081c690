using Microsoft.Extensions.Logging;

namespace Fal.Observability.Client;

/// <summary>The typed client for the account's apps over <see cref="IFalAppsApi"/>.</summary>
internal sealed class FalAppsClient(IFalAppsApi api, TimeProvider time, ILogger log) : IFalAppsClient
{
    public async Task<FalAppList> ListAsync(FalAppQuery? query = null, CancellationToken cancellationToken = default)
    {
        query ??= new FalAppQuery();
        List<FalApp> apps = [];
        List<FalAnswer> answers = [];
        var ofEarlierCalls = new HashSet<(string EndpointId, string? Environment)>();
        bool hasMore = false;
        IEnumerable<FalAppQuery> calls = query.Environments.Count <= 1
            ? [query]
            : query.Environments.Select(name => query with { Environments = [name] });
        foreach (FalAppQuery call in calls)
        {
            FalAppList list = await api.ListAppsAsync(call, cancellationToken).ConfigureAwait(false);
            string? asked = call.Environments is [var name] ? name : null;
            // An app without an environment belongs to the requested one, and differs from the same app in another one.
            ILookup<(string, string?), FalApp> byId = list.Apps.ToLookup(app => (app.EndpointId, app.Environment ?? asked));
            apps.AddRange(byId.Where(same => !ofEarlierCalls.Contains(same.Key)).SelectMany(same => same));
            ofEarlierCalls.UnionWith(byId.Select(same => same.Key));
            answers.AddRange(list.Answers);
            if (list.HasMore)
            {
                hasMore = true;
                log.AppsLeftOut(list.Apps.Count, asked ?? FalEnvironments.Main);
            }
        }

        return new FalAppList
        {
            Apps = apps,
            HasMore = hasMore,
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

        async Task<FalRunnerHistory> ReadAsync()
        {
            FalRunnerHistory answer = await api.GetRunnerHistoryAsync(owner, name, query, cancellationToken).ConfigureAwait(false);
            FalRunnerHistory history = answer.AsAnswerTo(endpointId, query);
            int beyond = answer.Buckets.Count(bucket =>
                (bucket is { Running: > 0 } or { Idle: > 0 } or { Pending: > 0 } or { Draining: > 0 })
                && bucket.Start >= AnalyticsCalendar.EndOf(query.Grid));
            if (beyond > 0)
            {
                log.BucketsBeyondEnd(beyond, beyond, query.Range.ToString());
            }

            return history;
        }
    }
}
