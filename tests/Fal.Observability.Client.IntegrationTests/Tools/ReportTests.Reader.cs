using System.Text.RegularExpressions;
using System.Xml.Linq;
using Fal.Observability.Cli.Report;
using Fal.Observability.Client.Testing;
using Xunit;

namespace Fal.Observability.Client.IntegrationTests.Tools;

/// <summary>What a reader finds in the page alone.</summary>
public sealed partial class ReportTests
{
    [Fact]
    public void Other_environments_are_advised_only_if_they_can_change_what_is_unattributed()
    {
        ReportSources sources = Sources("my-org/app", "my-org/app/route");

        string without = PageOf(sources).Text;
        string with = PageOf(WithBill(sources, new UsageRow { App = "app", Environment = "staging", Cost = 1, Currency = "USD" })).Text;
        string noName = PageOf(WithBill(sources, new UsageRow { Environment = "staging", Cost = 1, Currency = "USD" })).Text;
        string named = PageOf(WithBill(
            sources with { Request = sources.Request with { IsWholeAccount = false } },
            new UsageRow { App = "app", Environment = "staging", Cost = 1, Currency = "USD" })).Text;

        Assert.Contains("Unattributed: ", without, StringComparison.Ordinal);
        Assert.DoesNotContain("--environments", without, StringComparison.Ordinal);
        Assert.DoesNotContain("--environments", noName, StringComparison.Ordinal);
        Assert.DoesNotContain("--environments", named, StringComparison.Ordinal);
        Assert.Contains("Apps of staging were not listed. Add it to --environments", with, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_cost_of_the_present_day_is_called_provisional_beside_the_total_and_in_the_tables()
    {
        (_, ReportFile page) = await ReportAsync();

        Assert.Contains("the cost since 17 Jun 00:00 UTC may still change", Card(page, "Cost"), StringComparison.Ordinal);
        Assert.Contains("Provisional: the cost since 17 Jun 2026 00:00 UTC may still change", page.Text, StringComparison.Ordinal);
        Assert.All(
            ["Cost by app", "Cost by machine type"],
            table => Assert.Contains("Cost, provisional", Headers(page, table)));
    }

    [Fact]
    public void The_cost_of_days_that_have_ended_is_not_called_provisional()
    {
        ReportSources sources = Sources("my-org/app", "my-org/app/route");

        string text = PageOf(sources with { CollectedAt = Now.AddDays(2) }).Text;

        Assert.DoesNotContain("the cost since", text, StringComparison.Ordinal);
        Assert.DoesNotContain("Cost, provisional", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_machine_type_that_an_app_was_billed_for_is_named()
    {
        ReportSources sources = Sources("my-org/app", "my-org/app/route");
        string environment = sources.Request.Apps.Apps[0].Environment!;

        string text = PageOf(WithBill(
            sources,
            new UsageRow { App = "app", Environment = environment, MachineType = "GPU-H100", Cost = 2, Currency = "USD" },
            new UsageRow { App = "app", Environment = environment, MachineType = "GPU-B200", Cost = 1, Currency = "USD" },
            new UsageRow { App = "other", Environment = environment, MachineType = "GPU-L40S", Cost = 1, Currency = "USD" })).Text;

        Assert.Contains("GPU-H100 · GPU-B200", text, StringComparison.Ordinal);
        Assert.DoesNotContain("GPU-B200 · GPU-L40S", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_slowest_execution_stands_out_and_both_tables_of_the_speed_have_p95()
    {
        await using FalSimulator server = await FalSimulator.StartAsync(options => options.TimeProvider = _time);
        SimulatedApp slow = server.App("my-org/slow");
        slow.RequestsPerMinute[200] = 1;
        slow.Latency = TimeSpan.FromSeconds(75);
        server.App("my-org/fast").RequestsPerMinute[200] = 10;
        using FalObservabilityClient fal = ClientOf(server, server.Key);

        (_, ReportFile page) = await ReportAsync(fal, server);

        Assert.Contains(
            "my-org/slow has the slowest execution of the endpoints with at least 20 requests: one request in ten took more than 75.00 s " +
                "(p90), and one in twenty more than 75.00 s (p95).",
            page.Text,
            StringComparison.Ordinal);
        Assert.All(
            ["Wait in the queue by endpoint", "Execution by endpoint"],
            table => Assert.Equal(["Endpoint", "Requests", "p50", "p90", "p95", "p99"], Headers(page, table)));
        Assert.Equal("my-org/slow", Rows(page, "Execution by endpoint")[0].Element("th")!.Value);
    }

    [Fact]
    public async Task An_app_with_three_requests_leads_no_comparison_and_the_page_says_how_many_it_takes()
    {
        await using FalSimulator server = await FalSimulator.StartAsync(options => options.TimeProvider = _time);
        SimulatedApp rare = server.App("my-org/rare");
        SimulatedActivity once = rare.During(Now.AddHours(-3), Now.AddHours(-3).AddMinutes(1));
        once.RequestsPerMinute[200] = 2;
        once.RequestsPerMinute[500] = 1;
        once.PrepareLatency = TimeSpan.FromMinutes(9);
        once.Latency = TimeSpan.FromMinutes(9);
        SimulatedApp busy = server.App("my-org/busy");
        busy.RequestsPerMinute[200] = 100;
        busy.RequestsPerMinute[500] = 1;
        busy.PrepareLatency = TimeSpan.FromSeconds(2);
        using FalObservabilityClient fal = ClientOf(server, server.Key);

        (_, ReportFile page) = await ReportAsync(fal, server);

        Assert.Equal(3, page["apps[1].traffic.request_count.value"]);
        Assert.Contains(
            "my-org/busy has the longest wait in the queue of the endpoints with at least 20 requests",
            page.Text,
            StringComparison.Ordinal);
        Assert.Contains("The app with the largest share of server errors is my-org/busy", page.Text, StringComparison.Ordinal);
        Assert.Contains(
            "The longest waits are those of endpoints with at least 20 requests in the hour.", page.Text, StringComparison.Ordinal);
        Assert.Equal("my-org/busy", Rows(page, "Wait in the queue by endpoint")[0].Element("th")!.Value);
        XElement first = page.Page.Descendants("section")
            .Single(section => section.Attribute("aria-labelledby")?.Value == "worst");
        Assert.DoesNotContain("my-org/rare", first.Value, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Each_column_of_a_table_has_one_unit_and_one_number_of_decimals()
    {
        (_, ReportFile page) = await ReportAsync();

        foreach (XElement table in page.Page.Descendants("table"))
        {
            XElement[] rows = [.. table.Element("tbody")!.Elements("tr")];
            for (int i = 0; i < rows[0].Elements("td").Count(); i++)
            {
                string[] forms =
                [
                    .. rows.SelectMany(row => row.Elements("td").ElementAt(i).Elements("data"))
                        .Select(cell => Digit().Replace(Whole().Replace(cell.Value.Replace("< ", "", StringComparison.Ordinal), "0"), "0"))
                        .Distinct(),
                ];
                Assert.True(forms.Length <= 1, $"'{table.Element("caption")!.Value}', column {i + 2}: {string.Join(" | ", forms)}");
            }
        }
    }

    [Fact]
    public async Task A_title_of_a_table_stays_in_sight_and_a_phone_says_that_there_are_more_columns()
    {
        (_, ReportFile page) = await ReportAsync();

        Assert.All(page.Page.Descendants("table"), table =>
        {
            Assert.Equal("title", table.Element("caption")!.Elements().Single().Attribute("class")!.Value);
            Assert.Equal(
                Headers(table).Length > 3, table.Parent!.Attribute("class")!.Value.Split(' ').Contains("wide"));
        });
        string css = page.Page.Descendants("style").Single().Value;
        string phone = css[css.IndexOf("@media (max-width: 40rem)", StringComparison.Ordinal)..];
        Assert.Contains(".wide .title::after { content: \"More columns", phone, StringComparison.Ordinal);
        Assert.Contains("caption .title { display: block; position: sticky;", css, StringComparison.Ordinal);
        Assert.Contains(".cards { grid-template-columns: minmax(0, 1fr);", phone, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_words_of_a_plot_say_when_the_busiest_time_began_and_never_from_when_on()
    {
        (_, ReportFile page) = await ReportAsync();

        string[] words = [.. page.Page.Descendants("desc").Select(desc => desc.Value)];
        Assert.All(words, text =>
        {
            Assert.DoesNotContain("UTC on.", text, StringComparison.Ordinal);
            Assert.DoesNotContain("t most ", text, StringComparison.Ordinal);
        });
        Assert.Contains(words, text => text.Contains(" in total. The busiest hour began ", StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_highest_idle_share_is_told_with_its_cost()
    {
        (AccountFigures figures, ReportFile page) = await ReportAsync();

        AppFigures idle = figures.Apps.Where(app => app.Runners?.IdleShare is not null).MaxBy(app => app.Runners!.IdleShare)!;
        string cost = FigureText.Money(idle.Costs.Single().IdleCost, "USD").Replace('\u00A0', ' ');
        Assert.Contains(
            $"The app with the highest idle share is {idle.App}: its runners had no request for " +
                $"{FigureText.Share(idle.Runners!.IdleShare).Replace('\u00A0', ' ')} of their paid time, which cost about {cost}.",
            page.Text,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_hour_with_the_most_errors_names_the_share_of_its_app_that_failed()
    {
        await using FalSimulator server = await FalSimulator.StartAsync(options => options.TimeProvider = _time);
        server.App("my-org/sound").RequestsPerMinute[200] = 100;
        SimulatedApp failing = server.App("my-org/failing");
        failing.RequestsPerMinute[200] = 10;
        failing.During(Now.AddHours(-5).AddMinutes(-34), Now.AddHours(-4).AddMinutes(-34)).RequestsPerMinute[500] = 10;
        using FalObservabilityClient fal = ClientOf(server, server.Key);

        (_, ReportFile page) = await ReportAsync(fal, server);

        Assert.Matches(
            "requests failed \\(8.33 %\\)\\. Most of them, 600, were in my-org/failing, where [0-9.]+ % of its own requests failed\\.",
            page.Text);
        string own = page.Page.Descendants("table")
            .First(table => table.Element("caption")!.Value == "The hours with the most server errors")
            .Element("tbody")!.Elements("tr").First().Elements("td").Last().Value.Replace('\u00A0', ' ');
        Assert.Matches("my-org/failing600 of its [0-9,]+ requests failed, [0-9]+\\.[0-9][0-9] %", own);
    }

    [Fact]
    public void Unattributed_cost_is_told_beside_that_of_the_period_before()
    {
        ReportSources sources = Sources("my-org/app", "my-org/app/route");
        var before = AnalyticsTimeRange.Between(First - (Now - First), First);

        ReportFile page = PageOf(sources with
        {
            RequestsBefore = new AnalyticsReport { Query = sources.Requests.Query with { Range = before }, TimeSeries = [], Summary = [] },
            UsageBefore = new UsageReport
            {
                Query = sources.Usage!.Query with { Range = before },
                Summary = [new UsageRow { App = "<b>no app</b>", Cost = 0.25m, Currency = "USD" }],
            },
        });

        Assert.Contains("0.50 USD (before: 0.25 USD) of the bill belongs to no listed app", page.Text, StringComparison.Ordinal);
        Assert.Contains("before 0.25", Rows(page, "Unattributed cost")[0].Value.Replace('\u00A0', ' '), StringComparison.Ordinal);
    }

    /// <summary>The part of a number before its decimals.</summary>
    [GeneratedRegex("^[0-9,]+")]
    private static partial Regex Whole();

    [GeneratedRegex("[0-9]")]
    private static partial Regex Digit();

    private static ReportFile PageOf(ReportSources sources) => ReportFile.Parse(Html(FiguresOf.Account(sources)));

    private static ReportSources WithBill(ReportSources sources, params UsageRow[] more) => sources with
    {
        Usage = new UsageReport { Query = sources.Usage!.Query, Summary = [.. sources.Usage.Summary, .. more] },
    };

    private static string Card(ReportFile page, string name) => page.Page.Descendants("dt").Single(term => term.Value == name)
        .Parent!.Value.Replace('\u00A0', ' ');

    private static string[] Headers(ReportFile page, string caption) =>
        Headers(page.Page.Descendants("table").Single(table => table.Element("caption")!.Value == caption));

    private static string[] Headers(XElement table) => [.. table.Element("thead")!.Descendants("th").Select(header => header.Value)];
}
