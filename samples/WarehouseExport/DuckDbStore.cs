using DuckDB.NET.Data;

namespace Fal.Observability.WarehouseExport;

/// <summary>A table <c>analytics</c> in a DuckDB file, with the key (endpoint, bucket, timeframe).</summary>
internal sealed class DuckDbStore(string folder) : IWarehouseStore
{
    // In UTC. With a zone it would need DuckDB's extension for time zones to be read.
    private const string InstantType = "TIMESTAMP";

    private readonly string _path = Path.Combine(folder, "analytics.duckdb");

    public bool IsEmpty => !File.Exists(_path);

    public async Task ReplaceAsync(WarehousePartition partition, WarehouseSlice slice, IReadOnlyList<WarehouseRow> rows, CancellationToken cancellationToken)
    {
        // The new rows come in beside the table, so that the change itself is one transaction. DuckDB checks a key against rows that
        // the same transaction deletes: so what stays is replaced, and only what is gone is deleted.
        await using DuckDBConnection connection = await DuckDbIncoming.OpenAsync(_path, slice, rows, InstantType, cancellationToken);
        string[] columns = [.. DuckDbIncoming.Columns(InstantType)];
        await connection.ExecuteAsync(
            $"CREATE TABLE IF NOT EXISTS analytics ({string.Join(", ", columns)}, PRIMARY KEY (endpoint_id, bucket_start, timeframe))", cancellationToken);
        // A table of an older version gets what is new; columns that somebody else has added stay as they are.
        foreach (string column in columns.Where(column => !column.EndsWith("NOT NULL", StringComparison.Ordinal)))
        {
            await connection.ExecuteAsync($"ALTER TABLE analytics ADD COLUMN IF NOT EXISTS {column}", cancellationToken);
        }

        await using System.Data.Common.DbTransaction transaction = await connection.BeginTransactionAsync(cancellationToken);
        await connection.ExecuteAsync($"DELETE FROM analytics AS old WHERE {DuckDbIncoming.Replaces} AND NOT {DuckDbIncoming.HasKey}", cancellationToken);
        await connection.ExecuteAsync("INSERT OR REPLACE INTO analytics BY NAME SELECT * FROM incoming", cancellationToken);
        await transaction.CommitAsync(cancellationToken);
    }

    public string Describe() =>
        $"duckdb {_path} \"SELECT endpoint_id, sum(request_count), sum(error_count) FROM analytics GROUP BY ALL\"";
}
