using System.Globalization;

namespace Fal.Observability.Client;

/// <summary>One step of a <see cref="LatencyDistribution"/>.</summary>
/// <param name="UpperBound">The upper bound of the bucket in seconds, inclusive; positive infinity in the last one.</param>
/// <param name="CumulativeCount">How many requests took at most that long, those of the lower buckets included.</param>
public readonly record struct LatencyBucket(double UpperBound, double CumulativeCount)
{
    /// <summary>Reads the label <c>le</c>, which is a number in the exposition's own notation.</summary>
    internal static bool TryParseBound(string? le, out double upperBound)
    {
        if (le is "+Inf" or "Inf")
        {
            upperBound = double.PositiveInfinity;
            return true;
        }

        return double.TryParse(le, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent, CultureInfo.InvariantCulture, out upperBound)
            && !double.IsNaN(upperBound);
    }
}
