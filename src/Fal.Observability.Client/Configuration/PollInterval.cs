namespace Fal.Observability.Client;

/// <summary>How often a program may read the same thing again: the range of every interval of a watch or a publisher.</summary>
internal static class PollInterval
{
    /// <summary>10 seconds: the service caches an answer for that long, so an earlier read returns no newer data.</summary>
    public static readonly TimeSpan Shortest = TimeSpan.FromSeconds(10);

    /// <summary>1 day.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromDays(1);

    /// <exception cref="ArgumentOutOfRangeException">The interval is outside the range.</exception>
    public static void ThrowIfOutOfRange(TimeSpan interval)
    {
        if (interval < Shortest || interval > Longest)
        {
            throw new ArgumentOutOfRangeException(nameof(interval), interval,
                $"The interval must be from {Shortest} to {Longest}. The service caches its answers for {Shortest.TotalSeconds:0} " +
                "seconds, so a shorter interval returns no newer data.");
        }
    }
}
