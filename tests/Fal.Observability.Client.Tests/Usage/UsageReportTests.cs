using Xunit;

namespace Fal.Observability.Client.Tests;

public sealed class UsageReportTests
{
    private static readonly DateTimeOffset Start = new(2026, 6, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly AnalyticsTimeRange Month = AnalyticsTimeRange.Between(Start, Start.AddDays(30));

    [Fact]
    public void Totals_are_those_of_one_currency_and_ordered_by_cost()
    {
        UsageReport report = Report(
            (0, Row("a", 1, "USD", machine: "GPU-H100")),
            (0, Row("a", 2.25m, "USD", machine: "L", surge: true)),
            (1, Row("b", 10, "USD", machine: "L")),
            (1, Row("b", 5, "EUR", machine: "L")),
            (1, Row(null, 7, "USD", machine: "L")),
            (2, Row("a", 0.5m, "USD", environment: "staging", machine: "L")));

        Assert.Equal([("EUR", 5m), ("USD", 20.75m)], report.Totals.Select(total => (total.Currency, total.Cost)));
        Assert.Equal(
            [("b", "main", "EUR", 5m), ("b", "main", "USD", 10m), (null, "main", "USD", 7m), ("a", "main", "USD", 3.25m),
                ("a", "staging", "USD", 0.5m)],
            report.ByApp().Select(total => (total.App, total.Environment, total.Currency, total.Cost)));
        Assert.Equal(
            [("L", "EUR", 5m), ("L", "USD", 19.75m), ("GPU-H100", "USD", 1m)],
            report.ByMachineType().Select(total => (total.MachineType, total.Currency, total.Cost)));
        Assert.Equal(
            [(1, "USD", 3.25m), (2, "EUR", 5m), (2, "USD", 17m), (3, "USD", 0.5m)],
            report.ByDay().Select(total => (total.Day!.Value.Day, total.Currency, total.Cost)));
        Assert.Equal("b (main): 5 EUR", report.ByApp()[0].ToString());
    }

    [Fact]
    public void Machine_time_is_null_where_a_row_does_not_say_and_the_longest_there_is_beyond()
    {
        UsageReport report = Report((0, Row("a", 1, "USD", seconds: 1.5m)), (0, Row("a", 1, "USD", seconds: 2m)),
            (0, Row("b", 1, "USD", seconds: null)), (0, Row("c", 0, "USD", seconds: 1e17m)));
        Dictionary<string, TimeSpan?> times = report.ByApp()
            .ToDictionary(total => total.App!, total => total.MachineTime, StringComparer.Ordinal);
        Assert.Equal(TimeSpan.FromSeconds(3.5), times["a"]);
        Assert.Null(times["b"]);
        Assert.Equal(TimeSpan.MaxValue, times["c"]);
    }

    [Fact]
    public void A_day_is_one_of_the_querys_zone()
    {
        var report = new UsageReport
        {
            Query = new UsageQuery { Range = Month, TimeZone = "America/New_York", Timeframe = AnalyticsTimeframe.Hour },
            TimeSeries = [new UsageBucket { Start = new DateTimeOffset(2026, 6, 1, 23, 0, 0, TimeSpan.FromHours(-4)),
                Rows = [Row("a", 1, "USD")] }],
        };
        Assert.Equal(new DateOnly(2026, 6, 1), Assert.Single(report.ByDay()).Day);
    }

    [Fact]
    public void A_day_is_one_of_the_querys_zone_where_the_service_sends_utc_too()
    {
        var report = new UsageReport
        {
            Query = new UsageQuery { Range = Month, TimeZone = "Europe/Berlin", Timeframe = AnalyticsTimeframe.Day },
            TimeSeries = [new UsageBucket { Start = new DateTimeOffset(2026, 6, 1, 22, 0, 0, TimeSpan.Zero), Rows = [Row("a", 1, "USD")] }],
        };
        Assert.Equal(new DateOnly(2026, 6, 2), Assert.Single(report.ByDay()).Day);
    }

    [Fact]
    public void What_is_not_known_of_a_cost_leaves_no_gap_in_its_line()
    {
        FalAppList apps = new() { Apps = [App("o/a", "main"), App("o/b", "main")] };
        AppCostReport costs = Report((0, Row("a", 2.5m, "USD")), (0, Row("b", 1, "USD")))
            .ByApp(apps, Requests(apps.ToQuery(), ("o/b", 500)));
        Assert.Equal(["o/a: 2.5 USD", "o/b: 1 USD, 2 per 1,000 successes"], costs.Apps.Select(cost => cost.ToString()));
    }

    [Theory]
    [MemberData(nameof(CultureScope.Names), MemberType = typeof(CultureScope))]
    public void The_line_of_an_app_is_the_same_in_every_culture(string culture)
    {
        using var scope = new CultureScope(culture);
        FalAppList apps = new() { Apps = [App("o/a", "main")] };
        AppCostReport costs = Report((0, Row("a", 2.5m, "USD"))).ByApp(apps, Requests(apps.ToQuery(), ("o/a", 2000)));
        Assert.Equal("o/a: 2.5 USD, 1.25 per 1,000 successes", Assert.Single(costs.Apps).ToString());
    }

    [Fact]
    public void Without_a_report_about_requests_each_app_has_its_cost_alone()
    {
        FalAppList apps = new() { Apps = [App("o/a", "main"), App("o/b", "main")] };
        UsageReport usage = Report((0, Row("a", 2.5m, "USD")), (0, Row("b-main", 1, "USD")), (0, Row("c", 4, "USD")));

        AppCostReport costs = usage.ByApp(apps, appOf: row => row.App == "b-main" ? apps.AppOf("o/b") : null);

        Assert.Equal(["o/a: 2.5 USD", "o/b: 1 USD"], costs.Apps.Select(cost => cost.ToString()));
        Assert.All(costs.Apps, cost => Assert.Null(cost.Requests));
        Assert.Equal(4, Assert.Single(costs.Unattributed).Cost);
    }

    [Fact]
    public void Requests_of_no_range_are_refused_as_those_of_another_time()
    {
        FalAppList apps = new() { Apps = [App("o/a", "main")] };
        ArgumentException failure = Assert.Throws<ArgumentException>(
            () => Report((0, Row("a", 1, "USD"))).ByApp(apps, new AnalyticsReport { Query = apps.ToQuery() }));
        Assert.Contains("Set Range", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_refund_lowers_the_bill_and_the_whole_stays_the_sum_of_its_parts()
    {
        FalAppList apps = new() { Apps = [App("o/a", "main")] };
        AppCostReport costs = Report((0, Row("a", 1, "USD")), (0, Row("a", -3.5m, "USD")), (1, Row(null, -1, "USD")))
            .ByApp(apps, Requests(apps.ToQuery(), ("o/a", 1000)));
        Assert.Equal(-2.5m, Assert.Single(costs.Apps).Cost);
        Assert.Equal(-2.5m, costs.Apps[0].CostPerThousandSuccesses);
        Assert.Equal(-3.5m, Assert.Single(costs.Total).Cost);
    }

    [Fact]
    public void The_largest_numbers_that_a_bill_can_hold_add_up()
    {
        FalAppList apps = new() { Apps = [App("o/a", "main")] };
        UsageReport usage = Report([
            .. Enumerable
                .Range(0, 10_000)
                .Select(i => (i % 30, Row("a", 999_999_999_999_999_999m, "USD", seconds: 999_999_999_999_999_999m))),
        ]);
        AppCost cost = Assert.Single(usage.ByApp(apps, Requests(apps.ToQuery(), ("o/a", 1))).Apps);
        Assert.Equal(9_999_999_999_999_999_990_000m, cost.Cost);
        Assert.Equal(9_999_999_999_999_999_990_000_000m, cost.CostPerThousandSuccesses);
        Assert.Equal(TimeSpan.MaxValue, cost.Usage!.MachineTime);
    }

    [Theory]
    [InlineData(AnalyticsTimeframe.Week)]
    [InlineData(AnalyticsTimeframe.Month)]
    public void Longer_buckets_have_no_days_and_the_message_says_what_to_ask_for(AnalyticsTimeframe timeframe)
    {
        UsageReport report = new() { Query = new UsageQuery { Range = Month, Timeframe = timeframe } };
        Assert.Contains("Timeframe", Assert.Throws<InvalidOperationException>(() => report.ByDay()).Message, StringComparison.Ordinal);
        UsageReport summary = new() { Query = new UsageQuery { Range = Month, Expand = UsageExpand.Summary } };
        Assert.Throws<InvalidOperationException>(() => summary.ByDay());
    }

    [Fact]
    public void Totals_are_those_of_the_summary_where_there_is_no_series()
    {
        UsageReport report = new()
        {
            Query = new UsageQuery { Range = Month, Expand = UsageExpand.Summary },
            Summary = [Row("a", 3, "USD")]
        };
        Assert.Equal(3, Assert.Single(report.Totals).Cost);
        UsageReport both = new()
        {
            Query = new UsageQuery { Range = Month, Expand = UsageExpand.Summary | UsageExpand.TimeSeries },
            Summary = [Row("a", 3, "USD")],
            TimeSeries = [new UsageBucket { Start = Start, Rows = [Row("a", 4, "USD")] }],
        };
        Assert.Equal(4, Assert.Single(both.Totals).Cost);
    }

    [Fact]
    public void Cost_is_joined_on_exact_name_and_environment_and_the_rest_is_named()
    {
        var apps = new FalAppList
        {
            Apps =
            [
                App("o/painter", "main"), App("o/writer", "main"), App("o/idle", "main"), App("o/quiet", "staging"),
                App("o/twin", "main"), App("p/twin", "staging"),
                App("o/both", "main"), App("o/both", "staging"),
                new FalApp { EndpointId = "o/nowhere" },
            ],
        };
        UsageReport usage = Report(
            (0, Row("painter", 2, "USD")), (1, Row("painter", 1, "USD", surge: true)), (1, Row("painter", 9, "EUR")),
            (1, Row("painter-main", 100, "USD")),
            (1, Row("painter", 200, "USD", environment: null)),
            (1, Row("painter", 400, "USD", environment: "staging")),
            (2, Row("twin", 800, "USD")), (2, Row("twin", 1600, "USD", environment: "staging")),
            (2, Row("idle", 5, "USD")), (2, Row("both", 3, "USD")), (2, Row("both", 4, "USD", environment: "staging")),
            (2, Row("nowhere", 3200, "USD", environment: null)), (2, Row("Writer", 6400, "USD")),
            (3, Row(null, 0.01m, "EUR")));
        AnalyticsReport requests = Requests(apps.ToQuery(), ("o/painter", 1000), ("o/painter/turbo", 500), ("o/twin", 7), ("o/both", 10),
            ("o/stranger", 99));

        AppCostReport costs = usage.ByApp(apps, requests);

        Assert.Equal(
            [
                "o/painter main 9 EUR 6", "o/idle main 5 USD ", "o/both staging 4 USD ", "o/both main 3 USD ", "o/painter main 3 USD 2",
                "o/nowhere    ", "o/quiet staging   ", "o/twin main   ", "o/writer main   ", "p/twin staging   ",
            ],
            costs.Apps.Select(app =>
                FormattableString.Invariant(
                    $"{app.App.EndpointId} {app.App.Environment} {app.Cost} {app.Currency} {app.CostPerThousandSuccesses:0.#}"
                )
            )
        );
        Assert.Equal([("EUR", 9m), ("USD", 15m)], costs.Attributed.Select(total => (total.Currency, total.Cost)));
        Assert.Equal(
            [(null, "EUR", 0.01m), ("Writer", "USD", 6400m), ("nowhere", "USD", 3200m), ("twin", "USD", 1600m), ("twin", "USD", 800m),
                ("painter", "USD", 400m), ("painter", "USD", 200m), ("painter-main", "USD", 100m)],
            costs.Unattributed.Select(total => (total.App, total.Currency, total.Cost)));

        // An app that was asked for and had no request has a total of none; of one in two environments nobody knows.
        Assert.Equal(0, costs.Apps.Single(app => app.App.Name == "idle").Requests!.GetValue(AnalyticsExpand.SuccessCount));
        Assert.All(costs.Apps.Where(app => app.App.Name == "both"), app => Assert.Null(app.Requests));
        Assert.Equal(1500, costs.Apps[0].Requests!.GetValue(AnalyticsExpand.SuccessCount));
    }

    [Fact]
    public void Rows_under_another_name_are_an_apps_where_the_caller_says_so_and_no_others()
    {
        FalApp painter = App("o/painter", "main");
        var apps = new FalAppList { Apps = [painter, App("o/twin", "main"), App("p/twin", "main")] };
        UsageReport usage = Report(
            (0, Row("painter", 2, "USD")), (1, Row("painter-v2", 5, "USD")), (1, Row("painter-v2", 1, "EUR")), (2, Row("twin", 8, "USD")),
            (2, Row(null, 16, "USD")), (3, Row("painter-v3", 32, "USD")));
        List<string?> asked = [];

        AppCostReport costs = usage.ByApp(apps, Requests(apps.ToQuery(), ("o/painter", 7000)), row =>
        {
            asked.Add(row.App);
            return row.App switch { "painter-v2" => painter, "twin" => apps.AppOf("p/twin"), _ => null };
        });

        Assert.DoesNotContain("painter", asked);
        Assert.Equal(
            ["o/painter 1 EUR", "p/twin 8 USD", "o/painter 7 USD", "o/twin  "],
            costs.Apps.Select(app => FormattableString.Invariant($"{app.App.EndpointId} {app.Cost} {app.Currency}")));
        Assert.Equal(1m, costs.Apps[2].CostPerThousandSuccesses);
        Assert.Equal([("painter-v3", 32m), (null, 16m)], costs.Unattributed.Select(rest => (rest.App, rest.Cost)));
        Assert.Equal(
            costs.Total.Sum(total => total.Cost),
            costs.Attributed.Sum(part => part.Cost) + costs.Unattributed.Sum(rest => rest.Cost)
        );

        ArgumentException stranger = Assert.Throws<ArgumentException>(() =>
            usage.ByApp(apps, Requests(apps.ToQuery()), _ => App("o/painter", "main")));
        Assert.Contains("Return an app of the list", stranger.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Attributed_and_unattributed_are_the_whole_bill_whatever_is_on_it()
    {
        for (int seed = 0; seed < 200; seed++)
        {
            var dice = new Random(seed);
            string?[] names = ["a", "b", "c", "a-main", null];
            string?[] environments = ["main", "staging", null];
            UsageReport usage = Report(
            [
                .. Enumerable.Range(0, dice.Next(60)).Select(_ => (dice.Next(30), Row(
                    names[dice.Next(names.Length)], dice.NextInt64(1, 10_000_000_000_000) / 10_000_000_000m, dice.Next(3) == 0 ? "EUR"
                        : "USD", environments[dice.Next(3)]))),
            ]);
            FalAppList apps = new()
            {
                Apps = [.. Enumerable.Range(0, 1 + dice.Next(6))
                    .Select(_ => App($"{"op"[dice.Next(2)]}/{"abc"[dice.Next(3)]}", environments[dice.Next(3)]))],
            };

            AppCostReport costs = usage.ByApp(apps, Requests(apps.ToQuery()));

            foreach (UsageTotals total in costs.Total)
            {
                decimal attributed = costs.Attributed.SingleOrDefault(part => part.Currency == total.Currency)?.Cost ?? 0;
                decimal rest = costs.Unattributed.Where(part => part.Currency == total.Currency).Sum(part => part.Cost);
                Assert.Equal(total.Cost, attributed + rest);
                Assert.Equal(attributed, costs.Apps.Where(app => app.Currency == total.Currency).Sum(app => app.Cost!.Value));
            }

            Assert.All(costs.Attributed, part => Assert.Contains(costs.Total, total => total.Currency == part.Currency));
        }
    }

    [Fact]
    public void An_app_that_the_report_did_not_ask_for_or_that_was_refused_has_unknown_requests_and_a_cost()
    {
        FalAppList apps = new() { Apps = [App("o/a", "main"), App("o/b", "main")] };
        UsageReport usage = Report((0, Row("a", 1, "USD")), (0, Row("b", 2, "USD")));
        AnalyticsReport requests = new()
        {
            Query = apps.ToQuery() with { Range = Month },
            RefusedEndpoints = [new AnalyticsRefusedEndpoint("o/a", System.Net.HttpStatusCode.Forbidden, null)],
        };
        Assert.All(usage.ByApp(apps, requests).Apps.Where(app => app.App.Name == "a"), app =>
            Assert.Equal((1m, null, null), (app.Cost, app.Requests, app.CostPerThousandSuccesses)));
        AnalyticsReport other = new() { Query = new AnalyticsQuery("o/a") { Range = Month } };
        Assert.Null(usage.ByApp(apps, other).Apps.Single(app => app.App.Name == "b").Requests);
    }

    [Fact]
    public void Without_the_number_of_successes_there_is_no_cost_of_one()
    {
        FalAppList apps = new() { Apps = [App("o/a", "main")] };
        AnalyticsReport requests = new()
        {
            Query = apps.ToQuery(AnalyticsExpand.RequestCount) with { Range = Month },
            TimeSeries = [new AnalyticsBucket { Start = Start, Rows = [new AnalyticsRow { EndpointId = "o/a", RequestCount = 5 }] }],
        };
        AppCost cost = Assert.Single(Report((0, Row("a", 1, "USD"))).ByApp(apps, requests).Apps);
        Assert.Null(cost.CostPerThousandSuccesses);
        Assert.Equal(5, cost.Requests!.GetValue(AnalyticsExpand.RequestCount));
    }

    [Fact]
    public void Requests_of_another_time_are_refused_with_what_to_set()
    {
        FalAppList apps = new() { Apps = [App("o/a", "main")] };
        UsageReport usage = Report((0, Row("a", 1, "USD")));
        AnalyticsQuery good = apps.ToQuery() with { Range = Month };
        AnalyticsQuery[] others =
        [
            good with { Range = AnalyticsTimeRange.Between(Start.AddSeconds(1), Start.AddDays(30)) },
            good with { Timeframe = AnalyticsTimeframe.Hour },
            good with { TimeZone = "Europe/Berlin" },
            good with { BoundToTimeframe = false },
        ];
        foreach (AnalyticsQuery query in others)
        {
            Assert.Contains("usage.Query", Refusal(query), StringComparison.Ordinal);
        }

        Assert.Contains("Serverless", Refusal(good with { Source = AnalyticsSource.Models }), StringComparison.Ordinal);
        Assert.Contains("ClosedOnly", Refusal(good with { ClosedOnly = true }), StringComparison.Ordinal);

        // What is said and what is the default are the same.
        usage.ByApp(apps, new AnalyticsReport
        {
            Query = good with
            {
                TimeZone = "UTC",
                BoundToTimeframe = true,
                Timeframe = AnalyticsTimeframe.Day
            }
        });

        string Refusal(AnalyticsQuery query) =>
            Assert.Throws<ArgumentException>(() => usage.ByApp(apps, new AnalyticsReport { Query = query })).Message;
    }

    private static UsageReport Report(params (int Day, UsageRow Row)[] rows) => new()
    {
        Query = new UsageQuery { Range = Month },
        TimeSeries =
        [
            .. rows.GroupBy(row => row.Day, row => row.Row).OrderBy(day => day.Key)
                .Select(day => new UsageBucket { Start = Start.AddDays(day.Key), Rows = [.. day] }),
        ],
    };

    private static AnalyticsReport Requests(AnalyticsQuery query, params (string Id, long Successes)[] rows) => new()
    {
        Query = query with { Range = Month },
        TimeSeries =
        [
            new AnalyticsBucket
            {
                Start = Start,
                Rows = [.. rows.Select(row => new AnalyticsRow { EndpointId = row.Id, SuccessCount = row.Successes,
                    RequestCount = row.Successes, ErrorCount = 0, UserErrorCount = 0 })],
            },
        ],
    };

    private static FalApp App(string id, string? environment) => new() { EndpointId = id, Environment = environment };

    private static UsageRow Row(
        string? app, decimal cost, string currency, string? environment = "main", string machine = "GPU-H100", bool surge = false,
            decimal? seconds = 60) =>
        new()
        {
            App = app,
            Environment = environment,
            MachineType = machine,
            Unit = "second",
            Quantity = seconds,
            Cost = cost,
            Currency = currency,
            IsSurge = surge,
        };
}
