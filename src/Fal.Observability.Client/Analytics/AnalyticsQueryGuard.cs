namespace Fal.Observability.Client;

/// <summary>
/// Refuses a call of <see cref="IFalAnalyticsApi"/> whose query was null: Refit leaves a null out, and a bare call would go out in its
/// place. The outermost handler of the analytics client, so that such a call counts nowhere.
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
