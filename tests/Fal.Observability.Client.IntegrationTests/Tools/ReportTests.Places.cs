using System.Xml.Linq;
using Fal.Observability.Cli.Report;
using Fal.Observability.Client.Testing;
using Xunit;

namespace Fal.Observability.Client.IntegrationTests.Tools;

/// <summary>What the page says about a figure at each place that has it.</summary>
public sealed partial class ReportTests
{
    [Fact]
    public void A_line_of_the_bill_is_told_with_the_app_that_its_name_seems_to_mean()
    {
        ReportSources sources = WithBill(
            WithApps(Sources("my-org/app", "my-org/app/route"), ("my-org/app", "main"), ("my-org/app-two", "main")),
            new UsageRow { App = "app-main", Cost = 2000, Currency = "USD" },
            new UsageRow { App = "app-two-main", Cost = 3, Currency = "USD" },
            new UsageRow { App = "app-two-eu", Cost = 2, Currency = "USD" },
            new UsageRow { App = "application", Cost = 1, Currency = "USD" },
            new UsageRow { Cost = 0.1m, Currency = "USD" });

        AccountFigures figures = FiguresOf.Account(sources);
        ReportFile page = ReportFile.Parse(Html(figures));

        Assert.Equal(
            [
                "app-main: my-org/app", "app: ", "app-two-main: my-org/app-two", "app-two-eu: my-org/app-two", "application: ",
                "<b>no app</b>: ", ": ",
            ],
            figures.Bill!.Unattributed.Select(rest => $"{rest.App}: {rest.ProbableApp}"));
        string[] names = [.. Rows(page, "Unattributed cost").Select(row => row.Element("th")!.Value)];
        Assert.Equal("app-mainprobably my-org/app", names[0]);
        Assert.Equal("application", names[4]);
        Assert.Contains(
            "Its names on the bill are app-main (probably my-org/app), app, app-two-main (probably my-org/app-two) and 4 more.",
            page.Text,
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_name_on_the_bill_that_could_mean_two_apps_is_not_guessed()
    {
        ReportSources sources = WithBill(
            WithApps(Sources("my-org/app", "my-org/app/route"), ("my-org/app", "main"), ("team/app", "main")),
            new UsageRow { App = "app-main", Cost = 1, Currency = "USD" });

        Assert.All(FiguresOf.Account(sources).Bill!.Unattributed, rest => Assert.Null(rest.ProbableApp));
    }

    [Fact]
    public void An_app_without_a_known_cost_is_named_and_so_is_the_line_that_is_probably_its_cost()
    {
        ReportSources sources = WithApps(Sources("my-org/app", "my-org/app/route"), ("my-org/app", "main"));

        string text = PageOf(sources with
        {
            Usage = new UsageReport
            {
                Query = sources.Usage!.Query,
                Summary = [new UsageRow { App = "app-main", Cost = 2000, Currency = "USD" }, new UsageRow { Cost = 1, Currency = "USD" }],
            },
        }).Text;

        Assert.Contains("The cost of 1 app is not known: my-org/app.", text, StringComparison.Ordinal);
        Assert.Contains(
            "Its cost is not known, because no line of the bill names it in its environment. The line app-main, 2,000.00 USD, is " +
                "probably its cost.",
            text,
            StringComparison.Ordinal);
        Assert.Contains("Its names on the bill are app-main (probably my-org/app), no name.", text, StringComparison.Ordinal);
        Assert.DoesNotContain("exactly its name", text, StringComparison.Ordinal);
        Assert.DoesNotContain("(no name)", text, StringComparison.Ordinal);
    }

    [Fact]
    public void The_most_expensive_app_is_told_beside_a_higher_line_and_the_app_that_it_probably_is()
    {
        ReportSources sources = WithBill(
            Sources("my-org/app", "my-org/app/route"), new UsageRow { App = "app-eu", Cost = 2000, Currency = "USD" });

        Assert.Contains(
            "A line of the bill that belongs to no listed app is higher: app-eu (probably my-org/app), 2,000.00 USD.",
            PageOf(sources).Text,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_list_of_the_longest_waits_of_an_app_says_what_it_leaves_out()
    {
        await using FalSimulator server = await FalSimulator.StartAsync(options => options.TimeProvider = _time);
        server.App("my-org/app").RequestsPerMinute[200] = 10;
        using FalObservabilityClient fal = ClientOf(server, server.Key);

        (_, ReportFile page) = await ReportAsync(fal, server);

        Assert.Contains(
            "The list of the longest waits leaves out an endpoint's hours with fewer than 20 requests",
            page.Page.Descendants("article").Single().Value,
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(100, "seconds", "100")]
    [InlineData(600, "minutes", "10")]
    [InlineData(11916, "hours", "3")]
    public void The_axis_of_a_plot_of_waits_has_the_unit_of_its_text(double seconds, string unit, string label)
    {
        AccountFigures figures = FiguresOf.Account(Sources("my-org/app", "my-org/app/route"));
        AppFigures app = figures.Apps[0];
        ColumnFigures[] columns = [.. app.Columns.Items.Select(column => column with { QueueP99 = seconds })];

        ReportFile page = ReportFile.Parse(Html(figures with
        {
            Apps = [app with { Columns = app.Columns with { Items = columns } }],
        }));

        XElement plot = page.Page.Descendants("svg").Single(plot => plot.Element("title")!.Value == $"Wait in the queue, {unit}");
        Assert.Contains(
            $"The highest p99 is {FigureText.Duration(seconds)}", plot.Element("desc")!.Value, StringComparison.Ordinal);
        Assert.Contains(label, plot.Elements("text").Select(text => text.Value));
    }

    [Fact]
    public async Task An_hour_that_is_not_over_is_told_by_its_start_and_not_by_its_length()
    {
        (AccountFigures figures, ReportFile page) = await ReportAsync();

        string since = FigureText.Clock(figures.Period.ProvisionalSince!.Value);
        Assert.Contains(
            $"may still change. Since {since}, there were {FigureText.Count(figures.Period.ProvisionalRequestCount)} requests.",
            page.Text,
            StringComparison.Ordinal);
        Assert.DoesNotContain("1 hour with", page.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Runners_that_were_never_idle_have_no_idle_cost()
    {
        (AccountFigures figures, _) = await ReportAsync();

        string text = ReportFile.Parse(Html(figures with
        {
            IdleShare = 0,
            RunnerHours = new RunnerHoursFigures(0, 100),
            Apps =
            [
                .. figures.Apps.Select(app => app with
                {
                    Runners = new RunnerFigures(0, new RunnerHoursFigures(0, 10), 1, null, null),
                    Costs = [.. app.Costs.Select(cost => cost with { IdleCost = 0 })],
                }),
            ],
        })).Text;

        Assert.Contains("Its runners were never idle.", text, StringComparison.Ordinal);
        Assert.DoesNotContain("which cost about", text, StringComparison.Ordinal);
        Assert.DoesNotContain("at a cost of", text, StringComparison.Ordinal);
        Assert.DoesNotContain("highest idle share", text, StringComparison.Ordinal);
    }

    [Fact]
    public void An_amount_of_money_keeps_all_its_digits_before_the_point() =>
        Assert.Equal("123,456,789,012,345,678.91\u00A0USD", FigureText.Money(123456789012345678.912m, "USD"));

    [Fact]
    public async Task The_contents_after_the_first_screen_name_every_section_in_its_order()
    {
        (_, ReportFile page) = await ReportAsync();

        XElement contents = page.Page.Descendants("nav").Single(nav => nav.Attribute("aria-label")!.Value == "Contents");
        Assert.Equal("Summary", contents.ElementsBeforeSelf().Last().Attribute("aria-label")!.Value);
        Assert.Equal(
            contents.ElementsAfterSelf("section").Select(section => section.Element("h2")!)
                .Select(title => (title.Attribute("id")!.Value, title.Value)),
            contents.Descendants("a").Select(link => (link.Attribute("href")!.Value[1..], link.Value)));
        Assert.Equal("#apps", contents.Descendants("a").Last().Attribute("href")!.Value);
    }

    [Fact]
    public async Task Each_name_of_an_endpoint_in_a_table_can_break_after_its_slashes()
    {
        (_, ReportFile page) = await ReportAsync();

        XElement[] names = [.. page.Page.Descendants("th").Where(name => name.Value.Contains('/', StringComparison.Ordinal))];
        Assert.Contains(names, name => !name.Descendants("a").Any());
        Assert.All(
            names.Where(name => name.Attribute("scope")!.Value == "row"), name => Assert.NotEmpty(name.Descendants("wbr")));
    }

    private static ReportSources WithApps(ReportSources sources, params (string Id, string Environment)[] apps) => sources with
    {
        Request = sources.Request with
        {
            Apps = new FalAppList { Apps = [.. apps.Select(app => new FalApp { EndpointId = app.Id, Environment = app.Environment })] },
        },
    };
}
