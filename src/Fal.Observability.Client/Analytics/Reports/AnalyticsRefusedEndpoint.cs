using System.Net;

namespace Fal.Observability.Client;

/// <summary>An endpoint that was skipped because the service refused it.</summary>
/// <param name="EndpointId">The id as the query names it.</param>
/// <param name="StatusCode">403 if the endpoint is not the account's, 404 if it does not exist.</param>
/// <param name="Message">The service's message; null if it sent none.</param>
public sealed record AnalyticsRefusedEndpoint(string EndpointId, HttpStatusCode StatusCode, string? Message);
