using System.Globalization;
using DuckDB.NET.Data;

namespace Fal.Observability.WarehouseExport;

/// <summary>A table <c>analytics</c> in a DuckDB file, with the key (endpoint, bucket, timeframe).</summary>
internal sealed class DuckDbStore(string folder, ExportRequest request) : IWarehouseStore
{
    private readonly string _path = Path.Combine(folder, "analytics.duckdb");

    public async Task ReplaceAsync(WarehousePartition partition, IReadOnlyList<WarehouseRow> rows, CancellationToken cancellationToken)
    {
        await using var connection = new DuckDBConnection($"DataSource={_path}");
        await connection.OpenAsync(cancellationToken);
        await ExecuteAsync(connection, $"CREATE TABLE IF NOT EXISTS analytics ({Columns()}, PRIMARY KEY (endpoint_id, bucket_start, timeframe))", cancellationToken);
        // The new rows come in beside the table, so that the change itself is one transaction. DuckDB checks a key against rows that
        // the same transaction deletes: so what stays is replaced, and only what is gone is deleted.
        await ExecuteAsync(connection, $"CREATE TEMPORARY TABLE incoming ({Columns()})", cancellationToken);
        Append(connection, rows);
        await using System.Data.Common.DbTransaction transaction = await connection.BeginTransactionAsync(cancellationToken);
        await using DuckDBCommand delete = connection.CreateCommand();
        delete.CommandText = $"""
            DELETE FROM analytics WHERE timeframe = $timeframe AND bucket_start >= $start AND bucket_start < $end
            AND ({string.Join(" OR ", request.EndpointIds.Select((_, i) => string.Create(CultureInfo.InvariantCulture, $"endpoint_id = $e{i} OR starts_with(endpoint_id, $e{i} || '/')")))})
            AND NOT EXISTS (SELECT 1 FROM incoming WHERE incoming.endpoint_id = analytics.endpoint_id AND incoming.bucket_start = analytics.bucket_start)
            """;
        delete.Parameters.Add(new DuckDBParameter("timeframe", request.TimeframeName));
        delete.Parameters.Add(new DuckDBParameter("start", partition.Start.UtcDateTime));
        delete.Parameters.Add(new DuckDBParameter("end", partition.End.UtcDateTime));
        for (int i = 0; i < request.EndpointIds.Count; i++)
        {
            delete.Parameters.Add(new DuckDBParameter(string.Create(CultureInfo.InvariantCulture, $"e{i}"), request.EndpointIds[i]));
        }

        await delete.ExecuteNonQueryAsync(cancellationToken);
        await ExecuteAsync(connection, "INSERT OR REPLACE INTO analytics SELECT * FROM incoming", cancellationToken);
        await transaction.CommitAsync(cancellationToken);
    }

    public string Describe() =>
        $"duckdb {_path} \"SELECT endpoint_id, sum(request_count), sum(error_count) FROM analytics GROUP BY ALL\"";

    private static void Append(DuckDBConnection connection, IReadOnlyList<WarehouseRow> rows)
    {
        using DuckDBAppender appender = connection.CreateAppender("incoming");
        foreach (WarehouseRow row in rows)
        {
            IDuckDBAppenderRow line = appender.CreateRow();
            foreach (WarehouseColumn column in WarehouseColumn.All)
            {
                _ = column.Value(row) switch
                {
                    string text => line.AppendValue(text),
                    DateTime instant => line.AppendValue(instant),
                    bool flag => line.AppendValue(flag),
                    long count => line.AppendValue(count),
                    double seconds => line.AppendValue(seconds),
                    _ => line.AppendNullValue(),
                };
            }

            line.EndRow();
        }
    }

    private static string Columns() => string.Join(", ", WarehouseColumn.All.Select(column => $"{column.Name} " + column.Kind switch
    {
        ColumnKind.Text => "VARCHAR",
        // In UTC. With a zone it would need DuckDB's extension for time zones to be read.
        ColumnKind.Instant => "TIMESTAMP",
        ColumnKind.Flag => "BOOLEAN",
        ColumnKind.Count => "BIGINT",
        _ => "DOUBLE",
    } + (column.IsRequired ? " NOT NULL" : "")));

    private static async Task ExecuteAsync(DuckDBConnection connection, string sql, CancellationToken cancellationToken)
    {
        await using DuckDBCommand command = connection.CreateCommand();
        command.CommandText = sql;
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
