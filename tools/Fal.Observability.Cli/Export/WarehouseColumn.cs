using System.Buffers;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using Fal.Observability.Client;

namespace Fal.Observability.Cli.Export;

/// <summary>What a column holds.</summary>
internal enum ColumnKind
{
    Text,
    Instant,
    Flag,
    Count,
    Seconds,
}

/// <summary>A column of the table, the same in every store: a row is one endpoint in one bucket.</summary>
/// <param name="Name">The name; durations end in <c>_seconds</c>.</param>
/// <param name="Kind">What it holds.</param>
/// <param name="IsRequired">Whether every row has a value.</param>
/// <param name="Value">The value of a row: a string, a UTC <see cref="DateTime"/>, a bool, a long, a double, or null.</param>
internal sealed record WarehouseColumn(string Name, ColumnKind Kind, bool IsRequired, Func<WarehouseRow, object?> Value)
{
    /// <summary>All columns. The first three are the key.</summary>
    public static IReadOnlyList<WarehouseColumn> All { get; } =
    [
        new("endpoint_id", ColumnKind.Text, true, row => row.EndpointId),
        new("bucket_start", ColumnKind.Instant, true, row => row.BucketStart.UtcDateTime),
        new("timeframe", ColumnKind.Text, true, row => row.Timeframe),
        new("is_provisional", ColumnKind.Flag, true, row => row.IsProvisional),
        .. AnalyticsExpand.AllMetrics.GetFlags().Select(metric => metric.IsDuration()
            ? new WarehouseColumn($"{metric.GetWireName()}_seconds", ColumnKind.Seconds, false, row => row.Metrics.GetValue(metric))
            : new WarehouseColumn(metric.GetWireName(), ColumnKind.Count, false, row => row.Metrics.GetCount(metric))),
        // What the service sends and this program does not know is kept as JSON, for the day on which somebody does.
        new("additional_metrics", ColumnKind.Text, false, row => row.Metrics.AdditionalMetrics.Count == 0 ? null : Json(row.Metrics.AdditionalMetrics)),
    ];

    private static string Json(IReadOnlyDictionary<string, JsonElement> metrics)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            foreach ((string name, JsonElement value) in metrics.OrderBy(metric => metric.Key, StringComparer.Ordinal))
            {
                json.WritePropertyName(WarehouseRow.WellFormed(name));
                // As it came: decoding a string throws where it holds half of a surrogate pair or bytes that are not UTF-8.
                json.WriteRawValue(JsonMarshal.GetRawUtf8Value(value), skipInputValidation: true);
            }

            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }
}

/// <summary>One endpoint in one bucket.</summary>
internal sealed record WarehouseRow(DateTimeOffset BucketStart, string Timeframe, bool IsProvisional, AnalyticsRow Metrics)
{
    /// <summary>The id as every store can hold it.</summary>
    public string EndpointId { get; } = WellFormed(Metrics.EndpointId);

    /// <summary>What tells rows of one timeframe apart.</summary>
    public (string EndpointId, DateTimeOffset BucketStart) Key => (EndpointId, BucketStart);

    /// <summary>
    /// A text with U+FFFD in place of what not every store can hold: half of a surrogate pair, which UTF-8 cannot express, and NUL, at
    /// which DuckDB ends a text.
    /// </summary>
    public static string WellFormed(string text) => Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text)).Replace('\0', '\uFFFD');
}
