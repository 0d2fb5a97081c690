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
    [InlineData("Name a command: apps, export, history, report, simulate, top.")]
    [InlineData("Unknown argument 'exprot'.", "exprot")]
    [InlineData("Unknown argument '--jsn'.", "apps", "--jsn")]
    [InlineData("Required argument 'FOLDER' missing", "export")]
    [InlineData("FOLDER is '', which is empty", "export", "")]
    [InlineData("Unexpected argument 'b': give only one FOLDER.", "export", "a", "b")]
    [InlineData("Option '--last' expects a single argument", "export", "a", "--last", "2026-01-01", "--last", "2026-01-02")]
    [InlineData("Required argument 'FILE' missing", "history")]
    [InlineData("FILE is '.', which is a folder", "history", ".")]
    [InlineData("FILE is '', which is empty", "history", "")]
    [InlineData("Unknown argument '--account'.", "history", "h.om", "--account", "nope")]
    [InlineData("--timeframe is 'week'; it must be minute, hour or day.", "history", "h.om", "--timeframe", "week")]
    [InlineData("--interval is '9'; it must be 10 to 3600", "top", "--interval", "9")]
    [InlineData("--sort is 'size'; it must be trouble, queue, busy", "top", "--sort", "size")]
    [InlineData("--account-label is ''; it must be the name of the account, which is not empty.", "history", "h.om", "--account-label", "")]
    [InlineData(
        "--first is '0001-01-01'; it must be a day from 2000-01-01 on, such as 2026-01-31.",
        "history",
        "h.om",
        "--first",
        "0001-01-01"
    )]
    [InlineData("--endpoints and --environments cannot be combined", "export", "a", "--endpoints", "a/b", "--environments", "main")]
    [InlineData("Unknown argument '@words'.", "apps", "@words")]
    public async Task A_usage_error_is_one_line_without_the_help_and_ends_with_2(string message, params string[] arguments)
    {
        (int exitCode, string output, string errors) = await RunAsync(key: null, arguments);

        Assert.Equal((2, ""), (exitCode, output));
        Assert.StartsWith(message, errors, StringComparison.Ordinal);
        Assert.EndsWith("--help' shows the usage.", errors.TrimEnd(), StringComparison.Ordinal);
        Assert.Single(errors.TrimEnd().Split('\n'));
    }

    [Theory]
    [InlineData("--last is before --first.", "export", "a", "--first", "2026-01-02", "--last", "2026-01-01")]
    [InlineData("--last is before --first.", "history", "h.om", "--first", "2026-01-02", "--last", "2026-01-01")]
    [InlineData("9999-01-01 is in the future: today is 2", "history", "h.om", "--first", "9999-01-01")]
    public async Task Days_that_cannot_be_are_one_line_and_end_with_2(string message, params string[] arguments)
    {
        (int exitCode, string output, string errors) = await RunAsync(key: null, arguments);

        Assert.Equal((2, ""), (exitCode, output));
        Assert.StartsWith(message, Assert.Single(errors.TrimEnd().Split('\n')), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData]
    [InlineData("apps")]
    [InlineData("export")]
    [InlineData("history")]
    [InlineData("report")]
    [InlineData("simulate")]
    [InlineData("top")]
    public async Task Help_lists_the_exit_codes_and_the_settings(params string[] verb)
    {
        (int exitCode, string output, string errors) = await RunAsync(key: null, [.. verb, "--help"]);

        Assert.Equal((0, ""), (exitCode, errors));
        Assert.All(
            ["  0  ", "  1  ", "  2  ", "  130  ", "FAL_KEY_FILE", "NO_COLOR"],
            text => Assert.Contains(text, output, StringComparison.Ordinal)
        );
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
        Assert.Equal(
            server.Apps,
            json.RootElement.GetProperty("apps").EnumerateArray().Select(app => app.GetProperty("endpoint_id").GetString()!)
        );
    }

    [Fact]
    public async Task A_key_file_makes_the_data_real()
    {
        await using FalSimulator server = await FalSimulator.StartAsync(options => options.Seed = 1);
        string file = Path.Combine(_folder, "key");
        await File.WriteAllTextAsync(file, server.Key);

        using Process process = SampleProgram.Start(
            "fal-obs",
            key: null,
            [KeyValuePair.Create("FAL_KEY_FILE", file)],
            "apps",
            "--json",
            "--base-address",
            server.BaseAddress.ToString()
        );
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

        await SignalAsync(process, signal);
        (int exitCode, _, string errors) = await process.EndAsync();

        Assert.Equal(code, exitCode);
        Assert.Equal("Stopped. Completed partitions are kept: run the same command again to continue.", errors.TrimEnd());
        string[] files = Directory.GetFiles(Path.Combine(_folder, "ndjson", "hour"));
        Assert.NotEmpty(files);
        Assert.DoesNotContain(files, file => file.EndsWith(".tmp", StringComparison.Ordinal));
        Assert.All(
            files.Where(file => file.EndsWith(".ndjson", StringComparison.Ordinal)),
            file => Assert.EndsWith("}\n", File.ReadAllText(file), StringComparison.Ordinal)
        );
    }

    [Fact]
    public async Task An_export_into_a_file_instead_of_a_folder_is_one_line_that_names_it()
    {
        string file = InFolder("FOLDER/file");
        await File.WriteAllTextAsync(file, "");

        (int exitCode, _, string errors) = await RunAsync(key: null, ["export", file]);

        Assert.Equal(2, exitCode);
        Assert.StartsWith($"FOLDER is '{file}', which is a file", Assert.Single(errors.TrimEnd().Split('\n')), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("junk")]
    [InlineData("PAR1junkjunkjunkPAR1")]
    public async Task A_file_that_is_no_parquet_file_is_named_without_the_statement_that_read_it(string content)
    {
        string[] arguments =
        [
            "export",
            InFolder("FOLDER/export"),
            "--store",
            "parquet",
            "--tables",
            "analytics",
            "--first",
            "2026-05-01",
            "--last",
            "2026-05-01",
        ];
        Assert.Equal(0, (await RunAsync(key: null, arguments)).ExitCode);
        string file = Assert.Single(Directory.GetFiles(_folder, "*.parquet", SearchOption.AllDirectories));
        await File.WriteAllTextAsync(file, content);
        File.Delete(InFolder("FOLDER/export/progress-parquet.json"));

        (int exitCode, _, string errors) = await RunAsync(key: null, arguments);

        Assert.Equal(1, exitCode);
        string line = errors.TrimEnd().Split('\n')[^1];
        Assert.Contains(file, line, StringComparison.Ordinal);
        Assert.DoesNotContain("SELECT", errors, StringComparison.Ordinal);
        Assert.DoesNotContain("Error:", errors, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1, "--tables", "usage")]
    public async Task A_key_that_may_not_read_bills_leaves_out_usage_and_fails_only_where_usage_was_named(int code, params string[] options)
    {
        await using FalSimulator server = await FalSimulator.StartAsync(new FalSimulatorOptions { Seed = 1, Apps = 2 });
        string[] arguments =
        [
            "export",
            _folder,
            "--store",
            "ndjson",
            "--timeframe",
            "day",
            .. options,
            "--base-address",
            server.BaseAddress.ToString(),
        ];

        (int exitCode, string output, _) = await RunAsync(server.KeyWithoutBilling, arguments);

        Assert.Equal(code, exitCode);
        Assert.Single(output.Split('\n'), line => line.StartsWith("left out of usage: the whole account: ", StringComparison.Ordinal));
        Assert.Equal(code == 0, Directory.Exists(InFolder("FOLDER/ndjson")) && Directory.Exists(InFolder("FOLDER/ndjson-runners")));
        Assert.False(Directory.Exists(InFolder("FOLDER/ndjson-usage")));
    }

    [Theory]
    [InlineData("apps")]
    [InlineData("apps", "--json")]
    [InlineData("--help")]
    [InlineData("history", "FOLDER/history.om", "--timeframe", "day")]
    [InlineData("export", "FOLDER/export", "--first", "2026-01-01", "--last", "2026-01-01")]
    public async Task A_full_disk_behind_the_standard_output_is_one_line_that_names_it_and_ends_with_1(params string[] arguments)
    {
        (int exitCode, _, string errors) = await ShellAsync("> /dev/full", [.. arguments.Select(InFolder)]);

        Assert.Equal(1, exitCode);
        string[] lines = errors.TrimEnd().Split('\n');
        Assert.Equal("The standard output cannot be written: No space left on device.", lines[^1]);
        Assert.All(lines[..^1], line => Assert.StartsWith("SIMULATED DATA", line, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("2>&-", 0, "apps", "--json")]
    [InlineData("2>/dev/full", 0, "apps", "--json")]
    [InlineData("2>&-", 2, "foo")]
    public async Task An_error_output_that_cannot_be_written_costs_neither_the_result_nor_the_exit_code(
        string shell, int code, params string[] arguments)
    {
        (int exitCode, string output, string errors) = await ShellAsync(shell, arguments);

        Assert.Equal((code, ""), (exitCode, errors));
        Assert.Equal(code == 0, output.Contains("\"simulated\":", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_closed_standard_output_is_named_as_the_cause()
    {
        (int exitCode, _, string errors) = await ShellAsync(">&-", "apps");

        Assert.Equal(1, exitCode);
        Assert.StartsWith("The standard output cannot be written: ", errors.TrimEnd().Split('\n')[^1], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("FAL_KEY", "")]
    [InlineData("FAL_KEY_FILE", "")]
    [InlineData("FAL_KEY_SECRET", "x")]
    public async Task A_key_that_is_only_half_there_is_an_error_and_never_simulated_data(string variable, string value)
    {
        using Process process = SampleProgram.Start("fal-obs", key: null, [new(variable, value)], "apps");

        (int exitCode, string output, string errors) = await process.EndAsync();

        Assert.Equal((2, ""), (exitCode, output));
        Assert.Contains("FAL_KEY", Assert.Single(errors.TrimEnd().Split('\n')), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("apps")]
    [InlineData("export", "FOLDER/export", "--first", "2026-01-01", "--last", "2026-01-01")]
    public async Task A_reader_of_the_output_that_is_gone_ends_nothing(params string[] arguments)
    {
        (int exitCode, _, string errors) = await ShellAsync("| true", [.. arguments.Select(InFolder)]);

        Assert.Equal(0, exitCode);
        Assert.StartsWith("SIMULATED DATA", Assert.Single(errors.TrimEnd().Split('\n')), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_history_is_written_into_a_new_file_over_an_old_one_and_through_a_link()
    {
        string file = InFolder("FOLDER/history.om");
        string link = InFolder("FOLDER/link.om");
        File.CreateSymbolicLink(link, file);

        foreach (string path in (string[])[file, file, link])
        {
            (int exitCode, string output, _) = await RunAsync(key: null, ["history", path, "--timeframe", "day"]);

            Assert.Equal(0, exitCode);
            Assert.Contains("promtool tsdb create-blocks-from openmetrics", output, StringComparison.Ordinal);
            string written = await File.ReadAllTextAsync(file);
            Assert.EndsWith("# EOF\n", written, StringComparison.Ordinal);
            Assert.Contains("account=\"simulated\"", written, StringComparison.Ordinal);
            await File.WriteAllTextAsync(file, "old");
        }

        Assert.NotNull(new FileInfo(link).LinkTarget);
        Assert.Equal(2, Directory.GetFiles(_folder).Length);
    }

    [Theory]
    [InlineData("FOLDER/no-such-folder/history.om")]
    [InlineData("/dev/full")]
    public async Task A_history_that_cannot_be_written_is_one_line_with_the_cause_and_ends_with_1(string path)
    {
        (int exitCode, string output, string errors) = await RunAsync(key: null, ["history", InFolder(path), "--timeframe", "day"]);

        Assert.Equal((1, ""), (exitCode, output));
        string line = errors.TrimEnd().Split('\n')[^1];
        Assert.Contains(InFolder(path), line, StringComparison.Ordinal);
        Assert.EndsWith("The history was not written.", line, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("INT", 130)]
    [InlineData("TERM", 143)]
    public async Task An_interrupted_history_leaves_no_file_and_says_so_by_its_exit_code(string signal, int code)
    {
        // The first answer never comes, so the history is interrupted while it reads.
        var options = new FalSimulatorOptions { Seed = 1 };
        options.Faults.Every(1, new Fault(FaultKind.StalledBody) { Wait = TimeSpan.FromMinutes(10) }, SimulatorRoute.ServerlessAnalytics);
        await using FalSimulator server = await FalSimulator.StartAsync(options);
        string file = InFolder("FOLDER/history.om");
        await File.WriteAllTextAsync(file, "old");
        using var begun = new SemaphoreSlim(0);
        using var watcher = new FileSystemWatcher(_folder, "history.om.tmp") { EnableRaisingEvents = true };
        watcher.Created += (_, _) => begun.Release();
        using Process process = SampleProgram.Start(
            "fal-obs", server.Key, [], "history", file, "--endpoints", server.Apps[0], "--base-address", server.BaseAddress.ToString());
        await begun.WaitAsync().OrHangs();

        await SignalAsync(process, signal);
        (int exitCode, string output, string errors) = await process.EndAsync();

        Assert.Equal((code, ""), (exitCode, output));
        Assert.Equal("Stopped before it was finished.", errors.TrimEnd());
        Assert.Equal([file], Directory.GetFiles(_folder));
        Assert.Equal("old", await File.ReadAllTextAsync(file));
    }

    [Fact]
    public async Task A_history_of_an_account_covers_every_app_that_it_owns_under_its_label()
    {
        await using FalSimulator server = await FalSimulator.StartAsync(new FalSimulatorOptions { Seed = 1, Apps = 5 });
        string file = InFolder("FOLDER/history.om");

        (int exitCode, _, string errors) = await RunAsync(
            server.Key,
            ["history", file, "--timeframe", "day", "--account-label", "acme", "--base-address", server.BaseAddress.ToString()]
        );

        Assert.Equal((0, ""), (exitCode, errors));
        string written = await File.ReadAllTextAsync(file);
        Assert.All(server.Apps, app => Assert.Contains($"account=\"acme\",endpoint_id=\"{app}\"", written, StringComparison.Ordinal));
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

    [Fact]
    public async Task A_history_goes_into_a_pipe()
    {
        (int code, string output, string errors) = await ShellAsync("| grep -c '^# EOF'", "history", "/dev/stdout", "--timeframe", "day");

        Assert.True(code == 0, errors);
        Assert.Equal("1", output.Trim());
    }

    private string InFolder(string argument) => argument.Replace("FOLDER", _folder, StringComparison.Ordinal);

    /// <summary>Runs the tool without a key in a shell that gives its output away.</summary>
    private static async Task<(int ExitCode, string Output, string Errors)> ShellAsync(string output, params string[] arguments)
    {
        string program = Path.Combine(AppContext.BaseDirectory, "fal-obs.dll");
        string words = string.Join(' ', arguments.Select(argument => $"'{argument}'"));
        using Process shell = Process.Start(
            new ProcessStartInfo("bash", ["-c", $"set -o pipefail; env -u FAL_KEY dotnet '{program}' {words} {output}"])
            {
                RedirectStandardError = true,
                RedirectStandardOutput = true,
            }
        )!;
        return await shell.EndAsync();
    }

    private static async Task SignalAsync(Process process, string signal)
    {
        using Process kill = Process.Start("kill", ["-s", signal, process.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)]);
        await kill.WaitForExitAsync().OrHangs();
    }

    private static async Task<(int ExitCode, string Output, string Errors)> RunAsync(string? key, string[] arguments)
    {
        using Process process = SampleProgram.Start("fal-obs", key, [], arguments);
        return await process.EndAsync();
    }
}
