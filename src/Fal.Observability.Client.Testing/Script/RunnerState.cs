namespace Fal.Observability.Client.Testing;

/// <summary>The states of runners that other answers than the metrics count too.</summary>
internal static class RunnerState
{
    public const string Running = "running";
    public const string Idle = "idle";
    public const string Pending = "pending";
    public const string Draining = "draining";
    public const string Dead = "dead";
}
