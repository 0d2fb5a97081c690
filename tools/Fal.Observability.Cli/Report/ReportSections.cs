namespace Fal.Observability.Cli.Report;

/// <summary>The tables of all apps, below the first screen.</summary>
internal sealed partial class ReportPage
{
    private (AppFigures App, string Path)[] AllApps => [.. _account.Apps.Select((app, i) => (app, Path("apps", i)))];

    private void Reliability()
    {
        _html.Element(
            "p",
            "The apps that have used most of their error budget come first. Requests and errors are those of the whole period. The " +
                $"objective and its budget are about their window{WindowWords()}. At a burn rate of 1, the budget lasts exactly for this " +
                $"window. An alert is due at {FigureText.Number(ShortBurnLimit)} over the last hour or at " +
                $"{FigureText.Number(LongBurnLimit)} over the last six hours of the period. Such rates are marked.",
            ("class", "soft"));
        Table(
            "Requests and the objective by app",
            AllApps.OrderByDescending(app => app.App.Availability?.ErrorBudgetConsumed),
            new("App", (app, _) => Link(app.App)),
            new("Requests", (app, path) => ComparedCount($"{path}.traffic.request_count", app.Traffic.RequestCount)),
            new("Server errors", (app, path) => ComparedShare($"{path}.traffic.error_rate", app.Traffic.ErrorRate)),
            new("Callers' errors", (app, path) => ComparedShare($"{path}.traffic.user_error_rate", app.Traffic.UserErrorRate)),
            new("Objective", (app, _) => Objective(app.Availability), IsWord: true),
            new("Budget used", (app, path) =>
                Figure($"{path}.availability.error_budget_consumed", app.Availability?.ErrorBudgetConsumed, FigureText.Share)),
            new("Burn rate, 1\u00A0h", (app, path) =>
                BurnRate($"{path}.availability.short_burn_rate", app.Availability?.ShortBurnRate, ShortBurnLimit)),
            new("Burn rate, 6\u00A0h", (app, path) =>
                BurnRate($"{path}.availability.long_burn_rate", app.Availability?.LongBurnRate, LongBurnLimit)));
        ((string App, TrafficFigures Traffic) Item, string Path)[] classes =
        [
            (("All apps", _account.Traffic), "traffic"),
            .. AllApps.OrderByDescending(app => app.App.Traffic.ErrorCount.Value)
                .ThenByDescending(app => app.App.Traffic.UserErrorCount.Value)
                .Select(app => ((app.App.App, app.App.Traffic), $"{app.Path}.traffic")),
        ];
        Table(
            "Errors by class",
            classes,
            new("App", (row, _) => Link(row.App)),
            new("Server errors", (row, path) => ComparedCount($"{path}.error_count", row.Traffic.ErrorCount)),
            new("Start-up", (row, path) => ComparedCount($"{path}.startup_error_count", row.Traffic.StartupErrorCount)),
            new("Connection", (row, path) => ComparedCount($"{path}.connection_error_count", row.Traffic.ConnectionErrorCount)),
            new("Time-out", (row, path) => ComparedCount($"{path}.timeout_error_count", row.Traffic.TimeoutErrorCount)),
            new("Runtime", (row, path) => ComparedCount($"{path}.runtime_error_count", row.Traffic.RuntimeErrorCount)),
            new("Callers' errors", (row, path) => ComparedCount($"{path}.user_error_count", row.Traffic.UserErrorCount)));
    }

    private string WindowWords() => _account.Availability is { } slo
        ? $", the {Window(slo)} to {FigureText.Instant(slo.AsOf)} UTC"
        : "";

    private void Runners()
    {
        _html.Element(
            "p",
            "The apps with the most idle runner hours come first. Paid hours are those of running, idle and draining runners. The table " +
                "of the cost has what the idle hours cost. The peak is the highest number of runners that had requests at the same " +
                "time. The limit is the current one.",
            ("class", "soft"));
        Table(
            "Runners and cold boots by app",
            AllApps.OrderByDescending(app => app.App.Runners?.Hours?.Idle),
            new("App", (app, _) => Link(app.App)),
            new("Idle runner hours", (app, path) =>
                Figure($"{path}.runners.hours.idle", app.Runners?.Hours?.Idle, FigureText.Hours)),
            new("Paid runner hours", (app, path) =>
                Figure($"{path}.runners.hours.paid", app.Runners?.Hours?.Paid, FigureText.Hours)),
            new("Idle share", (app, path) => Figure($"{path}.runners.idle_share", app.Runners?.IdleShare, FigureText.Share)),
            new("Peak runners", (app, path) => Figure($"{path}.runners.peak_running", app.Runners?.PeakRunning, FigureText.Count)),
            new("Limit", (app, path) => Figure($"{path}.runners.max_concurrency", app.Runners?.MaxConcurrency, FigureText.Count)),
            new("Peak runners / limit", (app, path) => Figure($"{path}.runners.peak_share", app.Runners?.PeakShare, FigureText.Share)),
            new("Cold boots", (app, path) => ComparedCount($"{path}.traffic.cold_boot_count", app.Traffic.ColdBootCount)),
            new("Cold boots / requests", (app, path) => ComparedShare($"{path}.traffic.cold_boot_rate", app.Traffic.ColdBootRate)));
    }

    private void Speed()
    {
        (EndpointFigures Endpoint, string Path)[] endpoints =
        [
            .. AllApps.SelectMany(app => app.App.Endpoints.Select((one, i) => (one, $"{app.Path}.{Path("endpoints", i)}"))),
        ];
        _html.Element(
            "p",
            "Percentiles over the whole period by endpoint. Half of the requests were faster than p50, 95 % were faster than p95. The " +
                $"endpoints with the highest p90 come first, and those with fewer than {LeastRequests} requests come last, because a " +
                "percentile of so few tells little. Percentiles of several endpoints cannot be combined, so the account has none.",
            ("class", "soft"));
        SpeedTable("Wait in the queue by endpoint", endpoints, one => one.Queue, "queue");
        SpeedTable("Execution by endpoint", endpoints, one => one.Execution, "execution");
    }

    private void SpeedTable(
        string caption, (EndpointFigures Endpoint, string Path)[] endpoints, Func<EndpointFigures, PercentileFigures> of, string name) =>
        Table(
            caption,
            endpoints.OrderByDescending(one => IsEnough(one.Endpoint)).ThenByDescending(one => of(one.Endpoint).P90.Value),
            new("Endpoint", (one, _) => Link(one.Endpoint)),
            new("Requests", (one, path) => ComparedCount($"{path}.request_count", one.RequestCount)),
            new("p50", (one, path) => ComparedSeconds($"{path}.{name}.p50", of(one).P50)),
            new("p90", (one, path) => ComparedSeconds($"{path}.{name}.p90", of(one).P90)),
            new("p95", (one, path) => ComparedSeconds($"{path}.{name}.p95", of(one).P95)),
            new("p99", (one, path) => ComparedSeconds($"{path}.{name}.p99", of(one).P99)));

    /// <summary>Whether an endpoint had so many requests that its percentiles can be compared with those of others.</summary>
    private static bool IsEnough(EndpointFigures endpoint) => endpoint.RequestCount.Value >= BucketsOf.LeastRequests;

    private static string LeastRequests => FigureText.Count(BucketsOf.LeastRequests);

    private void Worst()
    {
        _html.Element(
            "p",
            $"The longest waits are those of endpoints with at least {LeastRequests} requests in the {_bucket}.",
            ("class", "soft"));
        BucketTables(_account.WorstBuckets, "worst_buckets", _account.SlowestBuckets, "slowest_buckets", "App with the most of them");
    }

    private void BucketTables(
        IReadOnlyList<BucketFigures> worst, string worstPath, IReadOnlyList<BucketFigures> slowest, string slowestPath, string? worstColumn)
    {
        if (worst.Count > 0)
        {
            List<TableColumn<BucketFigures>> columns =
            [
                new("Begins, UTC", (bucket, _) => Begin(bucket)),
                new("Server errors", (bucket, path) => Figure($"{path}.error_count", bucket.ErrorCount, FigureText.Count)),
                new("Requests", (bucket, path) => Figure($"{path}.request_count", bucket.RequestCount, FigureText.Count)),
                new("Error share", (bucket, path) => Figure($"{path}.error_rate", bucket.ErrorRate, FigureText.Share)),
            ];
            if (worstColumn is not null)
            {
                columns.Add(new(worstColumn, (bucket, path) => OwnErrors(bucket, path), IsWord: true));
            }

            Table($"The {_bucket}s with the most server errors", worst.Select((bucket, i) => (bucket, Path(worstPath, i))), [.. columns]);
        }

        if (slowest.Count > 0)
        {
            Table(
                $"The {_bucket}s with the longest wait in the queue",
                slowest.Select((bucket, i) => (bucket, Path(slowestPath, i))),
                new("Begins, UTC", (bucket, _) => Begin(bucket)),
                new("Queue p90", (bucket, path) => Figure($"{path}.queue_p90", bucket.QueueP90, FigureText.Seconds)),
                new("Requests", (bucket, path) => Figure($"{path}.request_count", bucket.RequestCount, FigureText.Count)),
                new("Endpoint", (bucket, _) => Link(bucket.Endpoint), IsWord: true));
        }

        void OwnErrors(BucketFigures bucket, string path)
        {
            Link(bucket.Endpoint);
            _html.Open("small");
            Figure($"{path}.own_error_count", bucket.OwnErrorCount, FigureText.Count);
            _html.Text(" of its ");
            Figure($"{path}.own_request_count", bucket.OwnRequestCount, FigureText.Count);
            _html.Text(" requests failed, ");
            Figure($"{path}.own_error_rate", bucket.OwnErrorRate, FigureText.Share);
            _html.Close();
        }

        void Begin(BucketFigures bucket)
        {
            Time(bucket.Start);
            if (bucket.IsProvisional)
            {
                _html.Text(" ").Element("span", "provisional", ("class", "mark warn"));
            }
        }
    }

    private void Footer()
    {
        _html.Open("footer").Element("h2", "How to read this report").Open("ul", ("class", "points"));
        foreach (string line in (string[])
        [
            "All times are in UTC. The previous period has the same length and ends where this period begins.",
            "A server error is an answer with a status of 5xx. Only these count against the objective. Errors of the callers (4xx) do not.",
            "The error budget is the number of server errors that the objective allows for the requests in its window.",
            "A cold boot is a request that waited more than one second for a runner to start.",
            "The idle share is the time of idle runners, as a share of the time of running, idle and draining runners. An idle runner " +
                "hour is one runner that was up for an hour without a request.",
            "What idle time cost is an estimate: the cost times the idle share. The bill does not tell idle time apart.",
            $"The {_bucket}s with the most server errors are chosen by the number of errors and not by their share, so that a quiet " +
                $"{_bucket} with one failed request is not among them.",
            "The cost is what was charged, after discounts. It is divided by successful requests (2xx).",
        ])
        {
            _html.Element("li", line);
        }

        _html.Close();
        _html.Element("p", "Written by fal-obs report.", ("class", "soft")).CloseLine();
    }
}
