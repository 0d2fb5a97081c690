namespace Fal.Observability.Client;

/// <summary>
/// Up to <see cref="AnalyticsQuery.MaxEndpointIdsPerCall"/> endpoints that one call requests. The request shrinks when the service refuses
/// an endpoint or fails on a metric. Readers of the group's pages notice it by its <see cref="Shape"/>.
/// </summary>
internal sealed class AnalyticsEndpointGroup(IReadOnlyList<string> endpointIds, AnalyticsExpand without = AnalyticsExpand.None)
    : IDisposable
{
    private volatile CallShape _shape = new(endpointIds, without);

    /// <summary>Held while the shape is changed.</summary>
    public SemaphoreSlim Gate { get; } = new(1, 1);

    /// <summary>What the next call requests.</summary>
    public CallShape Shape
    {
        get => _shape;
        set => _shape = value;
    }

    public void Dispose() => Gate.Dispose();

    /// <summary>The endpoints of a call and the metrics that it omits. Compared by reference: each change creates a new one.</summary>
    public sealed class CallShape(IReadOnlyList<string> endpointIds, AnalyticsExpand without)
    {
        public IReadOnlyList<string> EndpointIds => endpointIds;

        public AnalyticsExpand Without => without;

        public AnalyticsQuery Apply(AnalyticsQuery query) => query with { EndpointIds = endpointIds, Expand = query.Expand & ~without };
    }
}
