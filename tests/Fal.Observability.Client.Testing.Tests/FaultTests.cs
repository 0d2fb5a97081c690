using System.Net;
using Xunit;

namespace Fal.Observability.Client.Testing.Tests;

/// <summary>What a test has go wrong reaches the real client as it would from the service.</summary>
public sealed class FaultTests
{
    [Fact]
    public async Task A_status_with_a_retry_after_arrives_once_and_the_next_call_succeeds()
    {
        await using Account account = await Account.OpenAsync();
        account.Simulator.Faults.Next(1, Fault.WithStatus(503, TimeSpan.FromSeconds(7)));

        FalApiException failure = await Assert.ThrowsAnyAsync<FalApiException>(() => SnapshotAsync(account));
        await SnapshotAsync(account);

        Assert.Equal((HttpStatusCode)503, failure.StatusCode);
        Assert.Equal(TimeSpan.FromSeconds(7), failure.RetryAfter);
        Assert.Equal("server_error", failure.ErrorType);
    }

    [Theory]
    [InlineData(400)]
    [InlineData(401)]
    [InlineData(404)]
    [InlineData(418)]
    [InlineData(429)]
    [InlineData(501)]
    [InlineData(529)]
    public async Task Any_error_status_can_be_ordered(int status)
    {
        await using Account account = await Account.OpenAsync();
        account.Simulator.Faults.Every(1, Fault.WithStatus(status));

        FalApiException failure = await Assert.ThrowsAnyAsync<FalApiException>(() => SnapshotAsync(account));

        Assert.Equal(status, (int)failure.StatusCode);
        Assert.Equal(status, account.Simulator.Requests[^1].Status);
    }

    [Fact]
    public async Task A_fault_begins_after_a_number_of_proper_calls_to_its_route()
    {
        await using Account account = await Account.OpenAsync();
        account.Simulator.App("my-org/my-app").RequestsPerMinute[200] = 1;
        account.Simulator.Faults.Next(2, Fault.WithStatus(500), SimulatorRoute.Metrics, after: 2);

        var succeeded = new List<bool>();
        for (int call = 0; call < 5; call++)
        {
            // Calls to another route do not count.
            Assert.Equal(3, (await account.HoursOfAsync("my-org/my-app")).Count);
            succeeded.Add(await SnapshotAsync(account).ContinueWith(
                snapshot => snapshot.IsCompletedSuccessfully, TestContext.Current.CancellationToken,
                TaskContinuationOptions.None, TaskScheduler.Default));
        }

        Assert.Equal([true, true, false, false, true], succeeded);
    }

    [Theory]
    [InlineData(FaultKind.TruncatedLength)]
    [InlineData(FaultKind.TruncatedChunked)]
    [InlineData(FaultKind.TruncatedGzip)]
    [InlineData(FaultKind.DroppedConnection)]
    [InlineData(FaultKind.HtmlBody)]
    [InlineData(FaultKind.WrongContent)]
    public async Task A_cut_or_wrong_body_is_an_error_and_never_data(FaultKind kind)
    {
        await using Account account = await Account.OpenAsync();
        account.Simulator.App("my-org/my-app").Queue = 1;
        account.Simulator.Faults.Next(1, new Fault(kind));

        await Assert.ThrowsAnyAsync<FalObservabilityException>(() => SnapshotAsync(account));

        Assert.Equal(kind, Assert.Single(account.Simulator.Requests).Fault?.Kind);
        Assert.Single((await SnapshotAsync(account)).Apps);
    }

    [Theory]
    [InlineData(FaultKind.Silence)]
    [InlineData(FaultKind.StalledBody)]
    public async Task A_call_that_hangs_is_seen_while_it_hangs_and_ends_when_the_client_gives_up(FaultKind kind)
    {
        await using Account account = await Account.OpenAsync();
        account.Simulator.App("my-org/my-app").Queue = 1;
        account.Simulator.Faults.Next(1, new Fault(kind));
        using var stop = new CancellationTokenSource();

        Task<FalMetricsSnapshot> hanging = account.Client.Metrics.GetSnapshotAsync(stop.Token);
        SimulatorRequest request = await account.Simulator.NextRequestAsync(TestContext.Current.CancellationToken);
        Assert.False(hanging.IsCompleted);
        await stop.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => hanging);
        Assert.Equal(kind == FaultKind.Silence ? null : 200, await request.WaitForAnswerAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_call_to_one_analytics_route_can_fail_alone()
    {
        await using Account account = await Account.OpenAsync();
        account.Simulator.App("my-org/my-app");
        account.Simulator.Faults.Every(1, Fault.WithStatus(500), SimulatorRoute.Usage);

        await Assert.ThrowsAnyAsync<FalApiException>(
            () => account.Client.Usage.GetReportAsync(cancellationToken: TestContext.Current.CancellationToken));
        Assert.Single((await account.Client.Apps.ListAsync(cancellationToken: TestContext.Current.CancellationToken)).Apps);
    }

    private static Task<FalMetricsSnapshot> SnapshotAsync(Account account) =>
        account.Client.Metrics.GetSnapshotAsync(TestContext.Current.CancellationToken);
}
