namespace Fal.Observability.Bridge;

/// <summary>
/// The names of the series that Prometheus makes itself: for each target that it scrapes, and for each alert. The service's series of
/// such a
/// name would answer queries and alerts that ask about Prometheus' own.
/// </summary>
/// <remarks>
/// https://prometheus.io/docs/concepts/jobs_instances/ has the list, to which Prometheus and VictoriaMetrics add with time.
/// </remarks>
internal static class PrometheusOwn
{
    /// <summary>Whether a classic name is one of them.</summary>
    public static bool Contains(string name) =>
        name is "up" or "ALERTS" or "ALERTS_FOR_STATE" || name.StartsWith("scrape_", StringComparison.Ordinal);
}
