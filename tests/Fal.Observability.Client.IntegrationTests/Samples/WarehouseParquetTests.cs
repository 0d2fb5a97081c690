using System.Globalization;
using DuckDB.NET.Data;
using Fal.Observability.Cli.Export;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using Parquet;
using Parquet.Schema;
using ParquetSharp;
using Xunit;

namespace Fal.Observability.Client.IntegrationTests.Samples;

/// <summary>The instants of Parquet files, read by Apache Arrow and by DuckDB in a session of another zone.</summary>
public sealed class WarehouseParquetTests : IDisposable
{
    private static readonly DateTimeOffset Now = new(2026, 6, 17, 12, 34, 0, TimeSpan.Zero);

    private readonly string _folder = Directory.CreateTempSubdirectory("parquet").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task An_instant_has_the_logical_type_timestamp_in_utc()
    {
        await ExportAsync();

        string file = Assert.Single(Directory.GetFiles(_folder, "*.parquet", SearchOption.AllDirectories));
        Assert.Equal([(LogicalTimestampInUtc, "2026-06-17T00:00:00Z"), (LogicalTimestampInUtc, "2026-06-17T10:00:00Z")], Arrow(file));
    }

    [Fact]
    public async Task A_filter_gives_the_same_rows_in_a_session_of_any_zone()
    {
        await ExportAsync();

        Assert.Equal(["TIMESTAMP WITH TIME ZONE"], DuckDb("America/New_York", "SELECT DISTINCT typeof(bucket_start) FROM {0}"));
        foreach (string zone in (string[])["UTC", "America/New_York", "Asia/Kathmandu"])
        {
            Assert.Equal(
                ["a/b|1781690400000000"],
                DuckDb(zone, "SELECT endpoint_id, epoch_us(bucket_start) FROM {0} WHERE bucket_start >= '2026-06-17T01:00:00Z'"));
        }
    }

    [Theory]
    [InlineData(DateTimeFormat.DateAndTimeMicros)]
    [InlineData(DateTimeFormat.DateAndTime)]
    [InlineData(DateTimeFormat.Impala)]
    public async Task The_files_of_an_older_version_have_the_same_instants_as_new_ones_after_the_next_export(DateTimeFormat legacy)
    {
        // Another timeframe, a day that is not exported again, and a day that is exported again.
        await WriteAsync("day", "202605", legacy, new DateTime(2026, 5, 3, 0, 0, 0, DateTimeKind.Utc));
        await WriteAsync(
            "hour",
            "20260610",
            legacy,
            new DateTime(2026, 6, 10, 0, 0, 0, DateTimeKind.Utc),
            new DateTime(2026, 6, 10, 23, 0, 0, DateTimeKind.Utc)
        );
        await WriteAsync("hour", "20260617", legacy, new DateTime(2026, 6, 17, 3, 0, 0, DateTimeKind.Utc));

        await ExportAsync();

        string[] files = Directory.GetFiles(_folder, "*.parquet", SearchOption.AllDirectories);
        Assert.Equal(3, files.Length);
        Assert.Equal(
            [
                "2026-05-03T00:00:00Z", "2026-06-10T00:00:00Z", "2026-06-10T23:00:00Z",
                "2026-06-17T00:00:00Z", "2026-06-17T03:00:00Z", "2026-06-17T10:00:00Z",
            ],
            files.SelectMany(Arrow).Select(instant => instant.Text).Order(StringComparer.Ordinal));
        Assert.All(files.SelectMany(Arrow), instant => Assert.Equal(LogicalTimestampInUtc, instant.Type));
        const string All = "SELECT epoch_us(bucket_start), endpoint_id, request_count, team FROM {0} ORDER BY ALL";
        Assert.Equal(DuckDb("UTC", All), DuckDb("America/New_York", All));
        Assert.Equal(
            ["old/app|9007199254740993|red"],
            DuckDb("America/New_York", "SELECT endpoint_id, request_count, team FROM {0} WHERE bucket_start = '2026-06-10T23:00:00Z'"));
    }

    [Fact]
    public async Task A_file_that_has_its_zone_is_not_written_again()
    {
        await ExportAsync();
        string other = Path.Combine(_folder, "parquet", "timeframe=hour", "20260101.parquet");
        DuckDb("UTC", $"COPY (SELECT 'a/b' AS endpoint_id, '2026-01-01T00:00:00Z'::TIMESTAMPTZ AS bucket_start, DATE '2026-01-01' AS " +
            $"kept) TO '{other}' (FORMAT parquet)");
        string foreign = Path.Combine(_folder, "parquet", "timeframe=hour", "foreign.parquet");
        await File.WriteAllTextAsync(foreign, "something else");
        byte[] before = await File.ReadAllBytesAsync(other);

        await ExportAsync();

        Assert.Equal(before, await File.ReadAllBytesAsync(other));
        Assert.Equal("something else", await File.ReadAllTextAsync(foreign));
    }

    private const string LogicalTimestampInUtc = "TIMESTAMP, UTC, by its logical type";

    /// <summary>The instants of a file, and what their column says that they are.</summary>
    private static List<(string Type, string Text)> Arrow(string file)
    {
        using var reader = new ParquetFileReader(file);
        int column = Enumerable
            .Range(0, reader.FileMetaData.NumColumns)
            .Single(i => reader.FileMetaData.Schema.Column(i).Name == "bucket_start");
        using LogicalType logical = reader.FileMetaData.Schema.Column(column).LogicalType;
        var timestamp = Assert.IsType<TimestampLogicalType>(logical);
        string type = $"TIMESTAMP, {(timestamp.IsAdjustedToUtc ? "UTC" : "local")}, by " +
            $"its {(timestamp.IsFromConvertedType ? "legacy" : "logical")} type";
        using RowGroupReader group = reader.RowGroup(0);
        using LogicalColumnReader<DateTime> values = group.Column(column).LogicalReader<DateTime>();
        return
        [
            .. values
                .ReadAll((int)group.MetaData.NumRows)
                .Select(value => (type, value.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture))),
        ];
    }

    /// <summary>Runs a query over all files, <c>{0}</c>, in a session of a time zone; gives the rows as text.</summary>
    private List<string> DuckDb(string zone, string query)
    {
        using DuckDBConnection connection = new("DataSource=:memory:");
        connection.Open();
        using DuckDBCommand command = connection.CreateCommand();
        command.CommandText = $"SET TimeZone = '{zone}'";
        command.ExecuteNonQuery();
        command.CommandText = query.Replace(
            "{0}",
            $"read_parquet('{_folder}/parquet/*/*.parquet', union_by_name = true)",
            StringComparison.Ordinal
        );
        using DuckDBDataReader reader = command.ExecuteReader();
        var rows = new List<string>();
        while (reader.Read())
        {
            rows.Add(string.Join('|', Enumerable.Range(0, reader.FieldCount)
                .Select(i => reader.IsDBNull(i) ? "" : Convert.ToString(reader.GetValue(i), CultureInfo.InvariantCulture))));
        }

        return rows;
    }

    /// <summary>A file as an older version of the export wrote it, with a column that somebody has added.</summary>
    private async Task WriteAsync(string timeframe, string name, DateTimeFormat format, params DateTime[] instants)
    {
        string folder = Directory.CreateDirectory(Path.Combine(_folder, "parquet", $"timeframe={timeframe}")).FullName;
        var endpoint = new DataField<string>("endpoint_id", false);
        var bucket = new DateTimeDataField("bucket_start", format, isAdjustedToUTC: true, isNullable: false);
        var frame = new DataField<string>("timeframe", false);
        var provisional = new DataField<bool>("is_provisional", false);
        var requests = new DataField<long>("request_count", true);
        var team = new DataField<string>("team", true);
        await using FileStream file = File.Create(Path.Combine(folder, $"{name}.parquet"));
        await using Parquet.ParquetWriter writer = await Parquet.ParquetWriter.CreateAsync(
            new ParquetSchema(endpoint, bucket, frame, provisional, requests, team),
            file
        );
        using ParquetRowGroupWriter group = writer.CreateRowGroup();
        await group.WriteAsync(endpoint, [.. instants.Select(_ => "old/app")]);
        await group.WriteAsync<DateTime>(bucket, instants);
        await group.WriteAsync(frame, [.. instants.Select(_ => timeframe)]);
        await group.WriteAsync<bool>(provisional, instants.Select(_ => false).ToArray());
        await group.WriteAsync<long>(requests, instants.Select(_ => (long?)9007199254740993).ToArray());
        await group.WriteAsync(team, [.. instants.Select(_ => "red")]);
        group.CompleteValidate();
    }

    private async Task ExportAsync()
    {
        using var api = new WireMockApi(MockResponse.Json(200, """
            {"next_cursor":null,"has_more":false,"time_series":[
             {"bucket":"2026-06-17T00:00:00+00:00","results":[{"endpoint_id":"a/b","request_count":1}]},
             {"bucket":"2026-06-17T10:00:00+00:00","results":[{"endpoint_id":"a/b","request_count":2}]}]}
            """));
        using var fal = new FalObservabilityClient(
            options =>
            {
                options.ApiKey = "test-id:test-secret";
                options.BaseAddress = api.BaseAddress;
            },
            account => account.Services.AddSingleton<TimeProvider>(new FakeTimeProvider(Now)));
        var request = new ExportRequest { EndpointIds = ["a/b"], First = new DateOnly(2026, 6, 17) };
        await new Exporter(
            new AnalyticsRows(fal.Analytics),
            new ParquetStore(_folder, WarehouseTable.Analytics, request),
            new ExportProgress(_folder, "parquet"),
            new FakeTimeProvider(Now)
        ).RunAsync(request, (_, _, _) => { }, _ => { }, _ => { }, CancellationToken.None);
    }
}
