using System.Diagnostics;
using System.Text;
using Fal.Observability.Client.Testing;
using Xunit;

namespace Fal.Observability.Client.IntegrationTests.Samples;

/// <summary>The samples that write history into a folder, the warehouse export and the backfill, as processes.</summary>
public sealed class HistoryProgramTests : IDisposable
{
    private const string Export = "fal-obs";
    private const string Backfill = "Backfill";
    private const string AnyKey = "test-id:test-secret-0123456789";

    private readonly string _folder = Directory.CreateTempSubdirectory("history").FullName;

    public static TheoryData<string> Programs => [Export, Backfill];

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData(Export, "--store is 'csv'; it must be duckdb, parquet or ndjson.", "--store", "csv")]
    [InlineData(Export, "--timeframe is 'week'", "--timeframe", "week")]
    [InlineData(Export, "--first is '1.1.2026'", "--first", "1.1.2026")]
    [InlineData(Export, "--last is before --first.", "--first", "2026-01-02", "--last", "2026-01-01")]
    [InlineData(Export, "9999-12-31 is in the future", "--first", "9999-12-31", "--last", "9999-12-31")]
    [InlineData(Export, "--endpoints is ''; it must be one or more", "--endpoints", "")]
    [InlineData(Export, "--base-address is 'nonsense'", "--base-address", "nonsense")]
    [InlineData(Export, "Unknown argument '--frist'.", "--frist", "2026-01-01")]
    [InlineData(Export, "Required argument missing for option: '--last'.", "--last")]
    [InlineData(Backfill, "Unknown argument '--frist'.", "--frist", "2026-01-01")]
    [InlineData(Backfill, "--last needs a value.", "--last")]
    [InlineData(Backfill, "--last is before --first.", "--first", "2026-01-02", "--last", "2026-01-01")]
    [InlineData(Backfill, "--first and --last must be given together", "--first", "2026-01-02")]
    [InlineData(Backfill, "--first and --last must be given together", "--first", "x", "--last", "y")]
    [InlineData(Backfill, "2999-01-01 is in the future", "--first", "2999-01-01", "--last", "2999-01-02")]
    [InlineData(Backfill, "--base-address is 'nonsense'", "--base-address", "nonsense")]
    [InlineData(Backfill, "Name the endpoints", "--endpoints", "")]
    public async Task Bad_arguments_are_named_and_end_with_2(string program, string message, params string[] arguments)
    {
        (int exitCode, string output, string errors) = await RunAsync(program, AnyKey, [_folder, .. arguments]);

        Assert.Equal(2, exitCode);
        Assert.Empty(output);
        Assert.StartsWith(message, errors, StringComparison.Ordinal);
        Assert.Equal(program == Backfill, errors.Contains("FOLDER", StringComparison.Ordinal));
        Assert.Empty(Directory.GetFileSystemEntries(_folder));
    }

    [Theory]
    [MemberData(nameof(Programs))]
    public async Task Help_is_the_usage_and_ends_with_0(string program)
    {
        (int exitCode, string output, string errors) = await RunAsync(program, null, ["--help"]);

        Assert.Equal(0, exitCode);
        Assert.Contains(program == Export ? "fal-obs export <FOLDER>" : "Backfill FOLDER", output, StringComparison.Ordinal);
        Assert.Empty(errors);
    }

    [Theory]
    [InlineData(Export, "nocolon", "a/b", "does not have the form")]
    [InlineData(Backfill, "nocolon", "a/b", "does not have the form")]
    [InlineData(Export, AnyKey, "a b", "U+0020")]
    [InlineData(Backfill, AnyKey, "a b", "U+0020")]
    public async Task A_key_or_an_endpoint_that_cannot_be_is_one_line_and_ends_with_2(
        string program,
        string key,
        string endpoint,
        string message
    )
    {
        // The address is one where nothing listens: whatever happens here happens before a call.
        (int exitCode, _, string errors) = await RunAsync(
            program,
            key,
            [_folder, "--endpoints", endpoint, "--base-address", "http://127.0.0.1:9/v1"]
        );

        Assert.Equal(2, exitCode);
        Assert.Contains(message, errors, StringComparison.Ordinal);
        Assert.Single(errors.TrimEnd().Split('\n'));
        Assert.DoesNotContain("nocolon", errors, StringComparison.Ordinal);
        Assert.DoesNotContain("(Parameter", errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Simulated_data_of_a_backfill_go_to_a_folder_of_their_own()
    {
        (int exitCode, string output, _) = await RunAsync(Backfill, null, [_folder, .. Days]);

        Assert.Equal(0, exitCode);
        Assert.Contains($"SIMULATED DATA: no FAL_KEY in the environment", output, StringComparison.Ordinal);
        Assert.All(Files().Keys, file => Assert.StartsWith("simulated", Path.GetRelativePath(_folder, file), StringComparison.Ordinal));
        Assert.NotEmpty(Directory.GetFiles(Path.Combine(_folder, "simulated"), "*.jsonl"));
    }

    [Fact]
    public async Task Simulated_and_real_data_of_an_export_are_never_mixed()
    {
        const string program = Export;
        await using FalSimulator server = await FalSimulator.StartAsync(options => options.Seed = 1);
        string[] real = [_folder, .. Days, "--endpoints", server.Apps[0], "--base-address", server.BaseAddress.ToString()];
        string[] simulated = [_folder, .. Days, "--endpoints", server.Apps[0]];

        Assert.Equal(0, (await RunAsync(program, server.Key, real)).ExitCode);
        Dictionary<string, string> before = Files();
        (int intoReal, _, string whyNotIntoReal) = await RunAsync(program, null, simulated);

        Assert.Equal(2, intoReal);
        Assert.Contains("Set FAL_KEY", whyNotIntoReal, StringComparison.Ordinal);
        Assert.Equal(before, Files());

        Directory.Delete(_folder, recursive: true);
        Assert.Equal(0, (await RunAsync(program, null, simulated)).ExitCode);
        before = Files();
        (int intoSimulated, _, string whyNotIntoSimulated) = await RunAsync(program, server.Key, real);

        Assert.Equal(2, intoSimulated);
        Assert.Contains("holds simulated data", whyNotIntoSimulated, StringComparison.Ordinal);
        Assert.Equal(before, Files());
    }

    [Theory]
    [InlineData(Export, "export.lock", "Another export is writing into '")]
    [InlineData(Backfill, "backfill.lock", "used by another process")]
    public async Task A_second_one_on_the_same_folder_is_told_so(string program, string file, string message)
    {
        await using FileStream first = File.Open(Path.Combine(_folder, file), FileMode.Create, FileAccess.ReadWrite, FileShare.None);

        (int exitCode, _, string errors) = await RunAsync(
            program,
            AnyKey,
            [_folder, .. Days, "--endpoints", "a/b", "--base-address", "http://127.0.0.1:9/v1"]
        );

        Assert.Equal(1, exitCode);
        Assert.Single(errors.TrimEnd().Split('\n'));
        Assert.Contains(message, errors, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("duckdb")]
    [InlineData("parquet")]
    [InlineData("ndjson")]
    public async Task An_export_that_is_killed_goes_on_to_what_it_would_have_been(string store)
    {
        await using FalSimulator server = await FalSimulator.StartAsync(options => options.Seed = 1);
        string whole = Path.Combine(_folder, "whole");
        string killed = Path.Combine(_folder, "killed");
        string[] Arguments(string folder) =>
            [
                folder,
                "--store",
                store,
                "--timeframe",
                "Hour",
                "--first",
                "2026-05-01",
                "--last",
                "2026-05-20",
                "--endpoints",
                string.Join(',', server.Apps.Take(3)),
                "--base-address",
                server.BaseAddress.ToString(),
            ];
        Assert.Equal(0, (await RunAsync(Export, server.Key, Arguments(whole))).ExitCode);
        Directory.CreateDirectory(killed);

        for (int kills = 0; kills < 2; kills++)
        {
            using var partitions = new SemaphoreSlim(0);
            using var watcher = new FileSystemWatcher(killed, $"progress-{store}.json") { EnableRaisingEvents = true };
            watcher.Renamed += (_, _) => partitions.Release();
            using Process victim = Start(Export, server.Key, Arguments(killed));
            Task drained = Task.WhenAll(victim.StandardOutput.ReadToEndAsync(), victim.StandardError.ReadToEndAsync());
            for (int partition = 0; partition < 4; partition++)
            {
                await partitions.WaitAsync().OrHangs();
            }

            victim.Kill();
            await victim.WaitForExitAsync().OrHangs();
            await drained;
            Assert.NotEqual(0, victim.ExitCode);
        }

        (int exitCode, _, string errors) = await RunAsync(Export, server.Key, Arguments(killed));

        Assert.Equal((0, ""), (exitCode, errors));
        Assert.Equal(WarehouseContent.Read(whole, store), WarehouseContent.Read(killed, store));
        Assert.NotEmpty(WarehouseContent.Read(whole, store));
    }

    [Theory]
    [InlineData(Export, "--tables", "analytics", "--store", "duckdb")]
    [InlineData(Export, "--tables", "analytics", "--store", "parquet")]
    [InlineData(Export, "--tables", "analytics", "--store", "ndjson")]
    [InlineData(Backfill)]
    public async Task Half_a_surrogate_pair_in_the_data_ends_nothing(string program, params string[] options)
    {
        using var api = new WireMockApi(MockResponse.Json(200, """
            {"next_cursor":null,"has_more":false,"time_series":[{"bucket":"2026-05-01T10:00:00+00:00","results":[
             {"endpoint_id":"a/b","request_count":1,"p90_duration":"\udc00","new_text":"half \ud800 pair"}]}]}
            """));

        (int exitCode, _, string errors) = await RunAsync(
            program,
            AnyKey,
            [
                _folder,
                "--first",
                "2026-05-01",
                "--last",
                "2026-05-01",
                .. options,
                "--endpoints",
                "a/b",
                "--base-address",
                api.BaseAddress.ToString(),
            ]
        );

        Assert.Equal((0, ""), (exitCode, errors));
    }

    [Theory]
    [InlineData(Export, "--tables", "analytics")]
    [InlineData(Backfill)]
    public async Task Bytes_that_are_not_utf_8_in_a_new_field_end_nothing(string program, params string[] options)
    {
        byte[] body = Encoding.Latin1.GetBytes("""
            {"next_cursor":null,"has_more":false,"time_series":[{"bucket":"2026-05-01T10:00:00+00:00","results":[
             {"endpoint_id":"a/b","request_count":1,"new_text":"ÿþ"}]}]}
            """);
        await using RawServer api = RawServer.Start(RawServer.Answer(200, "application/json", body));

        (int exitCode, _, string errors) = await RunAsync(
            program,
            AnyKey,
            [
                _folder,
                "--first",
                "2026-05-01",
                "--last",
                "2026-05-01",
                .. options,
                "--endpoints",
                "a/b",
                "--base-address",
                api.BaseAddress.ToString(),
            ]
        );

        Assert.Equal((0, ""), (exitCode, errors));
    }

    [Theory]
    [MemberData(nameof(Programs))]
    public async Task What_stops_it_is_one_line_with_the_cause_before_what_to_do(string program)
    {
        await using FalSimulator server = await FalSimulator.StartAsync(options => options.Seed = 1);

        (int exitCode, _, string errors) = await RunAsync(
            program,
            AnyKey,
            [_folder, .. Days, "--endpoints", server.Apps[0], "--base-address", server.BaseAddress.ToString()]
        );

        Assert.Equal(1, exitCode);
        Assert.Single(errors.TrimEnd().Split('\n'));
        int cause = errors.IndexOf("Invalid API key", StringComparison.Ordinal);
        int stop = errors.IndexOf("stopped", StringComparison.Ordinal);
        int advice = errors.IndexOf("run the same command again", StringComparison.Ordinal);
        Assert.True(cause >= 0 && cause < stop && stop < advice, errors);
    }

    [Fact]
    public async Task An_export_that_a_file_stops_says_which_before_what_to_do()
    {
        await using FalSimulator server = await FalSimulator.StartAsync(options => options.Seed = 1);
        await File.WriteAllTextAsync(Path.Combine(_folder, "analytics.duckdb"), "something else\nthan a table");

        (int exitCode, _, string errors) = await RunAsync(
            Export,
            server.Key,
            [_folder, .. Days, "--endpoints", server.Apps[0], "--base-address", server.BaseAddress.ToString()]
        );

        Assert.Equal(1, exitCode);
        Assert.Single(errors.TrimEnd().Split('\n'));
        Assert.Matches("analytics\\.duckdb.*The export stopped.*run the same command again", errors);
    }

    private static string[] Days => ["--first", "2026-05-01", "--last", "2026-05-02"];

    private Dictionary<string, string> Files() =>
        Directory
            .EnumerateFiles(_folder, "*", SearchOption.AllDirectories)
            .ToDictionary(path => path, path => Convert.ToHexString(File.ReadAllBytes(path)));

    private static async Task<(int ExitCode, string Output, string Errors)> RunAsync(string program, string? key, string[] arguments)
    {
        using Process process = Start(program, key, arguments);
        return await process.EndAsync();
    }

    private static Process Start(string program, string? key, string[] arguments) => program == Export
        ? SampleProgram.Start(Export, key, [], ["export", .. arguments])
        : SampleProgram.Start($"Fal.Observability.{program}", key, [], arguments);
}
