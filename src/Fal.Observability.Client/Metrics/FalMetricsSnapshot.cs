using Fal.Observability.Client.Prometheus;

namespace Fal.Observability.Client;

/// <summary>
/// The metrics of an account at one moment: typed values for each app, and below them every family as the service sent it.
/// Immutable and thread-safe.
/// </summary>
public sealed class FalMetricsSnapshot
{
    private readonly Dictionary<string, int> _places;

    private FalMetricsSnapshot(
        FalAppMetrics[] apps,
        Dictionary<string, int> places,
        PrometheusExposition exposition,
        DateTimeOffset timestamp,
        int failuresSinceLast,
        string? requestId
    )
    {
        RequestId = requestId;
        Exposition = exposition;
        Timestamp = timestamp;
        FailuresSinceLast = failuresSinceLast;
        Apps = apps;
        _places = places;
    }

    /// <summary>
    /// When the response arrived, by the client's clock. The service caches its metrics, so the values can be up to 10 seconds older.
    /// </summary>
    public DateTimeOffset Timestamp { get; }

    /// <summary>
    /// The request id that fal's support asks for: that of the service, otherwise that of the network edge in front of it. Null if neither
    /// sent one, and on a snapshot that no client has fetched.
    /// </summary>
    public string? RequestId { get; }

    /// <summary>The apps, in the order in which the exposition first names them. Empty for an idle account.</summary>
    public IReadOnlyList<FalAppMetrics> Apps { get; }

    /// <summary>Every family as the service sent it, including those that this version does not know and those without samples.</summary>
    public IReadOnlyList<MetricFamily> Families => Exposition.Families;

    /// <summary>The exposition that the snapshot was made from.</summary>
    public PrometheusExposition Exposition { get; }

    /// <summary>
    /// The malformed lines that were skipped, up to a bounded number. Usually empty, and always empty with
    /// <see cref="FalObservabilityOptions.StrictMetrics"/>.
    /// </summary>
    public IReadOnlyList<PrometheusSkippedLine> SkippedLines => Exposition.SkippedLines;

    /// <summary>How many malformed lines were skipped in total.</summary>
    public long SkippedLineCount => Exposition.SkippedLineCount;

    /// <summary>
    /// On a snapshot from <see cref="IFalMetricsClient.WatchAsync"/>: how many consecutive reads failed before this one succeeded.
    /// Otherwise 0.
    /// </summary>
    public int FailuresSinceLast { get; }

    /// <summary>The metrics of one app.</summary>
    /// <param name="name">The app, <c>owner/name</c>; compared exactly.</param>
    /// <returns>The metrics; null if the service sent none for it.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="name"/> is null.</exception>
    public FalAppMetrics? this[string name] => _places.TryGetValue(name, out int place) ? Apps[place] : null;

    /// <summary>Makes a snapshot from an exposition: one that was stored, or one that a test writes.</summary>
    /// <param name="exposition">The families.</param>
    /// <param name="timestamp">When they were read.</param>
    /// <param name="failuresSinceLast">The value of <see cref="FailuresSinceLast"/>.</param>
    /// <returns>The snapshot.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="exposition"/> is null.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="failuresSinceLast"/> is negative.</exception>
    public static FalMetricsSnapshot Create(PrometheusExposition exposition, DateTimeOffset timestamp, int failuresSinceLast = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(failuresSinceLast);
        return Create(exposition, timestamp, failuresSinceLast, null);
    }

    /// <summary>A snapshot as it was read.</summary>
    internal static FalMetricsSnapshot Create(
        PrometheusExposition exposition, DateTimeOffset timestamp, int failuresSinceLast, string? requestId)
    {
        ArgumentNullException.ThrowIfNull(exposition);
        var layout = FalSamplesByApp.Of(exposition);
        return new FalMetricsSnapshot(layout.Read(exposition), layout.Places, exposition, timestamp, failuresSinceLast, requestId);
    }

    /// <summary>Makes a snapshot from apps that a test wrote by hand; it has no families.</summary>
    /// <param name="apps">The apps, each name once.</param>
    /// <param name="timestamp">When they were read.</param>
    /// <param name="failuresSinceLast">The value of <see cref="FailuresSinceLast"/>.</param>
    /// <returns>The snapshot.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="apps"/> is null.</exception>
    /// <exception cref="ArgumentException">Two apps have the same name.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="failuresSinceLast"/> is negative.</exception>
    public static FalMetricsSnapshot Create(IEnumerable<FalAppMetrics> apps, DateTimeOffset timestamp, int failuresSinceLast = 0)
    {
        ArgumentNullException.ThrowIfNull(apps);
        ArgumentOutOfRangeException.ThrowIfNegative(failuresSinceLast);
        FalAppMetrics[] all = [.. apps];
        var places = all.Select((app, place) => (app.Name, place)).ToDictionary(app => app.Name, app => app.place, StringComparer.Ordinal);
        return new FalMetricsSnapshot(all, places, new PrometheusExposition([]), timestamp, failuresSinceLast, null);
    }

    /// <summary>The time and the number of apps, for a log line.</summary>
    /// <returns>A short text.</returns>
    public override string ToString() => FormattableString.Invariant($"{Timestamp:O}: {Apps.Count} apps, {Families.Count} families");
}
