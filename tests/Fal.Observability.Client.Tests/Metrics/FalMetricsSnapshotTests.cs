using Fal.Observability.Client.Prometheus;
using Xunit;

namespace Fal.Observability.Client.Tests;

public sealed class FalMetricsSnapshotTests
{
    private const string Documented = """
        # HELP fal_app_runners Number of fal app runners
        # TYPE fal_app_runners gauge
        fal_app_runners{application="my/app",machine_type="NVIDIA B200",state="running"} 21
        fal_app_runners{application="my/app",machine_type="NVIDIA B200",state="pending"} 2
        fal_app_runners{application="my/app",machine_type="L",state="running"} 1
        # HELP fal_app_queue_size Current size of the fal app queue
        # TYPE fal_app_queue_size gauge
        fal_app_queue_size{application="my/app"} 7
        fal_app_queue_size{application="my/other"} 0
        # TYPE fal_app_concurrent_requests gauge
        fal_app_concurrent_requests{application="my/app"} 5
        # TYPE fal_app_requests_completed gauge
        fal_app_requests_completed{application="my/app",method="POST",status="200"} 18
        fal_app_requests_completed{application="my/app",method="POST",status="500"} 2
        fal_app_requests_completed{application="my/app",method="GET",status="200"} 4
        # TYPE fal_app_requests_received gauge
        fal_app_requests_received{application="my/app",method="POST"} 30
        # TYPE fal_app_request_latency gauge
        fal_app_request_latency{application="my/app",le="1.0"} 5
        fal_app_request_latency{application="my/app",le="2.5"} 20
        fal_app_request_latency{application="my/app",le="+Inf"} 24
        # TYPE fal_app_runner_cpu_usage_percent gauge
        fal_app_runner_cpu_usage_percent{application="my/app"} 480
        # TYPE fal_app_runner_memory_usage_bytes gauge
        fal_app_runner_memory_usage_bytes{application="my/app"} 2.4e10
        # TYPE fal_app_runner_gpu_utilization_percent gauge
        fal_app_runner_gpu_utilization_percent{application="my/app"} 320
        # TYPE fal_app_runner_vram_usage_percent gauge
        fal_app_runner_vram_usage_percent{application="my/app"} 200
        # TYPE fal_app_runner_gpu_count gauge
        fal_app_runner_gpu_count{application="my/app"} 4
        """;

    [Fact]
    public void A_series_that_comes_twice_counts_once_with_its_first_value()
    {
        // The order of the labels is no difference; another label is.
        FalMetricsSnapshot snapshot = Parse("""
            # TYPE fal_app_queue_size gauge
            fal_app_queue_size{application="my/app",region="eu"} 7
            fal_app_queue_size{region="eu",application="my/app"} 8
            fal_app_queue_size{application="my/app",region="us"} 1
            # TYPE fal_app_requests_completed gauge
            fal_app_requests_completed{application="my/app",method="POST",status="200"} 18
            fal_app_requests_completed{application="my/app",method="POST",status="500"} 2
            fal_app_requests_completed{application="my/app",method="POST",status="200"} 18
            # TYPE fal_app_request_latency gauge
            fal_app_request_latency{application="my/app",le="1.0"} 5
            fal_app_request_latency{application="my/app",le="1.0"} 6
            fal_app_request_latency{application="my/app",le="+Inf"} 24
            """);

        FalAppMetrics app = snapshot["my/app"]!;
        Assert.Equal((8, 20, 5), (app.QueueSize, app.RequestsCompleted, app.Latency!.Buckets[0].CumulativeCount));
        // Nothing is lost of what the service sent.
        Assert.Equal(9, app.Samples.Count);
    }

    [Fact]
    public void Every_documented_family_has_its_typed_place()
    {
        FalMetricsSnapshot snapshot = Parse(Documented);
        Assert.Equal(["my/app", "my/other"], snapshot.Apps.Select(app => app.Name));
        FalAppMetrics app = snapshot["my/app"]!;
        Assert.Equal(7, app.QueueSize);
        Assert.Equal(5, app.ConcurrentRequests);
        Assert.Equal([new("running", "NVIDIA B200", 21), new("pending", "NVIDIA B200", 2), new("running", "L", 1)], app.Runners);
        Assert.Equal(24, app.RunnerCount);
        Assert.Equal(22, app.RunnersInState(FalRunnerStates.Running));
        Assert.Equal(0, app.RunnersInState(FalRunnerStates.Dead));
        Assert.Equal(23, app.RunnersOnMachine("NVIDIA B200"));
        Assert.Equal([new("POST", "200", 18), new("POST", "500", 2), new("GET", "200", 4)], app.RequestsCompletedByStatus);
        Assert.Equal(24, app.RequestsCompleted);
        Assert.Equal((22, 0, 2, 2 / 24.0), (app.SuccessCount, app.UserErrorCount, app.ErrorCount, app.ErrorRate));
        Assert.Equal([new("POST", "", 30)], app.RequestsReceivedByMethod);
        Assert.Equal(30, app.RequestsReceived);
        Assert.Equal(24, app.Latency!.Count);
        Assert.Equal(480, app.RunnerCpuUsagePercent);
        Assert.Equal(20, app.CpuUsagePercentPerRunner);
        Assert.Equal(2.4e10, app.RunnerMemoryUsageBytes);
        Assert.Equal(1e9, app.MemoryUsageBytesPerRunner);
        Assert.Equal(320, app.RunnerGpuUtilizationPercent);
        Assert.Equal(80, app.GpuUtilizationPercentPerGpu);
        Assert.Equal(200, app.RunnerVramUsagePercent);
        Assert.Equal(50, app.VramUsagePercentPerGpu);
        Assert.Equal(4, app.RunnerGpuCount);
        Assert.Equal(17, app.Samples.Count);
    }

    [Fact]
    public void What_was_not_sent_is_null_and_not_zero()
    {
        FalAppMetrics other = Parse(Documented)["my/other"]!;
        Assert.Equal(0, other.QueueSize);
        Assert.Null(other.ConcurrentRequests);
        Assert.Null(other.RunnerCount);
        Assert.Null(other.RunnersInState(FalRunnerStates.Running));
        Assert.Null(other.RequestsCompleted);
        Assert.Equal((null, null, null, null), (other.SuccessCount, other.UserErrorCount, other.ErrorCount, other.ErrorRate));
        Assert.Null(other.Latency);
        Assert.Null(other.RunnerGpuCount);
        Assert.Null(other.GpuUtilizationPercentPerGpu);
        Assert.Null(Parse(Documented)["my/nobody"]);
    }

    [Fact]
    public void A_new_label_is_summed_over_and_a_new_family_and_state_stay_reachable()
    {
        FalMetricsSnapshot snapshot = Parse("""
            fal_app_queue_size{application="my/app",region="eu"} 3
            fal_app_queue_size{application="my/app",region="us"} 4
            fal_app_runners{application="my/app",machine_type="L",region="eu",state="hibernating"} 1
            fal_app_runners{application="my/app",machine_type="L",region="us",state="hibernating"} 2
            fal_app_tokens_per_second{application="my/app"} 99
            fal_account_credit 12
            """);
        FalAppMetrics app = Assert.Single(snapshot.Apps);
        Assert.Equal(7, app.QueueSize);
        Assert.Equal([new("hibernating", "L", 3)], app.Runners);
        Assert.Contains(app.Samples, s => s.Name == "fal_app_tokens_per_second" && s.Value == 99);
        Assert.Equal(12, Assert.Single(snapshot.Exposition["fal_account_credit"]!.Samples).Value);
    }

    [Fact]
    public void Many_kinds_are_counted_each_once()
    {
        // More kinds than are scanned, each twice: the second half finds them by another way than the first.
        string text = string.Concat(
            Enumerable.Range(0, 200).Select(
                i => $"fal_app_runners{{application=\"a/b\",machine_type=\"m\",region=\"r{i / 100}\",state=\"s{i % 100}\"}} 1\n")
        );
        FalAppMetrics app = Parse(text)["a/b"]!;
        Assert.Equal(100, app.Runners.Count);
        Assert.All(app.Runners, runner => Assert.Equal(2, runner.Count));
    }

    [Fact]
    public void NaN_stays_NaN_and_nothing_is_divided_by_zero()
    {
        FalAppMetrics app = Parse("""
            fal_app_queue_size{application="a/b"} NaN
            fal_app_runner_gpu_utilization_percent{application="a/b"} 50
            fal_app_runner_gpu_count{application="a/b"} 0
            fal_app_runners{application="a/b",machine_type="L",state="running"} 0
            fal_app_runner_cpu_usage_percent{application="a/b"} 10
            """)["a/b"]!;
        Assert.Equal(double.NaN, app.QueueSize);
        Assert.Equal("p50 ?, p90 ?, p99 ?", new LatencyDistribution([]).ToString());
        FalAppMetrics endless = Parse("""
            fal_app_requests_completed{application="a/b",method="POST",status="500"} +Inf
            fal_app_runners{application="a/b",machine_type="L",state="running"} 2
            fal_app_runner_cpu_usage_percent{application="a/b"} +Inf
            """)["a/b"]!;
        Assert.Null(endless.ErrorRate);
        Assert.Null(endless.CpuUsagePercentPerRunner);
        Assert.Null(app.GpuUtilizationPercentPerGpu);
        Assert.Null(app.CpuUsagePercentPerRunner);
    }

    [Fact]
    public void The_documentations_body_with_a_foreign_sample_reads_as_two_families()
    {
        FalMetricsSnapshot snapshot = Parse("""
            # HELP fal_app_queue_size Current size of the fal app queue
            # TYPE fal_app_queue_size gauge
            fal_requests_total{application="my/app"} 10
            """);
        Assert.Empty(snapshot.Exposition["fal_app_queue_size"]!.Samples);
        Assert.Equal(10, Assert.Single(snapshot.Exposition["fal_requests_total"]!.Samples).Value);
        Assert.Null(snapshot["my/app"]!.QueueSize);
    }

    [Fact]
    public void The_latency_family_stays_a_gauge_and_its_le_as_it_was_written()
    {
        MetricFamily family = Parse(Documented).Exposition[FalMetricNames.RequestLatency]!;
        Assert.Equal(PrometheusMetricType.Gauge, family.Type);
        Assert.Equal(["1.0", "2.5", "+Inf"], family.Samples.Select(s => s.Labels["le"]));
    }

    [Fact]
    public void A_web_endpoint_can_answer_with_the_apps_as_json_in_spite_of_infinity_and_NaN()
    {
        FalMetricsSnapshot snapshot = Parse(Documented + "\nfal_app_queue_size{application=\"my/broken\"} NaN\n");
        string json = System.Text.Json.JsonSerializer.Serialize(snapshot);
        Assert.Contains("\"UpperBound\":\"Infinity\"", json, StringComparison.Ordinal);
        Assert.Contains("\"QueueSize\":\"NaN\"", json, StringComparison.Ordinal);
    }

    [Fact]
    public void A_status_that_is_no_status_is_of_no_class()
    {
        string[] statuses = ["204", "404", "503", "5", "50000", "5xx?", "", "timeout"];
        var app = new FalAppMetrics
        {
            Name = "my/app",
            RequestsCompletedByStatus = [.. statuses.Select(status => new FalRequestCount("GET", status, 1))],
        };

        Assert.Equal((1, 1, 1, 1 / 8.0), (app.SuccessCount, app.UserErrorCount, app.ErrorCount, app.ErrorRate));
    }

    [Fact]
    public void A_snapshot_can_be_made_of_apps_written_by_hand()
    {
        FalMetricsSnapshot snapshot = FalMetricsSnapshot.Create(
            [new FalAppMetrics { Name = "a/b", QueueSize = 250 }],
            DateTimeOffset.UnixEpoch
        );
        Assert.Equal(250, snapshot["a/b"]!.QueueSize);
        Assert.Equal("a/b: 250 queued, ? in progress, ? runners", snapshot["a/b"]!.ToString());
        Assert.Throws<ArgumentException>(() =>
            FalMetricsSnapshot.Create([new FalAppMetrics { Name = "x" }, new FalAppMetrics { Name = "x" }], DateTimeOffset.UnixEpoch)
        );
    }

    [Theory]
    [InlineData("de-DE")]
    [InlineData("tr-TR")]
    [InlineData("ar-SA")]
    [InlineData("fa-IR")]
    public void No_culture_changes_a_number(string culture)
    {
        using var scope = new CultureScope(culture);
        FalAppMetrics app = Parse(Documented)["my/app"]!;
        Assert.Equal(2.4e10, app.RunnerMemoryUsageBytes);
        Assert.Equal([1, 2.5, double.PositiveInfinity], app.Latency!.Buckets.Select(b => b.UpperBound));
        Assert.Equal("my/app: 7 queued, 5 in progress, 24 runners", app.ToString());
        Assert.Equal("21 running on NVIDIA B200", app.Runners[0].ToString());
        Assert.Equal("POST 200: 18", app.RequestsCompletedByStatus[0].ToString());
        Assert.Equal("le 2.5: 20", app.Latency!.Buckets[1].ToString());
        Assert.StartsWith("p50 1.7 s, p90 2.5 s", app.Latency.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Completed_requests_are_counted_by_the_class_of_their_status()
    {
        var app = new FalAppMetrics
        {
            Name = "o/a",
            RequestsCompletedByStatus =
            [
                new("POST", "200", 10), new("GET", "204", 2), new("POST", "404", 3), new("POST", "500", 1), new("POST", "503", 4),
                new("POST", "5", 100), new("POST", "", 100), new("POST", "301", 7), new("POST", "50000", 100),
            ],
        };
        Assert.Equal((12, 3, 5), (app.SuccessCount, app.UserErrorCount, app.ErrorCount));
        Assert.Null(new FalAppMetrics { Name = "o/a" }.ErrorCount);
        Assert.Equal(0, new FalAppMetrics { Name = "o/a", RequestsCompletedByStatus = [new("POST", "200", 1)] }.ErrorCount);
    }

    private static FalMetricsSnapshot Parse(string text) =>
        FalMetricsSnapshot.Create(PrometheusTextParser.ParseFamilies(text), DateTimeOffset.UnixEpoch);

    [Fact]
    public void Metrics_made_by_hand_keep_copies_of_their_lists_and_take_no_null()
    {
        List<FalRunnerCount> runners = [new(FalRunnerStates.Running, "GPU-H100", 3)];
        List<PrometheusSample> samples = [new("fal_app_queue_size", LabelSet.Empty, 1)];
        List<FalRequestCount> requests = [new("POST", "200", 5)];
        var app = new FalAppMetrics
        {
            Name = "o/a",
            Runners = runners,
            Samples = samples,
            RequestsReceivedByMethod = requests,
            RequestsCompletedByStatus = requests,
        };
        runners.Clear();
        samples.Clear();
        requests.Clear();

        Assert.Single(app.Runners);
        Assert.Single(app.Samples);
        Assert.Equal(5, app.RequestsReceived);
        Assert.Equal(5, app.RequestsCompleted);
        Assert.Throws<ArgumentNullException>("value", () => new FalAppMetrics { Name = "o/a", Runners = null! });
    }
}
