using Fal.Observability.Client;

namespace Fal.Observability.Cli.Report;

/// <summary>Makes the figures of a report. What the library computes is taken from it.</summary>
internal sealed class FiguresOf
{
    /// <summary>How many of the worst buckets are named.</summary>
    private const int WorstCount = 5;

    /// <summary>The most columns of a plot, which is about 420 pixels wide: two pixels for each.</summary>
    private const int MostColumns = 200;

    /// <summary>Numbers of buckets that make columns of even lengths, such as 12 hours.</summary>
    private static readonly int[] ColumnLengths = [1, 2, 3, 4, 6, 8, 12, 24, 48, 72, 168, 336];

    private static readonly Compared Unknown = new(null, null);
    private static readonly AnalyticsTotals NoRequests = AnalyticsTotals.Of(Array.Empty<AnalyticsRow>());

    private readonly ReportSources _sources;
    private readonly ReportRequest _request;
    private readonly IReadOnlyDictionary<string, IReadOnlyList<AnalyticsPoint>> _series;
    private readonly IReadOnlyDictionary<string, AnalyticsTotals> _totals;
    private readonly IReadOnlyDictionary<string, AnalyticsTotals>? _totalsBefore;
    private readonly IReadOnlyDictionary<string, AvailabilityStatus> _availability;
    private readonly Dictionary<string, AnalyticsRow> _summaryBefore;
    private readonly AppCostReport? _costs;
    private readonly AppCostReport? _costsBefore;
    private readonly bool _hasClosedBucket;

    private FiguresOf(ReportSources sources)
    {
        _sources = sources;
        _request = sources.Request;
        AnalyticsReport requests = sources.Requests;
        _series = requests.SeriesByApp();
        _totals = AnalyticsTotals.ByApp(requests.TimeSeries);
        _totalsBefore = sources.RequestsBefore is { } before
            ? AnalyticsTotals.ByApp([new AnalyticsBucket { Start = before.Query.Range.Start!.Value, Rows = before.Summary }])
            : null;
        _summaryBefore = (sources.RequestsBefore?.Summary ?? []).DistinctBy(row => row.EndpointId, StringComparer.Ordinal)
            .ToDictionary(row => row.EndpointId, StringComparer.Ordinal);
        _hasClosedBucket = requests.TimeSeries.Any(bucket => !bucket.IsOpen);
        _availability = _hasClosedBucket
            ? _request.Objective.EvaluateByApp(requests)
            : new Dictionary<string, AvailabilityStatus>();
        _costs = sources.Usage?.ByApp(_request.Apps, requests);
        _costsBefore = sources.RequestsBefore is { } earlier ? sources.UsageBefore?.ByApp(_request.Apps, earlier) : null;
    }

    /// <summary>The figures of what was collected.</summary>
    public static AccountFigures Account(ReportSources sources) => new FiguresOf(sources).Account();

    private AccountFigures Account()
    {
        AnalyticsReport requests = _sources.Requests;
        AnalyticsBucket[] provisional = [.. requests.TimeSeries.Where(bucket => bucket.IsProvisional)];
        AppFigures[] apps =
        [
            .. _series.Keys.Select(App)
                .OrderByDescending(app => app.Traffic.RequestCount.Value)
                .ThenBy(app => app.App, StringComparer.Ordinal),
        ];
        return new AccountFigures
        {
            IsSimulated = _request.IsSimulated,
            CreatedAt = _sources.CollectedAt,
            Period = new PeriodFigures(
                requests.Query.Range.Start!.Value,
                requests.Query.Range.End!.Value,
                requests.Query.Range.Start.Value - (requests.Query.Range.End.Value - requests.Query.Range.Start.Value),
                _request.Timeframe.GetWireName(),
                requests.TimeSeries.Count,
                provisional.Length,
                provisional.FirstOrDefault()?.Start,
                AnalyticsTotals.Of(provisional).GetValue(AnalyticsExpand.RequestCount)),
            Traffic = Traffic(
                AnalyticsTotals.Of(requests.TimeSeries),
                _sources.RequestsBefore is { } before ? AnalyticsTotals.Of(before.Summary) : null),
            Availability = _hasClosedBucket ? Availability(_request.Objective.Evaluate(requests)) : null,
            IdleShare = Together(_sources.MeanRunners.Values)?.IdleShare,
            RunnerHours = Hours(Together(_sources.MeanRunners.Values)),
            Bill = Bill(apps),
            Apps = apps,
            WorstBuckets = WorstOfAccount(),
            SlowestBuckets = Slowest(requests.TimeSeries.SelectMany(
                bucket => bucket.Rows, (bucket, row) => (bucket.Start, bucket.IsProvisional, row))),
            Columns = Columns(
                [.. requests.TimeSeries.Select(bucket => (bucket.Start, bucket.IsProvisional, bucket.Rows))],
                Together(_sources.MeanRunners.Values),
                hasPercentiles: false),
            Gaps = _sources.Gaps,
        };
    }

    private AppFigures App(string app)
    {
        FalApp[] listed = [.. _request.Apps.Apps.Where(one => one.EndpointId == app)];
        IReadOnlyList<AnalyticsPoint> points = _series[app];
        FalRunnerHistory? mean = _sources.MeanRunners.GetValueOrDefault(app);
        FalRunnerHistory? most = _sources.MostRunners.GetValueOrDefault(app);
        FalApp? limited = listed.FirstOrDefault();
        return new AppFigures
        {
            App = app,
            Environments = [.. listed.Select(one => one.Environment).OfType<string>().Distinct(StringComparer.Ordinal)],
            MachineTypes = [.. listed.Select(one => one.MachineType).OfType<string>().Distinct(StringComparer.Ordinal)],
            Traffic = Traffic(_totals.GetValueOrDefault(app, NoRequests), _totalsBefore?.GetValueOrDefault(app, NoRequests)),
            Availability = _availability.TryGetValue(app, out AvailabilityStatus? status) ? Availability(status) : null,
            Endpoints =
            [
                .. _sources.Requests.Summary.Where(row => EndpointChoice.AppOf(row.EndpointId) == app)
                    .OrderByDescending(row => row.RequestCount)
                    .ThenBy(row => row.EndpointId, StringComparer.Ordinal)
                    .Select(Endpoint),
            ],
            Runners = mean is null && most is null ? null : new RunnerFigures(
                mean?.IdleShare,
                Hours(mean),
                most?.PeakRunning,
                limited?.MaxConcurrency,
                limited is null ? null : most?.PeakShareOf(limited)),
            Costs = Costs(app, mean?.IdleShare),
            WorstBuckets = Worst(points.Where(point => point.HasData)
                .Select(point => Bucket(point.Start, app, point.Totals, point.IsProvisional))),
            SlowestBuckets = Slowest(points.SelectMany(point => point.Rows, (point, row) => (point.Start, point.IsProvisional, row))),
            Columns = Columns([.. points.Select(point => (point.Start, point.IsProvisional, point.Rows))], mean, hasPercentiles: true),
        };
    }

    private static TrafficFigures Traffic(AnalyticsTotals totals, AnalyticsTotals? before)
    {
        return new TrafficFigures
        {
            RequestCount = Count(AnalyticsExpand.RequestCount),
            SuccessCount = Count(AnalyticsExpand.SuccessCount),
            UserErrorCount = Count(AnalyticsExpand.UserErrorCount),
            ErrorCount = Count(AnalyticsExpand.ErrorCount),
            StartupErrorCount = Count(AnalyticsExpand.StartupErrorCount),
            ConnectionErrorCount = Count(AnalyticsExpand.ConnectionErrorCount),
            TimeoutErrorCount = Count(AnalyticsExpand.TimeoutErrorCount),
            RuntimeErrorCount = Count(AnalyticsExpand.RuntimeErrorCount),
            ColdBootCount = Count(AnalyticsExpand.ColdBootCount),
            SuccessRate = new Compared(totals.SuccessRate, before?.SuccessRate),
            UserErrorRate = new Compared(totals.UserErrorRate, before?.UserErrorRate),
            ErrorRate = new Compared(totals.ErrorRate, before?.ErrorRate),
            ColdBootRate = new Compared(totals.ColdBootRate, before?.ColdBootRate),
        };

        Compared Count(AnalyticsExpand metric) => new(totals.GetValue(metric), before?.GetValue(metric));
    }

    private static AvailabilityFigures Availability(AvailabilityStatus status) => new(
        status.Objective.Target,
        status.Objective.Window.TotalDays,
        status.AsOf,
        status.Coverage,
        status.Requests,
        status.Errors,
        status.IsMet,
        status.ErrorBudgetConsumed,
        status.ShortBurnRate,
        status.LongBurnRate);

    private EndpointFigures Endpoint(AnalyticsRow row)
    {
        AnalyticsRow? before = _summaryBefore.GetValueOrDefault(row.EndpointId);
        return new EndpointFigures(
            row.EndpointId,
            Value(AnalyticsExpand.RequestCount),
            new PercentileFigures(
                Value(AnalyticsExpand.P50PrepareDuration),
                Value(AnalyticsExpand.P75PrepareDuration),
                Value(AnalyticsExpand.P90PrepareDuration),
                Value(AnalyticsExpand.P95PrepareDuration),
                Value(AnalyticsExpand.P99PrepareDuration)),
            new PercentileFigures(
                Value(AnalyticsExpand.P50Duration),
                Value(AnalyticsExpand.P75Duration),
                Value(AnalyticsExpand.P90Duration),
                Value(AnalyticsExpand.P95Duration),
                Value(AnalyticsExpand.P99Duration)),
            new PercentileFigures(
                Value(AnalyticsExpand.P50ColdBootDuration),
                Value(AnalyticsExpand.P75ColdBootDuration),
                Value(AnalyticsExpand.P90ColdBootDuration),
                Unknown,
                Unknown));

        Compared Value(AnalyticsExpand metric) => new(Finite(row.GetValue(metric)), Finite(before?.GetValue(metric)));
    }

    private CostFigures[] Costs(string app, double? idleShare)
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

    private BillFigures? Bill(AppFigures[] apps)
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
                .. _costs.Unattributed.Select(rest => new UnattributedFigures(rest.App, rest.Environment, rest.Currency, rest.Cost)),
            ],
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

    private BucketFigures[] WorstOfAccount() => Worst(_sources.Requests.TimeSeries.Where(bucket => bucket.Rows.Count > 0).Select(bucket =>
    {
        string worst = bucket.Rows.GroupBy(row => EndpointChoice.AppOf(row.EndpointId), StringComparer.Ordinal)
            .MaxBy(rows => rows.Sum(row => row.ErrorCount))!.Key;
        return Bucket(bucket.Start, worst, AnalyticsTotals.Of(bucket.Rows), bucket.IsProvisional);
    }));

    private static BucketFigures Bucket(DateTimeOffset start, string endpoint, AnalyticsTotals totals, bool isProvisional) => new(
        start,
        endpoint,
        totals.GetValue(AnalyticsExpand.RequestCount),
        totals.GetValue(AnalyticsExpand.ErrorCount),
        totals.ErrorRate,
        null,
        isProvisional);

    private static BucketFigures[] Worst(IEnumerable<BucketFigures> buckets) =>
    [
        .. buckets.Where(bucket => bucket.ErrorCount > 0)
            .OrderByDescending(bucket => bucket.ErrorCount)
            .ThenBy(bucket => bucket.Start)
            .Take(WorstCount),
    ];

    private static BucketFigures[] Slowest(IEnumerable<(DateTimeOffset Start, bool IsProvisional, AnalyticsRow Row)> rows) =>
    [
        .. rows.Where(one => Finite(one.Row.GetValue(AnalyticsExpand.P90PrepareDuration)) > 0)
            .OrderByDescending(one => one.Row.GetValue(AnalyticsExpand.P90PrepareDuration))
            .ThenBy(one => one.Start)
            .Take(WorstCount)
            .Select(one => Bucket(one.Start, one.Row.EndpointId, AnalyticsTotals.Of([one.Row]), one.IsProvisional) with
            {
                QueueP90 = one.Row.GetValue(AnalyticsExpand.P90PrepareDuration),
            }),
    ];

    private static ColumnsFigures Columns(
        (DateTimeOffset Start, bool IsProvisional, IReadOnlyList<AnalyticsRow> Rows)[] buckets,
        FalRunnerHistory? runners,
        bool hasPercentiles)
    {
        int length = ColumnLengths.FirstOrDefault(
            length => buckets.Length <= length * MostColumns, (buckets.Length + MostColumns - 1) / MostColumns);
        Dictionary<DateTimeOffset, FalRunnerBucket> runnersAt = (runners?.Buckets ?? []).ToDictionary(bucket => bucket.Start);
        return new ColumnsFigures(length, [.. buckets.Chunk(length).Select(Column)]);

        ColumnFigures Column((DateTimeOffset Start, bool IsProvisional, IReadOnlyList<AnalyticsRow> Rows)[] column)
        {
            AnalyticsRow[] rows = [.. column.SelectMany(bucket => bucket.Rows)];
            var totals = AnalyticsTotals.Of(rows);
            FalRunnerBucket[] up = [.. column.Select(bucket => runnersAt.GetValueOrDefault(bucket.Start)).OfType<FalRunnerBucket>()];
            return new ColumnFigures
            {
                Start = column[0].Start,
                IsProvisional = column.Any(bucket => bucket.IsProvisional),
                RequestCount = totals.GetValue(AnalyticsExpand.RequestCount),
                ErrorRate = totals.ErrorRate,
                UserErrorRate = totals.UserErrorRate,
                QueueP50 = Highest(AnalyticsExpand.P50PrepareDuration),
                QueueP90 = Highest(AnalyticsExpand.P90PrepareDuration),
                QueueP99 = Highest(AnalyticsExpand.P99PrepareDuration),
                ExecutionP50 = Highest(AnalyticsExpand.P50Duration),
                ExecutionP90 = Highest(AnalyticsExpand.P90Duration),
                ExecutionP99 = Highest(AnalyticsExpand.P99Duration),
                RunningRunners = up.Average(bucket => bucket.Running),
                IdleRunners = up.Average(bucket => bucket.Idle),
            };

            double? Highest(AnalyticsExpand metric) => hasPercentiles ? rows.Max(row => Finite(row.GetValue(metric))) : null;
        }
    }

    /// <summary>The runners of several apps as one history, so that the library computes their share as it does for one.</summary>
    private static FalRunnerHistory? Together(IEnumerable<FalRunnerHistory> histories)
    {
        FalRunnerHistory[] all = [.. histories];
        return all is not [var first, ..] ? null : new FalRunnerHistory
        {
            Timeframe = first.Timeframe,
            Aggregation = first.Aggregation,
            Buckets =
            [
                .. all.SelectMany(history => history.Buckets).GroupBy(bucket => bucket.Start).OrderBy(same => same.Key).Select(same =>
                    new FalRunnerBucket
                    {
                        Start = same.Key,
                        Running = same.Sum(bucket => bucket.Running),
                        Idle = same.Sum(bucket => bucket.Idle),
                        Pending = same.Sum(bucket => bucket.Pending),
                        Draining = same.Sum(bucket => bucket.Draining),
                    }),
            ],
        };
    }

    /// <summary>The time of the runners, in the buckets by which <see cref="FalRunnerHistory.IdleShare"/> is computed.</summary>
    private RunnerHoursFigures? Hours(FalRunnerHistory? history)
    {
        if (history?.IdleShare is null)
        {
            return null;
        }

        double idle = 0;
        double paid = 0;
        foreach (FalRunnerBucket bucket in history.Buckets)
        {
            if (bucket is { Running: { } running, Idle: { } unused, Draining: { } draining })
            {
                // The last bucket counts with the time that has passed of it.
                DateTimeOffset end = bucket.Start + _request.Timeframe.GetLengthInUtc();
                end = end > _sources.CollectedAt && bucket.Start < _sources.CollectedAt ? _sources.CollectedAt : end;
                idle += unused * (end - bucket.Start).TotalHours;
                paid += (running + unused + draining) * (end - bucket.Start).TotalHours;
            }
        }

        return new RunnerHoursFigures(idle, paid);
    }

    // JSON has no number for infinity.
    private static double? Finite(double? value) => value is { } number && double.IsFinite(number) ? number : null;
}
