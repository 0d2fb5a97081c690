using Xunit;

namespace Fal.Observability.Client.Testing.Tests;

/// <summary>What a simulator records, and how simulators start and end.</summary>
public sealed class RequestTests
{
    private const string App = "my-org/my-app";

    [Fact]
    public async Task A_request_is_recorded_with_everything_but_the_key()
    {
        await using Account account = await Account.OpenAsync();
        account.Simulator.App(App).RequestsPerMinute[200] = 1;

        await account.HoursOfAsync(App);

        // The time series is asked for first, the summary after it.
        SimulatorRequest request = account.Simulator.Requests[0];
        Assert.Equal("GET", request.Method);
        Assert.Equal("/v1/serverless/analytics", request.Path);
        Assert.Equal(SimulatorRoute.ServerlessAnalytics, request.Route);
        Assert.Equal([App], request.Query["endpoint_id"]);
        Assert.Contains("request_count", request.Query["expand"]);
        Assert.Equal(["2026-06-17T09:00:00Z"], request.Query["start"]);
        Assert.Contains("endpoint_id=my-org%2Fmy-app", request.RawQuery, StringComparison.Ordinal);
        Assert.Equal("Key ***", request.Headers["authorization"]);
        Assert.StartsWith("Fal.Observability.Client/", request.Headers["User-Agent"], StringComparison.Ordinal);
        Assert.DoesNotContain(request.Headers.Values, value => value.Contains(account.Simulator.Key, StringComparison.Ordinal));
        Assert.Equal(Account.Now, request.ReceivedAt);
        Assert.Equal(200, request.Status);
    }

    [Fact]
    public async Task Each_request_is_awaited_once_whether_it_came_before_or_comes_later()
    {
        await using Account account = await Account.OpenAsync();
        account.Simulator.App(App);
        await account.Client.Metrics.GetSnapshotAsync(TestContext.Current.CancellationToken);

        SimulatorRequest earlier = await account.Simulator.NextRequestAsync(TestContext.Current.CancellationToken);
        Task<SimulatorRequest> next = account.Simulator.NextRequestAsync(TestContext.Current.CancellationToken);
        Assert.False(next.IsCompleted);
        await account.Client.Apps.ListAsync(cancellationToken: TestContext.Current.CancellationToken);

        Assert.Equal(SimulatorRoute.Metrics, earlier.Route);
        Assert.Equal(SimulatorRoute.Apps, (await next).Route);
        Assert.Equal(200, await (await next).WaitForAnswerAsync(TestContext.Current.CancellationToken));
        Assert.Equal(2, account.Simulator.Requests.Count);
    }

    [Fact]
    public async Task Two_simulators_side_by_side_share_nothing()
    {
        await using Account first = await Account.OpenAsync(options => options.Key = "first:secret");
        await using Account second = await Account.OpenAsync(options => options.Key = "second:secret");
        first.Simulator.App(App).Queue = 1;
        second.Simulator.App(App).Queue = 2;
        second.Simulator.Faults.Next(1, Fault.WithStatus(500), SimulatorRoute.Apps);

        Assert.NotEqual(first.Simulator.BaseAddress, second.Simulator.BaseAddress);
        Assert.Equal(1, (await first.MetricsOfAsync(App))?.QueueSize);
        Assert.Equal(2, (await second.MetricsOfAsync(App))?.QueueSize);
        Assert.Single((await first.Client.Apps.ListAsync(cancellationToken: TestContext.Current.CancellationToken)).Apps);
        Assert.Equal(2, first.Simulator.Requests.Count);
        Assert.Single(second.Simulator.Requests);
    }

    [Fact]
    public async Task A_simulator_that_is_disposed_cuts_off_what_hangs_and_ends_every_wait()
    {
        Account account = await Account.OpenAsync();
        account.Simulator.Faults.Every(1, new Fault(FaultKind.Silence));
        Task<FalMetricsSnapshot> hanging = account.Client.Metrics.GetSnapshotAsync(TestContext.Current.CancellationToken);
        SimulatorRequest request = await account.Simulator.NextRequestAsync(TestContext.Current.CancellationToken);
        Task<SimulatorRequest> waiting = account.Simulator.NextRequestAsync(TestContext.Current.CancellationToken);

        await account.Simulator.DisposeAsync();

        await Assert.ThrowsAsync<FalTransportException>(() => hanging);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => waiting);
        Assert.Null(await request.WaitForAnswerAsync(TestContext.Current.CancellationToken));
        await account.DisposeAsync();
    }
}
