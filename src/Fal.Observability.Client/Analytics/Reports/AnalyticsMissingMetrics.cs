namespace Fal.Observability.Client;

/// <summary>
/// Metrics that were skipped for an endpoint because the service failed on them: see <see cref="AnalyticsQuery.DegradeOnServerError"/>.
/// </summary>
/// <param name="EndpointId">The id as the query names it.</param>
/// <param name="Metrics">The metrics that its rows lack, in the whole range or in a part of it.</param>
public sealed record AnalyticsMissingMetrics(string EndpointId, AnalyticsExpand Metrics);
