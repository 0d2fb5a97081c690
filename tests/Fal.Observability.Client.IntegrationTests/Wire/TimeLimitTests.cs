using System.Text;
using Fal.Observability.Client.Prometheus;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Fal.Observability.Client.IntegrationTests;

/// <summary>What ends a call that does not end by itself. The clock moves only when a test moves it.</summary>
public sealed class TimeLimitTests
{
    private static readonly byte[] TwoLines = "a 1\nb 2\n"u8.ToArray();

    [Theory]
    [MemberData(nameof(FalAccount.EveryCall), MemberType = typeof(FalAccount))]
    public async Task A_server_that_never_answers_is_asked_again_after_the_attempt_timeout(FalCall call)
    {
        await using var server = RawServer.Start(exchange => exchange.ClientLeavesAsync());
        using var account = new FalAccount(server.BaseAddress, options => options.MaxAttempts = 2);

        Task running = account.RunAsync(call);
        await server.ArrivalAsync();
        account.Clock.Advance(account.Options.AttemptTimeout);
        await account.Clock.StepOverWaitAsync(account.Options);
        await server.ArrivalAsync();
        account.Clock.Advance(account.Options.AttemptTimeout);

        FalTimeoutException failure = await Assert.ThrowsAsync<FalTimeoutException>(() => running.OrHangs());
        FalAccount.AssertNothingOfRefit(failure);
        Assert.Equal(nameof(FalObservabilityOptions.AttemptTimeout), failure.Setting);
        Assert.Equal(account.Options.AttemptTimeout, failure.Timeout);
        Assert.Equal(2, failure.Attempts);
        Assert.True(failure.IsTransient);
    }

    [Theory]
    [MemberData(nameof(FalAccount.EveryCall), MemberType = typeof(FalAccount))]
    public async Task The_total_timeout_ends_a_call_whose_attempts_go_on(FalCall call)
    {
        await using var server = RawServer.Start(exchange => exchange.ClientLeavesAsync());
        using var account = new FalAccount(server.BaseAddress, options =>
        {
            options.TotalTimeout = TimeSpan.FromSeconds(40);
            options.AttemptTimeout = TimeSpan.FromSeconds(30);
        });

        Task running = account.RunAsync(call);
        await server.ArrivalAsync();
        account.Clock.Advance(TimeSpan.FromSeconds(30));
        await account.Clock.StepOverWaitAsync(account.Options);
        await server.ArrivalAsync();
        account.Clock.Advance(TimeSpan.FromSeconds(10));

        FalTimeoutException failure = await Assert.ThrowsAsync<FalTimeoutException>(() => running.OrHangs());
        Assert.Equal(nameof(FalObservabilityOptions.TotalTimeout), failure.Setting);
        Assert.Equal(TimeSpan.FromSeconds(40), failure.Timeout);
        Assert.Equal(2, failure.Attempts);
    }

    [Theory]
    [MemberData(nameof(FalAccount.WholeCalls), MemberType = typeof(FalAccount))]
    public async Task The_limit_of_a_whole_result_covers_the_body(FalCall call)
    {
        await using var server = RawServer.Start(async exchange =>
        {
            string type = FalAccount.ReadsText(call) ? "text/plain" : "application/json";
            await exchange.WriteAsync(RawServer.Head(200, type, "Content-Length: 1000"), TwoLines);
            await exchange.ClientLeavesAsync();
        });
        var headers = new HeadersSignal();
        using var account = new FalAccount(
            server.BaseAddress,
            options => options.MaxAttempts = 1,
            fal => fal.ConfigureHttpClients(http => http.AddHttpMessageHandler(headers.CreateHandler))
        );

        Task running = account.RunAsync(call);
        await headers.Arrived.OrHangs();
        Assert.False(running.IsCompleted);
        account.Clock.Advance(account.Options.AttemptTimeout);

        FalTimeoutException failure = await Assert.ThrowsAsync<FalTimeoutException>(() => running.OrHangs());
        FalAccount.AssertNothingOfRefit(failure);
        Assert.Equal(nameof(FalObservabilityOptions.AttemptTimeout), failure.Setting);
        Assert.Equal(1, failure.Attempts);
    }

    [Theory]
    [MemberData(nameof(FalAccount.EveryCall), MemberType = typeof(FalAccount))]
    public async Task An_error_page_that_stalls_does_not_turn_a_refusal_into_a_time_out(FalCall call)
    {
        await using var server = RawServer.Start(async exchange =>
        {
            await exchange.WriteAsync(RawServer.Head(401, "text/plain", "Content-Length: 1000"), "Invalid API key"u8.ToArray());
            await exchange.ClientLeavesAsync();
        });
        var headers = new HeadersSignal();
        using var account = new FalAccount(
            server.BaseAddress, build: fal => fal.ConfigureHttpClients(http => http.AddHttpMessageHandler(headers.CreateHandler)));

        Task running = account.RunAsync(call);
        await headers.Arrived.OrHangs();
        account.Clock.Advance(account.Options.AttemptTimeout);

        await Assert.ThrowsAsync<FalAuthenticationException>(() => running.OrHangs());
    }

    [Theory]
    [MemberData(nameof(FalAccount.StreamedCalls), MemberType = typeof(FalAccount))]
    public async Task A_stream_that_stalls_ends_after_the_idle_timeout(FalCall call)
    {
        await using var server = RawServer.Start(async exchange =>
        {
            await exchange.WriteAsync(RawServer.Head(200, "text/plain", "Content-Length: 1000"), TwoLines);
            await exchange.ClientLeavesAsync();
        });
        using var account = new FalAccount(server.BaseAddress, options => options.ReadIdleTimeout = TimeSpan.FromSeconds(12));

        Task running = account.RunAsync(call);
        // One or two waits for the bytes that arrived, and one wait for the bytes that did not.
        Task idle = Task.Run(async () =>
        {
            while (!running.IsCompleted)
            {
                await Task.WhenAny(running, account.Clock.TimerAsync(TimeSpan.FromSeconds(12)));
                account.Clock.Advance(TimeSpan.FromSeconds(12));
            }
        });

        FalTimeoutException failure = await Assert.ThrowsAsync<FalTimeoutException>(() => running.OrHangs());
        await idle;
        FalAccount.AssertNothingOfRefit(failure);
        Assert.Equal(nameof(FalObservabilityOptions.ReadIdleTimeout), failure.Setting);
        Assert.Equal(TimeSpan.FromSeconds(12), failure.Timeout);
        Assert.Equal(1, failure.Attempts);
        Assert.Single(server.Heads);
    }

    [Fact]
    public async Task The_time_that_the_caller_takes_between_two_samples_counts_against_no_limit()
    {
        var goOn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = RawServer.Start(async exchange =>
        {
            await exchange.WriteAsync(RawServer.Head(200, "text/plain", "Content-Length: 12"), TwoLines);
            await goOn.Task;
            await exchange.WriteAsync("c 3\n");
        });
        using var account = new FalAccount(server.BaseAddress);

        List<string> names = [];
        await foreach (PrometheusSample sample in account.Metrics.StreamSamplesAsync(TestContext.Current.CancellationToken))
        {
            names.Add(sample.Name);
            // Longer than every limit there is.
            account.Clock.Advance(TimeSpan.FromDays(2));
            if (sample.Name == "b")
            {
                goOn.SetResult();
            }
        }

        Assert.Equal(["a", "b", "c"], names);
    }

    [Fact]
    public async Task A_whole_result_in_time_is_not_ended_by_a_limit_that_passes_afterwards()
    {
        await using var server = RawServer.Start(RawServer.Answer(200, "text/plain", Encoding.UTF8.GetString(TwoLines)));
        using var account = new FalAccount(server.BaseAddress);

        await using Stream body = await account.MetricsApi.GetMetricsAsync(cancellationToken: TestContext.Current.CancellationToken);
        account.Clock.Advance(TimeSpan.FromDays(2));
        using var reader = new StreamReader(body);

        Assert.Equal("a 1\nb 2\n", await reader.ReadToEndAsync(TestContext.Current.CancellationToken));
    }
}

/// <summary>Tells when the head of a response has arrived at the client.</summary>
internal sealed class HeadersSignal
{
    private readonly TaskCompletionSource _arrived = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task Arrived => _arrived.Task;

    public DelegatingHandler CreateHandler() => new Handler(_arrived);

    private sealed class Handler(TaskCompletionSource arrived) : DelegatingHandler
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            HttpResponseMessage response = await base.SendAsync(request, cancellationToken);
            arrived.TrySetResult();
            return response;
        }
    }
}
