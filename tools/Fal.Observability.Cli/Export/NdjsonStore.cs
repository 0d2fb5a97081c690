using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Fal.Observability.Cli.Export;

/// <summary>
/// A file of newline-delimited JSON for each partition, <c>ndjson/hour/20260131.ndjson</c>, with the schema for BigQuery beside them.
/// </summary>
internal sealed class NdjsonStore(string folder, WarehouseTable table, ExportRequest request) : IWarehouseStore
{
    private readonly string _folder = Path.Combine(folder, table.FolderOf("ndjson"), request.TimeframeName);

    public Task<bool> IsEmptyAsync(CancellationToken cancellationToken) =>
        Task.FromResult(!Directory.Exists(_folder) || !Directory.EnumerateFiles(_folder, "*.ndjson").Any());

    private string PartitionType => request.Timeframe == Client.AnalyticsTimeframe.Day ? "MONTH" : "DAY";

    private string SchemaPath => Path.Combine(_folder, "schema.json");

    public async Task ReplaceAsync(
        WarehousePartition partition,
        WarehouseSlice slice,
        IReadOnlyList<WarehouseRow> rows,
        CancellationToken cancellationToken
    )
    {
        await PartitionFiles.ReplaceAsync(SchemaPath, isEmpty: false, WriteSchemaAsync);
        string path = Path.Combine(_folder, $"{partition.Name}.ndjson");
        (NdjsonKey Key, string Line)[] old = [.. Lines(path)];
        HashSet<NdjsonKey> stay = slice.OnlyFillsIn ? [.. old.Select(line => line.Key)] : [];
        IEnumerable<(NdjsonKey Key, string Line)> taken = rows.Select(row => (NdjsonKey.Of(row), Line(row)))
            .Where(row => !stay.Contains(row.Item1))
            .ToArray();
        HashSet<NdjsonKey> go = [.. taken.Select(row => row.Key)];
        string[] lines =
        [
            .. old.Where(line => slice.OnlyFillsIn || !(go.Contains(line.Key) || slice.Covers(line.Key.ToKey())))
                .Concat(taken)
                .OrderBy(line => line.Key.BucketStart)
                .ThenBy(line => line.Key.EndpointId, StringComparer.Ordinal)
                .ThenBy(line => line.Key.Line)
                .Select(line => line.Line),
        ];
        await PartitionFiles.ReplaceAsync(path, lines.Length == 0, temporary => WriteAsync(temporary, lines, cancellationToken));
    }

    public string Describe() =>
        // Replacing a partition makes the load what the export is: done twice, it changes nothing.
        $$"""
        for f in {{ShellWord.Quote(_folder)}}/*.ndjson; do p=$(basename "$f" .ndjson)
          bq load --replace --source_format=NEWLINE_DELIMITED_JSON --time_partitioning_field=bucket_start --time_partitioning_type={{PartitionType}} "DATASET.{{table.Name}}_{{request.TimeframeName}}\$$p" "$f" {{ShellWord.Quote(SchemaPath)}}
        done
        """;

    private static IEnumerable<(NdjsonKey Key, string Line)> Lines(string path)
    {
        foreach (string line in File.Exists(path) ? File.ReadLines(path) : [])
        {
            NdjsonKey? key;
            try
            {
                key = JsonSerializer.Deserialize(line, NdjsonJson.Default.NdjsonKey);
            }
            // Half of a surrogate pair in an id is an InvalidOperationException.
            catch (Exception e) when (e is JsonException or InvalidOperationException)
            {
                throw new FormatException(
                    $"{path} has a line that is not a row of an export ({e.Message}). Move the file away and remove the progress file: " +
                        $"the next export writes the data file again.", e);
            }

            if (key is not null)
            {
                yield return (key, line);
            }
        }
    }

    private string Line(WarehouseRow row)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            foreach ((WarehouseColumn column, object? value) in table.Columns.Zip(row.Values))
            {
                switch (value)
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
                    case double number:
                        json.WriteNumber(column.Name, number);
                        break;
                    case decimal amount:
                        // BigQuery reads a number of JSON as a double, and a text digit by digit.
                        json.WriteString(column.Name, amount.ToString(CultureInfo.InvariantCulture));
                        break;
                    default:
                        break;
                }
            }

            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    private static async Task WriteAsync(string path, string[] lines, CancellationToken cancellationToken)
    {
        await using StreamWriter file = File.CreateText(path);
        foreach (string line in lines)
        {
            await file.WriteAsync($"{line}\n".AsMemory(), cancellationToken);
        }
    }

    private async Task WriteSchemaAsync(string path)
    {
        await using FileStream stream = File.Create(path);
        await using var json = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true });
        json.WriteStartArray();
        foreach (WarehouseColumn column in table.Columns)
        {
            json.WriteStartObject();
            json.WriteString("name", column.Name);
            json.WriteString("type", column.Kind switch
            {
                ColumnKind.Text => "STRING",
                ColumnKind.Instant => "TIMESTAMP",
                ColumnKind.Flag => "BOOL",
                ColumnKind.Count => "INT64",
                ColumnKind.Amount => "BIGNUMERIC",
                _ => "FLOAT64",
            });
            json.WriteString("mode", column.IsRequired ? "REQUIRED" : "NULLABLE");
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }
}

/// <summary>What a line of a file is found by; the file is of one timeframe.</summary>
internal sealed record NdjsonKey(
    [property: JsonPropertyName("bucket_start")] DateTimeOffset BucketStart,
    [property: JsonPropertyName("endpoint_id")] string EndpointId = "",
    [property: JsonPropertyName("line")] long Line = 0)
{
    public static NdjsonKey Of(WarehouseRow row) => new(row.Key.BucketStart, row.Key.EndpointId, row.Key.Line);

    public WarehouseKey ToKey() => new(EndpointId, BucketStart, Line);
}

[JsonSerializable(typeof(NdjsonKey))]
[JsonSourceGenerationOptions(RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true)]
internal sealed partial class NdjsonJson : JsonSerializerContext;
