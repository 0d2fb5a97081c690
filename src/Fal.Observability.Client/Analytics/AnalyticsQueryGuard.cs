namespace Fal.Observability.Client;

/// <summary>
/// Refuses a call of <see cref="IFalAnalyticsApi"/> whose query is null, because Refit would send the call without a query. It is the
/// outermost handler of the analytics client, so such a call is not counted.
/// </summary>
internal sealed class AnalyticsQueryGuard : DelegatingHandler
{
    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        // A query always names an endpoint.
        return request.RequestUri is { Query.Length: > 0 }
            ? base.SendAsync(request, cancellationToken)
            : throw new ArgumentException(
                "The query of the analytics call is null. Pass an AnalyticsQuery with at least one endpoint."
            );
    }
}
