using System.Text.Json;

namespace Fal.Observability.Client;

/// <summary>One page of an answer that is cut into time buckets.</summary>
/// <typeparam name="TBucket">The type of a bucket.</typeparam>
/// <typeparam name="TRow">The type of a row.</typeparam>
public abstract class FalPage<TBucket, TRow> : IFalAnswered
    where TBucket : FalBucket<TRow>, IFalJson<TBucket>
    where TRow : class, IFalJson<TRow>
{
    private const string CursorName = "next_cursor";
    private const string MoreName = "has_more";
    private const string TimeSeriesName = "time_series";
    private const string SummaryName = "summary";
    private const string AsOfName = "as_of";

    private static readonly string[] Members = [CursorName, MoreName, TimeSeriesName, SummaryName, AsOfName];

    private readonly bool _saysMore;
    private FalAnswer _answer = new();

    private protected FalPage()
    {
    }

    /// <summary>The same page, for other buckets.</summary>
    private protected FalPage(FalPage<TBucket, TRow> page)
    {
        _saysMore = page._saysMore;
        _answer = page._answer;
        LacksTimeSeries = page.LacksTimeSeries;
        LacksSummary = page.LacksSummary;
        NextCursor = page.NextCursor;
        Summary = page.Summary;
    }

    /// <summary>The cursor of the next page, for the query that requests it; null on the last page. Opaque.</summary>
    public string? NextCursor
    {
        get;
        init => field = string.IsNullOrEmpty(value) ? null : value;
    }

    /// <summary>Whether there is a next page: <see cref="NextCursor"/> is set, or the service says that there is more.</summary>
    /// <remarks>
    /// If the service says so without a cursor, reports and streams throw, because they cannot request the rest of the answer.
    /// </remarks>
    public bool HasMore
    {
        get => _saysMore || NextCursor is not null;
        init => _saysMore = value;
    }

    /// <summary>The buckets. Empty if the query requested no time series.</summary>
    /// <exception cref="ArgumentNullException">The list is null.</exception>
    public IReadOnlyList<TBucket> TimeSeries { get; init => field = OwnCopy.Of(value); } = [];

    /// <summary>The rows over the whole range. Empty if the query requested no summary.</summary>
    /// <remarks>The service does not document whether it repeats the summary on later pages.</remarks>
    /// <exception cref="ArgumentNullException">The list is null.</exception>
    public IReadOnlyList<TRow> Summary { get; init => field = OwnCopy.Of(value); } = [];

    /// <summary>The origin of the answer: its request id and its arrival time.</summary>
    public FalAnswer Answer { get => _answer; init => _answer = value ?? throw new ArgumentNullException(nameof(value)); }

    FalAnswer IFalAnswered.Answer
    {
        get => _answer;
        set => _answer = value;
    }

    /// <summary>Whether the page announces more data but has no cursor for it.</summary>
    internal bool LacksCursor => _saysMore && NextCursor is null;

    /// <summary>Whether the JSON had no time series, not even an empty one.</summary>
    internal bool LacksTimeSeries { get; init; }

    /// <summary>Whether the JSON had no summary, not even an empty one.</summary>
    internal bool LacksSummary { get; init; }

    /// <summary>Refuses a page that lacks a requested list, because it would look like one without data.</summary>
    /// <param name="asksSeries">Whether the query asks for a time series.</param>
    /// <param name="asksSummary">Whether the query asks for a summary.</param>
    /// <param name="isFirst">Whether this is the first page.</param>
    /// <exception cref="FalResponseException">A list is missing.</exception>
    internal void ThrowIfIncomplete(bool asksSeries, bool asksSummary, bool isFirst)
    {
        // The service does not document whether it repeats the summary on later pages.
        string? missing = asksSeries && LacksTimeSeries ? "time series (time_series)"
            : asksSummary && LacksSummary && (isFirst || !asksSeries) ? "summary (summary)"
            : null;
        if (missing is not null)
        {
            throw PageGuard.Unusable(
                $"The service answered without a {missing}, which the query requests. The answer would look like a period without " +
                    $"traffic, but the service lists the buckets even for such a period. Repeat the query. If the error persists, " +
                    $"report it to fal with the query.");
        }
    }

    /// <summary>Returns the buckets. Times that have no offset are read in the query's zone.</summary>
    /// <param name="grid">The time of the query.</param>
    /// <param name="preceding">
    /// The start of the last bucket before the page, if there is one: it decides which of two hours is meant when a local time occurs
    /// twice.
    /// </param>
    /// <param name="at">Makes a bucket that starts at another instant.</param>
    private protected IReadOnlyList<TBucket> BucketsIn(
        AnalyticsTimeGrid grid, DateTimeOffset? preceding, Func<TBucket, BucketStart, TBucket> at) =>
        TimeSeries.All(bucket => bucket.Origin.HasOffset)
            ? TimeSeries
            : [.. TimeSeries.Zip(new AnalyticsZoneReader(grid).Read([.. TimeSeries.Select(bucket => bucket.Origin)], preceding), at)];

    private protected static TPage Read<TPage>(ref Utf8JsonReader reader)
        where TPage : FalPage<TBucket, TRow>, new()
    {
        string? cursor = null;
        bool saysMore = false;
        DateTimeOffset? asOf = null;
        List<TBucket>? timeSeries = null;
        List<TRow>? summary = null;
        var members = new AnswerMembers(ref reader, "The page", Members);
        while (members.Next(ref reader) is { } name)
        {
            switch (name)
            {
                case CursorName:
                    cursor = ReadCursor(ref reader);
                    break;
                case MoreName:
                    saysMore = AnswerJson.ReadFlagIfAny(ref reader);
                    break;
                case TimeSeriesName:
                    timeSeries = reader.TokenType == JsonTokenType.Null ? null : AnswerJson.ReadList<TBucket>(ref reader, name);
                    break;
                case AsOfName:
                    asOf = AnswerJson.ReadInstantIfAny(ref reader);
                    break;
                default:
                    summary = reader.TokenType == JsonTokenType.Null ? null : AnswerJson.ReadList<TRow>(ref reader, name);
                    break;
            }
        }

        return timeSeries is null && summary is null
            ? throw new JsonException(
                "The page has neither a time series (time_series) nor a summary (summary). It would look like a period without " +
                    "traffic, but for such a period the service sends an empty list.")
            : new TPage
            {
                NextCursor = cursor,
                HasMore = saysMore,
                Answer = new FalAnswer { AsOf = asOf },
                TimeSeries = timeSeries ?? [],
                Summary = summary ?? [],
                LacksTimeSeries = timeSeries is null,
                LacksSummary = summary is null,
            };
    }

    private protected void Write(Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        writer.WriteString(CursorName, NextCursor);
        writer.WriteBoolean(MoreName, HasMore);
        if (!LacksTimeSeries)
        {
            AnswerJson.WriteList(writer, TimeSeriesName, TimeSeries);
        }

        if (!LacksSummary)
        {
            AnswerJson.WriteList(writer, SummaryName, Summary);
        }

        AnswerJson.WriteAsOf(writer, Answer);
        writer.WriteEndObject();
    }

    private static string? ReadCursor(ref Utf8JsonReader reader)
    {
        if (reader.TokenType is not (JsonTokenType.String or JsonTokenType.Null))
        {
            throw new JsonException(
                $"The cursor of a page (next_cursor) must be a string, but the JSON value is of kind {reader.TokenType}.");
        }

        string? cursor = reader.GetString();
        return cursor?.Contains(FalJsonText.Replacement, StringComparison.Ordinal) == true
            ? throw new JsonException(
                $"The cursor of a page (next_cursor), \"{FalErrorReader.Quoted(cursor)}\", is not valid text. The client cannot send it " +
                    $"back unchanged.")
            : cursor;
    }
}
