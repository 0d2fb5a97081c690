using System.Globalization;
using System.Numerics;
using System.Text.Json;
using DuckDB.NET.Data;
using Fal.Observability.Cli.Export;
using Fal.Observability.Client.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using ParquetSharp;
using Xunit;

namespace Fal.Observability.Client.IntegrationTests.Samples;

/// <summary>
/// The tables beside analytics: what an account paid, and how many runners it had. Parquet files are read by Apache Arrow, lines of JSON by
/// .NET, and neither has written them.
/// </summary>
public sealed class WarehouseTableTests : IDisposable
{
    private static readonly DateTimeOffset Now = new(2026, 6, 17, 12, 34, 0, TimeSpan.Zero);

    private readonly string _folder = Directory.CreateTempSubdirectory("tables").FullName;
    private readonly FakeTimeProvider _time = new(Now);

    public static TheoryData<string> Stores => ["duckdb", "parquet", "ndjson"];

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [MemberData(nameof(Stores))]
    public async Task Money_is_the_same_in_the_store_as_on_the_wire_to_the_last_digit(string store)
    {
        string[] amounts = ["0.1", "123456789012345678.1234567891", "0.00000000000000000001", "-79.9", "0", "9007199254740993"];
        string lines = string.Join(
            ',',
            amounts.Select(amount =>
                $$"""{"app":"a","environment":"main","machine_type":"GPU","unit":"second","quantity":{{amount}},"cost_total":{{amount}},"currency":"USD","is_surge":false}"""
            )
        );
        using var api = new WireMockApi(
            MockResponse.Json(
                200,
                $$"""{"next_cursor":null,"has_more":false,"time_series":[{"bucket":"2026-06-17T10:00:00+00:00","results":[{{lines}}]}]}"""
            )
        );
        using FalObservabilityClient fal = ClientOf(api.BaseAddress, "test-id:test-secret");

        await ExportAsync(new UsageRows(fal.Usage, _time), store, ["a/b"], first: 17);
        // A second export merges the rows with those that are there.
        await ExportAsync(new UsageRows(fal.Usage, _time), store, ["a/b"], first: 17);

        Assert.Equal(amounts.Select(Canonical), Amounts(store, "cost_total"));
        Assert.Equal(amounts.Select(Canonical), Amounts(store, "quantity"));
    }

    [Theory]
    [MemberData(nameof(Stores))]
    public async Task An_amount_that_is_finer_than_its_column_is_exact_beside_it(string store)
    {
        using var api = new WireMockApi(MockResponse.Json(200, """
            {"next_cursor":null,"has_more":false,"time_series":[{"bucket":"2026-06-17T10:00:00+00:00","results":[
             {"app":"a","unit_price":0.000000000000000000000012,"cost_total":1,"currency":"USD","new_field":9007199254740993}]}]}
            """));
        using FalObservabilityClient fal = ClientOf(api.BaseAddress, "test-id:test-secret");

        await ExportAsync(new UsageRows(fal.Usage, _time), store, ["a/b"], first: 17);

        Assert.Equal(
            ["""{"new_field":9007199254740993,"unit_price":"0.000000000000000000000012"}"""],
            Texts("usage", store, "additional_members")
        );
    }

    [Theory]
    [MemberData(nameof(Stores))]
    public async Task The_bill_of_an_account_is_the_same_in_the_store_and_an_export_again_changes_nothing(string store)
    {
        await using FalSimulator simulator = await FalSimulator.StartAsync(
            new FalSimulatorOptions
            {
                Seed = 1,
                Apps = 3,
                TimeProvider = _time,
            }
        );
        using FalObservabilityClient fal = ClientOf(simulator.BaseAddress, simulator.Key);

        await ExportAsync(new UsageRows(fal.Usage, _time), store, simulator.Apps);
        string[] once = Amounts(store, "cost_total");
        await ExportAsync(new UsageRows(fal.Usage, _time), store, simulator.Apps);

        UsageReport report = await fal.Usage.GetReportAsync(new UsageQuery
        {
            Range = AnalyticsTimeRange.Between(new DateTimeOffset(2026, 6, 15, 0, 0, 0, TimeSpan.Zero), Now),
            Timeframe = AnalyticsTimeframe.Hour,
        });
        decimal[] expected = [.. report.TimeSeries.SelectMany(bucket => bucket.Rows).Select(row => row.Cost).Order()];
        Assert.NotEmpty(expected);
        Assert.Equal(expected, once.Select(text => decimal.Parse(text, CultureInfo.InvariantCulture)).Order());
        Assert.Equal(once, Amounts(store, "cost_total"));
    }

    [Theory]
    [MemberData(nameof(Stores))]
    public async Task Numbers_of_runners_are_the_same_in_the_store_as_in_the_history(string store)
    {
        await using FalSimulator simulator = await FalSimulator.StartAsync(
            new FalSimulatorOptions
            {
                Seed = 1,
                Apps = 3,
                TimeProvider = _time,
            }
        );
        using FalObservabilityClient fal = ClientOf(simulator.BaseAddress, simulator.Key);

        await ExportAsync(new RunnerRows(fal.Apps, _time), store, [.. simulator.Apps, $"{simulator.Apps[0]}/route"]);

        List<string> expected = [];
        foreach (string app in simulator.Apps)
        {
            var range = AnalyticsTimeRange.Between(new DateTimeOffset(2026, 6, 15, 0, 0, 0, TimeSpan.Zero), Now);
            FalRunnerHistory max = await fal.Apps.GetRunnerHistoryAsync(app, range, AnalyticsTimeframe.Hour);
            FalRunnerHistory average = await fal.Apps.GetRunnerHistoryAsync(
                app,
                range,
                AnalyticsTimeframe.Hour,
                FalRunnerAggregation.Average
            );
            expected.AddRange(
                max.Buckets.Zip(
                    average.Buckets,
                    (highest, mean) =>
                        string.Create(
                            CultureInfo.InvariantCulture,
                            $"{app} {highest.Start:yyyy-MM-dd HH:mm} {highest.Running} {mean.Idle:R}"
                        )
                )
            );
        }

        string[] columns = ["endpoint_id", "bucket_start", "running_max", "idle_average"];
        Assert.NotEmpty(expected);
        Assert.Equal(
            expected.Order(StringComparer.Ordinal),
            Enumerable
                .Range(0, expected.Count)
                .Select(i => string.Join(' ', columns.Select(column => Texts("runners", store, column)[i])))
                .Order(StringComparer.Ordinal)
        );
    }

    [Theory]
    [MemberData(nameof(Stores))]
    public async Task A_runner_history_that_is_too_old_for_the_service_stays(string store)
    {
        await using FalSimulator simulator = await FalSimulator.StartAsync(
            new FalSimulatorOptions
            {
                Seed = 1,
                Apps = 1,
                TimeProvider = _time,
            }
        );
        using FalObservabilityClient fal = ClientOf(simulator.BaseAddress, simulator.Key);
        await ExportAsync(new RunnerRows(fal.Apps, _time), store, simulator.Apps);
        string[] before = Texts("runners", store, "running_max");

        _time.Advance(TimeSpan.FromDays(100));
        File.Delete(Path.Combine(_folder, $"progress-{store}.json"));
        await ExportAsync(new RunnerRows(fal.Apps, _time), store, simulator.Apps, last: new DateOnly(2026, 6, 17));

        Assert.NotEmpty(before);
        Assert.Equal(before, Texts("runners", store, "running_max"));
    }

    [Fact]
    public async Task The_tables_of_a_folder_take_note_of_their_progress_apart()
    {
        var progress = new ExportProgress(_folder, "ndjson");
        await progress.SaveAsync(WarehouseTable.Analytics, "hour", Now, [KeyValuePair.Create("a/b", Now)]);
        await progress.SaveAsync(WarehouseTable.Runners, "hour", Now, [KeyValuePair.Create("a/b", Now.AddDays(1))]);

        await progress.ForgetAsync(WarehouseTable.Analytics, "hour");

        Assert.Null(progress.Find(WarehouseTable.Analytics, "hour", "a/b"));
        Assert.Equal(Now.AddDays(1), progress.Find(WarehouseTable.Runners, "hour", "a/b")?.FinalUntil);
        Assert.Null(progress.Find(WarehouseTable.Usage, "hour", "a/b"));
    }

    private async Task ExportAsync(
        IWarehouseSource source,
        string store,
        IReadOnlyList<string> endpoints,
        int first = 15,
        DateOnly? last = null
    )
    {
        var request = new ExportRequest { EndpointIds = endpoints, First = new DateOnly(2026, 6, first), Last = last };
        IWarehouseStore target = ExportVerb.Stores.Single(one => one.Word == store).Open(_folder, source.Table, request);
        await new Exporter(source, target, new ExportProgress(_folder, store), _time).RunAsync(
            request, (_, _, _) => { }, refused => Assert.Fail(refused.ToString()), _ => { }, CancellationToken.None);
    }

    private FalObservabilityClient ClientOf(Uri address, string key) => new(
        options =>
        {
            options.ApiKey = key;
            options.BaseAddress = address;
        },
        account => account.Services.AddSingleton<TimeProvider>(_time));

    /// <summary>A number without zeros at its end, however it was written.</summary>
    private static string Canonical(string text) => text.Contains('.', StringComparison.Ordinal) ? text.TrimEnd('0').TrimEnd('.') : text;

    private string[] Amounts(string store, string column) => store == "parquet"
        ? [.. ParquetFiles("usage").SelectMany(file => Decimals(file, column))]
        : [.. Texts("usage", store, column).Select(Canonical)];

    /// <summary>The values of a column in the order of the rows.</summary>
    private string[] Texts(string table, string store, string column) =>
        store switch
        {
            "duckdb" => DuckDb(table, column),
            "parquet" => [.. ParquetFiles(table).SelectMany(file => Column(file, column))],
            _ =>
            [
                .. Directory
                    .GetFiles(Path.Combine(_folder, $"ndjson-{table}", "hour"), "*.ndjson")
                    .Order(StringComparer.Ordinal)
                    .SelectMany(File.ReadLines)
                    .Select(line =>
                    {
                        using JsonDocument row = JsonDocument.Parse(line);
                        JsonElement value = row.RootElement.GetProperty(column);
                        return value.ValueKind == JsonValueKind.String && value.TryGetDateTime(out DateTime instant) ? Text(instant)
                            : value.ValueKind == JsonValueKind.String ? value.GetString()!
                            : value.GetRawText();
                    }),
            ],
        };

    private string[] ParquetFiles(string table) =>
        [
            .. Directory
                .GetFiles(Path.Combine(_folder, $"parquet-{table}"), "*.parquet", SearchOption.AllDirectories)
                .Order(StringComparer.Ordinal),
        ];

    private string[] DuckDb(string table, string column)
    {
        using var connection = new DuckDBConnection($"DataSource={_folder}/analytics.duckdb");
        connection.Open();
        using DuckDBCommand command = connection.CreateCommand();
        // Amounts leave DuckDB as their digits.
        string value = column is "cost_total" or "quantity" ? $"{column}::VARCHAR" : column;
        command.CommandText = $"SELECT {value} FROM {table} ORDER BY bucket_start, {(table == "usage" ? "line" : "endpoint_id")}";
        using DuckDBDataReader reader = command.ExecuteReader();
        var values = new List<string>();
        while (reader.Read())
        {
            values.Add(Text(reader.GetValue(0)));
        }

        return [.. values];
    }

    private static string[] Column(string file, string name)
    {
        using var reader = new ParquetFileReader(file);
        using RowGroupReader group = reader.RowGroup(0);
        int column = Enumerable.Range(0, reader.FileMetaData.NumColumns).Single(i => reader.FileMetaData.Schema.Column(i).Name == name);
        int rows = (int)group.MetaData.NumRows;
        using LogicalColumnReader values = group.Column(column).LogicalReader();
        return values switch
        {
            LogicalColumnReader<string> texts => [.. texts.ReadAll(rows)],
            LogicalColumnReader<DateTime> instants => [.. instants.ReadAll(rows).Select(value => Text(value))],
            LogicalColumnReader<long?> counts => [.. counts.ReadAll(rows).Select(value => Text(value!.Value))],
            LogicalColumnReader<double?> numbers => [.. numbers.ReadAll(rows).Select(value => Text(value!.Value))],
            _ => throw new InvalidOperationException($"{name} is read as {values.GetType()}."),
        };
    }

    /// <summary>The digits of a column of decimals, which are more than .NET's decimal has.</summary>
    private static List<string> Decimals(string file, string name)
    {
        using var reader = new ParquetFileReader(file);
        using RowGroupReader group = reader.RowGroup(0);
        int column = Enumerable.Range(0, reader.FileMetaData.NumColumns).Single(i => reader.FileMetaData.Schema.Column(i).Name == name);
        using LogicalType type = reader.FileMetaData.Schema.Column(column).LogicalType;
        DecimalLogicalType logical = Assert.IsType<DecimalLogicalType>(type);
        Assert.Equal((38, 20), (logical.Precision, logical.Scale));
        int rows = (int)group.MetaData.NumRows;
        using var values = (ColumnReader<FixedLenByteArray>)group.Column(column);
        var raw = new FixedLenByteArray[rows];
        short[] levels = new short[rows];
        var texts = new List<string>();
        int length = reader.FileMetaData.Schema.Column(column).TypeLength;
        for (int done = 0; done < rows && values.HasNext;)
        {
            done += (int)values.ReadBatch(rows - done, levels, new short[rows], raw, out long read);
            for (int i = 0; i < read; i++)
            {
                byte[] bytes = new byte[length];
                System.Runtime.InteropServices.Marshal.Copy(raw[i].Pointer, bytes, 0, length);
                texts.Add(Digits(new BigInteger(bytes, isBigEndian: true)));
            }
        }

        return texts;

        static string Digits(BigInteger unscaled)
        {
            string digits = BigInteger.Abs(unscaled).ToString(CultureInfo.InvariantCulture).PadLeft(21, '0');
            return Canonical($"{(unscaled.Sign < 0 ? "-" : "")}{digits[..^20]}.{digits[^20..]}");
        }
    }

    private static string Text(object value) => value switch
    {
        DateTime instant => instant.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture),
        double number => number.ToString("R", CultureInfo.InvariantCulture),
        _ => Convert.ToString(value, CultureInfo.InvariantCulture)!,
    };
}
