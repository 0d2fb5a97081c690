using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Fal.Observability.Bridge;
using Microsoft.Extensions.Configuration;
using Xunit;

namespace Fal.Observability.Client.IntegrationTests.Samples;

/// <summary>The bridge as a process: how it starts, why it does not, and how it ends.</summary>
public sealed class PrometheusBridgeProgramTests
{
    private const string AnyKey = "test-id:test-secret-0123456789";

    [Theory]
    [InlineData(null, "No fal account is configured. Set FAL_KEY or FAL_KEY_FILE, or add one to Fal:Accounts. To try the bridge " +
        "without a key, start it with --simulate.")]
    [InlineData(AnyKey, "--simulate cannot be combined with an account", "--simulate")]
    [InlineData("nonsense", "does not have the form")]
    [InlineData(AnyKey, "Unknown setting Bridge:RemoteWrite:Ulr", "--Bridge:RemoteWrite:Ulr=x")]
    [InlineData(AnyKey, "Bridge:RemoteWrite:Histories:0:Timeframe", "--Bridge:RemoteWrite:Histories:0:Timeframe=Fortnight")]
    [InlineData(AnyKey, "urls is 'nonsense'; it must be an address such as http://127.0.0.1:9464.", "--Urls=nonsense")]
    [InlineData(
        AnyKey,
        "urls is 'http://nosuchhost:9090'; its host must be an IP address, localhost, or *",
        "--urls=http://nosuchhost:9090"
    )]
    [InlineData(AnyKey, "urls is 'http://127.0.0.l:0'; its host must be", "--urls=http://127.0.0.1:0;http://127.0.0.l:0")]
    [InlineData(AnyKey, "urls is 'http://127.0.0.1:94o4'; its host must be", "--urls=http://127.0.0.1:94o4")]
    [InlineData(AnyKey, "urls is 'http://127.0.0.1:70000'; its port must be", "--urls=http://127.0.0.1:70000")]
    [InlineData(AnyKey, "urls is 'http://unix:/run/x.sock'; its host must be", "--urls=http://unix:/run/x.sock")]
    [InlineData(
        AnyKey,
        "Kestrel:Endpoints:page:Url is 'http://bridge.example:0'; its host must be",
        "--Kestrel:Endpoints:page:Url=http://bridge.example:0"
    )]
    [InlineData(
        AnyKey,
        "Bridge:SettingsFile names '/no/such/file.json', which does not exist. Create the file, or name another.",
        "--Bridge:SettingsFile=/no/such/file.json"
    )]
    [InlineData(AnyKey, "http_ports is 'localhost:0'; it must be a port from 0 to 65535.", "--http_ports=localhost:0")]
    [InlineData(AnyKey, "https_ports is '0x1'; it must be a port", "--https_ports=0x1")]
    public async Task A_start_that_fails_says_why_in_one_line_and_ends_with_2(string? key, string message, params string[] arguments)
    {
        using Process bridge = Start(key, development: false, arguments);

        (int exitCode, string output, string errors) = await bridge.EndAsync();

        Assert.Equal(2, exitCode);
        Assert.Empty(output);
        Assert.StartsWith("The bridge cannot start. ", errors, StringComparison.Ordinal);
        Assert.Contains(message, errors, StringComparison.Ordinal);
        Assert.Single(errors.TrimEnd().Split('\n'));
    }

    [Fact]
    public async Task A_key_file_of_the_environment_that_is_not_there_is_named_with_what_to_do()
    {
        using Process bridge = StartIn(new() { ["FAL_KEY_FILE"] = "/no/such/key" }, key: null, development: true);

        (int exitCode, string output, string errors) = await bridge.EndAsync();

        Assert.Equal(2, exitCode);
        Assert.Empty(output);
        Assert.Equal(
            "The bridge cannot start. The key file '/no/such/key' does not exist. Put the key into it, or name another file in " +
                "Fal:ApiKeyFile or FAL_KEY_FILE.",
            errors.TrimEnd());
    }

    [Theory]
    [InlineData("Unknown argument 'serve'", "serve")]
    [InlineData("Unknown argument 'histroy'", "histroy", "file.om")]
    [InlineData("Unknown argument '--urlz'", "--urlz=foo")]
    [InlineData("Unknown argument '--Brigde:RemoteWrite:Url'", "--Brigde:RemoteWrite:Url", "http://x")]
    [InlineData("--urls needs a value", "--urls")]
    public async Task A_word_that_is_not_understood_starts_nothing_and_ends_with_2_and_one_line(string message, params string[] arguments)
    {
        using Process bridge = Start(AnyKey, development: false, arguments);

        (int exitCode, string output, string errors) = await bridge.EndAsync();

        Assert.Equal(2, exitCode);
        Assert.Empty(output);
        Assert.StartsWith(message, errors, StringComparison.Ordinal);
        Assert.Single(errors.TrimEnd().Split('\n'));
        Assert.Contains("--help", errors, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Usage: fal-bridge [settings]", "--help")]
    [InlineData("Usage: fal-bridge [settings]", "health", "--help")]
    public async Task Help_is_the_usage(string usage, params string[] arguments)
    {
        using Process bridge = Start(key: null, development: false, arguments);

        (int exitCode, string output, string errors) = await bridge.EndAsync();

        Assert.Equal(0, exitCode);
        Assert.StartsWith(usage, output, StringComparison.Ordinal);
        Assert.Empty(errors);
    }

    [Theory]
    [InlineData("ASPNETCORE_URLS", "http://127.0.0.1:0")]
    [InlineData("ASPNETCORE_HTTP_PORTS", "0")]
    public async Task It_listens_where_the_variables_of_ASP_NET_Core_say_and_a_call_of_health_logs_nothing(string variable, string value)
    {
        using Process bridge = StartIn(
            new() { [variable] = value },
            AnyKey,
            development: false,
            "--Fal:BaseAddress",
            "http://127.0.0.1:9/v1"
        );
        Task<string> errors = bridge.StandardError.ReadToEndAsync();
        (Uri address, _) = await bridge.ListeningAsync();
        Assert.NotEqual(9464, address.Port);
        using var http = new HttpClient();
        using HttpResponseMessage health = await http.GetAsync(new Uri($"http://127.0.0.1:{address.Port}/health")).OrHangs();
        string rest = await StopAsync(bridge);

        Assert.StartsWith("default: ", await health.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Contains("Accounts: default at http://127.0.0.1:9/v1. Remote write: none. OTLP: none.", rest, StringComparison.Ordinal);
        Assert.DoesNotContain("HealthChecks", rest, StringComparison.Ordinal);
        Assert.Empty(await errors);
    }

    [Fact]
    public async Task A_settings_file_is_read_and_the_environment_overrides_it()
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("fal-bridge-");
        string file = Path.Combine(folder.FullName, "settings.json");
        await File.WriteAllTextAsync(
            file, """{ "urls": "http://127.0.0.1:0", "Fal": { "Accounts": { "acme": { "ApiKey": "test-id:test-secret-0123456789", "BaseAddress": "http://x" } } } }""",
            TestContext.Current.CancellationToken);
        using Process bridge = StartIn(
            new() { ["Bridge__SettingsFile"] = file, ["Fal__Accounts__acme__BaseAddress"] = "http://127.0.0.1:9/v1" },
            key: null,
            development: false
        );
        Task<string> errors = bridge.StandardError.ReadToEndAsync();
        (Uri address, _) = await bridge.ListeningAsync();
        string rest = await StopAsync(bridge);
        folder.Delete(recursive: true);

        Assert.NotEqual(9464, address.Port);
        Assert.Contains("Accounts: acme at http://127.0.0.1:9/v1.", rest, StringComparison.Ordinal);
        Assert.Empty(await errors);
    }

    [Fact]
    public async Task A_taken_port_is_named()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        int port = ((IPEndPoint)taken.LocalEndpoint).Port;
        using Process bridge = Start(
            AnyKey,
            development: false,
            $"--Urls=http://127.0.0.1:{port}",
            "--Fal:BaseAddress=http://127.0.0.1:9/v1"
        );

        (int exitCode, _, string errors) = await bridge.EndAsync();

        Assert.Equal(2, exitCode);
        Assert.Contains($"http://127.0.0.1:{port}: address already in use", errors, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("ASPNETCORE_URLS", "http://nosuchhost:0", "urls is 'http://nosuchhost:0'; its host must be")]
    [InlineData("DOTNET_URLS", "http://nosuchhost:0", "urls is 'http://nosuchhost:0'; its host must be")]
    [InlineData("ASPNETCORE_HTTP_PORTS", "127.0.0.1:0", "http_ports is '127.0.0.1:0'; it must be a port")]
    [InlineData(
        "Kestrel__Endpoints__page__Url",
        "http://nosuchhost:0",
        "Kestrel:Endpoints:page:Url is 'http://nosuchhost:0'; its host must be"
    )]
    public async Task A_host_in_the_environment_that_would_open_every_interface_stops_the_start(
        string variable,
        string value,
        string message
    )
    {
        using Process bridge = StartIn(new() { [variable] = value }, AnyKey, development: false);

        (int exitCode, _, string errors) = await bridge.EndAsync();

        Assert.Equal(2, exitCode);
        Assert.StartsWith($"The bridge cannot start. {message}", errors, StringComparison.Ordinal);
        Assert.Single(errors.TrimEnd().Split('\n'));
    }

    [Theory]
    [InlineData("http://127.0.0.1:")]
    [InlineData("http://0.0.0.0:")]
    [InlineData("http://*:")]
    [InlineData("http://+:")]
    public async Task An_address_of_this_machine_starts_it_and_health_asks_there(string prefix)
    {
        using Process bridge = Start(key: null, development: false, "--simulate", $"--urls={prefix}0");
        Task<string> errors = bridge.StandardError.ReadToEndAsync();
        (Uri address, _) = await bridge.ListeningAsync();
        string port = address.Port.ToString(System.Globalization.CultureInfo.InvariantCulture);
        // The first read may not have ended yet, and health would say so.
        await SampleProgram.BridgeIsReadyAsync(new Uri($"http://localhost:{port}"));

        using Process health = Start(AnyKey, development: false, "health", $"--urls={prefix}{port}");
        (int exitCode, string output, string failure) = await health.EndAsync();
        await StopAsync(bridge);

        Assert.Equal((0, ""), (exitCode, failure));
        Assert.StartsWith("The bridge is ready: ", output, StringComparison.Ordinal);
        Assert.Single(output.TrimEnd().Split('\n'));
        Assert.Empty(await errors);
    }

    [Theory]
    [InlineData("http://[::]:9464")]
    [InlineData("http://[::1]:9464")]
    [InlineData("HTTP://LOCALHOST:9464/")]
    [InlineData("https://0.0.0.0:9464; http://*:9465;")]
    public void An_address_of_this_machine_is_accepted(string urls) =>
        Assert.All(
            ListenAddresses.From(new ConfigurationBuilder().AddInMemoryCollection([new("urls", urls)]).Build()),
            address => Assert.InRange(address.Port, 9464, 9465)
        );

    [Theory]
    [InlineData("The bridge is not ready: ", "answers 503")]
    [InlineData("The bridge does not answer at http://127.0.0.1:9/ready", "", "--urls=http://127.0.0.1:9")]
    [InlineData("The bridge does not answer at http://localhost:9/ready", "", "--http_ports=9")]
    [InlineData("The settings name port 0", "Name a port", "--urls=http://127.0.0.1:0")]
    [InlineData("The bridge's readiness cannot be checked. urls is 'http://nosuchhost:9'", "", "--urls=http://nosuchhost:9")]
    [InlineData("Unknown argument '--url'", "--help", "--url=x")]
    public async Task Health_ends_with_1_and_one_line_where_the_bridge_is_not_ready(string begin, string more, params string[] arguments)
    {
        await using RawServer unready = RawServer.Start(RawServer.Answer(503, "text/plain", "No read has ended.\n"));
        using Process health = Start(
            key: null,
            development: false,
            ["health", .. arguments.DefaultIfEmpty($"--urls={unready.BaseAddress.GetLeftPart(UriPartial.Authority)}")]
        );

        (int exitCode, string output, string errors) = await health.EndAsync();

        Assert.Equal((1, ""), (exitCode, output));
        Assert.StartsWith(begin, errors, StringComparison.Ordinal);
        Assert.Contains(more, errors, StringComparison.Ordinal);
        Assert.Single(errors.TrimEnd().Split('\n'));
    }

    [Fact]
    public async Task With_simulate_it_shows_simulated_data_as_such_and_a_stop_signal_ends_it_with_0()
    {
        using Process bridge = Start(key: null, development: false, "--simulate", "--Urls=http://127.0.0.1:0");
        Task<string> errors = bridge.StandardError.ReadToEndAsync();
        (Uri address, List<string> lines) = await bridge.ListeningAsync();
        using var http = new HttpClient();
        string page = await http.GetStringAsync(new Uri(address, "metrics")).OrHangs();
        string rest = await StopAsync(bridge);

        Assert.Equal(0, bridge.ExitCode);
        Assert.StartsWith("SIMULATED DATA", lines[0], StringComparison.Ordinal);
        Assert.All(
            page.Split('\n').Where(sample => sample.StartsWith("fal_", StringComparison.Ordinal)),
            sample => Assert.Contains("account=\"simulated\"", sample, StringComparison.Ordinal));
        Assert.Contains("shutting down", rest, StringComparison.Ordinal);
        Assert.Empty(await errors);
    }

    /// <summary>Stops it as a service manager would, and reads the rest of the output.</summary>
    private static async Task<string> StopAsync(Process bridge)
    {
        using (Process kill = Process.Start("kill", ["-TERM", bridge.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)]))
        {
            await kill.WaitForExitAsync();
        }

        string rest = await bridge.StandardOutput.ReadToEndAsync().OrHangs();
        await bridge.WaitForExitAsync().OrHangs();
        return rest;
    }

    private static Process Start(string? key, bool development, params string[] arguments) => StartIn([], key, development, arguments);

    private static Process StartIn(Dictionary<string, string> environment, string? key, bool development, params string[] arguments) =>
        SampleProgram.Start(
            "Fal.Observability.Bridge",
            key,
            environment.Append(new("ASPNETCORE_ENVIRONMENT", development ? "Development" : "Production")),
            arguments
        );
}
