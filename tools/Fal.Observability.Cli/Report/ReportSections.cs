namespace Fal.Observability.Cli.Report;

/// <summary>The tables of all apps, below the first screen.</summary>
internal sealed partial class ReportPage
{
    /// <summary>A column of a table.</summary>
    /// <param name="Header">Its title.</param>
    /// <param name="Cell">Writes a cell, of an item and its place in the JSON.</param>
    /// <param name="IsWord">Whether the cells are words, which begin at the left, and not numbers.</param>
    private sealed record TableColumn<T>(string Header, Action<T, string> Cell, bool IsWord = false);

    private (AppFigures App, string Path)[] AllApps => [.. _account.Apps.Select((app, i) => (app, Path("apps", i)))];

    private void Reliability()
    {
        if (_account.Apps.Count == 0)
        {
            return;
        }

        _html.Open("section", ("aria-labelledby", "reliability")).Element("h2", "Reliability", ("id", "reliability"));
        _html.Element(
            "p",
            "The apps that have used most of their error budget come first. At a burn rate of 1, the budget lasts exactly for the window of " +
                $"the objective. An alert is due at {FigureText.Number(ShortBurnLimit)} over the last hour or at " +
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
            new("Burn rate, 1 h", (app, path) =>
                BurnRate($"{path}.availability.short_burn_rate", app.Availability?.ShortBurnRate, ShortBurnLimit)),
            new("Burn rate, 6 h", (app, path) =>
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
        _html.CloseLine();
    }

    private void Runners()
    {
        if (_account.Apps.Count == 0)
        {
            return;
        }

        _html.Open("section", ("aria-labelledby", "runners")).Element("h2", "Runners and cold boots", ("id", "runners"));
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
                Figure($"{path}.runners.hours.idle", app.Runners?.Hours?.Idle, FigureText.RunnerHours)),
            new("Paid runner hours", (app, path) =>
                Figure($"{path}.runners.hours.paid", app.Runners?.Hours?.Paid, FigureText.RunnerHours)),
            new("Idle share", (app, path) => Figure($"{path}.runners.idle_share", app.Runners?.IdleShare, FigureText.Share)),
            new("Peak runners", (app, path) => Figure($"{path}.runners.peak_running", app.Runners?.PeakRunning, FigureText.Number)),
            new("Limit", (app, path) => Figure($"{path}.runners.max_concurrency", app.Runners?.MaxConcurrency, FigureText.Number)),
            new("Peak runners / limit", (app, path) => Figure($"{path}.runners.peak_share", app.Runners?.PeakShare, FigureText.Share)),
            new("Cold boots", (app, path) => ComparedCount($"{path}.traffic.cold_boot_count", app.Traffic.ColdBootCount)),
            new("Cold boots / requests", (app, path) => ComparedShare($"{path}.traffic.cold_boot_rate", app.Traffic.ColdBootRate)));
        _html.CloseLine();
    }

    private void Speed()
    {
        (EndpointFigures Endpoint, string Path)[] endpoints =
        [
            .. AllApps.SelectMany(app => app.App.Endpoints.Select((one, i) => (one, $"{app.Path}.{Path("endpoints", i)}"))),
        ];
        if (endpoints.Length == 0)
        {
            return;
        }

        _html.Open("section", ("aria-labelledby", "speed")).Element("h2", "Speed", ("id", "speed"));
        _html.Element(
            "p",
            "Percentiles over the whole period by endpoint, those with the longest wait first. Half of the requests were faster than " +
                "p50, and 99 % were faster than p99. Percentiles of several endpoints cannot be combined, so the account has none.",
            ("class", "soft"));
        Table(
            "Wait in the queue and execution by endpoint",
            endpoints.OrderByDescending(one => one.Endpoint.Queue.P90.Value),
            new("Endpoint", (one, _) => Link(one.Endpoint)),
            new("Requests", (one, path) => ComparedCount($"{path}.request_count", one.RequestCount)),
            new("Queue p50", (one, path) => Seconds($"{path}.queue.p50", one.Queue.P50)),
            new("Queue p90", (one, path) => ComparedSeconds($"{path}.queue.p90", one.Queue.P90)),
            new("Queue p99", (one, path) => Seconds($"{path}.queue.p99", one.Queue.P99)),
            new("Execution p50", (one, path) => Seconds($"{path}.execution.p50", one.Execution.P50)),
            new("Execution p90", (one, path) => ComparedSeconds($"{path}.execution.p90", one.Execution.P90)),
            new("Execution p99", (one, path) => Seconds($"{path}.execution.p99", one.Execution.P99)));
        _html.CloseLine();
    }

    private void Cost()
    {
        _html.Open("section", ("aria-labelledby", "cost")).Element("h2", "Cost", ("id", "cost"));
        if (_account.Bill is not { } bill)
        {
            _html.Element("p", "The cost is not known, because the service refuses the usage of the account to this key.").CloseLine();
            return;
        }

        AppFigures[] withoutCost = [.. _account.Apps.Where(app => app.Costs.Count == 0)];
        ((string App, string? Environment, CostFigures? Cost) Item, string Path)[] costs =
        [
            .. bill.Totals.Select((total, i) => (
                (bill.IncludesOtherApps ? "Apps of this report" : "The whole bill", total.Environment, (CostFigures?)total),
                Path("bill.totals", i))),
            .. AllApps.SelectMany(app => app.App.Costs.Select((cost, i) =>
                    ((app.App.App, cost.Environment, Cost: (CostFigures?)cost), $"{app.Path}.{Path("costs", i)}")))
                .OrderBy(row => row.Item1.Cost!.Currency, StringComparer.Ordinal)
                .ThenByDescending(row => row.Item1.Cost!.Cost),
            .. withoutCost.Select(app => (
                (app.App, app.Environments.Count == 1 ? app.Environments[0] : null, (CostFigures?)null), "")),
        ];
        _html.Element(
            "p",
            "Idle time is an estimate: the cost of the app times its idle share. The total is that of the apps for which both are known.",
            ("class", "soft"));
        Table(
            "Cost by app",
            costs,
            new("App", (row, _) => Link(row.App)),
            new("Environment", (row, _) => Environment(row.Environment), IsWord: true),
            new("Cost", (row, path) => ComparedMoney($"{path}.cost", row.Cost?.Cost, row.Cost?.CostBefore, row.Cost)),
            new("Change", (row, _) => _html.Text(FigureText.Change((double?)row.Cost?.Change) ?? FigureText.Unknown)),
            new("Cost of 1,000 successes", (row, path) => ComparedMoney(
                $"{path}.cost_per_thousand_successes",
                row.Cost?.CostPerThousandSuccesses,
                row.Cost?.CostPerThousandSuccessesBefore,
                row.Cost)),
            new("Cost of idle time", (row, path) => Money($"{path}.idle_cost", row.Cost?.IdleCost, row.Cost)),
            new("Machine time", (row, path) => Hours($"{path}.machine_seconds", row.Cost?.MachineSeconds)));
        if (withoutCost.Length > 0)
        {
            _html.Element("p", NoOwnCost(withoutCost.Length, bill), ("class", "soft"));
        }

        if (bill.Unattributed.Count > 0)
        {
            _html.Element(
                "p",
                "Unattributed: no listed app has exactly the name and environment of these lines of the bill. Name the " +
                    "environment with --environments to list its apps too.",
                ("class", "soft"));
            Table(
                "Unattributed cost",
                bill.Unattributed.Select((rest, i) => (rest, Path("bill.unattributed", i))),
                new("Name on the bill", (rest, _) => _html.Text(rest.App is null ? "no app" : Shown(rest.App))),
                new("Environment", (rest, _) => Environment(rest.Environment), IsWord: true),
                new("Cost", (rest, path) => Money($"{path}.cost", rest.Cost, rest.Currency)));
        }

        if (bill.MachineTypes.Count > 0)
        {
            Table(
                bill.IncludesOtherApps ? "Cost of the whole account by machine type" : "Cost by machine type",
                bill.MachineTypes.Select((machine, i) => (machine, Path("bill.machine_types", i))),
                new("Machine type", (machine, _) => _html.Text(machine.MachineType is null ? "not named" : Shown(machine.MachineType))),
                new("Cost", (machine, path) => Money($"{path}.cost", machine.Cost, machine.Currency)),
                new("Machine time", (machine, path) => Hours($"{path}.machine_seconds", machine.MachineSeconds)));
        }

        _html.CloseLine();
    }

    private static string NoOwnCost(int apps, BillFigures bill)
    {
        string subject = apps == 1
            ? $"1 app has a dash ({FigureText.Unknown}) because no line of the bill has exactly its name and environment"
            : $"{FigureText.Count(apps)} apps have a dash ({FigureText.Unknown}) because no line of the bill has exactly their name and environment";
        return bill.Unattributed.Count > 0
            ? $"{subject}: see Unattributed cost."
            : $"{subject}.";
    }

    private void Worst()
    {
        if (_account.WorstBuckets.Count == 0 && _account.SlowestBuckets.Count == 0)
        {
            return;
        }

        _html.Open("section", ("aria-labelledby", "worst"))
            .Element("h2", $"The {_bucket}s with the most server errors and the longest waits", ("id", "worst"));
        BucketTables(_account.WorstBuckets, "worst_buckets", _account.SlowestBuckets, "slowest_buckets", "App with the most of them");
        _html.CloseLine();
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
                columns.Add(new(worstColumn, (bucket, _) => Link(bucket.Endpoint), IsWord: true));
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

        void Begin(BucketFigures bucket)
        {
            Time(bucket.Start);
            if (bucket.IsProvisional)
            {
                _html.Text(" ").Element("span", "provisional", ("class", "mark warn"));
            }
        }
    }

    private void Environment(string? name) => _html.Text(name is null ? FigureText.Unknown : Shown(name));

    private void Objective(AvailabilityFigures? slo)
    {
        (string kind, string word) = slo?.IsMet switch
        {
            true => ("mark good", "met"),
            false => ("mark bad", "missed"),
            null => ("soft", "no data"),
        };
        _html.Element("span", word, ("class", kind));
    }

    private void ComparedCount(string path, Compared figure)
    {
        Figure($"{path}.value", figure.Value, FigureText.Count);
        Small(FigureText.Change(figure.Change) ?? (figure is { Before: 0, Value: > 0 } ? "none before" : null));
    }

    private void ComparedShare(string path, Compared figure)
    {
        Figure($"{path}.value", figure.Value, FigureText.Share);
        Small(figure.Before is { } before ? $"before {FigureText.Share(before)}" : null);
    }

    private void ComparedSeconds(string path, Compared figure)
    {
        Seconds(path, figure);
        Small(figure.Before is { } before ? $"before {FigureText.Seconds(before)}" : null);
    }

    private void ComparedMoney(string path, decimal? value, decimal? before, CostFigures? cost)
    {
        Money(path, value, cost);
        if (before is not null)
        {
            _html.Open("small").Text("before ");
            Money($"{path}_before", before, cost);
            _html.Close();
        }
    }

    /// <summary>An amount; a dash where the app has no cost of its own.</summary>
    private void Money(string path, decimal? value, CostFigures? cost) => Money(path, value, cost?.Currency ?? "");

    private void BurnRate(string path, double? rate, double limit)
    {
        bool isAlert = rate >= limit;
        _html.Open("span", ("class", isAlert ? "mark bad" : null));
        Figure(path, rate, FigureText.Number);
        _html.Close();
        Small(isAlert ? "too fast" : null);
    }

    private void Seconds(string path, Compared figure) => Figure($"{path}.value", figure.Value, FigureText.Seconds);

    private void Hours(string path, decimal? seconds)
    {
        if (seconds is not { } known)
        {
            _html.Text(FigureText.Unknown);
            return;
        }

        _html.Element(
            "data",
            FigureText.Hours(known),
            ("value", FigureText.Machine(known)),
            ("data-figure", path));
    }

    private void Small(string? text)
    {
        if (text is not null)
        {
            _html.Element("small", text);
        }
    }

    private void Table<T>(string caption, IEnumerable<(T Item, string Path)> rows, params TableColumn<T>[] columns)
    {
        // What scrolls needs a name, and a way to reach it with the keyboard. A region would be one of hundreds of landmarks.
        _html.Open("div", ("class", "scroll"), ("role", "group"), ("tabindex", "0"), ("aria-label", caption));
        _html.Open("table").Element("caption", caption).Open("thead").Open("tr");
        foreach (TableColumn<T> column in columns)
        {
            _html.Element("th", column.Header, ("scope", "col"), ("class", column.IsWord ? "word" : null));
        }

        _html.Close().Close().Open("tbody");
        foreach ((T item, string path) in rows)
        {
            _html.Open("tr");
            for (int i = 0; i < columns.Length; i++)
            {
                if (i == 0)
                {
                    _html.Open("th", ("scope", "row"));
                }
                else
                {
                    _html.Open("td", ("class", columns[i].IsWord ? "word" : null));
                }

                columns[i].Cell(item, path);
                _html.Close();
            }

            _html.CloseLine();
        }

        _html.Close().Close().CloseLine();
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
