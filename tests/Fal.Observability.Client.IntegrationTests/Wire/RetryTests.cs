using System.Globalization;
using System.Net.Sockets;
using Xunit;

namespace Fal.Observability.Client.IntegrationTests;

/// <summary>When a call is sent again, by a clock that moves only as far as the client waits.</summary>
public sealed class RetryTests
{
    private static readonly MockResponse Busy = new(503);

    [Fact]
    public async Task Without_a_hint_the_waits_double_within_their_jitter()
    {
        using var api = new WireMockApi(Busy);
        using var account = new FalAccount(api.BaseAddress, options => options.MaxAttempts = 8);

        Task call = account.RunAsync(FalCall.Snapshot);
        List<TimeSpan> waits = await account.Clock.StepOverWaitsAsync(call, account.Options);

        await Assert.ThrowsAsync<FalApiException>(() => call);
        Assert.Equal(8, api.Requests.Count);
        Assert.Equal(7, waits.Count);
        for (int i = 0; i < waits.Count; i++)
        {
            double full = Math.Min(Math.Pow(2, i), 30);
            Assert.InRange(waits[i].TotalSeconds, full / 2, full);
        }
    }

    [Theory]
    [InlineData("Retry-After", "7", 7)]
    [InlineData("Retry-After", "0", 0.2)]
    [InlineData("Retry-After", "1.5", 1.5)]
    [InlineData("Retry-After", "-3", 0.2)]
    [InlineData("Retry-After", "Wed, 17 Jun 2026 12:34:09 GMT", 9)]
    [InlineData("Retry-After", "Wed, 17 Jun 2026 11:00:00 GMT", 0.2)]
    [InlineData("x-ratelimit-reset", "5", 5)]
    [InlineData("x-ratelimit-reset", "0", 0.2)]
    [InlineData("x-ratelimit-reset", "2.25", 2.25)]
    public async Task The_wait_that_the_service_asks_for_is_kept_in_every_culture(string header, string value, double seconds)
    {
        foreach (string culture in new[] { "", "de-DE", "tr-TR", "ar-SA", "fa-IR" })
        {
            Thread.CurrentThread.CurrentCulture = CultureInfo.GetCultureInfo(culture);
            using var api = new WireMockApi(Busy with { Status = 429, Headers = [(header, value)] }, MockResponse.Metrics());
            using var account = new FalAccount(api.BaseAddress);

            Task call = account.RunAsync(FalCall.Snapshot);
            List<TimeSpan> waits = await account.Clock.StepOverWaitsAsync(call, account.Options);
            await call;

            // Never earlier than asked, and up to a second, or a fifth of the wait, later.
            Assert.InRange(Assert.Single(waits).TotalSeconds, seconds, seconds + Math.Max(1, seconds / 5));
            Assert.Equal(2, api.Requests.Count);
        }
    }

    [Fact]
    public async Task Retry_After_goes_over_x_ratelimit_reset_and_a_hint_that_cannot_be_read_is_no_hint()
    {
        using var api = new WireMockApi(
            Busy with { Headers = [("Retry-After", "3"), ("x-ratelimit-reset", "8")] },
            Busy with { Headers = [("Retry-After", "soon")] },
            Busy with { Headers = [("x-ratelimit-reset", "NaN")] },
            MockResponse.Metrics());
        using var account = new FalAccount(api.BaseAddress);

        Task call = account.RunAsync(FalCall.Snapshot);
        List<TimeSpan> waits = await account.Clock.StepOverWaitsAsync(call, account.Options);
        await call;

        Assert.InRange(waits[0].TotalSeconds, 3, 4);
        Assert.InRange(waits[1].TotalSeconds, 1, 2);
        Assert.InRange(waits[2].TotalSeconds, 2, 4);
    }

    [Theory]
    [InlineData("31", 30, 100)]
    [InlineData("20", 30, 20)]
    [InlineData("410400", 3600, 86400)]
    [InlineData("1e308", 3600, 86400)]
    public async Task A_wait_that_fits_no_limit_fails_at_once_and_says_how_long_it_was(string seconds, int maxRetryDelay, int totalTimeout)
    {
        using var api = new WireMockApi(new MockResponse(429) { Headers = [("x-ratelimit-reset", seconds)] });
        using var account = new FalAccount(api.BaseAddress, options =>
        {
            options.MaxRetryDelay = TimeSpan.FromSeconds(maxRetryDelay);
            options.TotalTimeout = TimeSpan.FromSeconds(totalTimeout);
            options.AttemptTimeout = TimeSpan.FromSeconds(15);
        });

        FalRateLimitException failure = await account.FailureOfAsync<FalRateLimitException>(FalCall.Page);

        TimeSpan asked = seconds == "1e308" ? TimeSpan.MaxValue : TimeSpan.FromSeconds(int.Parse(seconds, CultureInfo.InvariantCulture));
        Assert.Equal(asked, failure.RetryAfter);
        Assert.Equal(1, failure.Attempts);
        Assert.Single(api.Requests);
        Assert.Single(account.Events(3));
    }

    [Theory]
    [MemberData(nameof(FalAccount.EveryCall), MemberType = typeof(FalAccount))]
    public async Task After_four_attempts_each_request_carried_the_key_once(FalCall call)
    {
        await using var server = RawServer.Start(
            RawServer.Answer(500, "application/json", """{"error":{"type":"server_error","message":"x"}}"""),
            exchange =>
            {
                exchange.Reset();
                return Task.CompletedTask;
            },
            RawServer.Answer(502, "text/html", "<html></html>"),
            RawServer.Answer(503, null, ""));
        // As it stands in the header, which people copy whole.
        using var account = new FalAccount(server.BaseAddress, options => options.ApiKey = $"Key {FalAccount.Key}");

        Exception failure = await account.FailureOfAsync(call);

        Assert.Equal(4, Assert.IsType<FalApiException>(failure).Attempts);
        Assert.Equal(4, server.Heads.Count);
        Assert.All(
            server.Heads,
            head =>
                Assert.Equal(
                    [$"Authorization: Key {FalAccount.Key}"],
                    head.Split("\r\n")
                        .Where(line =>
                            line.Contains("Authorization", StringComparison.OrdinalIgnoreCase)
                            || line.Contains("secret", StringComparison.Ordinal)
                        )
                )
        );
        Assert.All(server.Heads, head => Assert.Equal(server.Heads[0], head));
    }

    [Theory]
    [MemberData(nameof(FalAccount.EveryCall), MemberType = typeof(FalAccount))]
    public async Task One_attempt_means_one_request(FalCall call)
    {
        using var api = new WireMockApi(Busy);
        using var account = new FalAccount(api.BaseAddress, options => options.MaxAttempts = 1);

        FalApiException failure = await account.FailureOfAsync<FalApiException>(call);

        Assert.Equal(1, failure.Attempts);
        Assert.True(failure.IsTransient);
        Assert.Single(api.Requests);
        Assert.Empty(account.Events(2));
    }

    [Theory]
    [MemberData(nameof(FalAccount.EveryCall), MemberType = typeof(FalAccount))]
    public async Task A_connection_that_drops_before_an_answer_is_tried_again_and_then_reported(FalCall call)
    {
        await using var server = RawServer.Start(exchange =>
        {
            exchange.Reset();
            return Task.CompletedTask;
        });
        using var account = new FalAccount(server.BaseAddress);

        FalTransportException failure = await account.FailureOfAsync<FalTransportException>(call);

        Assert.Equal(4, failure.Attempts);
        Assert.True(failure.IsTransient);
        Assert.Equal(4, server.Heads.Count);
    }

    [Theory]
    [MemberData(nameof(FalAccount.EveryCall), MemberType = typeof(FalAccount))]
    public async Task A_port_on_which_nobody_listens_is_reported_with_the_host(FalCall call)
    {
        // Bound and not listened on: connections are refused, and nobody else can take the port meanwhile.
        using var taken = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        taken.Bind(new System.Net.IPEndPoint(System.Net.IPAddress.Loopback, 0));
        using var account = new FalAccount(new Uri($"http://{taken.LocalEndPoint}/v1"));

        FalTransportException failure = await account.FailureOfAsync<FalTransportException>(call);

        Assert.Equal(4, failure.Attempts);
        Assert.Contains("127.0.0.1", failure.Message, StringComparison.Ordinal);
        Assert.IsType<HttpRequestException>(failure.InnerException);
    }

    [Fact]
    public async Task Each_retry_is_logged_with_its_cause_and_its_wait_and_a_healthy_call_is_silent_above_debug()
    {
        using var api = new WireMockApi(Busy with { Headers = [("Retry-After", "2")] }, MockResponse.Metrics());
        using var account = new FalAccount(api.BaseAddress);

        Task call = account.RunAsync(FalCall.Snapshot);
        TimeSpan wait = Assert.Single(await account.Clock.StepOverWaitsAsync(call, account.Options));
        await call;

        Assert.Equal(
            $"GET /v1/serverless/metrics: attempt 1 failed: 503. The next attempt starts in {wait.TotalMilliseconds:0} ms",
            Assert.Single(account.Events(2)).Message);
        account.Log.Clear();
        await account.RunAsync(FalCall.Snapshot);
        Assert.DoesNotContain(account.Log.GetSnapshot(), record => record.Level > Microsoft.Extensions.Logging.LogLevel.Debug);
    }
}
