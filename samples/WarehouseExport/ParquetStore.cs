using Parquet;
using Parquet.Schema;

namespace Fal.Observability.WarehouseExport;

/// <summary>A Parquet file for each partition: <c>parquet/timeframe=hour/20260131.parquet</c>.</summary>
internal sealed class ParquetStore(string folder, ExportRequest request) : IWarehouseStore
{
    private readonly string _folder = Path.Combine(folder, "parquet", $"timeframe={request.TimeframeName}");

    public Task ReplaceAsync(WarehousePartition partition, IReadOnlyList<WarehouseRow> rows, CancellationToken cancellationToken) =>
        PartitionFiles.ReplaceAsync(Path.Combine(_folder, $"{partition.Name}.parquet"), rows.Count == 0, stream => WriteAsync(stream, rows, cancellationToken));

    public string Describe() => $"duckdb -c \"SELECT count(*) FROM '{Path.Combine(_folder, "*.parquet")}'\"";

    private static async Task WriteAsync(Stream stream, IReadOnlyList<WarehouseRow> rows, CancellationToken cancellationToken)
    {
        DataField[] fields = [.. WarehouseColumn.All.Select(FieldOf)];
        await using ParquetWriter writer = await ParquetWriter.CreateAsync(new ParquetSchema(fields), stream, cancellationToken: cancellationToken);
        using ParquetRowGroupWriter group = writer.CreateRowGroup();
        for (int i = 0; i < fields.Length; i++)
        {
            WarehouseColumn column = WarehouseColumn.All[i];
            Task written = column.Kind switch
            {
                ColumnKind.Text => group.WriteAsync(fields[i], Values(rows, row => (string?)column.Value(row))!),
                ColumnKind.Instant => group.WriteAsync<DateTime>(fields[i], Values(rows, row => (DateTime)column.Value(row)!), cancellationToken: cancellationToken),
                ColumnKind.Flag => group.WriteAsync<bool>(fields[i], Values(rows, row => (bool)column.Value(row)!), cancellationToken: cancellationToken),
                ColumnKind.Count => group.WriteAsync<long>(fields[i], Values(rows, row => (long?)column.Value(row)), cancellationToken: cancellationToken),
                _ => group.WriteAsync<double>(fields[i], Values(rows, row => (double?)column.Value(row)), cancellationToken: cancellationToken),
            };
            await written;
        }

        group.CompleteValidate();
    }

    private static T[] Values<T>(IReadOnlyList<WarehouseRow> rows, Func<WarehouseRow, T> value) => [.. rows.Select(value)];

    private static DataField FieldOf(WarehouseColumn column) => column.Kind switch
    {
        ColumnKind.Text => new DataField<string>(column.Name, !column.IsRequired),
        ColumnKind.Instant => new DateTimeDataField(column.Name, DateTimeFormat.DateAndTimeMicros, isAdjustedToUTC: true, isNullable: false),
        ColumnKind.Flag => new DataField<bool>(column.Name, false),
        ColumnKind.Count => new DataField<long>(column.Name, true),
        _ => new DataField<double>(column.Name, true),
    };
}
