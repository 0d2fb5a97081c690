namespace Fal.Observability.Cli.Export;

/// <summary>What an answer of the service covers: its rows replace these rows of a partition, and every other row stays.</summary>
/// <param name="Table">The table.</param>
/// <param name="Timeframe">The name of the timeframe.</param>
/// <param name="EndpointIds">The endpoints that answered, each with its routes.</param>
/// <param name="Start">The first instant.</param>
/// <param name="End">The exclusive end.</param>
/// <param name="OnlyFillsIn">Whether nothing is replaced: the answer gives the rows that are not there.</param>
internal sealed record WarehouseSlice(
    WarehouseTable Table,
    string Timeframe,
    IReadOnlyList<string> EndpointIds,
    DateTimeOffset Start,
    DateTimeOffset End,
    bool OnlyFillsIn = false
)
{
    /// <summary>Whether a row of the same timeframe is one of these.</summary>
    public bool Covers(WarehouseKey key) => key.BucketStart >= Start && key.BucketStart < End
        && (!Table.HasEndpoints || EndpointIds.Any(id => Includes(id, key.EndpointId)));

    /// <summary>Whether an endpoint is another one, or a route of it.</summary>
    public static bool Includes(string endpointId, string other) =>
        other.StartsWith(endpointId, StringComparison.Ordinal) && (other.Length == endpointId.Length || other[endpointId.Length] == '/');
}
