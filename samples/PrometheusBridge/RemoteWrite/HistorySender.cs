using Fal.Observability.Client;

namespace Fal.Observability.PrometheusBridge.RemoteWrite;

/// <summary>
/// Sends the analytics of some endpoints by remote write: first the history, then each bucket once it is final. It goes on where the
/// receiver has last accepted, also after a restart.
/// </summary>
internal sealed partial class HistorySender(
    HistoryOptions history, string account, IFalAnalyticsClient analytics, TimeSpan provisionalAge, RemoteWriteClient receiver, HistoryProgress progress,
    TimeProvider time, ILogger<HistorySender> log)
{
    /// <summary>A refusal does not mend itself; somebody may mend what is behind it.</summary>
    private static readonly TimeSpan FailurePause = TimeSpan.FromMinutes(5);

    public string Name => history.Name;

    /// <summary>Why nothing is sent at present; null if all is well.</summary>
    public string? Failure { get; private set; }

    /// <summary>The end of the last bucket that the receiver has accepted; null if it has none.</summary>
    public DateTimeOffset? AcceptedUntil => progress.AcceptedUntil(history.Name);

    /// <summary>Sends until it is cancelled.</summary>
    public async Task RunAsync(CancellationToken stoppingToken)
    {
        while (true)
        {
            TimeSpan pause;
            try
            {
                DateTimeOffset sentUntil = await SendUntilNowAsync(stoppingToken);
                Failure = null;
                TimeSpan untilNext = sentUntil + history.BucketLength + provisionalAge - time.GetUtcNow();
                pause = untilNext > TimeSpan.Zero ? untilNext : TimeSpan.Zero;
            }
            catch (Exception failure) when (failure is not OperationCanceledException || !stoppingToken.IsCancellationRequested)
            {
                Failure = failure.Message;
                pause = FailurePause;
                LogStopped(history.Name, pause.TotalMinutes, failure.Message);
            }

            await Task.Delay(pause, time, stoppingToken);
        }
    }

    /// <summary>Sends every bucket that is final and was not accepted yet.</summary>
    /// <returns>The end of the last of them.</returns>
    private async Task<DateTimeOffset> SendUntilNowAsync(CancellationToken cancellationToken)
    {
        progress.EnsureSaved();
        // What ended longer ago than this is not changed by the service any more.
        DateTimeOffset end = Floor(time.GetUtcNow() - provisionalAge);
        DateTimeOffset start = AcceptedUntil ?? Floor(end - history.Since);
        if (start >= end)
        {
            return start;
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
            // A bucket at a time: a receiver takes the newest sample of a series twice, so a request whose answer was lost, or a bucket
            // that was sent before a crash, can be sent again. An older sample it would refuse.
            foreach (AnalyticsBucket bucket in window.TimeSeries.Where(bucket => bucket.Rows.Count > 0))
            {
                await receiver.SendAsync(AnalyticsSamples.Of(bucket, account, history.Timeframe), cancellationToken);
                progress.Save(history.Name, bucket.Start.ToUniversalTime() + history.BucketLength);
            }

            progress.Save(history.Name, window.Checkpoint.ContinuesAt ?? end);
            LogSent(history.Name, window.Range.ToString()!, window.TimeSeries.Count);
            foreach (AnalyticsRefusedEndpoint refused in window.RefusedEndpoints)
            {
                LogRefused(refused.EndpointId, refused.Message ?? "refused");
            }
        }

        return end;
    }

    private DateTimeOffset Floor(DateTimeOffset instant) => new(instant.UtcTicks - (instant.UtcTicks % history.BucketLength.Ticks), TimeSpan.Zero);

    [LoggerMessage(2, LogLevel.Information, "{History}: {Window} accepted, {Buckets} buckets.")]
    private partial void LogSent(string history, string window, int buckets);

    [LoggerMessage(3, LogLevel.Warning, "{Endpoint} is left out: {Message}")]
    private partial void LogRefused(string endpoint, string message);

    [LoggerMessage(4, LogLevel.Error, "{History}: nothing is sent, next try in {Minutes} min. {Message}")]
    private partial void LogStopped(string history, double minutes, string message);
}
