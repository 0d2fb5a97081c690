namespace Fal.Observability.Client;

/// <summary>
/// Refuses a call of <see cref="IFalAppsApi"/> whose owner or name would change the path: an empty one, or one that is "." or "..", which a
/// URI treats as a path segment to resolve. This is the outermost handler of the apps client, so such a call is not counted in any metric.
/// </summary>
internal sealed class FalAppsPathGuard : DelegatingHandler
{
    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
        FalRoute.Of(request.RequestUri?.AbsolutePath).Template.StartsWith("/serverless/apps", StringComparison.Ordinal)
            ? base.SendAsync(request, cancellationToken)
            : throw new ArgumentException("The owner or the name of the app is null, empty, or only dots. Pass both parts of its id, " +
                "such as \"my-org\" and \"my-app\".");
}
