using System.Text.Json;
using System.Text.Json.Serialization;

namespace Fal.Observability.Client;

/// <summary>One page of an analytics answer.</summary>
/// <remarks>
/// A page is immutable and safe to share between threads. The buckets are in the service's order, which is not documented. Fields of the
/// envelope that this version does not know are ignored. A test can create it with an object initializer.
/// </remarks>
[JsonConverter(typeof(FalJsonConverter<AnalyticsPage>))]
public sealed class AnalyticsPage : FalPage<AnalyticsBucket, AnalyticsRow>, IFalJson<AnalyticsPage>
{
    /// <summary>A page without buckets, for an object initializer.</summary>
    public AnalyticsPage()
    {
    }

    private AnalyticsPage(AnalyticsPage page)
        : base(page)
    {
    }

    /// <summary>
    /// The query that this page answers, with its range fixed. Send it again with <see cref="FalPage{TBucket,TRow}.NextCursor"/> to get the
    /// next page. Null on a page that no client has fetched, such as one read from JSON.
    /// </summary>
    public AnalyticsQuery? Query { get; init; }

    static AnalyticsPage IFalJson<AnalyticsPage>.ReadJson(ref Utf8JsonReader reader) => Read<AnalyticsPage>(ref reader);

    void IFalJson<AnalyticsPage>.WriteJson(Utf8JsonWriter writer) => Write(writer);

    /// <summary>
    /// Returns this page with its query attached. Times without an offset are read in the query's zone.
    /// </summary>
    /// <param name="query">The query as it was sent.</param>
    /// <param name="previous">The previous page, if there is one. It decides which of two hours is meant when a local time occurs
    /// twice.</param>
    internal AnalyticsPage AsAnswerTo(AnalyticsQuery query, AnalyticsPage? previous = null) => new(this)
    {
        TimeSeries = BucketsIn(
            query.Grid,
            previous is { TimeSeries: [.., var last] } ? last.Start : null,
            (bucket, start) => new AnalyticsBucket(start, bucket.Rows)),
        Query = query,
    };

    /// <summary>This page with the buckets marked that were open or provisional at an instant.</summary>
    /// <param name="now">When the page was requested.</param>
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

        // Only the client sets these marks. A field of the service that happens to have the same name is not a mark.
        bool IsSettled(AnalyticsBucket bucket) => bucket.Start <= settled && !bucket.IsOpen && !bucket.IsProvisional;

        AnalyticsBucket Mark(AnalyticsBucket bucket)
        {
            if (IsSettled(bucket))
            {
                return bucket;
            }

            // A bucket that has not begun is open, regardless of its length.
            bool open = bucket.Start >= now || AnalyticsCalendar.EndOf(bucket.Start, calendar, timeframe) > now;
            bool provisional =
                open || AnalyticsCalendar.EndOf(bucket.Start, calendar, timeframe) > AnalyticsCalendar.Add(now, -provisionalAge);
            return new AnalyticsBucket(bucket.Origin, bucket.Rows) { IsOpen = open, IsProvisional = provisional };
        }
    }
}
