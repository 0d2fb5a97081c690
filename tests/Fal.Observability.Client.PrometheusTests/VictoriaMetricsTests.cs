using System.Globalization;
using Fal.Observability.Client.Testing;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Fal.Observability.Client.PrometheusTests;

/// <summary>The published files and the bridge with VictoriaMetrics and vmalert, which are not Prometheus.</summary>
public sealed class VictoriaMetricsTests(MonitoredAccount account, BridgedAccounts bridged) : IDisposable
{
    private const string Analytics = "{__name__=~\"fal_analytics_.+\"}";
    private const string Forever = "-retentionPeriod=100y";

    private readonly PrometheusFiles _files = new(MonitoredAccount.Key);

    public void Dispose() => _files.Dispose();

    [Fact]
    public async Task Its_strict_parser_accepts_the_scrape_files_as_they_are_published()
    {
        foreach (string file in new[] { _files.Direct, _files.Bridge })
        {
            (int exitCode, string output) = await VictoriaMetricsServer.RunAsync(
                "victoria-metrics", $"-promscrape.config={file}", "-promscrape.config.strictParse", "-dryRun");
            Assert.True(exitCode == 0, output);
        }

        (int refused, string why) = await VictoriaMetricsServer.RunAsync(
            "victoria-metrics", $"-promscrape.config={_files.WithAlerting(_files.Direct)}", "-promscrape.config.strictParse", "-dryRun");
        Assert.NotEqual(0, refused);
        Assert.Contains("field rule_files not found", why, StringComparison.Ordinal);
    }

    [Fact]
    public async Task It_scrapes_fal_itself_and_holds_the_values_of_the_snapshot()
    {
        _files.AimDirectAt(account.Service);
        await using VictoriaMetricsServer server = await VictoriaMetricsServer.StartAsync(
            $"-promscrape.config={_files.Direct}", "-promscrape.config.strictParse");

        await server.WaitForAsync("up{job=\"fal\"} == 1");
        await server.FlushAsync();

        Assert.Equal(
            account.Snapshot.Families.SelectMany(family => family.Samples)
                .Select(sample => Text(sample.Name, sample.Labels, sample.Value)).Order(StringComparer.Ordinal),
            (await server.QueryAsync("{__name__=~\"fal_.+\"}")).Select(Text).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task It_scrapes_the_bridge_and_holds_the_values_of_both_snapshots()
    {
        _files.AimBridgeAt(bridged.Address);
        await using VictoriaMetricsServer server = await VictoriaMetricsServer.StartAsync(
            $"-promscrape.config={_files.Bridge}", "-promscrape.config.strictParse");

        await server.WaitForAsync("up{job=\"fal-bridge\"} == 1");
        await server.FlushAsync();

        foreach ((string name, FalMetricsSnapshot snapshot) in bridged.Snapshots)
        {
            Assert.Equal(
                snapshot.Families.SelectMany(family => family.Samples)
                    .Select(sample => Text(sample.Name, sample.Labels, sample.Value)).Order(StringComparer.Ordinal),
                (await server.QueryAsync($"{{__name__=~\"fal_app_.+\", account=\"{name}\"}}")).Select(Text).Order(StringComparer.Ordinal));
        }
    }

    [Fact]
    public async Task Its_vmalert_records_what_the_snapshot_says_with_external_labels_too()
    {
        _files.AimDirectAt(account.Service);
        await using VictoriaMetricsServer server = await VictoriaMetricsServer.StartAsync($"-promscrape.config={_files.Direct}");
        await server.WaitForAsync("up{job=\"fal\"} == 1");
        await using var vmalert = new LeashedProcess(
            "vmalert",
            [
                .. _files.Rules.Select(file => $"-rule={file}"), $"-datasource.url={server.Address}", $"-remoteWrite.url={server.Address}",
                $"-notifier.url={LeashedProcess.FreeAddress()}", "-external.label=cluster=test", "-remoteWrite.flushInterval=100ms",
                $"-httpListenAddr={LeashedProcess.FreeAddress().Authority}",
            ]);

        // It fires on failures of the busy moment, which needs records of records; and so it does with a label added.
        await server.WaitForAsync("ALERTS{alertname=\"FalErrorBudgetBurn\", alertstate=\"firing\", cluster=\"test\"}");
        await server.WaitForAsync("application:fal_app_slow_per_request:ratio_sum3d");

        await EqualAsync("application:fal_app_queue_size:max", app => app.QueueSize);
        await EqualAsync("application:fal_app_requests_completed:sum", app => app.RequestsCompleted ?? 0);
        await EqualAsync(
            "application:fal_app_requests_failed:sum",
            app => app.RequestsCompletedByStatus.Where(count => count.Status!.StartsWith('5')).Sum(count => count.Count));
        Assert.Empty(await server.QueryAsync("min_over_time(application:fal_app_requests_slow:max[1h]) < 0"));

        async Task EqualAsync(string name, Func<FalAppMetrics, double?> value)
        {
            Assert.Equal(
                account.Snapshot.Apps.Where(app => app.QueueSize is not null).Select(app => (app.Name, value(app)!.Value)).Order(),
                (await server.WaitForAsync(name)).Select(series => (series.Labels["application"], series.Value)).Order());
        }
    }

    [Theory]
    [InlineData(ScaledToZero.Absent)]
    [InlineData(ScaledToZero.Zeros)]
    public async Task No_alert_is_false_in_two_hours_of_an_account_that_scales_to_zero(ScaledToZero shown)
    {
        var clock = new FakeTimeProvider(MonitoredAccount.Instant);
        await using FalSimulator simulator = await FalSimulator.StartAsync(
            new FalSimulatorOptions { TimeProvider = clock, Apps = 6, Seed = 1, Key = MonitoredAccount.Key, ScaleToZero = shown });
        using FalObservabilityClient fal = MonitoredAccount.ClientOf(simulator);
        using var http = new HttpClient();
        http.DefaultRequestHeaders.TryAddWithoutValidation("Authorization", $"Key {MonitoredAccount.Key}");
        // An import leaves no stale markers as a scrape does, so a series ends with its last sample.
        await using VictoriaMetricsServer server = await VictoriaMetricsServer.StartAsync(Forever, "-search.maxStalenessInterval=15s");

        var counted = new BudgetBurnByHand();
        for (int step = 0; step < 4 * 120; step++)
        {
            if (step % 4 == 0)
            {
                counted.Add(clock.GetUtcNow(), await fal.Metrics.GetSnapshotAsync());
            }

            string exposition = await http.GetStringAsync(new Uri($"{simulator.BaseAddress}/serverless/metrics"));
            await server.ImportAsync($"{exposition}\nup 1\n", clock.GetUtcNow(), "extra_label=job=fal&extra_label=account=acme");
            clock.Advance(TimeSpan.FromSeconds(15));
        }

        await server.FlushAsync();
        await server.ReplayAsync(_files, MonitoredAccount.Instant, clock.GetUtcNow().AddMinutes(-1));

        // The account has slow apps and failures. An alert of an objective is true in exactly the minutes in which a count by hand says so.
        Assert.NotEmpty(counted.Alerts);
        Assert.Equal(
            counted.Alerts.Select(alert => alert.ToString()).Order(StringComparer.Ordinal),
            (await server.ExportAsync("ALERTS{alertstate=\"firing\"}"))
                .Select(sample =>
                    new BudgetAlert(
                        sample.Time,
                        sample.Labels["alertname"],
                        sample.Labels["severity"],
                        sample.Labels.GetValueOrDefault("application", "")
                    ).ToString()
                )
                .Order(StringComparer.Ordinal)
        );
        Assert.Empty(await server.QueryAsync("min_over_time(application:fal_app_requests_slow:max[2h]) < 0", clock.GetUtcNow()));
    }

    [Fact]
    public async Task Remote_write_comes_back_at_its_own_times_and_what_is_older_than_the_retention_is_dropped_without_a_word()
    {
        var clock = new FakeTimeProvider(MonitoredAccount.Instant);
        await using FalSimulator simulator = await MonitoredAccount.StartSimulatorAsync(clock);
        string[] expected = await RemoteWriteTests.ReportAsync(
            simulator, AnalyticsTimeframe.Minute, clock.GetUtcNow().AddMinutes(-35), clock.GetUtcNow().AddMinutes(-5));
        await using (VictoriaMetricsServer server = await VictoriaMetricsServer.StartAsync(Forever))
        await using (BridgeHost bridge = await StartBridgeAsync(simulator, server, clock, "kept.json"))
        {
            await WaitUntilSentAsync(server, bridge, expected.Length);
            Assert.Equal(expected, await server.SamplesAsync(Analytics));
        }

        // The simulated instant is more than a month old, which is the default retention.
        await using VictoriaMetricsServer forgetful = await VictoriaMetricsServer.StartAsync("-retentionPeriod=1");
        await using BridgeHost believer = await StartBridgeAsync(simulator, forgetful, clock, "dropped.json");
        await WaitUntilSentAsync(forgetful, believer, expected.Length);
        Assert.Empty(await forgetful.SamplesAsync(Analytics));
        Assert.Contains("remote write: Healthy", await believer.GetHealthAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("-dedup.minScrapeInterval=1ms", 1)]
    [InlineData("-dedup.minScrapeInterval=0s", 2)]
    public async Task What_is_sent_twice_counts_once_with_deduplication_and_twice_without(string flag, int times)
    {
        var clock = new FakeTimeProvider(MonitoredAccount.Instant);
        await using FalSimulator simulator = await MonitoredAccount.StartSimulatorAsync(clock);
        string[] expected = await RemoteWriteTests.ReportAsync(
            simulator, AnalyticsTimeframe.Minute, clock.GetUtcNow().AddMinutes(-35), clock.GetUtcNow().AddMinutes(-5));
        await using VictoriaMetricsServer server = await VictoriaMetricsServer.StartAsync(Forever, flag);
        const string Sum = "sum(sum_over_time(fal_analytics_request_count[1h]))";

        await using (BridgeHost bridge = await StartBridgeAsync(simulator, server, clock, "first.json"))
        {
            await WaitUntilSentAsync(server, bridge, expected.Length);
        }

        await server.FlushAsync();
        double once = Assert.Single(await server.QueryAsync(Sum, clock.GetUtcNow())).Value;
        await using (BridgeHost bridge = await StartBridgeAsync(simulator, server, clock, "second.json"))
        {
            await WaitUntilSentAsync(server, bridge, expected.Length);
        }

        await server.FlushAsync();
        Assert.Equal(times * once, Assert.Single(await server.QueryAsync(Sum, clock.GetUtcNow())).Value);
    }

    private static Task WaitUntilSentAsync(VictoriaMetricsServer server, BridgeHost bridge, int samples) => server.WaitUntilAsync(
        async () => (await bridge.GetAsync("metrics")).Split('\n')
            .Where(line => line.StartsWith("fal_bridge_remote_write_samples_total{", StringComparison.Ordinal))
            .Sum(line => double.Parse(line[(line.LastIndexOf(' ') + 1)..], CultureInfo.InvariantCulture)) >= samples,
        $"the bridge has not sent {samples} samples");

    private static string Text(PrometheusSeries series) =>
        Text(
            series.Labels["__name__"],
            series.Labels.Where(label => label.Key is not ("__name__" or "job" or "instance" or "account")),
            series.Value
        );

    private static string Text(string name, IEnumerable<KeyValuePair<string, string>> labels, double value) => string.Create(
        CultureInfo.InvariantCulture,
        $"{name}{{{string.Join(',', labels.Select(label => $"{label.Key}=\"{label.Value}\"").Order(StringComparer.Ordinal))}}} {value:R}");

    private Task<BridgeHost> StartBridgeAsync(FalSimulator simulator, VictoriaMetricsServer server, TimeProvider clock, string state)
    {
        var settings = new Dictionary<string, string?>
        {
            ["Fal:ApiKey"] = MonitoredAccount.Key,
            ["Fal:BaseAddress"] = simulator.BaseAddress.ToString(),
            ["Bridge:RemoteWrite:Url"] = new Uri(server.Address, "api/v1/write").ToString(),
            ["Bridge:RemoteWrite:StateFile"] = _files.PathOf(state),
            ["Bridge:RemoteWrite:Histories:0:Since"] = "00:30:00",
        };
        foreach ((int i, string app) in simulator.Apps.Take(3).Index())
        {
            settings[$"Bridge:RemoteWrite:Histories:0:EndpointIds:{i}"] = app;
        }

        return BridgeHost.StartAsync(settings, clock);
    }
}
