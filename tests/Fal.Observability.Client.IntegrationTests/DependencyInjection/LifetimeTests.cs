using Fal.Observability.Client.Testing;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Fal.Observability.Client.IntegrationTests;

/// <summary>One client for a whole application: used by many at once, and disposed of at the end.</summary>
public sealed class LifetimeTests
{
    [Fact]
    public async Task Two_hundred_snapshots_at_once_are_each_whole_and_the_same()
    {
        var clock = new SteppedClock();
        await using FalSimulator simulator = await FalSimulator.StartAsync(
            new FalSimulatorOptions
            {
                Seed = 1,
                TimeProvider = clock,
                Apps = 40,
            },
            TestContext.Current.CancellationToken
        );
        using var client = new FalObservabilityClient(options =>
            (options.ApiKey, options.BaseAddress) = (simulator.Key, simulator.BaseAddress)
        );
        FalMetricsSnapshot expected = await client.Metrics.GetSnapshotAsync(TestContext.Current.CancellationToken);

        FalMetricsSnapshot[] snapshots = await Task.WhenAll(Enumerable.Range(0, 200).Select(_ => client.Metrics.GetSnapshotAsync()));

        // Compared after all have been read: a buffer that was shared by mistake would show.
        foreach (FalMetricsSnapshot snapshot in snapshots)
        {
            Assert.Equal(expected.Families.SelectMany(family => family.Samples), snapshot.Families.SelectMany(family => family.Samples));
            Assert.Equal(expected.Apps.Select(app => app.ToString()), snapshot.Apps.Select(app => app.ToString()));
        }

        Assert.Equal(201, simulator.Requests.Count);
    }

    [Fact]
    public async Task Snapshots_streams_and_pages_at_once_do_not_disturb_each_other()
    {
        var clock = new SteppedClock();
        await using FalSimulator simulator = await FalSimulator.StartAsync(
            new FalSimulatorOptions { Seed = 1, TimeProvider = clock },
            TestContext.Current.CancellationToken
        );
        simulator.Faults.Every(9, new Fault(FaultKind.TruncatedGzip), SimulatorRoute.ServerlessAnalytics);
        simulator.Faults.Every(7, new Fault(FaultKind.ServerError));
        using var client = new FalObservabilityClient(options =>
        {
            (options.ApiKey, options.BaseAddress, options.MaxAttempts) = (simulator.Key, simulator.BaseAddress, 20);
            options.MinRetryDelay = options.RetryBaseDelay = options.MaxRetryDelay = TimeSpan.FromMilliseconds(1);
        });
        var query = new AnalyticsQuery(simulator.Apps)
        {
            Expand = AnalyticsExpand.Standard,
            Timeframe = AnalyticsTimeframe.Hour,
            Limit = 10,
            Range = AnalyticsTimeRange.Between(SteppedClock.FirstInstant.AddDays(-1), SteppedClock.FirstInstant),
        };

        await Task.WhenAll(Enumerable.Range(0, 60).Select(i => (i % 3) switch
        {
            0 => SnapshotAsync(),
            1 => SamplesAsync(),
            _ => PagesAsync(),
        }));

        async Task SnapshotAsync() => Assert.Equal(simulator.Apps.Count, (await client.Metrics.GetSnapshotAsync()).Apps.Count);

        async Task SamplesAsync()
        {
            var apps = new HashSet<string>(StringComparer.Ordinal);
            await foreach (Prometheus.PrometheusSample sample in client.Metrics.StreamSamplesAsync())
            {
                apps.Add(sample.Labels["application"]!);
            }

            Assert.Equal(simulator.Apps.Count, apps.Count);
        }

        async Task PagesAsync()
        {
            int buckets = 0;
            await foreach (AnalyticsBucket bucket in client.Analytics.StreamTimeSeriesAsync(query))
            {
                buckets++;
            }

            Assert.Equal(25, buckets);
        }
    }

    [Fact]
    public async Task Connections_are_kept_between_calls_and_closed_when_the_client_is_disposed()
    {
        var closed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = RawServer.Start(
            RawServer.Answer(200, "text/plain", "a 1\n"),
            RawServer.Answer(200, "text/plain", "a 1\n"),
            async exchange =>
            {
                await RawServer.Answer(200, "text/plain", "a 1\n")(exchange);
                await exchange.ClientLeavesAsync();
                closed.SetResult();
            });
        var client = new FalObservabilityClient(options => (options.ApiKey, options.BaseAddress) = (FalAccount.Key, server.BaseAddress));
        for (int i = 0; i < 3; i++)
        {
            await client.Metrics.GetSnapshotAsync(TestContext.Current.CancellationToken);
        }

        Assert.Equal(1, server.Connections);
        Assert.False(closed.Task.IsCompleted);
        client.Dispose();
        await closed.Task.OrHangs();

        Exception later = await Assert.ThrowsAnyAsync<Exception>(() => client.Metrics.GetSnapshotAsync());
        Assert.IsType<ObjectDisposedException>(later);
        Assert.Equal(3, server.Heads.Count);
        client.Dispose();
    }

    [Fact]
    public async Task A_disposed_container_closes_the_connections_of_every_account()
    {
        TaskCompletionSource[] closed =
        [
            new(TaskCreationOptions.RunContinuationsAsynchronously),
            new(TaskCreationOptions.RunContinuationsAsynchronously),
        ];
        int number = 0;
        await using var server = RawServer.Start(async exchange =>
        {
            int own = Interlocked.Increment(ref number) - 1;
            await RawServer.Answer(200, "text/plain", "a 1\n")(exchange);
            await exchange.ClientLeavesAsync();
            closed[own].SetResult();
        });
        var services = new ServiceCollection();
        foreach (string name in new[] { "acme", "initech" })
        {
            services.AddFalObservability(name, options => (options.ApiKey, options.BaseAddress) = (FalAccount.Key, server.BaseAddress));
        }

        ServiceProvider provider = services.BuildServiceProvider();
        foreach (string name in new[] { "acme", "initech" })
        {
            await provider.GetRequiredKeyedService<IFalMetricsClient>(name).GetSnapshotAsync(TestContext.Current.CancellationToken);
        }

        await provider.DisposeAsync();

        await Task.WhenAll(closed.Select(task => task.Task)).OrHangs();
    }

    [Fact]
    public async Task A_call_that_starts_while_its_container_is_being_disposed_ends_with_the_clients_own_exception()
    {
        await using var server = RawServer.Start(exchange => exchange.ClientLeavesAsync());
        var services = new ServiceCollection();
        services.AddSingleton<TimeProvider>(_ => new CallingAtTheEnd());
        services.AddFalObservability(options => (options.ApiKey, options.BaseAddress) = (FalAccount.Key, server.BaseAddress));
        ServiceProvider provider = services.BuildServiceProvider();
        IFalAppsClient apps = provider.GetRequiredService<IFalObservabilityClient>().Apps;
        var calling = (CallingAtTheEnd)provider.GetRequiredService<TimeProvider>();
        calling.Call = () => apps.ListAsync();

        await provider.DisposeAsync();

        ObjectDisposedException ended = await Assert.ThrowsAsync<ObjectDisposedException>(() => calling.Called!.OrHangs());
        Assert.Equal(nameof(FalObservabilityClient), ended.ObjectName);
    }

    /// <summary>
    /// A service that makes a call when its container disposes it. As a clock it is created with the client, so it is disposed in the
    /// midst of what the client uses.
    /// </summary>
    private sealed class CallingAtTheEnd : TimeProvider, IDisposable
    {
        public Func<Task>? Call { get; set; }

        public Task? Called { get; private set; }

        public void Dispose() => Called = Call?.Invoke();
    }
}
