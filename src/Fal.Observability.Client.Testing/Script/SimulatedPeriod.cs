namespace Fal.Observability.Client.Testing;

/// <summary>A part of the time in which an app does something else than its script says.</summary>
public sealed class SimulatedPeriod : SimulatedActivity
{
    internal SimulatedPeriod(ScriptedAccount account, MinuteScript state, DateTimeOffset start, DateTimeOffset end)
        : base(account, state)
    {
        Start = start;
        End = end;
        First = (int)Math.Floor(MinutesTo(start));
        EndMinute = (int)Math.Ceiling(MinutesTo(end));
    }

    /// <summary>The first instant.</summary>
    public DateTimeOffset Start { get; }

    /// <summary>The end, exclusive.</summary>
    public DateTimeOffset End { get; }

    /// <summary>The first minute, counted from the Unix epoch.</summary>
    internal int First { get; }

    /// <summary>The first minute after it.</summary>
    internal int EndMinute { get; }

    private static double MinutesTo(DateTimeOffset instant) => (instant - DateTimeOffset.UnixEpoch).TotalMinutes;
}
