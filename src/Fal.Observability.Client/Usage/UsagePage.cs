using System.Text.Json;
using System.Text.Json.Serialization;

namespace Fal.Observability.Client;

/// <summary>One page of a usage answer.</summary>
/// <remarks>A page is immutable and safe to share between threads. It can be made in a test with an object initializer.</remarks>
public sealed class UsagePage : IJsonOnDeserialized
{
    private readonly bool _saysMore;

    /// <summary>Where the next page starts, for <see cref="UsageQuery.Cursor"/>; null on the last page.</summary>
    [JsonPropertyName("next_cursor")]
    public string? NextCursor
    {
        get;
        init => field = string.IsNullOrEmpty(value) ? null : value;
    }

    /// <summary>Whether there is a next page: <see cref="NextCursor"/> is set, or the service says that there is more.</summary>
    /// <remarks>
    /// A service that says so and names no cursor makes reports and streams throw, since the rest of the answer cannot be asked for.
    /// </remarks>
    [JsonPropertyName("has_more")]
    public bool HasMore
    {
        get => _saysMore || NextCursor is not null;
        init => _saysMore = value;
    }

    /// <summary>The buckets; null if the answer has none, not even an empty list.</summary>
    [JsonPropertyName("time_series")]
    public IReadOnlyList<UsageBucket>? TimeSeries
    {
        get;
        // A JSON null arrives as an element in spite of the type: it says that there is nothing.
        init => field = value is null ? null : [.. value.Where(bucket => bucket is not null)];
    }

    /// <summary>The rows over the whole range; null if the answer has none, not even an empty list.</summary>
    /// <remarks>The service does not document whether it repeats the summary on later pages.</remarks>
    [JsonPropertyName("summary")]
    public IReadOnlyList<UsageRow>? Summary
    {
        get;
        init => field = value is null ? null : [.. value.Where(row => row is not null)];
    }

    /// <summary>Whether the page promises more and has no cursor to it.</summary>
    internal bool LacksCursor => _saysMore && NextCursor is null;

    void IJsonOnDeserialized.OnDeserialized()
    {
        // An error that came with status 200 would pass for a time that cost nothing.
        if (TimeSeries is null && Summary is null)
        {
            throw new JsonException("The answer has neither 'time_series' nor 'summary'.");
        }
    }

    /// <summary>The buckets with times that came without an offset read in the query's zone.</summary>
    /// <param name="grid">The time of the query.</param>
    /// <param name="preceding">
    /// The last bucket before the page, if there is one: it tells apart the two hours of a local time that comes twice.
    /// </param>
    internal IReadOnlyList<UsageBucket> BucketsIn(AnalyticsTimeGrid grid, UsageBucket? preceding)
    {
        IReadOnlyList<UsageBucket> buckets = TimeSeries ?? [];
        if (buckets.All(bucket => bucket.HasOffset))
        {
            return buckets;
        }

        IReadOnlyList<AnalyticsBucket> starts = new AnalyticsZoneReader(grid.ZoneOrUtc, grid)
            .Read([.. buckets.Select(StartOf)], preceding is null ? null : StartOf(preceding));
        return [.. buckets.Zip(starts, (bucket, start) => new UsageBucket(start.Start, start.HasOffset, bucket.Rows))];

        static AnalyticsBucket StartOf(UsageBucket bucket) => new(bucket.Start, bucket.HasOffset, []);
    }
}
