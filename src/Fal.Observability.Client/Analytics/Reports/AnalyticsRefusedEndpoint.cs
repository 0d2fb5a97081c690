using System.Net;

namespace Fal.Observability.Client;

/// <summary>An endpoint that the service refused, and that was left out for that.</summary>
/// <param name="EndpointId">The id as the query names it.</param>
/// <param name="StatusCode">403 where the endpoint is not the account's, 404 where it does not exist.</param>
/// <param name="Message">The service's own words; null where it sent none.</param>
public sealed record AnalyticsRefusedEndpoint(string EndpointId, HttpStatusCode StatusCode, string? Message);
