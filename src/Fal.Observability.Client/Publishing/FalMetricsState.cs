namespace Fal.Observability.Client;

/// <summary>What the reads of one account's metrics had come to at one moment. Immutable.</summary>
public sealed class FalMetricsState
{
    /// <summary>The last snapshot that was read, however old; null if no read has succeeded yet.</summary>
    public FalMetricsSnapshot? Snapshot { get; init; }

    /// <summary>When <see cref="Snapshot"/> had been read, by the injected <see cref="TimeProvider"/>; null if none has.</summary>
    public DateTimeOffset? LastSuccess { get; init; }

    /// <summary>
    /// Why the last read failed, a <see cref="FalObservabilityException"/> as a rule; null if it succeeded, or if there was none yet.
    /// </summary>
    public Exception? LastFailure { get; init; }

    /// <summary>How many reads have failed since the last one that succeeded.</summary>
    public int FailuresInARow { get; init; }

    /// <summary>How long the last read took, its retries included; null if there was none yet.</summary>
    public TimeSpan? LastReadDuration { get; init; }

    /// <summary>
    /// The injected clock's count at <see cref="LastSuccess"/>: an age from it is right though the wall clock is set anew.
    /// </summary>
    internal long SucceededAt { get; init; }
}
