namespace Fal.Observability.Client;

/// <summary>One window of a backfill: a stretch of the range with all its buckets, and from where to go on after it.</summary>
/// <remarks>Immutable and safe to share between threads.</remarks>
public sealed class AnalyticsWindow
{
    /// <summary>
    /// The stretch of time. Its start names the window: a resumed backfill cuts the rest of the range at the same places.
    /// </summary>
    public required AnalyticsTimeRange Range { get; init; }

    /// <summary>The buckets in ascending order, as in an <see cref="AnalyticsReport"/>.</summary>
    public IReadOnlyList<AnalyticsBucket> TimeSeries
    {
        get;
        init
        {
            ArgumentNullException.ThrowIfNull(value);
            field = [.. value];
        }
    } = [];

    /// <summary>The endpoints that the service has refused so far, in this process or before, in the order of the query.</summary>
    public IReadOnlyList<AnalyticsRefusedEndpoint> RefusedEndpoints
    {
        get;
        init
        {
            ArgumentNullException.ThrowIfNull(value);
            field = [.. value];
        }
    } = [];

    /// <summary>The endpoints whose rows lack metrics that were asked for: see <see cref="AnalyticsQuery.DegradeOnServerError"/>.</summary>
    public IReadOnlyList<AnalyticsMissingMetrics> MissingMetrics
    {
        get;
        init
        {
            ArgumentNullException.ThrowIfNull(value);
            field = [.. value];
        }
    } = [];

    /// <summary>Where to go on once this window is stored.</summary>
    public required AnalyticsCheckpoint Checkpoint { get; init; }
}
