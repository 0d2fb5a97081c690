using Xunit;

namespace Fal.Observability.Client.Tests;

/// <summary>What a report says by endpoint and by app.</summary>
public sealed class AnalyticsGroupingTests
{
    private static readonly DateTimeOffset Start = new(2026, 3, 1, 0, 0, 0, TimeSpan.Zero);

    private static readonly AnalyticsReport Report = new()
    {
        Query = new AnalyticsQuery("o/b", "o/a", "o/gone", "o/quiet/route")
        {
            Expand = AnalyticsExpand.Volume,
            Timeframe = AnalyticsTimeframe.Hour,
            Range = AnalyticsTimeRange.Between(Start, Start.AddHours(30)),
        },
        RefusedEndpoints = [new AnalyticsRefusedEndpoint("o/gone", System.Net.HttpStatusCode.Forbidden, null)],
        TimeSeries =
        [
            new AnalyticsBucket { Start = Start, Rows = [Row("o/a", 100, 0), Row("o/a/turbo", 100, 4), Row("o/ab", 50, 1)] },
            new AnalyticsBucket { Start = Start.AddHours(1) },
            new AnalyticsBucket { Start = Start.AddHours(2), Rows = [Row("o/a/turbo", 300, 0)], IsOpen = true, IsProvisional = true },
        ],
    };

    [Fact]
    public void A_series_has_every_bucket_and_the_quiet_ones_are_marked_as_without_data()
    {
        IReadOnlyDictionary<string, IReadOnlyList<AnalyticsPoint>> series = Report.SeriesByEndpoint();

        Assert.Equal(["o/a", "o/a/turbo", "o/ab", "o/b", "o/quiet/route"], series.Keys);
        Assert.All(
            series.Values,
            points => Assert.Equal(Report.TimeSeries.Select(bucket => bucket.Start), points.Select(point => point.Start))
        );
        Assert.Equal([true, false, false], series["o/a"].Select(point => point.HasData));
        Assert.Equal([100, null, null], series["o/a"].Select(point => point.GetValue(AnalyticsExpand.RequestCount)));
        Assert.Equal([null, null, null], series["o/b"].Select(point => point.GetValue(AnalyticsExpand.RequestCount)));
        Assert.Equal([false, false, true], series["o/b"].Select(point => point.IsOpen && point.IsProvisional));
        Assert.Equal(2, series["o/a/turbo"][0].GetValue(AnalyticsExpand.P90Duration));
        Assert.Throws<ArgumentException>(() => series["o/b"][0].GetValue(AnalyticsExpand.Volume));
    }

    [Fact]
    public void A_series_by_app_adds_the_routes_and_has_no_percentile_of_several()
    {
        IReadOnlyDictionary<string, IReadOnlyList<AnalyticsPoint>> series = Report.SeriesByApp();

        Assert.Equal(["o/a", "o/ab", "o/b", "o/quiet"], series.Keys);
        Assert.Equal([200, null, 300], series["o/a"].Select(point => point.GetValue(AnalyticsExpand.RequestCount)));
        Assert.Equal([0.02, null, 0], series["o/a"].Select(point => point.Totals.ErrorRate));
        Assert.Equal([null, null, 2], series["o/a"].Select(point => point.GetValue(AnalyticsExpand.P90Duration)));
    }

    [Fact]
    public void Totals_and_budgets_come_by_app_in_the_order_of_the_ids()
    {
        IReadOnlyDictionary<string, AnalyticsTotals> totals = AnalyticsTotals.ByApp(Report.TimeSeries);
        Assert.Equal([("o/a", 500L), ("o/ab", 50L)], totals.Select(app => (app.Key, app.Value.RequestCount!.Value)));
        Assert.Equal(["o/a", "o/a/turbo", "o/ab"], AnalyticsTotals.ByEndpoint(Report.TimeSeries).Keys);

        var objective = new AvailabilityObjective(0.9, TimeSpan.FromDays(1));
        // The open bucket does not count.
        Assert.Equal([("o/a", 200.0, 4.0), ("o/ab", 50, 1)],
            objective.EvaluateByApp(Report).Select(app => (app.Key, app.Value.Requests!.Value, app.Value.Errors!.Value)));
        Assert.Equal(["o/a", "o/a/turbo", "o/ab"], objective.EvaluateByEndpoint(Report).Keys);
        Assert.Equal(500, objective.EvaluateByApp(
            [.. Report.TimeSeries.Select(bucket => new AnalyticsBucket { Start = bucket.Start, Rows = bucket.Rows })],
            Start.AddHours(3))["o/a"].Requests);
    }

    [Fact]
    public void Counts_are_typed_and_exact_and_null_where_they_are_not_known()
    {
        const long Large = (1L << 53) + 1;
        AnalyticsTotals totals = AnalyticsTotals.Of(
        [
            new AnalyticsRow
            {
                EndpointId = "o/a", RequestCount = Large, SuccessCount = 1, UserErrorCount = 2, ErrorCount = 10, StartupErrorCount = 1,
                ConnectionErrorCount = 2, TimeoutErrorCount = 3, RuntimeErrorCount = 4, ColdBootCount = 5,
                TotalBillableDuration = TimeSpan.FromSeconds(1.5),
            },
        ]);
        Assert.Equal((Large, 1, 2, 10), (totals.RequestCount, totals.SuccessCount, totals.UserErrorCount, totals.ErrorCount));
        Assert.Equal((1, 2, 3, 4, 5), (totals.StartupErrorCount, totals.ConnectionErrorCount, totals.TimeoutErrorCount,
            totals.RuntimeErrorCount, totals.ColdBootCount));
        Assert.Equal(TimeSpan.FromSeconds(1.5), totals.TotalBillableDuration);

        AnalyticsTotals unknown = AnalyticsTotals.Of([new AnalyticsRow { EndpointId = "o/a", RequestCount = 1 }]);
        Assert.Null(unknown.ErrorCount);
        Assert.Null(unknown.TotalBillableDuration);
        Assert.Throws<OverflowException>(() =>
            AnalyticsTotals.Of(Enumerable.Repeat(new AnalyticsRow { EndpointId = "o/a", RequestCount = long.MaxValue }, 2)).RequestCount);
    }

    [Fact]
    public void A_report_says_which_time_came_back_for_the_range_that_was_asked()
    {
        Assert.Equal(AnalyticsTimeRange.Between(Start, Start.AddHours(3)), Report.AnsweredRange);
        Assert.Null(new AnalyticsReport { Query = Report.Query }.AnsweredRange);

        AnalyticsTimeRange noonToNoon = AnalyticsTimeRange.Between(Start.AddHours(12), Start.AddDays(2).AddHours(12));
        UsageReport usage = new()
        {
            Query = new UsageQuery { Range = noonToNoon, Timeframe = AnalyticsTimeframe.Day },
            TimeSeries = [.. Enumerable.Range(0, 3).Select(day => new UsageBucket { Start = Start.AddDays(day) })],
        };
        Assert.Equal(AnalyticsTimeRange.Between(Start, Start.AddDays(3)), usage.AnsweredRange);
        UsageReport exact = new() { Query = usage.Query with { BoundToTimeframe = false }, TimeSeries = usage.TimeSeries };
        Assert.Equal(noonToNoon, exact.AnsweredRange);
        Assert.Null(new UsageReport { Query = new UsageQuery(), TimeSeries = usage.TimeSeries }.AnsweredRange);

        FalRunnerHistory runners = new()
        {
            Query = new FalRunnerHistoryQuery { Range = noonToNoon, Timeframe = AnalyticsTimeframe.Day },
            Buckets = [.. usage.TimeSeries.Select(bucket => new FalRunnerBucket { Start = bucket.Start })],
        };
        Assert.Equal(AnalyticsTimeRange.Between(Start, Start.AddDays(3)), runners.AnsweredRange);
        Assert.Null(new FalRunnerHistory { Query = runners.Query, Buckets = [] }.AnsweredRange);
        Assert.Null(new FalRunnerHistory { Buckets = runners.Buckets }.AnsweredRange);
    }

    private static AnalyticsRow Row(string id, long requests, long errors) => new()
    {
        EndpointId = id,
        RequestCount = requests,
        ErrorCount = errors,
        SuccessCount = requests - errors,
        UserErrorCount = 0,
        P90Duration = TimeSpan.FromSeconds(2),
    };
}
