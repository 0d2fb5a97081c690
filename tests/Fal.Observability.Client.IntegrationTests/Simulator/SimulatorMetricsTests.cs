using System.Globalization;
using System.IO.Compression;
using System.Text.Json.Nodes;
using Xunit;

namespace Fal.Observability.Client.IntegrationTests.Simulator;

public sealed class SimulatorMetricsTests
{
    [Fact]
    public async Task The_exposition_has_every_family_with_its_labels_in_alphabetical_order()
    {
        await using SimulatorSession session = await SimulatorSession.StartAsync(options => options.Apps = 48);

        string text = await session.GetTextAsync("/serverless/metrics");

        Assert.StartsWith("# SIMULATED DATA", text, StringComparison.Ordinal);
        Assert.EndsWith("\n", text, StringComparison.Ordinal);
        ILookup<string, SimulatedSample> families = SimulatedSample.ReadAll(text).ToLookup(sample => sample.Family);
        var labels = new Dictionary<string, string>
        {
            ["fal_app_runners"] = "application,machine_type,state",
            ["fal_app_queue_size"] = "application",
            ["fal_app_concurrent_requests"] = "application",
            ["fal_app_requests_completed"] = "application,method,status",
            ["fal_app_requests_received"] = "application,method",
            ["fal_app_request_latency"] = "application,le",
            ["fal_app_runner_cpu_usage_percent"] = "application",
            ["fal_app_runner_memory_usage_bytes"] = "application",
            ["fal_app_runner_gpu_utilization_percent"] = "application",
            ["fal_app_runner_vram_usage_percent"] = "application",
            ["fal_app_runner_gpu_count"] = "application",
        };
        Assert.Equal(labels.Keys.Order(), families.Select(family => family.Key).Order());
        foreach (IGrouping<string, SimulatedSample> family in families)
        {
            Assert.Contains($"# TYPE {family.Key} gauge\n", text, StringComparison.Ordinal);
            Assert.All(family, sample => Assert.Equal(labels[family.Key], string.Join(',', sample.Labels.Keys)));
            Assert.Equal(family.Count(), family.Select(sample => string.Join(',', sample.Labels.Values)).Distinct().Count());
        }

        // Every fourth app runs without GPUs.
        IEnumerable<string> withGpu = families["fal_app_runner_gpu_count"].Select(sample => sample.Labels["application"]);
        IEnumerable<string> withCpu = families["fal_app_runner_cpu_usage_percent"].Select(sample => sample.Labels["application"]);
        Assert.Equal(withCpu.Where(app => int.Parse(app[^5..], CultureInfo.InvariantCulture) % 4 != 3), withGpu);
        Assert.All(
            families["fal_app_request_latency"].GroupBy(sample => sample.Labels["application"]),
            latency =>
            {
                Assert.Equal(latency.Select(sample => sample.Value).Order(), latency.Select(sample => sample.Value));
                Assert.Equal("+Inf", latency.Last().Labels["le"]);
                Assert.Equal(
                    families["fal_app_requests_completed"].Where(sample => sample.Labels["application"] == latency.Key)
                        .Sum(sample => sample.Value),
                    latency.Last().Value);
            });
    }

    [Fact]
    public async Task Metrics_and_analytics_tell_of_the_same_minute()
    {
        await using SimulatorSession session = await SimulatorSession.StartAsync();
        List<SimulatedSample> samples = SimulatedSample.ReadAll(await session.GetTextAsync("/serverless/metrics"));
        foreach (string app in session.Server.Apps)
        {
            JsonNode answer = await session.GetAnalyticsAsync(
                $"endpoint_id={app}&expand=summary&expand=success_count&expand=user_error_count&expand=error_count"
                + "&start=2026-06-17T12:33:00Z&end=2026-06-17T12:34:00Z");

            foreach ((string metric, char status) in new[] { ("success_count", '2'), ("user_error_count", '4'), ("error_count", '5') })
            {
                Assert.Equal(
                    answer["summary"]!.AsArray().Sum(row => (long)row![metric]!),
                    samples.Where(sample => sample.Family == "fal_app_requests_completed" && sample.Labels["application"] == app
                        && sample.Labels["status"][0] == status)
                        .Sum(sample => sample.Value));
            }
        }
        Assert.Contains(samples, sample => sample.Family == "fal_app_requests_completed" && sample.Value > 0);
    }

    [Fact]
    public async Task The_exposition_is_cached_for_ten_seconds()
    {
        await using SimulatorSession session = await SimulatorSession.StartAsync();
        string first = await session.GetTextAsync("/serverless/metrics");

        session.Clock.Advance(TimeSpan.FromSeconds(9.999));
        string cached = await session.GetTextAsync("/serverless/metrics");
        session.Clock.Advance(TimeSpan.FromSeconds(0.001));
        string renewed = await session.GetTextAsync("/serverless/metrics");

        Assert.Equal(first, cached);
        Assert.NotEqual(first, renewed);
    }

    [Fact]
    public async Task An_account_without_apps_has_families_and_no_sample()
    {
        await using SimulatorSession session = await SimulatorSession.StartAsync(options => options.Apps = 0);

        Assert.Empty(SimulatedSample.ReadAll(await session.GetTextAsync("/serverless/metrics")));
    }

    [Fact]
    public async Task Gzip_is_sent_to_those_who_accept_it_unless_it_is_off()
    {
        await using SimulatorSession on = await SimulatorSession.StartAsync();
        await using SimulatorSession off = await SimulatorSession.StartAsync(options => options.Gzip = false);

        using HttpResponseMessage compressed = await on.GetAsync("/serverless/metrics", gzip: true);
        using HttpResponseMessage plain = await on.GetAsync("/serverless/metrics");
        using HttpResponseMessage refused = await off.GetAsync("/serverless/metrics", gzip: true);

        Assert.Equal(["gzip"], compressed.Content.Headers.ContentEncoding);
        Assert.Empty(plain.Content.Headers.ContentEncoding);
        Assert.Empty(refused.Content.Headers.ContentEncoding);
        await using var unpacked = new GZipStream(
            await compressed.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken), CompressionMode.Decompress);
        using var reader = new StreamReader(unpacked);
        Assert.Equal(
            await plain.Content.ReadAsStringAsync(TestContext.Current.CancellationToken),
            await reader.ReadToEndAsync(TestContext.Current.CancellationToken));
    }
}
