using Fal.Observability.Client;

namespace Fal.Observability.PrometheusBridge.RemoteWrite;

/// <summary>
/// Sends the analytics of some endpoints by remote write: first the history, then each bucket once it is final. It goes on where the
/// receiver has last accepted, also after a restart.
/// </summary>
internal sealed partial class HistoryWorker(
    HistoryOptions history, string account, IFalAnalyticsClient analytics, TimeSpan provisionalAge, RemoteWriteClient receiver, HistoryProgress progress,
    TimeProvider time, ILogger<HistoryWorker> log)
    : BackgroundService
{
    /// <summary>A refusal does not mend itself; somebody may mend the receiver.</summary>
    private static readonly TimeSpan RefusedPause = TimeSpan.FromMinutes(5);

    /// <summary>Why nothing is sent at present; null if all is well.</summary>
    public string? Failure { get; private set; }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (true)
        {
            TimeSpan pause;
            try
            {
                await SendUntilNowAsync(stoppingToken);
                Failure = null;
                pause = FinalUntil() + history.BucketLength + provisionalAge - time.GetUtcNow() + TimeSpan.FromSeconds(1);
            }
            catch (Exception failure) when (failure is not OperationCanceledException || !stoppingToken.IsCancellationRequested)
            {
                Failure = failure.Message;
                pause = RefusedPause;
                LogStopped(history.Name, pause.TotalMinutes, failure.Message);
            }

            await Task.Delay(pause, time, stoppingToken);
        }
    }

    /// <summary>Sends every bucket that is final and was not accepted yet.</summary>
    private async Task SendUntilNowAsync(CancellationToken cancellationToken)
    {
        DateTimeOffset end = FinalUntil();
        DateTimeOffset start = progress.AcceptedUntil(history.Name) ?? Floor(end - history.Since);
        if (start >= end)
        {
            return;
        }

        var query = new AnalyticsQuery(history.EndpointIds)
        {
            Expand = history.Metrics | AnalyticsExpand.TimeSeries,
            Range = AnalyticsTimeRange.Between(start, end),
            Timeframe = history.Timeframe,
            RefusedEndpoints = RefusedEndpointPolicy.Skip,
            DegradeOnServerError = true,
        };
        await foreach (AnalyticsWindow window in analytics.StreamWindowsAsync(query, cancellationToken: cancellationToken))
        {
            await receiver.SendAsync(AnalyticsSamples.Of(window.TimeSeries, account), cancellationToken);
            // Only what was accepted counts as sent. Ended in between, the window is sent again, and the receiver knows its samples.
            await progress.SaveAsync(history.Name, window.Checkpoint.ContinuesAt ?? end, cancellationToken);
            LogSent(history.Name, window.Range.ToString()!, window.TimeSeries.Count);
            foreach (AnalyticsRefusedEndpoint refused in window.RefusedEndpoints)
            {
                LogRefused(refused.EndpointId, refused.Message);
            }
        }
    }

    /// <summary>The end of the last bucket that the service does not change any more.</summary>
    private DateTimeOffset FinalUntil() => Floor(time.GetUtcNow() - provisionalAge);

    private DateTimeOffset Floor(DateTimeOffset instant) => new(instant.UtcTicks - instant.UtcTicks % history.BucketLength.Ticks, TimeSpan.Zero);

    [LoggerMessage(2, LogLevel.Information, "{History}: {Window} accepted, {Buckets} buckets.")]
    private partial void LogSent(string history, string window, int buckets);

    [LoggerMessage(3, LogLevel.Warning, "{Endpoint} is left out: {Message}")]
    private partial void LogRefused(string endpoint, string message);

    [LoggerMessage(4, LogLevel.Error, "{History}: nothing is sent, next try in {Minutes} min. {Message}")]
    private partial void LogStopped(string history, double minutes, string message);
}
