namespace Fal.Observability.Client;

/// <summary>
/// The entry point: the apps of one fal account, their live metrics, analytics, runners and cost. Thread-safe; one instance serves a whole
/// application.
/// </summary>
public interface IFalObservabilityClient
{
    /// <summary>What the account's apps are doing now.</summary>
    IFalMetricsClient Metrics { get; }

    /// <summary>What the account's endpoints did over a range of time.</summary>
    IFalAnalyticsClient Analytics { get; }

    /// <summary>Which apps the account has, and how many runners they had.</summary>
    IFalAppsClient Apps { get; }

    /// <summary>What the account's apps used and what it cost.</summary>
    IFalUsageClient Usage { get; }
}
