using System.Globalization;

namespace Fal.Observability.Client;

/// <summary>How long to wait before a call is sent again.</summary>
internal static class FalRetryDelay
{
    private const string RateLimitReset = "x-ratelimit-reset";

    /// <summary>
    /// What the service asked for: <c>Retry-After</c> in seconds or as a date (RFC 9110, section 10.2.3), else
    /// <c>x-ratelimit-reset</c>, which on fal's surfaces is a number of seconds from now. Null when it did not ask, or not
    /// in a way that can be read; never negative.
    /// </summary>
    public static TimeSpan? AskedFor(HttpResponseMessage response, DateTimeOffset now)
    {
        if (response.Headers.RetryAfter is { } header)
        {
            return NotNegative(header.Delta ?? header.Date - now);
        }

        // A fraction is not in the grammar of Retry-After, so the typed header refuses it; its meaning is plain all the same.
        return Seconds(response, "Retry-After") ?? Seconds(response, RateLimitReset);
    }

    /// <summary>The n-th retry's own delay: exponential, between half and all of it by chance, within the limits.</summary>
    public static TimeSpan Exponential(int retry, FalObservabilityOptions options, double random)
    {
        double full = Math.Min(options.RetryBaseDelay.TotalSeconds * Math.Pow(2, retry), options.MaxRetryDelay.TotalSeconds);
        double jittered = full * (0.5 + (random / 2));
        return TimeSpan.FromSeconds(Math.Max(jittered, options.MinRetryDelay.TotalSeconds));
    }

    private static TimeSpan? Seconds(HttpResponseMessage response, string name)
    {
        if (!response.Headers.TryGetValues(name, out IEnumerable<string>? values)
            || !double.TryParse(values.FirstOrDefault(), NumberStyles.Float, CultureInfo.InvariantCulture, out double seconds)
            || !double.IsFinite(seconds))
        {
            return null;
        }

        return seconds >= TimeSpan.MaxValue.TotalSeconds ? TimeSpan.MaxValue : NotNegative(TimeSpan.FromSeconds(seconds));
    }

    private static TimeSpan? NotNegative(TimeSpan? wait) => wait < TimeSpan.Zero ? TimeSpan.Zero : wait;
}
