namespace Fal.Observability.Client;

/// <summary>One window of a backfill: a part of the range with all its buckets, and the checkpoint after it.</summary>
/// <remarks>Immutable and safe to share between threads.</remarks>
public sealed class AnalyticsWindow
{
    /// <summary>
    /// The time of the window. Its start identifies the window: a resumed backfill splits the rest of the range at the same instants.
    /// </summary>
    public required AnalyticsTimeRange Range { get; init; }

    /// <summary>The buckets in ascending order, as in an <see cref="AnalyticsReport"/>.</summary>
    public IReadOnlyList<AnalyticsBucket> TimeSeries { get; init => field = OwnCopy.Of(value); } = [];

    /// <summary>The endpoints that the service has refused so far, in this process or before, in the order of the query.</summary>
    public IReadOnlyList<AnalyticsRefusedEndpoint> RefusedEndpoints { get; init => field = OwnCopy.Of(value); } = [];

    /// <summary>The endpoints whose rows lack requested metrics: see <see cref="AnalyticsQuery.DegradeOnServerError"/>.</summary>
    public IReadOnlyList<AnalyticsMissingMetrics> MissingMetrics { get; init => field = OwnCopy.Of(value); } = [];

    /// <summary>The checkpoint to store after this window is stored.</summary>
    public required AnalyticsCheckpoint Checkpoint { get; init; }
}
