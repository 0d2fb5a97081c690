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

    private static XElement Verdict(ReportFile page) => page.Page.Descendants("p")
        .Single(paragraph => paragraph.Attribute("class")?.Value.StartsWith("verdict", StringComparison.Ordinal) == true);
}
