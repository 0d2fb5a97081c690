using Fal.Observability.Client;

namespace Fal.Observability.Cli.Export;

/// <summary>What is exported.</summary>
internal sealed record ExportRequest
{
    /// <summary>The most endpoints that one call of the service takes is no limit here.</summary>
    public required IReadOnlyList<string> EndpointIds { get; init; }

    public AnalyticsTimeframe Timeframe { get; init; } = AnalyticsTimeframe.Hour;

    /// <summary>The first day, in UTC.</summary>
    public required DateOnly First { get; init; }

    /// <summary>The last day, in UTC; null: until now, and further each time the export is run again.</summary>
    public DateOnly? Last { get; init; }

    /// <summary>The name of the timeframe in the table.</summary>
    public string TimeframeName => Timeframe.GetWireName();
}
