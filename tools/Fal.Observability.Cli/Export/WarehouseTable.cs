using System.Buffers;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using Fal.Observability.Client;

namespace Fal.Observability.Cli.Export;

/// <summary>A table that an export fills: its name, its columns and its key.</summary>
/// <param name="name">The name, in DuckDB and in the names of folders.</param>
/// <param name="key">The names of the columns that tell its rows apart.</param>
/// <param name="columns">All columns.</param>
/// <param name="example">A query to begin with, as it stands between SELECT and FROM.</param>
internal class WarehouseTable(string name, IReadOnlyList<string> key, IReadOnlyList<WarehouseColumn> columns, string example)
{
    /// <summary>One row for each endpoint and bucket: what its requests did.</summary>
    public static readonly WarehouseTable<AnalyticsRow> Analytics = new(
        "analytics",
        ["endpoint_id", "bucket_start", "timeframe"],
        [
            .. OfEndpoint<AnalyticsRow>(),
            .. AnalyticsExpand
                .AllMetrics.GetFlags()
                .Select(metric =>
                    metric.IsDuration()
                        ? new WarehouseColumn<AnalyticsRow>(
                            $"{metric.GetWireName()}_seconds",
                            ColumnKind.Number,
                            false,
                            item => item.Value.GetValue(metric)
                        )
                        : new WarehouseColumn<AnalyticsRow>(
                            metric.GetWireName(),
                            ColumnKind.Count,
                            false,
                            item => item.Value.GetCount(metric)
                        )
                ),
            // What the service sends and this program does not know is kept as JSON, for the day on which somebody does.
            new("additional_metrics", ColumnKind.Text, false, item => Json(item.Value.AdditionalMetrics, [])),
        ],
        "endpoint_id, sum(request_count), sum(error_count)");

    /// <summary>One row for each line of the bill and bucket. Lines can be equal in all but their number.</summary>
    public static readonly WarehouseTable<UsageRow> Usage = new(
        "usage",
        ["bucket_start", "timeframe", "line"],
        [
            .. OfBucket<UsageRow>(),
            new("line", ColumnKind.Count, true, item => item.Line),
            Text("app", row => row.App),
            Text("environment", row => row.Environment),
            Text("machine_type", row => row.MachineType),
            Text("unit", row => row.Unit),
            .. Amounts.Select(amount => new WarehouseColumn<UsageRow>(
                amount.Name,
                ColumnKind.Amount,
                false,
                item => amount.Value(item.Value)
            )),
            Text("currency", row => row.Currency),
            new("is_surge", ColumnKind.Flag, true, item => item.Value.IsSurge),
            new("additional_members", ColumnKind.Text, false, item => Json(item.Value.AdditionalMembers, TooFine(item.Value))),
        ],
        "app, currency, sum(cost_total)");

    /// <summary>One row for each app and bucket: how many runners it had.</summary>
    public static readonly WarehouseTable<RunnerCounts> Runners = new(
        "runners",
        ["endpoint_id", "bucket_start", "timeframe"],
        [
            .. OfEndpoint<RunnerCounts>(),
            .. RunnerStates.Select(state => new WarehouseColumn<RunnerCounts>(
                $"{state.Name}_max",
                ColumnKind.Count,
                false,
                item => item.Value.Max is { } bucket ? WholeOrNull(state.Value(bucket)) : null
            )),
            .. RunnerStates.Select(state => new WarehouseColumn<RunnerCounts>(
                $"{state.Name}_average", ColumnKind.Number, false, item => item.Value.Average is { } bucket ? state.Value(bucket) : null)),
        ],
        "endpoint_id, max(running_max), avg(idle_average)");

    /// <summary>Every table, in the order in which they are exported.</summary>
    public static IReadOnlyList<WarehouseTable> All { get; } = [Analytics, Usage, Runners];

    private static IReadOnlyList<(string Name, Func<UsageRow, decimal?> Value)> Amounts =>
    [
        ("quantity", row => row.Quantity),
        ("unit_price", row => row.UnitPrice),
        ("percent_discount", row => row.PercentDiscount),
        ("cost_subtotal", row => row.CostSubtotal),
        ("cost_discount", row => row.CostDiscount),
        ("cost_total", row => row.Cost),
    ];

    private static IReadOnlyList<(string Name, Func<FalRunnerBucket, double?> Value)> RunnerStates =>
    [
        ("running", bucket => bucket.Running),
        ("idle", bucket => bucket.Idle),
        ("pending", bucket => bucket.Pending),
        ("draining", bucket => bucket.Draining),
    ];

    public string Name => name;

    public IReadOnlyList<string> Key => key;

    public IReadOnlyList<WarehouseColumn> Columns => columns;

    /// <summary>A query to begin with.</summary>
    /// <param name="source">What it reads from.</param>
    public string Example(string source) => $"SELECT {example} FROM {source} GROUP BY ALL";

    /// <summary>Whether rows belong to endpoints. Otherwise an answer covers every row of its time.</summary>
    public bool HasEndpoints => key.Contains("endpoint_id");

    /// <summary>The folder of the table's files. Analytics have the store's own, as they had it before there were other tables.</summary>
    public string FolderOf(string store) => this == Analytics ? store : $"{store}-{name}";

    private static WarehouseColumn<T>[] OfBucket<T>() =>
    [
        new("bucket_start", ColumnKind.Instant, true, item => item.BucketStart.UtcDateTime),
        new("timeframe", ColumnKind.Text, true, item => item.Timeframe),
        new("is_provisional", ColumnKind.Flag, true, item => item.IsProvisional),
    ];

    private static WarehouseColumn<T>[] OfEndpoint<T>() =>
        [new("endpoint_id", ColumnKind.Text, true, item => item.EndpointId), .. OfBucket<T>()];

    private static WarehouseColumn<UsageRow> Text(string name, Func<UsageRow, string?> value) => new(
        name, ColumnKind.Text, false, item => value(item.Value) is { } text ? WarehouseRow.WellFormed(text) : null);

    /// <summary>
    /// A highest number of runners, which is whole; null if the service sends a fraction, which the column cannot hold.
    /// </summary>
    private static long? WholeOrNull(double? number) =>
        number is { } value && value == Math.Truncate(value) && value < long.MaxValue ? (long)value : null;

    /// <summary>The amounts with more digits after the point than their column holds.</summary>
    private static IEnumerable<KeyValuePair<string, decimal>> TooFine(UsageRow row) => Amounts
        .Where(amount => amount.Value(row) is { } value && value != decimal.Round(value, WarehouseColumn.AmountScale))
        .Select(amount => KeyValuePair.Create(amount.Name, amount.Value(row)!.Value));

    private static string? Json(IReadOnlyDictionary<string, JsonElement> members, IEnumerable<KeyValuePair<string, decimal>> amounts)
    {
        KeyValuePair<string, decimal>[] exact = [.. amounts];
        if (members.Count == 0 && exact.Length == 0)
        {
            return null;
        }

        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            foreach ((string member, JsonElement value) in members.OrderBy(member => member.Key, StringComparer.Ordinal))
            {
                json.WritePropertyName(WarehouseRow.WellFormed(member));
                // Unchanged: decoding a string throws if it has an unpaired surrogate or bytes that are not UTF-8.
                json.WriteRawValue(JsonMarshal.GetRawUtf8Value(value), skipInputValidation: true);
            }

            foreach ((string member, decimal value) in exact)
            {
                json.WriteString(member, value.ToString(CultureInfo.InvariantCulture));
            }

            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }
}

/// <summary>A table whose rows are made of what the service sends.</summary>
internal sealed class WarehouseTable<T>(string name, IReadOnlyList<string> key, IReadOnlyList<WarehouseColumn<T>> columns, string example)
    : WarehouseTable(name, key, columns, example)
{
    public WarehouseRow RowOf(WarehouseItem<T> item) =>
        new(new WarehouseKey(item.EndpointId, item.BucketStart, item.Line), [.. columns.Select(column => column.Value(item))]);
}

/// <summary>The runners of an app in one bucket: the highest numbers, and the means.</summary>
internal sealed record RunnerCounts(FalRunnerBucket? Max, FalRunnerBucket? Average);
