using System.Text;
using Fal.Observability.Client.Prometheus;
using Microsoft.Extensions.Logging.Testing;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Fal.Observability.Client.Tests;

/// <summary>The client over a Refit interface of the test's own: what it does with bodies and with time.</summary>
public sealed class FalMetricsClientTests
{
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));
    private readonly FakeLogger _log = new();

    [Fact]
    public async Task A_malformed_line_is_skipped_reported_and_logged_and_every_other_sample_is_kept()
    {
        FalMetricsSnapshot snapshot = await Client(
                "fal_app_queue_size{application=\"a/b\"} 1\nfal_app_queue_size{application= 2\nfal_app_queue_size{application=\"c/d\"} 3\n"
            )
            .GetSnapshotAsync();
        Assert.Equal([1.0, 3.0], snapshot.Apps.Select(app => app.QueueSize!.Value));
        Assert.Equal(1, snapshot.SkippedLineCount);
        Assert.Equal(2, Assert.Single(snapshot.SkippedLines).Line);
        Assert.Equal(5, _log.LatestRecord.Id.Id);
    }

    [Fact]
    public async Task In_strict_mode_the_same_line_fails_the_call_with_its_place()
    {
        FalMetricsClient client = Client("a 1\nb{c= 2\n", o => o.StrictMetrics = true);
        FalResponseException failure = await Assert.ThrowsAsync<FalResponseException>(() => client.GetSnapshotAsync());
        PrometheusFormatException cause = Assert.IsType<PrometheusFormatException>(failure.InnerException);
        Assert.Equal(2, cause.Line);
        Assert.Contains("line 2", failure.Message, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task A_body_in_which_nothing_is_a_sample_is_an_error_and_never_an_empty_snapshot()
    {
        FalMetricsClient client = Client("<html>\n<body>Please sign in</body>\n</html>\n");
        await Assert.ThrowsAsync<FalResponseException>(() => client.GetSnapshotAsync());
        await Assert.ThrowsAsync<FalResponseException>(async () => await client.StreamSamplesAsync().GetAsyncEnumerator().MoveNextAsync());
    }

    [Fact]
    public async Task An_empty_body_is_an_idle_account()
    {
        FalMetricsSnapshot snapshot = await Client("").GetSnapshotAsync();
        Assert.Empty(snapshot.Apps);
        Assert.Equal(_time.GetUtcNow(), snapshot.Timestamp);
    }

    [Fact]
    public async Task A_stream_gives_the_same_samples_as_the_families()
    {
        FalMetricsClient client = Client("# TYPE a gauge\na{x=\"1\"} 1\na{x=\"2\"} 2\nb 3\n");
        List<PrometheusSample> streamed = [];
        await foreach (PrometheusSample sample in client.StreamSamplesAsync())
        {
            streamed.Add(sample);
        }

        Assert.Equal((await client.GetFamiliesAsync()).Families.SelectMany(family => family.Samples), streamed);
    }

    [Theory]
    [InlineData(9.9)]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(86401)]
    public void An_interval_out_of_range_is_refused_at_the_call(double seconds) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => Client("").WatchAsync(TimeSpan.FromSeconds(seconds)));

    [Fact]
    public async Task A_watch_continues_after_transient_failures_and_counts_them()
    {
        var api = new ScriptedApi(
            "a 1\n",
            new FalTransportException("down") { IsTransient = true },
            new FalResponseException("html"),
            "a 2\n",
            "a 3\n"
        );
        var client = new FalMetricsClient(api, new FalObservabilityOptions(), _time, _log, () => 0);
        await using IAsyncEnumerator<FalMetricsSnapshot> watch = client.WatchAsync(TimeSpan.FromSeconds(15)).GetAsyncEnumerator();

        Assert.True(await watch.MoveNextAsync());
        Assert.Equal(0, watch.Current.FailuresSinceLast);

        Task<bool> next = watch.MoveNextAsync().AsTask();
        await StepUntil(next, TimeSpan.FromSeconds(15));
        Assert.Equal(2, watch.Current.FailuresSinceLast);
        Assert.Equal(2, Assert.Single(watch.Current.Exposition["a"]!.Samples).Value);

        next = watch.MoveNextAsync().AsTask();
        await StepUntil(next, TimeSpan.FromSeconds(15));
        Assert.Equal(0, watch.Current.FailuresSinceLast);
        Assert.Equal(2, _log.Collector.GetSnapshot().Count(record => record.Id.Id == 6));
    }

    [Fact]
    public async Task A_watch_ends_with_what_nobody_but_the_user_can_mend()
    {
        foreach (
            Exception final in new Exception[]
            {
                new FalAuthenticationException("401"),
                new FalForbiddenException("403"),
                new FalApiException("400"),
            }
        )
        {
            var client = new FalMetricsClient(new ScriptedApi(final), new FalObservabilityOptions(), _time, _log, () => 0);
            await using IAsyncEnumerator<FalMetricsSnapshot> watch = client.WatchAsync(TimeSpan.FromSeconds(15)).GetAsyncEnumerator();
            Assert.Same(final, await Assert.ThrowsAnyAsync<Exception>(async () => await watch.MoveNextAsync()));
        }
    }

    [Fact]
    public async Task A_watch_waits_as_long_as_a_rate_limit_asks_for()
    {
        var api = new ScriptedApi(new FalRateLimitException("429") { IsTransient = true, RetryAfter = TimeSpan.FromSeconds(60) }, "a 1\n");
        var client = new FalMetricsClient(api, new FalObservabilityOptions(), _time, _log, () => 0);
        DateTimeOffset start = _time.GetUtcNow();
        await using IAsyncEnumerator<FalMetricsSnapshot> watch = client.WatchAsync(TimeSpan.FromSeconds(10)).GetAsyncEnumerator();
        Task<bool> next = watch.MoveNextAsync().AsTask();
        await StepUntil(next, TimeSpan.FromSeconds(10));
        Assert.True(watch.Current.Timestamp - start >= TimeSpan.FromSeconds(60));
        Assert.Equal(2, api.Calls);
    }

    [Fact]
    public async Task Cancelling_ends_a_stream_at_the_next_sample_with_the_callers_token()
    {
        using var caller = new CancellationTokenSource();
        int read = 0;
        OperationCanceledException cancelled = await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (
                PrometheusSample sample in Client(string.Concat(Enumerable.Range(0, 1000).Select(i => $"a{i} 1\n")))
                    .StreamSamplesAsync(caller.Token)
            )
            {
                if (++read == 3)
                {
                    await caller.CancelAsync();
                }
            }
        });
        Assert.Equal(3, read);
        Assert.Equal(caller.Token, cancelled.CancellationToken);
    }

    [Fact]
    public async Task Ticks_that_fall_due_while_the_caller_is_busy_are_skipped()
    {
        var api = new ScriptedApi("a 1\n", "a 2\n", "a 3\n");
        var client = new FalMetricsClient(api, new FalObservabilityOptions(), _time, _log, () => 0);
        await using IAsyncEnumerator<FalMetricsSnapshot> watch = client.WatchAsync(TimeSpan.FromSeconds(10)).GetAsyncEnumerator();
        Assert.True(await watch.MoveNextAsync());
        for (int i = 0; i < 6; i++)
        {
            _time.Advance(TimeSpan.FromSeconds(10));
        }

        Assert.True(await watch.MoveNextAsync());
        Task<bool> next = watch.MoveNextAsync().AsTask();
        Assert.False(next.IsCompleted);
        Assert.Equal(2, api.Calls);
        _time.Advance(TimeSpan.FromSeconds(10));
        Assert.True(await next);
    }

    private FalMetricsClient Client(string body, Action<FalObservabilityOptions>? configure = null)
    {
        var options = new FalObservabilityOptions();
        configure?.Invoke(options);
        return new FalMetricsClient(new ScriptedApi(body), options, _time, _log, () => 0);
    }

    private async Task StepUntil(Task done, TimeSpan step)
    {
        while (!done.IsCompleted)
        {
            _time.Advance(step);
            await Task.Yield();
        }

        await done;
    }

    /// <summary>Answers with each line of a script, a body or an exception, the last one again and again.</summary>
    private sealed class ScriptedApi(params object[] script) : IFalMetricsApi
    {
        public int Calls { get; private set; }

        public Task<Stream> GetMetricsAsync(bool streaming = false, CancellationToken cancellationToken = default) =>
            script[Math.Min(Calls++, script.Length - 1)] switch
            {
                string body => Task.FromResult<Stream>(new MemoryStream(Encoding.UTF8.GetBytes(body))),
                var failure => Task.FromException<Stream>((Exception)failure),
            };
    }
}
