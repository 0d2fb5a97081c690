using DuckDB.NET.Data;

namespace Fal.Observability.WarehouseExport;

/// <summary>A Parquet file for each partition, <c>parquet/timeframe=hour/20260131.parquet</c>, written by DuckDB.</summary>
internal sealed class ParquetStore(string folder, ExportRequest request) : IWarehouseStore
{
    private readonly string _folder = Path.Combine(folder, "parquet", $"timeframe={request.TimeframeName}");

    public bool IsEmpty => !Directory.Exists(_folder) || !Directory.EnumerateFiles(_folder, "*.parquet").Any();

    public async Task ReplaceAsync(WarehousePartition partition, WarehouseSlice slice, IReadOnlyList<WarehouseRow> rows, CancellationToken cancellationToken)
    {
        string path = Path.Combine(_folder, $"{partition.Name}.parquet");
        await using DuckDBConnection connection = await DuckDbIncoming.OpenAsync(":memory:", slice, rows, "TIMESTAMPTZ", cancellationToken);
        if (File.Exists(path))
        {
            // By name, so that a column which another version has written is kept too.
            await connection.ExecuteAsync(
                $"""
                CREATE TEMPORARY TABLE merged AS
                SELECT * FROM incoming UNION ALL BY NAME
                SELECT * FROM read_parquet({Literal(path)}, hive_partitioning = false) AS old WHERE NOT {DuckDbIncoming.Replaces} AND NOT {DuckDbIncoming.HasKey}
                """,
                cancellationToken);
        }
        else
        {
            await connection.ExecuteAsync("CREATE TEMPORARY VIEW merged AS SELECT * FROM incoming", cancellationToken);
        }

        await using DuckDBCommand count = connection.CreateCommand();
        count.CommandText = "SELECT count(*) FROM merged";
        bool isEmpty = await count.ExecuteScalarAsync(cancellationToken) is 0L;
        await PartitionFiles.ReplaceAsync(path, isEmpty, temporary => connection.ExecuteAsync(
            $"COPY (SELECT * FROM merged ORDER BY bucket_start, endpoint_id) TO {Literal(temporary)} (FORMAT parquet, USE_TMP_FILE false)", cancellationToken));
    }

    public string Describe() => $"duckdb -c \"SELECT count(*) FROM '{Path.Combine(_folder, "*.parquet")}'\"";

    private static string Literal(string path) => $"'{path.Replace("'", "''", StringComparison.Ordinal)}'";
}
