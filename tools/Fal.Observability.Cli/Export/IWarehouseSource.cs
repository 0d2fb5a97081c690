using Fal.Observability.Client;

namespace Fal.Observability.Cli.Export;

/// <summary>Where the rows of a table come from.</summary>
internal interface IWarehouseSource
{
    WarehouseTable Table { get; }

    /// <summary>What is asked for one by one, and can be refused one by one: endpoints, or the account as a whole.</summary>
    IReadOnlyList<string> SubjectsOf(ExportRequest request);

    /// <summary>Reads what a slice covers.</summary>
    /// <param name="request">The export.</param>
    /// <param name="slice">The subjects and the time.</param>
    /// <param name="cancellationToken">Ends the calls.</param>
    /// <exception cref="FalApiException">The service refuses all of it, or the call failed in another way.</exception>
    Task<WarehouseAnswer> ReadAsync(ExportRequest request, WarehouseSlice slice, CancellationToken cancellationToken);
}

/// <summary>An answer of the service as rows.</summary>
/// <param name="Rows">The rows.</param>
/// <param name="IsProvisional">Whether the service says that some of it may change.</param>
internal sealed record WarehouseAnswer(IReadOnlyList<WarehouseRow> Rows, bool IsProvisional)
{
    /// <summary>What the service refused.</summary>
    public IReadOnlyList<AnalyticsRefusedEndpoint> Refused { get; init; } = [];

    /// <summary>Endpoints for which the service fails on some metrics.</summary>
    public IReadOnlyList<AnalyticsMissingMetrics> Missing { get; init; } = [];

    /// <summary>Whether the service no longer has all of it, so that what was exported before must stay.</summary>
    public bool OnlyFillsIn { get; init; }
}
