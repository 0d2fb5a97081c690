namespace Fal.Observability.Cli.Report;

/// <summary>What the first screen says below the figures: what stands out.</summary>
internal sealed partial class ReportPage
{
    /// <summary>By how much more of the requests must fail than in the period before, as a share, to stand out.</summary>
    private const double NotableGrowth = 0.1;

    private void Points()
    {
        _html.Element("h2", "What stands out").Open("ul", ("class", "points"));
        bool any = false;
        if (Missed is { Length: > 0 } missed)
        {
            Point();
            _html.Text($"{FigureText.Count(missed.Length)} of {FigureText.Count(_account.Apps.Count)} apps " +
                $"{(missed.Length == 1 ? "misses" : "miss")} the objective. Those that used most of their error budget: ");
            Links(missed.Select(app => app.App));
            _html.Text(".").Close();
        }

        ErrorGrowth(Point);
        BurnAlerts(Point);

        if (_account.Availability is { ShortBurnRate: { } shortBurn, LongBurnRate: { } longBurn })
        {
            Point();
            _html.Text("The error budget of all apps together burns at ");
            Figure("availability.short_burn_rate", shortBurn, FigureText.Number);
            _html.Text(" times the sustainable rate in the last hour of the period and at ");
            Figure("availability.long_burn_rate", longBurn, FigureText.Number);
            _html.Text(" times in the last six hours.");
            bool isDue = shortBurn >= ShortBurnLimit || longBurn >= LongBurnLimit || BurnAlerts().Length > 0;
            _html.Text(isDue ? "" : " No alert is due, neither for all apps together nor for a single app.").Close();
        }

        if (_account.WorstBuckets is [var worst, ..])
        {
            Point();
            _html.Text($"The {_bucket} with the most server errors began ");
            Time(worst.Start);
            _html.Text(" UTC: ");
            Figure("worst_buckets[0].error_count", worst.ErrorCount, FigureText.Count);
            _html.Text(" of ");
            Figure("worst_buckets[0].request_count", worst.RequestCount, FigureText.Count);
            _html.Text($" requests failed ({FigureText.Share(worst.ErrorRate)}). Most of them, ");
            Figure("worst_buckets[0].own_error_count", worst.OwnErrorCount, FigureText.Count);
            _html.Text(", were in ");
            Link(worst.Endpoint);
            _html.Text(", where ");
            Figure("worst_buckets[0].own_error_rate", worst.OwnErrorRate, FigureText.Share);
            _html.Text(" of its own requests failed.").Close();
        }

        if (_account.Apps.Where(app => app.Traffic is { ErrorCount.Value: > 0, RequestCount.Value: >= BucketsOf.LeastRequests })
            .MaxBy(app => app.Traffic.ErrorRate.Value) is { } failing)
        {
            Point();
            _html.Text("The app with the largest share of server errors is ");
            Link(failing.App);
            _html.Text($": {FigureText.Share(failing.Traffic.ErrorRate.Value)} of ")
                .Text($"{FigureText.Count(failing.Traffic.RequestCount.Value)} requests failed")
                .Text(failing.Traffic.ErrorRate.Before is { } before ? $" (before: {FigureText.Share(before)})." : ".").Close();
        }

        if (Slowest(one => one.Queue) is { } waiting)
        {
            Point();
            Slow(waiting, waiting.Queue, "has the longest wait in the queue", "waited", " before it ran");
        }

        if (Slowest(one => one.Execution) is { } slowest)
        {
            Point();
            Slow(slowest, slowest.Execution, "has the slowest execution", "took", "");
        }

        var costs = _account.Apps
            .SelectMany(app => app.Costs, (app, cost) => (app.App, Cost: cost, Requests: app.Traffic.RequestCount.Value))
            .ToArray();
        foreach (var currency in costs.GroupBy(cost => cost.Cost.Currency, StringComparer.Ordinal))
        {
            var (app, dearest, _) = currency.MaxBy(cost => cost.Cost.Cost);
            Point();
            UnattributedFigures? higher = _account.Bill?.Unattributed
                .Where(rest => rest.Currency == dearest.Currency && rest.Cost > dearest.Cost)
                .MaxBy(rest => rest.Cost);
            _html.Text(higher is not null ? "Of the apps whose cost is known, the most expensive is " : "The most expensive app is ");
            Link(app);
            _html.Text($": {FigureText.Money(dearest.Cost, dearest.Currency)}.");
            if (higher is not null)
            {
                _html.Text(
                    $" A line of the bill that belongs to no listed app is higher: {BilledNameAndApp(higher)}, " +
                        $"{FigureText.Money(higher.Cost, higher.Currency)}.");
            }

            if (currency.Where(cost => cost.Cost.CostPerThousandSuccesses is not null && cost.Requests >= BucketsOf.LeastRequests)
                .DefaultIfEmpty().MaxBy(cost => cost.Cost?.CostPerThousandSuccesses) is
                { App: { } name } perSuccess)
            {
                _html.Text(" The app with the highest cost per success is ");
                Link(name);
                string price = FigureText.Price(perSuccess.Cost.CostPerThousandSuccesses, perSuccess.Cost.Currency);
                _html.Text($": {price} for 1,000 successes.");
            }

            _html.Close();
        }

        if (_account.Apps.Where(app => app.Runners?.IdleShare > 0).MaxBy(app => app.Runners!.IdleShare) is { } idle)
        {
            Point();
            _html.Text("The app with the highest idle share is ");
            Link(idle.App);
            _html.Text($": its runners had no request for {FigureText.Share(idle.Runners!.IdleShare)} of their paid time");
            _html.Text(IdleCost(idle) is { } cost ? $", which cost about {cost}." : ". What that cost is not known.").Close();
        }

        if (_account.Traffic.ColdBootCount.Value is > 0)
        {
            Point();
            Figure("traffic.cold_boot_count.value", _account.Traffic.ColdBootCount.Value, FigureText.Count);
            _html.Text(" requests, ");
            Figure("traffic.cold_boot_rate.value", _account.Traffic.ColdBootRate.Value, FigureText.Share);
            _html.Text(_account.Traffic.ColdBootRate.Before is { } coldBefore
                ? $" of all, waited for a cold boot (before: {FigureText.Share(coldBefore)})."
                : " of all, waited for a cold boot.").Close();
        }

        if (!any)
        {
            Point();
            _html.Text("Nothing: there was neither a failed request nor a cost.").Close();
        }

        _html.CloseLine();

        void Point()
        {
            any = true;
            _html.Open("li");
        }

        EndpointFigures? Slowest(Func<EndpointFigures, PercentileFigures> of) => _account.Apps.SelectMany(app => app.Endpoints)
            .Where(one => IsEnough(one) && of(one).P90.Value > 0)
            .MaxBy(one => of(one).P90.Value);

        void Slow(EndpointFigures endpoint, PercentileFigures times, string what, string verb, string end)
        {
            Link(endpoint.Endpoint);
            _html.Text($" {what} of the endpoints with at least {LeastRequests} requests: one request in ten {verb} more than ")
                .Text($"{FigureText.Seconds(times.P90.Value)}{end} (p90)")
                .Text(times.P95.Value is { } p95 ? $", and one in twenty more than {FigureText.Seconds(p95)} (p95)." : ".").Close();
        }
    }

    /// <summary>Says whether server errors per request grew, for all apps together and for the app where they grew most.</summary>
    private void ErrorGrowth(Action point)
    {
        Compared all = _account.Traffic.ErrorRate;
        if (HasGrown(all))
        {
            point();
            _html.Text($"Server errors per request have grown ({Growth(all)}): of all requests, ");
            Rates("traffic.error_rate", all);
            _html.Text(".").Close();
        }

        // By the difference, because a small app can go from one failed request to three. A single app has been told above.
        if (AllApps.Where(app => _account.Apps.Count > 1 && HasGrown(app.App.Traffic.ErrorRate)
                && app.App.Traffic.RequestCount is { Value: >= BucketsOf.LeastRequests, Before: >= BucketsOf.LeastRequests })
            .OrderByDescending(app => app.App.Traffic.ErrorRate.Value - app.App.Traffic.ErrorRate.Before)
            .Select(app => (app.App.App, app.App.Traffic.ErrorRate, app.Path)).FirstOrDefault() is { App: { } name } most)
        {
            point();
            _html.Text("The share of server errors has grown most in ");
            Link(name);
            _html.Text($" ({Growth(most.ErrorRate)}): of its requests, ");
            Rates($"{most.Path}.traffic.error_rate", most.ErrorRate);
            _html.Text(".").Close();
        }

        static bool HasGrown(Compared rate) => rate.Value > rate.Before * (1 + NotableGrowth);

        void Rates(string path, Compared rate)
        {
            Figure($"{path}.value", rate.Value, FigureText.Share);
            _html.Text(" failed, and ");
            Figure($"{path}.before", rate.Before, FigureText.Share);
            _html.Text(" in the previous period");
        }
    }

    /// <summary>Names the apps whose error budget burns so fast that an alert is due, with the rate and the window of it.</summary>
    private void BurnAlerts(Action point)
    {
        (string App, double Rate, double Limit, string Window)[] alerts = BurnAlerts();
        foreach ((string app, double rate, double limit, string window) in alerts.Take(NamesInSentence))
        {
            point();
            Link(app);
            _html.Text($" burns its error budget too fast: {FigureText.Number(rate)} times the sustainable rate in the last {window} ")
                .Text($"of the period. An alert is due at {FigureText.Number(limit)}.").Close();
        }

        if (alerts.Length > NamesInSentence)
        {
            point();
            int more = alerts.Length - NamesInSentence;
            _html.Text(more == 1
                ? "1 more app burns its error budget too fast: "
                : $"{FigureText.Count(more)} more apps burn their error budgets too fast: ");
            for (int i = NamesInSentence; i < alerts.Length; i++)
            {
                _html.Text(i == NamesInSentence ? "" : ", ");
                Link(alerts[i].App);
                _html.Text($" ({FigureText.Number(alerts[i].Rate)} in the last {alerts[i].Window})");
            }

            _html.Text(".").Close();
        }
    }

    private (string App, double Rate, double Limit, string Window)[] BurnAlerts() =>
    [
        .. _account.Apps.Select(app => app.Availability switch
        {
            { ShortBurnRate: >= ShortBurnLimit and var rate } => (app.App, Rate: rate, Limit: ShortBurnLimit, Window: "hour"),
            { LongBurnRate: >= LongBurnLimit and var rate } => (app.App, Rate: rate, Limit: LongBurnLimit, Window: "six hours"),
            _ => (app.App, Rate: 0, Limit: 0, Window: ""),
        })
            .Where(alert => alert.Limit > 0)
            .OrderByDescending(alert => alert.Rate / alert.Limit)
            .ThenBy(alert => alert.App, StringComparer.Ordinal),
    ];

    /// <summary>What the idle time of an app cost, in each currency; null: it is not known.</summary>
    private static string? IdleCost(AppFigures app)
    {
        string[] amounts =
        [
            .. app.Costs.Where(cost => cost.IdleCost is not null).Select(cost => FigureText.Money(cost.IdleCost, cost.Currency)),
        ];
        return amounts.Length == 0 ? null : string.Join(" and ", amounts);
    }

    private static bool IdlesAtUnknownCost(AppFigures app) => app.Runners?.Hours?.Idle > 0 && app.Costs.Count == 0;
}
