namespace Fal.Observability.Client.Testing;

/// <summary>
/// Trouble that strikes all endpoints of an app for a while: more errors, slower requests, a growing queue.
/// </summary>
/// <param name="Severity">0 (no incident) to 3.</param>
/// <param name="Progress">How much of the incident is over in the middle of the minute, 0 to 1.</param>
internal readonly record struct Incident(int Severity, double Progress)
{
    // The slowdown of each severity, and its logarithm in the fixed point of DurationSpread.
    private static readonly double[] Slowdowns = [1, 1.5, 2, 4];
    private static readonly int[] LogSlowdowns = [0, 415, 710, 1420];

    /// <summary>It was ordered, and is to be seen whatever the app's traffic is at the time.</summary>
    public bool IsPlanned { get; init; }

    /// <summary>By how much a request takes longer.</summary>
    public double Slowdown => Slowdowns[Severity];

    /// <summary>The same as an addition to a fixed-point logarithm.</summary>
    public int LogSlowdown => LogSlowdowns[Severity];

    /// <summary>How many minutes of load are waiting: rises for most of the incident, is worked off at its end.</summary>
    public double Backlog => Severity * (Progress < 0.6 ? Progress / 0.6 : (1 - Progress) / 0.4);

    /// <summary>
    /// How long a request waits that arrives now, as a fixed-point logarithm of seconds: until the backlog before it is worked off.
    /// </summary>
    public int LogWait => Backlog > 0 ? (int)(Math.Log(Backlog * 60) * DurationSpread.Scale) : int.MinValue / 2;
}
