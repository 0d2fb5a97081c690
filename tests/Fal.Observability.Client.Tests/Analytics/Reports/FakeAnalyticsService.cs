using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Threading.Channels;
using Microsoft.Extensions.Logging.Testing;

namespace Fal.Observability.Client.Tests;

/// <summary>
/// The service in memory: hours of UTC in which every endpoint has as many requests as the hour of the day, served in pages. A test
/// bends it by its properties.
/// </summary>
internal sealed class FakeAnalyticsService : IFalAnalyticsApi
{
    public static readonly DateTimeOffset Now = new(2026, 3, 15, 12, 0, 0, TimeSpan.Zero);

    private readonly ConcurrentQueue<AnalyticsQuery> _calls = new();
    private readonly Channel<AnalyticsQuery> _arrivals = Channel.CreateUnbounded<AnalyticsQuery>();
    private int _underWay;

    public SteppedClock Time { get; } = new(Now);

    public FakeLogger Log { get; } = new();

    public FalObservabilityOptions Options { get; } = new();

    public HashSet<string> Refused { get; } = new(StringComparer.Ordinal);

    public HashSet<string> Fragile { get; } = new(StringComparer.Ordinal);

    public int PageSize { get; set; } = 1000;

    /// <summary>The order in which the buckets of a call are cut into pages.</summary>
    public Func<IReadOnlyList<AnalyticsBucket>, IEnumerable<AnalyticsBucket>> Order { get; set; } = buckets => buckets;

    /// <summary>Called before each answer, and free to throw.</summary>
    public Func<AnalyticsQuery, Task> Before { get; set; } = _ => Task.CompletedTask;

    /// <summary>How buckets lie in time; the service's own idea, which need not be the client's.</summary>
    public TimeSpan BucketLength { get; set; } = TimeSpan.FromHours(1);

    /// <summary>Whether a bucket that starts at the end of the range is part of the answer, against the documentation.</summary>
    public bool IncludesEnd { get; set; }

    public IReadOnlyList<AnalyticsQuery> Calls => [.. _calls];

    /// <summary>The calls once more, for a test that waits for the next one.</summary>
    public ChannelReader<AnalyticsQuery> Arrivals => _arrivals.Reader;

    public int MostUnderWay { get; private set; }

    public FalAnalyticsClient Client => new(this, Options, Time, Log, () => 0);

    public static string[] Ids(int count) =>
        [.. Enumerable.Range(0, count).Select(i => string.Create(CultureInfo.InvariantCulture, $"org/app-{i:d3}"))];

    public static AnalyticsQuery Query(int endpoints, int hours) => new(Ids(endpoints))
    {
        Range = AnalyticsTimeRange.Between(Now.AddHours(-hours), Now),
        Timeframe = AnalyticsTimeframe.Hour,
    };

    public async Task<AnalyticsPage> GetServerlessAnalyticsAsync(AnalyticsQuery query, CancellationToken cancellationToken = default)
    {
        query.ValidateForOneCall();
        _calls.Enqueue(query);
        _arrivals.Writer.TryWrite(query);
        MostUnderWay = Math.Max(MostUnderWay, Interlocked.Increment(ref _underWay));
        try
        {
            await Before(query);
            await Task.Yield();
            cancellationToken.ThrowIfCancellationRequested();
            return Answer(query);
        }
        finally
        {
            Interlocked.Decrement(ref _underWay);
        }
    }

    public Task<AnalyticsPage> GetModelsAnalyticsAsync(AnalyticsQuery query, CancellationToken cancellationToken = default) =>
        throw new NotSupportedException();

    public static FalForbiddenException NotOwned(string message = "not yours") => new(message)
    {
        StatusCode = HttpStatusCode.Forbidden,
        ContentType = "application/json",
        ServiceMessage = message,
    };

    private AnalyticsPage Answer(AnalyticsQuery query)
    {
        if (query.EndpointIds.FirstOrDefault(Refused.Contains) is { } refused)
        {
            throw NotOwned($"{refused} is not yours");
        }

        if (query.EndpointIds.Any(Fragile.Contains) && query.EffectiveExpand.HasFlag(AnalyticsExpand.P50ColdBootDuration))
        {
            throw new FalApiException("failed") { StatusCode = HttpStatusCode.InternalServerError, IsTransient = true };
        }

        DateTimeOffset start = Floor(query.Range.Start!.Value);
        var buckets = new List<AnalyticsBucket>();
        for (
            DateTimeOffset bucket = start;
            bucket < query.Range.End!.Value || (IncludesEnd && bucket == query.Range.End);
            bucket += BucketLength
        )
        {
            buckets.Add(
                new AnalyticsBucket { Start = bucket, Rows = [.. query.EndpointIds.Select(id => Row(query, id, bucket.Hour + 1))] }
            );
        }

        int first = query.Cursor is null ? 0 : int.Parse(query.Cursor, CultureInfo.InvariantCulture);
        int size = query.Limit ?? PageSize;
        return new AnalyticsPage
        {
            TimeSeries = query.EffectiveExpand.HasFlag(AnalyticsExpand.TimeSeries) ? [.. Order(buckets).Skip(first).Take(size)] : [],
            Summary = query.EffectiveExpand.HasFlag(AnalyticsExpand.Summary)
                ? [.. query.EndpointIds.Select(id => Row(query, id, buckets.Sum(bucket => bucket.Start.Hour + 1)))]
                : [],
            NextCursor = query.EffectiveExpand.HasFlag(AnalyticsExpand.TimeSeries) && first + size < buckets.Count
                ? (first + size).ToString(CultureInfo.InvariantCulture)
                : null,
        };
    }

    private static AnalyticsRow Row(AnalyticsQuery query, string id, long requests) => new()
    {
        EndpointId = id,
        RequestCount = requests,
        P50ColdBootDuration = query.EffectiveExpand.HasFlag(AnalyticsExpand.P50ColdBootDuration) ? TimeSpan.FromSeconds(2) : null,
    };

    private DateTimeOffset Floor(DateTimeOffset instant) => new(instant.UtcTicks - (instant.UtcTicks % BucketLength.Ticks), TimeSpan.Zero);
}
