using System.Diagnostics;
using System.Text.Json.Nodes;
using Fal.Observability.Simulator;
using Xunit;

namespace Fal.Observability.Client.IntegrationTests.Simulator;

public sealed class SimulatorProgramTests
{
    [Theory]
    [InlineData("'--appz' is not a switch", "--appz", "3")]
    [InlineData("--apps needs a value", "--apps")]
    [InlineData("--apps: 'many' is not a whole number", "--apps", "many")]
    [InlineData("must be between 0 and 100000", "--apps", "100001")]
    [InlineData("an http address of this machine", "--urls", "http://192.0.2.1:5080")]
    [InlineData("an http address of this machine", "--urls", "https://127.0.0.1:5080")]
    [InlineData("--limit-counts: 'pages' is not one of buckets, rows", "--limit-counts", "pages")]
    [InlineData("--fault: 'bad-luck' is not one of rate-limited", "--fault", "bad-luck")]
    [InlineData("every and next exclude each other", "--fault", "server-error,every=2,next=2")]
    [InlineData("'0' is not a whole number of at least 1", "--fault", "server-error,every=0")]
    [InlineData("--truth: endpoint_id is required", "--truth", "expand=summary")]
    public async Task Bad_arguments_end_with_a_clear_message_and_a_failure(string message, params string[] arguments)
    {
        (int exitCode, string output, string errors) = await RunAsync(arguments);

        Assert.Equal(2, exitCode);
        Assert.Contains(message, errors, StringComparison.Ordinal);
        Assert.Empty(output);
    }

    [Fact]
    public async Task Help_names_every_switch_and_every_fault()
    {
        (int exitCode, string output, _) = await RunAsync("--help");

        Assert.Equal(0, exitCode);
        string[] switches =
        [
            "--urls", "--apps", "--seed", "--key", "--now", "--gzip", "--page-size", "--lag", "--limit-counts", "--summary-on",
            "--missing-metrics", "--bucket-order", "--bucket-offset", "--refuse", "--missing", "--cold-boot-500", "--fault", "--truth",
            "--help",
        ];
        Assert.All(switches, name => Assert.Contains($"  {name}", output, StringComparison.Ordinal));
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
    public async Task A_taken_port_is_named()
    {
        await using SimulatorSession session = await SimulatorSession.StartAsync();
        string url = $"http://127.0.0.1:{session.Server.BaseAddress.Port}";

        (int exitCode, _, string errors) = await RunAsync("--urls", url);

        Assert.Equal(1, exitCode);
        Assert.Contains($"Cannot listen on {url}", errors, StringComparison.Ordinal);
    }

    private static async Task<(int ExitCode, string Output, string Errors)> RunAsync(params string[] arguments)
    {
        string program = Path.Combine(AppContext.BaseDirectory, "Fal.Observability.Simulator.dll");
        using var process = new Process
        {
            StartInfo =
                new ProcessStartInfo("dotnet", [program, .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true },
        };
        process.Start();
        Task<string> output = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        Task<string> errors = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return (process.ExitCode, await output, await errors);
    }
}
