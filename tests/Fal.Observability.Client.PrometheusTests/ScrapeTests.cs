using System.Globalization;
using System.Reflection;
using System.Text.Json;
using Fal.Observability.Client.Prometheus;
using Fal.Observability.Client.Testing;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Fal.Observability.Client.PrometheusTests;

/// <summary>What a real Prometheus reads with the published configuration is what the client reads.</summary>
public sealed class ScrapeTests(MonitoredAccount account)
{
    /// <summary>PromQL by application, most of it as fal's documentation has it, and the typed value that stands for the same.</summary>
    private static readonly Dictionary<string, Func<FalAppMetrics, double?>> TypedValues = new()
    {
        ["sum(fal_app_queue_size) by (application)"] = app => app.QueueSize,
        ["sum(fal_app_concurrent_requests) by (application)"] = app => app.ConcurrentRequests,
        ["sum(fal_app_runners) by (application)"] = app => app.RunnerCount,
        ["sum(fal_app_runners{state=\"pending\"}) by (application)"] = app => NullIfZero(app.RunnersInState(FalRunnerStates.Pending)),
        ["sum(fal_app_requests_received) by (application)"] = app => app.RequestsReceived,
        ["sum(fal_app_requests_completed) by (application)"] = app => app.RequestsCompleted,
        ["histogram_quantile(0.5, sum by (application, le) (fal_app_request_latency))"] = app => app.Latency?.Quantile(0.5),
        ["histogram_quantile(0.99, sum by (application, le) (fal_app_request_latency))"] = app => app.Latency?.Quantile(0.99),
        ["fal_app_runner_gpu_utilization_percent / fal_app_runner_gpu_count"] = app => app.GpuUtilizationPercentPerGpu,
        ["fal_app_runner_vram_usage_percent / fal_app_runner_gpu_count"] = app => app.VramUsagePercentPerGpu,
        ["fal_app_runner_cpu_usage_percent / on(application) sum(fal_app_runners) by (application)"] = app => app.CpuUsagePercentPerRunner,
        ["fal_app_runner_memory_usage_bytes / on(application) sum(fal_app_runners) by (application)"] = app =>
            app.MemoryUsageBytesPerRunner,
    };

    public static TheoryData<string> Families =>
    [
        .. typeof(FalMetricNames).GetFields(BindingFlags.Public | BindingFlags.Static)
            .Select(constant => (string)constant.GetRawConstantValue()!)
            .Where(name => name != FalMetricNames.ApplicationLabel),
    ];

    /// <summary>What promtool has against the service's own names, and what cannot be changed without changing them.</summary>
    public static IEnumerable<string> ListedLints =>
    [
        "fal_app_request_latency non-histogram metrics should not have \"le\" label",
        "fal_app_runner_gpu_count non-histogram and non-summary metrics should not have \"_count\" suffix",
    ];

    public static TheoryData<string> Expressions => [.. TypedValues.Keys];

    [Theory]
    [MemberData(nameof(Families))]
    public async Task A_family_has_the_same_series_and_values_in_PromQL_as_in_the_snapshot(string family)
    {
        string[] snapshot = [.. account.Snapshot.Exposition[family]!.Samples.Select(Text).Order(StringComparer.Ordinal)];

        IReadOnlyList<PrometheusSeries> series = await account.Prometheus.QueryAsync(family);

        Assert.NotEmpty(snapshot);
        Assert.Equal(snapshot, series.Select(Text).Order(StringComparer.Ordinal));
        Assert.All(series, one => Assert.Equal(("fal", "my-account"), (one.Labels["job"], one.Labels["account"])));
    }

    [Fact]
    public async Task Those_are_all_the_families()
    {
        IReadOnlyList<PrometheusSeries> stored = await account.Prometheus.QueryAsync("count by (__name__) ({__name__=~\"fal_.+\"})");

        IEnumerable<string> names = Families.Select(row => row.Data).Order(StringComparer.Ordinal);
        Assert.Equal(names, stored.Select(series => series.Labels["__name__"]).Order(StringComparer.Ordinal));
        Assert.Equal(names, account.Snapshot.Families.Select(family => family.Name).Order(StringComparer.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Expressions))]
    public async Task A_typed_value_is_what_PromQL_computes(string expression)
    {
        IReadOnlyList<PrometheusSeries> series = await account.Prometheus.QueryAsync(expression);

        // NaN is PromQL's word for a quantile of no requests; the typed value is null there.
        Assert.Equal(
            series.Where(one => !double.IsNaN(one.Value)).Select(one => (one.Labels["application"], one.Value)).Order(),
            account.Snapshot.Apps
                .Select(app => (app.Name, Value: TypedValues[expression](app)))
                .Where(app => app.Value is not null)
                .Select(app => (app.Name, app.Value!.Value))
                .Order());
        Assert.Contains(series, one => one.Value > 0);
    }

    [Fact]
    public async Task Values_follow_the_service_and_series_that_vanish_there_vanish_here()
    {
        var clock = new FakeTimeProvider(MonitoredAccount.Instant);
        await using FalSimulator simulator = await MonitoredAccount.StartSimulatorAsync(clock);
        using FalObservabilityClient fal = MonitoredAccount.ClientOf(simulator);
        using var files = new PrometheusFiles(MonitoredAccount.Key);
        files.AimDirectAt(simulator.BaseAddress);
        await using PrometheusServer prometheus = await PrometheusServer.StartAsync(files.Direct);

        string[] first = await CompareAsync();
        clock.Advance(TimeSpan.FromHours(11));
        string[] second = await CompareAsync();

        Assert.NotEmpty(first.Select(Series).Except(second.Select(Series)));
        Assert.NotEmpty(second.Select(Series).Except(first.Select(Series)));

        async Task<string[]> CompareAsync()
        {
            await prometheus.WaitForNextScrapeAsync("fal");
            FalMetricsSnapshot snapshot = await fal.Metrics.GetSnapshotAsync();
            string[] expected = [.. snapshot.Families.SelectMany(family => family.Samples).Select(Text).Order(StringComparer.Ordinal)];
            Assert.Equal(expected, (await prometheus.QueryAsync("{__name__=~\"fal_.+\"}")).Select(Text).Order(StringComparer.Ordinal));
            return expected;
        }
    }

    [Fact]
    public async Task A_wrong_key_is_a_target_that_is_down_and_its_error_does_not_tell_the_key()
    {
        const string WrongKey = "test-id:not-the-secret-0123456789";
        await using FalSimulator simulator = await MonitoredAccount.StartSimulatorAsync(new FakeTimeProvider(MonitoredAccount.Instant));
        using var files = new PrometheusFiles(WrongKey);
        files.AimDirectAt(simulator.BaseAddress);
        await using PrometheusServer prometheus = await PrometheusServer.StartAsync(files.Direct);

        await prometheus.WaitForAsync("up{job=\"fal\"} == 0");

        JsonElement target = (await prometheus.GetAsync("api/v1/targets")).GetProperty("activeTargets")[0];
        Assert.Contains("401", target.GetProperty("lastError").GetString(), StringComparison.Ordinal);
        Assert.DoesNotContain(WrongKey, target.GetRawText() + prometheus.Log, StringComparison.Ordinal);
        Assert.Equal("Key ***", simulator.Requests[0].Headers["Authorization"]);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Promtool_finds_no_lint_but_those_of_the_services_own_names(bool asRewritten)
    {
        string text = asRewritten ? PrometheusTextWriter.ToText(account.Snapshot.Exposition) : account.Exposition;

        (int exitCode, string output) = await Promtool.RunAsync(text, "check", "metrics");

        Assert.Equal(3, exitCode);
        Assert.Equal(
            ListedLints,
            output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Distinct().Order(StringComparer.Ordinal));
    }

    private static double? NullIfZero(double? value) => value == 0 ? null : value;

    private static string Text(PrometheusSample sample) => Text(sample.Name, sample.Labels, sample.Value);

    /// <summary>Without what the scrape adds.</summary>
    private static string Text(PrometheusSeries series) =>
        Text(
            series.Labels["__name__"],
            series.Labels.Where(label => label.Key is not ("__name__" or "job" or "instance" or "account")),
            series.Value
        );

    private static string Text(string name, IEnumerable<KeyValuePair<string, string>> labels, double value)
    {
        IEnumerable<string> ordered = labels.Select(label => $"{label.Key}=\"{label.Value}\"").Order(StringComparer.Ordinal);
        return string.Create(CultureInfo.InvariantCulture, $"{name}{{{string.Join(',', ordered)}}} {value:R}");
    }

    private static string Series(string text) => text[..text.LastIndexOf(' ')];
}
