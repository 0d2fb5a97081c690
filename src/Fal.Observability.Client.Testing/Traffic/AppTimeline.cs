namespace Fal.Observability.Client.Testing;

/// <summary>What happens to all endpoints of an app at once: its incidents, and its idle phases if it scales to zero.</summary>
/// <param name="key">Decides everything random about the app.</param>
/// <param name="planned">The incidents that were ordered, the first of them first where they overlap.</param>
/// <param name="scalesToZero">Whether the app goes idle several times an hour.</param>
internal sealed class AppTimeline(ulong key, IReadOnlyList<PlannedIncident> planned, bool scalesToZero)
{
    private const int IncidentWindow = 12 * 60;
    private const int BurstWindow = 30;

    /// <summary>
    /// The incident of a minute. One that was ordered comes first; else the dice bring at most one in each half day, and in about
    /// one half day of twenty.
    /// </summary>
    public Incident IncidentAt(int minute)
    {
        foreach (PlannedIncident incident in planned)
        {
            if (minute >= incident.First && minute < incident.End)
            {
                return new Incident(incident.Severity, Progress(minute, incident.First, incident.End)) { IsPlanned = true };
            }
        }

        (int window, int offset) = Math.DivRem(minute, IncidentWindow);
        var dice = new Dice(key, window);
        if (dice.Unit() >= 0.05)
        {
            return default;
        }

        int length = (int)dice.Between(20, 80);
        int start = (int)dice.Between(0, IncidentWindow - length);
        if (offset < start || offset >= start + length || IsOutsideBurst(minute))
        {
            return default;
        }

        return new Incident(1 + (int)dice.Between(0, 3), Progress(offset, start, start + length));
    }

    /// <summary>Whether the app is idle in a minute: nobody calls it, and no runner is up. An ordered incident keeps it busy.</summary>
    public bool IsIdleAt(int minute) => IsOutsideBurst(minute) && !IncidentAt(minute).IsPlanned;

    /// <summary>
    /// An app that scales to zero has one burst of 6 to 15 minutes in each half hour, at a time that the dice decide: a fixed period
    /// would hide from a rule that looks back by the same period.
    /// </summary>
    private bool IsOutsideBurst(int minute)
    {
        if (!scalesToZero)
        {
            return false;
        }

        (int window, int offset) = Math.DivRem(minute, BurstWindow);
        var dice = new Dice(~key, window);
        int length = (int)dice.Between(6, 16);
        int start = (int)dice.Between(0, BurstWindow - length);
        return offset < start || offset >= start + length;
    }

    private static double Progress(int minute, int first, int end) => (minute + 0.5 - first) / (end - first);
}

/// <summary>An incident that was ordered, in minutes counted from the Unix epoch.</summary>
/// <param name="First">The first minute that it touches.</param>
/// <param name="End">The first minute after it.</param>
/// <param name="Severity">1 to 3.</param>
internal sealed record PlannedIncident(int First, int End, int Severity)
{
    /// <summary>Traffic comes in whole minutes: an incident takes all those that it touches.</summary>
    /// <param name="order">What was ordered.</param>
    /// <param name="now">When it starts if the order does not say.</param>
    public static PlannedIncident From(SimulatedIncident order, DateTimeOffset now)
    {
        DateTimeOffset start = order.Start ?? now;
        long first = start.UtcTicks - DateTimeOffset.UnixEpoch.Ticks;
        return new PlannedIncident(
            (int)(first / TimeSpan.TicksPerMinute),
            (int)((first + order.Duration.Ticks + TimeSpan.TicksPerMinute - 1) / TimeSpan.TicksPerMinute),
            order.Severity);
    }
}
