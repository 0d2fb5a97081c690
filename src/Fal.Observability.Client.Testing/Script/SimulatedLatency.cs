using System.Globalization;

namespace Fal.Observability.Client.Testing;

/// <summary>
/// How long the requests of a script take. Of ten requests five take <see cref="P50"/>, four take <see cref="P90"/> and one takes
/// <see cref="P99"/>, so that analytics report exactly these durations: p25 and p50 are <see cref="P50"/>, p75 and p90 are
/// <see cref="P90"/>, p95 and p99 are <see cref="P99"/>. A <see cref="TimeSpan"/> converts to a latency that all requests share.
/// </summary>
public sealed record SimulatedLatency
{
    private const int HalfWeight = 5;
    private const int SlowWeight = 4;
    private const int SlowestWeight = 1;

    /// <summary>All requests take the same time.</summary>
    /// <param name="duration">How long each request takes, zero or more.</param>
    /// <exception cref="ArgumentOutOfRangeException">The duration is negative.</exception>
    public SimulatedLatency(TimeSpan duration)
        : this(duration, duration, duration)
    {
    }

    /// <summary>Requests take different times.</summary>
    /// <param name="p50">How long half of the requests take at most, zero or more.</param>
    /// <param name="p90">How long nine of ten requests take at most, at least <paramref name="p50"/>.</param>
    /// <param name="p99">How long the slowest requests take, at least <paramref name="p90"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">A duration is negative, or less than the one before it.</exception>
    public SimulatedLatency(TimeSpan p50, TimeSpan p90, TimeSpan p99)
    {
        P50 = p50 >= TimeSpan.Zero ? p50 : throw Wrong(nameof(p50), p50, "a duration must not be negative");
        P90 = p90 >= p50 ? p90 : throw Wrong(nameof(p90), p90, "p90 must not be less than p50");
        P99 = p99 >= p90 ? p99 : throw Wrong(nameof(p99), p99, "p99 must not be less than p90");
    }

    /// <summary>What half of the requests take.</summary>
    public TimeSpan P50 { get; }

    /// <summary>What four of ten requests take.</summary>
    public TimeSpan P90 { get; }

    /// <summary>What one of ten requests takes.</summary>
    public TimeSpan P99 { get; }

    /// <summary>The durations, each with how many of ten requests take it.</summary>
    internal IEnumerable<(TimeSpan Duration, int Weight)> Weights => [(P50, HalfWeight), (P90, SlowWeight), (P99, SlowestWeight)];

    /// <summary>The mean duration in seconds.</summary>
    internal double MeanSeconds =>
        Weights.Sum(part => part.Duration.TotalSeconds * part.Weight) / (HalfWeight + SlowWeight + SlowestWeight);

    /// <summary>A latency that all requests share.</summary>
    /// <param name="duration">How long each request takes, zero or more.</param>
    /// <exception cref="ArgumentOutOfRangeException">The duration is negative.</exception>
    public static implicit operator SimulatedLatency(TimeSpan duration) => new(duration);

    /// <summary>A latency that all requests share.</summary>
    /// <param name="duration">How long each request takes, zero or more.</param>
    /// <exception cref="ArgumentOutOfRangeException">The duration is negative.</exception>
    public static SimulatedLatency FromTimeSpan(TimeSpan duration) => new(duration);

    private static ArgumentOutOfRangeException Wrong(string name, TimeSpan value, string rule) =>
        new(name, string.Create(CultureInfo.InvariantCulture, $"{name} is {value}: {rule}."));
}
