using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Fal.Observability.Client.Testing.Tests;

/// <summary>A simulator and the real client of it, both on a clock that stands still.</summary>
internal sealed class Account : IAsyncDisposable
{
    public static readonly DateTimeOffset Now = new(2026, 6, 17, 12, 34, 56, TimeSpan.Zero);

    private readonly FalObservabilityClient _client;

    private Account(FalSimulator simulator, FakeTimeProvider clock, Action<FalObservabilityOptions>? configure)
    {
        Simulator = simulator;
        Clock = clock;
        _client = new FalObservabilityClient(
            options =>
            {
                options.ApiKey = simulator.Key;
                options.BaseAddress = simulator.BaseAddress;
                options.MaxAttempts = 1;
                configure?.Invoke(options);
            },
            account => account.Services.AddSingleton<TimeProvider>(clock));
    }

    public FalSimulator Simulator { get; }

    public FakeTimeProvider Clock { get; }

    public IFalObservabilityClient Client => _client;

    public static async Task<Account> OpenAsync(
        Action<FalSimulatorOptions>? simulate = null, Action<FalObservabilityOptions>? configure = null)
    {
        var clock = new FakeTimeProvider(Now);
        FalSimulator simulator = await FalSimulator.StartAsync(
            options =>
            {
                options.TimeProvider = clock;
                simulate?.Invoke(options);
            },
            TestContext.Current.CancellationToken);
        return new Account(simulator, clock, configure);
    }

    /// <summary>The metrics of one app.</summary>
    public async Task<FalAppMetrics?> MetricsOfAsync(string app) =>
        (await Client.Metrics.GetSnapshotAsync(TestContext.Current.CancellationToken))[app];

    /// <summary>The last three whole hours of an endpoint.</summary>
    public async Task<IReadOnlyList<AnalyticsBucket>> HoursOfAsync(string endpoint) => (await Client.Analytics.GetReportAsync(
        new AnalyticsQuery(endpoint)
        {
            Expand = AnalyticsExpand.AllMetrics,
            Range = AnalyticsTimeRange.Between(Hour(9), Hour(12)),
            Timeframe = AnalyticsTimeframe.Hour,
        },
        cancellationToken: TestContext.Current.CancellationToken)).TimeSeries;

    /// <summary>An hour of the day on which the clock stands.</summary>
    public static DateTimeOffset Hour(int hour) => new(2026, 6, 17, hour, 0, 0, TimeSpan.Zero);

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await Simulator.DisposeAsync();
    }
}
