using Fal.Observability.Client.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Fal.Observability.Client.IntegrationTests.Simulator;

/// <summary>What is drawn from a seed fits together: cold boots, waits, idle runners and the queue.</summary>
public sealed class SimulatorConsistencyTests
{
    private static readonly DateTimeOffset Now = new(2026, 6, 17, 12, 34, 30, TimeSpan.Zero);

    [Fact]
    public async Task If_more_than_a_tenth_of_the_requests_are_cold_boots_one_in_ten_waits_as_long_as_a_cold_boot()
    {
        var time = new FakeTimeProvider(Now);
        await using FalSimulator server = await FalSimulator.StartAsync(options =>
            (options.Seed, options.Apps, options.TimeProvider) = (1, 12, time));
        using FalObservabilityClient fal = ClientOf(server, time);

        AnalyticsReport report = await fal.Analytics.GetReportAsync(new AnalyticsQuery(server.Apps)
        {
            Expand = AnalyticsExpand.AllMetrics | AnalyticsExpand.Summary,
            Range = AnalyticsTimeRange.Between(Now.AddDays(-7), Now),
        });

        AnalyticsRow[] cold = [.. report.Summary.Where(row => row.ColdBootCount > 0)];
        Assert.NotEmpty(cold);
        Assert.All(cold, row =>
        {
            double share = (double)row.ColdBootCount!.Value / row.RequestCount!.Value;
            TimeSpan? wait = share > 0.2 ? row.P90PrepareDuration : share > 0.02 ? row.P99PrepareDuration : null;
            Assert.True(
                wait is null || wait >= row.P50ColdBootDuration,
                $"{row.EndpointId}: {share:P1} cold boots of {row.P50ColdBootDuration}, but a wait of {wait}");
        });
    }

    [Fact]
    public async Task While_requests_wait_no_runner_is_idle_and_the_wait_fits_the_queue()
    {
        var time = new FakeTimeProvider(Now);
        const string App = "simulated/text-to-image-00000";
        await using FalSimulator server = await FalSimulator.StartAsync(options =>
        {
            (options.Seed, options.Apps, options.TimeProvider) = (1, 4, time);
            options.Incidents.Add(new SimulatedIncident(App)
            {
                Start = Now.AddMinutes(-30),
                Duration = TimeSpan.FromMinutes(60),
            });
        });
        using FalObservabilityClient fal = ClientOf(server, time);

        FalMetricsSnapshot snapshot = await fal.Metrics.GetSnapshotAsync();
        FalRunnerHistory history = await fal.Apps.GetRunnerHistoryAsync(
            App, AnalyticsTimeRange.Between(Now.AddMinutes(-10), Now.AddMinutes(-5)), AnalyticsTimeframe.Minute, FalRunnerAggregation.Max);
        AnalyticsReport report = await fal.Analytics.GetReportAsync(new AnalyticsQuery(App)
        {
            Expand = AnalyticsExpand.P50PrepareDuration | AnalyticsExpand.Summary,
            Range = AnalyticsTimeRange.Between(Now.AddMinutes(-10), Now.AddMinutes(-5)),
        });

        // Elsewhere, only the requests of the last two seconds wait.
        Assert.All(
            snapshot.Apps.Where(live => live.Name != App),
            live => Assert.InRange(live.QueueSize ?? 0, 0, 1 + ((live.RequestsReceived ?? 0) * 2 / 60)));
        Assert.True(snapshot.Apps.Single(live => live.Name == App).QueueSize > 0);
        Assert.NotEmpty(history.Buckets);
        Assert.All(history.Buckets, minute => Assert.Equal(0, minute.Idle));
        // A backlog of one to three minutes of load takes that long.
        Assert.All(
            report.Summary, row => Assert.InRange(row.P50PrepareDuration!.Value, TimeSpan.FromSeconds(60), TimeSpan.FromMinutes(4)));
    }

    [Fact]
    public async Task A_minute_with_requests_has_a_runner_that_worked_and_light_work_leaves_most_of_its_time_idle()
    {
        var time = new FakeTimeProvider(Now);
        await using FalSimulator server = await FalSimulator.StartAsync(options =>
            (options.Seed, options.Apps, options.TimeProvider) = (1, 12, time));
        using FalObservabilityClient fal = ClientOf(server, time);
        AnalyticsTimeRange range = AnalyticsTimeRange.Between(Now.AddHours(-3), Now.AddMinutes(-5));
        var idle = new List<double>();
        foreach (string app in server.Apps)
        {
            FalRunnerHistory most = await fal.Apps.GetRunnerHistoryAsync(app, range, AnalyticsTimeframe.Minute);
            FalRunnerHistory mean = await fal.Apps.GetRunnerHistoryAsync(
                app, range, AnalyticsTimeframe.Minute, FalRunnerAggregation.Average);
            AnalyticsReport requests = await fal.Analytics.GetReportAsync(new AnalyticsQuery(app)
            {
                Range = range,
                Timeframe = AnalyticsTimeframe.Minute,
            });
            HashSet<DateTimeOffset> busy = [.. requests.TimeSeries
                .Where(minute => minute.Rows.Sum(row => row.RequestCount) > 0).Select(minute => minute.Start)];
            Assert.All(
                most.Buckets.Where(minute => busy.Contains(minute.Start)), minute => Assert.True(minute.Running >= 1, $"{app} {minute}"));
            idle.AddRange(mean.IdleShare is { } share ? [share] : []);
        }

        Assert.Contains(idle, share => share > 0.8);
        Assert.Contains(idle, share => share < 0.5);
    }

    private static FalObservabilityClient ClientOf(FalSimulator server, TimeProvider time) => new(
        options => (options.ApiKey, options.BaseAddress) = (server.Key, server.BaseAddress),
        account => account.Services.AddSingleton(time));
}
