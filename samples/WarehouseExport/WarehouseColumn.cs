using System.Text.Json;
using System.Text.Json.Nodes;
using Fal.Observability.Client;

namespace Fal.Observability.WarehouseExport;

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
        new("endpoint_id", ColumnKind.Text, true, row => row.Metrics.EndpointId),
        new("bucket_start", ColumnKind.Instant, true, row => row.BucketStart.UtcDateTime),
        new("timeframe", ColumnKind.Text, true, row => row.Timeframe),
        new("is_provisional", ColumnKind.Flag, true, row => row.IsProvisional),
        .. AnalyticsExpand.AllMetrics.GetFlags().Select(metric => metric.IsDuration()
            ? new WarehouseColumn($"{metric.GetWireName()}_seconds", ColumnKind.Seconds, false, row => row.Metrics.GetValue(metric))
            : new WarehouseColumn(metric.GetWireName(), ColumnKind.Count, false, row => (long?)row.Metrics.GetValue(metric))),
        // What the service sends and this program does not know is kept as JSON, for the day on which somebody does.
        new("additional_metrics", ColumnKind.Text, false, row => row.Metrics.AdditionalMetrics.Count == 0 ? null : Json(row.Metrics.AdditionalMetrics)),
    ];

    private static string Json(IReadOnlyDictionary<string, JsonElement> metrics)
    {
        var json = new JsonObject();
        foreach ((string name, JsonElement value) in metrics.OrderBy(metric => metric.Key, StringComparer.Ordinal))
        {
            json[name] = JsonNode.Parse(value.GetRawText());
        }

        return json.ToJsonString();
    }
}

/// <summary>One endpoint in one bucket.</summary>
internal sealed record WarehouseRow(DateTimeOffset BucketStart, string Timeframe, bool IsProvisional, AnalyticsRow Metrics);
