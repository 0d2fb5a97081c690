using System.Text;

namespace Fal.Observability.Cli.Export;

/// <summary>What becomes one row.</summary>
/// <param name="BucketStart">When its bucket starts.</param>
/// <param name="Timeframe">The name of the bucket's length.</param>
/// <param name="IsProvisional">Whether the service may still change it.</param>
/// <param name="Value">What the service sent.</param>
/// <param name="Endpoint">The endpoint that it is about; empty if the table has none.</param>
/// <param name="Line">Its number among those of its bucket; 0 if an endpoint distinguishes them.</param>
internal sealed record WarehouseItem<T>(
    DateTimeOffset BucketStart, string Timeframe, bool IsProvisional, T Value, string Endpoint = "", long Line = 0)
{
    /// <summary>The endpoint's id as every store can hold it.</summary>
    public string EndpointId { get; } = WarehouseRow.WellFormed(Endpoint);
}

/// <summary>One row of a table.</summary>
/// <param name="Key">What distinguishes rows of one timeframe.</param>
/// <param name="Values">The values, in the order of the table's columns.</param>
internal sealed record WarehouseRow(WarehouseKey Key, IReadOnlyList<object?> Values)
{
    /// <summary>
    /// A text with U+FFFD in place of what not every store can hold: an unpaired surrogate, which UTF-8 cannot express, and NUL, at
    /// which DuckDB ends a text.
    /// </summary>
    public static string WellFormed(string text) => Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text)).Replace('\0', '\uFFFD');
}

/// <summary>What distinguishes the rows of one table and timeframe.</summary>
/// <param name="EndpointId">Empty if the table has no endpoints.</param>
/// <param name="BucketStart">When the bucket starts.</param>
/// <param name="Line">0 if the endpoint is enough.</param>
internal readonly record struct WarehouseKey(string EndpointId, DateTimeOffset BucketStart, long Line);
