using System.Globalization;

namespace Fal.Observability.Client;

/// <summary>
/// The whole answer to a query of any size: every endpoint, every page, every bucket once. What is not in it is named in it.
/// </summary>
/// <remarks>
/// A report is immutable and safe to share between threads. It can be made in a test with an object initializer. Two reports over the
/// same data are equal in every byte of their JSON, however the service cut its pages: buckets ascend, and the rows of a bucket stand
/// in the order of the query's endpoints, each followed by its routes in ordinal order.
/// </remarks>
public sealed class AnalyticsReport
{
    /// <summary>
    /// The query that was answered, with its range fixed as it was sent. <see cref="AnsweredRange"/> says which time came back.
    /// </summary>
    public required AnalyticsQuery Query { get; init; }

    /// <summary>
    /// The buckets in ascending order, none of which starts at the end of the range or later. Empty if the query asked for
    /// <see cref="AnalyticsExpand.Summary"/> alone. Where the service sends a bucket or a row twice, the values of the later one count.
    /// </summary>
    public IReadOnlyList<AnalyticsBucket> TimeSeries
    {
        get;
        init
        {
            ArgumentNullException.ThrowIfNull(value);
            field = [.. value];
        }
    } = [];

    /// <summary>
    /// One row for each endpoint over the whole range, as the service computed it: percentiles of parts cannot be merged, so no part
    /// of it is derived from the buckets. Empty if the query asked for <see cref="AnalyticsExpand.TimeSeries"/> alone.
    /// </summary>
    public IReadOnlyList<AnalyticsRow> Summary
    {
        get;
        init
        {
            ArgumentNullException.ThrowIfNull(value);
            field = [.. value];
        }
    } = [];

    /// <summary>
    /// The endpoints that the service refused and that are not in the data, in the whole range or in a part of it, in the order of the
    /// query. Always empty with <see cref="RefusedEndpointPolicy.Throw"/>.
    /// </summary>
    public IReadOnlyList<AnalyticsRefusedEndpoint> RefusedEndpoints
    {
        get;
        init
        {
            ArgumentNullException.ThrowIfNull(value);
            field = [.. value];
        }
    } = [];

    /// <summary>
    /// The endpoints whose rows lack metrics that were asked for, because the service failed on them, in the order of the query. Always
    /// empty unless <see cref="AnalyticsQuery.DegradeOnServerError"/> is set.
    /// </summary>
    public IReadOnlyList<AnalyticsMissingMetrics> MissingMetrics
    {
        get;
        init
        {
            ArgumentNullException.ThrowIfNull(value);
            field = [.. value];
        }
    } = [];

    /// <summary>
    /// The time that the buckets cover. It can be longer than the range of <see cref="Query"/>, which is what was asked for: the service
    /// moves the ends of a range outward to whole buckets unless <see cref="FalPagedQuery.BoundToTimeframe"/> is false. Null without a
    /// time series.
    /// </summary>
    public AnalyticsTimeRange? AnsweredRange => TimeSeries is [var first, ..]
        ? AnalyticsCalendar.Covered(Query.Grid, first.Start, TimeSeries[^1].Start)
        : null;

    /// <summary>
    /// Where the data came from: an entry for each call that was answered, in the order of their arrival. Empty on a report that no
    /// client has
    /// fetched.
    /// </summary>
    /// <exception cref="ArgumentNullException">The list is null.</exception>
    public IReadOnlyList<FalAnswer> Answers
    {
        get;
        init
        {
            ArgumentNullException.ThrowIfNull(value);
            field = [.. value];
        }
    } = [];

    /// <summary>How many calls the report took, each counted once however often it was sent.</summary>
    public int Calls { get; init; }

    /// <summary>
    /// How many times a call was sent again after a failure. Not counted where a pipeline of your own replaces the HTTP handlers.
    /// </summary>
    public int Retries { get; init; }

    /// <summary>The time series of each endpoint, ready to plot: every bucket is there, the quiet ones as points without data.</summary>
    /// <returns>
    /// The points by endpoint id, in ordinal order of the ids: the endpoints of the query, but for those that were refused, and the routes
    /// that have rows.
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
    /// The time series of each app, the rows of its routes included, ready to plot: every bucket is there, the quiet ones as points without
    /// data.
    /// </summary>
    /// <returns>
    /// The points by the app's id, <c>owner/name</c>, in ordinal order of the ids: the apps of the query, but for those that were refused,
    /// and others that have rows.
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
