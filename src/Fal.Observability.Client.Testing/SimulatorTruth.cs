namespace Fal.Observability.Client.Testing;

/// <summary>
/// What the simulator would answer without paging, without a limit of endpoints and without faults: the reference
/// that a client's merged report is compared with. Buckets ascend, rows stand in the order of the requested ids, an
/// app's own before those of its routes. Minutes that are not over yet are quiet, as they are over the wire.
/// </summary>
internal sealed class SimulatorTruth(AnalyticsEndpoint analytics, TimeProvider time)
{
    /// <summary>The whole answer to a request.</summary>
    /// <param name="request">What is asked for; any number of endpoints.</param>
    /// <param name="route">One of the two analytics routes.</param>
    /// <exception cref="ArgumentException">The route does not know an endpoint or a metric of the request, or has no analytics.</exception>
    public AnalyticsAnswer Analytics(AnalyticsRequest request, SimulatorRoute route = SimulatorRoute.ServerlessAnalytics)
    {
        ArgumentNullException.ThrowIfNull(request);
        if (route is not (SimulatorRoute.ServerlessAnalytics or SimulatorRoute.ModelsAnalytics))
        {
            throw new ArgumentException($"The route {route} has no analytics.", nameof(route));
        }

        if (request.Metrics.FirstOrDefault(name => !AnalyticsMetric.ByName.ContainsKey(name)) is string unknown)
        {
            throw new ArgumentException($"There is no metric '{unknown}'.", nameof(request));
        }

        try
        {
            return analytics.WholeAnswer(request, route);
        }
        catch (RefusedCallException refusal)
        {
            throw new ArgumentException(refusal.Message, nameof(request), refusal);
        }
    }

    /// <summary>The whole answer to a call, given as its query string. <c>limit</c> and <c>cursor</c> have no effect.</summary>
    /// <param name="query">As it would be sent, with or without the question mark.</param>
    /// <param name="route">One of the two analytics routes.</param>
    /// <exception cref="ArgumentException">The query is not valid, or names an endpoint that the route does not know.</exception>
    public AnalyticsAnswer Analytics(string query, SimulatorRoute route = SimulatorRoute.ServerlessAnalytics)
    {
        try
        {
            AnalyticsQuery parsed = AnalyticsQuery.Parse(query, int.MaxValue, int.MaxValue, time.GetUtcNow());
            return Analytics(parsed.Request, route);
        }
        catch (RefusedCallException refusal)
        {
            throw new ArgumentException(refusal.Message, nameof(query), refusal);
        }
    }
}
