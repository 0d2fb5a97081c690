using Xunit;

namespace Fal.Observability.Client.Tests;

public sealed class AnalyticsTotalsTests
{
    private static readonly DateTimeOffset Noon = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Counts_add_up_and_a_rate_weighs_every_request_the_same()
    {
        AnalyticsTotals totals = AnalyticsTotals.Of(
        [
            new AnalyticsRow { EndpointId = "a/b", RequestCount = 1, SuccessCount = 0, ErrorCount = 1, TotalBillableDuration = TimeSpan.FromSeconds(0.5) },
            new AnalyticsRow { EndpointId = "a/b", RequestCount = 999, SuccessCount = 999, ErrorCount = 0, TotalBillableDuration = TimeSpan.FromSeconds(1.25) },
        ]);

        Assert.Equal(1000, totals.GetValue(AnalyticsExpand.RequestCount));
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
        AnalyticsTotals partly = AnalyticsTotals.Of([new AnalyticsRow { EndpointId = "a/b", RequestCount = 5 }, new AnalyticsRow { EndpointId = "c/d" }]);
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

    private static AnalyticsBucket Hour(int age, long requests, long errors) => new()
    {
        Start = Noon.AddHours(-age),
        Rows = [new AnalyticsRow { EndpointId = "a/b", RequestCount = requests, ErrorCount = errors }],
    };
}
