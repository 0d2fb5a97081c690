using System.Diagnostics;
using System.Text.Json;
using Fal.Observability.Client.IntegrationTests.Samples;
using Fal.Observability.Client.Testing;
using Xunit;

namespace Fal.Observability.Client.IntegrationTests.Tools;

/// <summary>The tool <c>fal-obs</c> as a process, as a user starts it.</summary>
public sealed class FalObsTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("fal-obs").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("Name what to do: apps, export, simulate.")]
    [InlineData("'exprot' is not understood.", "exprot")]
    [InlineData("'--jsn' is not understood.", "apps", "--jsn")]
    [InlineData("Required argument 'FOLDER' missing", "export")]
    [InlineData("FOLDER is empty", "export", "")]
    [InlineData("'b' is one FOLDER too many.", "export", "a", "b")]
    [InlineData("Option '--last' expects a single argument", "export", "a", "--last", "2026-01-01", "--last", "2026-01-02")]
    [InlineData("'@words' is not understood.", "apps", "@words")]
    public async Task A_usage_error_is_one_line_without_the_help_and_ends_with_2(string message, params string[] arguments)
    {
        (int exitCode, string output, string errors) = await RunAsync(key: null, arguments);

        Assert.Equal((2, ""), (exitCode, output));
        Assert.StartsWith(message, errors, StringComparison.Ordinal);
        Assert.EndsWith("--help' lists the words.", errors.TrimEnd(), StringComparison.Ordinal);
        Assert.Single(errors.TrimEnd().Split('\n'));
    }

    [Theory]
    [InlineData]
    [InlineData("apps")]
    [InlineData("export")]
    [InlineData("simulate")]
    public async Task Help_lists_the_exit_codes_and_the_settings(params string[] verb)
    {
        (int exitCode, string output, string errors) = await RunAsync(key: null, [.. verb, "--help"]);

        Assert.Equal((0, ""), (exitCode, errors));
        Assert.All(["  0  ", "  1  ", "  2  ", "  130  ", "FAL_KEY_FILE", "NO_COLOR"], text => Assert.Contains(text, output, StringComparison.Ordinal));
        Assert.Contains($"fal-obs {string.Join(' ', verb)}".TrimEnd(), output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_words_complete()
    {
        (int exitCode, string output, _) = await RunAsync(key: null, ["[suggest:21]", "fal-obs export a --st"]);

        Assert.Equal(0, exitCode);
        Assert.Contains("--store", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Apps_are_a_table_of_the_list_and_the_live_metrics()
    {
        await using FalSimulator server = await FalSimulator.StartAsync(new FalSimulatorOptions { Seed = 1, Apps = 3 });

        (int exitCode, string output, string errors) =
            await RunAsync(server.Key, ["apps", "--base-address", server.BaseAddress.ToString()]);

        Assert.Equal((0, ""), (exitCode, errors));
        string[] lines = output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(["app", .. server.Apps], lines.Select(line => line.Split(' ')[0]));
        Assert.Contains("queue", lines[0], StringComparison.Ordinal);
        Assert.DoesNotContain('\e', output);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Json_says_whether_it_is_simulated(bool isSimulated)
    {
        await using FalSimulator server = await FalSimulator.StartAsync(new FalSimulatorOptions { Seed = 1, Apps = 12 });
        string[] address = isSimulated ? [] : ["--base-address", server.BaseAddress.ToString()];

        (int exitCode, string output, string errors) = await RunAsync(isSimulated ? null : server.Key, ["apps", "--json", .. address]);

        Assert.Equal(0, exitCode);
        Assert.Equal(isSimulated, errors.StartsWith("SIMULATED DATA", StringComparison.Ordinal));
        using JsonDocument json = JsonDocument.Parse(output);
        Assert.Equal(isSimulated, json.RootElement.GetProperty("simulated").GetBoolean());
        Assert.Equal(server.Apps, json.RootElement.GetProperty("apps").EnumerateArray().Select(app => app.GetProperty("endpoint_id").GetString()!));
    }

    [Fact]
    public async Task A_key_file_makes_the_data_real()
    {
        await using FalSimulator server = await FalSimulator.StartAsync(options => options.Seed = 1);
        string file = Path.Combine(_folder, "key");
        await File.WriteAllTextAsync(file, server.Key);

        using Process process = SampleProgram.Start(
            "fal-obs", key: null, [KeyValuePair.Create("FAL_KEY_FILE", file)], "apps", "--json", "--base-address", server.BaseAddress.ToString());
        (int exitCode, string output, string errors) = await process.EndAsync();

        Assert.Equal((0, ""), (exitCode, errors));
        Assert.Contains("\"simulated\": false", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_wrong_key_is_one_line_with_the_cause()
    {
        await using FalSimulator server = await FalSimulator.StartAsync(options => options.Seed = 1);

        (int exitCode, string output, string errors) =
            await RunAsync("wrong:secret-0123456789", ["apps", "--base-address", server.BaseAddress.ToString()]);

        Assert.Equal((1, ""), (exitCode, output));
        Assert.Contains("Invalid API key", errors, StringComparison.Ordinal);
        Assert.DoesNotContain("secret-0123456789", errors, StringComparison.Ordinal);
        Assert.Single(errors.TrimEnd().Split('\n'));
    }

    [Theory]
    [InlineData("INT", 130)]
    [InlineData("TERM", 143)]
    public async Task An_interrupted_export_keeps_what_is_complete_and_says_so_by_its_exit_code(string signal, int code)
    {
        await using FalSimulator server = await FalSimulator.StartAsync(options => options.Seed = 1);
        using var partitions = new SemaphoreSlim(0);
        using var watcher = new FileSystemWatcher(_folder, "progress-ndjson.json") { EnableRaisingEvents = true };
        watcher.Renamed += (_, _) => partitions.Release();
        string[] arguments =
        [
            "export", _folder, "--store", "ndjson", "--timeframe", "hour", "--first", "2026-01-01", "--last", "2026-05-20",
            "--endpoints", string.Join(',', server.Apps), "--base-address", server.BaseAddress.ToString(),
        ];
        using Process process = SampleProgram.Start("fal-obs", server.Key, [], arguments);
        await partitions.WaitAsync().OrHangs();

        using (Process kill = Process.Start("kill", ["-s", signal, process.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)]))
        {
            await kill.WaitForExitAsync().OrHangs();
        }

        (int exitCode, _, string errors) = await process.EndAsync();

        Assert.Equal(code, exitCode);
        Assert.Equal("Ended. What was exported stays: run the same command again to continue.", errors.TrimEnd());
        string[] files = Directory.GetFiles(Path.Combine(_folder, "ndjson", "hour"));
        Assert.NotEmpty(files);
        Assert.DoesNotContain(files, file => file.EndsWith(".tmp", StringComparison.Ordinal));
        Assert.All(files.Where(file => file.EndsWith(".ndjson", StringComparison.Ordinal)), file => Assert.EndsWith("}\n", File.ReadAllText(file), StringComparison.Ordinal));
    }

    [Fact]
    public async Task An_export_into_a_file_instead_of_a_folder_is_one_line_that_names_it()
    {
        string file = Path.Combine(_folder, "file");
        await File.WriteAllTextAsync(file, "");

        (int exitCode, _, string errors) = await RunAsync("id:secret", ["export", file, "--endpoints", "a/b", "--base-address", "http://127.0.0.1:9/v1"]);

        Assert.Equal(1, exitCode);
        Assert.Contains(file, errors, StringComparison.Ordinal);
        Assert.Single(errors.TrimEnd().Split('\n'));
    }

    [Fact]
    public async Task A_full_disk_behind_the_output_is_one_line_and_ends_with_1()
    {
        string program = Path.Combine(AppContext.BaseDirectory, "fal-obs.dll");
        using Process shell = Process.Start(new ProcessStartInfo("sh", ["-c", $"env -u FAL_KEY dotnet '{program}' apps > /dev/full"])
        {
            RedirectStandardError = true, RedirectStandardOutput = true,
        })!;

        (int exitCode, _, string errors) = await shell.EndAsync();

        Assert.Equal(1, exitCode);
        Assert.Contains("No space left on device", errors, StringComparison.Ordinal);
        Assert.Equal(2, errors.TrimEnd().Split('\n').Length);
    }

    [Theory]
    [InlineData(false, "apps")]
    [InlineData(false, "--help")]
    [InlineData(false, "simulate", "--truth", "endpoint_id=simulated/text-to-image-00000&expand=summary&expand=request_count")]
    [InlineData(true, "export", "FOLDER", "--first", "2026-01-01", "--last", "2026-01-01")]
    public async Task Export_alone_loads_duckdb(bool loads, params string[] arguments)
    {
        string list = Path.Combine(_folder, "assemblies");
        using Process process = SampleProgram.Start(
            "fal-obs", key: null,
            [
                KeyValuePair.Create("DOTNET_STARTUP_HOOKS", typeof(FalObsTests).Assembly.Location),
                KeyValuePair.Create(StartupHook.FileVariable, list),
            ],
            [.. arguments.Select(argument => argument == "FOLDER" ? Path.Combine(_folder, "export") : argument)]);

        Assert.Equal(0, (await process.EndAsync()).ExitCode);

        Assert.Equal(loads, (await File.ReadAllLinesAsync(list)).Any(name => name.StartsWith("DuckDB", StringComparison.Ordinal)));
    }

    private static async Task<(int ExitCode, string Output, string Errors)> RunAsync(string? key, string[] arguments)
    {
        using Process process = SampleProgram.Start("fal-obs", key, [], arguments);
        return await process.EndAsync();
    }
}
