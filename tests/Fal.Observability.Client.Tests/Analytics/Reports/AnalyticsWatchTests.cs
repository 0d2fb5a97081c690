using Xunit;

namespace Fal.Observability.Client.Tests;

public sealed class AnalyticsWatchTests
{
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(10);

    private readonly FakeAnalyticsService _service = new();
    private readonly AnalyticsQuery _query =
        FakeAnalyticsService.Query(2, 1) with { Range = AnalyticsTimeRange.Last(TimeSpan.FromHours(3)) };

    [Fact]
    public async Task Each_bucket_comes_once_when_it_is_closed_and_again_only_if_it_changed()
    {
        await using IAsyncEnumerator<AnalyticsBucket> watch = _service.Client.WatchAsync(_query, Interval).GetAsyncEnumerator();
        // Noon: 9 and 10 are closed, 11 has just ended.
        Assert.Equal([9, 10], await NextAsync(watch, 2));
        Assert.Equal(11, await NextAsync(watch));

        // Late data for ten o'clock.
        _service.Order = buckets => buckets.Select(bucket => bucket.Start.Hour == 10
            ? new AnalyticsBucket { Start = bucket.Start, Rows = [new AnalyticsRow { EndpointId = "org/app-000", RequestCount = 999 }] }
            : bucket);

        Assert.Equal(10, await NextAsync(watch));
        Assert.Equal(999, watch.Current.Rows[0].RequestCount);
        Assert.Equal(12, await NextAsync(watch));
        Assert.Equal(13, await NextAsync(watch));
    }

    [Fact]
    public async Task An_outage_longer_than_the_range_leaves_no_hole()
    {
        await using IAsyncEnumerator<AnalyticsBucket> watch = _service.Client.WatchAsync(_query, Interval).GetAsyncEnumerator();
        Assert.Equal([9, 10, 11], await NextAsync(watch, 3));

        DateTimeOffset back = FakeAnalyticsService.Now.AddHours(8);
        _service.Before = _ => _service.Time.GetUtcNow() < back
            ? Task.FromException(new FalTransportException("down") { IsTransient = true })
            : Task.CompletedTask;

        Assert.Equal([12, 13, 14, 15, 16, 17, 18], await NextAsync(watch, 7));
        Assert.Contains(_service.Log.Collector.GetSnapshot(), record => record.Id.Id == 9);
    }

    [Fact]
    public async Task A_failure_that_nobody_but_the_user_can_mend_ends_the_watch()
    {
        var refused = new FalAuthenticationException("401");
        _service.Before = _ => Task.FromException(refused);
        await using IAsyncEnumerator<AnalyticsBucket> watch = _service.Client.WatchAsync(_query, Interval).GetAsyncEnumerator();

        Assert.Same(refused, await Assert.ThrowsAsync<FalAuthenticationException>(async () => await watch.MoveNextAsync()));
    }

    [Fact]
    public async Task A_wait_that_the_service_asks_for_is_kept_however_short_the_interval_is()
    {
        TimeSpan asked = TimeSpan.FromHours(5);
        bool limited = false;
        _service.Before = _ => limited
            ? Task.CompletedTask
            : Task.FromException(new FalRateLimitException("429") { RetryAfter = asked, IsTransient = limited = true });
        await using IAsyncEnumerator<AnalyticsBucket> watch = _service.Client.WatchAsync(_query, Interval).GetAsyncEnumerator();

        Task<bool> next = watch.MoveNextAsync().AsTask();
        TimeSpan? wait;
        do
        {
            wait = await _service.Time.NextWaitAsync(TimeSpan.FromDays(2), next).OrHangs();
        }
        while (wait == Interval);

        Assert.InRange(wait!.Value, asked, 2 * asked);
        _service.Time.Advance(wait.Value);

        Assert.True(await next.OrHangs());
        Assert.Equal(2, _service.Calls.Count);
        Assert.True(_service.Calls[1].Range.End >= FakeAnalyticsService.Now + asked);
    }

    [Fact]
    public async Task A_bucket_of_another_time_is_refused_and_does_not_drag_later_reads_back()
    {
        int calls = 0;
        _service.Order = buckets =>
            Interlocked.Increment(ref calls) == 2 ? [new AnalyticsBucket { Start = DateTimeOffset.UnixEpoch }, .. buckets] : buckets;
        await using IAsyncEnumerator<AnalyticsBucket> watch = _service.Client.WatchAsync(_query, Interval).GetAsyncEnumerator();

        Assert.Equal([9, 10, 11, 12], await NextAsync(watch, 4));

        Assert.Contains(
            "1970-01-01",
            Assert.Single(_service.Log.Collector.GetSnapshot(), record => record.Id.Id == 9).Message,
            StringComparison.Ordinal
        );
        Assert.All(_service.Calls, call => Assert.True(call.Range.End - call.Range.Start < TimeSpan.FromHours(5)));
    }

    [Theory]
    [InlineData(AnalyticsTimeframe.Minute)]
    [InlineData(AnalyticsTimeframe.Day)]
    public void A_service_that_sends_nothing_new_is_not_asked_for_more_and_more(AnalyticsTimeframe timeframe)
    {
        var watch = new AnalyticsWatch(_query with { Timeframe = timeframe });
        for (int day = 0; day < 400; day++)
        {
            AnalyticsQuery asked = watch.QueryAt(FakeAnalyticsService.Now.AddDays(day));

            Assert.InRange(asked.Range.End!.Value - asked.Range.Start!.Value, TimeSpan.FromHours(3), TimeSpan.FromDays(2));
            Assert.Empty(watch.TakeNewBuckets(new AnalyticsReport { Query = asked }));
        }
    }

    [Fact]
    public void After_an_outage_the_look_back_is_long_enough_and_has_a_limit()
    {
        var watch = new AnalyticsWatch(_query);
        AnalyticsTimeRange last = default;
        for (int day = 0; day < 400; day++)
        {
            last = watch.QueryAt(FakeAnalyticsService.Now.AddDays(day)).Range;
            Assert.True(day > 30 || last.Start == FakeAnalyticsService.Now.AddHours(-3));
        }

        Assert.Equal(TimeSpan.FromDays(31), last.End - last.Start);
    }

    [Fact]
    public async Task Refused_endpoints_are_searched_for_once()
    {
        _service.Refused.Add("org/app-001");
        await using IAsyncEnumerator<AnalyticsBucket> watch = _service.Client
            .WatchAsync(_query with { RefusedEndpoints = RefusedEndpointPolicy.Skip }, Interval).GetAsyncEnumerator();
        await NextAsync(watch);
        await NextAsync(watch);
        int calls = _service.Calls.Count;

        await NextAsync(watch);

        Assert.Equal(1, _service.Calls.Count - calls);
    }

    [Fact]
    public void What_cannot_be_watched_is_refused_at_the_call()
    {
        Assert.Throws<ArgumentException>(() => _service.Client.WatchAsync(FakeAnalyticsService.Query(1, 3), Interval));
        Assert.Throws<ArgumentException>(() => _service.Client.WatchAsync(_query with { Timeframe = null }, Interval));
        Assert.Throws<ArgumentOutOfRangeException>(() => _service.Client.WatchAsync(_query, TimeSpan.FromSeconds(9)));
        Assert.Throws<ArgumentOutOfRangeException>(() => _service.Client.WatchAsync(_query, TimeSpan.FromDays(2)));
    }

    private async Task<List<int>> NextAsync(IAsyncEnumerator<AnalyticsBucket> watch, int count)
    {
        var hours = new List<int>();
        while (hours.Count < count)
        {
            hours.Add(await NextAsync(watch));
        }

        return hours;
    }

    /// <summary>The hour of the next bucket, with the clock moved on by one interval for each call that was seen.</summary>
    private async Task<int> NextAsync(IAsyncEnumerator<AnalyticsBucket> watch)
    {
        Task<bool> next = watch.MoveNextAsync().AsTask();
        while (!next.IsCompleted)
        {
            await Task.WhenAny(next, _service.Arrivals.WaitToReadAsync().AsTask());
            if (!next.IsCompleted && _service.Arrivals.TryRead(out _))
            {
                _service.Time.Advance(Interval);
            }
        }

        Assert.True(await next);
        return watch.Current.Start.Hour;
    }
}
