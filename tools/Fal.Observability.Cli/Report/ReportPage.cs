using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Fal.Observability.Cli.Report;

/// <summary>
/// The report as one HTML file: without scripts, and without anything that it would have to fetch. Each figure is a <c>data</c> element
/// with the value as the JSON has it, and with the name that it has there.
/// </summary>
internal sealed partial class ReportPage
{
    /// <summary>How many names a sentence lists before it says how many more there are.</summary>
    private const int NamesInSentence = 3;

    /// <summary>The burn rates over one hour and six hours from which on an alert is due, as in the rules of observability/.</summary>
    private const double ShortBurnLimit = 14.4;
    private const double LongBurnLimit = 6;

    private readonly AccountFigures _account;
    private readonly HtmlWriter _html;

    /// <summary>The place of each app on the page, which its anchor has as its name.</summary>
    private readonly Dictionary<string, string> _anchors;

    private readonly string _bucket;

    private ReportPage(AccountFigures account, TextWriter output)
    {
        _account = account;
        _html = new HtmlWriter(output);
        _anchors = account.Apps.Select((app, i) => (app.App, Anchor: string.Create(CultureInfo.InvariantCulture, $"app-{i + 1}")))
            .ToDictionary(app => app.App, app => app.Anchor, StringComparer.Ordinal);
        _bucket = account.Period.Timeframe;
    }

    /// <summary>Writes the page.</summary>
    public static void Write(AccountFigures account, TextWriter output) => new ReportPage(account, output).Write();

    private static string Style()
    {
        using Stream css = typeof(ReportPage).Assembly.GetManifestResourceStream("report.css")!;
        using var reader = new StreamReader(css, Encoding.UTF8);
        return reader.ReadToEnd().ReplaceLineEndings("\n");
    }

    private void Write()
    {
        string style = Style();
        string hash = Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(style)));
        _html.Verbatim("<!DOCTYPE html>\n").Open("html", ("lang", "en")).Open("head");
        _html.Empty("meta", ("charset", "utf-8"));
        _html.Empty(
            "meta",
            ("http-equiv", "Content-Security-Policy"),
            ("content", $"default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'"));
        _html.Empty("meta", ("name", "viewport"), ("content", "width=device-width, initial-scale=1"));
        _html.Empty("meta", ("name", "referrer"), ("content", "no-referrer"));
        _html.Element("title", Title());
        _html.Open("style").Verbatim(style).Close().CloseLine();
        _html.Open("body");
        Header();
        _html.Open("main");
        FirstScreen();
        Course();
        Reliability();
        Runners();
        Speed();
        Cost();
        Worst();
        Apps();
        _html.CloseLine();
        Footer();
        _html.Close().CloseLine();
    }

    private string Title() =>
        $"{(_account.IsSimulated ? "Simulated: " : "")}fal report, {Days()}";

    // The end is exclusive: a report until midnight is about the day before.
    private DateTimeOffset LastInstant => _account.Period.End.AddTicks(-1);

    private string Days()
    {
        (DateTimeOffset first, DateTimeOffset last) = (_account.Period.Start, LastInstant);
        string end = FigureText.Day(last);
        return first.Date == last.Date ? end
            : first.Year == last.Year ? $"{FigureText.DayOfYear(first)} to {end}"
            : $"{FigureText.Day(first)} to {end}";
    }

    private void Header()
    {
        _html.Open("header");
        if (_account.IsSimulated)
        {
            _html.Element(
                "p",
                "SIMULATED DATA: no key was set, so every figure comes from the built-in simulator.",
                ("class", "banner"));
        }

        string apps = _account.Apps.Count == 1 ? Shown(_account.Apps[0].App) : $"{FigureText.Count(_account.Apps.Count)} apps";
        _html.Element("h1", $"How {apps} did, {Days()}");
        _html.Open("p", ("class", "soft")).Text("From ");
        Time(_account.Period.Start);
        _html.Text(" to ");
        Time(_account.Period.End);
        _html.Text(" UTC, compared with the same length of time before. Written ");
        Time(_account.CreatedAt);
        _html.Text(" UTC.").Close();
        _html.CloseLine();
    }

    private void FirstScreen()
    {
        _html.Open("section", ("aria-label", "Summary"));
        Verdict();
        _html.Open("dl", ("class", "cards"));
        TrafficFigures traffic = _account.Traffic;
        Card("Requests", () => Figure("traffic.request_count.value", traffic.RequestCount.Value, FigureText.BigCount), () =>
            _html.Text($"in the whole period; {Than(traffic.RequestCount, FigureText.BigCount)}"));
        Card("Without a server error", () => Figure("traffic.error_free_rate.value", traffic.ErrorFreeRate.Value, FigureText.Share), () =>
        {
            Figure("traffic.error_count.value", traffic.ErrorCount.Value, FigureText.Count);
            _html.Text(" failed (5xx) in the whole period");
            if (traffic.ErrorFreeRate.Before is { } before)
            {
                _html.Text($"; before: {FigureText.Share(before)}");
            }
        });
        double? used = _account.Availability?.ErrorBudgetConsumed;
        Card("Error budget used", () => Figure("availability.error_budget_consumed", used, FigureText.Share), () =>
            _html.Text(_account.Availability is { } slo
                ? $"of the failures allowed by {FigureText.Target(slo.Target)} over {FigureText.Number(slo.WindowDays)} days"
                : $"not known: no {_bucket} has ended yet"));
        CostCards();
        Card("Paid runner time idle", () => Figure("idle_share", _account.IdleShare, FigureText.Share), () =>
        {
            if (_account.RunnerHours is not { } hours)
            {
                _html.Text("not known");
                return;
            }

            Figure("runner_hours.idle", hours.Idle, FigureText.RunnerHours);
            _html.Text(" of ");
            Figure("runner_hours.paid", hours.Paid, FigureText.RunnerHours);
            _html.Text(" of runners were without a request");
            for (int i = 0; i < (_account.Bill?.Totals.Count ?? 0); i++)
            {
                CostFigures total = _account.Bill!.Totals[i];
                if (total.IdleCost is { } idleCost)
                {
                    _html.Text(i > 0 ? " and " : _account.Apps.Any(IdlesAtUnknownCost) ? " and cost at least " : " and cost about ");
                    Money($"{Path("bill.totals", i)}.idle_cost", idleCost, total.Currency);
                }
            }
        });
        _html.CloseLine();
        Points();
        Gaps();
        _html.CloseLine();
    }

    private void Verdict()
    {
        AvailabilityFigures? slo = _account.Availability;
        (string kind, string word) = slo?.IsMet switch
        {
            true => ("good", "The objective is met."),
            false => ("bad", "The objective is missed."),
            null => ("unknown", _account.Traffic.RequestCount.Value > 0 ? "The objective cannot be judged." : "There were no requests."),
        };
        _html.Open("p", ("class", $"verdict {kind}")).Element("strong", word);
        if (slo is { RequestCount: > 0 })
        {
            _html.Text(" ");
            Figure("availability.error_free_rate", slo.ErrorFreeRate, FigureText.Share);
            _html.Text(" of ");
            Figure("availability.request_count", slo.RequestCount, FigureText.Count);
            _html.Text($" requests in the completed {_bucket}s of the {FigureText.Number(slo.WindowDays)} days to ");
            Time(slo.AsOf);
            _html.Text(" UTC ended without a server error (");
            Figure("availability.error_count", slo.ErrorCount, FigureText.Count);
            _html.Text(" failed). The objective is ");
            Figure("availability.target", slo.Target, target => FigureText.Target(target!.Value));
            _html.Text(".");
            if (slo.Coverage < 0.995)
            {
                _html.Text(" The report covers ");
                Figure("availability.coverage", slo.Coverage, FigureText.Share);
                _html.Text(" of these days.");
            }
        }

        _html.CloseLine();
    }

    private void CostCards()
    {
        if (_account.Bill is not { } bill)
        {
            Card("Cost", () => _html.Text("not known"), () => _html.Text("this key may not read the usage"));
            return;
        }

        if (bill.Totals.Count == 0)
        {
            Card("Cost", () => _html.Text("none"), () => _html.Text("the bill has no lines"));
        }

        for (int i = 0; i < bill.Totals.Count; i++)
        {
            CostFigures total = bill.Totals[i];
            string path = Path("bill.totals", i);
            decimal unattributed = bill.IncludesOtherApps
                ? 0
                : bill.Unattributed.Where(rest => rest.Currency == total.Currency).Sum(rest => rest.Cost);
            Card("Cost", () => Money($"{path}.cost", total.Cost, total.Currency), () => _html.Text(string.Join("; ", new[]
            {
                FigureText.Change((double?)total.Change),
                total.CostBefore is { } before ? $"before: {FigureText.Money(before, total.Currency)}" : "the previous cost is not known",
                unattributed == 0 ? null : $"{FigureText.Money(unattributed, total.Currency)} of it belongs to no listed app",
            }.OfType<string>())));
            Card(
                "Cost of 1,000 successes",
                () => Money($"{path}.cost_per_thousand_successes", total.CostPerThousandSuccesses, total.Currency),
                () => _html.Text(total.CostPerThousandSuccessesBefore is { } before
                    ? $"before: {FigureText.Money(before, total.Currency)}"
                    : "the cost before is not known"));
        }
    }

    private void Points()
    {
        _html.Element("h2", "What stands out").Open("ul", ("class", "points"));
        bool any = false;
        AppFigures[] missed =
        [
            .. _account.Apps.Where(app => app.Availability?.IsMet == false).OrderByDescending(app => app.Availability!.ErrorBudgetConsumed),
        ];
        if (missed.Length > 0)
        {
            Point();
            _html.Text($"{FigureText.Count(missed.Length)} of {FigureText.Count(_account.Apps.Count)} apps " +
                $"{(missed.Length == 1 ? "misses" : "miss")} the objective. Those that used most of their error budget: ");
            Links(missed.Select(app => app.App));
            _html.Text(".").Close();
        }

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
            _html.Text(isDue ? "" : " No alert is due, for any app either.").Close();
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
            _html.Text($" requests failed ({FigureText.Share(worst.ErrorRate)}), most of them in ");
            Link(worst.Endpoint);
            _html.Text(".").Close();
        }

        if (_account.Apps.Where(app => app.Traffic.ErrorCount.Value > 0).MaxBy(app => app.Traffic.ErrorRate.Value) is { } failing)
        {
            Point();
            _html.Text("The app with the largest share of server errors is ");
            Link(failing.App);
            _html.Text($": {FigureText.Share(failing.Traffic.ErrorRate.Value)} of ")
                .Text($"{FigureText.Count(failing.Traffic.RequestCount.Value)} requests failed")
                .Text(failing.Traffic.ErrorRate.Before is { } before ? $" (before: {FigureText.Share(before)})." : ".").Close();
        }

        if (Slowest() is { } slowest)
        {
            Point();
            Link(slowest.Endpoint);
            _html.Text(" has the longest wait in the queue: ")
                .Text($"one request in ten waited more than {FigureText.Seconds(slowest.Queue.P90.Value)} before it ran.").Close();
        }

        var costs = _account.Apps.SelectMany(app => app.Costs, (app, cost) => (app.App, Cost: cost)).ToArray();
        foreach (var currency in costs.GroupBy(cost => cost.Cost.Currency, StringComparer.Ordinal))
        {
            var (app, dearest) = currency.MaxBy(cost => cost.Cost.Cost);
            Point();
            UnattributedFigures? rest =
                _account.Bill?.Unattributed.Where(rest => rest.Currency == dearest.Currency).MaxBy(rest => rest.Cost);
            bool isLess = rest?.Cost > dearest.Cost;
            _html.Text(isLess ? "Of the apps whose cost is known, the most expensive is " : "The most expensive app is ");
            Link(app);
            _html.Text($": {FigureText.Money(dearest.Cost, dearest.Currency)}.");
            if (isLess)
            {
                _html.Text(
                    $" A line of the bill that belongs to no listed app is higher: {rest!.App ?? "no name"}, " +
                        $"{FigureText.Money(rest.Cost, rest.Currency)}.");
            }

            if (currency.Where(cost => cost.Cost.CostPerThousandSuccesses is not null).MaxBy(cost => cost.Cost.CostPerThousandSuccesses) is
                { App: { } name } perSuccess)
            {
                _html.Text(" For each success, ");
                Link(name);
                string price = FigureText.Money(perSuccess.Cost.CostPerThousandSuccesses, perSuccess.Cost.Currency);
                _html.Text($" costs most: {price} for 1,000 of them.");
            }

            _html.Close();
        }

        if (_account.Apps.Where(app => app.Runners?.IdleShare is not null).MaxBy(app => app.Runners!.IdleShare) is { } idle)
        {
            Point();
            _html.Text("The app with the highest idle share is ");
            Link(idle.App);
            _html.Text($": its runners had no request for {FigureText.Share(idle.Runners!.IdleShare)} of their paid time.").Close();
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

        EndpointFigures? Slowest() => _account.Apps.SelectMany(app => app.Endpoints).Where(one => one.Queue.P90.Value > 0)
            .MaxBy(one => one.Queue.P90.Value);
    }

    /// <summary>Names the apps whose error budget burns so fast that an alert is due, with the rate and the window of it.</summary>
    private void BurnAlerts(Action point)
    {
        (string App, double Rate, double Limit, string Window)[] alerts = BurnAlerts();
        foreach ((string app, double rate, double limit, string window) in alerts.Take(NamesInSentence))
        {
            point();
            Link(app);
            _html.Text($" burns its error budget too fast: {FigureText.Number(rate)} times the sustainable rate in the last {window} of the ")
                .Text($"period. An alert is due at {FigureText.Number(limit)}.").Close();
        }

        if (alerts.Length > NamesInSentence)
        {
            point();
            _html.Text($"{FigureText.Count(alerts.Length - NamesInSentence)} more apps burn their error budgets too fast: ");
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

    private static bool IdlesAtUnknownCost(AppFigures app) => app.Runners?.Hours?.Idle > 0 && app.Costs.Count == 0;

    private void Gaps()
    {
        PeriodFigures period = _account.Period;
        UnattributedFigures[] unattributed = [.. _account.Bill?.Unattributed ?? []];
        bool countsDiffer = _account.Availability is { RequestCount: { } judged } && judged != _account.Traffic.RequestCount.Value;
        if (period.ProvisionalBucketCount == 0 && _account.Gaps.Count == 0 && unattributed.Length == 0 && !countsDiffer)
        {
            return;
        }

        _html.Element("h2", "What to know about these figures").Open("ul", ("class", "points"));
        if (period.ProvisionalSince is { } since)
        {
            _html.Open("li").Text("Provisional: the figures since ");
            Time(since);
            _html.Text(" UTC may still change (");
            Figure("period.provisional_bucket_count", period.ProvisionalBucketCount, FigureText.Count);
            _html.Text(period.ProvisionalBucketCount == 1 ? $" {_bucket} with " : $" {_bucket}s with ");
            Figure("period.provisional_request_count", period.ProvisionalRequestCount, FigureText.Count);
            _html.Text(" requests). In plots, a dashed line marks where they begin.").Close();
        }

        if (countsDiffer)
        {
            AvailabilityFigures slo = _account.Availability!;
            _html.Open("li").Text("Two counts: the objective is judged by ")
                .Text($"{FigureText.Count(slo.RequestCount)} requests, those of the completed {_bucket}s in its ")
                .Text($"{FigureText.Number(slo.WindowDays)} days. The whole period, which all other figures are about, has ")
                .Text($"{FigureText.Count(_account.Traffic.RequestCount.Value)}.").Close();
        }

        foreach (ReportGap gap in _account.Gaps)
        {
            _html.Open("li", ("data-gap", gap.Kind));
            if (gap.Subject is { } subject)
            {
                _html.Element("strong", Shown(subject)).Text(": ");
            }

            _html.Text(Shown(gap.Text)).Close();
        }

        foreach (IGrouping<string, UnattributedFigures> currency in unattributed.GroupBy(rest => rest.Currency, StringComparer.Ordinal))
        {
            string rest = FigureText.Money(currency.Sum(rest => rest.Cost), currency.Key);
            _html.Open("li").Text($"Unattributed: {rest} of the bill belongs to no listed app, under ");
            _html.Text($"{Names(currency.Select(rest => rest.App ?? "no name"))}. The section Cost lists it.").Close();
        }

        _html.CloseLine();
    }

    private void Card(string name, Action figure, Action words)
    {
        _html.Open("div").Element("dt", name).Open("dd", ("class", "big"));
        figure();
        _html.Close().Open("dd", ("class", "words"));
        words();
        _html.Close().CloseLine();
    }

    private static string Than(Compared figure, Func<double?, string> show) => figure switch
    {
        { Before: null } => "the previous period is not known",
        { Before: 0 } => "none before",
        _ => $"{FigureText.Change(figure.Change)}; before: {show(figure.Before)}",
    };

    private static string Names(IEnumerable<string> names)
    {
        string[] distinct = [.. names.Distinct(StringComparer.Ordinal)];
        string shown = string.Join(", ", distinct.Take(NamesInSentence).Select(Shown));
        return distinct.Length <= NamesInSentence ? shown : $"{shown} and {FigureText.Count(distinct.Length - NamesInSentence)} more";
    }

    /// <summary>A text of the service's, with escapes for what could not be seen or would turn the line around.</summary>
    private static string Shown(string text) => text.Length == 0 ? "(without a name)" : ShownText.Of(text);

    private static string Path(string list, int index) => string.Create(CultureInfo.InvariantCulture, $"{list}[{index}]");

    /// <summary>A figure, with its value and its place in the JSON.</summary>
    private void Figure(string path, double? value, Func<double?, string> show)
    {
        if (value is not { } number)
        {
            _html.Text(show(null));
            return;
        }

        _html.Element("data", show(number), ("value", FigureText.Machine(number)), ("data-figure", path));
    }

    private void Money(string path, decimal? value, string currency)
    {
        if (value is not { } amount)
        {
            _html.Text(FigureText.Money(null, currency));
            return;
        }

        _html.Element("data", FigureText.Money(amount, currency), ("value", FigureText.Machine(amount)), ("data-figure", path));
    }

    private void Time(DateTimeOffset instant) =>
        _html.Element("time", FigureText.Instant(instant), ("datetime", FigureText.Machine(instant)));

    private void Links(IEnumerable<string> apps)
    {
        string[] all = [.. apps];
        for (int i = 0; i < all.Length && i < NamesInSentence; i++)
        {
            _html.Text(i == 0 ? "" : ", ");
            Link(all[i]);
        }

        _html.Text(all.Length > NamesInSentence ? $" and {FigureText.Count(all.Length - NamesInSentence)} more" : "");
    }

    private void Link(string endpoint)
    {
        string? anchor = _anchors.GetValueOrDefault(EndpointChoice.AppOf(endpoint));
        _html.Open(anchor is null ? "span" : "a", ("href", anchor is null ? null : $"#{anchor}"));
        string[] parts = Shown(endpoint).Split('/');
        for (int i = 0; i < parts.Length; i++)
        {
            if (i > 0)
            {
                // In a narrow column, the line breaks here and not within a word.
                _html.Text("/").Empty("wbr");
            }

            _html.Text(parts[i]);
        }

        _html.Close();
    }
}
