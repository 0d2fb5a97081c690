namespace Fal.Observability.Client;

/// <summary>A bill by app: the cost of each app, and the cost that belongs to none of them. Together they are the whole bill.</summary>
/// <remarks>Immutable and safe to share between threads.</remarks>
public sealed class AppCostReport
{
    private AppCostReport(UsageReport usage, IReadOnlyList<AppCost> apps, IReadOnlyList<UsageRow> attributed, IReadOnlyList<UsageRow> rest)
    {
        Apps = apps;
        Attributed = UsageReport.TotalsOf(attributed);
        Unattributed = UsageReport.ByApp(rest);
        Total = usage.Totals;
    }

    /// <summary>
    /// Every app of the list, ordered by currency and then from the highest cost to the lowest. Apps whose cost is not known come last. An
    /// app that is billed in two currencies appears once for each.
    /// </summary>
    public IReadOnlyList<AppCost> Apps { get; }

    /// <summary>The cost of all apps together: one total per currency.</summary>
    public IReadOnlyList<UsageTotals> Attributed { get; }

    /// <summary>
    /// What belongs to no app of the list, by the name and environment on the bill; ordered like <see cref="UsageReport.ByApp()"/>.
    /// </summary>
    public IReadOnlyList<UsageTotals> Unattributed { get; }

    /// <summary>The whole bill: one total per currency.</summary>
    public IReadOnlyList<UsageTotals> Total { get; }

    internal static AppCostReport Of(
        UsageReport usage, FalAppList apps, AnalyticsReport? requests, Func<UsageRow, FalApp?>? appOf)
    {
        // The bill does not name the owner, so a name that several owners use is assigned to none of them.
        HashSet<string> shared = Several(apps.Apps, app => app.Name, app => app.Owner);
        HashSet<string> inSeveralEnvironments = Several(apps.Apps, app => app.EndpointId, app => app.Environment);
        var exact = new Dictionary<(string?, string?), FalApp>();
        foreach (FalApp app in apps.Apps.Where(app => app.Environment is not null && !shared.Contains(app.Name)))
        {
            exact.TryAdd((app.Name, app.Environment), app);
        }

        HashSet<FalApp> listed = [.. apps.Apps];
        ILookup<FalApp?, UsageRow> rows = usage.Rows.ToLookup(row => exact.GetValueOrDefault((row.App, row.Environment)) ?? Given(row));

        IReadOnlyDictionary<string, AnalyticsTotals> totals = apps.ByApp(requests is null ? [] : RowsOf(requests));
        HashSet<string> asked = requests is null ? [] : [.. requests.Query.EndpointIds];
        asked.ExceptWith(requests?.RefusedEndpoints.Select(refused => refused.EndpointId) ?? []);
        AnalyticsTotals none = AnalyticsTotals.Of(Array.Empty<AnalyticsRow>());

        List<AppCost> costs = [];
        foreach (FalApp app in apps.Apps)
        {
            AnalyticsTotals? ofApp = asked.Contains(app.EndpointId) && !inSeveralEnvironments.Contains(app.EndpointId)
                ? totals.GetValueOrDefault(app.EndpointId, none)
                : null;
            if (rows.Contains(app))
            {
                costs.AddRange(UsageReport.TotalsOf(rows[app], app).Select(cost => new AppCost(app, cost, ofApp)));
            }
            // An app that is listed twice has its cost once.
            else if (!exact.TryGetValue((app.Name, app.Environment), out FalApp? first) || first == app || !rows.Contains(first))
            {
                costs.Add(new AppCost(app, null, ofApp));
            }
        }

        AppCost[] ordered =
        [
            .. costs.OrderBy(cost => cost.Usage is null)
                .ThenBy(cost => cost.Currency, StringComparer.Ordinal)
                .ThenByDescending(cost => cost.Cost)
                .ThenBy(cost => cost.App.EndpointId, StringComparer.Ordinal)
                .ThenBy(cost => cost.App.Environment, StringComparer.Ordinal),
        ];
        return new AppCostReport(
            usage,
            ordered,
            [.. rows.Where(group => group.Key is not null).SelectMany(group => group)],
            [.. rows[null]]);

        FalApp? Given(UsageRow row) => appOf?.Invoke(row) is not { } app ? null
            : listed.Contains(app) ? app
            : throw new ArgumentException(
                $"The row {row} was assigned to {app}, which is not one of the apps. Return an app of the list, or null.", nameof(appOf));
    }

    private static IEnumerable<AnalyticsRow> RowsOf(AnalyticsReport requests) =>
        requests.Query.EffectiveExpand.HasFlag(AnalyticsExpand.TimeSeries) || requests.Summary.Count == 0
            ? requests.TimeSeries.SelectMany(bucket => bucket.Rows)
            : requests.Summary;

    /// <summary>The keys under which apps differ in something.</summary>
    private static HashSet<string> Several(IEnumerable<FalApp> apps, Func<FalApp, string> key, Func<FalApp, string?> what) =>
    [
        .. apps.GroupBy(key, StringComparer.Ordinal)
            .Where(same => same.Select(what).Distinct(StringComparer.Ordinal).Skip(1).Any())
            .Select(same => same.Key),
    ];
}
