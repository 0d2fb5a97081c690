namespace Fal.Observability.Client;

/// <summary>
/// The way in: the live metrics and the analytics of the apps of one fal account. Thread-safe; one instance serves a whole
/// application.
/// </summary>
public interface IFalObservabilityClient
{
    /// <summary>What the account's apps are doing now.</summary>
    IFalMetricsClient Metrics { get; }

    /// <summary>What the account's endpoints did over a range of time.</summary>
    IFalAnalyticsClient Analytics { get; }
}
