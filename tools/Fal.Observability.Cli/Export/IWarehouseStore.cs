namespace Fal.Observability.Cli.Export;

/// <summary>A place that a table is exported to.</summary>
internal interface IWarehouseStore
{
    /// <summary>
    /// Rewrites what an older version of this program has written, where a reader would take it for something else. The rows stay.
    /// </summary>
    /// <param name="cancellationToken">Stops the rewriting; rewritten files are kept, and the next export continues with the rest.</param>
    Task UpgradeAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Whether nothing of the timeframe was exported to it yet, or somebody has removed it.</summary>
    /// <param name="cancellationToken">Ends the look.</param>
    Task<bool> IsEmptyAsync(CancellationToken cancellationToken);

    /// <summary>
    /// Puts the rows of an answer into a partition, in place of those that the answer covers: all of it or, on a failure, as it was.
    /// </summary>
    /// <param name="partition">The partition.</param>
    /// <param name="slice">What the answer covers.</param>
    /// <param name="rows">Its rows.</param>
    /// <param name="cancellationToken">Ends the writing.</param>
    Task ReplaceAsync(
        WarehousePartition partition,
        WarehouseSlice slice,
        IReadOnlyList<WarehouseRow> rows,
        CancellationToken cancellationToken
    );

    /// <summary>What to do with what is there now, for a person.</summary>
    string Describe();
}
