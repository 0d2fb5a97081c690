using System.Text.Json;

namespace Fal.Observability.WarehouseExport;

/// <summary>
/// A file of newline-delimited JSON for each partition, <c>ndjson/hour/20260131.ndjson</c>, with the schema for BigQuery beside them.
/// </summary>
internal sealed class NdjsonStore(string folder, ExportRequest request) : IWarehouseStore
{
    private readonly string _folder = Path.Combine(folder, "ndjson", request.TimeframeName);

    private string SchemaPath => Path.Combine(_folder, "schema.json");

    public async Task ReplaceAsync(WarehousePartition partition, IReadOnlyList<WarehouseRow> rows, CancellationToken cancellationToken)
    {
        await PartitionFiles.ReplaceAsync(SchemaPath, isEmpty: false, WriteSchemaAsync);
        await PartitionFiles.ReplaceAsync(Path.Combine(_folder, $"{partition.Name}.ndjson"), rows.Count == 0, stream => WriteRowsAsync(stream, rows, cancellationToken));
    }

    public string Describe() =>
        // Replacing a partition makes the load what the export is: done twice, it changes nothing.
        $$"""
        for f in {{Path.Combine(_folder, "*.ndjson")}}; do p=$(basename $f .ndjson)
          bq load --replace --source_format=NEWLINE_DELIMITED_JSON --time_partitioning_field=bucket_start --time_partitioning_type={{(request.Timeframe == Client.AnalyticsTimeframe.Day ? "MONTH" : "DAY")}} "DATASET.analytics_{{request.TimeframeName}}\$$p" $f {{SchemaPath}}
        done
        """;

    private static async Task WriteRowsAsync(Stream stream, IReadOnlyList<WarehouseRow> rows, CancellationToken cancellationToken)
    {
        await using var json = new Utf8JsonWriter(stream);
        foreach (WarehouseRow row in rows)
        {
            json.WriteStartObject();
            foreach (WarehouseColumn column in WarehouseColumn.All)
            {
                switch (column.Value(row))
                {
                    case string text:
                        json.WriteString(column.Name, text);
                        break;
                    case DateTime instant:
                        json.WriteString(column.Name, instant);
                        break;
                    case bool flag:
                        json.WriteBoolean(column.Name, flag);
                        break;
                    case long count:
                        json.WriteNumber(column.Name, count);
                        break;
                    case double seconds:
                        json.WriteNumber(column.Name, seconds);
                        break;
                    default:
                        break;
                }
            }

            json.WriteEndObject();
            await json.FlushAsync(cancellationToken);
            stream.WriteByte((byte)'\n');
            json.Reset();
        }
    }

    private static async Task WriteSchemaAsync(Stream stream)
    {
        await using var json = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true });
        json.WriteStartArray();
        foreach (WarehouseColumn column in WarehouseColumn.All)
        {
            json.WriteStartObject();
            json.WriteString("name", column.Name);
            json.WriteString("type", column.Kind switch
            {
                ColumnKind.Text => "STRING",
                ColumnKind.Instant => "TIMESTAMP",
                ColumnKind.Flag => "BOOL",
                ColumnKind.Count => "INT64",
                _ => "FLOAT64",
            });
            json.WriteString("mode", column.IsRequired ? "REQUIRED" : "NULLABLE");
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }
}
