using Fal.Observability.Client;

namespace Fal.Observability.Cli.Report;

/// <summary>Makes the figures of the bill: the cost of each app, of all of them, and of what belongs to none.</summary>
internal sealed class BillOf
{
    private readonly ReportSources _sources;
    private readonly ReportRequest _request;
    private readonly AppCostReport? _costs;
    private readonly AppCostReport? _costsBefore;

    public BillOf(ReportSources sources)
    {
        _sources = sources;
        _request = sources.Request;
        _costs = sources.Usage?.ByApp(_request.Apps, sources.Requests);
        _costsBefore = sources.RequestsBefore is { } before ? sources.UsageBefore?.ByApp(_request.Apps, before) : null;
    }

    /// <summary>
    /// The machine types of an app: those that the list of apps names, then those that only the bill names. The list has one for each
    /// environment, but an app can be billed for several.
    /// </summary>
    public IReadOnlyList<string> MachineTypes(FalApp[] listed)
    {
        HashSet<(string?, string?)> billed =
        [
            .. (_costs?.Apps ?? []).Where(cost => cost.Usage is not null && listed.Contains(cost.App))
                .Select(cost => ((string?)cost.App.Name, cost.App.Environment)),
        ];
        return
        [
            .. listed.Select(app => app.MachineType)
                .Concat((_sources.Usage?.Summary ?? []).Where(row => billed.Contains((row.App, row.Environment)))
                    .OrderByDescending(row => row.Cost)
                    .Select(row => row.MachineType))
                .OfType<string>()
                .Distinct(StringComparer.Ordinal),
        ];
    }

    /// <summary>What an app cost, in each environment and currency.</summary>
    public IReadOnlyList<CostFigures> Costs(string app, double? idleShare)
    {
        // The history has the runners of all environments together.
        bool hasOneEnvironment = (_costs?.Apps ?? []).Where(cost => cost.App.EndpointId == app)
            .Select(cost => cost.App.Environment).Distinct(StringComparer.Ordinal).Count() == 1;
        ILookup<(string?, string?), AppCost> before =
            (_costsBefore?.Apps ?? []).Where(cost => cost.App.EndpointId == app && cost.Usage is not null)
                .ToLookup(cost => (cost.App.Environment, cost.Currency));
        return
        [
            .. (_costs?.Apps ?? []).Where(cost => cost.App.EndpointId == app && cost.Usage is not null).Select(cost =>
            {
                AppCost? earlier = before[(cost.App.Environment, cost.Currency)].FirstOrDefault();
                return new CostFigures(
                    cost.App.Environment,
                    cost.Currency!,
                    cost.Cost!.Value,
                    earlier?.Cost,
                    cost.Usage!.MachineSeconds,
                    cost.CostPerThousandSuccesses,
                    earlier?.CostPerThousandSuccesses,
                    hasOneEnvironment ? cost.Cost * (decimal?)idleShare : null);
            }),
        ];
    }

    /// <summary>The bill; null: the service refuses it.</summary>
    public BillFigures? Bill(AppFigures[] apps)
    {
        if (_costs is null)
        {
            return null;
        }

        HashSet<string> ids = [.. apps.Select(app => app.App)];
        double? successes = AnalyticsTotals.Of(_sources.Requests.TimeSeries).GetValue(AnalyticsExpand.SuccessCount);
        double? successesBefore = _sources.RequestsBefore is { } requestsBefore
            ? AnalyticsTotals.Of(requestsBefore.Summary).GetValue(AnalyticsExpand.SuccessCount)
            : null;
        (string Currency, decimal Cost, decimal? Seconds)[] totals = Totals(_costs);
        Dictionary<string, decimal> before = _costsBefore is null
            ? []
            : Totals(_costsBefore).ToDictionary(total => total.Currency, total => total.Cost, StringComparer.Ordinal);
        return new BillFigures
        {
            Totals =
            [
                .. totals.Select(total =>
                {
                    decimal? earlier = before.TryGetValue(total.Currency, out decimal cost) ? cost : null;
                    return new CostFigures(
                        null,
                        total.Currency,
                        total.Cost,
                        earlier,
                        total.Seconds,
                        PerThousand(total.Cost, successes, _sources.Requests),
                        PerThousand(earlier, successesBefore, _sources.RequestsBefore),
                        IdleCost(total.Currency));
                }),
            ],
            Unattributed =
            [
                .. _costs.Unattributed.Select(rest => new UnattributedFigures(
                    rest.App,
                    rest.Environment,
                    rest.Currency,
                    rest.Cost,
                    _costsBefore is null ? null : UnattributedBefore(rest),
                    ProbableApp(rest.App))),
            ],
            UnlistedEnvironments = UnlistedEnvironments(_costs),
            ProvisionalSince = ProvisionalSince(),
            MachineTypes =
            [
                .. _sources.Usage!.ByMachineType().Select(machine =>
                    new MachineFigures(machine.MachineType, machine.Currency, machine.Cost, machine.MachineSeconds)),
            ],
            Days = [.. (_sources.UsageByDay?.ByDay() ?? []).Select(day => new DayFigures(day.Day!.Value, day.Currency, day.Cost))],
            IncludesOtherApps = !_request.IsWholeAccount,
        };

        (string Currency, decimal Cost, decimal? Seconds)[] Totals(AppCostReport costs) => _request.IsWholeAccount
            ? [.. costs.Total.Select(total => (total.Currency, total.Cost, total.MachineSeconds))]
            :
            [
                .. costs.Apps.Where(cost => cost.Usage is not null && ids.Contains(cost.App.EndpointId))
                    .GroupBy(cost => cost.Currency!, StringComparer.Ordinal)
                    .Select(same => (same.Key, same.Sum(cost => cost.Cost!.Value), same.Sum(cost => cost.Usage!.MachineSeconds))),
            ];

        // The cost that belongs to no listed app has no runners beside it.
        decimal? IdleCost(string currency)
        {
            decimal[] known =
            [
                .. apps.SelectMany(app => app.Costs).Where(cost => cost.Currency == currency)
                    .Select(cost => cost.IdleCost)
                    .OfType<decimal>(),
            ];
            return known.Length == 0 ? null : known.Sum();
        }

        // The bill does not tell routes apart, and has the apps whose requests were refused.
        decimal? PerThousand(decimal? cost, double? successes, AnalyticsReport? requests) =>
            cost is { } amount && successes is > 0 and < long.MaxValue and { } count && requests?.RefusedEndpoints.Count == 0
                && _request.EndpointIds.All(id => EndpointChoice.AppOf(id) == id)
                ? amount * 1000m / (long)count
                : null;
    }

    private decimal UnattributedBefore(UsageTotals rest) => _costsBefore!.Unattributed
        .Where(before => (before.App, before.Environment, before.Currency) == (rest.App, rest.Environment, rest.Currency))
        .Sum(before => before.Cost);

    /// <summary>
    /// The app whose name, a hyphen and its environment are the name on the bill; else the app with the longest name before a hyphen in it.
    /// </summary>
    private string? ProbableApp(string? billed)
    {
        if (billed is null)
        {
            return null;
        }

        FalApp[] named =
        [
            .. _request.Apps.Apps.Where(app => app.Name.Length > 0 && billed.StartsWith($"{app.Name}-", StringComparison.Ordinal)),
        ];
        FalApp[] exact = [.. named.Where(app => billed == $"{app.Name}-{app.Environment}")];
        string[] ids =
        [
            .. (exact.Length > 0 ? exact : [.. named.Where(app => app.Name.Length == named.Max(other => other.Name.Length))])
                .Select(app => app.EndpointId)
                .Distinct(StringComparer.Ordinal),
        ];
        return ids.Length == 1 ? ids[0] : null;
    }

    // A line is assigned to an app only by its name and its environment, and endpoints that are named exclude --environments.
    private IReadOnlyList<string> UnlistedEnvironments(AppCostReport costs) => !_request.IsWholeAccount ? [] :
    [
        .. costs.Unattributed.Where(rest => rest.App is not null)
            .Select(rest => rest.Environment)
            .OfType<string>()
            .Except(_request.Apps.Environments, StringComparer.Ordinal)
            .Except(_request.Apps.Apps.Select(app => app.Environment).OfType<string>(), StringComparer.Ordinal),
    ];

    /// <summary>The service may change the bill of a day until the day has ended.</summary>
    private DateTimeOffset? ProvisionalSince()
    {
        DateTimeOffset today = new(_sources.CollectedAt.UtcDateTime.Date, TimeSpan.Zero);
        AnalyticsTimeRange range = _sources.Requests.Query.Range;
        return range.End <= today ? null : range.Start > today ? range.Start : today;
    }
}
