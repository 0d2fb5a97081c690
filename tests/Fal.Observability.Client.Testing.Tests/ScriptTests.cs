using Xunit;

namespace Fal.Observability.Client.Testing.Tests;

/// <summary>What a test scripts arrives through the real client, on every endpoint.</summary>
public sealed class ScriptTests
{
    private const string App = "my-org/my-app";
    private const string H100 = "NVIDIA H100 80GB HBM3";

    [Fact]
    public async Task The_metrics_show_the_queue_the_requests_and_the_gauges_of_the_script()
    {
        await using Account account = await Account.OpenAsync();
        SimulatedApp app = account.Simulator.App(App);
        app.Queue = 250;
        app.ConcurrentRequests = 7;
        app.ReceivedPerMinute = 400;
        app.RequestsPerMinute[200] = 90;
        app.RequestsPerMinute[429] = 4;
        app.RequestsPerMinute[503] = 6;
        app.CpuPercent = 320.5;
        app.MemoryBytes = 12e9;
        app.GpuCount = 4;
        app.GpuPercent = 380;
        app.VramPercent = 240;

        FalAppMetrics? metrics = await account.MetricsOfAsync(App);

        Assert.NotNull(metrics);
        Assert.Equal(250, metrics.QueueSize);
        Assert.Equal(7, metrics.ConcurrentRequests);
        Assert.Equal(400, metrics.RequestsReceived);
        Assert.Equal(90, metrics.SuccessCount);
        Assert.Equal(4, metrics.UserErrorCount);
        Assert.Equal(6, metrics.ErrorCount);
        Assert.Equal(6, Assert.Single(metrics.RequestsCompletedByStatus, requests => requests.Status == "503").Count);
        Assert.Equal(320.5, metrics.RunnerCpuUsagePercent);
        Assert.Equal(12e9, metrics.RunnerMemoryUsageBytes);
        Assert.Equal(4, metrics.RunnerGpuCount);
        Assert.Equal(95, metrics.GpuUtilizationPercentPerGpu);
        Assert.Equal(60, metrics.VramUsagePercentPerGpu);
    }

    [Fact]
    public async Task The_metrics_show_runners_by_state_and_machine_and_no_gauge_that_is_not_scripted()
    {
        await using Account account = await Account.OpenAsync();
        SimulatedApp app = account.Simulator.App(App);
        app.Runners["running"] = 3;
        app.Runners["running", "NVIDIA B200"] = 2;
        app.Runners["pending"] = 1;
        app.Runners["a \"new\" state\\"] = 4;

        FalAppMetrics? metrics = await account.MetricsOfAsync(App);

        Assert.NotNull(metrics);
        Assert.Equal(5, metrics.RunnersInState("running"));
        Assert.Equal(2, metrics.RunnersOnMachine("NVIDIA B200"));
        Assert.Equal(8, metrics.RunnersOnMachine(H100));
        Assert.Equal(1, metrics.RunnersInState("pending"));
        Assert.Equal(4, metrics.RunnersInState("a \"new\" state\\"));
        Assert.Null(metrics.RunnerCpuUsagePercent);
        Assert.Null(metrics.RunnerGpuCount);
        Assert.Null(metrics.Latency);
    }

    [Fact]
    public async Task The_metrics_count_latencies_in_the_buckets_that_hold_them()
    {
        await using Account account = await Account.OpenAsync();
        SimulatedApp app = account.Simulator.App(App);
        app.RequestsPerMinute[200] = 100;
        app.Latency = new SimulatedLatency(TimeSpan.FromSeconds(0.2), TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(40));

        LatencyDistribution? latency = (await account.MetricsOfAsync(App))?.Latency;

        Assert.NotNull(latency);
        Assert.Equal(100, latency.Count);
        Assert.Equal(
            [(0.1, 0), (0.25, 50), (1, 50), (2.5, 90), (30, 90), (60, 100)],
            latency.Buckets.Where(bucket => bucket.UpperBound is 0.1 or 0.25 or 1 or 2.5 or 30 or 60)
                .Select(bucket => (bucket.UpperBound, bucket.CumulativeCount)));
    }

    [Fact]
    public async Task Analytics_report_the_script_of_every_minute_exactly()
    {
        await using Account account = await Account.OpenAsync();
        SimulatedApp app = account.Simulator.App(App);
        app.RequestsPerMinute[200] = 90;
        app.RequestsPerMinute[204] = 3;
        app.RequestsPerMinute[422] = 4;
        app.RequestsPerMinute[500] = 1;
        app.RequestsPerMinute[502] = 2;
        app.RequestsPerMinute[503] = 3;
        app.RequestsPerMinute[504] = 5;
        app.Latency = new SimulatedLatency(TimeSpan.FromSeconds(0.3), TimeSpan.FromSeconds(1.7), TimeSpan.FromSeconds(9));
        app.PrepareLatency = TimeSpan.FromMilliseconds(43);
        app.ColdBootsPerMinute = 2;
        app.ColdBootLatency = TimeSpan.FromSeconds(21);

        IReadOnlyList<AnalyticsBucket> hours = await account.HoursOfAsync(App);

        Assert.Equal(3, hours.Count);
        foreach (AnalyticsRow row in hours.Select(hour => Assert.Single(hour.Rows)))
        {
            Assert.Equal(App, row.EndpointId);
            Assert.Equal(108 * 60, row.RequestCount);
            Assert.Equal(93 * 60, row.SuccessCount);
            Assert.Equal(4 * 60, row.UserErrorCount);
            Assert.Equal(11 * 60, row.ErrorCount);
            Assert.Equal(60, row.RuntimeErrorCount);
            Assert.Equal(2 * 60, row.ConnectionErrorCount);
            Assert.Equal(3 * 60, row.StartupErrorCount);
            Assert.Equal(5 * 60, row.TimeoutErrorCount);
            Assert.Equal(0.3, row.GetValue(AnalyticsExpand.P25Duration));
            Assert.Equal(0.3, row.GetValue(AnalyticsExpand.P50Duration));
            Assert.Equal(1.7, row.GetValue(AnalyticsExpand.P75Duration));
            Assert.Equal(1.7, row.GetValue(AnalyticsExpand.P90Duration));
            Assert.Equal(9, row.GetValue(AnalyticsExpand.P95Duration));
            Assert.Equal(9, row.GetValue(AnalyticsExpand.P99Duration));
            Assert.Equal(0.043, row.GetValue(AnalyticsExpand.P99PrepareDuration));
            Assert.Equal(2 * 60, row.ColdBootCount);
            Assert.Equal(21, row.GetValue(AnalyticsExpand.P90ColdBootDuration));
            // Of ten requests five take 0.3 s, four 1.7 s and one 9 s: 1.73 s in the mean.
            Assert.Equal(TimeSpan.FromSeconds(93 * 60 * 1.73), row.TotalBillableDuration);
        }
    }

    [Fact]
    public async Task The_models_route_knows_a_scripted_app_too()
    {
        await using Account account = await Account.OpenAsync();
        account.Simulator.App(App).RequestsPerMinute[200] = 5;

        AnalyticsPage page = await account.Client.Analytics.GetPageAsync(
            new AnalyticsQuery(App)
            {
                Source = AnalyticsSource.Models,
                Expand = AnalyticsExpand.Summary | AnalyticsExpand.RequestCount,
                Range = AnalyticsTimeRange.Between(Account.Hour(10), Account.Hour(11)),
            },
            TestContext.Current.CancellationToken);

        Assert.Equal(300, Assert.Single(page.Summary).RequestCount);
    }

    [Fact]
    public async Task The_list_of_apps_shows_the_settings_of_the_script_in_its_environment()
    {
        await using Account account = await Account.OpenAsync();
        SimulatedApp app = account.Simulator.App(App);
        app.Environment = "staging";
        app.MachineType = "NVIDIA B200";
        app.AuthMode = "public";
        app.KeepAlive = TimeSpan.FromMinutes(5);
        app.SetScaling(2, 20);
        account.Simulator.App("my-org/other");

        FalAppList main = await account.Client.Apps.ListAsync(cancellationToken: TestContext.Current.CancellationToken);
        FalAppList staging = await account.Client.Apps.ListAsync(
            new FalAppQuery("staging") { WithEndpoints = true }, TestContext.Current.CancellationToken);

        Assert.Equal("my-org/other", Assert.Single(main.Apps).EndpointId);
        FalApp listed = Assert.Single(staging.Apps);
        Assert.Equal((App, "my-org", "my-app", "staging"), (listed.EndpointId, listed.Owner, listed.Name, listed.Environment));
        Assert.Equal(("GPU-B200", "public"), (listed.MachineType, listed.AuthMode));
        Assert.Equal(TimeSpan.FromMinutes(5), listed.KeepAlive);
        Assert.Equal((2, 20), (listed.MinConcurrency, listed.MaxConcurrency));
        Assert.Equal([App], listed.Endpoints!);
    }

    [Fact]
    public async Task The_runner_history_counts_the_states_that_the_metrics_show()
    {
        await using Account account = await Account.OpenAsync();
        SimulatedApp app = account.Simulator.App(App);
        app.Runners["running"] = 3;
        app.Runners["running", "NVIDIA B200"] = 1;
        app.Runners["idle"] = 2;
        app.Runners["pending"] = 5;
        app.Runners["draining"] = 6;
        app.Runners["dead"] = 9;

        FalRunnerHistory history = await account.Client.Apps.GetRunnerHistoryAsync(
            App, AnalyticsTimeRange.Between(Account.Hour(10), Account.Hour(12)), AnalyticsTimeframe.Hour,
            cancellationToken: TestContext.Current.CancellationToken);

        Assert.Equal(2, history.Buckets.Count);
        Assert.All(history.Buckets, hour => Assert.Equal(
            (4d, 2d, 5d, 6d), (hour.Running, hour.Idle, hour.Pending, hour.Draining)));
    }

    [Fact]
    public async Task Usage_bills_the_runners_at_the_price_of_the_script()
    {
        await using Account account = await Account.OpenAsync();
        SimulatedApp app = account.Simulator.App(App);
        app.Environment = "staging";
        app.Runners["running"] = 2;
        app.Runners["idle"] = 1;
        app.Runners["pending"] = 8;
        app.Runners["draining", "own machine"] = 1;
        app.PricePerSecond = 0.002m;
        app.PercentDiscount = 25;

        UsageReport usage = await account.Client.Usage.GetReportAsync(
            new UsageQuery
            {
                Expand = UsageExpand.Summary,
                Range = AnalyticsTimeRange.Between(Account.Hour(10), Account.Hour(12)),
                Timeframe = AnalyticsTimeframe.Hour,
            },
            TestContext.Current.CancellationToken);

        Assert.Equal(
            [("GPU-H100", 3 * 7200m, 3 * 7200 * 0.002m * 0.75m), ("own machine", 7200m, 7200 * 0.002m * 0.75m)],
            usage.Summary.Select(row => (row.MachineType!, row.Quantity!.Value, row.Cost)));
        Assert.All(usage.Summary, row => Assert.Equal(("my-app", "staging", 25m), (row.App, row.Environment, row.PercentDiscount)));
    }

    [Fact]
    public async Task A_change_of_the_script_shows_in_the_next_call()
    {
        await using Account account = await Account.OpenAsync();
        SimulatedApp app = account.Simulator.App(App);
        app.Queue = 250;
        app.RequestsPerMinute[200] = 10;
        Assert.Equal(250, (await account.MetricsOfAsync(App))?.QueueSize);
        Assert.Equal(600, Assert.Single((await account.HoursOfAsync(App))[0].Rows).RequestCount);

        app.Queue = 0;
        app.RequestsPerMinute[200] = 20;

        Assert.Equal(0, (await account.MetricsOfAsync(App))?.QueueSize);
        Assert.Equal(1200, Assert.Single((await account.HoursOfAsync(App))[0].Rows).RequestCount);
    }

    [Fact]
    public async Task A_period_changes_history_and_metrics_while_it_lasts()
    {
        await using Account account = await Account.OpenAsync();
        SimulatedApp app = account.Simulator.App(App);
        app.RequestsPerMinute[200] = 10;
        app.Runners["running"] = 1;
        SimulatedPeriod outage = app.During(Account.Hour(10).AddMinutes(30), Account.Hour(11));
        outage.RequestsPerMinute[200] = 4;
        outage.RequestsPerMinute[503] = 6;
        outage.Latency = TimeSpan.FromSeconds(30);
        app.During(Account.Hour(13), Account.Hour(14)).Queue = 77;

        IReadOnlyList<AnalyticsBucket> hours = await account.HoursOfAsync(App);
        FalRunnerHistory history = await account.Client.Apps.GetRunnerHistoryAsync(
            App, AnalyticsTimeRange.Between(Account.Hour(9), Account.Hour(12)), AnalyticsTimeframe.Hour,
            cancellationToken: TestContext.Current.CancellationToken);
        double? before = (await account.MetricsOfAsync(App))?.QueueSize;
        account.Clock.SetUtcNow(Account.Hour(13));
        double? during = (await account.MetricsOfAsync(App))?.QueueSize;
        account.Clock.SetUtcNow(Account.Hour(14));
        double? after = (await account.MetricsOfAsync(App))?.QueueSize;

        Assert.Equal([600, 420, 600], hours.Select(hour => hour.Rows[0].SuccessCount));
        Assert.Equal([0, 180, 0], hours.Select(hour => hour.Rows[0].ErrorCount));
        Assert.Equal([1, 30, 1], hours.Select(hour => hour.Rows[0].GetValue(AnalyticsExpand.P90Duration)));
        Assert.Equal([1, 1, 1], history.Buckets.Select(hour => hour.Running));
        Assert.Equal((0d, 77d, 0d), (before, during, after));
    }

    [Fact]
    public async Task An_app_that_is_not_scripted_is_refused_as_not_owned()
    {
        await using Account account = await Account.OpenAsync();
        account.Simulator.App(App).RequestsPerMinute[200] = 1;

        await Assert.ThrowsAsync<FalForbiddenException>(() => account.HoursOfAsync("my-org/foreign"));
        account.Simulator.Faults.RefuseEndpoint(App);
        await Assert.ThrowsAsync<FalForbiddenException>(() => account.HoursOfAsync(App));
        account.Simulator.Faults.Clear();
        Assert.Equal(3, (await account.HoursOfAsync(App)).Count);

        Assert.True(account.Simulator.RemoveApp(App));
        Assert.False(account.Simulator.RemoveApp(App));
        await Assert.ThrowsAsync<FalForbiddenException>(() => account.HoursOfAsync(App));
        Assert.Null(await account.MetricsOfAsync(App));
        Assert.Empty(account.Simulator.Apps);
    }

    [Fact]
    public async Task An_app_at_zero_is_absent_from_the_metrics_where_the_options_say_so()
    {
        await using Account account = await Account.OpenAsync(options => options.ScaleToZero = ScaledToZero.Absent);
        SimulatedApp app = account.Simulator.App(App);
        app.Runners["running"] = 1;
        Assert.NotNull(await account.MetricsOfAsync(App));

        app.Runners.Clear();

        Assert.Null(await account.MetricsOfAsync(App));
    }

    [Fact]
    public async Task A_seed_draws_an_account_and_further_apps_can_be_scripted()
    {
        await using Account account = await Account.OpenAsync(options => options.Seed = 42);
        Assert.Equal(12, account.Simulator.Apps.Count);
        string drawn = account.Simulator.Apps[0];

        account.Simulator.App(App).Queue = 250;

        FalMetricsSnapshot now = await account.Client.Metrics.GetSnapshotAsync(TestContext.Current.CancellationToken);
        Assert.Equal(13, now.Apps.Count);
        Assert.Equal(250, now[App]?.QueueSize);
        Assert.Equal(
            [.. account.Simulator.Apps.Order(StringComparer.Ordinal)],
            now.Apps.Select(app => app.Name).Order(StringComparer.Ordinal)
        );
        Assert.Contains("seed", Assert.Throws<ArgumentException>(() => account.Simulator.App(drawn)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_script_changes_while_the_client_reads()
    {
        await using Account account = await Account.OpenAsync();
        SimulatedApp app = account.Simulator.App(App);
        app.Runners["running"] = 1;
        using var read = new CancellationTokenSource();
        Task changing = Task.Run(
            () =>
            {
                for (int i = 0; !read.IsCancellationRequested; i++)
                {
                    app.Queue = i % 100;
                    app.RequestsPerMinute[200 + (i % 7)] = i % 50;
                    app.Runners["running", $"machine {i % 5}"] = i % 3;
                    account.Simulator.App($"my-org/app-{i % 20}").Queue = i % 9;
                    account.Simulator.RemoveApp($"my-org/app-{(i + 10) % 20}");
                }
            },
            TestContext.Current.CancellationToken);

        for (int i = 0; i < 50; i++)
        {
            FalAppMetrics? metrics = await account.MetricsOfAsync(App);
            Assert.InRange(metrics?.QueueSize ?? -1, 0, 99);
            Assert.Equal(3, (await account.HoursOfAsync(App)).Count);
        }

        await read.CancelAsync();
        await changing;
    }
}
