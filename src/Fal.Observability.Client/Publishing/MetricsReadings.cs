using System.Collections.Immutable;

namespace Fal.Observability.Client;

/// <summary>
/// Reads one account's metrics, one read at a time. Keeps the last good snapshot and counts failures. The account's publisher and its
/// health checks share it, so that both see the same state. If there is a publisher, the health checks do not read.
/// </summary>
internal sealed class MetricsReadings(string? account, IFalMetricsClient client, TimeProvider time)
{
    /// <summary>
    /// The pause after a failure that a retry cannot fix, such as a refused key. Reads continue, because somebody may grant the permission.
    /// </summary>
    public static readonly TimeSpan RefusedPause = TimeSpan.FromMinutes(5);

    /// <summary>Guards <see cref="_shared"/>, and the end of the read in it.</summary>
    private readonly object _use = new();
    private readonly long[] _failures = new long[FailureKinds.Length];
    private readonly long _begun = time.GetTimestamp();
    private FalMetricsState _state = new();
    private SharedRead? _shared;
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
        long started = Start();
        Record(started, await AskAsync(cancellationToken).ConfigureAwait(false));
    }

    /// <summary>
    /// Reads if the last read began long enough ago. Callers that come while a read is in progress share it. It continues until the last
    /// of them gives up. A read that all of them gave up is a failure.
    /// </summary>
    /// <param name="timeout">
    /// The time-out of the caller; zero or negative if it has none. The caller gives up at nine tenths of it: whoever enforces the time-out
    /// discards what the caller returns later, so it needs the rest to judge what is known.
    /// </param>
    /// <param name="cancellationToken">Cancelled when the caller gives up earlier.</param>
    /// <exception cref="OperationCanceledException">The caller gave up through its token.</exception>
    public async Task ReadIfDueAsync(TimeSpan timeout, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        SharedRead read;
        bool isFirst;
        lock (_use)
        {
            isFirst = _shared is null;
            if (isFirst && !IsDue())
            {
                return;
            }

            read = _shared ??= new SharedRead(Start());
            read.Callers++;
        }

        if (isFirst)
        {
            _ = RunAsync(read);
        }

        try
        {
            TimeSpan patience = timeout > TimeSpan.Zero ? timeout * 0.9 : Timeout.InfiniteTimeSpan;
            await read.Ended.Task.WaitAsync(patience, time, cancellationToken).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            // Part of the state, if nobody else waits for the read.
        }
        finally
        {
            Leave(read, timeout);
        }
    }

    /// <summary>Makes the read that callers share. Does not throw.</summary>
    private async Task RunAsync(SharedRead read)
    {
        try
        {
            Outcome outcome = await AskAsync(read.GivenUp.Token).ConfigureAwait(false);
            lock (_use)
            {
                if (_shared == read)
                {
                    End(read, outcome);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The last caller gave up, and recorded that.
        }
        finally
        {
            read.Ended.SetResult();
        }
    }

    private void Leave(SharedRead read, TimeSpan timeout)
    {
        lock (_use)
        {
            read.Callers--;
            if (read.Callers > 0)
            {
                return;
            }

            if (_shared == read)
            {
                End(read, new Outcome(null, GaveUp(timeout)));
            }
        }

        read.GivenUp.Cancel();
        read.Dispose();
    }

    /// <summary>The service's cache lives from the start of a read, and a wait that it asks for begins with its answer.</summary>
    private bool IsDue() =>
        _lastStarted is not { } started
        || (
            time.GetElapsedTime(started) >= PollInterval.Shortest
            && time.GetElapsedTime(_lastEnded) >= PauseAfterLast(TimeSpan.Zero)
        );

    private long Start()
    {
        long started = time.GetTimestamp();
        _lastStarted = started;
        return started;
    }

    private async Task<Outcome> AskAsync(CancellationToken cancellationToken)
    {
        try
        {
            return new Outcome(await client.GetSnapshotAsync(cancellationToken).ConfigureAwait(false), null);
        }
        catch (Exception failure) when (failure is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            return new Outcome(null, failure);
        }
    }

    private void End(SharedRead read, Outcome outcome)
    {
        _shared = null;
        Record(read.Started, outcome);
    }

    private void Record(long started, Outcome outcome)
    {
        FalMetricsState before = State;
        _lastEnded = time.GetTimestamp();
        TimeSpan duration = time.GetElapsedTime(started);
        if (outcome.Failure is not { } failure)
        {
            Volatile.Write(ref _state, new FalMetricsState
            {
                Snapshot = outcome.Snapshot,
                LastSuccess = time.GetUtcNow(),
                LastReadDuration = duration,
                SucceededAt = _lastEnded,
            });
            return;
        }

        Interlocked.Increment(ref _failures[FailureKinds.IndexOf(KindOf(failure))]);
        Volatile.Write(ref _state, new FalMetricsState
        {
            Snapshot = before.Snapshot,
            LastSuccess = before.LastSuccess,
            SucceededAt = before.SucceededAt,
            LastFailure = failure,
            FailuresInARow = before.FailuresInARow + 1,
            LastReadDuration = duration,
        });
    }

    /// <summary>A caller's token does not say whether its time-out or its own caller cancelled it.</summary>
    private static FalTimeoutException GaveUp(TimeSpan timeout) => new(
        $"The last read did not finish within the health check's time-out{(timeout > TimeSpan.Zero ? $" ({timeout})" : "")}, or the " +
            "caller of the check cancelled it. Raise the timeout of AddFal, or the time-out of the probe, if the service is that slow.")
    {
        IsTransient = true,
        Timeout = timeout > TimeSpan.Zero ? timeout : TimeSpan.Zero,
        Setting = timeout > TimeSpan.Zero ? nameof(timeout) : "",
    };

    /// <summary>What a read ended in: one of the two.</summary>
    private readonly record struct Outcome(FalMetricsSnapshot? Snapshot, Exception? Failure);

    /// <summary>A read that several callers wait for.</summary>
    /// <param name="started">The clock's timestamp at its start.</param>
    private sealed class SharedRead(long started) : IDisposable
    {
        public long Started => started;

        /// <summary>How many callers wait.</summary>
        public int Callers { get; set; }

        /// <summary>Cancelled when no caller waits any more.</summary>
        public CancellationTokenSource GivenUp { get; } = new();

        public TaskCompletionSource Ended { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public void Dispose() => GivenUp.Dispose();
    }
}
