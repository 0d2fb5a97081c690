using Fal.Observability.Client;

namespace Fal.Observability.Cli.Report;

/// <summary>What the service answered for a report.</summary>
internal sealed record ReportSources
{
    public required ReportRequest Request { get; init; }

    public required DateTimeOffset CollectedAt { get; init; }

    /// <summary>Buckets and summary of the period.</summary>
    public required AnalyticsReport Requests { get; init; }

    /// <summary>The summary of the period before; null: the service does not answer for it.</summary>
    public AnalyticsReport? RequestsBefore { get; init; }

    /// <summary>The mean numbers of runners, by app.</summary>
    public IReadOnlyDictionary<string, FalRunnerHistory> MeanRunners { get; init; } = new Dictionary<string, FalRunnerHistory>();

    /// <summary>The highest numbers of runners, by app.</summary>
    public IReadOnlyDictionary<string, FalRunnerHistory> MostRunners { get; init; } = new Dictionary<string, FalRunnerHistory>();

    /// <summary>The bill of the period; null: the service refuses it.</summary>
    public UsageReport? Usage { get; init; }

    /// <summary>The same bill by day.</summary>
    public UsageReport? UsageByDay { get; init; }

    /// <summary>The bill of the period before.</summary>
    public UsageReport? UsageBefore { get; init; }

    /// <summary>What the service did not deliver.</summary>
    public IReadOnlyList<ReportGap> Gaps { get; init; } = [];
}
