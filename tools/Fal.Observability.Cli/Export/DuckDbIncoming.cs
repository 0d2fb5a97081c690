using DuckDB.NET.Data;

namespace Fal.Observability.Cli.Export;

/// <summary>An answer in two temporary tables of a connection to DuckDB: <c>incoming</c>, its rows, and <c>slice</c>, what they cover.</summary>
internal static class DuckDbIncoming
{
    /// <summary>Whether a row <c>old</c> of what was exported before gives way to the answer.</summary>
    public const string Replaces = """
        EXISTS (SELECT 1 FROM slice WHERE slice.timeframe = old.timeframe AND old.bucket_start >= slice.range_start AND old.bucket_start < slice.range_end
            AND (old.endpoint_id = slice.endpoint_id OR starts_with(old.endpoint_id, slice.endpoint_id || '/')))
        """;

    /// <summary>Whether the answer has a row with the key of a row <c>old</c>.</summary>
    public const string HasKey = """
        EXISTS (SELECT 1 FROM incoming
            WHERE incoming.endpoint_id = old.endpoint_id AND incoming.bucket_start = old.bucket_start AND incoming.timeframe = old.timeframe)
        """;

    /// <summary>A connection on which the time zone of the machine decides nothing.</summary>
    /// <param name="dataSource">A path, with any characters, or <c>:memory:</c>.</param>
    /// <param name="cancellationToken">Ends the opening.</param>
    public static async Task<DuckDBConnection> OpenAsync(string dataSource, CancellationToken cancellationToken)
    {
        var connection = new DuckDBConnection(new DuckDBConnectionStringBuilder { DataSource = dataSource }.ConnectionString);
        try
        {
            await connection.OpenAsync(cancellationToken);
            await connection.ExecuteAsync("SET TimeZone = 'UTC'", cancellationToken);
            return connection;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    public static async Task<DuckDBConnection> OpenAsync(
        string dataSource, WarehouseSlice slice, IReadOnlyList<WarehouseRow> rows, string instantType, CancellationToken cancellationToken)
    {
        DuckDBConnection connection = await OpenAsync(dataSource, cancellationToken);
        try
        {
            await connection.ExecuteAsync(
                $"CREATE TEMPORARY TABLE slice (endpoint_id VARCHAR, timeframe VARCHAR, range_start {instantType}, range_end {instantType})", cancellationToken);
            using (DuckDBAppender covered = connection.CreateAppender("temp", "main", "slice"))
            {
                foreach (string endpoint in slice.EndpointIds)
                {
                    covered.CreateRow().AppendValue(endpoint).AppendValue(slice.Timeframe)
                        .AppendValue(slice.Start.UtcDateTime).AppendValue(slice.End.UtcDateTime).EndRow();
                }
            }

            await connection.ExecuteAsync($"CREATE TEMPORARY TABLE incoming ({string.Join(", ", Columns(instantType))})", cancellationToken);
            Append(connection, rows);
            return connection;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    /// <summary>The columns as they stand in a statement.</summary>
    /// <param name="instantType">The type of an instant.</param>
    public static IEnumerable<string> Columns(string instantType) => WarehouseColumn.All.Select(column => $"{column.Name} " + column.Kind switch
    {
        ColumnKind.Text => "VARCHAR",
        ColumnKind.Instant => instantType,
        ColumnKind.Flag => "BOOLEAN",
        ColumnKind.Count => "BIGINT",
        _ => "DOUBLE",
    } + (column.IsRequired ? " NOT NULL" : ""));

    public static async Task ExecuteAsync(this DuckDBConnection connection, string sql, CancellationToken cancellationToken)
    {
        await using DuckDBCommand command = connection.CreateCommand();
        command.CommandText = sql;
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private static void Append(DuckDBConnection connection, IReadOnlyList<WarehouseRow> rows)
    {
        using DuckDBAppender appender = connection.CreateAppender("temp", "main", "incoming");
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
}
