using System.Globalization;
using DuckDB.NET.Data;

namespace Fal.Observability.Cli.Export;

/// <summary>
/// An answer in two temporary tables of a connection to DuckDB: <c>incoming</c>, its rows, and <c>slice</c>, what they cover.
/// </summary>
internal static class DuckDbIncoming
{
    private static readonly string AmountType =
        string.Create(CultureInfo.InvariantCulture, $"DECIMAL({WarehouseColumn.AmountPrecision}, {WarehouseColumn.AmountScale})");

    /// <summary>Whether a row <c>old</c> of what was exported before gives way to the answer.</summary>
    public static string Replaces(WarehouseTable table) =>
        $"""
            EXISTS (SELECT 1 FROM slice WHERE slice.timeframe = old.timeframe AND old.bucket_start >= slice.range_start AND old.bucket_start < slice.range_end
                {(
                table.HasEndpoints
                    ? "AND (old.endpoint_id = slice.endpoint_id OR starts_with(old.endpoint_id, slice.endpoint_id || '/'))"
                    : ""
            )})
            """;

    /// <summary>Whether the answer has a row with the key of a row <c>old</c>.</summary>
    public static string HasKey(WarehouseTable table) =>
        $"EXISTS (SELECT 1 FROM incoming WHERE {string.Join(" AND ", table.Key.Select(column => $"incoming.{column} = old.{column}"))})";

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
                $"CREATE TEMPORARY TABLE slice (endpoint_id VARCHAR, timeframe VARCHAR, range_start {instantType}, " +
                    $"range_end {instantType})", cancellationToken);
            using (DuckDBAppender covered = connection.CreateAppender("temp", "main", "slice"))
            {
                foreach (string endpoint in slice.EndpointIds)
                {
                    covered.CreateRow().AppendValue(endpoint).AppendValue(slice.Timeframe)
                        .AppendValue(slice.Start.UtcDateTime).AppendValue(slice.End.UtcDateTime).EndRow();
                }
            }

            // DuckDB reads amounts from their digits, and so rounds nothing.
            await connection.ExecuteAsync(
                $"CREATE TEMPORARY TABLE appended ({string.Join(", ", Columns(slice.Table, instantType, amountType: "VARCHAR"))})",
                cancellationToken
            );
            Append(connection, slice.Table, rows);
            string[] amounts =
            [
                .. slice
                    .Table.Columns.Where(column => column.Kind == ColumnKind.Amount)
                    .Select(column => $"{column.Name}::{AmountType} AS {column.Name}"),
            ];
            string values = amounts.Length == 0 ? "*" : $"* REPLACE ({string.Join(", ", amounts)})";
            await connection.ExecuteAsync($"CREATE TEMPORARY TABLE incoming AS SELECT {values} FROM appended", cancellationToken);
            return connection;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    /// <summary>The columns as they stand in a statement.</summary>
    /// <param name="table">The table.</param>
    /// <param name="instantType">The type of an instant.</param>
    /// <param name="amountType">The type of an amount.</param>
    public static IEnumerable<string> Columns(WarehouseTable table, string instantType, string? amountType = null) =>
        table.Columns.Select(column =>
            $"{column.Name} "
            + column.Kind switch
            {
                ColumnKind.Text => "VARCHAR",
                ColumnKind.Instant => instantType,
                ColumnKind.Flag => "BOOLEAN",
                ColumnKind.Count => "BIGINT",
                ColumnKind.Amount => amountType ?? AmountType,
                _ => "DOUBLE",
            }
            + (column.IsRequired ? " NOT NULL" : "")
        );

    public static async Task ExecuteAsync(this DuckDBConnection connection, string sql, CancellationToken cancellationToken)
    {
        await using DuckDBCommand command = connection.CreateCommand();
        command.CommandText = sql;
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private static void Append(DuckDBConnection connection, WarehouseTable table, IReadOnlyList<WarehouseRow> rows)
    {
        using DuckDBAppender appender = connection.CreateAppender("temp", "main", "appended");
        foreach (WarehouseRow row in rows)
        {
            IDuckDBAppenderRow line = appender.CreateRow();
            foreach (object? value in row.Values)
            {
                _ = value switch
                {
                    string text => line.AppendValue(text),
                    DateTime instant => line.AppendValue(instant),
                    bool flag => line.AppendValue(flag),
                    long count => line.AppendValue(count),
                    double number => line.AppendValue(number),
                    decimal amount => line.AppendValue(amount.ToString(CultureInfo.InvariantCulture)),
                    _ => line.AppendNullValue(),
                };
            }

            line.EndRow();
        }
    }
}
