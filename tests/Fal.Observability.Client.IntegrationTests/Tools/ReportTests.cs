using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text.Json;
using System.Xml.Linq;
using Fal.Observability.Cli.Report;
using Fal.Observability.Client.IntegrationTests.Samples;
using Fal.Observability.Client.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Fal.Observability.Client.IntegrationTests.Tools;

/// <summary>The report of <c>fal-obs report</c>: as a process writes it, and as it is made of answers.</summary>
public sealed partial class ReportTests : IDisposable
{
    private static readonly DateTimeOffset Now = new(2026, 6, 17, 12, 34, 0, TimeSpan.Zero);
    private static readonly DateTimeOffset First = new(2026, 6, 10, 0, 0, 0, TimeSpan.Zero);
    private static readonly AvailabilityObjective Objective = new(0.995, TimeSpan.FromDays(7));

    private readonly string _folder = Directory.CreateTempSubdirectory("fal-report").FullName;
    private readonly FakeTimeProvider _time = new(Now);

    /// <summary>Days of the machine's clock that are closed, and of which the service still has the runner history.</summary>
    private static string[] PastDays
    {
        get
        {
            DateTimeOffset today = TimeProvider.System.GetUtcNow();
            return ["--first", Invariant($"{today.AddDays(-4):yyyy-MM-dd}"), "--last", Invariant($"{today.AddDays(-2):yyyy-MM-dd}")];
        }
    }

    private string PageFile => Path.Combine(_folder, "report.html");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task The_page_has_the_figures_of_the_clients_own_reports()
    {
        await using FalSimulator server = await StartAsync();
        using FalObservabilityClient fal = ClientOf(server, server.Key);

        (AccountFigures figures, ReportFile page) = await ReportAsync(fal, server);

        FalAppList apps = await fal.Apps.ListAsync();
        var query = new AnalyticsQuery(server.Apps)
        {
            Expand = AnalyticsExpand.AllMetrics | AnalyticsExpand.Structure,
            Range = AnalyticsTimeRange.Between(First, Now),
            Timeframe = AnalyticsTimeframe.Hour,
        };
        AnalyticsReport report = await fal.Analytics.GetReportAsync(query);
        AnalyticsReport before = await fal.Analytics.GetReportAsync(query with
        {
            Range = AnalyticsTimeRange.Between(First - (Now - First), First),
            BoundToTimeframe = false,
        });
        AppCostReport costs = (await fal.Usage.GetReportAsync(
            new UsageQuery { Range = query.Range, Timeframe = AnalyticsTimeframe.Hour })).ByApp(apps, report);
        var total = AnalyticsTotals.Of(report.TimeSeries);
        AvailabilityStatus slo = Objective.Evaluate(report);
        Assert.Equal(total.RequestCount, page["traffic.request_count.value"]);
        Assert.Equal(total.ErrorCount, page["traffic.error_count.value"]);
        Assert.Equal(total.TimeoutErrorCount, page["traffic.timeout_error_count.value"]);
        Assert.Equal(slo.ErrorBudgetConsumed, page["availability.error_budget_consumed"]);
        Assert.Equal(slo.Errors, page["availability.error_count"]);
        Assert.Equal(costs.Total[0].Cost, decimal.Parse(page.Figures["bill.totals[0].cost"], CultureInfo.InvariantCulture));
        Assert.Equal(
            costs.Unattributed.Select(rest => rest.Cost),
            costs.Unattributed.Select((_, i) =>
                decimal.Parse(page.Figures[Invariant($"bill.unattributed[{i}].cost")], CultureInfo.InvariantCulture)));
        AnalyticsBucket worst = report.TimeSeries.MaxBy(bucket => bucket.Rows.Sum(row => row.ErrorCount))!;
        Assert.Equal(worst.Start, figures.WorstBuckets[0].Start);
        Assert.Equal(worst.Rows.Sum(row => row.ErrorCount), page["worst_buckets[0].error_count"]);
        Assert.Equal(server.Apps.Order(), figures.Apps.Select(app => app.App).Order());
        for (int i = 0; i < figures.Apps.Count; i++)
        {
            string id = figures.Apps[i].App;
            string path = Invariant($"apps[{i}]");
            AnalyticsTotals own = AnalyticsTotals.ByApp(report.TimeSeries)[id];
            AvailabilityStatus status = Objective.EvaluateByApp(report)[id];
            FalRunnerHistory runners = await fal.Apps.GetRunnerHistoryAsync(
                id, query.Range, AnalyticsTimeframe.Hour, FalRunnerAggregation.Average);
            FalRunnerHistory most = await fal.Apps.GetRunnerHistoryAsync(id, query.Range, AnalyticsTimeframe.Hour);
            Assert.Equal(own.RequestCount, page[$"{path}.traffic.request_count.value"]);
            Assert.Equal(own.ErrorRate, page[$"{path}.traffic.error_rate.value"]);
            Assert.Equal(own.ColdBootRate, page[$"{path}.traffic.cold_boot_rate.value"]);
            Assert.Equal(status.ErrorBudgetConsumed, page[$"{path}.availability.error_budget_consumed"]);
            Assert.Equal(status.ShortBurnRate is not null, page.Figures.ContainsKey($"{path}.availability.short_burn_rate"));
            Assert.Equal(runners.IdleShare, page[$"{path}.runners.idle_share"]);
            Assert.Equal(most.PeakRunning, page[$"{path}.runners.peak_running"]);
            Assert.Equal(
                before.Summary.Where(row => Of(row, id)).Sum(row => row.RequestCount), figures.Apps[i].Traffic.RequestCount.Before);
            AnalyticsRow[] rows = [.. report.Summary.Where(row => Of(row, id)).OrderByDescending(row => row.RequestCount)];
            Assert.Equal(rows.Select(row => row.EndpointId), figures.Apps[i].Endpoints.Select(one => one.Endpoint));
            Assert.Equal(rows[0].GetValue(AnalyticsExpand.P90PrepareDuration), page[$"{path}.endpoints[0].queue.p90.value"]);
            Assert.Equal(rows[0].GetValue(AnalyticsExpand.P99Duration), page[$"{path}.endpoints[0].execution.p99.value"]);
            AppCost[] cost = [.. costs.Apps.Where(cost => cost.App.EndpointId == id && cost.Cost is not null)];
            Assert.Equal(
                cost.Select(one => (one.Cost!.Value, one.CostPerThousandSuccesses)),
                figures.Apps[i].Costs.Select(one => (one.Cost, one.CostPerThousandSuccesses)));
        }

        static bool Of(AnalyticsRow row, string app) =>
            row.EndpointId == app || row.EndpointId.StartsWith($"{app}/", StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_json_has_every_figure_of_the_page()
    {
        await using FalSimulator server = await FalSimulator.StartAsync(new FalSimulatorOptions { Seed = 1, Apps = 5 });
        string[] range = [.. PastDays, "--base-address", server.BaseAddress.ToString()];

        (int pageCode, string pageOutput, string pageErrors) = await RunAsync(server.Key, ["report", "-o", PageFile, .. range]);
        (int jsonCode, string json, string jsonErrors) = await RunAsync(server.Key, ["report", "--json", .. range]);

        Assert.Equal((0, "", 0, ""), (pageCode, pageErrors, jsonCode, jsonErrors));
        Assert.StartsWith($"{PageFile}: 5 apps, ", pageOutput, StringComparison.Ordinal);
        using JsonDocument document = JsonDocument.Parse(json);
        IReadOnlyDictionary<string, string> figures = ReportFile.Read(PageFile).Figures;
        Assert.True(figures.Count > 200, Invariant($"The page has only {figures.Count} figures."));
        Assert.All(figures, figure => Assert.Equal(
            double.Parse(figure.Value, CultureInfo.InvariantCulture), ReportFile.At(document.RootElement, figure.Key).GetDouble()));
        Assert.False(document.RootElement.GetProperty("simulated").GetBoolean());
    }

    [Fact]
    public async Task Without_a_key_the_page_and_the_screen_say_that_the_data_are_simulated()
    {
        (int exitCode, _, string errors) =
            await RunAsync(key: null, ["report", "-o", PageFile, "--first", "2026-01-01", "--last", "2026-01-01"]);

        Assert.Equal(0, exitCode);
        Assert.StartsWith("SIMULATED DATA", errors, StringComparison.Ordinal);
        ReportFile page = ReportFile.Read(PageFile);
        Assert.StartsWith("SIMULATED DATA", page.Text, StringComparison.Ordinal);
        Assert.StartsWith("Simulated: ", page.Page.Root!.Element("head")!.Element("title")!.Value, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_refused_endpoint_is_named_and_left_out()
    {
        await using FalSimulator server = await StartAsync();
        using FalObservabilityClient fal = ClientOf(server, server.Key);
        string refused = server.Apps[1];
        server.Faults.RefuseEndpoint(refused);

        (AccountFigures figures, ReportFile page) = await ReportAsync(fal, server);

        Assert.Equal(server.Apps.Where(app => app != refused).Order(), figures.Apps.Select(app => app.App).Order());
        Assert.Contains($"{refused}: The service refuses the endpoint", page.Text, StringComparison.Ordinal);
        // Its requests are not known, so the bill cannot be divided by all successes.
        Assert.Null(figures.Bill!.Totals[0].CostPerThousandSuccesses);
    }

    [Fact]
    public async Task If_every_endpoint_is_refused_nothing_is_written_and_the_exit_code_is_1()
    {
        await using FalSimulator server = await FalSimulator.StartAsync(new FalSimulatorOptions { Seed = 1, Apps = 2 });
        Assert.All(server.Apps, app => server.Faults.RefuseEndpoint(app));
        await File.WriteAllTextAsync(PageFile, "old");

        (int exitCode, string output, string errors) = await RunAsync(
            server.Key, ["report", "-o", PageFile, .. PastDays, "--base-address", server.BaseAddress.ToString()]);

        Assert.Equal((1, ""), (exitCode, output));
        Assert.EndsWith("The report was not written.", Assert.Single(errors.TrimEnd().Split('\n')), StringComparison.Ordinal);
        Assert.Equal("old", await File.ReadAllTextAsync(PageFile));
        Assert.Single(Directory.GetFiles(_folder));
    }

    [Fact]
    public async Task Without_the_permission_for_billing_the_report_has_no_cost_and_names_the_permission()
    {
        await using FalSimulator server = await FalSimulator.StartAsync(new FalSimulatorOptions { Seed = 1, Apps = 3 });

        (int exitCode, _, string errors) = await RunAsync(
            server.KeyWithoutBilling,
            ["report", "-o", PageFile, .. PastDays, "--base-address", server.BaseAddress.ToString()]);

        Assert.Equal(0, exitCode);
        ReportFile page = ReportFile.Read(PageFile);
        Assert.Contains("the report has no cost.", page.Text, StringComparison.Ordinal);
        Assert.Contains("billing:usage:read", page.Text, StringComparison.Ordinal);
        Assert.Contains("billing:usage:read", Assert.Single(errors.TrimEnd().Split('\n')), StringComparison.Ordinal);
        Assert.DoesNotContain(page.Figures.Keys, figure => figure.Contains("cost", StringComparison.Ordinal));
        Assert.NotEqual(0, page["traffic.request_count.value"]);
    }

    [Fact]
    public async Task An_app_without_requests_makes_a_report_that_says_so()
    {
        await using FalSimulator server = await FalSimulator.StartAsync(options => options.TimeProvider = _time);
        server.App("my-org/quiet");
        using FalObservabilityClient fal = ClientOf(server, server.Key);

        (_, ReportFile page) = await ReportAsync(fal, server);

        Assert.Contains("There were no requests.", page.Text, StringComparison.Ordinal);
        Assert.Equal(0, page["traffic.request_count.value"]);
        Assert.DoesNotContain("NaN", page.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("∞", page.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_account_without_apps_is_one_line_and_ends_with_1()
    {
        await using FalSimulator server = await FalSimulator.StartAsync();

        (int exitCode, string output, string errors) =
            await RunAsync(server.Key, ["report", "-o", PageFile, "--base-address", server.BaseAddress.ToString()]);

        Assert.Equal((1, ""), (exitCode, output));
        Assert.Equal("The account owns no app in this environment. The report was not written.", errors.TrimEnd());
        Assert.Empty(Directory.GetFiles(_folder));
    }

    [Fact]
    public async Task Data_that_may_still_change_are_marked()
    {
        await using FalSimulator server = await StartAsync();
        using FalObservabilityClient fal = ClientOf(server, server.Key);

        (AccountFigures figures, ReportFile page) = await ReportAsync(fal, server);

        AnalyticsReport report = await fal.Analytics.GetReportAsync(new AnalyticsQuery(server.Apps)
        {
            Range = AnalyticsTimeRange.Between(First, Now),
            Timeframe = AnalyticsTimeframe.Hour,
        });
        AnalyticsBucket[] provisional = [.. report.TimeSeries.Where(bucket => bucket.IsProvisional)];
        Assert.NotEmpty(provisional);
        Assert.Equal(provisional.Length, figures.Period.ProvisionalBucketCount);
        Assert.Equal(provisional[0].Start, figures.Period.ProvisionalSince);
        Assert.Equal(AnalyticsTotals.Of(provisional).RequestCount, page["period.provisional_request_count"]);
        Assert.Contains("may still change", page.Text, StringComparison.Ordinal);
        Assert.Contains(page.Page.Descendants("path"), path => path.Attribute("class")!.Value == "area ink-provisional");
    }

    [Fact]
    public async Task A_single_hour_that_may_still_change_can_be_seen_in_each_plot_and_is_said_in_words()
    {
        (AccountFigures figures, ReportFile page) = await ReportAsync();

        Assert.Contains("No alert is due, neither for all apps together nor for a single app.", page.Text, StringComparison.Ordinal);
        string since = FigureText.Moment(figures.Period.ProvisionalSince!.Value);
        XElement[] marked =
            [.. page.Page.Descendants("svg").Where(plot => plot.Elements("path").Any(path => Class(path) == "area ink-provisional"))];
        Assert.True(marked.Length > figures.Apps.Count, Invariant($"Only {marked.Length} plots are marked."));
        Assert.All(marked, plot =>
        {
            double[] x =
            [
                .. plot.Elements("path").Single(path => Class(path) == "area ink-provisional").Attribute("d")!.Value
                    .Split(['M', 'L', 'Z'], StringSplitOptions.RemoveEmptyEntries)
                    .Select(point => double.Parse(point.Split(' ')[0], CultureInfo.InvariantCulture)),
            ];
            // A narrow shade cannot be seen. The line beside it can, and neither covers data that is final.
            string line = plot.Elements("path").Single(path => Class(path) == "line ink-provisional").Attribute("d")!.Value;
            Assert.Equal(double.Parse(line.Split(['M', ' '])[1], CultureInfo.InvariantCulture), x.Min(), 1.0);
            Assert.EndsWith("may still change.", plot.Attribute("aria-label")!.Value, StringComparison.Ordinal);
        });
        Assert.Contains($"may still change since {since}", page.Text, StringComparison.Ordinal);

        static string Class(XElement path) => path.Attribute("class")!.Value;
    }

    [Fact]
    public async Task Idle_runner_hours_and_their_cost_are_told_for_the_account_and_for_each_app()
    {
        (AccountFigures figures, ReportFile page) = await ReportAsync();

        Assert.Contains(figures.Apps, app => app.Costs.Any(cost => cost.IdleCost > 0));
        for (int i = 0; i < figures.Apps.Count; i++)
        {
            AppFigures app = figures.Apps[i];
            if (app.Runners?.Hours is not { } hours)
            {
                continue;
            }

            Assert.Equal(hours.Idle, page[Invariant($"apps[{i}].runners.hours.idle")]);
            Assert.Equal(hours.Paid, page[Invariant($"apps[{i}].runners.hours.paid")]);
            Assert.Equal(app.Runners.IdleShare!.Value, hours.Idle / hours.Paid, 3);
            Assert.All(app.Costs, (cost, j) =>
            {
                Assert.Equal(cost.Cost * (decimal)app.Runners.IdleShare.Value, cost.IdleCost);
                Assert.Equal((double)cost.IdleCost!.Value, page[Invariant($"apps[{i}].costs[{j}].idle_cost")]!.Value, 9);
            });
        }

        Assert.Equal(figures.Apps.Sum(app => app.Runners?.Hours?.Idle ?? 0), page["runner_hours.idle"]!.Value, 3);
        Assert.Equal(figures.Apps.SelectMany(app => app.Costs).Sum(cost => cost.IdleCost), figures.Bill!.Totals[0].IdleCost);
        Assert.True(page.Figures.ContainsKey("bill.totals[0].idle_cost"));
    }

    [Fact]
    public async Task Every_app_is_in_the_table_of_the_cost_and_the_reason_for_a_dash_is_said_once()
    {
        await using FalSimulator server = await FalSimulator.StartAsync(options =>
            (options.Seed, options.Apps, options.TimeProvider) = (1, 12, _time));
        using FalObservabilityClient fal = ClientOf(server, server.Key);

        (AccountFigures figures, ReportFile page) = await ReportAsync(fal, server);

        AppFigures[] without = [.. figures.Apps.Where(app => app.Costs.Count == 0)];
        Assert.NotEmpty(without);
        XElement[] rows = Rows(page, "Cost by app");
        Assert.All(figures.Apps, app => Assert.Contains(rows, row => row.Element("th")!.Value == app.App));
        Assert.All(without, app => Assert.Equal(
            FigureText.Unknown, rows.Single(row => row.Element("th")!.Value == app.App).Elements("td").ElementAt(1).Value));
        Assert.Equal(2, page.Text.Split("names them in their environment: see Unattributed cost").Length);
        // The idle time of these apps has a cost too, which is not known.
        Assert.Contains(", at a cost of at least ", page.Text, StringComparison.Ordinal);
        // No app is called the most expensive if a line of the bill without an app is higher.
        decimal dearest = figures.Apps.SelectMany(app => app.Costs).Max(cost => cost.Cost);
        Assert.Equal(
            figures.Bill!.Unattributed.Any(rest => rest.Cost > dearest),
            !page.Text.Contains("The most expensive app is ", StringComparison.Ordinal));
        // No table of apps leaves one out.
        Assert.All(
            ["Requests and the objective by app", "Errors by class", "Runners and cold boots by app"],
            table => Assert.All(figures.Apps, app => Assert.Contains(
                Rows(page, table), row => row.Element("th")!.Value == app.App)));
    }

    [Fact]
    public async Task An_app_that_burns_its_error_budget_too_fast_is_named_with_its_rate_and_window()
    {
        await using FalSimulator server = await FalSimulator.StartAsync(options => options.TimeProvider = _time);
        SimulatedApp failing = server.App("my-org/failing");
        failing.RequestsPerMinute[200] = 80;
        failing.RequestsPerMinute[500] = 20;
        SimulatedApp slower = server.App("my-org/slower");
        slower.RequestsPerMinute[200] = 96;
        slower.RequestsPerMinute[500] = 4;
        server.App("my-org/sound").RequestsPerMinute[200] = 100;
        using FalObservabilityClient fal = ClientOf(server, server.Key);

        (_, ReportFile page) = await ReportAsync(fal, server);

        Assert.Contains(
            "my-org/failing burns its error budget too fast: 40 times the sustainable rate in the last hour of the period. " +
                "An alert is due at 14.4.",
            page.Text,
            StringComparison.Ordinal);
        Assert.Contains(
            "my-org/slower burns its error budget too fast: 8 times the sustainable rate in the last six hours of the period. " +
                "An alert is due at 6.",
            page.Text,
            StringComparison.Ordinal);
        Assert.DoesNotContain("No alert is due", page.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("my-org/sound burns", page.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_count_of_the_objective_and_that_of_the_period_are_told_apart_where_they_differ()
    {
        (AccountFigures figures, ReportFile page) = await ReportAsync();

        Assert.NotEqual(figures.Availability!.RequestCount, figures.Traffic.RequestCount.Value);
        Assert.Contains("requests in the completed hours of the 7 days to", page.Text, StringComparison.Ordinal);
        Assert.Contains("in the whole period;", page.Text, StringComparison.Ordinal);
        Assert.Contains(
            $"Two counts: the objective is judged by {FigureText.Count(figures.Availability.RequestCount)} requests",
            page.Text,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_page_calls_each_thing_by_its_name()
    {
        await using FalSimulator server = await StartAsync();
        using FalObservabilityClient fal = ClientOf(server, server.Key);

        (_, ReportFile page) = await ReportAsync(fal, server);

        string text = page.Text + string.Concat(page.Page.Descendants("svg").Attributes("aria-label").Select(label => label.Value));
        Assert.All(
            ["column", "Peak of", "worst", "Worst"], word => Assert.DoesNotContain(word, text, StringComparison.Ordinal));
        Assert.Contains("The hour with the most server errors began", text, StringComparison.Ordinal);
        Assert.Contains("Peak runners / limit", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_page_refers_to_nothing_outside_itself_and_has_no_script()
    {
        (_, ReportFile page) = await ReportAsync();

        HashSet<string> ids = [.. page.Page.Descendants().Attributes("id").Select(id => id.Value)];
        Assert.DoesNotContain(
            page.Page.Descendants().Select(element => element.Name.LocalName),
            name => name is "script" or "link" or "img" or "iframe" or "object" or "embed" or "image" or "use" or "base");
        Assert.All(page.Page.Descendants().Attributes().Where(one => one.Name.LocalName is "href"), href =>
            Assert.Contains(href.Value.TrimStart('#'), ids));
        Assert.DoesNotContain(
            page.Page.Descendants().Attributes().Select(one => one.Name.LocalName),
            name => name is "src" or "srcset" or "style" or "action" or "fill" or "stroke"
                || name.StartsWith("on", StringComparison.Ordinal));
        string css = page.Page.Descendants("style").Single().Value;
        Assert.DoesNotContain("url(", css, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("@import", css, StringComparison.OrdinalIgnoreCase);
        XElement policy = page.Page.Descendants("meta").Single(meta => meta.Attribute("http-equiv") is not null);
        Assert.StartsWith("default-src 'none'; style-src 'sha256-", policy.Attribute("content")!.Value, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Each_plot_says_what_it_shows_and_has_no_more_points_than_pixels()
    {
        (AccountFigures figures, ReportFile page) = await ReportAsync();

        XElement[] plots = [.. page.Page.Descendants("svg")];
        Assert.True(plots.Length > figures.Apps.Count * 4, Invariant($"There are only {plots.Length} plots."));
        Assert.All(plots, plot =>
        {
            int width = int.Parse(plot.Attribute("viewBox")!.Value.Split(' ')[2], CultureInfo.InvariantCulture);
            Assert.Equal("img", plot.Attribute("role")!.Value);
            Assert.NotEmpty(plot.Element("title")!.Value);
            Assert.Contains(plot.Element("desc")!.Value, plot.Attribute("aria-label")!.Value, StringComparison.Ordinal);
            Assert.NotEmpty(plot.Elements("text"));
            // An area has two edges, and two points for each of its steps.
            Assert.All(plot.Elements("path"), path => Assert.InRange(path.Attribute("d")!.Value.Count(c => c is 'M' or 'L'), 2, 4 * width));
        });
        Assert.InRange(figures.Columns.Items.Count, 1, 200);
    }

    [Fact]
    public void A_name_is_text_whatever_is_in_it()
    {
        const string Id = "my-org/\"'><script>alert(1)<!--";
        const string Route = "my-org/\"'><script>alert(1)<!--/\u0001\u202E\uD800&amp;";

        ReportSources sources = Sources(Id, Route);
        AccountFigures figures = FiguresOf.Account(sources);
        ReportFile page = ReportFile.Parse(Html(figures));

        Assert.DoesNotContain(page.Page.Descendants(), element => element.Name.LocalName == "script");
        Assert.Contains(page.Page.Descendants("h3"), title => title.Value == Id);
        Assert.Contains($"{Id}/\\u0001\\u202E\\uD800&amp;", page.Text, StringComparison.Ordinal);
        Assert.Equal(7, page["traffic.request_count.value"]);
        Assert.Contains("<b>no app</b>", page.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void No_culture_changes_a_byte()
    {
        CultureInfo culture = Thread.CurrentThread.CurrentCulture;
        try
        {
            byte[][] pages = [.. new[] { "", "de-DE", "tr-TR", "ar-SA", "fa-IR", "th-TH" }.Select(name =>
            {
                Thread.CurrentThread.CurrentCulture = CultureInfo.GetCultureInfo(name);
                AccountFigures figures = FiguresOf.Account(Sources("my-org/app", "my-org/app/route"));
                return (byte[])[.. Html(figures), .. Html(figures, isJson: true)];
            })];

            Assert.All(pages, page => Assert.Equal(pages[0], page));
        }
        finally
        {
            Thread.CurrentThread.CurrentCulture = culture;
        }
    }

    [Theory]
    [InlineData("--output is ''; it is empty, but it must be the file to write.", "-o", "")]
    [InlineData("--output is '.'; it is a folder, but it must be the file to write.", "--output", ".")]
    [InlineData("--slo is '100'; it must be a number greater than 0 and less than 100, such as 99.5.", "--slo", "100")]
    [InlineData("--slo is '99,5'; it must be a number greater than 0 and less than 100, such as 99.5.", "--slo", "99,5")]
    [InlineData("--slo-days is '0'; it must be a whole number of days from 1 to 3650.", "--slo-days", "0")]
    [InlineData("--json and --open cannot be combined", "--json", "--open")]
    public async Task A_wrong_option_is_one_line_and_ends_with_2(string message, params string[] arguments)
    {
        (int exitCode, string output, string errors) = await RunAsync(key: null, ["report", .. arguments]);

        Assert.Equal((2, ""), (exitCode, output));
        Assert.StartsWith(message, Assert.Single(errors.TrimEnd().Split('\n')), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_objective_of_the_command_line_is_the_one_that_is_judged()
    {
        await using FalSimulator server = await FalSimulator.StartAsync();
        SimulatedApp app = server.App("my-org/app");
        app.RequestsPerMinute[200] = 99;
        app.RequestsPerMinute[500] = 1;
        string[] report =
        [
            "report", "-o", PageFile, "--first", "2026-01-01", "--last", "2026-01-01", "--slo-days", "1",
            "--base-address", server.BaseAddress.ToString(),
        ];

        await RunAsync(server.Key, [.. report, "--slo", "99.5"]);
        ReportFile strict = ReportFile.Read(PageFile);
        await RunAsync(server.Key, [.. report, "--slo", "98"]);
        ReportFile lax = ReportFile.Read(PageFile);

        Assert.Contains("The objective is missed. 99.00 % of 144,000 requests", strict.Text, StringComparison.Ordinal);
        Assert.Equal(2, strict["availability.error_budget_consumed"]);
        Assert.Contains("The objective is met. 99.00 % of 144,000 requests", lax.Text, StringComparison.Ordinal);
        Assert.Equal(0.5, lax["availability.error_budget_consumed"]);
    }

    [Fact]
    public async Task An_error_budget_that_is_used_up_exactly_is_kept()
    {
        await using FalSimulator server = await FalSimulator.StartAsync();
        SimulatedApp app = server.App("my-org/app");
        app.RequestsPerMinute[200] = 999;
        app.RequestsPerMinute[500] = 1;

        await RunAsync(
            server.Key,
            [
                "report", "-o", PageFile, "--first", "2026-01-01", "--last", "2026-01-01", "--slo-days", "1", "--slo", "99.9",
                "--base-address", server.BaseAddress.ToString(),
            ]);

        ReportFile page = ReportFile.Read(PageFile);
        Assert.Equal(1, page["availability.error_budget_consumed"]);
        Assert.Contains("The objective is met.", page.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Open_hands_the_file_to_the_browser()
    {
        string opened = Path.Combine(_folder, "opened");
        string opener = Path.Combine(_folder, "xdg-open");
        await File.WriteAllTextAsync(opener, $"#!/bin/sh\nprintf %s \"$1\" >'{opened}.tmp' && mv '{opened}.tmp' '{opened}'\n");
        using (Process mode = Process.Start("chmod", ["+x", opener]))
        {
            await mode.WaitForExitAsync().OrHangs();
        }

        using var done = new SemaphoreSlim(0);
        using var watcher = new FileSystemWatcher(_folder, "opened") { EnableRaisingEvents = true };
        watcher.Renamed += (_, _) => done.Release();
        using Process process = SampleProgram.Start(
            "fal-obs",
            key: null,
            [KeyValuePair.Create("PATH", $"{_folder}:{Environment.GetEnvironmentVariable("PATH")}")],
            "report", "-o", PageFile, "--open", "--first", "2026-01-01", "--last", "2026-01-01");

        (int exitCode, _, _) = await process.EndAsync();
        await done.WaitAsync().OrHangs();

        Assert.Equal(0, exitCode);
        Assert.Equal(PageFile, await File.ReadAllTextAsync(opened));
    }

    [Fact]
    public async Task A_wrong_key_leaves_the_old_report_and_ends_with_1()
    {
        await using FalSimulator server = await FalSimulator.StartAsync(options => options.Seed = 1);
        await File.WriteAllTextAsync(PageFile, "old");

        (int exitCode, string output, string errors) =
            await RunAsync("wrong:secret-0123456789", ["report", "-o", PageFile, "--base-address", server.BaseAddress.ToString()]);

        Assert.Equal((1, ""), (exitCode, output));
        Assert.Contains("Invalid API key", Assert.Single(errors.TrimEnd().Split('\n')), StringComparison.Ordinal);
        Assert.Equal("old", await File.ReadAllTextAsync(PageFile));
    }

    private static string Invariant(FormattableString text) => FormattableString.Invariant(text);

    /// <summary>The rows of the table with a caption.</summary>
    private static XElement[] Rows(ReportFile page, string caption) =>
        [.. page.Page.Descendants("table").Single(table => table.Element("caption")!.Value == caption).Element("tbody")!.Elements("tr")];

    private static byte[] Html(AccountFigures figures, bool isJson = false)
    {
        using var file = new MemoryStream();
        ReportVerb.Write(figures, isJson, file);
        return file.ToArray();
    }

    /// <summary>Answers about one app, made by hand.</summary>
    private static ReportSources Sources(string app, string route)
    {
        var range = AnalyticsTimeRange.Between(First, Now);
        var apps = new FalAppList { Apps = [new FalApp { EndpointId = app, Environment = "<i>main</i>", MachineType = "GPU-H100" }] };
        AnalyticsRow row = new()
        {
            EndpointId = route,
            RequestCount = 7,
            SuccessCount = 6,
            UserErrorCount = 0,
            ErrorCount = 1,
            StartupErrorCount = 0,
            ConnectionErrorCount = 0,
            TimeoutErrorCount = 0,
            RuntimeErrorCount = 1,
            ColdBootCount = 1,
            P50Duration = TimeSpan.FromSeconds(1.25),
            P90Duration = TimeSpan.FromSeconds(1234.5),
            P90PrepareDuration = TimeSpan.FromSeconds(0.25),
        };
        var query = new AnalyticsQuery(app)
        {
            Expand = AnalyticsExpand.AllMetrics | AnalyticsExpand.Structure,
            Range = range,
            Timeframe = AnalyticsTimeframe.Hour,
        };
        return new ReportSources
        {
            Request = new ReportRequest
            {
                Apps = apps,
                EndpointIds = [app],
                IsWholeAccount = true,
                IsSimulated = false,
                First = new DateOnly(2026, 6, 10),
                Objective = Objective,
            },
            CollectedAt = Now,
            Requests = new AnalyticsReport
            {
                Query = query,
                TimeSeries =
                [
                    new AnalyticsBucket { Start = First, Rows = [row] },
                    new AnalyticsBucket { Start = First.AddHours(1), Rows = [], IsProvisional = true },
                ],
                Summary = [row],
                RefusedEndpoints = [new AnalyticsRefusedEndpoint("my-org/<u>refused</u>", HttpStatusCode.Forbidden, "<u>not yours</u>")],
            },
            Usage = new UsageReport
            {
                Query = new UsageQuery { Range = range, Timeframe = AnalyticsTimeframe.Hour, Expand = UsageExpand.Summary },
                Summary =
                [
                    new UsageRow { App = apps.Apps[0].Name, Environment = "<i>main</i>", Cost = 1234.5m, Currency = "USD" },
                    new UsageRow { App = "<b>no app</b>", Cost = 0.5m, Currency = "USD" },
                ],
            },
            Gaps = [new ReportGap("refused_endpoint", "my-org/<u>refused</u>", "<u>not yours</u>")],
        };
    }

    private static async Task<(int ExitCode, string Output, string Errors)> RunAsync(string? key, string[] arguments)
    {
        using Process process = SampleProgram.Start("fal-obs", key, [], arguments);
        return await process.EndAsync();
    }

    private Task<FalSimulator> StartAsync() => FalSimulator.StartAsync(options =>
    {
        options.Seed = 1;
        options.Apps = 4;
        options.TimeProvider = _time;
    });

    private FalObservabilityClient ClientOf(FalSimulator server, string key) => new(
        options =>
        {
            options.ApiKey = key;
            options.BaseAddress = server.BaseAddress;
        },
        account => account.Services.AddSingleton<TimeProvider>(_time));

    /// <summary>The report on the account of <see cref="StartAsync"/>.</summary>
    private async Task<(AccountFigures Figures, ReportFile Page)> ReportAsync()
    {
        await using FalSimulator server = await StartAsync();
        using FalObservabilityClient fal = ClientOf(server, server.Key);
        return await ReportAsync(fal, server);
    }

    private async Task<(AccountFigures Figures, ReportFile Page)> ReportAsync(FalObservabilityClient fal, FalSimulator server)
    {
        var request = new ReportRequest
        {
            Apps = await fal.Apps.ListAsync(),
            EndpointIds = server.Apps,
            IsWholeAccount = true,
            IsSimulated = true,
            First = new DateOnly(2026, 6, 10),
            Objective = Objective,
        };
        AccountFigures figures = FiguresOf.Account(await new ReportCollector(fal, _time).CollectAsync(request, CancellationToken.None));
        return (figures, ReportFile.Parse(Html(figures)));
    }
}
