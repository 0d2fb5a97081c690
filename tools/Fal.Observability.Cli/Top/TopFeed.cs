using System.Diagnostics.Metrics;
using Fal.Observability.Client;

namespace Fal.Observability.Cli.Top;

/// <summary>Reads the account again and again, and hands what it finds to the model by way of a queue.</summary>
/// <param name="client">The account.</param>
/// <param name="environments">The environments whose apps are listed.</param>
/// <param name="interval">The time from one read of the metrics to the next.</param>
/// <param name="clock">The clock.</param>
/// <param name="post">Queues a change of the model.</param>
internal sealed class TopFeed(
    IFalObservabilityClient client,
    IReadOnlyList<string> environments,
    TimeSpan interval,
    TimeProvider clock,
    Action<Action<TopModel>> post)
{
    // The list and the bill change slowly, and their calls count against the same limits.
    private static readonly TimeSpan SlowInterval = TimeSpan.FromMinutes(5);

    // How long to wait where the service refuses the key, since a new one may come from a file, or where a part could not be read.
    private static readonly TimeSpan AfterFailure = TimeSpan.FromMinutes(1);

    private const AnalyticsExpand Shown = AnalyticsExpand.TimeSeries | AnalyticsExpand.Volume | AnalyticsExpand.ErrorBreakdown
        | AnalyticsExpand.P50Duration | AnalyticsExpand.P90Duration | AnalyticsExpand.P99Duration | AnalyticsExpand.P90PrepareDuration
        | AnalyticsExpand.ColdBootCount;

    private bool _isFailing;
    private TaskCompletionSource _recovery = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Reads until it is cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        await Task.WhenAll(
            RepeatMetricsAsync(cancellationToken),
            RepeatPartAsync("apps", ReadListAsync, cancellationToken),
            RepeatPartAsync("cost", ReadCostAsync, cancellationToken));
    }

    /// <summary>Reads the page of one app.</summary>
    public async Task ReadDetailsAsync(string app, CancellationToken cancellationToken)
    {
        // The minute that is not over would look like a fall to zero.
        DateTimeOffset now = clock.GetUtcNow();
        var end = new DateTimeOffset(now.UtcTicks - (now.UtcTicks % TimeSpan.TicksPerMinute), TimeSpan.Zero);
        AnalyticsTimeRange hour = AnalyticsTimeRange.Between(end - AppDetails.Length, end);
        Task<(AnalyticsReport?, string?)> requests = TryAsync(() => client.Analytics.GetReportAsync(
            new AnalyticsQuery(app)
            {
                Expand = Shown,
                Range = hour,
                Timeframe = AnalyticsTimeframe.Minute,
                DegradeOnServerError = true,
            },
            cancellationToken: cancellationToken));
        Task<(FalRunnerHistory?, string?)> runners = TryAsync(() => client.Apps.GetRunnerHistoryAsync(
            app, hour, AnalyticsTimeframe.Minute, cancellationToken: cancellationToken));
        (AnalyticsReport? report, string? reportProblem) = await requests;
        (FalRunnerHistory? history, string? historyProblem) = await runners;
        var details = new AppDetails(app, end, report, reportProblem, history, historyProblem);
        post(model => model.Take(details));
    }

    /// <summary>Gives the answer or the reason why there is none.</summary>
    private static async Task<(T? Answer, string? Problem)> TryAsync<T>(Func<Task<T>> read)
        where T : class
    {
        try
        {
            return (await read(), null);
        }
        catch (Exception e) when (e is FalObservabilityException or ArgumentException)
        {
            return (null, TopModel.IsForbidden(e) ? "this key may not read it" : TopModel.TextOf(e));
        }
    }

    private async Task RepeatMetricsAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            await Task.Delay(await ReadMetricsAsync(cancellationToken), clock, cancellationToken);
        }
    }

    /// <summary>Reads the metrics, and gives the time to wait until the next read.</summary>
    private async Task<TimeSpan> ReadMetricsAsync(CancellationToken cancellationToken)
    {
        long start = clock.GetTimestamp();
        TimeSpan wait = interval;
        try
        {
            FalMetricsSnapshot snapshot = await client.Metrics.GetSnapshotAsync(cancellationToken);
            post(model => model.Take(snapshot));
            if (_isFailing)
            {
                _isFailing = false;
                Interlocked.Exchange(ref _recovery, new(TaskCreationOptions.RunContinuationsAsynchronously)).SetResult();
            }
        }
        catch (FalObservabilityException e)
        {
            DateTimeOffset now = clock.GetUtcNow();
            post(model => model.ReadFailed(e, now));
            _isFailing = true;
            wait = e is FalRateLimitException { RetryAfter: { } asked } && asked > interval ? asked
                : e is FalAuthenticationException or FalForbiddenException && interval < AfterFailure ? AfterFailure
                : interval;
        }

        // The reads keep their beat, but never follow each other at once.
        TimeSpan rest = wait - clock.GetElapsedTime(start);
        return rest > TimeSpan.FromSeconds(1) ? rest : TimeSpan.FromSeconds(1);
    }

    private async Task RepeatPartAsync(string part, Func<CancellationToken, Task> readAsync, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                await readAsync(cancellationToken);
                DateTimeOffset now = clock.GetUtcNow();
                post(model => model.PartAnswered(part, now));
                await Task.Delay(SlowInterval, clock, cancellationToken);
            }
            catch (FalObservabilityException e)
            {
                DateTimeOffset now = clock.GetUtcNow();
                post(model => model.PartFailed(part, e, now));
                // A permission does not come back while somebody watches, but a key that is refused may be replaced.
                if (TopModel.IsForbidden(e))
                {
                    return;
                }

                // Metrics that answer again end the wait.
                await _recovery.Task.WaitAsync(AfterFailure, clock, cancellationToken)
                    .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                cancellationToken.ThrowIfCancellationRequested();
            }
        }
    }

    private async Task ReadListAsync(CancellationToken cancellationToken)
    {
        FalAppList list = await client.Apps.ListAsync(new FalAppQuery([.. environments]), cancellationToken);
        post(model => model.Take(list));
    }

    private async Task ReadCostAsync(CancellationToken cancellationToken)
    {
        UsageReport usage = await CostOfTodayAsync(client, clock.GetUtcNow(), cancellationToken);
        post(model => model.Take(usage));
    }

    /// <summary>The bill since midnight UTC.</summary>
    public static Task<UsageReport> CostOfTodayAsync(
        IFalObservabilityClient client, DateTimeOffset now, CancellationToken cancellationToken)
    {
        DateOnly today = DateOnly.FromDateTime(now.UtcDateTime);
        return client.Usage.GetReportAsync(
            new UsageQuery { Range = AnalyticsTimeRange.Days(today, today), Expand = UsageExpand.Summary }, cancellationToken);
    }

    /// <summary>
    /// Tells the model of each retry while it happens. The client's meter belongs to the process, so this hears every client in it.
    /// </summary>
    /// <returns>What listens, until it is disposed.</returns>
    public MeterListener ListenToRetries()
    {
        var listener = new MeterListener
        {
            InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Meter.Name == FalTelemetry.MeterName && instrument.Name == "fal.client.retries")
                {
                    listener.EnableMeasurementEvents(instrument);
                }
            },
        };
        listener.SetMeasurementEventCallback<long>((_, _, tags, _) =>
        {
            string operation = "", cause = "";
            foreach ((string name, object? value) in tags)
            {
                operation = name == "fal.operation" ? value as string ?? "" : operation;
                cause = name == "fal.retry.cause" ? value as string ?? "" : cause;
            }

            DateTimeOffset now = clock.GetUtcNow();
            post(model => model.Retried(operation, cause, now));
        });
        listener.Start();
        return listener;
    }
}
