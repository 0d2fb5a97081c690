using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Fal.Observability.Client;

/// <summary>When the health check that <c>AddHealthChecks().AddFal()</c> adds reports degraded or unhealthy.</summary>
/// <remarks>
/// Whatever the options say, a refused key (401, 403) is <see cref="HealthStatus.Unhealthy"/>, and stale data is
/// <see cref="HealthStatus.Degraded"/>. Data is stale if it is older than the <see cref="FalMetricsPublisherOptions.StaleAfter"/> of the
/// account's publisher, or than 2 minutes if there is no publisher. The options are validated when the host starts.
/// </remarks>
public sealed class FalHealthCheckOptions
{
    /// <summary>How many requests may wait in the queue of one app before the status is <see cref="HealthStatus.Degraded"/>.</summary>
    /// <value>Default: no limit. Must be 0 or more.</value>
    public double? MaxQueueSize { get; set; }

    /// <summary>
    /// Whether the status is <see cref="HealthStatus.Degraded"/> while requests wait for an app without a running or idle runner. Set it to
    /// false for apps that scale to zero and whose cold starts need no report.
    /// </summary>
    /// <value><see langword="true"/></value>
    public bool RequireRunners { get; set; } = true;

    /// <summary>How long there may be no data before the status is <see cref="HealthStatus.Unhealthy"/>.</summary>
    /// <value>10 minutes. Range 20 seconds to 7 days.</value>
    public TimeSpan UnhealthyAfter { get; set; } = FalHealthCheckOptionTable.UnhealthyAfter.Default;
}
