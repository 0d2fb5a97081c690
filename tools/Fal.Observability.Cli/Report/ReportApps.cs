namespace Fal.Observability.Cli.Report;

/// <summary>The part of the page that tells of one app after the other.</summary>
internal sealed partial class ReportPage
{
    private void Apps()
    {
        _html.Open("nav", ("aria-label", "Apps")).Open("ul");
        foreach (AppFigures app in _account.Apps)
        {
            _html.Open("li");
            Link(app.App);
            _html.Close();
        }

        _html.Close().CloseLine();
        foreach ((AppFigures app, string path) in AllApps)
        {
            App(app, path);
        }
    }

    private void App(AppFigures app, string path)
    {
        _html.Open("article", ("id", _anchors[app.App]), ("data-app", Shown(app.App)));
        _html.Element("h3", Shown(app.App));
        string[] words = [.. app.Environments, .. app.MachineTypes];
        if (words.Length > 0)
        {
            _html.Element("p", string.Join(" · ", words.Select(Shown)), ("class", "soft"));
        }

        _html.Open("p");
        RequestSentence(app, path);
        CostSentences(app, path);
        _html.CloseLine();
        bool hasRunners = app.Columns.Items.Any(column => column.RunningRunners + column.IdleRunners > 0);
        if (app.Traffic.RequestCount.Value is > 0)
        {
            _html.Element("p", ColumnWords(app.Columns), ("class", "soft"));
        }

        _html.Open("div", ("class", "plots"));
        if (app.Traffic.RequestCount.Value is > 0)
        {
            CountPlots(app.Columns, app.App);
            LatencyPlot(
                app, "Execution", column => column.ExecutionP50, column => column.ExecutionP90, column => column.ExecutionP99);
            LatencyPlot(app, "Wait in the queue", column => column.QueueP50, column => column.QueueP90, column => column.QueueP99);
        }

        if (hasRunners)
        {
            RunnerPlot(app.Columns, app.App);
        }

        _html.CloseLine();
        if (app.Endpoints.Count > 0)
        {
            PercentileTable(app, path);
        }

        if (app.SlowestBuckets.Count > 0)
        {
            _html.Element(
                "p",
                $"The list of the longest waits leaves out an endpoint's {_bucket}s with fewer than {LeastRequests} requests, because " +
                    "the p90 of so few tells little. The plots have all of them, and p99 too, so they can be higher.",
                ("class", "soft"));
        }

        BucketTables(app.WorstBuckets, $"{path}.worst_buckets", app.SlowestBuckets, $"{path}.slowest_buckets", null);
        _html.CloseLine();
    }

    private void RequestSentence(AppFigures app, string path)
    {
        if (app.Traffic.RequestCount.Value is not > 0)
        {
            _html.Text(app.Traffic.RequestCount.Before > 0
                ? $"No requests. In the previous period there were {FigureText.Count(app.Traffic.RequestCount.Before)}."
                : "No request.");
            return;
        }

        Figure($"{path}.traffic.request_count.value", app.Traffic.RequestCount.Value, FigureText.Count);
        _html.Text(" requests");
        ChangeOf(app.Traffic.RequestCount.Change);
        _html.Text(": ");
        Figure($"{path}.traffic.success_rate.value", app.Traffic.SuccessRate.Value, FigureText.Share);
        _html.Text(" succeeded, ");
        Figure($"{path}.traffic.user_error_rate.value", app.Traffic.UserErrorRate.Value, FigureText.Share);
        _html.Text(" were the caller's errors, ");
        Figure($"{path}.traffic.error_rate.value", app.Traffic.ErrorRate.Value, FigureText.Share);
        _html.Text(" server errors.");
        if (app.Availability is { ErrorBudgetConsumed: not null } slo)
        {
            _html.Text($" The objective of {FigureText.Target(slo.Target)} is ");
            Objective(slo);
            _html.Text(": ");
            Figure($"{path}.availability.error_budget_consumed", slo.ErrorBudgetConsumed, FigureText.Share);
            _html.Text($" of the error budget of the {Window(slo)} to ");
            Time(slo.AsOf);
            _html.Text(" UTC is used.");
        }
    }

    private void CostSentences(AppFigures app, string path)
    {
        for (int i = 0; i < app.Costs.Count; i++)
        {
            CostFigures cost = app.Costs[i];
            _html.Text(" It cost ");
            Money($"{path}.{Path("costs", i)}.cost", cost.Cost, cost.Currency);
            ChangeOf((double?)cost.Change);
            if (app.Costs.Count > 1 && cost.Environment is { } environment)
            {
                _html.Text($" in {Shown(environment)}");
            }

            if (cost.CostPerThousandSuccesses is { } perThousand)
            {
                _html.Text(", ");
                Figure($"{path}.{Path("costs", i)}.cost_per_thousand_successes", perThousand, Price(cost.Currency));
                _html.Text(" for 1,000 successes");
            }

            _html.Text(".");
        }

        if (_account.Bill is not null && app.Costs.Count == 0)
        {
            _html.Text(" Its cost is not known, because no line of the bill names it in its environment.");
            foreach (UnattributedFigures line in _account.Bill.Unattributed.Where(line => line.ProbableApp == app.App))
            {
                _html.Text($" The line {BilledName(line)}, {FigureText.Money(line.Cost, line.Currency)}, is probably its cost.");
            }
        }

        if (app.Runners?.Hours is { Idle: 0 })
        {
            _html.Text(" Its runners were never idle.");
        }
        else if (app.Runners is { IdleShare: { } idle, Hours: { } hours })
        {
            _html.Text(" Its runners were idle for ");
            Figure($"{path}.runners.hours.idle", hours.Idle, FigureText.Hours);
            _html.Text(", ");
            Figure($"{path}.runners.idle_share", idle, FigureText.Share);
            _html.Text(" of their paid time");
            for (int i = 0; i < app.Costs.Count; i++)
            {
                if (app.Costs[i].IdleCost is { } idleCost)
                {
                    _html.Text(", which cost about ");
                    Money($"{path}.{Path("costs", i)}.idle_cost", idleCost, app.Costs[i].Currency);
                }
            }

            _html.Text(".");
        }
    }

    private void ChangeOf(double? change)
    {
        if (FigureText.Change(change) is { } text)
        {
            _html.Text($" ({text})");
        }
    }

    private void PercentileTable(AppFigures app, string path)
    {
        ((string Endpoint, string What, PercentileFigures Percentiles) Item, string Path)[] rows =
        [
            .. app.Endpoints.SelectMany((one, i) => (((string, string, PercentileFigures), string)[])
            [
                ((one.Endpoint, "wait in the queue", one.Queue), $"{path}.{Path("endpoints", i)}.queue"),
                ((one.Endpoint, "execution", one.Execution), $"{path}.{Path("endpoints", i)}.execution"),
                ((one.Endpoint, "cold boot", one.ColdBoot), $"{path}.{Path("endpoints", i)}.cold_boot"),
            ]),
        ];
        Table(
            "Percentiles by endpoint, with those of the previous period",
            rows,
            new("Endpoint", (row, _) =>
            {
                Name(row.Endpoint);
                Small(row.What);
            }),
            new("p50", (row, path) => ComparedSeconds($"{path}.p50", row.Percentiles.P50)),
            new("p75", (row, path) => ComparedSeconds($"{path}.p75", row.Percentiles.P75)),
            new("p90", (row, path) => ComparedSeconds($"{path}.p90", row.Percentiles.P90)),
            new("p95", (row, path) => ComparedSeconds($"{path}.p95", row.Percentiles.P95)),
            new("p99", (row, path) => ComparedSeconds($"{path}.p99", row.Percentiles.P99)));
    }
}
