using System.Data.Common;
using System.Globalization;
using DuckDB.NET.Data;
using Parquet;
using Parquet.Schema;

namespace Fal.Observability.Cli.Export;

/// <summary>
/// A Parquet file for each partition, <c>parquet/timeframe=hour/20260131.parquet</c>. DuckDB puts old and new rows together.
/// </summary>
internal sealed class ParquetStore(string folder, WarehouseTable table, ExportRequest request) : IWarehouseStore
{
    private readonly string _root = Path.Combine(folder, table.FolderOf("parquet"));

    private readonly string _folder = Path.Combine(folder, table.FolderOf("parquet"), $"timeframe={request.TimeframeName}");

    /// <summary>
    /// Older versions marked an instant with Parquet's legacy type alone. Readers differ in how they take that (DuckDB: local time), and
    /// one that reads old and new files together takes both as it takes the first. So no old file stays, of any timeframe.
    /// </summary>
    public async Task UpgradeAsync(CancellationToken cancellationToken)
    {
        string[] files = Directory.Exists(_root) ? Directory.GetFiles(_root, "*.parquet", SearchOption.AllDirectories) : [];
        if (files.Length == 0)
        {
            return;
        }

        await using DuckDBConnection connection = await DuckDbIncoming.OpenAsync(":memory:", cancellationToken);
        foreach (string path in files.Where(IsParquet))
        {
            await using DuckDBCommand ofLocalTime = connection.CreateCommand();
            ofLocalTime.CommandText = $"""
                SELECT count(*) FROM (DESCRIBE SELECT * FROM {Read(path)})
                WHERE column_name = 'bucket_start' AND column_type LIKE 'TIMESTAMP%' AND column_type <> 'TIMESTAMP WITH TIME ZONE'
                """;
            if (await ofLocalTime.ExecuteScalarAsync(cancellationToken) is 0L)
            {
                continue;
            }

            await connection.ExecuteAsync(
                $"CREATE OR REPLACE TEMPORARY TABLE merged AS SELECT * REPLACE (bucket_start::TIMESTAMPTZ AS bucket_start) " +
                    $"FROM {Read(path)}",
                cancellationToken
            );
            await PartitionFiles.ReplaceAsync(
                path,
                isEmpty: false,
                temporary => WriteAsync(connection, path, temporary, cancellationToken)
            );
        }
    }

    public Task<bool> IsEmptyAsync(CancellationToken cancellationToken) =>
        Task.FromResult(!Directory.Exists(_folder) || !Directory.EnumerateFiles(_folder, "*.parquet").Any());

    public async Task ReplaceAsync(
        WarehousePartition partition,
        WarehouseSlice slice,
        IReadOnlyList<WarehouseRow> rows,
        CancellationToken cancellationToken
    )
    {
        string path = Path.Combine(_folder, $"{partition.Name}.parquet");
        await using DuckDBConnection connection = await DuckDbIncoming.OpenAsync(":memory:", slice, rows, "TIMESTAMPTZ", cancellationToken);
        // By name, so that a column which another version has written is kept too.
        string before = $"{Read(path)} AS old";
        string all = !File.Exists(path) ? "SELECT * FROM incoming"
            : slice.OnlyFillsIn ? $"SELECT * FROM incoming ANTI JOIN {before} USING ({string.Join(", ", table.Key)}) UNION ALL BY NAME " +
                $"SELECT * FROM {before}"
            : $"SELECT * FROM incoming UNION ALL BY NAME SELECT * FROM {before} WHERE NOT {DuckDbIncoming.Replaces(table)} AND " +
                $"NOT {DuckDbIncoming.HasKey(table)}";
        await connection.ExecuteAsync($"CREATE TEMPORARY TABLE merged AS {all} ORDER BY {string.Join(", " +
            "", table.Key.OrderByDescending(column => column == "bucket_start"))}", cancellationToken);
        await using DuckDBCommand count = connection.CreateCommand();
        count.CommandText = "SELECT count(*) FROM merged";
        bool isEmpty = await count.ExecuteScalarAsync(cancellationToken) is 0L;
        await PartitionFiles.ReplaceAsync(path, isEmpty, temporary => WriteAsync(connection, path, temporary, cancellationToken));
    }

    public string Describe() => $"duckdb -c {ShellWord.Quote($"SELECT count(*) FROM {Literal($"{GlobEscaped(_folder)}/*.parquet")}")}";

    /// <summary>Writes the merged rows, a column after the other.</summary>
    private async Task WriteAsync(DuckDBConnection connection, string path, string temporary, CancellationToken cancellationToken)
    {
        (DataField Field, Type Type)[] columns = await ColumnsAsync(connection, path, cancellationToken);
        await using FileStream file = File.Create(temporary);
        await using ParquetWriter writer = await ParquetWriter.CreateAsync(
            new ParquetSchema(columns.Select(column => column.Field)),
            file,
            cancellationToken: cancellationToken
        );
        using ParquetRowGroupWriter group = writer.CreateRowGroup();
        foreach ((DataField field, Type type) in columns)
        {
            if (type == typeof(string))
            {
                await group.WriteAsync(field, (await ValuesAsync(row => row.IsDBNull(0) ? null : row.GetString(0)))!);
            }
            else if (type == typeof(DateTime))
            {
                await group.WriteAsync<DateTime>(
                    field,
                    await ValuesAsync(row => DateTime.SpecifyKind(row.GetDateTime(0), DateTimeKind.Utc)),
                    cancellationToken: cancellationToken
                );
            }
            else if (type == typeof(bool) && !field.IsNullable)
            {
                await group.WriteAsync<bool>(field, await ValuesAsync(row => row.GetBoolean(0)), cancellationToken: cancellationToken);
            }
            else if (type == typeof(bool))
            {
                await group.WriteAsync<bool>(
                    field,
                    await ValuesAsync(row => row.IsDBNull(0) ? (bool?)null : row.GetBoolean(0)),
                    cancellationToken: cancellationToken
                );
            }
            else if (type == typeof(decimal))
            {
                await group.WriteAsync<decimal>(
                    field,
                    await ValuesAsync(
                        row => row.IsDBNull(0) ? (decimal?)null : decimal.Parse(row.GetString(0), CultureInfo.InvariantCulture),
                        "::VARCHAR"
                    ),
                    cancellationToken: cancellationToken
                );
            }
            else if (type == typeof(long) && !field.IsNullable)
            {
                await group.WriteAsync<long>(field, await ValuesAsync(row => row.GetInt64(0)), cancellationToken: cancellationToken);
            }
            else if (type == typeof(long))
            {
                await group.WriteAsync<long>(
                    field,
                    await ValuesAsync(row => row.IsDBNull(0) ? (long?)null : row.GetInt64(0)),
                    cancellationToken: cancellationToken
                );
            }
            else
            {
                await group.WriteAsync<double>(
                    field,
                    await ValuesAsync(row => row.IsDBNull(0) ? (double?)null : row.GetDouble(0)),
                    cancellationToken: cancellationToken
                );
            }

            async Task<T[]> ValuesAsync<T>(Func<DbDataReader, T> value, string cast = "")
            {
                await using DuckDBCommand command = connection.CreateCommand();
                command.CommandText = $"SELECT \"{field.Name.Replace("\"", "\"\"", StringComparison.Ordinal)}\"{cast} FROM merged";
                await using DbDataReader reader = await command.ExecuteReaderAsync(cancellationToken);
                var values = new List<T>();
                while (await reader.ReadAsync(cancellationToken))
                {
                    values.Add(value(reader));
                }

                return [.. values];
            }
        }

        group.CompleteValidate();
    }

    private async Task<(DataField Field, Type Type)[]> ColumnsAsync(
        DuckDBConnection connection,
        string path,
        CancellationToken cancellationToken
    )
    {
        await using DuckDBCommand command = connection.CreateCommand();
        command.CommandText = "SELECT * FROM merged LIMIT 0";
        await using DbDataReader reader = await command.ExecuteReaderAsync(cancellationToken);
        HashSet<string> required = [.. table.Columns.Where(column => column.IsRequired).Select(column => column.Name)];
        HashSet<string> amounts = [.. table.Columns.Where(column => column.Kind == ColumnKind.Amount).Select(column => column.Name)];
        return
        [
            .. Enumerable
                .Range(0, reader.FieldCount)
                .Select(i => (FieldOf(reader.GetName(i), reader.GetFieldType(i)), reader.GetFieldType(i))),
        ];

        // In milliseconds, which buckets of whole minutes have no use for a finer unit than: Parquet.Net 6.1 writes the minimum and the
        // maximum of microseconds a thousand times too small, and a filter that trusts them finds other rows.
        DataField FieldOf(string name, Type type) =>
            type == typeof(string) ? new DataField<string>(name, !required.Contains(name))
            : type == typeof(DateTime) && required.Contains(name)
                ? new DateTimeDataField(
                    name,
                    DateTimeFormat.Timestamp,
                    isAdjustedToUTC: true,
                    unit: DateTimeTimeUnit.Millis,
                    isNullable: false
                )
            : type == typeof(bool) ? new DataField<bool>(name, !required.Contains(name))
            : type == typeof(long) ? new DataField<long>(name, !required.Contains(name))
            : type == typeof(decimal) && amounts.Contains(name)
                ? new DecimalDataField(name, WarehouseColumn.AmountPrecision, WarehouseColumn.AmountScale, isNullable: true)
            : type == typeof(double) ? new DataField<double>(name, true)
            : throw new FormatException($"{path} has a column {name}, which no version of the export writes and this version cannot " +
                $"keep. Move the file away and remove the progress file: the next export writes the data file again.");
    }

    // A file is complete when it ends as it begins.
    private static bool IsParquet(string path)
    {
        const int MarkLength = 4;
        using Microsoft.Win32.SafeHandles.SafeFileHandle file = File.OpenHandle(path);
        Span<byte> marks = stackalloc byte[2 * MarkLength];
        return RandomAccess.GetLength(file) > marks.Length
            && RandomAccess.Read(file, marks[..MarkLength], 0) == MarkLength
            && RandomAccess.Read(file, marks[MarkLength..], RandomAccess.GetLength(file) - MarkLength) == MarkLength
            && marks.SequenceEqual("PAR1PAR1"u8);
    }

    private static string Read(string path) => $"read_parquet({Literal(path)}, hive_partitioning = false)";

    /// <summary>A path for DuckDB to take literally, although a pattern follows it.</summary>
    private static string GlobEscaped(string path) =>
        path.Replace("[", "[[]", StringComparison.Ordinal)
            .Replace("*", "[*]", StringComparison.Ordinal)
            .Replace("?", "[?]", StringComparison.Ordinal);

    private static string Literal(string path) => $"'{path.Replace("'", "''", StringComparison.Ordinal)}'";
}
