using System.Diagnostics;
using System.Text.Json.Nodes;
using Fal.Observability.Client.IntegrationTests.Samples;
using Fal.Observability.Client.Testing;
using Xunit;

namespace Fal.Observability.Client.IntegrationTests.Simulator;

public sealed class SimulatorProgramTests
{
    [Theory]
    [InlineData("Unknown argument '--appz'", "--appz", "3")]
    [InlineData("'--apps'", "--apps")]
    [InlineData("--apps is 'many'; it must be a whole number", "--apps", "many")]
    [InlineData("must be between 0 and 100000", "--apps", "100001")]
    [InlineData("an http address of this machine", "--urls", "http://192.0.2.1:5080")]
    [InlineData("an http address of this machine", "--urls", "https://127.0.0.1:5080")]
    [InlineData("--limit-counts is 'pages'; it must be buckets or rows", "--limit-counts", "pages")]
    [InlineData("--fault is 'bad-luck'; it must be rate-limited", "--fault", "bad-luck")]
    [InlineData("every and next cannot be combined", "--fault", "server-error,every=2,next=2")]
    [InlineData("in 'every=0' it must be a whole number of at least 1", "--fault", "server-error,every=0")]
    [InlineData("--now is 'noon'; it must be an instant", "--now", "noon")]
    [InlineData("in 'at=noon' it must be an instant", "--incident", "simulated/text-to-image-00000,at=noon")]
    [InlineData("'for=5' must be at=INSTANT, minutes=N or severity=1|2|3", "--incident", "simulated/text-to-image-00000,for=5")]
    [InlineData("'simulated/other', which", "--incident", "simulated/other")]
    [InlineData("--scale-to-zero is 'on'; it must be absent or zeros", "--scale-to-zero", "on")]
    [InlineData("--truth: endpoint_id is required", "--truth", "expand=summary")]
    public async Task Bad_arguments_end_with_a_clear_message_and_a_failure(string message, params string[] arguments)
    {
        (int exitCode, string output, string errors) = await RunAsync(arguments);

        Assert.Equal(2, exitCode);
        Assert.Contains(message, errors, StringComparison.Ordinal);
        Assert.Single(errors.TrimEnd().Split('\n'));
        Assert.Empty(output);
    }

    [Fact]
    public async Task Help_names_every_switch_and_every_fault()
    {
        (int exitCode, string output, _) = await RunAsync("--help");

        Assert.Equal(0, exitCode);
        string[] switches =
        [
            "--urls", "--apps", "--seed", "--key", "--now", "--frozen", "--incident", "--scale-to-zero", "--gzip", "--page-size", "--lag",
            "--limit-counts", "--summary-on", "--missing-metrics", "--bucket-order", "--bucket-offset", "--refuse", "--missing",
            "--cold-boot-500", "--fault", "--truth", "--help",
        ];
        Assert.All(switches, name => Assert.Contains(name, output, StringComparison.Ordinal));
        Assert.Equal(Enum.GetNames<FaultKind>().Length,
            output.Split("KINDs of fault:")[1].Split("ROUTEs")[0].Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
    }

    [Fact]
    public async Task The_truth_can_be_printed_without_serving()
    {
        const string Query =
            "endpoint_id=simulated/text-to-image-00000&expand=summary&expand=request_count&start=2026-06-01&end=2026-06-02";
        await using SimulatorSession session = await SimulatorSession.StartAsync(options => options.Seed = 7);

        (int exitCode, string output, _) = await RunAsync("--seed", "7", "--now", "2026-06-17T12:34:56Z", "--truth", Query);

        Assert.Equal(0, exitCode);
        Assert.Equal((await session.GetAnalyticsAsync(Query)).ToJsonString(), JsonNode.Parse(output)!.ToJsonString());
    }

    [Fact]
    public async Task The_clock_starts_at_the_instant_of_now_and_runs()
    {
        using Running simulator = await Running.StartAsync("--now", "2026-01-01T00:00:00Z");
        var start = new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

        DateTimeOffset date;
        do
        {
            using HttpResponseMessage response = await simulator.GetMetricsAsync();
            date = response.Headers.Date!.Value;
            Assert.InRange(date, start, start.AddHours(1));
        }
        while (date == start);
    }

    [Fact]
    public async Task A_frozen_clock_stays_at_the_instant_of_now_and_an_incident_is_where_it_was_ordered()
    {
        const string App = "simulated/voice-clone-00004";
        using Running simulator = await Running.StartAsync(
            "--incident", $"{App},at=2026-01-01T00:00:00Z,minutes=20,severity=2", "--frozen", "--now", "2026-01-01T00:10:00Z");

        using HttpResponseMessage response = await simulator.GetMetricsAsync();

        Assert.Equal(new DateTimeOffset(2026, 1, 1, 0, 10, 0, TimeSpan.Zero), response.Headers.Date);
        SimulatedSample queue = Assert.Single(
            SimulatedSample.ReadAll(await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)),
            sample => sample.Family == "fal_app_queue_size" && sample.App == App);
        Assert.InRange(queue.Value, 30, 70);
    }

    [Fact]
    public async Task A_taken_port_is_named()
    {
        await using SimulatorSession session = await SimulatorSession.StartAsync();
        string url = $"http://127.0.0.1:{session.Server.BaseAddress.Port}";

        (int exitCode, _, string errors) = await RunAsync("--urls", url);

        Assert.Equal(1, exitCode);
        Assert.Contains($"Cannot listen on {url}", errors, StringComparison.Ordinal);
    }

    private static Task<(int ExitCode, string Output, string Errors)> RunAsync(params string[] arguments) =>
        SampleProgram.Start("fal-obs", key: null, [], ["simulate", .. arguments]).EndAsync();

    /// <summary>The program while it serves, on a free port.</summary>
    private sealed class Running(Process process, Uri baseAddress) : IDisposable
    {
        private readonly HttpClient _http = new();

        public static async Task<Running> StartAsync(params string[] arguments)
        {
            Process process =
                SampleProgram.Start("fal-obs", key: null, [], ["simulate", "--urls", "http://127.0.0.1:0", .. arguments]);
            string? line;
            do
            {
                line = await process.StandardOutput.ReadLineAsync().OrHangs();
                Assert.NotNull(line);
            }
            while (!line.Contains("base address", StringComparison.Ordinal));
            return new Running(process, new Uri(line.Split(' ')[^1]));
        }

        public async Task<HttpResponseMessage> GetMetricsAsync()
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, new Uri($"{baseAddress}/serverless/metrics"));
            request.Headers.TryAddWithoutValidation("Authorization", "Key simulated:key");
            return await _http.SendAsync(request, TestContext.Current.CancellationToken);
        }

        public void Dispose()
        {
            process.Kill();
            process.Dispose();
            _http.Dispose();
        }
    }
}
