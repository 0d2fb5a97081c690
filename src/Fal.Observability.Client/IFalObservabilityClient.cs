namespace Fal.Observability.Client;

/// <summary>
/// The entry point: the apps of one fal account, their live metrics, analytics, runners and cost. Thread-safe; one instance serves a whole
/// application.
/// </summary>
/// <example>
/// One client answers what happens now and what happened before:
/// <code>
/// FalMetricsSnapshot now = await fal.Metrics.GetSnapshotAsync();
/// FalAppMetrics? longest = now.Apps.MaxBy(app =&gt; app.QueueSize);
/// Console.WriteLine($"The longest queue is that of {longest?.Name}: {longest?.QueueSize} requests");
///
/// FalAppList apps = await fal.Apps.ListAsync();
/// AnalyticsReport day = await fal.Analytics.GetReportAsync(apps.ToQuery());
/// Console.WriteLine($"{AnalyticsTotals.Of(day.TimeSeries).ErrorRate:P2} of the requests of the last 24 hours failed");
/// </code>
/// A class of a service takes the interface, so that a test can pass another implementation:
/// <code>
/// public sealed class QueueWatch(IFalObservabilityClient fal)
/// {
///     public async Task&lt;bool&gt; IsBusyAsync(string app, CancellationToken cancellationToken)
///     {
///         FalMetricsSnapshot now = await fal.Metrics.GetSnapshotAsync(cancellationToken);
///         return now[app] is { QueueSize: &gt; 100 };
///     }
/// }
/// </code>
/// </example>
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
