using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Fal.Observability.Client;

/// <summary>How many runners an app had over a range of time, and figures derived from it.</summary>
/// <remarks>A history is immutable and safe to share between threads. A test can create it with an object initializer.</remarks>
[JsonConverter(typeof(FalJsonConverter<FalRunnerHistory>))]
public sealed class FalRunnerHistory : IFalJson<FalRunnerHistory>, IFalAnswered
{
    private static readonly string[] Members = ["endpoint_id", "timeframe", "aggregation", "history", "as_of"];

    private FalAnswer _answer = new();

    /// <summary>The app's id, <c>owner/name</c>; empty if neither the service nor the call named it.</summary>
    public string EndpointId { get; init => field = value ?? throw new ArgumentNullException(nameof(value)); } = "";

    /// <summary>The length of the buckets as the service names it, such as <c>hour</c>; null if it does not.</summary>
    public string? Timeframe { get; init; }

    /// <summary>
    /// The aggregation as the service names it: <c>max</c> for the maximum of a bucket, <c>avg</c> for its mean; null if it does not.
    /// </summary>
    public string? Aggregation { get; init; }

    /// <summary>
    /// The buckets in ascending order, each once. If the service sends a bucket twice, the later one counts. An answer of
    /// <see cref="IFalAppsApi"/> has them as they were sent.
    /// </summary>
    /// <exception cref="ArgumentNullException">The list is null.</exception>
    public required IReadOnlyList<FalRunnerBucket> Buckets { get; init => field = OwnCopy.Of(value); }

    /// <summary>The query that was answered, with its range fixed. Null on a history that no client has fetched.</summary>
    public FalRunnerHistoryQuery? Query { get; init; }

    /// <summary>
    /// The time that the buckets cover. It can be longer than the requested range of <see cref="Query"/>, because the service extends a
    /// range to whole buckets. Null without buckets, and on a history that no client has fetched.
    /// </summary>
    public AnalyticsTimeRange? AnsweredRange => Query is not null && Buckets is [var first, ..]
        ? AnalyticsCalendar.Covered(Query.Grid, first.Start, Buckets[^1].Start)
        : null;

    /// <summary>Where the answer came from: the id of its request, and when it arrived.</summary>
    public FalAnswer Answer { get => _answer; init => _answer = value ?? throw new ArgumentNullException(nameof(value)); }

    /// <summary>
    /// The share of paid runner time that was idle, from 0 to 1: idle runners divided by running, idle and draining ones, weighted by the
    /// length of each bucket. A bucket that was open when the answer arrived is weighted by the part of it that had passed. Pending runners
    /// are not counted, because the service does not say whether they are billed.
    /// </summary>
    /// <value>
    /// Null unless the query used <see cref="FalRunnerAggregation.Average"/>, because a share cannot be computed from maxima at different
    /// moments. Also null if no runner was up. A bucket that lacks one of the three numbers is skipped.
    /// </value>
    public double? IdleShare
    {
        get
        {
            if (!Is(FalRunnerAggregation.Average))
            {
                return null;
            }

            AnalyticsTimeframe? timeframe = Enum.GetValues<AnalyticsTimeframe>().Cast<AnalyticsTimeframe?>()
                .FirstOrDefault(known => known!.Value.GetWireName() == Timeframe);
            double idle = 0;
            double paid = 0;
            foreach (FalRunnerBucket bucket in Buckets)
            {
                if (bucket is { Running: { } running, Idle: { } unused, Draining: { } draining })
                {
                    double length = HoursOf(bucket, timeframe);
                    idle += unused * length;
                    paid += (running + unused + draining) * length;
                }
            }

            return paid > 0 && double.IsFinite(paid) ? idle / paid : null;
        }
    }

    /// <summary>The highest number of runners that processed requests at the same time.</summary>
    /// <value>
    /// Null unless the query used <see cref="FalRunnerAggregation.Max"/>, the default, because a mean hides the peak. Also null if no
    /// bucket has a number.
    /// </value>
    public double? PeakRunning => Is(FalRunnerAggregation.Max) ? Buckets.Max(bucket => bucket.Running) : null;

    /// <summary>
    /// <see cref="PeakRunning"/> divided by the current limit of the app: 1 if every runner that it can have was processing requests. The
    /// service keeps no history of the limit.
    /// </summary>
    /// <param name="app">The app.</param>
    /// <returns>The share; null if the peak or <see cref="FalApp.MaxConcurrency"/> is not known, or the limit is 0.</returns>
    /// <exception cref="ArgumentException">The history belongs to another app.</exception>
    public double? PeakShareOf(FalApp app)
    {
        ArgumentNullException.ThrowIfNull(app);
        if (app.EndpointId != EndpointId)
        {
            throw new ArgumentException($"The history belongs to {EndpointId}, but the app is {app.EndpointId}. Pass the app " +
                $"whose history you requested.", nameof(app));
        }

        return app.MaxConcurrency is > 0 and { } limit && PeakRunning is { } peak ? peak / limit : null;
    }

    /// <summary>
    /// The buckets in which runners were pending while requests waited for one. In these, a larger minimum or a longer keep-alive would
    /// have helped.
    /// </summary>
    /// <param name="requests">
    /// What the app's requests did in the same buckets: a report over the app with the same <see cref="FalRangeQuery.Timeframe"/> and the
    /// metric <see cref="AnalyticsExpand.P90PrepareDuration"/>. Rows of other apps are ignored.
    /// </param>
    /// <param name="longerThan">
    /// The minimum wait that counts, compared with the 90th percentile of the time between arrival and start.
    /// </param>
    /// <returns>The buckets, in ascending order.</returns>
    /// <exception cref="ArgumentException">
    /// The report lacks the metric, is not about the app, or has other buckets than the history.
    /// </exception>
    public IReadOnlyList<FalRunnerBucket> PendingWhileRequestsWaited(AnalyticsReport requests, TimeSpan longerThan)
    {
        ArgumentNullException.ThrowIfNull(requests);
        AnalyticsQuery query = requests.Query;
        if (!query.EffectiveExpand.HasFlag(AnalyticsExpand.P90PrepareDuration))
        {
            throw new ArgumentException(
                $"The report does not contain how long requests waited. " +
                    $"Add {nameof(AnalyticsExpand)}.{nameof(AnalyticsExpand.P90PrepareDuration)} to its query.", nameof(requests));
        }

        if (!query.EndpointIds.Any(IsOfApp))
        {
            throw new ArgumentException($"The report does not cover {EndpointId}. Add it to the endpoints of its query.", nameof(requests));
        }

        AnalyticsTimeframe timeframe = AnalyticsCalendar.TimeframeOf(query.Grid);
        bool inUtc = query.TimeZone is null or "UTC" || timeframe is AnalyticsTimeframe.Minute;
        if (!inUtc || (Timeframe is not null && Timeframe != timeframe.GetWireName()))
        {
            throw new ArgumentException(
                $"The buckets of the report ({timeframe.GetWireName()}, {query.TimeZone ?? "UTC"}) do not match those of the history " +
                    $"({Timeframe}, UTC). Request both with the same timeframe, and the report without a time zone.",
                nameof(requests));
        }

        HashSet<DateTimeOffset> waited =
        [
            .. requests.TimeSeries
                .Where(bucket => bucket.Rows.Any(row => row.P90PrepareDuration > longerThan && IsOfApp(row.EndpointId)))
                .Select(bucket => bucket.Start),
        ];
        return [.. Buckets.Where(bucket => bucket.Pending > 0 && waited.Contains(bucket.Start))];
    }

    FalAnswer IFalAnswered.Answer
    {
        get => _answer;
        set => _answer = value;
    }

    static FalRunnerHistory IFalJson<FalRunnerHistory>.ReadJson(ref Utf8JsonReader reader)
    {
        string? endpointId = null;
        string? timeframe = null;
        string? aggregation = null;
        List<FalRunnerBucket>? buckets = null;
        DateTimeOffset? asOf = null;
        var members = new AnswerMembers(ref reader, "The runner history", Members);
        while (members.Next(ref reader) is { } name)
        {
            switch (name)
            {
                case "endpoint_id":
                    endpointId = AnswerJson.ReadTextIfAny(ref reader);
                    break;
                case "timeframe":
                    timeframe = AnswerJson.ReadTextIfAny(ref reader);
                    break;
                case "aggregation":
                    aggregation = AnswerJson.ReadTextIfAny(ref reader);
                    break;
                case "as_of":
                    asOf = AnswerJson.ReadInstantIfAny(ref reader);
                    break;
                default:
                    buckets = AnswerJson.ReadList<FalRunnerBucket>(ref reader, name);
                    break;
            }
        }

        return new FalRunnerHistory
        {
            EndpointId = endpointId ?? "",
            Timeframe = timeframe,
            Aggregation = aggregation,
            Buckets = buckets ?? throw new JsonException("The answer has no 'history', the list of buckets."),
            Answer = new FalAnswer { AsOf = asOf },
        };
    }

    void IFalJson<FalRunnerHistory>.WriteJson(Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        writer.WriteString("endpoint_id"u8, EndpointId);
        writer.WriteString("timeframe"u8, Timeframe);
        writer.WriteString("aggregation"u8, Aggregation);
        AnswerJson.WriteList(writer, "history", Buckets);
        AnswerJson.WriteAsOf(writer, Answer);
        writer.WriteEndObject();
    }

    /// <summary>The app, the number of buckets and what they are, for a log line.</summary>
    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"{EndpointId}: {Buckets.Count} buckets ({Timeframe}, {Aggregation})");

    /// <summary>This history as the answer to a query: in ascending order, with what the service left out filled in.</summary>
    /// <exception cref="FalResponseException">The history belongs to another app, or covers another time.</exception>
    internal FalRunnerHistory AsAnswerTo(string endpointId, FalRunnerHistoryQuery query)
    {
        if (EndpointId.Length > 0 && !EndpointId.Equals(endpointId, StringComparison.OrdinalIgnoreCase))
        {
            // The other id is not quoted: what the far side sends can be the key.
            throw PageGuard.Unusable(
                $"The service sent the runner history of another app instead of {endpointId}. Repeat the query. If the error persists, " +
                    $"report it to fal with the query.");
        }

        query.Grid.ThrowIfOutside(Buckets.Select(bucket => bucket.Start));
        return new FalRunnerHistory
        {
            EndpointId = endpointId,
            Timeframe = Timeframe ?? AnalyticsCalendar.TimeframeOf(query.Grid).GetWireName(),
            Aggregation = Aggregation ?? WireName(query.Aggregation),
            Buckets =
            [
                // Ends are exclusive, and the service ends answers with a bucket that starts after the present.
                .. Buckets.Where(bucket => !(bucket.Start >= AnalyticsCalendar.EndOf(query.Grid)))
                    .GroupBy(bucket => bucket.Start)
                    .OrderBy(same => same.Key)
                    .Select(same => same.Last()),
            ],
            Query = query,
            Answer = Answer,
        };
    }

    /// <summary>How much time a bucket's mean covers. Buckets of an unknown timeframe weigh the same.</summary>
    private double HoursOf(FalRunnerBucket bucket, AnalyticsTimeframe? timeframe)
    {
        if (timeframe is not { } known)
        {
            return 1;
        }

        DateTimeOffset end = AnalyticsCalendar.EndOf(bucket.Start, calendar: null, known);
        end = Answer.ReceivedAt is { } now && now > bucket.Start && now < end ? now : end;
        return (end - bucket.Start).TotalHours;
    }

    private static string WireName(FalRunnerAggregation aggregation) => aggregation == FalRunnerAggregation.Average
        ? FalRunnerHistoryQueryConverter.Average
        : FalRunnerHistoryQueryConverter.Max;

    private bool Is(FalRunnerAggregation aggregation) => Aggregation == WireName(aggregation);

    private bool IsOfApp(string endpointId) =>
        endpointId == EndpointId || (endpointId.StartsWith(EndpointId, StringComparison.Ordinal) && endpointId[EndpointId.Length] == '/');
}
