using System.Globalization;

namespace Fal.Observability.Client.Prometheus;

/// <summary>A value of a series at a time.</summary>
/// <param name="TimestampMilliseconds">The time, in milliseconds since the Unix epoch.</param>
/// <param name="Value">The value.</param>
public readonly record struct PrometheusPoint(long TimestampMilliseconds, double Value)
{
    /// <summary>The value and its time.</summary>
    /// <returns>The text, the same in every culture.</returns>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Value} @ {TimestampMilliseconds} ms");
}

/// <summary>
/// How a series changes over a range of time, as the functions <c>rate</c>, <c>increase</c> and <c>delta</c> of Prometheus
/// compute it from its samples.
/// </summary>
/// <remarks>
/// The first and last sample rarely stand at the ends of the range, so the change between them is extrapolated to the ends:
/// all the way if the gap is at most 1.1 times the average distance of samples, else by half that distance; a counter not
/// beyond the point where it would have been zero. Only a counter has a rate: a gauge, even one that counts the requests of
/// the last minute, has a delta.
/// </remarks>
public static class PrometheusRate
{
    private const double ExtrapolationThreshold = 1.1;

    /// <summary>The increase of a counter per second.</summary>
    /// <param name="points">The samples in the range, in order of time.</param>
    /// <param name="startMilliseconds">The beginning of the range, in milliseconds since the Unix epoch.</param>
    /// <param name="endMilliseconds">The end of the range.</param>
    /// <returns>The rate; NaN for fewer than two samples or if they all have one time.</returns>
    /// <exception cref="ArgumentException">The range is empty, or a sample lies outside it or before the one before it.</exception>
    public static double Rate(ReadOnlySpan<PrometheusPoint> points, long startMilliseconds, long endMilliseconds) =>
        Extrapolate(points, startMilliseconds, endMilliseconds, isCounter: true) / Seconds(startMilliseconds, endMilliseconds);

    /// <summary>The increase of a counter. A value below the one before it means that the counter began anew at zero.</summary>
    /// <param name="points">The samples in the range, in order of time.</param>
    /// <param name="startMilliseconds">The beginning of the range, in milliseconds since the Unix epoch.</param>
    /// <param name="endMilliseconds">The end of the range.</param>
    /// <returns>The increase; NaN for fewer than two samples or if they all have one time.</returns>
    /// <exception cref="ArgumentException">The range is empty, or a sample lies outside it or before the one before it.</exception>
    public static double Increase(ReadOnlySpan<PrometheusPoint> points, long startMilliseconds, long endMilliseconds) =>
        Extrapolate(points, startMilliseconds, endMilliseconds, isCounter: true);

    /// <summary>The difference of a gauge between the ends of the range.</summary>
    /// <param name="points">The samples in the range, in order of time.</param>
    /// <param name="startMilliseconds">The beginning of the range, in milliseconds since the Unix epoch.</param>
    /// <param name="endMilliseconds">The end of the range.</param>
    /// <returns>The difference; NaN for fewer than two samples or if they all have one time.</returns>
    /// <exception cref="ArgumentException">The range is empty, or a sample lies outside it or before the one before it.</exception>
    public static double Delta(ReadOnlySpan<PrometheusPoint> points, long startMilliseconds, long endMilliseconds) =>
        Extrapolate(points, startMilliseconds, endMilliseconds, isCounter: false);

    private static double Extrapolate(ReadOnlySpan<PrometheusPoint> points, long start, long end, bool isCounter)
    {
        if (end <= start)
        {
            throw new ArgumentException("The end of the range must be later than its start.");
        }

        for (int i = 0; i < points.Length; i++)
        {
            if (points[i].TimestampMilliseconds < (i == 0 ? start : points[i - 1].TimestampMilliseconds) || points[i].TimestampMilliseconds > end)
            {
                throw new ArgumentException("The samples must be inside the range and in ascending order of time.", nameof(points));
            }
        }

        if (points.Length < 2)
        {
            return double.NaN;
        }

        double interval = Seconds(points[0].TimestampMilliseconds, points[^1].TimestampMilliseconds);
        if (interval == 0)
        {
            return double.NaN;
        }

        double change = points[^1].Value - points[0].Value;
        for (int i = 1; isCounter && i < points.Length; i++)
        {
            if (points[i].Value < points[i - 1].Value)
            {
                change += points[i - 1].Value;
            }
        }

        double distance = interval / (points.Length - 1);
        double toStart = Gap(Seconds(start, points[0].TimestampMilliseconds));
        double toEnd = Gap(Seconds(points[^1].TimestampMilliseconds, end));
        if (isCounter && change > 0 && points[0].Value >= 0)
        {
            toStart = Math.Min(toStart, interval * (points[0].Value / change));
        }

        return change * ((interval + toStart + toEnd) / interval);

        double Gap(double seconds) => seconds >= distance * ExtrapolationThreshold ? distance / 2 : seconds;
    }

    /// <summary>Two times may be further apart than the type that holds them.</summary>
    private static double Seconds(long from, long to) => (double)((Int128)to - from) / 1000;
}
