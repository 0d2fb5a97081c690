using Fal.Observability.Client;
using Polly;

namespace Fal.Observability.Bridge.RemoteWrite;

/// <summary>
/// Sends the analytics of some endpoints by remote write: first the history, then each bucket once it is final. It continues after the
/// last accepted bucket, also after a restart.
/// </summary>
internal sealed partial class HistorySender : IDisposable
{
    /// <summary>The pause after a refusal. A refusal does not end by itself, but somebody may fix its cause.</summary>
    private static readonly TimeSpan FailurePause = TimeSpan.FromMinutes(5);

    /// <summary>
    /// The service's data lags, sometimes beyond the age at which it counts as final. A bucket without rows may only be late, until a later
    /// one has some, or this long.
    /// </summary>
    private static readonly TimeSpan LongestLag = TimeSpan.FromHours(1);

    /// <summary>
    /// The longest pause, for longer buckets: the polling interval for late rows, and the delay until a corrected clock is noticed.
    /// </summary>
    private static readonly TimeSpan LongestPause = TimeSpan.FromMinutes(5);

    private readonly HistoryOptions _history;
    private readonly IFalAnalyticsClient _analytics;
    private readonly TimeSpan _provisionalAge;
    private readonly RemoteWriteClient _receiver;
    private readonly HistoryProgress _progress;
    private readonly LeftOut _leftOut;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly ResiliencePipeline<TimeSpan> _pipeline;
    private DateTimeOffset? _begin;
    private string? _failure;
    private long _lastSuccess;
    private long _falFailures;
    private long _refusals;
    private long _stateFileFailures;

    public HistorySender(
        HistoryOptions history, string account, IFalAnalyticsClient analytics, TimeSpan provisionalAge, RemoteWriteClient receiver,
        HistoryProgress progress,
        LeftOut leftOut, TimeProvider time, ILogger<HistorySender> log)
    {
        (_history, Account, _analytics, _provisionalAge, _receiver, _progress, _leftOut, _time, _log) =
            (history, account, analytics, provisionalAge, receiver, progress, leftOut, time, log);
        _pipeline = PatientRetry.Build<TimeSpan>(
            time,
            outcome => outcome.Exception is FalObservabilityException { IsRecoverable: true },
            outcome => (outcome.Exception as FalApiException)?.RetryAfter,
            (outcome, pause) =>
            {
                Count(outcome.Exception!);
                LogRetry(Name, pause.TotalSeconds, outcome.Exception!.Message);
            });
    }

    public string Name => _history.Name;

    /// <summary>The value of the label <c>account</c>.</summary>
    public string Account { get; }

    /// <summary>Why nothing is sent at present; null if all is well.</summary>
    public string? Failure => Volatile.Read(ref _failure) ?? _receiver.LastFailure;

    /// <summary>The end of the last bucket that the receiver has accepted; null if it has none.</summary>
    public DateTimeOffset? AcceptedUntil => _progress.AcceptedUntil(Name);

    /// <summary>
    /// When the receiver last had every final bucket, in seconds since the Unix epoch; 0 if it never had since the start.
    /// </summary>
    public long LastSuccess => Interlocked.Read(ref _lastSuccess);

    /// <summary>How many samples the receiver has accepted.</summary>
    public long AcceptedSamples => _receiver.AcceptedSamples;

    /// <summary>How often something has failed, by what it was.</summary>
    public IEnumerable<(string Kind, long Count)> Failures =>
    [
        ("fal", Interlocked.Read(ref _falFailures)), ("receiver", _receiver.Retries), ("refused", Interlocked.Read(ref _refusals)),
        ("state_file", Interlocked.Read(ref _stateFileFailures)),
    ];

    /// <summary>Sends until it is cancelled.</summary>
    public async Task RunAsync(CancellationToken stoppingToken)
    {
        while (true)
        {
            TimeSpan pause;
            try
            {
                TimeSpan untilNext = await _pipeline.ExecuteAsync(async token => await SendUntilNowAsync(token), stoppingToken);
                Volatile.Write(ref _failure, null);
                Interlocked.Exchange(ref _lastSuccess, _time.GetUtcNow().ToUnixTimeSeconds());
                pause = untilNext < TimeSpan.Zero ? TimeSpan.Zero : untilNext > LongestPause ? LongestPause : untilNext;
            }
            catch (Exception failure) when (failure is not OperationCanceledException || !stoppingToken.IsCancellationRequested)
            {
                Count(failure);
                pause = FailurePause;
                LogStopped(Name, pause.TotalMinutes, failure.Message);
            }

            await Task.Delay(pause, _time, stoppingToken);
        }
    }

    public void Dispose() => _receiver.Dispose();

    private void Count(Exception failure)
    {
        Volatile.Write(ref _failure, failure.Message);
        Interlocked.Increment(
            ref failure is IOException ? ref _stateFileFailures : ref failure is HttpRequestException ? ref _refusals : ref _falFailures
        );
    }

    /// <summary>Sends every bucket that is final and was not accepted yet.</summary>
    /// <returns>How long it is until the next is final.</returns>
    /// <exception cref="InvalidOperationException">fal refuses one of the endpoints.</exception>
    /// <exception cref="IOException">The state file cannot be written, or is ahead of the clock.</exception>
    private async Task<TimeSpan> SendUntilNowAsync(CancellationToken cancellationToken)
    {
        _progress.EnsureSaved();
        // The time that sending takes is measured with a monotonic clock.
        long begun = _time.GetTimestamp();
        // The service no longer changes buckets that ended before this.
        DateTimeOffset now = _time.GetUtcNow();
        DateTimeOffset end = Floor(now - _provisionalAge);
        DateTimeOffset start = AcceptedUntil ?? (_begin ??= Floor(end - _history.Since));
        if (start > now)
        {
            throw new IOException(
                $"{_progress.Path} says that '{Name}' is accepted until {start:u}, but the clock says {now:u}: one of them is wrong."
                + " Correct the clock. Or stop the bridge and remove the entry from the file: the history then starts again at Since.");
        }

        if (start >= end)
        {
            return UntilNext();
        }

        DateTimeOffset settled = Floor(now - _provisionalAge - LongestLag);
        settled = settled > start ? settled : start;
        var query = new AnalyticsQuery(_history.EndpointIds)
        {
            Expand = _history.Metrics | AnalyticsExpand.TimeSeries,
            Range = AnalyticsTimeRange.Between(start, end),
            Timeframe = _history.Timeframe,
            RefusedEndpoints = RefusedEndpointPolicy.Skip,
        };
        await foreach (AnalyticsWindow window in _analytics.StreamWindowsAsync(query, cancellationToken: cancellationToken))
        {
            // If its buckets were skipped once, they would be lost for good.
            if (window.RefusedEndpoints.Count > 0)
            {
                throw new InvalidOperationException(
                    $"fal refuses {string.Join(", ", window.RefusedEndpoints.Select(refused => $"'{refused.EndpointId}' " +
                        $"({refused.Message ?? refused.StatusCode.ToString()})"))}."
                    + " The history waits until fal accepts it again, so that nothing is skipped. If an endpoint no longer exists, "
                    + "remove it from EndpointIds.");
            }

            // A bucket at a time: a receiver takes the newest sample of a series twice, so a request whose answer was lost, or a bucket
            // that was sent before a crash, can be sent again. An older sample it would refuse.
            foreach (AnalyticsBucket bucket in window.TimeSeries.Where(bucket => bucket.Rows.Count > 0))
            {
                await _receiver.SendAsync(AnalyticsSamples.Of(bucket, Account, _history.Timeframe, _leftOut), cancellationToken);
                _progress.Save(Name, bucket.Start.ToUniversalTime() + _history.BucketLength);
            }

            DateTimeOffset sure = window.Checkpoint.ContinuesAt is { } next && next < settled ? next : settled;
            if (!(AcceptedUntil >= sure))
            {
                _progress.Save(Name, sure);
            }

            Volatile.Write(ref _failure, null);
            LogSent(Name, window.Range.ToString()!, window.TimeSeries.Count(bucket => bucket.Rows.Count > 0));
        }

        return UntilNext();

        TimeSpan UntilNext() => end + _history.BucketLength + _provisionalAge - now - _time.GetElapsedTime(begun);
    }

    private DateTimeOffset Floor(DateTimeOffset instant) =>
        new(instant.UtcTicks - (instant.UtcTicks % _history.BucketLength.Ticks), TimeSpan.Zero);

    [LoggerMessage(2, LogLevel.Information, "{History}: read {Window}; the receiver accepted {Buckets} buckets of it.")]
    private partial void LogSent(string history, string window, int buckets);

    [LoggerMessage(6, LogLevel.Warning, "{History}: the bridge cannot read fal. It tries again in {Seconds:0.0} s. {Message}")]
    private partial void LogRetry(string history, double seconds, string message);

    [LoggerMessage(4, LogLevel.Error, "{History}: sending is stopped; next attempt in {Minutes} min. {Message}")]
    private partial void LogStopped(string history, double minutes, string message);
}
