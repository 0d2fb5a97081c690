using System.Globalization;
using DuckDB.NET.Data;
using Fal.Observability.Simulator;
using Fal.Observability.WarehouseExport;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Fal.Observability.Client.IntegrationTests.Samples;

/// <summary>The export of the sample, against the simulator; what it writes is read back by DuckDB.</summary>
public sealed class WarehouseExportTests : IDisposable
{
    private static readonly DateTimeOffset Now = new(2026, 6, 17, 12, 34, 0, TimeSpan.Zero);

    private readonly string _folder = Directory.CreateTempSubdirectory("warehouse").FullName;
    private readonly FakeTimeProvider _time = new(Now);

    public static TheoryData<string> Stores => ["duckdb", "parquet", "ndjson"];

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [MemberData(nameof(Stores))]
    public async Task A_store_holds_every_row_of_the_report_and_writing_it_again_changes_nothing(string store)
    {
        await using SimulatorServer simulator = await StartAsync();
        using FalObservabilityClient fal = ClientOf(simulator);
        ExportRequest request = Request(simulator, first: 12);

        await ExportAsync(fal, request, store);
        List<string> rows = Read(store);
        Dictionary<string, byte[]> files = Files();
        await ExportAsync(fal, request, store);

        AnalyticsReport report = await fal.Analytics.GetReportAsync(new AnalyticsQuery(request.EndpointIds)
        {
            Expand = AnalyticsExpand.TimeSeries | AnalyticsExpand.AllMetrics,
            Range = AnalyticsTimeRange.Between(new DateTimeOffset(2026, 6, 12, 0, 0, 0, TimeSpan.Zero), Now),
            Timeframe = AnalyticsTimeframe.Hour,
        });
        IEnumerable<string> expected = report.TimeSeries.SelectMany(bucket => bucket.Rows.Select(row => string.Create(CultureInfo.InvariantCulture,
            $"{row.EndpointId} {bucket.Start.UtcDateTime:yyyy-MM-dd HH:mm:ss} hour {(bucket.IsProvisional || bucket.IsOpen ? 1 : 0)} {row.RequestCount} {row.GetValue(AnalyticsExpand.P90Duration):R} {row.GetValue(AnalyticsExpand.TotalBillableDuration):R}")));
        Assert.Equal(expected.Order(StringComparer.Ordinal), rows);
        Assert.Equal(rows, Read(store));
        if (store != "duckdb")
        {
            Assert.Equal(files, Files());
        }
    }

    [Theory]
    [MemberData(nameof(Stores))]
    public async Task Provisional_buckets_are_replaced_by_what_they_have_become(string store)
    {
        await using SimulatorServer simulator = await StartAsync(lag: TimeSpan.FromMinutes(4));
        using FalObservabilityClient fal = ClientOf(simulator);
        ExportRequest request = Request(simulator, first: 16);

        await ExportAsync(fal, request, store);
        List<string> before = Read(store);
        _time.Advance(TimeSpan.FromHours(2));
        await ExportAsync(fal, request, store);
        List<string> after = Read(store);

        string[] open = [.. before.Where(row => row.Contains("2026-06-17 12:00:00", StringComparison.Ordinal))];
        Assert.NotEmpty(open);
        Assert.All(open, row => Assert.Contains(" hour 1 ", row, StringComparison.Ordinal));
        Assert.All(after.Where(row => row.Contains("2026-06-17 12:00:00", StringComparison.Ordinal)), row => Assert.Contains(" hour 0 ", row, StringComparison.Ordinal));
        Assert.Empty(after.Intersect(open));
        Assert.Contains(after, row => row.Contains("2026-06-17 14:00:00", StringComparison.Ordinal));
        Assert.Subset(after.ToHashSet(), before.Where(row => row.Contains(" hour 0 ", StringComparison.Ordinal)).ToHashSet());
    }

    [Theory]
    [MemberData(nameof(Stores))]
    public async Task What_is_final_is_asked_for_once(string store)
    {
        await using SimulatorServer simulator = await StartAsync();
        using FalObservabilityClient fal = ClientOf(simulator);
        await ExportAsync(fal, Request(simulator, first: 12), store);
        int before = simulator.Requests.Count;

        await ExportAsync(fal, Request(simulator, first: 12), store);

        Assert.All(simulator.Requests.Skip(before), call => Assert.Contains("start=2026-06-17T00", Uri.UnescapeDataString(call.RawQuery), StringComparison.Ordinal));
        Assert.True(simulator.Requests.Count > before);
    }

    [Theory]
    [MemberData(nameof(Stores))]
    public async Task An_earlier_first_day_is_filled_in(string store)
    {
        await using SimulatorServer simulator = await StartAsync();
        using FalObservabilityClient fal = ClientOf(simulator);
        await ExportAsync(fal, Request(simulator, first: 15) with { Last = new DateOnly(2026, 6, 16) }, store);

        await ExportAsync(fal, Request(simulator, first: 14) with { Last = new DateOnly(2026, 6, 16) }, store);
        // A later first day takes nothing away.
        await ExportAsync(fal, Request(simulator, first: 16) with { Last = new DateOnly(2026, 6, 16) }, store);

        string[] days = [.. Read(store).Select(row => row.Split(' ')[1]).Distinct().Order(StringComparer.Ordinal)];
        Assert.Equal(["2026-06-14", "2026-06-15", "2026-06-16"], days);
    }

    [Theory]
    [MemberData(nameof(Stores))]
    public async Task An_export_that_fails_in_the_middle_goes_on_without_a_hole_or_a_double(string store)
    {
        await using SimulatorServer simulator = await StartAsync();
        using FalObservabilityClient fal = ClientOf(simulator);
        ExportRequest request = Request(simulator, first: 12) with { Last = new DateOnly(2026, 6, 16) };
        await ExportAsync(fal, request, store);
        List<string> whole = Read(store);
        Directory.Delete(_folder, recursive: true);
        Directory.CreateDirectory(_folder);
        using var ended = new CancellationTokenSource();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => ExporterOf(fal, request, store).RunAsync(
            request,
            (done, _, _) =>
            {
                if (done == 3)
                {
                    ended.Cancel();
                }
            },
            _ => { },
            ended.Token));
        Assert.True(Read(store).Count < whole.Count);
        await ExportAsync(fal, request, store);

        Assert.Equal(whole, Read(store));
    }

    [Fact]
    public async Task Rows_that_the_service_has_withdrawn_are_gone_and_those_of_others_stay()
    {
        ExportRequest request = new() { EndpointIds = ["a/b"], First = new DateOnly(2026, 6, 17) };
        var store = new DuckDbStore(_folder, request);
        WarehousePartition day = WarehousePartition.Of(Now, AnalyticsTimeframe.Hour);
        var other = new DuckDbStore(_folder, request with { EndpointIds = ["a/b-c"] });
        await other.ReplaceAsync(day, [Row("a/b-c", 1)], CancellationToken.None);
        await store.ReplaceAsync(day, [Row("a/b", 1), Row("a/b/route", 2)], CancellationToken.None);

        await store.ReplaceAsync(day, [Row("a/b", 3)], CancellationToken.None);

        Assert.Equal(["a/b 2026-06-17 12:00:00 hour 0 3  ", "a/b-c 2026-06-17 12:00:00 hour 0 1  "], Read("duckdb"));

        static WarehouseRow Row(string endpoint, long requests) =>
            new(new DateTimeOffset(2026, 6, 17, 12, 0, 0, TimeSpan.Zero), "hour", false, new AnalyticsRow { EndpointId = endpoint, RequestCount = requests });
    }

    [Fact]
    public async Task A_progress_file_that_cannot_be_read_says_what_to_do()
    {
        await File.WriteAllTextAsync(Path.Combine(_folder, "progress-duckdb.json"), "{ half");

        FormatException refusal = Assert.Throws<FormatException>(() => new ExportProgress(_folder, "duckdb").Find("x"));

        Assert.Contains("progress-duckdb.json", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("remove it", refusal.Message, StringComparison.Ordinal);
    }

    private Task<SimulatorServer> StartAsync(TimeSpan lag = default) =>
        SimulatorServer.StartAsync(new SimulatorOptions { Apps = 3, TimeProvider = _time, AnalyticsLag = lag });

    private FalObservabilityClient ClientOf(SimulatorServer simulator) => new(options =>
    {
        options.ApiKey = simulator.Key;
        options.BaseAddress = simulator.BaseAddress;
    }, account => account.Services.AddSingleton<TimeProvider>(_time));

    private static ExportRequest Request(SimulatorServer simulator, int first) =>
        new() { EndpointIds = simulator.Apps, First = new DateOnly(2026, 6, first) };

    private Exporter ExporterOf(FalObservabilityClient fal, ExportRequest request, string store) => new(
        fal.Analytics,
        store switch
        {
            "duckdb" => new DuckDbStore(_folder, request),
            "parquet" => new ParquetStore(_folder, request),
            _ => new NdjsonStore(_folder, request),
        },
        new ExportProgress(_folder, store),
        _time);

    private Task ExportAsync(FalObservabilityClient fal, ExportRequest request, string store) =>
        ExporterOf(fal, request, store).RunAsync(request, (_, _, _) => { }, _ => { }, CancellationToken.None);

    private Dictionary<string, byte[]> Files() => Directory.EnumerateFiles(_folder, "*", SearchOption.AllDirectories).ToDictionary(path => path, File.ReadAllBytes);

    /// <summary>Reads the store as a user would, with the types that DuckDB finds in it.</summary>
    private List<string> Read(string store)
    {
        string source = store switch
        {
            "duckdb" => "analytics",
            "parquet" => $"read_parquet('{_folder}/parquet/*/*.parquet', hive_partitioning = false)",
            _ => $"read_json('{_folder}/ndjson/hour/*.ndjson', columns = {{endpoint_id: 'VARCHAR', bucket_start: 'TIMESTAMP', timeframe: 'VARCHAR', is_provisional: 'BOOLEAN', request_count: 'BIGINT', p90_duration_seconds: 'DOUBLE', total_billable_duration_seconds: 'DOUBLE'}})",
        };
        using var connection = new DuckDBConnection(store == "duckdb" ? $"DataSource={_folder}/analytics.duckdb" : "DataSource=:memory:");
        connection.Open();
        using DuckDBCommand command = connection.CreateCommand();
        command.CommandText = $"SELECT endpoint_id, bucket_start, timeframe, is_provisional, request_count, p90_duration_seconds, total_billable_duration_seconds FROM {source}";
        using DuckDBDataReader reader = command.ExecuteReader();
        var rows = new List<string>();
        while (reader.Read())
        {
            object?[] values = [.. Enumerable.Range(0, 7).Select(i => reader.IsDBNull(i) ? null : reader.GetValue(i))];
            rows.Add(string.Create(CultureInfo.InvariantCulture,
                $"{(string)values[0]!} {(DateTime)values[1]!:yyyy-MM-dd HH:mm:ss} {(string)values[2]!} {((bool)values[3]! ? 1 : 0)} {(long?)values[4]} {(double?)values[5]:R} {(double?)values[6]:R}"));
        }

        rows.Sort(StringComparer.Ordinal);
        return rows;
    }
}
