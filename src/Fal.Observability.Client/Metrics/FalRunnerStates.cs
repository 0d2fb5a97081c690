namespace Fal.Observability.Client;

/// <summary>
/// The values of <see cref="FalRunnerCount.State"/> that have been observed. The set is open: the service has changed it before.
/// </summary>
public static class FalRunnerStates
{
    /// <summary>Allocated, not up yet.</summary>
    public const string Pending = "pending";

    /// <summary>Up, busy or not.</summary>
    public const string Running = "running";

    /// <summary>Gone, still counted.</summary>
    public const string Dead = "dead";

    /// <summary>Up and not busy, if the service distinguishes it from <see cref="Running"/>.</summary>
    public const string Idle = "idle";

    /// <summary>Finishing its requests and taking no more.</summary>
    public const string Draining = "draining";

    /// <summary>Starting up.</summary>
    public const string Setup = "setup";

    /// <summary>Ended.</summary>
    public const string Terminated = "terminated";
}
