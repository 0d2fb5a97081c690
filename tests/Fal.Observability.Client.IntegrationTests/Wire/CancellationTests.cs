using Fal.Observability.Client.Prometheus;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Fal.Observability.Client.IntegrationTests;

/// <summary>
/// The caller's own cancellation, in each phase of a call: it stays an <see cref="OperationCanceledException"/>, and it ends the work.
/// </summary>
public sealed class CancellationTests
{
    /// <summary>More than .NET reads on of a body that nobody wants any more. It would go on for two real seconds.</summary>
    private const string Long = "Content-Length: 10000000";

    private static readonly byte[] TwoLines = "a 1\nb 2\n"u8.ToArray();

    [Theory]
    [MemberData(nameof(FalAccount.EveryCall), MemberType = typeof(FalAccount))]
    public async Task Before_it_is_sent(FalCall call)
    {
        await using var server = RawServer.Start(RawServer.Answer(200, "text/plain", "a 1\n"));
        using var account = new FalAccount(server.BaseAddress);

        await AssertCancelledAsync(account.RunAsync(call, new CancellationToken(canceled: true)));

        Assert.Empty(server.Heads);
    }

    [Theory]
    [MemberData(nameof(FalAccount.EveryCall), MemberType = typeof(FalAccount))]
    public async Task While_it_waits_for_an_answer(FalCall call)
    {
        await using var server = RawServer.Start(exchange => exchange.ClientLeavesAsync());
        using var account = new FalAccount(server.BaseAddress);
        using var source = new CancellationTokenSource();

        Task running = account.RunAsync(call, source.Token);
        await server.ArrivalAsync();
        await source.CancelAsync();

        await AssertCancelledAsync(running);
        Assert.Single(server.Heads);
    }

    [Theory]
    [MemberData(nameof(FalAccount.EveryCall), MemberType = typeof(FalAccount))]
    public async Task In_the_middle_of_the_body(FalCall call)
    {
        var left = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = RawServer.Start(async exchange =>
        {
            string type = FalAccount.ReadsText(call) ? "text/plain" : "application/json";
            await exchange.WriteAsync(RawServer.Head(200, type, Long), TwoLines);
            await exchange.ClientLeavesAsync();
            left.SetResult();
        });
        var headers = new HeadersSignal();
        using var account = new FalAccount(
            server.BaseAddress, build: fal => fal.ConfigureHttpClients(http => http.AddHttpMessageHandler(headers.CreateHandler)));
        using var source = new CancellationTokenSource();

        Task running = account.RunAsync(call, source.Token);
        await headers.Arrived.OrHangs();
        await source.CancelAsync();

        await AssertCancelledAsync(running);
        Assert.Single(server.Heads);
        // Nothing is left open behind the caller's back.
        await left.Task.OrHangs();
    }

    [Theory]
    [MemberData(nameof(FalAccount.EveryCall), MemberType = typeof(FalAccount))]
    public async Task Between_two_attempts(FalCall call)
    {
        await using var server = RawServer.Start(RawServer.Answer(503, null, "", "Retry-After: 17"));
        using var account = new FalAccount(server.BaseAddress);
        using var source = new CancellationTokenSource();

        Task running = account.RunAsync(call, source.Token);
        await account.Clock.TimerAsync(TimeSpan.FromSeconds(17), TimeSpan.FromSeconds(20.4));
        await source.CancelAsync();

        await AssertCancelledAsync(running);
        Assert.Single(server.Heads);
    }

    [Fact]
    public async Task Between_two_samples_of_a_stream()
    {
        var left = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = RawServer.Start(async exchange =>
        {
            await exchange.WriteAsync(RawServer.Head(200, "text/plain", Long), TwoLines);
            await exchange.ClientLeavesAsync();
            left.SetResult();
        });
        using var account = new FalAccount(server.BaseAddress);
        using var source = new CancellationTokenSource();
        List<string> names = [];

        await AssertCancelledAsync(Task.Run(async () =>
        {
            await foreach (PrometheusSample sample in account.Metrics.StreamSamplesAsync(source.Token))
            {
                names.Add(sample.Name);
                if (names.Count == 2)
                {
                    await source.CancelAsync();
                }
            }
        }));

        Assert.Equal(["a", "b"], names);
        await left.Task.OrHangs();
    }

    [Fact]
    public async Task By_a_token_that_is_given_with_the_enumeration()
    {
        await using var server = RawServer.Start(exchange => exchange.ClientLeavesAsync());
        using var account = new FalAccount(server.BaseAddress);
        using var source = new CancellationTokenSource();

        Task samples = Task.Run(async () =>
        {
            await foreach (PrometheusSample _ in account.Metrics.StreamSamplesAsync().WithCancellation(source.Token))
            {
                Assert.Fail("There is no sample.");
            }
        });
        Task buckets = Task.Run(async () =>
        {
            await foreach (AnalyticsBucket _ in account.Analytics.StreamTimeSeriesAsync(FalAccount.Query).WithCancellation(source.Token))
            {
                Assert.Fail("There is no bucket.");
            }
        });
        await server.ArrivalAsync();
        await server.ArrivalAsync();
        await source.CancelAsync();

        await AssertCancelledAsync(samples);
        await AssertCancelledAsync(buckets);
    }

    [Fact]
    public async Task By_leaving_a_stream_early_which_closes_the_connection()
    {
        var left = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = RawServer.Start(async exchange =>
        {
            await exchange.WriteAsync(RawServer.Head(200, "text/plain", "Content-Length: 10000000"), TwoLines);
            await exchange.ClientLeavesAsync();
            left.SetResult();
        });
        using var account = new FalAccount(server.BaseAddress);

        await foreach (PrometheusSample sample in account.Metrics.StreamSamplesAsync(TestContext.Current.CancellationToken))
        {
            Assert.Equal("a", sample.Name);
            break;
        }

        await left.Task.OrHangs();
    }

    [Fact]
    public async Task Between_two_pages_of_a_time_series()
    {
        using var api = new WireMockApi(number => MockResponse.Json(200, $$"""
            {"next_cursor":"{{number}}","time_series":[{"bucket":"2026-01-01T00:0{{number}}:00Z","results":[]}]}
            """));
        using var account = new FalAccount(api.BaseAddress);
        using var source = new CancellationTokenSource();

        await AssertCancelledAsync(Task.Run(async () =>
        {
            await foreach (AnalyticsBucket _ in account.Analytics.StreamTimeSeriesAsync(FalAccount.Query, source.Token))
            {
                await source.CancelAsync();
            }
        }));

        // The first bucket is whole when the second page is there.
        Assert.Equal(2, api.Requests.Count);
    }

    [Fact]
    public async Task While_a_watch_waits_for_its_next_tick_and_while_it_reads()
    {
        await using var server = RawServer.Start(
            RawServer.Answer(200, "text/plain", "a 1\n"),
            RawServer.Answer(200, "text/plain", "a 1\n"),
            exchange => exchange.ClientLeavesAsync()
        );
        using var account = new FalAccount(server.BaseAddress);

        using (var waiting = new CancellationTokenSource())
        {
            await using IAsyncEnumerator<FalMetricsSnapshot> watch = account
                .Metrics.WatchAsync(TimeSpan.FromSeconds(15), waiting.Token)
                .GetAsyncEnumerator(waiting.Token);
            Assert.True(await watch.MoveNextAsync());
            Task next = watch.MoveNextAsync().AsTask();
            await waiting.CancelAsync();
            await AssertCancelledAsync(next);
        }

        using var reading = new CancellationTokenSource();
        await using IAsyncEnumerator<FalMetricsSnapshot> second = account
            .Metrics.WatchAsync(TimeSpan.FromSeconds(15))
            .GetAsyncEnumerator(reading.Token);
        Assert.True(await second.MoveNextAsync());
        await server.ArrivalAsync();
        await server.ArrivalAsync();
        Task read = second.MoveNextAsync().AsTask();
        account.Clock.Advance(TimeSpan.FromSeconds(15));
        await server.ArrivalAsync();
        await reading.CancelAsync();
        await AssertCancelledAsync(read);
        Assert.Empty(account.Events(6));
    }

    private static async Task AssertCancelledAsync(Task running)
    {
        OperationCanceledException cancelled = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running.OrHangs());
        FalAccount.AssertNothingOfRefit(cancelled);
    }
}
