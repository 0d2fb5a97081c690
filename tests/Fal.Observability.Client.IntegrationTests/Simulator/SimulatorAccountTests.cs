using System.Net;
using Fal.Observability.Client.Testing;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Fal.Observability.Client.IntegrationTests.Simulator;

/// <summary>The list of apps, the history of their runners and the bill are about the same account as its metrics and analytics.</summary>
public sealed class SimulatorAccountTests
{
    private static readonly DateTimeOffset Now = new(2026, 6, 17, 12, 34, 0, TimeSpan.Zero);

    private static readonly AnalyticsTimeRange TwoDays = AnalyticsTimeRange.Between(Now.AddDays(-2), Now.AddHours(-2));

    [Fact]
    public async Task The_apps_are_those_of_the_metrics_with_their_routes()
    {
        await using FalSimulator simulator = await StartAsync();
        using FalAccount account = AccountOf(simulator);

        FalAppList apps = await account.Apps.ListAsync(new FalAppQuery { WithEndpoints = true }, TestContext.Current.CancellationToken);
        FalMetricsSnapshot snapshot = await account.Metrics.GetSnapshotAsync(TestContext.Current.CancellationToken);
        AnalyticsReport report = await account.Analytics.GetReportAsync(apps.ToQuery() with { Range = TwoDays },
            TestContext.Current.CancellationToken);

        Assert.Equal(snapshot.Apps.Select(app => app.Name).Order(StringComparer.Ordinal), apps.Apps.Select(app => app.EndpointId)
            .Order(StringComparer.Ordinal));
        Assert.Equal(
            report.TimeSeries.SelectMany(bucket => bucket.Rows).Select(row => row.EndpointId).Distinct().Order(StringComparer.Ordinal),
            apps.Apps.SelectMany(app => app.Endpoints!).Order(StringComparer.Ordinal));
        Assert.Equal(apps.Apps.Select(app => app.EndpointId).Order(StringComparer.Ordinal),
            apps.ByApp(report.TimeSeries).Keys.Order(StringComparer.Ordinal));
        Assert.All(apps.Apps, app => Assert.Equal((FalEnvironments.Main, "simulated"), (app.Environment, app.Owner)));
        Assert.All(apps.Apps, app =>
            Assert.True(app.MaxConcurrency >= UpOrPending(snapshot.Apps.Single(live => live.Name == app.EndpointId))));
        Assert.Null((await account.Apps.ListAsync(TestContext.Current.CancellationToken)).Apps[0].Endpoints);

        static double UpOrPending(FalAppMetrics app) =>
            (app.RunnersInState(FalRunnerStates.Running) ?? 0) + (app.RunnersInState(FalRunnerStates.Pending) ?? 0);
    }

    [Theory]
    [InlineData("?search=IMAGE", 4)]
    [InlineData("?search=simulated", 0)]
    [InlineData("?environment=main", 12)]
    [InlineData("?environment=staging", 0)]
    [InlineData("?expand=endpoints&search=00003", 1)]
    public async Task Search_and_environment_choose_among_the_apps(string query, int count)
    {
        await using SimulatorSession session = await SimulatorSession.StartAsync();
        string body = await session.GetTextAsync($"/serverless/apps{query}");
        Assert.Equal(count, System.Text.Json.Nodes.JsonNode.Parse(body)!["apps"]!.AsArray().Count);
        Assert.Equal(query.Contains("expand", StringComparison.Ordinal) ? 1 : 0, body.Split("\"endpoints\"").Length - 1);
    }

    [Fact]
    public async Task The_history_of_the_last_minute_is_what_the_metrics_show()
    {
        await using FalSimulator simulator = await StartAsync();
        using FalAccount account = AccountOf(simulator);
        FalMetricsSnapshot snapshot = await account.Metrics.GetSnapshotAsync(TestContext.Current.CancellationToken);

        foreach (FalAppMetrics app in snapshot.Apps)
        {
            FalRunnerHistory history = await account.Apps.GetRunnerHistoryAsync(
                app.Name, AnalyticsTimeRange.Between(Now.AddMinutes(-1), Now), AnalyticsTimeframe.Minute,
                    cancellationToken: TestContext.Current.CancellationToken);
            FalRunnerBucket minute = Assert.Single(history.Buckets);
            Assert.Equal(Now.AddMinutes(-1), minute.Start);
            Assert.Equal(app.RunnersInState(FalRunnerStates.Running) ?? 0, minute.Running + minute.Idle);
            Assert.Equal(app.RunnersInState(FalRunnerStates.Pending) ?? 0, minute.Pending);
        }
    }

    [Fact]
    public async Task The_bill_is_the_machine_time_of_the_history_and_covers_what_analytics_call_billable()
    {
        await using FalSimulator simulator = await StartAsync();
        using FalAccount account = AccountOf(simulator);
        FalAppList apps = await account.Apps.ListAsync(TestContext.Current.CancellationToken);
        UsageReport usage = await account.Usage.GetReportAsync(
            new UsageQuery { Range = TwoDays, Timeframe = AnalyticsTimeframe.Hour, Expand = UsageExpand.TimeSeries | UsageExpand.Summary },
                TestContext.Current.CancellationToken);
        AnalyticsReport requests = await account.Analytics.GetReportAsync(
            apps.ToQuery(AnalyticsExpand.Volume | AnalyticsExpand.TotalBillableDuration) with
            {
                Range = TwoDays,
                Timeframe = AnalyticsTimeframe.Hour
            }, TestContext.Current.CancellationToken);
        IReadOnlyDictionary<string, AnalyticsTotals> traffic = apps.ByApp(requests.TimeSeries);

        foreach (FalApp app in apps.Apps)
        {
            FalRunnerHistory history = await account.Apps.GetRunnerHistoryAsync(
                app.EndpointId, TwoDays, AnalyticsTimeframe.Hour, FalRunnerAggregation.Average, TestContext.Current.CancellationToken);
            FalRunnerHistory peak = await account.Apps.GetRunnerHistoryAsync(
                app.EndpointId, TwoDays, AnalyticsTimeframe.Hour, cancellationToken: TestContext.Current.CancellationToken);
            Assert.Equal(usage.TimeSeries.Select(bucket => bucket.Start), history.Buckets.Select(bucket => bucket.Start));
            decimal billed = 0;
            foreach ((UsageBucket hour, FalRunnerBucket runners) in usage.TimeSeries.Zip(history.Buckets))
            {
                decimal seconds = hour.Rows.Where(row => row.App?.StartsWith(app.Name, StringComparison.Ordinal) == true)
                    .Sum(row => row.MachineSeconds!.Value);
                Assert.Equal((double)seconds, (runners.Running + runners.Idle + runners.Draining)!.Value * 3600, 1e-6);
                billed += seconds;
            }

            // A machine serves up to eight requests at a time.
            Assert.True((double)billed * 8 >= traffic[app.EndpointId].GetValue(AnalyticsExpand.TotalBillableDuration));
            Assert.InRange(history.IdleShare!.Value, 0, 1);
            Assert.InRange(peak.PeakShareOf(app)!.Value, 0, 1);
        }

        AppCostReport costs = usage.ByApp(apps, requests);
        Assert.Equal(Assert.Single(usage.Totals).Cost,
            costs.Attributed.Sum(total => total.Cost) + costs.Unattributed.Sum(total => total.Cost));
        Assert.Contains(costs.Unattributed, rest => rest.App is null);
        Assert.Contains(costs.Unattributed, rest =>
            rest.App?.EndsWith("-main", StringComparison.Ordinal) == true && rest.Environment is null);
        Assert.Contains(costs.Apps, app => app.CostPerThousandSuccesses > 0);
        Assert.Contains(usage.Summary, row => row.IsSurge);
        Assert.Contains(usage.Summary, row => row.PercentDiscount == 20);
        Assert.All(usage.Summary, row =>
            Assert.Equal(row.Cost, (row.Quantity * row.UnitPrice * (1 - ((row.PercentDiscount ?? 0) / 100)))!.Value));
    }

    [Theory]
    [InlineData(LimitCounts.Buckets, BucketOrder.Ascending, BucketOffset.Zone, SummaryOn.EveryPage)]
    [InlineData(LimitCounts.Rows, BucketOrder.Ascending, BucketOffset.Utc, SummaryOn.FirstPage)]
    [InlineData(LimitCounts.Rows, BucketOrder.Descending, BucketOffset.None, SummaryOn.EveryPage)]
    public async Task However_the_bill_is_cut_into_pages_it_adds_up_to_its_summary(LimitCounts counts, BucketOrder order,
        BucketOffset offset, SummaryOn summaryOn)
    {
        await using FalSimulator simulator = await StartAsync(options =>
        {
            (options.LimitCounts, options.BucketOrder, options.BucketOffset, options.SummaryOn) = (counts, order, offset, summaryOn);
            options.Apps = 6;
        });
        using FalAccount account = AccountOf(simulator);
        foreach (int limit in new[] { 1, 5, 100 })
        {
            var query = new UsageQuery
            {
                Range = AnalyticsTimeRange.Between(Now.AddDays(-1), Now),
                Timeframe = AnalyticsTimeframe.Hour,
                TimeZone = "Europe/Berlin",
                Limit = limit,
                Expand = UsageExpand.TimeSeries | UsageExpand.Summary,
            };
            UsageReport report = await account.Usage.GetReportAsync(query, TestContext.Current.CancellationToken);

            Assert.Equal(25, report.TimeSeries.Count);
            Assert.Equal(
                report.Summary.OrderBy(row => row.ToString(), StringComparer.Ordinal)
                    .Select(row => (row.App, row.MachineType, row.IsSurge, row.Cost)),
                report.TimeSeries.SelectMany(bucket => bucket.Rows).GroupBy(row => (row.App, row.Environment, row.MachineType, row.IsSurge))
                    .Select(rows => new UsageRow
                    {
                        App = rows.Key.App,
                        Environment = rows.Key.Environment,
                        MachineType = rows.Key.MachineType,
                        IsSurge = rows.Key.IsSurge,
                        Unit = "second",
                        Quantity = rows.Sum(row => row.Quantity),
                        Cost = rows.Sum(row => row.Cost),
                        Currency = "USD",
                    })
                    .OrderBy(row => row.ToString(), StringComparer.Ordinal)
                        .Select(row => (row.App, row.MachineType, row.IsSurge, row.Cost)));
            if (order == BucketOrder.Ascending)
            {
                decimal streamed = 0;
                await foreach (UsageBucket bucket in account.Usage.StreamTimeSeriesAsync(query, TestContext.Current.CancellationToken))
                {
                    streamed += bucket.Rows.Sum(row => row.Cost);
                }

                Assert.Equal(Assert.Single(report.Totals).Cost, streamed);
            }
        }
    }

    [Fact]
    public async Task The_bill_can_be_asked_for_by_name()
    {
        await using FalSimulator simulator = await StartAsync();
        using FalAccount account = AccountOf(simulator);
        var query = new UsageQuery { Range = TwoDays };
        IReadOnlyList<UsageTotals> exact = (await account.Usage.GetReportAsync(query with { Apps = ["text-to-image-00000"] },
            TestContext.Current.CancellationToken)).ByApp();
        IReadOnlyList<UsageTotals> found = (await account.Usage.GetReportAsync(query with { Search = "IMAGE" },
            TestContext.Current.CancellationToken)).ByApp();
        Assert.Equal("text-to-image-00000", Assert.Single(exact).App);
        Assert.All(found, total => Assert.Contains("image", total.App, StringComparison.Ordinal));
        Assert.True(found.Count > 1);
    }

    [Theory]
    [InlineData("/serverless/apps?expand=everything", "expand")]
    [InlineData("/serverless/apps/simulated/text-to-image-00000/runners/history?aggregation=median", "aggregation")]
    [InlineData("/serverless/apps/simulated/text-to-image-00000/runners/history?start=2026-01-01", "90 days")]
    [InlineData("/serverless/apps/simulated/text-to-image-00000/runners/history?timeframe=year", "timeframe")]
    [InlineData("/serverless/usage?expand=request_count", "expand")]
    [InlineData("/serverless/usage?timezone=Nowhere", "timezone")]
    [InlineData("/serverless/usage?cursor=Mg", "cursor")]
    [InlineData("/serverless/usage?limit=0", "limit")]
    public async Task A_wrong_parameter_is_answered_400(string path, string says)
    {
        await using SimulatorSession session = await SimulatorSession.StartAsync();
        using HttpResponseMessage response = await session.GetAsync(path);
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Contains(says, await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_key_without_billing_reads_everything_but_the_bill()
    {
        await using FalSimulator simulator = await StartAsync();
        using FalAccount account = new(simulator.BaseAddress, options => options.ApiKey = simulator.KeyWithoutBilling);

        Assert.NotEmpty((await account.Apps.ListAsync(TestContext.Current.CancellationToken)).Apps);
        FalForbiddenException refusal = await account.FailureOfAsync<FalForbiddenException>(FalCall.UsageReport);

        Assert.Contains("billing:usage:read", refusal.ServiceMessage, StringComparison.Ordinal);
        Assert.Contains("Add it to the key", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_app_that_is_not_there_or_refused_has_no_history()
    {
        await using FalSimulator simulator = await StartAsync();
        using FalAccount account = AccountOf(simulator);
        simulator.Faults.RefuseEndpoint(simulator.Apps[1]);

        FalApiException missing = await Assert.ThrowsAsync<FalApiException>(() =>
            account.Apps.GetRunnerHistoryAsync("simulated/no-such-app"));
        FalForbiddenException refused = await Assert.ThrowsAsync<FalForbiddenException>(() =>
            account.Apps.GetRunnerHistoryAsync(simulator.Apps[1]));

        Assert.Equal(HttpStatusCode.NotFound, missing.StatusCode);
        Assert.Contains("not owned", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(FaultKind.TruncatedLength)]
    [InlineData(FaultKind.TruncatedChunked)]
    [InlineData(FaultKind.TruncatedGzip)]
    [InlineData(FaultKind.EmptyBody)]
    [InlineData(FaultKind.HtmlBody)]
    [InlineData(FaultKind.WrongContent)]
    public async Task A_fault_of_delivery_is_an_error_of_every_new_route(FaultKind kind)
    {
        await using FalSimulator simulator = await StartAsync(options => options.Faults.Every(1, new Fault(kind)));
        using FalAccount account = AccountOf(simulator, options => options.MaxAttempts = 1);
        foreach (Func<Task> call in new Func<Task>[]
        {
            () => account.Apps.ListAsync(),
            () => account.Apps.GetRunnerHistoryAsync(simulator.Apps[0]),
            () => account.Usage.GetReportAsync(),
        })
        {
            await Assert.ThrowsAsync<FalResponseException>(call);
        }
    }

    [Fact]
    public async Task Usage_and_history_lag_like_analytics()
    {
        await using FalSimulator simulator = await StartAsync(options => options.AnalyticsLag = TimeSpan.FromHours(3));
        using FalAccount account = AccountOf(simulator);
        AnalyticsTimeRange range = AnalyticsTimeRange.Between(Now.AddHours(-6), Now);

        UsageReport usage = await account.Usage.GetReportAsync(new UsageQuery { Range = range, Timeframe = AnalyticsTimeframe.Hour },
            TestContext.Current.CancellationToken);
        FalRunnerHistory history = await account.Apps.GetRunnerHistoryAsync(simulator.Apps[0], range, AnalyticsTimeframe.Hour,
            cancellationToken: TestContext.Current.CancellationToken);

        Assert.Equal([true, true, true, true, false, false, false], usage.TimeSeries.Select(bucket => bucket.Rows.Count > 0));
        Assert.Equal([true, true, true, true, false, false, false], history.Buckets.Select(bucket => bucket.Running + bucket.Idle > 0));
    }

    private static Task<FalSimulator> StartAsync(Action<FalSimulatorOptions>? configure = null)
    {
        var options = new FalSimulatorOptions { Seed = 1, TimeProvider = new FakeTimeProvider(Now) };
        configure?.Invoke(options);
        return FalSimulator.StartAsync(options, TestContext.Current.CancellationToken);
    }

    private static FalAccount AccountOf(FalSimulator simulator, Action<FalObservabilityOptions>? configure = null) =>
        new(simulator.BaseAddress, options =>
    {
        options.ApiKey = simulator.Key;
        configure?.Invoke(options);
    });
}
