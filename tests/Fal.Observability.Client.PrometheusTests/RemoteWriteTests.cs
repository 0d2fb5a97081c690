using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Fal.Observability.Client.Testing;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Fal.Observability.Client.PrometheusTests;

/// <summary>Analytics in a real Prometheus, by both doors: remote write, and blocks made of a file.</summary>
public sealed class RemoteWriteTests : IDisposable
{
    private const string Receives = "--web.enable-remote-write-receiver";
    private const string Selector = "{__name__=~\"fal_analytics_.+\"}";

    private readonly PrometheusFiles _files = new(MonitoredAccount.Key);
    private readonly FakeTimeProvider _clock = new(MonitoredAccount.Instant);

    public void Dispose() => _files.Dispose();

    [Fact]
    public async Task Analytics_come_back_at_their_own_times_with_the_same_values()
    {
        await using FalSimulator simulator = await MonitoredAccount.StartSimulatorAsync(_clock);
        await using PrometheusServer prometheus = await PrometheusServer.StartAsync(_files.WriteConfiguration(), Receives);
        string[] expected = await ReportAsync(
            simulator,
            AnalyticsTimeframe.Minute,
            _clock.GetUtcNow().AddMinutes(-35),
            _clock.GetUtcNow().AddMinutes(-5)
        );

        await using BridgeHost bridge = await StartBridgeAsync(simulator, prometheus, minutes: 30);
        await WaitForAsync(prometheus, expected);

        // And each minute as it becomes final.
        _clock.Advance(TimeSpan.FromMinutes(2));
        string[] more = await ReportAsync(
            simulator,
            AnalyticsTimeframe.Minute,
            _clock.GetUtcNow().AddMinutes(-37),
            _clock.GetUtcNow().AddMinutes(-5)
        );
        await WaitForAsync(prometheus, more);
        Assert.NotEmpty(more.Except(expected));
        Assert.Contains("remote write: Healthy", await bridge.GetHealthAsync(), StringComparison.Ordinal);

        // As the documentation says it: the newest minute is older than Prometheus looks back by itself.
        const string Minutes = "fal_analytics_request_count{timeframe=\"minute\"}";
        string now = _clock.GetUtcNow().ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        Assert.Empty(await prometheus.QueryAsync($"{Minutes} @ {now}"));
        Assert.NotEmpty(await prometheus.QueryAsync($"last_over_time({Minutes}[10m] @ {now})"));

        (_, string lints) = await Promtool.RunAsync(await bridge.GetAsync("metrics"), "check", "metrics");
        Assert.DoesNotContain("fal_bridge_", lints, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_bucket_that_was_sent_before_a_crash_can_be_sent_again()
    {
        await using FalSimulator simulator = await MonitoredAccount.StartSimulatorAsync(_clock);
        await using PrometheusServer prometheus = await PrometheusServer.StartAsync(_files.WriteConfiguration(), Receives);
        string[] expected = await ReportAsync(
            simulator,
            AnalyticsTimeframe.Minute,
            _clock.GetUtcNow().AddMinutes(-35),
            _clock.GetUtcNow().AddMinutes(-5)
        );
        await using (await StartBridgeAsync(simulator, prometheus, minutes: 30))
        {
            await WaitForAsync(prometheus, expected);
        }

        // As a crash between the answer and the note of it leaves it.
        string state = _files.PathOf("state.json");
        Assert.Contains("2026-06-16T11:29:00", await File.ReadAllTextAsync(state), StringComparison.Ordinal);
        PrometheusFiles.Replace(state, "2026-06-16T11:29:00", "2026-06-16T11:28:00");
        _clock.Advance(TimeSpan.FromMinutes(1));
        await using BridgeHost bridge = await StartBridgeAsync(simulator, prometheus, minutes: 30);

        await WaitForAsync(
            prometheus,
            await ReportAsync(simulator, AnalyticsTimeframe.Minute, _clock.GetUtcNow().AddMinutes(-36), _clock.GetUtcNow().AddMinutes(-5))
        );
        Assert.Contains("remote write: Healthy", await bridge.GetHealthAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    // Then Prometheus 2.42 answers 500, as for a transient failure.
    [InlineData("storage:\n  tsdb:\n    out_of_order_time_window: 1h\n")]
    public async Task History_that_is_older_than_the_head_is_refused_with_both_ways_out_and_the_first_way_works(string storage)
    {
        await using FalSimulator simulator = await MonitoredAccount.StartSimulatorAsync(_clock);
        string[] expected = await ReportAsync(
            simulator,
            AnalyticsTimeframe.Minute,
            _clock.GetUtcNow().AddMinutes(-35),
            _clock.GetUtcNow().AddMinutes(-5)
        );
        // Scrapes itself, so its head is at the present.
        const string Itself = "scrape_configs:\n- job_name: itself\n  static_configs:\n  - targets: [\"ADDRESS\"]\n";
        await using FalSimulator target = await FalSimulator.StartAsync(options => options.Seed = 1);
        string itself = Itself.Replace("ADDRESS", target.BaseAddress.Authority, StringComparison.Ordinal);
        await using (
            PrometheusServer prometheus = await PrometheusServer.StartAsync(_files.WriteConfiguration($"{itself}{storage}"), Receives)
        )
        {
            await prometheus.WaitForAsync("up == 0");
            await using BridgeHost bridge = await StartBridgeAsync(simulator, prometheus, minutes: 30);
            string health = "";
            await prometheus.WaitUntilAsync(
                async () => (health = await bridge.GetHealthAsync()).Contains("remote write: Degraded", StringComparison.Ordinal),
                "nothing was refused"
            );

            Assert.Contains("remote write: Degraded, The remote write was refused with", health, StringComparison.Ordinal);
            Assert.Contains("out_of_order_time_window", health, StringComparison.Ordinal);
            Assert.Contains("promtool tsdb create-blocks-from openmetrics", health, StringComparison.Ordinal);
            Assert.Empty(await prometheus.SamplesAsync(Selector, _clock.GetUtcNow(), TimeSpan.FromHours(1)));
        }

        await using PrometheusServer tolerant = await PrometheusServer.StartAsync(
            _files.WriteConfiguration($"{itself}storage:\n  tsdb:\n    out_of_order_time_window: 400d\n"), Receives);
        await tolerant.WaitForAsync("up == 0");
        await using BridgeHost again = await StartBridgeAsync(simulator, tolerant, minutes: 30);
        await WaitForAsync(tolerant, expected);
    }

    [Fact]
    public async Task Blocks_made_of_the_history_file_answer_with_the_same_values()
    {
        // The program has the clock of the machine, and so has this simulator.
        await using FalSimulator simulator = await MonitoredAccount.StartSimulatorAsync(TimeProvider.System);
        var end = new DateTimeOffset(TimeProvider.System.GetUtcNow().UtcDateTime.Date, TimeSpan.Zero).AddDays(-1);
        string file = _files.PathOf("history.om");
        await WriteHistoryAsync(
            simulator, file, "--first", Day(end.AddDays(-2)), "--last", Day(end.AddDays(-1)), "--account-label", "default");

        DirectoryInfo database = PrometheusServer.NewDatabase();
        (int exitCode, string output) = await Promtool.RunAsync("", "tsdb", "create-blocks-from", "openmetrics", file, database.FullName);

        Assert.True(exitCode == 0, output);
        await using PrometheusServer prometheus = await PrometheusServer.StartOverAsync(
            database, _files.WriteConfiguration(), "--storage.tsdb.retention.time=10y");
        Assert.Equal(
            await ReportAsync(simulator, AnalyticsTimeframe.Hour, end.AddDays(-2), end),
            (await prometheus.SamplesAsync(Selector, end, TimeSpan.FromDays(2))).Order(StringComparer.Ordinal));

        // As the documentation says: the newest hour is looked for this far back until the next one is final, 5 minutes after its end.
        string lastMoment = end.AddMinutes(64).ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        Assert.NotEmpty(
            await prometheus.QueryAsync($"last_over_time(fal_analytics_request_count{{timeframe=\"hour\"}}[130m] @ {lastMoment})")
        );
    }

    private static string Day(DateTimeOffset instant) => instant.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);

    /// <summary>Runs <c>fal-obs history</c> for three apps of a simulator.</summary>
    private static async Task WriteHistoryAsync(FalSimulator simulator, string file, params string[] options)
    {
        string program = Path.Combine(AppContext.BaseDirectory, "fal-obs.dll");
        string[] arguments =
        [
            program, "history", file, "--endpoints", string.Join(',', simulator.Apps.Take(3)), "--base-address",
            simulator.BaseAddress.ToString(), .. options,
        ];
        using Process process = Process.Start(
            new ProcessStartInfo("dotnet", arguments) { RedirectStandardError = true, Environment = { ["FAL_KEY"] = MonitoredAccount.Key } }
        )!;
        string errors = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, errors);
    }

    /// <summary>What the report of the same range holds, as Prometheus is to hold it.</summary>
    internal static async Task<string[]> ReportAsync(
        FalSimulator simulator,
        AnalyticsTimeframe timeframe,
        DateTimeOffset start,
        DateTimeOffset end
    )
    {
        using FalObservabilityClient fal = MonitoredAccount.ClientOf(simulator);
        AnalyticsReport report = await fal.Analytics.GetReportAsync(new AnalyticsQuery(simulator.Apps.Take(3))
        {
            Expand = AnalyticsExpand.TimeSeries | AnalyticsExpand.Standard,
            Range = AnalyticsTimeRange.Between(start, end),
            Timeframe = timeframe,
        });
        string[] expected =
        [
            .. (from bucket in report.TimeSeries
                from row in bucket.Rows
                from metric in row.Metrics.GetFlags()
                let name = $"fal_analytics_{metric.GetWireName()}{(metric.IsDuration() ? "_seconds" : "")}"
                let labels = $"__name__=\"{name}\",account=\"default\",endpoint_id=\"{row.EndpointId}\",timeframe=\"{JsonNamingPolicy.CamelCase.ConvertName(timeframe.ToString())}\""
                select string.Create(
                    CultureInfo.InvariantCulture,
                    $"{bucket.Start.ToUnixTimeSeconds()} {{{labels}}} {row.GetValue(metric):R}"
                )
            ).Order(StringComparer.Ordinal),
        ];
        Assert.NotEmpty(expected);
        return expected;
    }

    private async Task WaitForAsync(PrometheusServer prometheus, string[] expected)
    {
        IReadOnlyList<string> held = [];
        await prometheus.WaitUntilAsync(
            async () =>
                (held = await prometheus.SamplesAsync(Selector, _clock.GetUtcNow(), TimeSpan.FromHours(1))).Count >= expected.Length,
            $"it does not hold {expected.Length} samples"
        );
        Assert.Equal(expected, held.Order(StringComparer.Ordinal));
    }

    private Task<BridgeHost> StartBridgeAsync(FalSimulator simulator, PrometheusServer prometheus, int minutes)
    {
        var settings = new Dictionary<string, string?>
        {
            ["Fal:ApiKey"] = MonitoredAccount.Key,
            ["Fal:BaseAddress"] = simulator.BaseAddress.ToString(),
            ["Bridge:RemoteWrite:Url"] = new Uri(prometheus.Address, "api/v1/write").ToString(),
            ["Bridge:RemoteWrite:StateFile"] = _files.PathOf("state.json"),
            ["Bridge:RemoteWrite:MaxSamplesPerRequest"] = "25",
            ["Bridge:RemoteWrite:Histories:0:Since"] = TimeSpan.FromMinutes(minutes).ToString(),
        };
        foreach ((int i, string app) in simulator.Apps.Take(3).Index())
        {
            settings[$"Bridge:RemoteWrite:Histories:0:EndpointIds:{i}"] = app;
        }

        return BridgeHost.StartAsync(settings, _clock);
    }
}
