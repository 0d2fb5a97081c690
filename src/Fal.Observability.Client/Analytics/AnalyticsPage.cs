using System.Text.Json.Serialization;

namespace Fal.Observability.Client;

/// <summary>One page of an analytics answer.</summary>
/// <remarks>
/// A page is immutable and safe to share between threads. The order of buckets is the service's, which does not document it; fields
/// of the envelope that this version does not know are passed over. It can be made in a test with an object initializer.
/// </remarks>
[JsonConverter(typeof(AnalyticsPageJsonConverter))]
public sealed class AnalyticsPage
{
    private readonly bool _saysMore;

    /// <summary>A page without buckets, for an object initializer.</summary>
    public AnalyticsPage()
    {
    }

    private AnalyticsPage(AnalyticsPage page)
    {
        _saysMore = page._saysMore;
        LacksTimeSeries = page.LacksTimeSeries;
        LacksSummary = page.LacksSummary;
        NextCursor = page.NextCursor;
        Summary = page.Summary;
    }

    /// <summary>
    /// Where the next page starts, for <see cref="AnalyticsQuery.Cursor"/>; null on the last page. Opaque: its content means nothing to
    /// a client.
    /// </summary>
    public string? NextCursor
    {
        get;
        init => field = string.IsNullOrEmpty(value) ? null : value;
    }

    /// <summary>Whether there is a next page: <see cref="NextCursor"/> is set, or the service says that there is more.</summary>
    /// <remarks>
    /// A service that says so and names no cursor makes reports, streams and <see cref="IFalAnalyticsClient.GetNextPageAsync"/> throw,
    /// since the rest of the answer cannot be asked for.
    /// </remarks>
    public bool HasMore
    {
        get => _saysMore || NextCursor is not null;
        init => _saysMore = value;
    }

    /// <summary>The buckets. Empty if the query did not ask for <see cref="AnalyticsExpand.TimeSeries"/>.</summary>
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
    /// One row for each endpoint over the whole range. Empty if the query did not ask for <see cref="AnalyticsExpand.Summary"/>.
    /// </summary>
    /// <remarks>The service does not document whether it repeats the summary on later pages.</remarks>
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
    /// The query that this page answers, with its range fixed: what to send again, with <see cref="NextCursor"/>, for the next page.
    /// Null on a page that no client has fetched, such as one read from JSON.
    /// </summary>
    public AnalyticsQuery? Query { get; init; }

    /// <summary>Whether the page promises more and has no cursor to it.</summary>
    internal bool LacksCursor => _saysMore && NextCursor is null;

    /// <summary>Whether the JSON had no time series, not even an empty one.</summary>
    internal bool LacksTimeSeries { get; init; }

    /// <summary>Whether the JSON had no summary, not even an empty one.</summary>
    internal bool LacksSummary { get; init; }

    /// <summary>
    /// This page as the answer to a query: with the query, and with times that came without an offset read in the query's zone.
    /// </summary>
    /// <param name="query">The query as it was sent.</param>
    /// <param name="previous">The page before, if there is one: it tells apart the two hours of a local time that comes twice.</param>
    internal AnalyticsPage AsAnswerTo(AnalyticsQuery query, AnalyticsPage? previous = null)
    {
        AnalyticsTimeGrid grid = query.Grid;
        return new AnalyticsPage(this)
        {
            TimeSeries = new AnalyticsZoneReader(grid.ZoneOrUtc, grid).Read(TimeSeries, previous is { TimeSeries: [.., var last] } ? last : null),
            Query = query,
        };
    }

    /// <summary>This page with the buckets marked that were open or provisional at an instant.</summary>
    /// <param name="now">When the page was asked for.</param>
    /// <param name="provisionalAge">How long after its end the numbers of a bucket may change.</param>
    internal AnalyticsPage MarkedAt(DateTimeOffset now, TimeSpan provisionalAge)
    {
        AnalyticsTimeframe timeframe = AnalyticsCalendar.TimeframeOf(Query!.Grid);
        DateTimeOffset settled = AnalyticsCalendar.Add(now, -provisionalAge - AnalyticsCalendar.LongestBucket(timeframe));
        if (TimeSeries.All(IsSettled))
        {
            return this;
        }

        var calendar = AnalyticsCalendar.TryCreate(Query!.Grid);
        return new AnalyticsPage(this) { TimeSeries = [.. TimeSeries.Select(Mark)], Query = Query };

        // The marks are the client's: a field of the service that happens to have their name is none.
        bool IsSettled(AnalyticsBucket bucket) => bucket.Start <= settled && !bucket.IsOpen && !bucket.IsProvisional;

        AnalyticsBucket Mark(AnalyticsBucket bucket)
        {
            if (IsSettled(bucket))
            {
                return bucket;
            }

            // One that has not begun is open whatever its length.
            bool open = bucket.Start >= now || AnalyticsCalendar.EndOf(bucket, calendar, timeframe) > now;
            bool provisional = open || AnalyticsCalendar.EndOf(bucket, calendar, timeframe) > AnalyticsCalendar.Add(now, -provisionalAge);
            return new AnalyticsBucket(bucket.Start, bucket.HasOffset, bucket.Rows) { IsOpen = open, IsProvisional = provisional };
        }
    }
}
