using Fal.Observability.Client.Testing;
using Microsoft.Extensions.Logging.Testing;
using Xunit;

namespace Fal.Observability.Client.IntegrationTests;

/// <summary>A watch against the simulator. Both use one clock, which the test advances.</summary>
public sealed class WatchTests
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(15);

    [Fact]
    public async Task Reads_now_and_then_once_each_interval()
    {
        await using FalSimulator simulator = await FalSimulator.StartAsync(
            options => options.Seed = 1,
            TestContext.Current.CancellationToken
        );
        using FalAccount account = AccountOf(simulator);
        await using IAsyncEnumerator<FalMetricsSnapshot> watch = account
            .Metrics.WatchAsync(Interval)
            .GetAsyncEnumerator(TestContext.Current.CancellationToken);

        for (int read = 0; read < 4; read++)
        {
            ValueTask<bool> next = watch.MoveNextAsync();
            if (read > 0)
            {
                Assert.False(next.IsCompleted);
                Assert.Equal(read, simulator.Requests.Count);
                account.Clock.Advance(Interval);
            }

            Assert.True(await next.AsTask().OrHangs());
            Assert.Equal(SteppedClock.FirstInstant + (read * Interval), watch.Current.Timestamp);
            Assert.Equal(simulator.Apps.Count, watch.Current.Apps.Count);
            Assert.Equal(read + 1, simulator.Requests.Count);
        }
    }

    [Theory]
    [InlineData(FaultKind.ServerError)]
    [InlineData(FaultKind.RateLimited)]
    [InlineData(FaultKind.BadGateway)]
    [InlineData(FaultKind.DroppedConnection)]
    [InlineData(FaultKind.TruncatedGzip)]
    [InlineData(FaultKind.TruncatedChunked)]
    [InlineData(FaultKind.HtmlBody)]
    [InlineData(FaultKind.WrongContent)]
    public async Task Continues_after_transient_failures_and_counts_the_failed_reads(FaultKind kind)
    {
        await using FalSimulator simulator = await FalSimulator.StartAsync(
            options => options.Seed = 1,
            TestContext.Current.CancellationToken
        );
        using FalAccount account = AccountOf(simulator, options => options.MaxAttempts = 1);
        await using IAsyncEnumerator<FalMetricsSnapshot> watch = account
            .Metrics.WatchAsync(Interval)
            .GetAsyncEnumerator(TestContext.Current.CancellationToken);
        Assert.True(await watch.MoveNextAsync());
        Assert.Equal(0, watch.Current.FailuresSinceLast);
        simulator.Faults.Next(2, new Fault(kind));

        Task<bool> next = watch.MoveNextAsync().AsTask();
        foreach (int failures in new[] { 1, 2 })
        {
            account.Clock.Advance(Interval);
            await EventAsync(account, 6, failures).OrHangs();
            Assert.False(next.IsCompleted);
        }

        account.Clock.Advance(Interval);
        Assert.True(await next.OrHangs());
        Assert.Equal(2, watch.Current.FailuresSinceLast);
        next = watch.MoveNextAsync().AsTask();
        account.Clock.Advance(Interval);
        Assert.True(await next.OrHangs());
        Assert.Equal(0, watch.Current.FailuresSinceLast);
        Assert.Equal(5, simulator.Requests.Count);
    }

    [Theory]
    [InlineData(507)]
    [InlineData(522)]
    [InlineData(530)]
    [InlineData(599)]
    public async Task Continues_after_a_status_of_the_edges_own(int status)
    {
        using var api = new WireMockApi(MockResponse.Metrics(), new MockResponse(status), MockResponse.Metrics());
        using var account = new FalAccount(api.BaseAddress, options => options.MaxAttempts = 1);
        await using IAsyncEnumerator<FalMetricsSnapshot> watch = account
            .Metrics.WatchAsync(Interval)
            .GetAsyncEnumerator(TestContext.Current.CancellationToken);
        Assert.True(await watch.MoveNextAsync());

        Task<bool> next = watch.MoveNextAsync().AsTask();
        account.Clock.Advance(Interval);
        await EventAsync(account, 6, 1).OrHangs();
        account.Clock.Advance(Interval);

        Assert.True(await next.OrHangs());
        Assert.Equal(1, watch.Current.FailuresSinceLast);
    }

    [Theory]
    [InlineData(FaultKind.Challenge, typeof(FalForbiddenException))]
    [InlineData(null, typeof(FalForbiddenException))]
    [InlineData("someone:elses-key", typeof(FalAuthenticationException))]
    public async Task Ends_with_a_failure_that_only_the_user_can_fix(object? cause, Type exception)
    {
        await using FalSimulator simulator = await FalSimulator.StartAsync(
            options => options.Seed = 1,
            TestContext.Current.CancellationToken
        );
        if (cause is FaultKind kind)
        {
            simulator.Faults.Every(1, new Fault(kind));
        }

        using FalAccount account = AccountOf(simulator, options => options.ApiKey = cause as string ?? simulator.KeyWithoutPermission);
        await using IAsyncEnumerator<FalMetricsSnapshot> watch = account
            .Metrics.WatchAsync(Interval)
            .GetAsyncEnumerator(TestContext.Current.CancellationToken);

        Exception? failure = await Record.ExceptionAsync(async () => await watch.MoveNextAsync());

        Assert.Equal(exception, failure?.GetType());
        FalAccount.AssertNothingOfRefit(failure!);
        Assert.Single(simulator.Requests);
        Assert.False(await watch.MoveNextAsync());
    }

    [Fact]
    public async Task Ends_in_the_middle_when_the_key_is_revoked()
    {
        using var api = new WireMockApi(MockResponse.Metrics(), MockResponse.Metrics(), new MockResponse(401));
        using var account = new FalAccount(api.BaseAddress);
        int snapshots = 0;

        await Assert.ThrowsAsync<FalAuthenticationException>(async () =>
        {
            await using IAsyncEnumerator<FalMetricsSnapshot> watch = account.Metrics.WatchAsync(Interval).GetAsyncEnumerator();
            while (true)
            {
                Task<bool> next = watch.MoveNextAsync().AsTask();
                if (snapshots++ > 0)
                {
                    account.Clock.Advance(Interval);
                }

                await next.OrHangs();
            }
        });

        Assert.Equal(3, snapshots);
        Assert.Equal(3, api.Requests.Count);
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(1)]
    public async Task Reads_once_each_interval_when_the_clock_is_set(int hours)
    {
        await using var server = RawServer.Start(RawServer.Answer(200, "text/plain", "a 1\n"));
        using var account = new FalAccount(server.BaseAddress);
        await using IAsyncEnumerator<FalMetricsSnapshot> watch = account
            .Metrics.WatchAsync(Interval)
            .GetAsyncEnumerator(TestContext.Current.CancellationToken);
        Assert.True(await watch.MoveNextAsync());

        for (int read = 1; read <= 3; read++)
        {
            Task<bool> next = watch.MoveNextAsync().AsTask();
            account.Clock.SetBy = read * TimeSpan.FromHours(hours);
            account.Clock.Advance(Interval / 2);
            Assert.Equal(read, server.Heads.Count);
            account.Clock.Advance(Interval / 2);
            Assert.True(await next.OrHangs());
            Assert.Equal(read + 1, server.Heads.Count);
        }
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(1)]
    public async Task Waits_as_long_as_the_service_asks_for_when_the_clock_is_set(int hours)
    {
        // Longer than any limit of the client, so that this timer of the clock can be recognised as the wait.
        await using var server = RawServer.Start(
            RawServer.Answer(429, "text/plain", "", "Retry-After: 700"), RawServer.Answer(200, "text/plain", "a 1\n"));
        using var account = new FalAccount(server.BaseAddress, options => options.MaxAttempts = 1);
        await using IAsyncEnumerator<FalMetricsSnapshot> watch = account
            .Metrics.WatchAsync(Interval)
            .GetAsyncEnumerator(TestContext.Current.CancellationToken);

        Task<bool> next = watch.MoveNextAsync().AsTask();
        // The requested wait, plus jitter of up to a fifth.
        TimeSpan wait = await account.Clock.TimerAsync(TimeSpan.FromSeconds(700), TimeSpan.FromSeconds(840));
        account.Clock.SetBy = TimeSpan.FromHours(hours);
        account.Clock.Advance(wait - TimeSpan.FromMilliseconds(1));
        Assert.Single(server.Heads);
        account.Clock.Advance(TimeSpan.FromMilliseconds(1));

        Assert.True(await next.OrHangs());
        Assert.Equal(2, server.Heads.Count);
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(1)]
    public async Task The_analytics_are_read_once_each_interval_when_the_clock_is_set(int hours)
    {
        await using var server = RawServer.Start(RawServer.Answer(200, "application/json", """{"time_series":[]}"""));
        using var account = new FalAccount(server.BaseAddress);
        AnalyticsQuery query = new("my-org/my-app")
        {
            Range = AnalyticsTimeRange.Last(TimeSpan.FromHours(3)),
            Timeframe = AnalyticsTimeframe.Hour,
        };
        using var caller = new CancellationTokenSource();
        await using IAsyncEnumerator<AnalyticsBucket> watch = account
            .Analytics.WatchAsync(query, Interval, caller.Token)
            .GetAsyncEnumerator(caller.Token);

        Task<bool> next = watch.MoveNextAsync().AsTask();
        await server.ArrivalAsync();
        for (int read = 1; read <= 3; read++)
        {
            await EventAsync(account, 1, read).OrHangs();
            account.Clock.SetBy = read * TimeSpan.FromHours(hours);
            account.Clock.Advance(Interval);
            await server.ArrivalAsync();
            Assert.Equal(read + 1, server.Heads.Count);
        }

        await caller.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => next.OrHangs());
    }

    [Theory]
    [InlineData(9.999)]
    [InlineData(0)]
    [InlineData(-15)]
    [InlineData(86400.001)]
    public async Task Refuses_an_interval_out_of_range_at_the_call(double seconds)
    {
        await using var server = RawServer.Start(RawServer.Answer(200, "text/plain", "a 1\n"));
        using var account = new FalAccount(server.BaseAddress);

        ArgumentOutOfRangeException failure = Assert.Throws<ArgumentOutOfRangeException>(() =>
            account.Metrics.WatchAsync(TimeSpan.FromSeconds(seconds))
        );

        Assert.Contains("00:00:10", failure.Message, StringComparison.Ordinal);
        Assert.Empty(server.Heads);
    }

    [Fact]
    public async Task Does_not_make_up_for_the_ticks_that_a_busy_caller_missed()
    {
        await using FalSimulator simulator = await FalSimulator.StartAsync(
            options => options.Seed = 1,
            TestContext.Current.CancellationToken
        );
        using FalAccount account = AccountOf(simulator);
        await using IAsyncEnumerator<FalMetricsSnapshot> watch = account
            .Metrics.WatchAsync(Interval)
            .GetAsyncEnumerator(TestContext.Current.CancellationToken);
        Assert.True(await watch.MoveNextAsync());

        account.Clock.Advance(10 * Interval);
        Assert.True(await watch.MoveNextAsync().AsTask().OrHangs());
        Task<bool> next = watch.MoveNextAsync().AsTask();

        Assert.False(next.IsCompleted);
        Assert.Equal(2, simulator.Requests.Count);
        account.Clock.Advance(Interval);
        Assert.True(await next.OrHangs());
        Assert.Equal(SteppedClock.FirstInstant + (11 * Interval), watch.Current.Timestamp);
    }

    [Fact]
    public async Task Does_not_make_up_for_the_ticks_that_a_slow_read_missed()
    {
        var goOn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = RawServer.Start(
            async exchange =>
            {
                await goOn.Task;
                await RawServer.Answer(200, "text/plain", "a 1\n")(exchange);
            },
            RawServer.Answer(200, "text/plain", "a 2\n")
        );
        using var account = new FalAccount(
            server.BaseAddress,
            options => options.AttemptTimeout = options.TotalTimeout = TimeSpan.FromHours(1)
        );
        await using IAsyncEnumerator<FalMetricsSnapshot> watch = account
            .Metrics.WatchAsync(Interval)
            .GetAsyncEnumerator(TestContext.Current.CancellationToken);

        Task<bool> next = watch.MoveNextAsync().AsTask();
        await server.ArrivalAsync();
        account.Clock.Advance(10 * Interval);
        Assert.Single(server.Heads);
        goOn.SetResult();
        Assert.True(await next.OrHangs());
        Assert.True(await watch.MoveNextAsync().AsTask().OrHangs());
        next = watch.MoveNextAsync().AsTask();

        Assert.False(next.IsCompleted);
        Assert.Equal(2, server.Heads.Count);
        account.Clock.Advance(Interval);
        Assert.True(await next.OrHangs());
    }

    [Fact]
    public async Task Two_watches_of_one_client_do_not_disturb_each_other()
    {
        await using FalSimulator simulator = await FalSimulator.StartAsync(
            options => options.Seed = 1,
            TestContext.Current.CancellationToken
        );
        using FalAccount account = AccountOf(simulator);
        await using IAsyncEnumerator<FalMetricsSnapshot> one = account
            .Metrics.WatchAsync(Interval)
            .GetAsyncEnumerator(TestContext.Current.CancellationToken);
        await using IAsyncEnumerator<FalMetricsSnapshot> other = account
            .Metrics.WatchAsync(2 * Interval)
            .GetAsyncEnumerator(TestContext.Current.CancellationToken);
        Assert.True(await one.MoveNextAsync());
        Assert.True(await other.MoveNextAsync());

        Task<bool> often = one.MoveNextAsync().AsTask();
        Task<bool> seldom = other.MoveNextAsync().AsTask();
        account.Clock.Advance(Interval);
        Assert.True(await often.OrHangs());
        Assert.False(seldom.IsCompleted);
        account.Clock.Advance(Interval);
        Assert.True(await seldom.OrHangs());
    }

    private static FalAccount AccountOf(FalSimulator simulator, Action<FalObservabilityOptions>? configure = null) =>
        new(simulator.BaseAddress, options =>
        {
            options.ApiKey = simulator.Key;
            configure?.Invoke(options);
        });

    /// <summary>Completes when the client has logged an event this often.</summary>
    private static async Task EventAsync(FalAccount account, int id, int times)
    {
        await foreach (FakeLogRecord _ in account.Log.GetLogsAsync(TestContext.Current.CancellationToken))
        {
            if (account.Events(id).Count == times)
            {
                return;
            }
        }
    }
}
