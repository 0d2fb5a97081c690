using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using WireMock.RequestBuilders;
using WireMock.ResponseBuilders;
using WireMock.Server;
using Xunit;

namespace Fal.Observability.Client.IntegrationTests.Samples;

/// <summary>The small samples as processes, without an account: each shows what samples/README.md says of it.</summary>
public sealed class SmallSamplesTests
{
    [Fact]
    public async Task The_quickstart_fits_80_columns_explains_its_columns_and_says_what_to_try_next()
    {
        (int exitCode, string output, string errors) = await RunAsync("Quickstart");

        Assert.Equal((0, ""), (exitCode, errors));
        string[] lines = output.Split('\n');
        Assert.DoesNotContain(lines, line => line.Length > 80);
        string[][] headers =
        [
            .. lines
                .Where(line => line.StartsWith("app ", StringComparison.Ordinal) || line.StartsWith("endpoint ", StringComparison.Ordinal))
                .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)),
        ];
        Assert.Equal(2, headers.Length);
        foreach (string column in headers.SelectMany(header => header[1..]).Where(column => column != "requests"))
        {
            Assert.Contains(lines, line => line.StartsWith($"{column} ", StringComparison.Ordinal));
        }

        Assert.Contains("Try next:", lines);
        Assert.Contains("samples/README.md", lines[^2], StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_queue_alert_calls_the_webhook_once_when_it_fires_and_once_when_it_is_resolved()
    {
        using WireMockServer webhook = WireMockServer.Start();
        webhook.Given(Request.Create().UsingPost().WithPath("/hook")).RespondWith(Response.Create().WithStatusCode(204));

        (int exitCode, string output, string errors) = await RunAsync(
            "QueueAlert", new() { ["QUEUE_ALERT_WEBHOOK"] = $"{webhook.Url}/hook" }, "my-org/my-app", "100", "0");

        Assert.Equal((0, ""), (exitCode, errors));
        Assert.StartsWith("SIMULATED DATA", output, StringComparison.Ordinal);
        Assert.Equal(
            ["my-org/my-app: 101 requests are waiting, more than 100 for 0 s.", "my-org/my-app: resolved, 0 requests are waiting."],
            webhook.LogEntries.Select(call => TextOf(call.RequestMessage!.Body!)));
    }

    [Theory]
    [InlineData("INT", 130)]
    [InlineData("TERM", 143)]
    public async Task A_program_with_a_simulator_ends_by_the_signals_that_end_it_without_one(string signal, int expected)
    {
        using Process process = SampleProgram.Start("QueueAlert", key: null, [], "my-org/my-app", "100", "3600");
        Task<string> errors = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        // The line comes when the simulator has started.
        Assert.StartsWith("SIMULATED DATA", await process.StandardOutput.ReadLineAsync().OrHangs(), StringComparison.Ordinal);

        using Process kill = Process.Start("kill", ["-s", signal, process.Id.ToString(CultureInfo.InvariantCulture)]);
        await process.WaitForExitAsync().OrHangs();

        Assert.Equal((expected, ""), (process.ExitCode, await errors));
    }

    [Theory]
    [InlineData("99.5", 0, "SLO kept: 4,320 of 1,440,000 requests failed in 24 h, which is 60 % of the error budget of 99.5 %.")]
    [InlineData("99.9", 1, "SLO missed: 4,320 of 1,440,000 requests failed in 24 h, which is 300 % of the error budget of 99.9 %.")]
    public async Task The_SLA_check_ends_with_1_and_one_line_when_the_objective_is_missed(string percent, int expected, string line)
    {
        (int exitCode, string output, string errors) = await RunAsync("SlaCheck", [], "my-org/my-app", percent);

        Assert.Equal((expected, ""), (exitCode, errors));
        Assert.Equal($"my-org/my-app: {line}", output.TrimEnd().Split('\n')[^1]);
    }

    [Theory]
    [InlineData("SlaCheck", "Usage: SlaCheck", "my-org/my-app", "hundred")]
    [InlineData("SlaCheck", "Usage: SlaCheck", "my-org/my-app", "100")]
    [InlineData("SlaCheck", "Usage: SlaCheck", "my-org/my-app", "99", "1")]
    [InlineData("SlaCheck", "'my-app' is not an app id", "my-app")]
    [InlineData("QueueAlert", "Usage: QueueAlert", "my-org/my-app", "-1")]
    public async Task An_argument_that_cannot_be_is_one_line_and_ends_with_2(string sample, string message, params string[] arguments)
    {
        (int exitCode, _, string errors) = await RunAsync(sample, [], arguments);

        Assert.Equal(2, exitCode);
        Assert.StartsWith(message, Assert.Single(errors.TrimEnd().Split('\n')), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_two_accounts_are_read_side_by_side_by_the_worker_and_by_OpenTelemetry()
    {
        using Process process = SampleProgram.Start("TwoAccounts", key: null, environment: []);
        Task<string> errors = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        var lines = new List<string>();
        bool IsComplete() => new[] { "acme", "globex" }.All(account =>
            lines.Contains($"SIMULATED DATA for {account}: Fal:Accounts:{account}:ApiKey is not set.")
            && lines.Contains($"{account}: 1 apps, 250 requests are waiting.")
            && lines.Exists(line => line.Contains($"account: {account} application: simulated/my-app", StringComparison.Ordinal)));
        try
        {
            while (!IsComplete() && await process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken) is { } line)
            {
                lines.Add(line);
            }
        }
        finally
        {
            process.Kill();
        }

        Assert.True(IsComplete(), $"{string.Join('\n', lines)}\n{await errors}");
    }

    private static string TextOf(string body)
    {
        using JsonDocument json = JsonDocument.Parse(body);
        return json.RootElement.GetProperty("text").GetString()!;
    }

    private static Task<(int ExitCode, string Output, string Errors)> RunAsync(string sample) => RunAsync(sample, []);

    private static async Task<(int ExitCode, string Output, string Errors)> RunAsync(
        string sample, Dictionary<string, string> environment, params string[] arguments)
    {
        using Process process = SampleProgram.Start(sample, key: null, environment, arguments);
        return await process.EndAsync();
    }
}
