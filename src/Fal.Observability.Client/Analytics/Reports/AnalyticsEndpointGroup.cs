namespace Fal.Observability.Client;

/// <summary>
/// Up to <see cref="AnalyticsQuery.MaxEndpointIdsPerCall"/> endpoints that are asked for in one call. What is asked shrinks when the
/// service refuses an endpoint or fails on a metric; whoever reads pages of the group notices by its <see cref="Shape"/>.
/// </summary>
internal sealed class AnalyticsEndpointGroup(IReadOnlyList<string> endpointIds, AnalyticsExpand without = AnalyticsExpand.None)
    : IDisposable
{
    private volatile CallShape _shape = new(endpointIds, without);

    /// <summary>Held by the one who changes the shape.</summary>
    public SemaphoreSlim Gate { get; } = new(1, 1);

    /// <summary>What the next call asks for.</summary>
    public CallShape Shape
    {
        get => _shape;
        set => _shape = value;
    }

    public void Dispose() => Gate.Dispose();

    /// <summary>The endpoints of a call and the metrics that it leaves out. Compared by reference: each change makes a new one.</summary>
    public sealed class CallShape(IReadOnlyList<string> endpointIds, AnalyticsExpand without)
    {
        public IReadOnlyList<string> EndpointIds => endpointIds;

        public AnalyticsExpand Without => without;

        public AnalyticsQuery Apply(AnalyticsQuery query) => query with { EndpointIds = endpointIds, Expand = query.Expand & ~without };
    }
}
