using System.Diagnostics;
using System.Text;
using Fal.Observability.Bridge;
using Fal.Observability.Client.IntegrationTests.Samples;
using Fal.Observability.Client.Testing;
using Microsoft.AspNetCore.Builder;
using Xunit;

namespace Fal.Observability.Client.IntegrationTests.Documentation;

/// <summary>
/// Runs the commands that a page prints: the tools as processes that read the simulator instead of the service, <c>curl</c> of the pages
/// that they serve, and what <c>grep</c> and <c>head</c> keep of the output. A server gets a free port in place of its usual one.
/// </summary>
internal sealed class PrintedCommands(FalSimulator service) : IAsyncDisposable
{
    private const string WebApplicationDefault = "http://localhost:5000";

    private readonly Dictionary<string, Uri> _servers = [];
    private readonly List<Process> _bridges = [];
    private readonly string _folder = Directory.CreateTempSubdirectory("fal-docs-").FullName;
    private readonly HttpClient _http = new();
    private WebApplication? _application;

    public async ValueTask DisposeAsync()
    {
        foreach (Process bridge in _bridges)
        {
            bridge.Kill();
            await bridge.WaitForExitAsync().OrHangs();
            bridge.Dispose();
        }

        if (_application is not null)
        {
            await _application.DisposeAsync();
        }

        _http.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    /// <summary>Gives the commands a program that listens.</summary>
    public void Serve(WebApplication application)
    {
        _application = application;
        _servers[WebApplicationDefault] = new Uri(application.Urls.Single());
    }

    public async Task<string> RunAsync(string block)
    {
        var output = new StringBuilder();
        foreach (string line in block.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            string[][] commands = [.. line.Split('#')[0].Split('|').Select(Words)];
            IEnumerable<string> lines = await RunAsync(commands[0]);
            foreach (string printed in commands[1..].Aggregate(lines, Filter))
            {
                output.Append(printed.TrimEnd()).Append('\n');
            }
        }

        return output.ToString();
    }

    private async Task<IEnumerable<string>> RunAsync(string[] command)
    {
        switch (command)
        {
            case ["fal-obs", .. string[] arguments]:
                using (Process tool = SampleProgram.StartIn(
                    _folder, "fal-obs", service.Key, [], [.. arguments, "--base-address", service.BaseAddress.ToString()]))
                {
                    (int exitCode, string output, string errors) = await tool.EndAsync();
                    Assert.Equal((0, ""), (exitCode, errors));
                    return output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
                }

            case ["fal-bridge", .. string[] arguments, "&"]:
                Process bridge = SampleProgram.StartIn(
                    _folder,
                    "Fal.Observability.Bridge",
                    service.Key,
                    [KeyValuePair.Create("Fal__BaseAddress", service.BaseAddress.ToString())],
                    [.. arguments, "--urls=http://127.0.0.1:0"]);
                _bridges.Add(bridge);
                (Uri address, _) = await bridge.ListeningAsync();
                await SampleProgram.BridgeIsReadyAsync(address);
                _servers[ListenAddresses.Default] = address;
                return [];

            case ["curl", string url]:
                var printed = new Uri(url);
                Uri server = _servers[printed.GetLeftPart(UriPartial.Authority)];
                string page = await _http.GetStringAsync(new Uri(server, printed.PathAndQuery));
                return page.Split('\n', StringSplitOptions.RemoveEmptyEntries);

            default:
                throw new InvalidOperationException($"'{string.Join(' ', command)}' is no command that runs here.");
        }
    }

    private static IEnumerable<string> Filter(IEnumerable<string> lines, string[] command) => command switch
    {
        ["grep", string text] when text.StartsWith('^') => lines.Where(line => line.StartsWith(text[1..], StringComparison.Ordinal)),
        ["head", string count] => lines.Take(-int.Parse(count, System.Globalization.CultureInfo.InvariantCulture)),
        _ => throw new InvalidOperationException($"'{string.Join(' ', command)}' is no filter that runs here."),
    };

    private static string[] Words(string command) =>
        [.. command.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(word => word.Trim('\''))];
}
