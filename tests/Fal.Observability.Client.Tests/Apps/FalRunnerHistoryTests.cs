using System.Text.Json;
using Xunit;

namespace Fal.Observability.Client.Tests;

public sealed class FalRunnerHistoryTests
{
    private static readonly DateTimeOffset Start = new(2026, 7, 1, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Buckets_are_read_with_whatever_is_new_or_missing()
    {
        FalRunnerHistory history = Read("""
            {"endpoint_id":"o/n","timeframe":"fortnight","aggregation":"p95","new":[1],"history":[
            {"timestamp":"2026-07-01T12:00:00.000Z","running":2,"idle":1.25,"pending":null,"weird":7},
            {"timestamp":"2026-07-01T13:00:00","running":0,"idle":0,"pending":0,"draining":0}]}
            """);
        Assert.Equal(("fortnight", "p95"), (history.Timeframe, history.Aggregation));
        Assert.Equal((2, 1.25, null, null),
            (history.Buckets[0].Running, history.Buckets[0].Idle, history.Buckets[0].Pending, history.Buckets[0].Draining));
        Assert.Equal(Start.AddHours(13), history.Buckets[1].Start);
        Assert.Equal(TimeSpan.Zero, history.Buckets[1].Start.Offset);
        Assert.Null(history.PeakRunning);
        Assert.Null(history.IdleShare);
    }

    [Theory]
    [InlineData("""{"history":[{"running":1}]}""", "timestamp")]
    [InlineData("""{"history":[null]}""", "$.history[0]")]
    [InlineData("""{"history":null}""", "$.history")]
    [InlineData("""{}""", "'history'")]
    [InlineData("""{"history":[],"history":[]}""", "'history' twice")]
    [InlineData("""{"history":[{"timestamp":"2026-07-01T12:00:00Z","running":1,"running":2}]}""", "'running' twice")]
    [InlineData("""{"history":[{"timestamp":"yesterday"}]}""", "$.history[0].timestamp")]
    [InlineData("""{"history":[{"timestamp":1782907200}]}""", "$.history[0].timestamp")]
    [InlineData("""{"history":[{"timestamp":"2026-07-01T12:00:00Z","running":-1}]}""", "$.history[0].running")]
    [InlineData("""{"history":[{"timestamp":"2026-07-01T12:00:00Z","idle":1e999}]}""", "$.history[0].idle")]
    [InlineData("""{"history":[{"timestamp":"2026-07-01T12:00:00Z","pending":"3"}]}""", "$.history[0].pending")]
    public void What_cannot_be_a_measurement_is_refused_with_its_place(string json, string place)
    {
        JsonException refusal = Assert.Throws<JsonException>(() => Read(json));
        Assert.Contains(place, $"{refusal.Message} {refusal.Path}", StringComparison.Ordinal);
    }

    [Fact]
    public void Ninety_days_by_hour_come_out_in_order_and_each_hour_once()
    {
        FalRunnerBucket[] hours = [.. Enumerable.Range(0, 90 * 24)
            .Select(hour => new FalRunnerBucket { Start = Start.AddHours(hour), Running = hour })];
        FalRunnerBucket[] shuffled = [.. hours];
        new Random(14).Shuffle(shuffled);
        var sent = new FalRunnerHistory { Buckets = [.. shuffled, new FalRunnerBucket { Start = Start.AddHours(5), Running = 99 }] };

        FalRunnerHistory history = sent.AsAnswerTo("o/n",
            new FalRunnerHistoryQuery { Range = AnalyticsTimeRange.Between(Start, Start.AddDays(90)) });

        Assert.Equal(hours.Select(hour => hour.Start), history.Buckets.Select(bucket => bucket.Start));
        // What came later counts.
        Assert.Equal(99, history.Buckets[5].Running);
        Assert.Equal(90 * 24 - 1, history.PeakRunning);
    }

    [Fact]
    public void The_idle_share_is_that_of_paid_time_and_needs_means()
    {
        FalRunnerBucket[] buckets =
        [
            Bucket(0, running: 3, idle: 1, pending: 100, draining: 0),
            Bucket(1, running: 0, idle: 2, pending: 0, draining: 2),
            new FalRunnerBucket { Start = Start.AddHours(2), Running = 5, Idle = 5 },
        ];
        Assert.Equal(3.0 / 8, History("avg", buckets).IdleShare);
        Assert.Null(History("max", buckets).IdleShare);
        Assert.Null(History("avg", Bucket(0, 0, 0, 1, 0)).IdleShare);
        Assert.Null(History("avg").IdleShare);
    }

    [Fact]
    public void A_month_weighs_by_its_days()
    {
        FalRunnerHistory history = new()
        {
            EndpointId = "o/n",
            Timeframe = "month",
            Aggregation = "avg",
            Buckets =
            [
                new FalRunnerBucket { Start = new(2026, 2, 1, 0, 0, 0, TimeSpan.Zero), Running = 0, Idle = 1, Draining = 0 },
                new FalRunnerBucket { Start = new(2026, 3, 1, 0, 0, 0, TimeSpan.Zero), Running = 1, Idle = 0, Draining = 0 },
            ],
        };
        Assert.Equal(28.0 / 59, history.IdleShare);
    }

    [Fact]
    public void An_open_bucket_weighs_by_the_time_that_has_passed_of_it()
    {
        FalRunnerHistory history = new()
        {
            EndpointId = "o/n",
            Timeframe = "day",
            Aggregation = "avg",
            Buckets =
            [
                new FalRunnerBucket { Start = new(2026, 2, 1, 0, 0, 0, TimeSpan.Zero), Running = 1, Idle = 0, Draining = 0 },
                new FalRunnerBucket { Start = new(2026, 2, 2, 0, 0, 0, TimeSpan.Zero), Running = 0, Idle = 1, Draining = 0 },
            ],
            Answer = new FalAnswer { ReceivedAt = new(2026, 2, 2, 8, 0, 0, TimeSpan.Zero) },
        };
        Assert.Equal(8.0 / 32, history.IdleShare);
    }

    [Fact]
    public void The_peak_is_set_against_the_limit_of_the_same_app()
    {
        FalRunnerHistory history = History("max", Bucket(0, 3, 5, 0, 0), Bucket(1, 4, 0, 0, 0));
        Assert.Equal(4, history.PeakRunning);
        Assert.Equal(0.5, history.PeakShareOf(new FalApp { EndpointId = "o/n", MaxConcurrency = 8 }));
        Assert.Null(history.PeakShareOf(new FalApp { EndpointId = "o/n", MaxConcurrency = 0 }));
        Assert.Null(history.PeakShareOf(new FalApp { EndpointId = "o/n" }));
        Assert.Null(History("avg", Bucket(0, 3, 5, 0, 0)).PeakShareOf(new FalApp { EndpointId = "o/n", MaxConcurrency = 8 }));
        Assert.Throws<ArgumentException>(() => history.PeakShareOf(new FalApp { EndpointId = "o/other", MaxConcurrency = 8 }));
    }

    [Fact]
    public void Runners_that_were_pending_while_requests_of_the_app_waited_are_found()
    {
        FalRunnerHistory history = History(
            "max", Bucket(0, 1, 0, 2, 0), Bucket(1, 1, 0, 0, 0), Bucket(2, 1, 0, 2, 0), Bucket(3, 1, 0, 2, 0), Bucket(4, 1, 0, 1, 0));
        AnalyticsReport requests = Requests(
            (0, "o/n/turbo", 30), (1, "o/n", 30), (2, "o/n", 10), (3, "o/nn", 30), (4, "o/n", 11));

        Assert.Equal(
            [Start, Start.AddHours(4)],
            history.PendingWhileRequestsWaited(requests, TimeSpan.FromSeconds(10)).Select(bucket => bucket.Start));
    }

    [Fact]
    public void A_report_that_cannot_tell_is_refused_with_what_to_ask_for()
    {
        FalRunnerHistory history = History("max", Bucket(0, 1, 0, 2, 0));
        AnalyticsReport good = Requests((0, "o/n", 30));
        Assert.Contains("P90PrepareDuration", Refusal(good.Query with { Expand = AnalyticsExpand.RequestCount }), StringComparison.Ordinal);
        Assert.Contains("o/n", Refusal(good.Query with { EndpointIds = ["o/other"] }), StringComparison.Ordinal);
        Assert.Contains("same timeframe", Refusal(good.Query with { Timeframe = AnalyticsTimeframe.Day }), StringComparison.Ordinal);
        Assert.Contains("time zone", Refusal(good.Query with { TimeZone = "Asia/Kolkata" }), StringComparison.Ordinal);

        string Refusal(AnalyticsQuery query) => Assert.Throws<ArgumentException>(
            () => history.PendingWhileRequestsWaited(new AnalyticsReport { Query = query, TimeSeries = good.TimeSeries },
                TimeSpan.Zero)).Message;
    }

    private static AnalyticsReport Requests(params (int Hour, string Id, double Seconds)[] rows) => new()
    {
        Query = new AnalyticsQuery("o/n")
        {
            Expand = AnalyticsExpand.P90PrepareDuration,
            Timeframe = AnalyticsTimeframe.Hour,
            Range = AnalyticsTimeRange.Between(Start, Start.AddDays(1)),
        },
        TimeSeries =
        [
            .. rows.Select(row => new AnalyticsBucket
            {
                Start = Start.AddHours(row.Hour).ToOffset(TimeSpan.FromHours(2)),
                Rows = [new AnalyticsRow { EndpointId = row.Id, P90PrepareDuration = TimeSpan.FromSeconds(row.Seconds) }],
            }),
        ],
    };

    private static FalRunnerHistory History(string aggregation, params FalRunnerBucket[] buckets) =>
        new() { EndpointId = "o/n", Timeframe = "hour", Aggregation = aggregation, Buckets = buckets };

    private static FalRunnerBucket Bucket(int hour, double running, double idle, double pending, double draining) =>
        new() { Start = Start.AddHours(hour), Running = running, Idle = idle, Pending = pending, Draining = draining };

    private static FalRunnerHistory Read(string json) => JsonSerializer.Deserialize(json, FalAppsJsonContext.Default.FalRunnerHistory)!;
}
