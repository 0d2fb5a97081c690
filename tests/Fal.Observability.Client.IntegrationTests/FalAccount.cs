using Fal.Observability.Client.Prometheus;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Testing;
using Xunit;

namespace Fal.Observability.Client.IntegrationTests;

/// <summary>The ways to make a call; a failure must look the same through each of them.</summary>
public enum FalCall
{
    Snapshot,
    Families,
    Samples,
    Page,
    ModelsPage,
    TimeSeries,
    RawMetrics,
    RawStreamedMetrics,
    RawServerlessAnalytics,
    RawModelsAnalytics,
    AppList,
    RunnerHistory,
    UsageReport,
    UsageTimeSeries,
    RawApps,
    RawRunnerHistory,
    RawUsage,
}

/// <summary>A registration as a user makes it, with a clock that stands still and a log that is kept.</summary>
internal sealed class FalAccount : IDisposable
{
    public const string Key = "test-id:test-secret-0123456789";

    public static readonly AnalyticsQuery Query = new("my-org/my-app")
    {
        Range = AnalyticsTimeRange.Between(
            new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero),
            new DateTimeOffset(2026, 1, 8, 0, 0, 0, TimeSpan.Zero)
        ),
    };

    private readonly ServiceProvider _services;

    public FalAccount(Uri baseAddress, Action<FalObservabilityOptions>? configure = null, Action<IFalObservabilityBuilder>? build = null)
    {
        Options = new FalObservabilityOptions { ApiKey = Key, BaseAddress = baseAddress };
        configure?.Invoke(Options);
        var services = new ServiceCollection();
        services.AddSingleton<TimeProvider>(Clock);
        services.AddLogging(logging => logging.SetMinimumLevel(LogLevel.Trace).AddProvider(new FakeLoggerProvider(Log)));
        IFalObservabilityBuilder builder = services.AddFalObservability(options =>
        {
            options.ApiKey = Key;
            options.BaseAddress = baseAddress;
            configure?.Invoke(options);
        });
        build?.Invoke(builder);
        _services = services.BuildServiceProvider();
    }

    public static TheoryData<FalCall> EveryCall => [.. Enum.GetValues<FalCall>()];

    /// <summary>The calls that read a body whole before they return.</summary>
    public static TheoryData<FalCall> WholeCalls => [.. Enum.GetValues<FalCall>().Where(call => !Streams(call))];

    /// <summary>The calls that hand the body on as it arrives.</summary>
    public static TheoryData<FalCall> StreamedCalls => [.. Enum.GetValues<FalCall>().Where(Streams)];

    public SteppedClock Clock { get; } = new();

    public FakeLogCollector Log { get; } = new();

    /// <summary>The client's own log records of one event.</summary>
    public IReadOnlyList<FakeLogRecord> Events(int id) =>
        [.. Log.GetSnapshot().Where(record => record.Category == "Fal.Observability.Client" && record.Id.Id == id)];

    /// <summary>The options as they were set.</summary>
    public FalObservabilityOptions Options { get; }

    public IServiceProvider Services => _services;

    public IFalMetricsClient Metrics => _services.GetRequiredService<IFalMetricsClient>();

    public IFalAnalyticsClient Analytics => _services.GetRequiredService<IFalAnalyticsClient>();

    public IFalAppsClient Apps => _services.GetRequiredService<IFalAppsClient>();

    public IFalUsageClient Usage => _services.GetRequiredService<IFalUsageClient>();

    public IFalMetricsApi MetricsApi => _services.GetRequiredService<IFalMetricsApi>();

    public IFalAnalyticsApi AnalyticsApi => _services.GetRequiredService<IFalAnalyticsApi>();

    public IFalAppsApi AppsApi => _services.GetRequiredService<IFalAppsApi>();

    public IFalUsageApi UsageApi => _services.GetRequiredService<IFalUsageApi>();

    public static bool Streams(FalCall call) => call is FalCall.Samples or FalCall.RawStreamedMetrics;

    public static bool ReadsText(FalCall call) =>
        call is FalCall.Snapshot or FalCall.Families or FalCall.Samples or FalCall.RawMetrics or FalCall.RawStreamedMetrics;

    /// <summary>Makes one call and reads all of its answer.</summary>
    public async Task RunAsync(FalCall call, CancellationToken cancellationToken = default)
    {
        switch (call)
        {
            case FalCall.Snapshot:
                await Metrics.GetSnapshotAsync(cancellationToken);
                break;
            case FalCall.Families:
                await Metrics.GetFamiliesAsync(cancellationToken);
                break;
            case FalCall.Samples:
                await foreach (PrometheusSample _ in Metrics.StreamSamplesAsync(cancellationToken))
                {
                    // Only the end matters.
                }

                break;
            case FalCall.Page:
                await Analytics.GetPageAsync(Query, cancellationToken);
                break;
            case FalCall.ModelsPage:
                await Analytics.GetPageAsync(Query with { Source = AnalyticsSource.Models }, cancellationToken);
                break;
            case FalCall.TimeSeries:
                await foreach (AnalyticsBucket _ in Analytics.StreamTimeSeriesAsync(Query, cancellationToken))
                {
                    // Only the end matters.
                }

                break;
            case FalCall.RawMetrics or FalCall.RawStreamedMetrics:
                await using (Stream body = await MetricsApi.GetMetricsAsync(call == FalCall.RawStreamedMetrics, cancellationToken))
                {
                    await body.CopyToAsync(Stream.Null, cancellationToken);
                }

                break;
            case FalCall.RawServerlessAnalytics:
                await AnalyticsApi.GetServerlessAnalyticsAsync(Query, cancellationToken);
                break;
            case FalCall.RawModelsAnalytics:
                await AnalyticsApi.GetModelsAnalyticsAsync(Query, cancellationToken);
                break;
            case FalCall.AppList:
                await Apps.ListAsync(cancellationToken);
                break;
            case FalCall.RunnerHistory:
                await Apps.GetRunnerHistoryAsync("my-org/my-app", cancellationToken: cancellationToken);
                break;
            case FalCall.UsageReport:
                await Usage.GetReportAsync(Query.Range, cancellationToken);
                break;
            case FalCall.UsageTimeSeries:
                await foreach (UsageBucket _ in Usage.StreamTimeSeriesAsync(new UsageQuery { Range = Query.Range }, cancellationToken))
                {
                    // Only the end matters.
                }

                break;
            case FalCall.RawApps:
                await AppsApi.ListAppsAsync(cancellationToken: cancellationToken);
                break;
            case FalCall.RawRunnerHistory:
                await AppsApi.GetRunnerHistoryAsync("my-org", "my-app", cancellationToken: cancellationToken);
                break;
            case FalCall.RawUsage:
                await UsageApi.GetUsageAsync(cancellationToken: cancellationToken);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(call));
        }
    }

    /// <summary>Makes one call that must fail, moves the clock over its waits, and gives what a user would catch.</summary>
    public async Task<Exception> FailureOfAsync(FalCall call)
    {
        Task running = RunAsync(call);
        await Clock.StepOverWaitsAsync(running, Options);
        Exception? failure = await Record.ExceptionAsync(() => running);
        Assert.True(failure is not null, $"{call} succeeded.");
        AssertNothingOfRefit(failure);
        return failure;
    }

    /// <summary>Makes one call that must fail in a certain way.</summary>
    public async Task<T> FailureOfAsync<T>(FalCall call)
        where T : Exception
    {
        Exception failure = await FailureOfAsync(call);
        Assert.True(failure.GetType() == typeof(T), $"{call} failed with {failure}");
        return (T)failure;
    }

    /// <summary>Refit's own exceptions hold the request with the key: none may be anywhere in what a user catches.</summary>
    public static void AssertNothingOfRefit(Exception failure)
    {
        for (Exception? e = failure; e is not null; e = e.InnerException)
        {
            Assert.False(e.GetType().Namespace!.StartsWith("Refit", StringComparison.Ordinal), $"{e.GetType()} escaped:\n{failure}");
            if (e is AggregateException several)
            {
                Assert.All(several.InnerExceptions, AssertNothingOfRefit);
            }
        }
    }

    public void Dispose() => _services.Dispose();
}
