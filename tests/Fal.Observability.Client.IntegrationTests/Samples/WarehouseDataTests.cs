using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using DuckDB.NET.Data;
using Fal.Observability.Cli.Export;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Fal.Observability.Client.IntegrationTests.Samples;

/// <summary>What the service may send, through the wire and into each store.</summary>
public sealed class WarehouseDataTests : IDisposable
{
    /// <summary>What a shell, a connection string, SQL or a pattern may take for something else.</summary>
    private const string OddName = "it's; a=b \"c\" $HOME `d` [e]*";

    private static readonly DateTimeOffset Now = new(2026, 6, 17, 12, 34, 0, TimeSpan.Zero);

    private readonly string _folder = Directory.CreateTempSubdirectory("warehouse").FullName;

    public static TheoryData<string> Stores => ["duckdb", "parquet", "ndjson"];

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [MemberData(nameof(Stores))]
    public async Task A_count_is_the_same_integer_on_the_wire_and_in_the_store(string store)
    {
        const string Rows = """
            {"endpoint_id":"a/b","request_count":9007199254740993,"success_count":9223372036854775807,"user_error_count":12.0,
             "error_count":1e3,"startup_error_count":-9007199254740993,"connection_error_count":9223372036854775808,
             "cold_boot_count":18014398509481985.0,"new_count":9007199254740995}
            """;

        await ExportAsync(store, Rows);
        // A second export merges the rows with those that are there.
        await ExportAsync(store, Rows);

        Assert.Equal(
            ["9007199254740993|9223372036854775807|12|1000|-9007199254740993||18014398509481985|"
                + """{"connection_error_count":9223372036854775808,"new_count":9007199254740995}"""],
            Read(store, "request_count, success_count, user_error_count, error_count, startup_error_count, connection_error_count, " +
                "cold_boot_count, additional_metrics"));
    }

    [Fact]
    public async Task A_count_in_a_line_of_json_is_a_number_with_all_its_digits()
    {
        await ExportAsync("ndjson", """{"endpoint_id":"a/b","request_count":9007199254740993}""");

        string line = await File.ReadAllTextAsync(Path.Combine(_folder, "ndjson", "hour", "20260617.ndjson"));
        Assert.Contains("\"request_count\":9007199254740993}", line, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Stores))]
    public async Task What_no_text_should_hold_ends_no_export_and_is_found_again(string store)
    {
        string longId = $"a/b/{new string('x', 20_000)}";
        string[] ids =
        [
            "a/b", "a/b/new\nline", "a/b/carriage\rreturn", "a/b/../../../etc/passwd", "a/b/\\windows\\path",
            "a/b/'; DROP TABLE analytics; --",
            "a/b/\"quoted\"", "a/b/\u2028", "a/b/📈", "other/app", longId,
        ];
        string rows = string.Join(',', ids.Select((id, number) => $$"""
            {"endpoint_id":{{JsonSerializer.Serialize(id)}},"request_count":{{number}},"p90_duration":"\udc00 is no number",
             "new_text":"half \ud800 pair","new_object":{ "\u0000": ["\udc00", 1.50] } }
            """));

        await ExportAsync(store, rows);
        List<string> first = Read(store, "endpoint_id, request_count, additional_metrics");
        await ExportAsync(store, rows);

        Assert.Equal(
            ids.Select((id, number) => string.Create(CultureInfo.InvariantCulture, $$"""
                {{id}}|{{number}}|{"new_object":{ "\u0000": ["\ufffd", 1.50] },"new_text":"half \ufffd pair","p90_duration":"\ufffd is no number"}
                """)).Order(StringComparer.Ordinal),
            first.Order(StringComparer.Ordinal));
        Assert.Equal(first, Read(store, "endpoint_id, request_count, additional_metrics"));
    }

    [Theory]
    [MemberData(nameof(Stores))]
    public async Task An_id_that_a_store_cannot_hold_has_a_replacement_character_and_is_replaced_like_any_other(string store)
    {
        IWarehouseStore target = StoreOf(store);
        WarehousePartition day = WarehousePartition.Of(Now, AnalyticsTimeframe.Hour);
        var slice = new WarehouseSlice(WarehouseTable.Analytics, "hour", ["a/b"], day.Start, day.End);
        foreach (long requests in (long[])[1, 2])
        {
            // The last is of an endpoint that nobody asked for, so that its key alone finds it again.
            await target.ReplaceAsync(
                day,
                slice,
                [Row("a/b/\ud800", requests), Row("a/b/\0nul", requests), Row("other/\udc00", requests)],
                CancellationToken.None
            );
        }

        Assert.Equal(
            ["a/b/\ufffdnul|2", "a/b/\ufffd|2", "other/\ufffd|2"],
            Read(store, "endpoint_id, request_count").Order(StringComparer.Ordinal)
        );
    }

    [Theory]
    [MemberData(nameof(Stores))]
    public async Task Of_rows_with_the_same_key_the_first_is_exported_and_the_others_are_counted(string store)
    {
        const string Rows = """{"request_count":1},{"request_count":2},{"endpoint_id":"a/b","request_count":3}""";

        int leftOut = await ExportAsync(store, Rows);
        await ExportAsync(store, Rows);

        Assert.Equal(1, leftOut);
        Assert.Equal(["a/b|3", "|1"], Read(store, "endpoint_id, request_count").Order(StringComparer.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Stores))]
    public async Task A_folder_may_have_blanks_quotes_and_signs_of_a_pattern_in_its_name(string store)
    {
        string folder = Path.Combine(_folder, OddName);
        await ExportAsync(store, """{"endpoint_id":"a/b","request_count":1}""", folder);
        await ExportAsync(store, """{"endpoint_id":"a/b","request_count":2}""", folder);
        // Seen from a folder that is named plainly.
        Directory.Move(folder, Path.Combine(_folder, "plain"));

        Assert.Equal(["a/b|2"], Read(store, "endpoint_id, request_count", Path.Combine(_folder, "plain")));
    }

    [Fact]
    public async Task The_loop_that_is_printed_loads_every_partition_whatever_the_folder_is_called()
    {
        string folder = Path.Combine(_folder, OddName);
        IWarehouseStore target = StoreOf("ndjson", folder);
        foreach (int days in (int[])[0, 1])
        {
            WarehousePartition day = WarehousePartition.Of(Now.AddDays(-days), AnalyticsTimeframe.Hour);
            WarehouseRow row = WarehouseTable.Analytics.RowOf(
                new(day.Start, "hour", false, new AnalyticsRow { EndpointId = "a/b" }, "a/b")
            );
            await target.ReplaceAsync(
                day,
                new WarehouseSlice(WarehouseTable.Analytics, "hour", ["a/b"], day.Start, day.End),
                [row],
                CancellationToken.None
            );
        }

        string[] calls = await RunInShellAsync(target.Describe(), "bq");

        string ndjson = Path.Combine(folder, "ndjson", "hour");
        const string Options = "<load><--replace><--source_format=NEWLINE_DELIMITED_JSON>"
            + "<--time_partitioning_field=bucket_start><--time_partitioning_type=DAY>";
        Assert.Equal(
            new[] { "20260616", "20260617" }.Select(
                day => $"{Options}<DATASET.analytics_hour${day}><{ndjson}/{day}.ndjson><{ndjson}/schema.json>"),
            calls);
    }

    [Theory]
    [InlineData("duckdb")]
    [InlineData("parquet")]
    public async Task The_command_that_is_printed_reads_the_export_whatever_the_folder_is_called(string store)
    {
        string folder = Path.Combine(_folder, OddName);
        await ExportAsync(store, """{"endpoint_id":"a/b","request_count":7,"error_count":0}""", folder);

        string[] words = Assert.Single(await RunInShellAsync(StoreOf(store, folder).Describe(), "duckdb"))[1..^1].Split("><");

        Assert.Equal(store == "duckdb" ? $"{folder}/analytics.duckdb" : "-c", words[0]);
        using DuckDBConnection connection =
            new(new DuckDBConnectionStringBuilder { DataSource = store == "duckdb" ? words[0] : ":memory:" }.ConnectionString);
        connection.Open();
        using DuckDBCommand command = connection.CreateCommand();
        command.CommandText = words[1];
        using DuckDBDataReader reader = command.ExecuteReader();
        Assert.True(reader.Read());
        Assert.Equal(store == "duckdb" ? "a/b" : 1L, reader.GetValue(0));
    }

    /// <summary>
    /// Runs a command in a shell where a program only prints its arguments, each in angle brackets; gives a line for each call.
    /// </summary>
    private static async Task<string[]> RunInShellAsync(string command, string program)
    {
        string script = $$"""
            {{program}}() { printf '<%s>' "$@"; echo; }
            {{command}}
            """;
        using Process shell = Process.Start(
            new ProcessStartInfo("sh", ["-c", script]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        (int exitCode, string output, string errors) = await shell.EndAsync();
        Assert.Equal((0, ""), (exitCode, errors));
        return output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    private static WarehouseRow Row(string endpoint, long requests) =>
        WarehouseTable.Analytics.RowOf(
            new(
                new DateTimeOffset(2026, 6, 17, 10, 0, 0, TimeSpan.Zero),
                "hour",
                false,
                new AnalyticsRow { EndpointId = endpoint, RequestCount = requests },
                endpoint
            )
        );

    private IWarehouseStore StoreOf(string name, string? folder = null)
    {
        var request = new ExportRequest { EndpointIds = ["a/b"], First = new DateOnly(2026, 6, 17) };
        folder = Directory.CreateDirectory(folder ?? _folder).FullName;
        return name switch
        {
            "duckdb" => new DuckDbStore(folder, WarehouseTable.Analytics, request),
            "parquet" => new ParquetStore(folder, WarehouseTable.Analytics, request),
            _ => new NdjsonStore(folder, WarehouseTable.Analytics, request),
        };
    }

    private List<string> Read(string store, string columns, string? folder = null)
    {
        folder ??= _folder;
        using DuckDBConnection connection = new($"DataSource={(store == "duckdb" ? $"{folder}/analytics.duckdb" : ":memory:")}");
        connection.Open();
        using DuckDBCommand command = connection.CreateCommand();
        string source = store switch
        {
            "duckdb" => "analytics",
            "parquet" => $"read_parquet('{folder}/parquet/*/*.parquet')",
            _ => $"read_json('{folder}/ndjson/*/*.ndjson', maximum_object_size = 100000000, columns = {{{string.Join(", ",
                WarehouseTable.Analytics.Columns.Select(column => $"{column.Name}: '{TypeOf(column.Kind)}'"))}}})",
        };
        command.CommandText = $"SELECT {columns} FROM {source} ORDER BY endpoint_id";
        using DuckDBDataReader reader = command.ExecuteReader();
        var rows = new List<string>();
        while (reader.Read())
        {
            rows.Add(string.Join('|', Enumerable.Range(0, reader.FieldCount)
                .Select(i => reader.IsDBNull(i) ? "" : Convert.ToString(reader.GetValue(i), CultureInfo.InvariantCulture))));
        }

        return rows;

        static string TypeOf(ColumnKind kind) => kind switch
        {
            ColumnKind.Text => "VARCHAR",
            ColumnKind.Instant => "TIMESTAMP",
            ColumnKind.Flag => "BOOLEAN",
            ColumnKind.Count => "BIGINT",
            _ => "DOUBLE",
        };
    }

    /// <summary>Exports a bucket with these rows, which a server sends as they stand here, and gives how many were left out.</summary>
    private async Task<int> ExportAsync(string store, string rows, string? folder = null)
    {
        using var api = new WireMockApi(
            MockResponse.Json(
                200,
                $$"""{"next_cursor":null,"has_more":false,"time_series":[{"bucket":"2026-06-17T10:00:00+00:00","results":[{{rows}}]}]}"""
            )
        );
        using var fal = new FalObservabilityClient(
            options =>
            {
                options.ApiKey = "test-id:test-secret";
                options.BaseAddress = api.BaseAddress;
                options.MaxAttempts = 1;
            },
            account => account.Services.AddSingleton<TimeProvider>(new FakeTimeProvider(Now)));
        var request = new ExportRequest { EndpointIds = ["a/b"], First = new DateOnly(2026, 6, 17) };
        return await new Exporter(
            new AnalyticsRows(fal.Analytics),
            StoreOf(store, folder),
            new ExportProgress(folder ?? _folder, store),
            new FakeTimeProvider(Now)
        ).RunAsync(request, (_, _, _) => { }, _ => { }, _ => { }, CancellationToken.None);
    }
}
