using System.Globalization;
using System.Xml.Linq;
using Fal.Observability.Cli.Report;
using Fal.Observability.Client.Testing;
using Xunit;

namespace Fal.Observability.Client.IntegrationTests.Tools;

/// <summary>What the page says about reliability, first of all in its first sentence.</summary>
public sealed partial class ReportTests
{
    [Fact]
    public async Task The_verdict_names_the_apps_that_miss_an_objective_that_all_apps_together_meet()
    {
        await using FalSimulator server = await FalSimulator.StartAsync(options => options.TimeProvider = _time);
        server.App("my-org/busy").RequestsPerMinute[200] = 2000;
        SimulatedApp failing = server.App("my-org/failing");
        failing.RequestsPerMinute[200] = 9;
        failing.RequestsPerMinute[500] = 1;
        using FalObservabilityClient fal = ClientOf(server, server.Key);

        (_, ReportFile page) = await ReportAsync(fal, server);

        XElement verdict = Verdict(page);
        Assert.StartsWith("All apps together meet the objective, but 1 of 2 apps misses it. ", verdict.Value, StringComparison.Ordinal);
        Assert.Equal("verdict warn", verdict.Attribute("class")!.Value);
        string css = page.Page.Descendants("style").Single().Value;
        Assert.Contains(".verdict.warn { background: var(--warn-page); border-left: .4rem dashed ", css, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_verdict_is_good_only_if_no_app_misses_the_objective_and_bad_if_all_apps_together_do()
    {
        await using FalSimulator server = await FalSimulator.StartAsync(options => options.TimeProvider = _time);
        server.App("my-org/sound").RequestsPerMinute[200] = 10;
        SimulatedApp other = server.App("my-org/other");
        other.RequestsPerMinute[200] = 9;
        using FalObservabilityClient fal = ClientOf(server, server.Key);

        (_, ReportFile good) = await ReportAsync(fal, server);
        other.RequestsPerMinute[500] = 1;
        (_, ReportFile bad) = await ReportAsync(fal, server);

        Assert.StartsWith("The objective is met. ", Verdict(good).Value, StringComparison.Ordinal);
        Assert.Equal("verdict good", Verdict(good).Attribute("class")!.Value);
        Assert.StartsWith(
            "All apps together miss the objective, and 1 of 2 apps misses it. ", Verdict(bad).Value, StringComparison.Ordinal);
        Assert.Equal("verdict bad", Verdict(bad).Attribute("class")!.Value);
    }

    [Fact]
    public void The_budget_of_an_app_is_told_with_the_window_that_it_is_about()
    {
        AccountFigures figures = FiguresOf.Account(Sources("my-org/app", "my-org/app/route"));
        string text = ReportFile.Parse(Html(figures)).Text;
        string window = $"the 7 days to {FigureText.Instant(figures.Availability!.AsOf)} UTC";

        Assert.Contains($"of the error budget of {window} is used.", text, StringComparison.Ordinal);
        Assert.Contains($"The objective and its budget are about their window, {window}.", text, StringComparison.Ordinal);
    }

    [Fact]
    public void The_order_of_the_slowest_endpoints_names_its_percentile()
    {
        string text = PageOf(Sources("my-org/app", "my-org/app/route")).Text;

        Assert.Contains("The endpoints with the highest p90 come first", text, StringComparison.Ordinal);
    }

    [Fact]
    public void The_change_of_server_errors_is_told_beside_a_share_that_hardly_changed()
    {
        AccountFigures figures = FiguresOf.Account(Sources("my-org/app", "my-org/app/route"));

        ReportFile page = ReportFile.Parse(Html(WithErrors(figures, 0.0035, 0.003)));

        string card = Card(page, "Without a server error");
        Assert.Contains("99.65 %", card, StringComparison.Ordinal);
        Assert.Contains("before: 99.70 %; server errors per request: +16.7 %", card, StringComparison.Ordinal);
        Assert.Contains(
            "Server errors per request have grown (+16.7 %): of all requests, 0.35 % failed, and 0.30 % in the previous period.",
            page.Text,
            StringComparison.Ordinal);
        Assert.DoesNotContain("has grown most in", page.Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0.0032, 0.003, "+6.7 %", false)]
    [InlineData(0.002, 0.003, "−33.3 %", false)]
    [InlineData(0.003, 0.0, "none before", true)]
    [InlineData(0.0, 0.0, "unchanged", false)]
    public void Server_errors_stand_out_if_they_grew_by_more_than_a_tenth(double share, double before, string change, bool standsOut)
    {
        AccountFigures figures = FiguresOf.Account(Sources("my-org/app", "my-org/app/route"));

        ReportFile page = ReportFile.Parse(Html(WithErrors(figures, share, before)));

        Assert.EndsWith($"server errors per request: {change}", Card(page, "Without a server error"), StringComparison.Ordinal);
        Assert.Equal(standsOut, page.Text.Contains("Server errors per request have grown", StringComparison.Ordinal));
    }

    [Fact]
    public void The_app_whose_share_of_server_errors_grew_most_is_named()
    {
        AccountFigures figures = FiguresOf.Account(Sources("my-org/app", "my-org/app/route"));
        AppFigures app = figures.Apps[0];

        string text = ReportFile.Parse(Html(figures with
        {
            Apps =
            [
                Grown("my-org/steady", 1000, 0.02, 0.02),
                Grown("my-org/worse", 1000, 0.012, 0.002),
                Grown("my-org/little", 1000, 0.002, 0.0001),
                Grown("my-org/rare", 3, 0.9, 0.1),
            ],
        })).Text;

        Assert.Contains(
            "The share of server errors has grown most in my-org/worse (+500.0 %): of its requests, 1.20 % failed, and 0.20 % in the " +
                "previous period.",
            text,
            StringComparison.Ordinal);

        AppFigures Grown(string name, double requests, double share, double before) => app with
        {
            App = name,
            Traffic = app.Traffic with { RequestCount = new Compared(requests, requests), ErrorRate = new Compared(share, before) },
        };
    }

    [Theory]
    [InlineData(0.9949999, 0.995, "99.49 %")]
    [InlineData(0.9965, 0.995, "99.65 %")]
    [InlineData(0.99997, 0.995, "99.99 %")]
    [InlineData(0.99997, 0.99995, "99.997 %")]
    [InlineData(1.0, 0.995, "100.00 %")]
    public void A_share_without_server_errors_never_looks_better_than_it_was(double share, double target, string text) =>
        Assert.Equal(text, FigureText.ErrorFree(share, target).Replace('\u00A0', ' '));

    [Fact]
    public async Task A_figure_is_rounded_in_the_same_way_wherever_the_page_has_it()
    {
        (_, ReportFile page) = await ReportAsync();

        Assert.All(
            page.Page.Descendants("data").GroupBy(figure => figure.Attribute("data-figure")!.Value, StringComparer.Ordinal),
            same => Assert.Single(same.Select(figure => decimal.TryParse(
                figure.Value, NumberStyles.Number, CultureInfo.InvariantCulture, out decimal number)
                    ? Invariant($"{number:0.####}")
                    : figure.Value).Distinct()));
    }

    private static AccountFigures WithErrors(AccountFigures figures, double share, double before) => figures with
    {
        Traffic = figures.Traffic with { ErrorRate = new Compared(share, before) },
    };

    private static XElement Verdict(ReportFile page) => page.Page.Descendants("p")
        .Single(paragraph => paragraph.Attribute("class")?.Value.StartsWith("verdict", StringComparison.Ordinal) == true);
}
