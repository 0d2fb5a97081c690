using Fal.Observability.Client;

namespace Fal.Observability.Cli.Apps;

/// <summary>An app as it is listed and as it is measured.</summary>
/// <param name="Name">The id, <c>owner/name</c>.</param>
/// <param name="Listed">Null: the list does not have it. It belongs to another environment, or is a route.</param>
/// <param name="Live">Null: the service sends no metrics of it, for instance because it has no runner.</param>
internal sealed record LiveApp(string Name, FalApp? Listed, FalAppMetrics? Live)
{
    /// <summary>The listed apps in their order, each with its metrics, and behind them what is measured and not listed.</summary>
    public static IEnumerable<LiveApp> Join(FalAppList list, FalMetricsSnapshot live, bool withUnlisted)
    {
        HashSet<string> listed = new(list.Apps.Select(app => app.EndpointId), StringComparer.Ordinal);
        return list.Apps.Select(app => new LiveApp(app.EndpointId, app, live[app.EndpointId]))
            .Concat(live.Apps.Where(app => withUnlisted && !listed.Contains(app.Name)).Select(app => new LiveApp(app.Name, null, app)));
    }
}
