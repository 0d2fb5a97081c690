using System.Net;
using System.Threading.Channels;
using Polly;
using Xunit;

namespace Fal.Observability.Client.Tests;

public sealed class FalCallHandlerTests
{
    public static TheoryData<int> EveryErrorStatus => [.. Enumerable.Range(400, 200)];

    [Theory]
    [MemberData(nameof(EveryErrorStatus))]
    public async Task A_status_is_retried_exactly_if_its_exception_is_transient(int status)
    {
        // RFC 9110: 501 and 505 say that the server will never be able to. 408 and 429 ask for the call to be repeated.
        bool transient = status is 408 or 429 or (>= 500 and not 501 and not 505);
        ScriptedHandler end = new((_, _) => Task.FromResult(ScriptedHandler.Response((HttpStatusCode)status)));
        using var pipeline = new Pipeline(end);

        using HttpResponseMessage response = await pipeline.SendThroughWaitsAsync();

        Assert.Equal(status, (int)response.StatusCode);
        Assert.Equal(transient ? 4 : 1, end.Sent);
        // The pipeline's chance is fixed at the upper end here.
        Assert.Equal(transient ? [1000, 2000, 4000] : [], pipeline.Waits);
        FalApiException failure = FalErrorReader.BadStatus(response, [], Pipeline.ApiKey, pipeline.Time.GetUtcNow());
        Assert.Equal(transient, failure.IsTransient);
        Assert.Equal(transient && status != 429, failure.Message.Contains("Try again later", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(503, "Retry-After", "120", 30, "wait 120 s", "longer than MaxRetryDelay (00:00:30)")]
    [InlineData(429, "Retry-After", "120", 30, "wait 120 s", "longer than MaxRetryDelay (00:00:30)")]
    [InlineData(429, "x-ratelimit-reset", "900", 30, "wait 900 s", "longer than MaxRetryDelay (00:00:30)")]
    [InlineData(503, "Retry-After", "150", 200, "wait 150 s", "the rest of TotalTimeout (00:02:00)")]
    public async Task A_wait_that_is_too_long_for_a_retry_is_named_with_the_setting_that_limits_it(
        int status, string header, string value, int maxRetryDelay, string wait, string setting)
    {
        ScriptedHandler end = new((_, _) => Task.FromResult(Refusal(status, header, value)));
        using var pipeline = new Pipeline(end, options =>
        {
            options.MaxRetryDelay = TimeSpan.FromSeconds(maxRetryDelay);
            options.TotalTimeout = TimeSpan.FromMinutes(2);
        });

        using HttpResponseMessage response = await pipeline.SendAsync();

        Assert.Equal(1, end.Sent);
        string message = FalErrorReader.BadStatus(response, [], Pipeline.ApiKey, pipeline.Time.GetUtcNow()).Message;
        Assert.Contains(wait, message, StringComparison.Ordinal);
        Assert.Contains("did not retry", message, StringComparison.Ordinal);
        Assert.Contains(setting, message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_wait_after_the_last_attempt_is_named_without_a_setting()
    {
        ScriptedHandler end = new((_, _) => Task.FromResult(Refusal(503, "Retry-After", "5")));
        using var pipeline = new Pipeline(end);

        using HttpResponseMessage response = await pipeline.SendThroughWaitsAsync();

        Assert.Equal(4, end.Sent);
        string message = FalErrorReader.BadStatus(response, [], Pipeline.ApiKey, pipeline.Time.GetUtcNow()).Message;
        Assert.Contains("wait 5 s", message, StringComparison.Ordinal);
        Assert.DoesNotContain("did not retry", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Attempts_waits_and_log_are_the_same_whether_or_not_each_attempt_is_logged(bool isLogged)
    {
        ScriptedHandler end = new((_, _) => throw new HttpRequestException(HttpRequestError.ConnectionError, "refused"));
        using var pipeline = new Pipeline(end, isLogged: isLogged);

        await Assert.ThrowsAsync<FalTransportException>(pipeline.SendThroughWaitsAsync);

        Assert.Equal(4, end.Sent);
        Assert.Equal([1000, 2000, 4000], pipeline.Waits);
        Assert.Equal(3, pipeline.Log.GetSnapshot().Count(record => record.Category == FalLog.Category));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_call_that_is_cancelled_before_it_begins_sends_nothing(bool isLogged)
    {
        ScriptedHandler end = new((_, _) => Task.FromResult(ScriptedHandler.Response(HttpStatusCode.OK)));
        using var pipeline = new Pipeline(end, isLogged: isLogged);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => pipeline.SendAsync(cancellationToken: new CancellationToken(true)));

        Assert.Equal(0, end.Sent);
    }

    [Fact]
    public async Task An_exception_after_several_attempts_says_how_many_and_how_long()
    {
        ScriptedHandler end = new((_, _) => throw new HttpRequestException(HttpRequestError.ConnectionError, "refused"));
        using var pipeline = new Pipeline(end);
        Task<HttpResponseMessage> call = pipeline.SendAsync();
        await pipeline.StepOverWaitsAsync(call);

        FalTransportException failure = await Assert.ThrowsAsync<FalTransportException>(() => call);

        Assert.EndsWith("It failed after 4 attempts in 7.0 s.", failure.Message, StringComparison.Ordinal);
        Assert.Equal(TimeSpan.FromSeconds(7), failure.Elapsed);
    }

    [Theory]
    [InlineData("an invalid status line")]
    [InlineData("cancellation by the caller")]
    [InlineData("the attempt's time-out")]
    [InlineData("the total time-out")]
    public async Task What_the_far_side_echoes_is_in_no_exception_and_no_log(string end)
    {
        using var caller = new CancellationTokenSource();
        Pipeline? pipeline = null;
        var echoing = new ScriptedHandler(
            async (_, token) =>
            {
                var wire = new HttpRequestException(
                    HttpRequestError.InvalidResponse,
                    $"Received an invalid status line: 'Key {Pipeline.ApiKey}'."
                );
                switch (end)
                {
                    case "cancellation by the caller":
                        await caller.CancelAsync();
                        throw new TaskCanceledException(wire.Message, wire, token);
                    case "the attempt's time-out":
                        pipeline!.Time.Advance(pipeline.Options.AttemptTimeout);
                        throw new TaskCanceledException(wire.Message, wire, token);
                    case "the total time-out":
                        pipeline!.Time.Advance(pipeline.Options.TotalTimeout);
                        throw new TaskCanceledException(wire.Message, wire, token);
                    default:
                        throw wire;
                }
            }
        );
        using (pipeline = new Pipeline(echoing, o => o.MaxAttempts = 2, isLogged: true))
        {
            Task<HttpResponseMessage> call = pipeline.SendAsync(cancellationToken: caller.Token);
            await pipeline.StepOverWaitsAsync(call);
            Exception failure = await Assert.ThrowsAnyAsync<Exception>(() => call);

            Assert.DoesNotContain("test-secret", failure.ToString(), StringComparison.OrdinalIgnoreCase);
            Assert.NotEmpty(pipeline.Log.GetSnapshot());
            Assert.All(pipeline.Log.GetSnapshot(), record =>
            {
                string all = $"{record.Message} {record.Exception} {string.Join(' ', record.StructuredState ?? [])}";
                Assert.DoesNotContain("test-secret", all, StringComparison.OrdinalIgnoreCase);
            });
        }
    }

    [Fact]
    public async Task A_redirect_is_sent_once()
    {
        ScriptedHandler end = ScriptedHandler.Answering(ScriptedHandler.Response(HttpStatusCode.Redirect));
        using var pipeline = new Pipeline(end);
        using HttpResponseMessage response = await pipeline.SendAsync();
        Assert.Equal(HttpStatusCode.Redirect, response.StatusCode);
        Assert.Equal(1, end.Sent);
    }

    [Fact]
    public async Task After_four_attempts_the_key_was_sent_once_in_each()
    {
        ScriptedHandler end = new((_, _) => Task.FromResult(ScriptedHandler.Response(HttpStatusCode.BadGateway)));
        using var pipeline = new Pipeline(end);
        using HttpResponseMessage response = await pipeline.SendThroughWaitsAsync();
        Assert.Equal(Enumerable.Repeat($"Key {Pipeline.ApiKey}", 4), end.Authorizations);
    }

    [Fact]
    public async Task No_response_is_retried_and_the_failure_counts_the_attempts()
    {
        ScriptedHandler end = new((_, _) => throw new HttpRequestException(HttpRequestError.ConnectionError, "refused"));
        using var pipeline = new Pipeline(end);
        Task<HttpResponseMessage> call = pipeline.SendAsync();
        await pipeline.StepOverWaitsAsync(call);
        FalTransportException failure = await Assert.ThrowsAsync<FalTransportException>(() => call);
        Assert.Equal(4, failure.Attempts);
        Assert.True(failure.IsTransient);
        Assert.Contains("api.example", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task One_attempt_means_no_retry()
    {
        ScriptedHandler end = ScriptedHandler.Answering(ScriptedHandler.Response(HttpStatusCode.BadGateway));
        using var pipeline = new Pipeline(end, o => o.MaxAttempts = 1);
        using HttpResponseMessage response = await pipeline.SendAsync();
        Assert.Equal(1, end.Sent);
    }

    [Theory]
    [InlineData("Retry-After", "3", 3000)]
    [InlineData("Retry-After", "0", 200)]
    [InlineData("Retry-After", "1.5", 1500)]
    [InlineData("Retry-After", "Thu, 01 Jan 2026 00:00:07 GMT", 7000)]
    [InlineData("Retry-After", "Wed, 31 Dec 2025 23:59:00 GMT", 200)]
    [InlineData("x-ratelimit-reset", "5", 5000)]
    [InlineData("x-ratelimit-reset", "2.5", 2500)]
    [InlineData("Retry-After", "soon", 500)]
    [InlineData("x-ratelimit-reset", "-4", 200)]
    public async Task A_hint_sets_the_wait_within_the_floor(string header, string value, long milliseconds)
    {
        HttpResponseMessage limited = ScriptedHandler.Response(HttpStatusCode.TooManyRequests);
        limited.Headers.TryAddWithoutValidation(header, value);
        ScriptedHandler end = ScriptedHandler.Answering(limited, ScriptedHandler.Response(HttpStatusCode.OK, "", "text/plain"));
        using var pipeline = new Pipeline(end, random: 0);
        using HttpResponseMessage response = await pipeline.SendThroughWaitsAsync();
        Assert.Equal(2, end.Sent);
        Assert.Equal([milliseconds], pipeline.Waits);
    }

    [Theory]
    [InlineData("Retry-After", "410400")]
    [InlineData("Retry-After", "99999999999999999999")]
    [InlineData("x-ratelimit-reset", "1e300")]
    [InlineData("Retry-After", "31")]
    public async Task A_hint_that_does_not_fit_fails_at_once_instead_of_waiting(string header, string value)
    {
        HttpResponseMessage limited = ScriptedHandler.Response(HttpStatusCode.TooManyRequests);
        limited.Headers.TryAddWithoutValidation(header, value);
        ScriptedHandler end = ScriptedHandler.Answering(limited);
        using var pipeline = new Pipeline(end);
        using HttpResponseMessage response = await pipeline.SendAsync();
        Assert.Equal(HttpStatusCode.TooManyRequests, response.StatusCode);
        Assert.Equal(1, end.Sent);
    }

    [Theory]
    [InlineData(1, 1000)]
    [InlineData(5, 1000)]
    [InlineData(20, 4000)]
    public async Task Callers_that_are_told_to_wait_equally_long_come_back_spread_out_and_none_too_early(int seconds, int spread)
    {
        var waits = new List<long>();
        for (int caller = 0; caller < 200; caller++)
        {
            HttpResponseMessage limited = ScriptedHandler.Response(HttpStatusCode.TooManyRequests);
            limited.Headers.Add("Retry-After", $"{seconds}");
            ScriptedHandler end = ScriptedHandler.Answering(limited, ScriptedHandler.Response(HttpStatusCode.OK, "", "text/plain"));
            using var pipeline = new Pipeline(end, random: caller / 200.0);
            using HttpResponseMessage response = await pipeline.SendThroughWaitsAsync();
            waits.Add(Assert.Single(pipeline.Waits));
        }

        Assert.Equal(seconds * 1000, waits.Min());
        Assert.Equal(200, waits.Distinct().Count());
        Assert.InRange(waits.Max(), (seconds * 1000) + (spread * 0.99), (seconds * 1000) + spread);
    }

    [Theory]
    [InlineData("30", 100, 30_000, 30_000)]
    [InlineData("29.9", 100, 29_900, 30_000)]
    [InlineData("14.999", 15, 14_999, 15_000)]
    [InlineData("14", 15, 14_000, 14_500)]
    public async Task The_random_part_of_a_wait_makes_no_wait_too_long(string asked, int totalTimeout, long least, long most)
    {
        HttpResponseMessage limited = ScriptedHandler.Response(HttpStatusCode.TooManyRequests);
        limited.Headers.TryAddWithoutValidation("Retry-After", asked);
        ScriptedHandler end = ScriptedHandler.Answering(limited, ScriptedHandler.Response(HttpStatusCode.OK, "", "text/plain"));
        using var pipeline = new Pipeline(end, o => o.TotalTimeout = TimeSpan.FromSeconds(totalTimeout));
        pipeline.Options.AttemptTimeout = pipeline.Options.TotalTimeout;

        using HttpResponseMessage response = await pipeline.SendThroughWaitsAsync();

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.InRange(Assert.Single(pipeline.Waits), least, most);
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(1)]
    public async Task A_clock_that_is_set_by_an_hour_changes_neither_retries_nor_deadline(int hours)
    {
        Pipeline? told = null;
        ScriptedHandler end = new((_, _) =>
        {
            told!.Time.SetBy = TimeSpan.FromHours(hours);
            return Task.FromResult(ScriptedHandler.Response(HttpStatusCode.ServiceUnavailable));
        });
        using var pipeline = new Pipeline(end);
        told = pipeline;

        Task<HttpResponseMessage> call = pipeline.SendAsync();
        await pipeline.StepOverWaitsAsync(call);
        (await call).Dispose();

        Assert.Equal(4, end.Sent);
        Assert.Equal([1000, 2000, 4000], pipeline.Waits);
    }

    [Fact]
    public async Task A_wait_that_outlasts_the_total_time_is_not_started()
    {
        HttpResponseMessage limited = ScriptedHandler.Response(HttpStatusCode.TooManyRequests);
        limited.Headers.TryAddWithoutValidation("Retry-After", "20");
        ScriptedHandler end = ScriptedHandler.Answering(limited);
        using var pipeline = new Pipeline(end, o => o.TotalTimeout = o.AttemptTimeout = TimeSpan.FromSeconds(15));
        using HttpResponseMessage response = await pipeline.SendAsync();
        Assert.Equal(1, end.Sent);
    }

    public static TheoryData<int?, int, bool> FailuresAtTheEnd =>
        new(
            from status in new int?[] { 503, 429, 404, null }
            from attempts in new[] { 4, 1 }
            from isLogged in new[] { false, true }
            select (status, attempts, isLogged)
        );

    /// <summary>The failure arrives first, and the disposal comes before the client has decided whether to retry.</summary>
    [Theory]
    [MemberData(nameof(FailuresAtTheEnd))]
    public async Task A_failure_that_arrives_while_the_client_is_disposed_is_not_the_outcome(int? status, int attempts, bool isLogged)
    {
        using var closing = new CancellationTokenSource();
        using var pipeline = new Pipeline(
            FailingAfter(closing.Cancel, status), o => o.MaxAttempts = attempts, isLogged: isLogged, closed: closing.Token);

        ObjectDisposedException ended = await Assert.ThrowsAsync<ObjectDisposedException>(() => pipeline.SendAsync());

        Assert.Contains("The client, or the container that owns it, has been disposed.", ended.Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(FailuresAtTheEnd))]
    public async Task A_failure_that_arrives_while_the_caller_cancels_is_not_the_outcome(int? status, int attempts, bool isLogged)
    {
        using var caller = new CancellationTokenSource();
        using var pipeline = new Pipeline(FailingAfter(caller.Cancel, status), o => o.MaxAttempts = attempts, isLogged: isLogged);

        OperationCanceledException ended = await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
            pipeline.SendAsync(cancellationToken: caller.Token)
        );

        Assert.Equal(caller.Token, ended.CancellationToken);
    }

    /// <summary>What a closed connection throws at a call depends on where the call is. None of it is for the caller.</summary>
    [Fact]
    public async Task An_exception_of_a_closed_handler_does_not_show_after_the_disposal()
    {
        using var closing = new CancellationTokenSource();
        var end = new ScriptedHandler((_, _) =>
        {
            closing.Cancel();
            throw new ObjectDisposedException("System.Net.Http.SocketsHttpHandler");
        });
        using var pipeline = new Pipeline(end, closed: closing.Token);

        ObjectDisposedException ended = await Assert.ThrowsAsync<ObjectDisposedException>(() => pipeline.SendAsync());

        Assert.Equal("FalObservabilityClient", ended.ObjectName);
    }

    /// <summary>A host that stops cancels its services, and then disposes the client. That is no failure of theirs.</summary>
    [Theory]
    [InlineData(503)]
    [InlineData(null)]
    public async Task A_caller_that_cancelled_gets_its_cancellation_although_the_client_is_disposed_too(int? status)
    {
        using var closing = new CancellationTokenSource();
        using var caller = new CancellationTokenSource();
        Action both = () =>
        {
            caller.Cancel();
            closing.Cancel();
        };
        using var pipeline = new Pipeline(FailingAfter(both, status), closed: closing.Token);

        OperationCanceledException ended = await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
            pipeline.SendAsync(cancellationToken: caller.Token)
        );

        Assert.Equal(caller.Token, ended.CancellationToken);
    }

    /// <summary>Each attempt fails with a status, or without a response. Something else happens at its very end.</summary>
    private static ScriptedHandler FailingAfter(Action happens, int? status) => new((_, _) =>
    {
        if (status is { } answered)
        {
            var body = new ObservedStream(new MemoryStream(), happens);
            return Task.FromResult(ScriptedHandler.Response((HttpStatusCode)answered, body));
        }

        happens();
        throw new HttpRequestException("connection reset");
    });

    [Fact]
    public async Task The_total_time_limit_ends_a_call_whose_attempts_hang()
    {
        var arrivals = Channel.CreateUnbounded<int>();
        ScriptedHandler end = new(async (_, token) =>
        {
            arrivals.Writer.TryWrite(1);
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, token);
            throw new InvalidOperationException("not reached");
        });
        using var pipeline = new Pipeline(end, o => o.TotalTimeout = TimeSpan.FromSeconds(45));
        Task<HttpResponseMessage> call = pipeline.SendAsync();
        await arrivals.Reader.ReadAsync();
        pipeline.Time.Advance(TimeSpan.FromSeconds(30));
        pipeline.Time.Advance(await pipeline.Time.NextWaitAsync(TimeSpan.FromSeconds(30), call) ?? TimeSpan.Zero);
        await arrivals.Reader.ReadAsync();
        pipeline.Time.Advance(TimeSpan.FromSeconds(15));
        FalTimeoutException failure = await Assert.ThrowsAsync<FalTimeoutException>(() => call);
        Assert.Equal(nameof(FalObservabilityOptions.TotalTimeout), failure.Setting);
        Assert.Equal(2, failure.Attempts);
    }

    [Fact]
    public async Task The_callers_cancellation_ends_a_wait_between_attempts()
    {
        using var caller = new CancellationTokenSource();
        ScriptedHandler end = new((_, _) => Task.FromResult(ScriptedHandler.Response(HttpStatusCode.BadGateway)));
        using var pipeline = new Pipeline(end);
        Task<HttpResponseMessage> call = pipeline.SendAsync(cancellationToken: caller.Token);
        await end.Arrived.Task;
        await caller.CancelAsync();
        OperationCanceledException cancelled = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
        Assert.IsNotType<FalTimeoutException>(cancelled, exactMatch: false);
        Assert.Equal(1, end.Sent);
    }

    [Fact]
    public async Task A_pipeline_of_the_users_own_takes_the_place_of_ours()
    {
        ScriptedHandler end = ScriptedHandler.Answering(ScriptedHandler.Response(HttpStatusCode.BadGateway));
        using var pipeline = new Pipeline(end, o => o.UseResiliencePipeline(ResiliencePipeline<HttpResponseMessage>.Empty));
        using HttpResponseMessage response = await pipeline.SendAsync();
        Assert.Equal(1, end.Sent);
    }

    [Fact]
    public async Task The_refusals_of_a_users_pipeline_are_failures_of_ours()
    {
        var breaker = new Polly.CircuitBreaker.CircuitBreakerManualControl(isIsolated: true);
        using var isolated = new Pipeline(
            ScriptedHandler.Answering(ScriptedHandler.Response(HttpStatusCode.OK)),
            o =>
                o.UseResiliencePipeline(
                    new ResiliencePipelineBuilder<HttpResponseMessage>()
                        .AddCircuitBreaker(
                            new Polly.CircuitBreaker.CircuitBreakerStrategyOptions<HttpResponseMessage> { ManualControl = breaker }
                        )
                        .Build()
                )
        );
        FalTransportException refused = await Assert.ThrowsAsync<FalTransportException>(() => isolated.SendAsync());
        Assert.True(refused.IsTransient);
        Assert.Equal(0, refused.Attempts);
    }

    [Theory]
    [InlineData(typeof(IOException), typeof(FalTransportException))]
    [InlineData(typeof(System.Net.Sockets.SocketException), typeof(FalTransportException))]
    [InlineData(typeof(System.Security.Authentication.AuthenticationException), typeof(FalTransportException))]
    [InlineData(typeof(TimeoutException), typeof(FalTimeoutException))]
    public async Task What_a_users_handler_throws_of_the_network_is_a_failure_of_ours_and_retried(Type thrown, Type expected)
    {
        ScriptedHandler end = new((_, _) => throw (Exception)Activator.CreateInstance(thrown)!);
        using var pipeline = new Pipeline(end);
        Task<HttpResponseMessage> call = pipeline.SendAsync();
        await pipeline.StepOverWaitsAsync(call);
        Assert.Equal(expected, (await Assert.ThrowsAnyAsync<FalObservabilityException>(() => call)).GetType());
        Assert.Equal(4, end.Sent);
    }

    private static HttpResponseMessage Refusal(int status, string header, string value)
    {
        HttpResponseMessage refusal = ScriptedHandler.Response((HttpStatusCode)status);
        refusal.Headers.TryAddWithoutValidation(header, value);
        return refusal;
    }
}
