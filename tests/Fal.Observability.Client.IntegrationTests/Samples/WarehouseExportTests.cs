using System.Globalization;
using DuckDB.NET.Data;
using Fal.Observability.Cli.Export;
using Fal.Observability.Client.Testing;
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
        await using FalSimulator simulator = await StartAsync();
        using FalObservabilityClient fal = ClientOf(simulator);
        ExportRequest request = Request(simulator, first: 12);

        await ExportAsync(fal, request, store);
        List<string> rows = Read(store);
        Dictionary<string, byte[]> files = Files();
        await ExportAsync(fal, request, store);

        AnalyticsReport report = await fal.Analytics.GetReportAsync(
            new AnalyticsQuery(request.EndpointIds)
            {
                Expand = AnalyticsExpand.TimeSeries | AnalyticsExpand.AllMetrics,
                Range = AnalyticsTimeRange.Between(new DateTimeOffset(2026, 6, 12, 0, 0, 0, TimeSpan.Zero), Now),
                Timeframe = AnalyticsTimeframe.Hour,
            }
        );
        IEnumerable<string> expected = report.TimeSeries.SelectMany(bucket =>
            bucket.Rows.Select(row =>
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{row.EndpointId} {bucket.Start.UtcDateTime:yyyy-MM-dd HH:mm:ss} " +
                        $"hour {(bucket.IsProvisional || bucket.IsOpen ? 1 : 0)} {row.RequestCount} {row.GetValue(AnalyticsExpand.P90Duration):R} {row.GetValue(AnalyticsExpand.TotalBillableDuration):R}"
                )
            )
        );
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
        await using FalSimulator simulator = await StartAsync(lag: TimeSpan.FromMinutes(4));
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
        Assert.All(
            after.Where(row => row.Contains("2026-06-17 12:00:00", StringComparison.Ordinal)),
            row => Assert.Contains(" hour 0 ", row, StringComparison.Ordinal)
        );
        Assert.Empty(after.Intersect(open));
        Assert.Contains(after, row => row.Contains("2026-06-17 14:00:00", StringComparison.Ordinal));
        Assert.Subset(after.ToHashSet(), before.Where(row => row.Contains(" hour 0 ", StringComparison.Ordinal)).ToHashSet());
    }

    [Theory]
    [MemberData(nameof(Stores))]
    public async Task What_is_final_is_asked_for_once(string store)
    {
        await using FalSimulator simulator = await StartAsync();
        using FalObservabilityClient fal = ClientOf(simulator);
        await ExportAsync(fal, Request(simulator, first: 12), store);
        int before = simulator.Requests.Count;

        await ExportAsync(fal, Request(simulator, first: 12), store);

        Assert.All(
            simulator.Requests.Skip(before),
            call => Assert.Matches("start=2026-06-1[67]T00", Uri.UnescapeDataString(call.RawQuery))
        );
        Assert.True(simulator.Requests.Count > before);
    }

    [Theory]
    [MemberData(nameof(Stores))]
    public async Task An_earlier_first_day_is_filled_in(string store)
    {
        await using FalSimulator simulator = await StartAsync();
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
        await using FalSimulator simulator = await StartAsync();
        using FalObservabilityClient fal = ClientOf(simulator);
        ExportRequest request = Request(simulator, first: 12) with { Last = new DateOnly(2026, 6, 16) };
        await ExportAsync(fal, request, store);
        List<string> whole = Read(store);
        Clear();
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
            _ => { },
            ended.Token));
        Assert.True(Read(store).Count < whole.Count);
        await ExportAsync(fal, request, store);

        Assert.Equal(whole, Read(store));
    }

    [Theory]
    [MemberData(nameof(Stores))]
    public async Task Other_endpoints_in_the_same_folder_take_nothing_away(string store)
    {
        await using FalSimulator simulator = await StartAsync();
        using FalObservabilityClient fal = ClientOf(simulator);
        ExportRequest all = Request(simulator, first: 14);
        await ExportAsync(fal, all, store);
        List<string> whole = Read(store);
        Clear();

        foreach (string endpoint in simulator.Apps)
        {
            await ExportAsync(fal, all with { EndpointIds = [endpoint] }, store);
        }

        Assert.Equal(whole, Read(store));
        int before = simulator.Requests.Count;
        await ExportAsync(fal, all, store);
        Assert.Equal(whole, Read(store));
        // Each has come as far as the others, so that all are asked for at once from where nothing is final yet.
        Assert.All(
            simulator.Requests.Skip(before),
            call => Assert.Matches("start=2026-06-1[67]T00", Uri.UnescapeDataString(call.RawQuery))
        );
    }

    [Theory]
    [MemberData(nameof(Stores))]
    public async Task An_endpoint_that_is_added_later_is_exported_from_the_first_day_on(string store)
    {
        await using FalSimulator simulator = await StartAsync();
        using FalObservabilityClient fal = ClientOf(simulator);
        ExportRequest all = Request(simulator, first: 14);
        await ExportAsync(fal, all, store);
        List<string> whole = Read(store);
        Clear();

        await ExportAsync(fal, all with { EndpointIds = [simulator.Apps[0]] }, store);
        await ExportAsync(fal, all, store);

        Assert.Equal(whole, Read(store));
    }

    [Theory]
    [MemberData(nameof(Stores))]
    public async Task A_first_day_in_the_middle_of_a_partition_leaves_the_days_before_it(string store)
    {
        await using FalSimulator simulator = await StartAsync();
        using FalObservabilityClient fal = ClientOf(simulator);
        ExportRequest days = Request(simulator, first: 2) with { Timeframe = AnalyticsTimeframe.Day };
        await ExportAsync(fal, days, store);
        List<string> whole = Read(store);
        File.Delete(Path.Combine(_folder, $"progress-{store}.json"));

        await ExportAsync(fal, days with { First = new DateOnly(2026, 6, 10), Last = new DateOnly(2026, 6, 12) }, store);

        Assert.Equal(whole, Read(store));
    }

    [Theory]
    [MemberData(nameof(Stores))]
    public async Task An_endpoint_that_is_refused_keeps_what_was_exported_of_it(string store)
    {
        await using FalSimulator simulator = await StartAsync();
        using FalObservabilityClient fal = ClientOf(simulator);
        ExportRequest request = Request(simulator, first: 16) with { EndpointIds = [simulator.Apps[0], "other/app"] };
        WarehousePartition day = WarehousePartition.Of(Now, AnalyticsTimeframe.Hour);
        WarehouseRow lost = Row("other/app", 7);
        await StoreOf(store, request).ReplaceAsync(day, SliceOf(day, "other/app"), [lost], CancellationToken.None);
        var refused = new List<string>();

        await ExporterOf(fal, request, store)
            .RunAsync(request, (_, _, _) => { }, endpoint => refused.Add(endpoint.EndpointId), _ => { }, CancellationToken.None);

        Assert.Equal(["other/app"], refused);
        Assert.Contains("other/app 2026-06-17 12:00:00 hour 0 7  ", Read(store));
        Assert.Contains(Read(store), row => row.StartsWith(simulator.Apps[0], StringComparison.Ordinal));
    }

    [Fact]
    public async Task An_endpoint_that_was_refused_before_and_still_is_does_not_end_the_export_of_the_others()
    {
        await using FalSimulator simulator = await StartAsync();
        using FalObservabilityClient fal = ClientOf(simulator);
        // First in the list, and from the second run on asked for by itself, as it has come less far.
        ExportRequest request = Request(simulator, first: 14) with { EndpointIds = ["other/app", simulator.Apps[0]] };
        await ExportAsync(fal, request, "ndjson");
        _time.Advance(TimeSpan.FromHours(3));
        var refused = new List<string>();

        await ExporterOf(fal, request, "ndjson")
            .RunAsync(request, (_, _, _) => { }, endpoint => refused.Add(endpoint.EndpointId), _ => { }, CancellationToken.None);

        Assert.Equal(["other/app"], refused);
        Assert.Contains(Read("ndjson"), row => row.Contains("2026-06-17 15:00:00", StringComparison.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Stores))]
    public async Task Rows_that_the_service_has_withdrawn_are_gone_and_those_of_others_stay(string name)
    {
        IWarehouseStore store = StoreOf(name, new ExportRequest { EndpointIds = ["a/b"], First = new DateOnly(2026, 6, 17) });
        WarehousePartition day = WarehousePartition.Of(Now, AnalyticsTimeframe.Hour);
        await store.ReplaceAsync(day, SliceOf(day, "a/b-c"), [Row("a/b-c", 1)], CancellationToken.None);
        await store.ReplaceAsync(day, SliceOf(day, "a/b"), [Row("a/b", 1), Row("a/b/route", 2)], CancellationToken.None);

        await store.ReplaceAsync(day, SliceOf(day, "a/b"), [Row("a/b", 3)], CancellationToken.None);

        Assert.Equal(["a/b 2026-06-17 12:00:00 hour 0 3  ", "a/b-c 2026-06-17 12:00:00 hour 0 1  "], Read(name));
    }

    [Theory]
    [MemberData(nameof(Stores))]
    public async Task A_store_that_somebody_has_removed_is_exported_anew(string store)
    {
        await using FalSimulator simulator = await StartAsync();
        using FalObservabilityClient fal = ClientOf(simulator);
        await ExportAsync(fal, Request(simulator, first: 15), store);
        List<string> whole = Read(store);
        string progress = Path.Combine(_folder, $"progress-{store}.json");
        byte[] content = await File.ReadAllBytesAsync(progress);
        Clear();
        await File.WriteAllBytesAsync(progress, content);

        await ExportAsync(fal, Request(simulator, first: 15), store);

        Assert.Equal(whole, Read(store));
    }

    [Theory]
    [MemberData(nameof(Stores))]
    public async Task Shortly_after_midnight_the_new_day_is_exported_too_and_the_old_one_again(string store)
    {
        await using FalSimulator simulator = await StartAsync();
        using FalObservabilityClient fal = ClientOf(simulator);
        ExportRequest hours = Request(simulator, first: 17);
        _time.SetUtcNow(new DateTimeOffset(2026, 6, 18, 0, 3, 0, TimeSpan.Zero));

        await ExportAsync(fal, hours, store);
        Assert.Contains(Read(store), row => row.Contains("2026-06-18 00:00:00", StringComparison.Ordinal));
        _time.Advance(TimeSpan.FromHours(1));
        await ExportAsync(fal, hours, store);

        Assert.All(
            Read(store).Where(row => row.Contains("2026-06-17", StringComparison.Ordinal)),
            row => Assert.Contains(" hour 0 ", row, StringComparison.Ordinal)
        );
    }

    [Theory]
    [InlineData("parquet", "parquet/timeframe=hour/20260613.parquet.tmp")]
    [InlineData("ndjson", "ndjson/hour/20260613.ndjson.tmp")]
    [InlineData("ndjson", "ndjson/hour/schema.json.tmp")]
    [InlineData("parquet", "progress-parquet.json.tmp")]
    [InlineData("duckdb", "progress-duckdb.json.tmp")]
    public async Task A_full_disk_says_so_and_the_next_export_with_room_makes_it_whole(string store, string file)
    {
        await using FalSimulator simulator = await StartAsync();
        using FalObservabilityClient fal = ClientOf(simulator);
        ExportRequest request = Request(simulator, first: 12) with { Last = new DateOnly(2026, 6, 14) };
        await ExportAsync(fal, request, store);
        List<string> whole = Read(store);
        Clear();
        await ExportAsync(fal, request with { Last = new DateOnly(2026, 6, 12) }, store);
        List<string> before = Read(store);
        File.CreateSymbolicLink(Path.Combine(_folder, file), "/dev/full");

        Exception full = await Assert.ThrowsAnyAsync<Exception>(() => ExportAsync(fal, request, store));

        Assert.True(full is IOException or DuckDBException);
        Assert.Contains("No space left on device", full.Message, StringComparison.Ordinal);
        Assert.Contains(file, full.Message, StringComparison.Ordinal);
        Assert.Subset(Read(store).ToHashSet(), before.ToHashSet());
        await ExportAsync(fal, request, store);
        Assert.Equal(whole, Read(store));
    }

    [Fact]
    public async Task A_duckdb_table_of_another_version_keeps_its_columns_and_gets_the_new_ones()
    {
        await using (var connection = new DuckDBConnection($"DataSource={_folder}/analytics.duckdb"))
        {
            connection.Open();
            await using DuckDBCommand command = connection.CreateCommand();
            command.CommandText = """
                CREATE TABLE analytics (team VARCHAR, timeframe VARCHAR, is_provisional BOOLEAN, request_count BIGINT, bucket_start TIMESTAMP,
                    endpoint_id VARCHAR, PRIMARY KEY (endpoint_id, bucket_start, timeframe));
                INSERT INTO analytics VALUES ('red', 'hour', true, 5, '2026-06-17 12:00:00', 'a/b')
                """;
            command.ExecuteNonQuery();
        }

        WarehousePartition day = WarehousePartition.Of(Now, AnalyticsTimeframe.Hour);
        await StoreOf("duckdb", new ExportRequest { EndpointIds = ["a/b"], First = new DateOnly(2026, 6, 17) })
            .ReplaceAsync(day, SliceOf(day, "a/b"), [Row("a/b", 6)], CancellationToken.None);

        Assert.Equal(["a/b 2026-06-17 12:00:00 hour 0 6  "], Read("duckdb"));
        await using var after = new DuckDBConnection($"DataSource={_folder}/analytics.duckdb");
        after.Open();
        await using DuckDBCommand team = after.CreateCommand();
        team.CommandText = "SELECT team FROM analytics";
        Assert.Equal("red", team.ExecuteScalar());
    }

    [Theory]
    [InlineData("duckdb", "analytics.duckdb")]
    [InlineData("parquet", "parquet/timeframe=hour/20260617.parquet")]
    [InlineData("ndjson", "ndjson/hour/20260617.ndjson")]
    public async Task A_file_that_is_something_else_is_named_and_left_alone(string name, string file)
    {
        string path = Path.Combine(_folder, file);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        await File.WriteAllTextAsync(path, "something else");
        IWarehouseStore store = StoreOf(name, new ExportRequest { EndpointIds = ["a/b"], First = new DateOnly(2026, 6, 17) });
        WarehousePartition day = WarehousePartition.Of(Now, AnalyticsTimeframe.Hour);

        Exception refusal = await Assert.ThrowsAnyAsync<Exception>(() =>
            store.ReplaceAsync(day, SliceOf(day, "a/b"), [Row("a/b", 1)], CancellationToken.None)
        );

        Assert.True(refusal is FormatException or DuckDBException);
        Assert.Contains(file, refusal.Message, StringComparison.Ordinal);
        Assert.Equal("something else", await File.ReadAllTextAsync(path));
    }

    [Theory]
    [InlineData("{ half", "")]
    [InlineData("null", "it is empty")]
    [InlineData("{}", "")]
    [InlineData("""{"Version":1,"Store":"parquet","Exports":{}}""", "it belongs to the store parquet")]
    [InlineData("""{"Version":2,"Store":"duckdb","Exports":{}}""", "its version is 2")]
    public async Task A_progress_file_that_cannot_be_used_says_what_to_do(string content, string reason)
    {
        await File.WriteAllTextAsync(Path.Combine(_folder, "progress-duckdb.json"), content);

        FormatException refusal = Assert.Throws<FormatException>(() =>
            new ExportProgress(_folder, "duckdb").Find(WarehouseTable.Analytics, "hour", "a/b")
        );

        Assert.Contains("progress-duckdb.json", refusal.Message, StringComparison.Ordinal);
        Assert.Contains(reason, refusal.Message, StringComparison.Ordinal);
        Assert.Contains("Remove it", refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Stores))]
    public async Task Rows_that_are_hours_late_are_exported_after_all(string store)
    {
        ExportRequest request;
        // Well after midnight the service does not have the last hours of the day yet, and nothing says that it lacks them.
        _time.SetUtcNow(new DateTimeOffset(2026, 6, 18, 2, 0, 0, TimeSpan.Zero));
        await using (FalSimulator late = await StartAsync(lag: TimeSpan.FromHours(5)))
        {
            using FalObservabilityClient fal = ClientOf(late);
            request = Request(late, first: 17);
            await ExportAsync(fal, request, store);
            Assert.DoesNotContain(Read(store), row => row.Contains("2026-06-17 23:00:00", StringComparison.Ordinal));
        }

        await using FalSimulator simulator = await StartAsync();
        using FalObservabilityClient now = ClientOf(simulator);
        await ExportAsync(now, request, store);

        List<string> rows = Read(store);
        Clear();
        await ExportAsync(now, request, store);
        Assert.Contains(rows, row => row.Contains("2026-06-17 23:00:00", StringComparison.Ordinal));
        Assert.Equal(Read(store), rows);
    }

    [Fact]
    public async Task Metrics_that_the_service_fails_on_are_told_once()
    {
        await using FalSimulator simulator = await StartAsync();
        simulator.Faults.FailColdBootPercentiles(simulator.Apps[1]);
        // The clock stands still, so nobody may wait on it.
        using FalObservabilityClient fal = ClientOf(simulator, attempts: 1);
        ExportRequest request = Request(simulator, first: 16);
        var missing = new List<string>();

        await ExporterOf(fal, request, "duckdb")
            .RunAsync(request, (_, _, _) => { }, _ => { }, endpoint => missing.Add(endpoint.EndpointId), CancellationToken.None);

        Assert.Equal([simulator.Apps[1]], missing);
    }

    [Theory]
    [MemberData(nameof(Stores))]
    public async Task Metrics_that_the_service_fails_on_for_a_while_cost_no_value_and_are_filled_in(string store)
    {
        await using FalSimulator simulator = await StartAsync();
        await using FalSimulator failing = await StartAsync();
        failing.Faults.FailColdBootPercentiles(failing.Apps[1]);
        using FalObservabilityClient whole = ClientOf(simulator);
        using FalObservabilityClient parted = ClientOf(failing, attempts: 1);
        ExportRequest request = Request(simulator, first: 12);
        await ExportAsync(whole, request, store);
        long before = WarehouseContent.Count(_folder, store, "p75_cold_boot_duration_seconds");

        // The days that are read again, as they are not final, keep what they have.
        await ExportAsync(parted, request, store);
        Assert.Equal(before, WarehouseContent.Count(_folder, store, "p75_cold_boot_duration_seconds"));

        // Days that are new lack the values until the service has them again.
        Clear();
        await ExportAsync(parted, request, store);
        Assert.InRange(WarehouseContent.Count(_folder, store, "p75_cold_boot_duration_seconds"), 1, before - 1);
        await ExportAsync(whole, request, store);
        Assert.Equal(before, WarehouseContent.Count(_folder, store, "p75_cold_boot_duration_seconds"));
    }

    [Theory]
    [MemberData(nameof(Stores))]
    public async Task A_store_that_was_removed_is_made_whole_by_the_exports_of_each_endpoint(string store)
    {
        await using FalSimulator simulator = await StartAsync();
        using FalObservabilityClient fal = ClientOf(simulator);
        ExportRequest[] exports = [.. simulator.Apps.Select(app => Request(simulator, first: 14) with { EndpointIds = [app] })];
        foreach (ExportRequest export in exports)
        {
            await ExportAsync(fal, export, store);
        }

        List<string> whole = Read(store);
        string progress = Path.Combine(_folder, $"progress-{store}.json");
        byte[] content = await File.ReadAllBytesAsync(progress);
        Clear();
        await File.WriteAllBytesAsync(progress, content);

        foreach (ExportRequest export in exports)
        {
            await ExportAsync(fal, export, store);
        }

        Assert.Equal(whole, Read(store));
    }

    [Theory]
    [InlineData("BOOLEAN", true)]
    [InlineData("VARCHAR", true)]
    [InlineData("DOUBLE", true)]
    [InlineData("BIGINT", true)]
    [InlineData("DATE", false)]
    [InlineData("INTEGER", false)]
    public async Task A_column_that_somebody_has_added_to_a_parquet_file_is_kept_or_the_file_left_alone(string type, bool isKept)
    {
        await using FalSimulator simulator = await StartAsync();
        using FalObservabilityClient fal = ClientOf(simulator);
        ExportRequest request = Request(simulator, first: 17);
        await ExportAsync(fal, request, "parquet");
        string path = Path.Combine(_folder, "parquet", "timeframe=hour", "20260617.parquet");
        WarehouseContent.Execute($"COPY (SELECT *, CASE WHEN hour(bucket_start) = 1 THEN NULL WHEN '{type}' = 'DATE' THEN '2026-01-01' " +
            $"ELSE '1' END::{type} AS team FROM read_parquet('{path}', hive_partitioning = false)) TO '{path}.new' (FORMAT parquet)");
        File.Move($"{path}.new", path, overwrite: true);
        byte[] before = await File.ReadAllBytesAsync(path);
        ExportRequest other = request with { EndpointIds = [simulator.Apps[0]], First = new DateOnly(2026, 6, 17) };

        if (isKept)
        {
            await ExportAsync(fal, other, "parquet");
            Assert.InRange(WarehouseContent.Count(_folder, "parquet", "team"), 1, long.MaxValue);
        }
        else
        {
            FormatException refusal = await Assert.ThrowsAsync<FormatException>(() => ExportAsync(fal, other, "parquet"));
            Assert.Contains("column team", refusal.Message, StringComparison.Ordinal);
            Assert.Equal(before, await File.ReadAllBytesAsync(path));
        }
    }

    [Fact]
    public async Task A_duckdb_file_that_a_full_disk_has_left_empty_is_made_by_the_next_export()
    {
        await File.WriteAllBytesAsync(Path.Combine(_folder, "analytics.duckdb"), []);
        WarehousePartition day = WarehousePartition.Of(Now, AnalyticsTimeframe.Hour);

        await StoreOf("duckdb", new ExportRequest { EndpointIds = ["a/b"], First = new DateOnly(2026, 6, 17) })
            .ReplaceAsync(day, SliceOf(day, "a/b"), [Row("a/b", 1)], CancellationToken.None);

        Assert.Equal(["a/b 2026-06-17 12:00:00 hour 0 1  "], Read("duckdb"));
    }

    [Fact]
    public async Task Progress_from_a_clock_that_was_ahead_hides_nothing()
    {
        await using FalSimulator simulator = await StartAsync();
        using FalObservabilityClient fal = ClientOf(simulator);
        ExportRequest request = Request(simulator, first: 16);
        await ExportAsync(fal, request, "parquet");
        List<string> whole = Read("parquet");
        await new ExportProgress(_folder, "parquet").SaveAsync(
            WarehouseTable.Analytics,
            "hour",
            Now.AddDays(-2),
            request.EndpointIds.Select(id => KeyValuePair.Create(id, Now.AddYears(1)))
        );
        File.Delete(Path.Combine(_folder, "parquet", "timeframe=hour", "20260617.parquet"));

        await ExportAsync(fal, request, "parquet");

        Assert.Equal(whole, Read("parquet"));
    }

    private static WarehouseRow Row(string endpoint, long requests) =>
        WarehouseTable.Analytics.RowOf(
            new(
                new DateTimeOffset(2026, 6, 17, 12, 0, 0, TimeSpan.Zero),
                "hour",
                false,
                new AnalyticsRow { EndpointId = endpoint, RequestCount = requests },
                endpoint
            )
        );

    private static WarehouseSlice SliceOf(WarehousePartition partition, string endpoint) =>
        new(WarehouseTable.Analytics, "hour", [endpoint], partition.Start, partition.End);

    private Task<FalSimulator> StartAsync(TimeSpan lag = default) =>
        FalSimulator.StartAsync(new FalSimulatorOptions { Seed = 1, Apps = 3, TimeProvider = _time, AnalyticsLag = lag });

    private FalObservabilityClient ClientOf(FalSimulator simulator, int attempts = 4) => new(options =>
    {
        options.MaxAttempts = attempts;
        options.ApiKey = simulator.Key;
        options.BaseAddress = simulator.BaseAddress;
    }, account => account.Services.AddSingleton<TimeProvider>(_time));

    private static ExportRequest Request(FalSimulator simulator, int first) =>
        new() { EndpointIds = simulator.Apps, First = new DateOnly(2026, 6, first) };

    private Exporter ExporterOf(FalObservabilityClient fal, ExportRequest request, string store) =>
        new(new AnalyticsRows(fal.Analytics), StoreOf(store, request), new ExportProgress(_folder, store), _time);

    private IWarehouseStore StoreOf(string name, ExportRequest request) => name switch
    {
        "duckdb" => new DuckDbStore(_folder, WarehouseTable.Analytics, request),
        "parquet" => new ParquetStore(_folder, WarehouseTable.Analytics, request),
        _ => new NdjsonStore(_folder, WarehouseTable.Analytics, request),
    };

    private Task<int> ExportAsync(FalObservabilityClient fal, ExportRequest request, string store) =>
        ExporterOf(fal, request, store).RunAsync(request, (_, _, _) => { }, _ => { }, _ => { }, CancellationToken.None);

    private void Clear()
    {
        Directory.Delete(_folder, recursive: true);
        Directory.CreateDirectory(_folder);
    }

    private Dictionary<string, byte[]> Files() =>
        Directory.EnumerateFiles(_folder, "*", SearchOption.AllDirectories).ToDictionary(path => path, File.ReadAllBytes);

    private List<string> Read(string store) => WarehouseContent.Read(_folder, store);
}
