namespace Fal.Observability.WarehouseExport;

/// <summary>A place that analytics are exported to.</summary>
internal interface IWarehouseStore
{
    /// <summary>Makes the rows the whole content of a partition for the endpoints of the export: all of them or, on a failure, as it was.</summary>
    /// <param name="partition">The partition.</param>
    /// <param name="rows">Its rows, ascending by bucket.</param>
    /// <param name="cancellationToken">Ends the writing.</param>
    Task ReplaceAsync(WarehousePartition partition, IReadOnlyList<WarehouseRow> rows, CancellationToken cancellationToken);

    /// <summary>What to do with what is there now, for a person.</summary>
    string Describe();
}
