using System.Globalization;
using System.Text.RegularExpressions;
using Fal.Observability.Client.Prometheus;
using Fal.Observability.Client.Testing;
using Xunit;

namespace Fal.Observability.Client.IntegrationTests;

/// <summary>The typed metrics against the simulator, checked by a second, naive reading of the same bytes.</summary>
public sealed partial class SimulatedMetricsTests
{
    [Theory]
    [InlineData("")]
    [InlineData("de-DE")]
    [InlineData("tr-TR")]
    [InlineData("ar-SA")]
    [InlineData("fa-IR")]
    public async Task Every_typed_value_is_what_a_naive_reading_of_the_text_gives(string culture)
    {
        Thread.CurrentThread.CurrentCulture = CultureInfo.GetCultureInfo(culture);
        var clock = new SteppedClock();
        await using FalSimulator simulator = await FalSimulator.StartAsync(
            new FalSimulatorOptions
            {
                TimeProvider = clock,
                Apps = 60,
                Seed = 3,
                // Requests wait only in an incident.
                Incidents = { new SimulatedIncident("simulated/text-to-image-00000") { Start = clock.GetUtcNow().AddMinutes(-10) } },
            },
            TestContext.Current.CancellationToken);
        using FalAccount account = AccountOf(simulator);

        FalMetricsSnapshot snapshot = await account.Metrics.GetSnapshotAsync(TestContext.Current.CancellationToken);

        List<Line> lines = await ReadNaivelyAsync(account);
        Assert.NotEmpty(lines);
        Assert.Equal(lines.Select(line => line.Labels["application"]).Distinct(), snapshot.Apps.Select(app => app.Name));
        Assert.Equal(simulator.Apps.Order(StringComparer.Ordinal), snapshot.Apps.Select(app => app.Name).Order(StringComparer.Ordinal));
        Assert.Equal(account.Clock.GetUtcNow(), snapshot.Timestamp);
        Assert.Equal(0, snapshot.SkippedLineCount);
        foreach (FalAppMetrics app in snapshot.Apps)
        {
            List<Line> own = [.. lines.Where(line => line.Labels["application"] == app.Name)];
            Assert.Equal(Sum(own, "fal_app_queue_size"), app.QueueSize);
            Assert.Equal(Sum(own, "fal_app_concurrent_requests"), app.ConcurrentRequests);
            Assert.Equal(Sum(own, "fal_app_runners"), app.RunnerCount);
            Assert.Equal(Sum(own, "fal_app_requests_received"), app.RequestsReceived);
            Assert.Equal(Sum(own, "fal_app_requests_completed"), app.RequestsCompleted);
            Assert.Equal(Sum(own, "fal_app_runner_cpu_usage_percent"), app.RunnerCpuUsagePercent);
            Assert.Equal(Sum(own, "fal_app_runner_memory_usage_bytes"), app.RunnerMemoryUsageBytes);
            Assert.Equal(Sum(own, "fal_app_runner_gpu_utilization_percent"), app.RunnerGpuUtilizationPercent);
            Assert.Equal(Sum(own, "fal_app_runner_vram_usage_percent"), app.RunnerVramUsagePercent);
            Assert.Equal(Sum(own, "fal_app_runner_gpu_count"), app.RunnerGpuCount);
            Assert.Equal(
                own.Where(line => line.Name == "fal_app_runners")
                    .Select(line => (line.Labels["state"], line.Labels["machine_type"], line.Value)),
                app.Runners.Select(runner => (runner.State, runner.MachineType, runner.Count))
            );
            Assert.Equal(
                own.Where(line => line.Name == "fal_app_requests_completed")
                    .Select(line => (line.Labels["method"], line.Labels["status"], line.Value)),
                app.RequestsCompletedByStatus.Select(requests => (requests.Method, requests.Status!, requests.Count))
            );
            Assert.Equal(
                own.Where(line => line.Name == "fal_app_requests_received").Select(line => (line.Labels["method"], line.Value)),
                app.RequestsReceivedByMethod.Select(requests => (requests.Method, requests.Count)));
            Assert.Equal(Quotient(app.RunnerGpuUtilizationPercent, Sum(own, "fal_app_runner_gpu_count")), app.GpuUtilizationPercentPerGpu);
            Assert.Equal(Quotient(app.RunnerVramUsagePercent, Sum(own, "fal_app_runner_gpu_count")), app.VramUsagePercentPerGpu);
            Assert.Equal(Quotient(app.RunnerCpuUsagePercent, Sum(own, "fal_app_runners")), app.CpuUsagePercentPerRunner);
            Assert.Equal(own.Select(line => (line.Name, line.Value)), app.Samples.Select(sample => (sample.Name, sample.Value)));

            (double Bound, double Count)[] buckets =
            [
                .. own.Where(line => line.Name == "fal_app_request_latency")
                    .Select(line =>
                        (
                            line.Labels["le"] == "+Inf"
                                ? double.PositiveInfinity
                                : double.Parse(line.Labels["le"], CultureInfo.InvariantCulture),
                            line.Value
                        )
                    )
                    .Order(),
            ];
            Assert.Equal(buckets, (app.Latency?.Buckets ?? []).Select(bucket => (bucket.UpperBound, bucket.CumulativeCount)));
            foreach (double quantile in new[] { 0.5, 0.9, 0.99 })
            {
                Assert.Equal(NaiveQuantile(quantile, buckets), app.Latency?.Quantile(quantile));
            }
        }

        // The reading above would prove nothing over apps that are all alike.
        Assert.Contains(snapshot.Apps, app => app.RunnerGpuCount is null);
        Assert.Contains(snapshot.Apps, app => app.RunnerGpuCount > 1);
        Assert.Contains(snapshot.Apps, app => app.Latency?.Quantile(0.99) > 0);
        Assert.Contains(snapshot.Apps, app => app.QueueSize > 0);
    }

    [Fact]
    public async Task Samples_families_and_snapshot_are_three_views_of_the_same_text()
    {
        var clock = new SteppedClock();
        await using FalSimulator simulator = await FalSimulator.StartAsync(
            new FalSimulatorOptions { Seed = 1, TimeProvider = clock, Apps = 500 }, TestContext.Current.CancellationToken);
        using FalAccount account = AccountOf(simulator);

        List<PrometheusSample> streamed = [];
        await foreach (PrometheusSample sample in account.Metrics.StreamSamplesAsync(TestContext.Current.CancellationToken))
        {
            streamed.Add(sample);
        }

        PrometheusExposition families = await account.Metrics.GetFamiliesAsync(TestContext.Current.CancellationToken);
        FalMetricsSnapshot snapshot = await account.Metrics.GetSnapshotAsync(TestContext.Current.CancellationToken);

        Assert.Equal(streamed, families.Families.SelectMany(family => family.Samples));
        Assert.Equal(streamed, snapshot.Families.SelectMany(family => family.Samples));
        Assert.Equal(streamed.Count, snapshot.Apps.Sum(app => app.Samples.Count));
        Assert.All(families.Families, family => Assert.Equal(PrometheusMetricType.Gauge, family.Type));
        Assert.Equal(11, families.Families.Count);
        Assert.All(simulator.Requests, request => Assert.Equal("gzip", request.Headers["Accept-Encoding"]));
    }

    [Theory]
    [MemberData(nameof(FaultsThatPass))]
    public async Task A_fault_that_passes_is_survived(FaultKind kind)
    {
        await using FalSimulator simulator = await FalSimulator.StartAsync(
            options => options.Seed = 1,
            TestContext.Current.CancellationToken
        );
        simulator.Faults.Next(2, new Fault(kind) { Wait = TimeSpan.FromSeconds(1) });
        using FalAccount account = AccountOf(simulator);

        Task<FalMetricsSnapshot> call = account.Metrics.GetSnapshotAsync(TestContext.Current.CancellationToken);
        await account.Clock.StepOverWaitsAsync(call, account.Options);

        Assert.Equal(simulator.Apps.Count, (await call).Apps.Count);
        Assert.Equal(3, simulator.Requests.Count);
    }

    [Theory]
    [InlineData(FaultKind.EmptyBody, null)]
    [InlineData(FaultKind.HtmlBody, typeof(FalResponseException))]
    [InlineData(FaultKind.WrongContent, typeof(FalResponseException))]
    [InlineData(FaultKind.OversizedBody, typeof(FalResponseException))]
    [InlineData(FaultKind.Challenge, typeof(FalForbiddenException))]
    public async Task A_fault_that_does_not_pass_is_reported_by_its_name(FaultKind kind, Type? exception)
    {
        await using FalSimulator simulator = await FalSimulator.StartAsync(
            options => options.Seed = 1,
            TestContext.Current.CancellationToken
        );
        simulator.Faults.Next(1, new Fault(kind) { Padding = 4 << 20 });
        using FalAccount account = AccountOf(simulator, options => options.MaxResponseBytes = 1 << 20);

        Exception? failure = await Record.ExceptionAsync(() => account.Metrics.GetSnapshotAsync());

        Assert.Equal(exception, failure?.GetType());
        Assert.Single(simulator.Requests);
    }

    [Fact]
    public async Task A_wrong_key_and_a_key_without_the_permission_are_told_apart()
    {
        await using FalSimulator simulator = await FalSimulator.StartAsync(
            options => options.Seed = 1,
            TestContext.Current.CancellationToken
        );
        using FalAccount wrong = AccountOf(simulator, options => options.ApiKey = "someone:elses-key");
        using FalAccount weak = AccountOf(simulator, options => options.ApiKey = simulator.KeyWithoutPermission);

        Assert.Equal("Invalid API key", (await wrong.FailureOfAsync<FalAuthenticationException>(FalCall.Snapshot)).ServiceMessage);
        FalForbiddenException refused = await weak.FailureOfAsync<FalForbiddenException>(FalCall.Snapshot);
        Assert.Equal(FalForbiddenReason.PermissionOrOwnership, refused.Reason);
        Assert.NotNull(refused.RequestId);
        Assert.Equal(2, simulator.Requests.Count);
    }

    public static TheoryData<FaultKind> FaultsThatPass =>
    [
        FaultKind.RateLimited, FaultKind.RateLimitedSeconds, FaultKind.RateLimitedReset, FaultKind.ServerError, FaultKind.BadGateway,
        FaultKind.ServiceUnavailable, FaultKind.GatewayTimeout, FaultKind.DroppedConnection, FaultKind.TruncatedLength,
        FaultKind.TruncatedChunked, FaultKind.TruncatedGzip,
    ];

    private static FalAccount AccountOf(FalSimulator simulator, Action<FalObservabilityOptions>? configure = null) =>
        new(simulator.BaseAddress, options =>
        {
            options.ApiKey = simulator.Key;
            configure?.Invoke(options);
        });

    private static async Task<List<Line>> ReadNaivelyAsync(FalAccount account)
    {
        using var reader = new StreamReader(await account.MetricsApi.GetMetricsAsync());
        string text = await reader.ReadToEndAsync();
        return
        [
            .. SampleLine().Matches(text).Select(match => new Line(
                match.Groups["name"].Value,
                Label().Matches(match.Groups["labels"].Value).ToDictionary(label => label.Groups[1].Value, label => label.Groups[2].Value),
                double.Parse(match.Groups["value"].Value, CultureInfo.InvariantCulture))),
        ];
    }

    private static double? Sum(List<Line> lines, string name) =>
        lines.Any(line => line.Name == name) ? lines.Where(line => line.Name == name).Sum(line => line.Value) : null;

    private static double? Quotient(double? sum, double? count) => count > 0 ? sum / count : null;

    /// <summary>Prometheus' rule for cumulative buckets that rise from above zero and end without a bound.</summary>
    private static double? NaiveQuantile(double quantile, (double Bound, double Count)[] buckets)
    {
        if (buckets.Length < 2 || buckets[^1].Count == 0)
        {
            return null;
        }

        double rank = quantile * buckets[^1].Count;
        int hit = Array.FindIndex(buckets, bucket => bucket.Count >= rank);
        if (hit == buckets.Length - 1)
        {
            return buckets[^2].Bound;
        }

        (double start, double before) = hit == 0 ? (0, 0) : buckets[hit - 1];
        return start + ((buckets[hit].Bound - start) * ((rank - before) / (buckets[hit].Count - before)));
    }

    [GeneratedRegex("""^(?<name>[a-z_]+)\{(?<labels>.*)\} (?<value>\S+)$""", RegexOptions.Multiline)]
    private static partial Regex SampleLine();

    [GeneratedRegex("""([a-z_]+)="([^"]*)",?""")]
    private static partial Regex Label();

    private sealed record Line(string Name, Dictionary<string, string> Labels, double Value);
}
