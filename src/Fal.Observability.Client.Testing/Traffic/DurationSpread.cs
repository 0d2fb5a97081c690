using System.Collections.Immutable;

namespace Fal.Observability.Client.Testing;

/// <summary>
/// A log-normal distribution of durations that can be merged exactly. It holds the count, the sum and the sum of
/// squares of the logarithms in whole 1024ths, so that adding minutes in any order or grouping gives the same bits. Durations that a test
/// scripted are kept as they are.
/// </summary>
internal struct DurationSpread
{
    /// <summary>Steps of the fixed-point logarithm in one unit of the natural logarithm.</summary>
    public const double Scale = 1024;

    // How many standard deviations above the median a percentile of a normal distribution lies.
    private const double P75 = 0.6744897501960817;
    private const double P90 = 1.2815515655446004;
    private const double P95 = 1.6448536269514722;
    private const double P99 = 2.3263478740408408;

    private long _sum;
    private long _sumOfSquares;

    // Null where none was scripted; else the weight of each duration, in tenths of a request.
    private ImmutableSortedDictionary<TimeSpan, long>? _scripted;

    /// <summary>How many durations are in it.</summary>
    public long Count { get; private set; }

    /// <summary>Whether a test scripted the durations.</summary>
    public readonly bool IsScripted => _scripted is not null;

    /// <summary>Adds <paramref name="count"/> durations around one median; both arguments in 1024ths of a logarithm.</summary>
    public void Add(int count, int logMedian, int logDeviation)
    {
        Count += count;
        _sum += (long)count * logMedian;
        _sumOfSquares += count * (((long)logMedian * logMedian) + ((long)logDeviation * logDeviation));
    }

    /// <summary>Adds durations that a test scripted.</summary>
    public void Add(long count, SimulatedLatency latency)
    {
        Count += count;
        foreach ((TimeSpan duration, int weight) in count > 0 ? latency.Weights : [])
        {
            AddWeight(duration, weight * count);
        }
    }

    /// <summary>Adds everything that <paramref name="other"/> holds.</summary>
    public void Add(in DurationSpread other)
    {
        Count += other.Count;
        _sum += other._sum;
        _sumOfSquares += other._sumOfSquares;
        if (other._scripted is not null)
        {
            foreach ((TimeSpan duration, long weight) in other._scripted)
            {
                AddWeight(duration, weight);
            }
        }
    }

    /// <summary>
    /// The duration in seconds that <paramref name="percent"/> of the durations do not exceed, or null when there is none. It never
    /// falls as <paramref name="percent"/> rises.
    /// </summary>
    public readonly double? Percentile(int percent)
    {
        if (Count == 0)
        {
            return null;
        }

        if (_scripted is not null)
        {
            long below = 0;
            Int128 total = _scripted.Values.Sum();
            return _scripted.First(part => (below += part.Value) * (Int128)100 >= total * percent).Key.TotalSeconds;
        }

        (double mean, double deviation) = Shape();
        double deviations = percent switch { 25 => -P75, 50 => 0, 75 => P75, 90 => P90, 95 => P95, _ => P99 };
        return Math.Round(Math.Exp(mean + (deviations * deviation)), 6);
    }

    /// <summary>The percentile of two spreads together, in seconds. One logarithm of a bell curve cannot have the shape of both.</summary>
    public static double? Percentile(int percent, in DurationSpread one, in DurationSpread other)
    {
        if (one.Percentile(percent) is not { } first || other.Percentile(percent) is not { } second)
        {
            return one.Percentile(percent) ?? other.Percentile(percent);
        }

        // It is between those of the two.
        double low = Math.Min(first, second);
        double high = Math.Max(first, second);
        double wanted = (one.Count + other.Count) * percent / 100.0;
        while (high - low > 1e-7 * high)
        {
            double middle = Math.Sqrt(low * high);
            if (middle <= low || middle >= high)
            {
                break;
            }

            bool isEnough = (one.Count * one.ShareUpTo(middle)) + (other.Count * other.ShareUpTo(middle)) >= wanted;
            (low, high) = isEnough ? (low, middle) : (middle, high);
        }

        return Math.Round(high, 6);
    }

    /// <summary>The share, 0 to 1, of the durations that are at most <paramref name="seconds"/>; 1 when there is none.</summary>
    public readonly double ShareUpTo(double seconds)
    {
        if (Count == 0 || double.IsPositiveInfinity(seconds))
        {
            return 1;
        }

        if (_scripted is not null)
        {
            return _scripted.Where(part => part.Key.TotalSeconds <= seconds).Sum(part => part.Value) / (double)_scripted.Values.Sum();
        }

        (double mean, double deviation) = Shape();
        double distance = Math.Log(seconds) - mean;
        if (deviation == 0)
        {
            return distance < 0 ? 0 : 1;
        }

        return NormalShareUpTo(distance / deviation);
    }

    private void AddWeight(TimeSpan duration, long weight)
    {
        _scripted ??= ImmutableSortedDictionary<TimeSpan, long>.Empty;
        _scripted = _scripted.SetItem(duration, _scripted.GetValueOrDefault(duration) + weight);
    }

    private readonly (double Mean, double Deviation) Shape()
    {
        double mean = _sum / (double)Count;
        double variance = Math.Max(0, (_sumOfSquares / (double)Count) - (mean * mean));
        // One request has one duration: every percentile of it is that one.
        variance *= (Count - 1.0) / Count;
        return (mean / Scale, Math.Sqrt(variance) / Scale);
    }

    /// <summary>The cumulative normal distribution, by the polynomial 26.2.17 of Abramowitz and Stegun (error below 1e-7).</summary>
    private static double NormalShareUpTo(double z)
    {
        double t = 1 / (1 + (0.2316419 * Math.Abs(z)));
        double polynomial = t * (0.319381530 + (t * (-0.356563782 + (t * (1.781477937 + (t * (-1.821255978 + (t * 1.330274429))))))));
        double tail = Math.Exp(-z * z / 2) / Math.Sqrt(2 * Math.PI) * polynomial;
        return z < 0 ? tail : 1 - tail;
    }
}
