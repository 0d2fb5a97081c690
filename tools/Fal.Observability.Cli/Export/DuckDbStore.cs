using DuckDB.NET.Data;

namespace Fal.Observability.Cli.Export;

/// <summary>A table in a DuckDB file.</summary>
internal sealed class DuckDbStore(string folder, WarehouseTable table, ExportRequest request) : IWarehouseStore
{
    // In UTC. With a zone it would need DuckDB's extension for time zones to be read.
    private const string InstantType = "TIMESTAMP";

    private readonly string _path = Path.Combine(folder, "analytics.duckdb");

    private bool IsMissing => new FileInfo(_path) is not { Exists: true, Length: > 0 };

    public async Task<bool> IsEmptyAsync(CancellationToken cancellationToken)
    {
        if (IsMissing)
        {
            return true;
        }

        await using DuckDBConnection connection = await DuckDbIncoming.OpenAsync(_path, cancellationToken);
        await connection.ExecuteAsync(TableOf(DuckDbIncoming.Columns(table, InstantType)), cancellationToken);
        await using DuckDBCommand command = connection.CreateCommand();
        command.CommandText = $"SELECT count(*) FROM {table.Name} WHERE timeframe = '{request.TimeframeName}'";
        return await command.ExecuteScalarAsync(cancellationToken) is 0L;
    }

    public async Task ReplaceAsync(
        WarehousePartition partition,
        WarehouseSlice slice,
        IReadOnlyList<WarehouseRow> rows,
        CancellationToken cancellationToken
    )
    {
        string[] columns = [.. DuckDbIncoming.Columns(table, InstantType)];
        if (IsMissing)
        {
            // DuckDB cannot open what it has half made, on a full disk for instance.
            await PartitionFiles.ReplaceAsync(_path, isEmpty: false, temporary => CreateAsync(temporary, columns, cancellationToken));
        }

        // The new rows come in beside the table, so that the change itself is one transaction. DuckDB checks a key against rows that
        // the same transaction deletes: so what stays is replaced, and only what is gone is deleted.
        await using DuckDBConnection connection = await DuckDbIncoming.OpenAsync(_path, slice, rows, InstantType, cancellationToken);
        await connection.ExecuteAsync(TableOf(columns), cancellationToken);
        // A table of an older version gets what is new; columns that somebody else has added stay as they are.
        foreach (string column in columns.Where(column => !column.EndsWith("NOT NULL", StringComparison.Ordinal)))
        {
            await connection.ExecuteAsync($"ALTER TABLE {table.Name} ADD COLUMN IF NOT EXISTS {column}", cancellationToken);
        }

        await using System.Data.Common.DbTransaction transaction = await connection.BeginTransactionAsync(cancellationToken);
        if (slice.OnlyFillsIn)
        {
            await connection.ExecuteAsync($"INSERT OR IGNORE INTO {table.Name} BY NAME SELECT * FROM incoming", cancellationToken);
        }
        else
        {
            await connection.ExecuteAsync(
                $"DELETE FROM {table.Name} AS old WHERE {DuckDbIncoming.Replaces(table)} AND NOT {DuckDbIncoming.HasKey(table)}",
                cancellationToken
            );
            await connection.ExecuteAsync($"INSERT OR REPLACE INTO {table.Name} BY NAME SELECT * FROM incoming", cancellationToken);
        }

        await transaction.CommitAsync(cancellationToken);
    }

    public string Describe() =>
        $"duckdb {ShellWord.Quote(_path)} \"{table.Example(table.Name)}\"";

    private async Task CreateAsync(string path, string[] columns, CancellationToken cancellationToken)
    {
        // A killed program may have left half of one here.
        File.Delete(path);
        await using DuckDBConnection connection = await DuckDbIncoming.OpenAsync(path, cancellationToken);
        await connection.ExecuteAsync(TableOf(columns), cancellationToken);
        await connection.ExecuteAsync("CHECKPOINT", cancellationToken);
    }

    private string TableOf(IEnumerable<string> columns) =>
        $"CREATE TABLE IF NOT EXISTS {table.Name} ({string.Join(", ", columns)}, PRIMARY KEY ({string.Join(", ", table.Key)}))";
}
