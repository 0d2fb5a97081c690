using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Fal.Observability.Cli.Report;

/// <summary>
/// The report as one HTML file: without scripts, and without anything that it would have to fetch. Each figure is a <c>data</c>
/// element. Its attributes are the value as in the JSON, and the path of that value in the JSON.
/// </summary>
internal sealed partial class ReportPage
{
    /// <summary>How many names a sentence lists before it says how many more there are.</summary>
    private const int NamesInSentence = 3;

    /// <summary>An alert is due at these burn rates over one and six hours, or above, as in the rules of observability/.</summary>
    private const double ShortBurnLimit = 14.4;
    private const double LongBurnLimit = 6;

    private readonly AccountFigures _account;
    private readonly HtmlWriter _html;

    /// <summary>The name of the anchor of each app on the page.</summary>
    private readonly Dictionary<string, string> _anchors;

    private readonly string _bucket;

    /// <summary>The apps that miss the objective. Those that used most of their error budget come first.</summary>
    private AppFigures[] Missed =>
    [
        .. _account.Apps.Where(app => app.Availability?.IsMet == false).OrderByDescending(app => app.Availability!.ErrorBudgetConsumed),
    ];

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
        Sections();
        _html.CloseLine();
        Footer();
        _html.Close().CloseLine();
    }

    private void Sections()
    {
        bool hasApps = _account.Apps.Count > 0;
        (string Id, string Title, bool IsShown, Action Write)[] sections =
        [
            ("course", "Over time", _account.Columns.Items.Count > 0, Course),
            ("reliability", "Reliability", hasApps, Reliability),
            ("runners", "Runners and cold boots", hasApps, Runners),
            ("speed", "Speed", _account.Apps.Any(app => app.Endpoints.Count > 0), Speed),
            ("cost", "Cost", true, Cost),
            ("worst", $"The {_bucket}s with the most server errors and the longest waits",
                _account.WorstBuckets.Count > 0 || _account.SlowestBuckets.Count > 0, Worst),
            ("apps", "App by app", hasApps, Apps),
        ];
        _html.Open("nav", ("aria-label", "Contents"), ("class", "contents")).Open("ul");
        foreach (var section in sections.Where(section => section.IsShown))
        {
            _html.Open("li").Element("a", section.Title, ("href", $"#{section.Id}")).Close();
        }

        _html.Close().CloseLine();
        foreach (var section in sections.Where(section => section.IsShown))
        {
            _html.Open("section", ("aria-labelledby", section.Id)).Element("h2", section.Title, ("id", section.Id));
            section.Write();
            _html.CloseLine();
        }
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
        Card("Requests", () => Figure("traffic.request_count.value", traffic.RequestCount.Value, FigureText.Count), () =>
            _html.Text($"in the whole period; {Than(traffic.RequestCount, FigureText.Count)}"));
        Card("Without a server error", () => Figure("traffic.error_free_rate.value", traffic.ErrorFreeRate.Value, ErrorFree), () =>
        {
            Figure("traffic.error_count.value", traffic.ErrorCount.Value, FigureText.Count);
            _html.Text(" failed (5xx) in the whole period");
            if (traffic.ErrorFreeRate.Before is { } before)
            {
                _html.Text($"; before: {ErrorFree(before)}; server errors per request: {Growth(traffic.ErrorRate)}");
            }
        });
        double? used = _account.Availability?.ErrorBudgetConsumed;
        Card("Error budget used", () => Figure("availability.error_budget_consumed", used, FigureText.Share), () =>
            _html.Text(_account.Availability is { } slo
                ? $"of the failures allowed by {FigureText.Target(slo.Target)} over {Window(slo)}"
                : $"not known: no {_bucket} has ended yet"));
        CostCards();
        Card("Paid runner time idle", () => Figure("idle_share", _account.IdleShare, FigureText.Share), () =>
        {
            if (_account.RunnerHours is not { } hours)
            {
                _html.Text("not known");
                return;
            }

            Figure("runner_hours.idle", hours.Idle, FigureText.Hours);
            _html.Text(" without a request in ");
            Figure("runner_hours.paid", hours.Paid, FigureText.Hours);
            _html.Text(" of paid runner time");
            for (int i = 0; i < (_account.Bill?.Totals.Count ?? 0); i++)
            {
                CostFigures total = _account.Bill!.Totals[i];
                if (total.IdleCost is { } idleCost && hours.Idle > 0)
                {
                    bool isLeast = _account.Apps.Any(IdlesAtUnknownCost);
                    _html.Text(i > 0 ? " and " : isLeast ? ", at a cost of at least " : ", at a cost of about ");
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
        int apps = _account.Apps.Count;
        string missed = $"{FigureText.Count(Missed.Length)} of {FigureText.Count(apps)} apps {(Missed.Length == 1 ? "misses" : "miss")} it";
        (string kind, string word) = slo?.IsMet switch
        {
            true when Missed.Length > 0 => ("warn", $"All apps together meet the objective, but {missed}."),
            true => ("good", "The objective is met."),
            false when apps > 1 && Missed.Length > 0 => ("bad", $"All apps together miss the objective, and {missed}."),
            false => ("bad", "The objective is missed."),
            null => ("unknown", _account.Traffic.RequestCount.Value > 0 ? "The objective cannot be judged." : "There were no requests."),
        };
        _html.Open("p", ("class", $"verdict {kind}")).Element("strong", word);
        if (slo is { RequestCount: > 0 })
        {
            _html.Text(" ");
            Figure("availability.error_free_rate", slo.ErrorFreeRate, ErrorFree);
            _html.Text(" of ");
            Figure("availability.request_count", slo.RequestCount, FigureText.Count);
            _html.Text($" requests in the completed {_bucket}s of the {Window(slo)} to ");
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
            UnattributedFigures[] rest =
                bill.IncludesOtherApps ? [] : [.. bill.Unattributed.Where(rest => rest.Currency == total.Currency)];
            Card("Cost", () => Money($"{path}.cost", total.Cost, total.Currency), () => _html.Text(string.Join("; ", new[]
            {
                FigureText.Change((double?)total.Change),
                total.CostBefore is { } before ? $"before: {FigureText.Money(before, total.Currency)}" : "the previous cost is not known",
                rest.Length == 0 ? null : $"{Unattributed(rest)} of it belongs to no listed app",
                bill.ProvisionalSince is { } since ? $"the cost since {FigureText.Moment(since)} UTC may still change" : null,
            }.OfType<string>())));
            Card(
                "Cost of 1,000 successes",
                () => Figure($"{path}.cost_per_thousand_successes", total.CostPerThousandSuccesses, Price(total.Currency)),
                () => _html.Text(total.CostPerThousandSuccessesBefore is { } before
                    ? $"before: {FigureText.Price(before, total.Currency)}"
                    : "the cost before is not known"));
        }
    }

    private void Card(string name, Action figure, Action words)
    {
        _html.Open("div").Element("dt", name).Open("dd", ("class", "big"));
        figure();
        _html.Close().Open("dd", ("class", "words"));
        words();
        _html.Close().CloseLine();
    }

    private string ErrorFree(double? share) => FigureText.ErrorFree(share, _account.Availability?.Target);

    private static string Than(Compared figure, Func<double?, string> show) => figure switch
    {
        { Before: null } => "the previous period is not known",
        { Before: 0 } => "none before",
        _ => $"{FigureText.Change(figure.Change)}; before: {show(figure.Before)}",
    };
}
