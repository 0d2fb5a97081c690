using Xunit;

namespace Fal.Observability.Client.Tests;

public sealed class AnalyticsTotalsTests
{
    private static readonly DateTimeOffset Noon = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Counts_add_up_and_a_rate_weighs_every_request_the_same()
    {
        AnalyticsTotals totals = AnalyticsTotals.Of([
            new AnalyticsRow
            {
                EndpointId = "a/b",
                RequestCount = 1,
                SuccessCount = 0,
                ErrorCount = 1,
                TotalBillableDuration = TimeSpan.FromSeconds(0.5),
            },
            new AnalyticsRow
            {
                EndpointId = "a/b",
                RequestCount = 999,
                SuccessCount = 999,
                ErrorCount = 0,
                TotalBillableDuration = TimeSpan.FromSeconds(1.25),
            },
        ]);

        Assert.Equal(1000, totals.GetValue(AnalyticsExpand.RequestCount));
        Assert.Equal((1000L, 999L, null, 1L), (totals.RequestCount, totals.SuccessCount, totals.UserErrorCount, totals.ErrorCount));
        Assert.Equal(1.75, totals.GetValue(AnalyticsExpand.TotalBillableDuration));
        // The mean of the rates of the two rows would be 0.5.
        Assert.Equal(0.999, totals.SuccessRate);
        Assert.Equal(0.001, totals.ErrorRate);
        Assert.Null(totals.UserErrorRate);
        Assert.Equal(2, totals.RowCount);
    }

    [Fact]
    public void A_percentile_cannot_be_had_of_several_rows()
    {
        AnalyticsTotals totals = AnalyticsTotals.Of([new AnalyticsRow { EndpointId = "a/b", P90Duration = TimeSpan.FromSeconds(1) }]);

        ArgumentException error = Assert.Throws<ArgumentException>(() => totals.GetValue(AnalyticsExpand.P90Duration));
        Assert.Contains("percentile", error.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => totals.GetValue(AnalyticsExpand.Volume));
        Assert.Throws<ArgumentException>(() => totals.GetValue(AnalyticsExpand.Summary));
    }

    [Fact]
    public void A_total_that_lacks_a_part_is_not_known_and_one_of_nothing_is_zero()
    {
        AnalyticsTotals partly = AnalyticsTotals.Of([
            new AnalyticsRow { EndpointId = "a/b", RequestCount = 5 },
            new AnalyticsRow { EndpointId = "c/d" },
        ]);
        AnalyticsTotals nothing = AnalyticsTotals.Of(Array.Empty<AnalyticsRow>());

        Assert.Null(partly.GetValue(AnalyticsExpand.RequestCount));
        Assert.Equal(0, nothing.GetValue(AnalyticsExpand.RequestCount));
        Assert.Null(nothing.ErrorRate);
    }

    [Fact]
    public void Buckets_add_up_by_endpoint()
    {
        IReadOnlyDictionary<string, AnalyticsTotals> totals = AnalyticsTotals.ByEndpoint([Hour(1, 10, 1), Hour(2, 30, 2)]);

        Assert.Equal(40, totals["a/b"].GetValue(AnalyticsExpand.RequestCount));
        Assert.Equal(3, totals["a/b"].GetValue(AnalyticsExpand.ErrorCount));
        Assert.Single(totals);
    }

    [Fact]
    public void An_objective_tells_the_budget_that_is_used_and_how_fast()
    {
        // Thirty days of 1,000 requests an hour; 5 errors in each of the last six hours, 30 in the very last, none before.
        AnalyticsBucket[] hours = [.. Enumerable.Range(1, 24 * 30).Select(age => Hour(age, 1000, age == 1 ? 30 : age <= 6 ? 5 : 0))];

        AvailabilityStatus status = new AvailabilityObjective(0.999, TimeSpan.FromDays(30)).Evaluate(hours, Noon);

        Assert.Equal((720_000, 55), (status.Requests, status.Errors));
        Assert.Equal(55.0 / 720, status.ErrorBudgetConsumed!.Value, 1e-9);
        Assert.Equal(30, status.ShortBurnRate!.Value, 1e-9);
        Assert.Equal(55.0 / 6, status.LongBurnRate!.Value, 1e-9);
        Assert.True(status.IsMet);
    }

    [Fact]
    public void What_lies_outside_the_window_does_not_count_and_a_spent_budget_breaks_the_objective()
    {
        AvailabilityStatus status = new AvailabilityObjective(0.99, TimeSpan.FromHours(6))
            .Evaluate([Hour(7, 1000, 1000), Hour(6, 100, 2), Hour(1, 100, 1), Hour(0, 1000, 1000)], Noon);

        Assert.Equal((200, 3), (status.Requests, status.Errors));
        Assert.Equal(1.5, status.ErrorBudgetConsumed!.Value, 1e-9);
        Assert.False(status.IsMet);
    }

    [Theory]
    [InlineData(0.9, 100_000, 10_000, true)]
    [InlineData(0.9, 100_000, 10_001, false)]
    [InlineData(0.99, 700, 7, true)]
    [InlineData(0.999, 3_000, 3, true)]
    [InlineData(0.9995, 2_000_000, 1_000, true)]
    [InlineData(0.9995, 2_000_000, 1_001, false)]
    [InlineData(0.9999999999999999, 10_000_000, 0, true)]
    [InlineData(0.9999999999999999, 10_000_000, 1, false)]
    public void A_budget_that_is_used_up_exactly_is_kept(double target, long requests, long errors, bool kept)
    {
        AvailabilityStatus status = new AvailabilityObjective(target, TimeSpan.FromDays(30)).Evaluate([Hour(1, requests, errors)], Noon);

        Assert.Equal(kept, status.IsMet);
        Assert.Equal(kept && errors > 0, status.ErrorBudgetConsumed == 1);
    }

    // The last bucket that has ended is that of 11:00, whatever the time is until the next one has.
    [Theory]
    [InlineData(0, false)]
    [InlineData(34, false)]
    [InlineData(59, false)]
    [InlineData(34, true)]
    public void Windows_end_where_the_last_closed_bucket_does(int minutesLater, bool withOpen)
    {
        var objective = new AvailabilityObjective(0.999, TimeSpan.FromDays(1));
        AnalyticsBucket open = new()
        {
            Start = Noon,
            Rows = Hour(0, 1000, 1000).Rows,
            IsOpen = true,
        };
        AnalyticsBucket[] hours =
        [
            .. Enumerable.Range(1, 24).Select(age => Hour(age, 1000, age == 1 ? 2 : 0)),
            .. withOpen ? [open] : Array.Empty<AnalyticsBucket>(),
        ];

        AvailabilityStatus[] both =
        [
            objective.Evaluate(hours, Noon.AddMinutes(minutesLater)),
            objective.Evaluate(Report(AnalyticsTimeframe.Hour, hours)),
        ];

        Assert.All(both, status => Assert.Equal((Noon, 24_000, 2, 1), (status.AsOf, status.Requests, status.Errors, status.Coverage)));
        Assert.All(
            both,
            status => Assert.Equal((2.0 / 24, 2, 2.0 / 6), (status.ErrorBudgetConsumed, status.ShortBurnRate, status.LongBurnRate))
        );
    }

    [Fact]
    public void Buckets_of_a_day_tell_the_budget_and_no_burn_rates()
    {
        AnalyticsBucket[] days = [.. Enumerable.Range(1, 30).Select(age => Hour(24 * age, 1000, 1))];

        AvailabilityStatus[] both =
        [
            new AvailabilityObjective(0.999, TimeSpan.FromDays(30)).Evaluate(days, Noon),
            new AvailabilityObjective(0.999, TimeSpan.FromDays(30)).Evaluate(
                Report(
                    AnalyticsTimeframe.Day,
                    [.. days.Select(day => new AnalyticsBucket { Start = day.Start.AddHours(12), Rows = day.Rows })]
                )
            ),
        ];

        Assert.All(both, status => Assert.Equal((1, 1), (status.ErrorBudgetConsumed, status.Coverage)));
        Assert.All(both, status => Assert.Equal((null, null), (status.ShortBurnRate, status.LongBurnRate)));
    }

    [Fact]
    public void Coverage_tells_how_little_of_the_window_was_seen()
    {
        var objective = new AvailabilityObjective(0.999, TimeSpan.FromDays(30));

        Assert.Equal(1.0 / 720, objective.Evaluate([Hour(1, 5, 0)], Noon).Coverage);
        Assert.Equal(1.0 / 720, objective.Evaluate(Report(AnalyticsTimeframe.Hour, Hour(1, 5, 0))).Coverage);
        Assert.Equal(0, objective.Evaluate([], Noon).Coverage);
    }

    [Fact]
    public void Each_endpoint_is_measured_by_itself()
    {
        var objective = new AvailabilityObjective(0.99, TimeSpan.FromHours(6));
        AnalyticsBucket[] hours =
        [
            .. Enumerable
                .Range(1, 7)
                .Select(age => new AnalyticsBucket
                {
                    Start = Noon.AddHours(-age),
                    Rows =
                        age == 7
                            ?
                            [
                                new AnalyticsRow
                                {
                                    EndpointId = "old/app",
                                    RequestCount = 1,
                                    ErrorCount = 1,
                                },
                            ]
                            :
                            [
                                new AnalyticsRow
                                {
                                    EndpointId = "a/b",
                                    RequestCount = 100,
                                    ErrorCount = 1,
                                },
                                .. age == 2
                                    ?
                                    [
                                        new AnalyticsRow
                                        {
                                            EndpointId = "c/d",
                                            RequestCount = 10,
                                            ErrorCount = 5,
                                        },
                                    ]
                                    : Array.Empty<AnalyticsRow>(),
                            ],
                }),
        ];

        foreach (IReadOnlyDictionary<string, AvailabilityStatus> statuses in new[]
        {
            objective.EvaluateByEndpoint(hours, Noon.AddMinutes(20)), objective.EvaluateByEndpoint(Report(AnalyticsTimeframe.Hour, hours)),
        })
        {
            Assert.Equal(["a/b", "c/d"], statuses.Keys.Order());
            Assert.Equal(
                (600, 6, 1, true),
                (statuses["a/b"].Requests, statuses["a/b"].Errors, statuses["a/b"].ErrorBudgetConsumed, statuses["a/b"].IsMet)
            );
            Assert.Equal(
                (10, 5, null, false),
                (statuses["c/d"].Requests, statuses["c/d"].Errors, statuses["c/d"].ShortBurnRate, statuses["c/d"].IsMet)
            );
            Assert.All(statuses.Values, status => Assert.Equal((Noon, 1), (status.AsOf, status.Coverage)));
        }
    }

    [Fact]
    public void A_count_that_cannot_be_is_not_known()
    {
        AnalyticsBucket[] hours = [Hour(2, 100, 0), Hour(1, 100, -50)];

        Assert.Null(new AvailabilityObjective(0.9, TimeSpan.FromHours(6)).Evaluate(hours, Noon).IsMet);
        Assert.Null(AnalyticsTotals.Of(hours).ErrorRate);
        Assert.Equal(200, AnalyticsTotals.Of(hours).GetValue(AnalyticsExpand.RequestCount));
    }

    [Fact]
    public void Null_among_the_buckets_or_rows_is_named()
    {
        var objective = new AvailabilityObjective(0.9, TimeSpan.FromHours(6));
        AnalyticsBucket withNull = new() { Start = Noon.AddHours(-1), Rows = [null!] };

        Assert.Contains(
            "null",
            Assert.Throws<ArgumentException>(() => objective.Evaluate([null!], Noon)).Message,
            StringComparison.Ordinal
        );
        Assert.Throws<ArgumentException>(() => objective.Evaluate([withNull], Noon));
        Assert.Throws<ArgumentException>(() => objective.EvaluateByEndpoint([withNull], Noon));
        Assert.Throws<ArgumentException>(() => AnalyticsTotals.Of([withNull]));
        Assert.Throws<ArgumentException>(() => AnalyticsTotals.Of(new AnalyticsBucket[] { null! }));
        Assert.Throws<ArgumentException>(() => AnalyticsTotals.ByEndpoint([withNull]));
        Assert.Throws<ArgumentException>(() => AnalyticsTotals.ByEndpoint([null!]));
    }

    [Fact]
    public void A_report_with_nothing_closed_says_what_to_ask_for()
    {
        AnalyticsReport report = Report(AnalyticsTimeframe.Hour, new AnalyticsBucket { Start = Noon, IsOpen = true });

        ArgumentException error = Assert.Throws<ArgumentException>(() =>
            new AvailabilityObjective(0.9, TimeSpan.FromHours(6)).Evaluate(report)
        );
        Assert.Contains("AnalyticsExpand.TimeSeries", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_status_shows_its_numbers_on_one_line()
    {
        using var german = new CultureScope("de-DE");
        AvailabilityStatus status = new AvailabilityObjective(0.999, TimeSpan.FromDays(30)).Evaluate(
            [Hour(2, 1000, 1), Hour(1, 0, 0)],
            Noon
        );

        Assert.Equal(
            "99.9 % over 30.00:00:00 as of 2026-03-01T12:00:00Z: 1 errors of 1000 requests, error budget consumed 1, burn rates ? (1 h) " +
                "and 1 (6 h), coverage 0.0028",
            status.ToString());
    }

    [Fact]
    public void Without_requests_nothing_is_claimed()
    {
        AvailabilityStatus status = new AvailabilityObjective(0.99, TimeSpan.FromHours(6)).Evaluate([], Noon);

        Assert.Null(status.ErrorBudgetConsumed);
        Assert.Null(status.IsMet);
        Assert.Null(status.ShortBurnRate);
    }

    [Theory]
    [InlineData(0, 24)]
    [InlineData(1, 24)]
    [InlineData(99.9, 24)]
    [InlineData(double.NaN, 24)]
    [InlineData(0.99, 5)]
    public void An_objective_that_cannot_be_is_refused(double target, double hours) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new AvailabilityObjective(target, TimeSpan.FromHours(hours)));

    private static AnalyticsReport Report(AnalyticsTimeframe timeframe, params AnalyticsBucket[] buckets) =>
        new()
        {
            Query = new AnalyticsQuery("a/b")
            {
                Timeframe = timeframe,
                Range = AnalyticsTimeRange.Between(Noon.AddDays(-31), Noon.AddHours(1)),
            },
            TimeSeries = buckets,
        };

    private static AnalyticsBucket Hour(int age, long requests, long errors) => new()
    {
        Start = Noon.AddHours(-age),
        Rows = [new AnalyticsRow { EndpointId = "a/b", RequestCount = requests, ErrorCount = errors }],
    };
}
