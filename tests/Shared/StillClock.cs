namespace Fal.Observability.Client.Tests.Shared;

/// <summary>A clock that says one instant for ever, and whose timers are those of the system.</summary>
internal sealed class StillClock(DateTimeOffset now) : TimeProvider
{
    public override DateTimeOffset GetUtcNow() => now;
}
