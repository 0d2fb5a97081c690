using System.Globalization;
using DuckDB.NET.Data;
using Fal.Observability.WarehouseExport;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Fal.Observability.Client.IntegrationTests.Samples;

/// <summary>What the service may send, through the wire and into each store.</summary>
public sealed class WarehouseDataTests : IDisposable
{
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
            Read(store, "request_count, success_count, user_error_count, error_count, startup_error_count, connection_error_count, cold_boot_count, additional_metrics"));
    }

    [Fact]
    public async Task A_count_in_a_line_of_json_is_a_number_with_all_its_digits()
    {
        await ExportAsync("ndjson", """{"endpoint_id":"a/b","request_count":9007199254740993}""");

        string line = await File.ReadAllTextAsync(Path.Combine(_folder, "ndjson", "hour", "20260617.ndjson"));
        Assert.Contains("\"request_count\":9007199254740993}", line, StringComparison.Ordinal);
    }

    private List<string> Read(string store, string columns)
    {
        using DuckDBConnection connection = new($"DataSource={(store == "duckdb" ? $"{_folder}/analytics.duckdb" : ":memory:")}");
        connection.Open();
        using DuckDBCommand command = connection.CreateCommand();
        string source = store switch
        {
            "duckdb" => "analytics",
            "parquet" => $"read_parquet('{_folder}/parquet/*/*.parquet')",
            _ => $"read_json('{_folder}/ndjson/*/*.ndjson', maximum_object_size = 100000000, columns = {{{string.Join(", ",
                WarehouseColumn.All.Select(column => $"{column.Name}: '{TypeOf(column.Kind)}'"))}}})",
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

    /// <summary>Exports a bucket with these rows, which a server sends as they stand here, and gives what was told of the export.</summary>
    private async Task ExportAsync(string store, string rows)
    {
        using var api = new WireMockApi(MockResponse.Json(
            200, $$"""{"next_cursor":null,"has_more":false,"time_series":[{"bucket":"2026-06-17T10:00:00+00:00","results":[{{rows}}]}]}"""));
        using var fal = new FalObservabilityClient(
            options =>
            {
                options.ApiKey = "test-id:test-secret";
                options.BaseAddress = api.BaseAddress;
                options.MaxAttempts = 1;
            },
            account => account.Services.AddSingleton<TimeProvider>(new FakeTimeProvider(Now)));
        var request = new ExportRequest { EndpointIds = ["a/b"], First = new DateOnly(2026, 6, 17) };
        IWarehouseStore target = store switch
        {
            "duckdb" => new DuckDbStore(_folder, request),
            "parquet" => new ParquetStore(_folder, request),
            _ => new NdjsonStore(_folder, request),
        };
        await new Exporter(fal.Analytics, target, new ExportProgress(_folder, store), new FakeTimeProvider(Now))
            .RunAsync(request, (_, _, _) => { }, _ => { }, _ => { }, CancellationToken.None);
    }
}
