using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Fal.Observability.Client;

/// <summary>What the health check that <c>AddHealthChecks().AddFal()</c> adds calls degraded and unhealthy.</summary>
/// <remarks>
/// <see cref="HealthStatus.Unhealthy"/> is, whatever the options say, a key that is refused (401, 403).
/// <see cref="HealthStatus.Degraded"/> is
/// also data that is stale: older than the <see cref="FalMetricsPublisherOptions.StaleAfter"/> of the account's publisher, or than 2
/// minutes
/// where it has none. Validated when the host starts.
/// </remarks>
public sealed class FalHealthCheckOptions
{
    /// <summary>How many requests may wait in the queue of one app before the status is <see cref="HealthStatus.Degraded"/>.</summary>
    /// <value>If not set, any number. At least 0.</value>
    public double? MaxQueueSize { get; set; }

    /// <summary>
    /// Whether the status is <see cref="HealthStatus.Degraded"/> while requests wait for an app that has no runner up. Switch it off for
    /// apps
    /// that scale to zero and whose cold starts are nothing to report.
    /// </summary>
    /// <value><see langword="true"/></value>
    public bool RequireRunners { get; set; } = true;

    /// <summary>For how long there may be no data before the status is <see cref="HealthStatus.Unhealthy"/>.</summary>
    /// <value>10 minutes. Range 20 seconds to 7 days.</value>
    public TimeSpan UnhealthyAfter { get; set; } = FalHealthCheckOptionTable.UnhealthyAfter.Default;
}
