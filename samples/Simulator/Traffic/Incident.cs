namespace Fal.Observability.Simulator;

/// <summary>
/// Trouble that now and then strikes all endpoints of an app for twenty minutes to an hour: more errors, slower
/// requests, a growing queue. At most one in each half day of an app, and in about one half day of twenty.
/// </summary>
/// <param name="Severity">0 (no incident) to 3.</param>
/// <param name="Progress">How much of the incident is over, 0 to 1.</param>
internal readonly record struct Incident(int Severity, double Progress)
{
    private const int Window = 12 * 60;

    // The slowdown of each severity, and its logarithm in the fixed point of DurationSpread.
    private static readonly double[] Slowdowns = [1, 1.5, 2, 4];
    private static readonly int[] LogSlowdowns = [0, 415, 710, 1420];

    /// <summary>By how much a request takes longer.</summary>
    public double Slowdown => Slowdowns[Severity];

    /// <summary>The same as an addition to a fixed-point logarithm.</summary>
    public int LogSlowdown => LogSlowdowns[Severity];

    /// <summary>How many minutes of load are waiting: rises for most of the incident, is worked off at its end.</summary>
    public double Backlog => Severity * (Progress < 0.6 ? Progress / 0.6 : (1 - Progress) / 0.4);

    /// <summary>The incident of an app in a minute.</summary>
    public static Incident At(ulong key, int minute)
    {
        (int window, int offset) = Math.DivRem(minute, Window);
        var dice = new Dice(key, window);
        if (dice.Unit() >= 0.05)
        {
            return default;
        }

        int length = (int)dice.Between(20, 80);
        int start = (int)dice.Between(0, Window - length);
        if (offset < start || offset >= start + length)
        {
            return default;
        }

        return new Incident(1 + (int)dice.Between(0, 3), (offset - start) / (double)length);
    }
}
