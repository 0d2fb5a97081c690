using Fal.Observability.Client;

namespace Fal.Observability.Cli.Report;

/// <summary>Makes the figures of a report. Takes from the library whatever the library computes.</summary>
internal sealed class FiguresOf
{
    private static readonly Compared Unknown = new(null, null);
    private static readonly AnalyticsTotals NoRequests = AnalyticsTotals.Of(Array.Empty<AnalyticsRow>());

    private readonly ReportSources _sources;
    private readonly ReportRequest _request;
    private readonly IReadOnlyDictionary<string, IReadOnlyList<AnalyticsPoint>> _series;
    private readonly IReadOnlyDictionary<string, AnalyticsTotals> _totals;
    private readonly IReadOnlyDictionary<string, AnalyticsTotals>? _totalsBefore;
    private readonly IReadOnlyDictionary<string, AvailabilityStatus> _availability;
    private readonly Dictionary<string, AnalyticsRow> _summaryBefore;
    private readonly BillOf _bill;
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
        _bill = new BillOf(sources);
    }

    /// <summary>The figures of what was collected.</summary>
    public static AccountFigures Account(ReportSources sources) => new FiguresOf(sources).Account();

    private AccountFigures Account()
    {
        AnalyticsReport requests = _sources.Requests;
        FalRunnerHistory? runners = Together(_sources.MeanRunners.Values);
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
            IdleShare = runners?.IdleShare,
            RunnerHours = Hours(runners),
            Bill = _bill.Bill(apps),
            Apps = apps,
            WorstBuckets = BucketsOf.WorstOfAll(requests.TimeSeries),
            SlowestBuckets = BucketsOf.Slowest(requests.TimeSeries.SelectMany(
                bucket => bucket.Rows, (bucket, row) => (bucket.Start, bucket.IsProvisional, row))),
            Columns = BucketsOf.Columns(
                [.. requests.TimeSeries.Select(bucket => (bucket.Start, bucket.IsProvisional, bucket.Rows))],
                runners,
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
            MachineTypes = _bill.MachineTypes(listed),
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
            Costs = _bill.Costs(app, mean?.IdleShare),
            WorstBuckets = BucketsOf.WorstOf(app, points),
            SlowestBuckets = BucketsOf.Slowest(
                points.SelectMany(point => point.Rows, (point, row) => (point.Start, point.IsProvisional, row))),
            Columns = BucketsOf.Columns(
                [.. points.Select(point => (point.Start, point.IsProvisional, point.Rows))], mean, hasPercentiles: true),
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

        Compared Value(AnalyticsExpand metric) => new(
            BucketsOf.Finite(row.GetValue(metric)), BucketsOf.Finite(before?.GetValue(metric)));
    }

    /// <summary>The runners of several apps as one history, so that the library can compute a common idle share.</summary>
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
                // Of the last bucket, only the time that has already passed counts.
                DateTimeOffset end = bucket.Start + _request.Timeframe.GetLengthInUtc();
                end = end > _sources.CollectedAt && bucket.Start < _sources.CollectedAt ? _sources.CollectedAt : end;
                idle += unused * (end - bucket.Start).TotalHours;
                paid += (running + unused + draining) * (end - bucket.Start).TotalHours;
            }
        }

        return new RunnerHoursFigures(idle, paid);
    }
}
