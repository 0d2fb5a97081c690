using System.Globalization;

namespace Fal.Observability.Client;

/// <summary>
/// The whole answer to a query of any size: every endpoint, every page, every bucket once. It names the parts that it lacks.
/// </summary>
/// <remarks>
/// A report is immutable and safe to share between threads. A test can create it with an object initializer. The JSON of two reports over
/// the same data is identical, however the service split its pages: buckets ascend, and the rows of a bucket are in the order of the
/// query's endpoints, each followed by its routes in ordinal order.
/// </remarks>
public sealed class AnalyticsReport
{
    /// <summary>The query, with its range fixed as it was sent. <see cref="AnsweredRange"/> is the time that the answer covers.</summary>
    public required AnalyticsQuery Query { get; init; }

    /// <summary>
    /// The buckets in ascending order, none of which starts at the end of the range or later. Empty if the query asked for
    /// <see cref="AnalyticsExpand.Summary"/> alone. If the service sends a bucket or a row twice, the values of the later one count.
    /// </summary>
    public IReadOnlyList<AnalyticsBucket> TimeSeries { get; init => field = OwnCopy.Of(value); } = [];

    /// <summary>
    /// One row for each endpoint over the whole range, as the service computed it. It is not derived from the buckets, because percentiles
    /// of parts cannot be merged. Empty if the query asked for <see cref="AnalyticsExpand.TimeSeries"/> alone.
    /// </summary>
    public IReadOnlyList<AnalyticsRow> Summary { get; init => field = OwnCopy.Of(value); } = [];

    /// <summary>
    /// The endpoints that the service refused and that are not in the data, in the whole range or in a part of it, in the order of the
    /// query. Always empty with <see cref="RefusedEndpointPolicy.Throw"/>.
    /// </summary>
    public IReadOnlyList<AnalyticsRefusedEndpoint> RefusedEndpoints { get; init => field = OwnCopy.Of(value); } = [];

    /// <summary>
    /// The endpoints whose rows lack requested metrics because the service failed on them, in the order of the query. Always empty unless
    /// <see cref="AnalyticsQuery.DegradeOnServerError"/> is set.
    /// </summary>
    public IReadOnlyList<AnalyticsMissingMetrics> MissingMetrics { get; init => field = OwnCopy.Of(value); } = [];

    /// <summary>
    /// The time that the buckets cover. It can be longer than the requested range of <see cref="Query"/>, because the service extends a
    /// range to whole buckets unless <see cref="FalPagedQuery.BoundToTimeframe"/> is false. Null without a time series.
    /// </summary>
    public AnalyticsTimeRange? AnsweredRange => TimeSeries is [var first, ..]
        ? AnalyticsCalendar.Covered(Query.Grid, first.Start, TimeSeries[^1].Start)
        : null;

    /// <summary>
    /// The origin of the data: one entry per answered call, in the order of arrival. Empty on a report that no client has fetched.
    /// </summary>
    /// <exception cref="ArgumentNullException">The list is null.</exception>
    public IReadOnlyList<FalAnswer> Answers { get; init => field = OwnCopy.Of(value); } = [];

    /// <summary>How many calls the report took. A retried call counts once.</summary>
    public int Calls { get; init; }

    /// <summary>
    /// How many times a call was sent again after a failure. Not counted if your own pipeline replaces the HTTP handlers.
    /// </summary>
    public int Retries { get; init; }

    /// <summary>
    /// The time series of each endpoint, ready to plot. It has every bucket; those without requests are points without data.
    /// </summary>
    /// <returns>
    /// The points by endpoint id, in ordinal order of the ids: the endpoints of the query, except the refused ones, and the routes that
    /// have rows.
    /// </returns>
    /// <example>
    /// <code>
    /// foreach ((string endpoint, IReadOnlyList&lt;AnalyticsPoint&gt; points) in report.SeriesByEndpoint())
    ///     foreach (AnalyticsPoint point in points)
    ///         Console.WriteLine($"{endpoint} {point.Start:u} {point.GetValue(AnalyticsExpand.P90Duration)} s");
    /// </code>
    /// </example>
    public IReadOnlyDictionary<string, IReadOnlyList<AnalyticsPoint>> SeriesByEndpoint() => SeriesBy(static id => id);

    /// <summary>
    /// The time series of each app, including the rows of its routes, ready to plot. It has every bucket; those without requests are points
    /// without data.
    /// </summary>
    /// <returns>
    /// The points by the app's id, <c>owner/name</c>, in ordinal order of the ids: the apps of the query, except the refused ones, and
    /// others that have rows.
    /// </returns>
    public IReadOnlyDictionary<string, IReadOnlyList<AnalyticsPoint>> SeriesByApp() => SeriesBy(FalAppId.AppOf);

    private SortedDictionary<string, IReadOnlyList<AnalyticsPoint>> SeriesBy(Func<string, string> key)
    {
        ILookup<string, AnalyticsRow>[] rows =
            [.. TimeSeries.Select(bucket => bucket.Rows.ToLookup(row => key(row.EndpointId), StringComparer.Ordinal))];
        IEnumerable<string> asked = Query.EndpointIds.Except(RefusedEndpoints.Select(refused => refused.EndpointId)).Select(key);
        var series = new SortedDictionary<string, IReadOnlyList<AnalyticsPoint>>(StringComparer.Ordinal);
        foreach (string id in asked.Concat(rows.SelectMany(bucket => bucket.Select(group => group.Key))).Distinct(StringComparer.Ordinal))
        {
            series[id] = [.. TimeSeries.Select((bucket, place) => new AnalyticsPoint(bucket, [.. rows[place][id]]))];
        }

        return series;
    }

    /// <summary>What the report holds and lacks, on one line for a log; no data.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"{TimeSeries.Count} buckets, {Summary.Count} summary rows, {RefusedEndpoints.Count} endpoints refused, {MissingMetrics.Count} " +
            $"with missing metrics, {Calls} calls, {Retries} retries | {Query}");
}
