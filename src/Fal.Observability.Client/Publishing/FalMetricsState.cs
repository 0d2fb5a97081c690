namespace Fal.Observability.Client;

/// <summary>The state of the reads of one account's metrics at one moment. Immutable.</summary>
public sealed class FalMetricsState
{
    /// <summary>The last snapshot that was read, however old; null if no read has succeeded yet.</summary>
    public FalMetricsSnapshot? Snapshot { get; init; }

    /// <summary>When <see cref="Snapshot"/> was read, by the injected <see cref="TimeProvider"/>; null if no read has succeeded.</summary>
    public DateTimeOffset? LastSuccess { get; init; }

    /// <summary>
    /// Why the last read failed, usually a <see cref="FalObservabilityException"/>; null if it succeeded, or if there was no read yet.
    /// </summary>
    public Exception? LastFailure { get; init; }

    /// <summary>The number of consecutive failed reads.</summary>
    public int FailuresInARow { get; init; }

    /// <summary>How long the last read took, its retries included; null if there was none yet.</summary>
    public TimeSpan? LastReadDuration { get; init; }

    /// <summary>
    /// The injected clock's timestamp at <see cref="LastSuccess"/>. An age that is computed from it stays right if the wall clock is
    /// changed.
    /// </summary>
    internal long SucceededAt { get; init; }
}
