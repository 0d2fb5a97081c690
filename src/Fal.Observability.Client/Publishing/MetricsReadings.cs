using System.Collections.Immutable;

namespace Fal.Observability.Client;

/// <summary>
/// Reads one account's metrics, one read at a time. Keeps the last good snapshot and counts failures. The account's publisher and its
/// health checks share it, so that both see the same state.
/// </summary>
internal sealed class MetricsReadings(string? account, IFalMetricsClient client, TimeProvider time) : IDisposable
{
    /// <summary>
    /// The pause after a failure that a retry cannot fix, such as a refused key. Reads continue, because somebody may grant the permission.
    /// </summary>
    public static readonly TimeSpan RefusedPause = TimeSpan.FromMinutes(5);

    private readonly SemaphoreSlim _one = new(1);
    private readonly long[] _failures = new long[FailureKinds.Length];
    private readonly long _begun = time.GetTimestamp();
    private FalMetricsState _state = new();
    private long? _lastStarted;
    private long _lastEnded;

    /// <summary>The kinds of failure that are counted, as they are published.</summary>
    public static ImmutableArray<string> FailureKinds { get; } =
        ["authentication", "forbidden", "rate_limit", "api", "response", "timeout", "transport", "unexpected"];

    /// <summary>The service key of the registration; null for the default one.</summary>
    public string? Account => account;

    /// <summary>What the log calls the account.</summary>
    public string Name => account ?? "(default)";

    public FalMetricsState State => Volatile.Read(ref _state);

    /// <summary>How old the last good snapshot is; null if there is none.</summary>
    public TimeSpan? Age => State is { Snapshot: not null } state ? time.GetElapsedTime(state.SucceededAt) : null;

    /// <summary>For how long there has been no data: since the last success, else since the beginning.</summary>
    public TimeSpan WithoutData => Age ?? time.GetElapsedTime(_begun);

    /// <summary>How often reads have failed in one of the <see cref="FailureKinds"/>.</summary>
    public long FailuresOf(int kind) => Volatile.Read(ref _failures[kind]);

    /// <summary>Which of the <see cref="FailureKinds"/> a failure is.</summary>
    public static string KindOf(Exception failure) => failure switch
    {
        FalAuthenticationException => "authentication",
        FalForbiddenException => "forbidden",
        FalRateLimitException => "rate_limit",
        FalApiException => "api",
        FalResponseException => "response",
        FalTimeoutException => "timeout",
        FalTransportException => "transport",
        _ => "unexpected",
    };

    /// <summary>How long to wait after the last read: an interval, or longer if its failure requires it.</summary>
    public TimeSpan PauseAfterLast(TimeSpan interval)
    {
        TimeSpan pause = State.LastFailure is { } failure ? PauseAfter(failure, TimeSpan.Zero) : TimeSpan.Zero;
        return pause > interval ? pause : interval;
    }

    /// <summary>
    /// The pause after a failed read: what the service asks for; otherwise a long one if a retry cannot fix the failure.
    /// </summary>
    /// <param name="failure">What the read ended in.</param>
    /// <param name="usual">The pause after a transient failure.</param>
    public static TimeSpan PauseAfter(Exception failure, TimeSpan usual)
    {
        TimeSpan pause = failure is FalObservabilityException { IsRecoverable: false } ? RefusedPause : usual;
        return (failure as FalApiException)?.RetryAfter is { } asked && asked > pause
            ? (asked < FalRetryDelay.LongestWatchWait ? asked : FalRetryDelay.LongestWatchWait)
            : pause;
    }

    /// <summary>Reads now. A failure becomes part of the state; only the caller's own cancellation is thrown.</summary>
    public async Task ReadAsync(CancellationToken cancellationToken)
    {
        await _one.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            await ReadAloneAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _one.Release();
        }
    }

    /// <summary>Reads if the last read began long enough ago. A caller that comes while a read is in progress gets its outcome.</summary>
    public async Task ReadIfDueAsync(CancellationToken cancellationToken)
    {
        await _one.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            // The service's cache lives from the start of a read, and a wait that it asks for begins with its answer.
            if (
                _lastStarted is not { } started
                || (
                    time.GetElapsedTime(started) >= PollInterval.Shortest
                    && time.GetElapsedTime(_lastEnded) >= PauseAfterLast(TimeSpan.Zero)
                )
            )
            {
                await ReadAloneAsync(cancellationToken).ConfigureAwait(false);
            }
        }
        finally
        {
            _one.Release();
        }
    }

    public void Dispose() => _one.Dispose();

    private async Task ReadAloneAsync(CancellationToken cancellationToken)
    {
        long started = time.GetTimestamp();
        _lastStarted = started;
        FalMetricsState before = State;
        try
        {
            FalMetricsSnapshot snapshot = await client.GetSnapshotAsync(cancellationToken).ConfigureAwait(false);
            Volatile.Write(ref _state, new FalMetricsState
            {
                Snapshot = snapshot,
                LastSuccess = time.GetUtcNow(),
                LastReadDuration = time.GetElapsedTime(started),
                SucceededAt = time.GetTimestamp(),
            });
        }
        catch (Exception failure) when (failure is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            Interlocked.Increment(ref _failures[FailureKinds.IndexOf(KindOf(failure))]);
            Volatile.Write(ref _state, new FalMetricsState
            {
                Snapshot = before.Snapshot,
                LastSuccess = before.LastSuccess,
                SucceededAt = before.SucceededAt,
                LastFailure = failure,
                FailuresInARow = before.FailuresInARow + 1,
                LastReadDuration = time.GetElapsedTime(started),
            });
        }
        finally
        {
            _lastEnded = time.GetTimestamp();
        }
    }
}
