namespace Fal.Observability.Cli.Simulate;

/// <summary>A clock that starts at an instant of choice, and runs on from there or stands still. Timers run on in both cases.</summary>
/// <param name="start">What it shows at first.</param>
/// <param name="frozen">Whether it shows that for ever.</param>
internal sealed class SimulatedClock(DateTimeOffset start, bool frozen) : TimeProvider
{
    private readonly long _started = System.GetTimestamp();

    public override DateTimeOffset GetUtcNow() => frozen ? start : start + System.GetElapsedTime(_started);
}
