using System.Globalization;

namespace Fal.Observability.Client.Prometheus;

/// <summary>The value of a series at one time.</summary>
/// <param name="TimestampMilliseconds">The time, in milliseconds since the Unix epoch.</param>
/// <param name="Value">The value.</param>
public readonly record struct PrometheusPoint(long TimestampMilliseconds, double Value)
{
    /// <summary>Returns the value and its time.</summary>
    /// <returns>The text, independent of the culture.</returns>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Value} @ {TimestampMilliseconds} ms");
}

/// <summary>
/// Computes the change of a series over a time range, as the functions <c>rate</c>, <c>increase</c> and <c>delta</c> of Prometheus
/// do.
/// </summary>
/// <remarks>
/// The first and last samples are rarely at the ends of the range, so the change between them is extrapolated. If the gap to an end
/// is at most 1.1 times the average distance between samples, the change is extrapolated to that end, otherwise by half the average
/// distance. A counter is not extrapolated beyond the time at which it would have been zero. Only a counter has a rate. A gauge has a
/// delta, even if it counts the requests of the last minute.
/// </remarks>
public static class PrometheusRate
{
    private const double ExtrapolationThreshold = 1.1;

    /// <summary>Computes the increase of a counter per second.</summary>
    /// <param name="points">The samples in the range, in ascending order of time.</param>
    /// <param name="startMilliseconds">The start of the range, in milliseconds since the Unix epoch.</param>
    /// <param name="endMilliseconds">The end of the range, in milliseconds since the Unix epoch.</param>
    /// <returns>The rate; NaN for fewer than two samples, or if all samples have the same time.</returns>
    /// <exception cref="ArgumentException">The range is empty, or a sample is outside it or earlier than the previous sample.</exception>
    public static double Rate(ReadOnlySpan<PrometheusPoint> points, long startMilliseconds, long endMilliseconds) =>
        Extrapolate(points, startMilliseconds, endMilliseconds, isCounter: true) / Seconds(startMilliseconds, endMilliseconds);

    /// <summary>Computes the increase of a counter. If a value is lower than the previous one, the counter was reset to zero.</summary>
    /// <param name="points">The samples in the range, in ascending order of time.</param>
    /// <param name="startMilliseconds">The start of the range, in milliseconds since the Unix epoch.</param>
    /// <param name="endMilliseconds">The end of the range, in milliseconds since the Unix epoch.</param>
    /// <returns>The increase; NaN for fewer than two samples, or if all samples have the same time.</returns>
    /// <exception cref="ArgumentException">The range is empty, or a sample is outside it or earlier than the previous sample.</exception>
    public static double Increase(ReadOnlySpan<PrometheusPoint> points, long startMilliseconds, long endMilliseconds) =>
        Extrapolate(points, startMilliseconds, endMilliseconds, isCounter: true);

    /// <summary>Computes the difference of a gauge between the ends of the range.</summary>
    /// <param name="points">The samples in the range, in ascending order of time.</param>
    /// <param name="startMilliseconds">The start of the range, in milliseconds since the Unix epoch.</param>
    /// <param name="endMilliseconds">The end of the range, in milliseconds since the Unix epoch.</param>
    /// <returns>The difference; NaN for fewer than two samples, or if all samples have the same time.</returns>
    /// <exception cref="ArgumentException">The range is empty, or a sample is outside it or earlier than the previous sample.</exception>
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
            if (points[i].TimestampMilliseconds < (i == 0 ? start : points[i - 1].TimestampMilliseconds)
                || points[i].TimestampMilliseconds > end)
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

    /// <summary>The seconds between two times. The difference can exceed the range of <see cref="long"/>.</summary>
    private static double Seconds(long from, long to) => (double)((Int128)to - from) / 1000;
}
