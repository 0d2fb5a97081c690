using System.Globalization;
using System.Net.Http.Headers;

namespace Fal.Observability.Client;

/// <summary>How long to wait before a call is sent again.</summary>
internal static class FalRetryDelay
{
    /// <summary>The longest wait that a watch or a publisher accepts, so that a wrong date does not stop it for good.</summary>
    public static readonly TimeSpan LongestWatchWait = TimeSpan.FromDays(1);

    private static readonly TimeSpan LeastSpread = TimeSpan.FromSeconds(1);

    private const string RateLimitReset = "x-ratelimit-reset";

    // More than thirty years is not a plausible wait, but a current Unix time in seconds; a thousand times that, in milliseconds.
    private const double LeastUnixSeconds = 1e9;
    private const double MostUnixSeconds = 1e11;
    private const double LeastUnixMilliseconds = 1e12;
    private const double MostUnixMilliseconds = 1e14;

    /// <summary>
    /// What the service asked for: <c>Retry-After</c> in seconds or as a date (RFC 9110, section 10.2.3), else <c>x-ratelimit-reset</c>,
    /// which on fal's surfaces is a number of seconds from now. In either, a number so large that it can only be an instant is read as a
    /// Unix time: 1e9 up to 1e11 in seconds, 1e12 up to 1e14 in milliseconds. As a wait, the smallest of them would be over 31 years. Null
    /// if the service did not ask, or if the value cannot be read; never negative.
    /// </summary>
    /// <remarks>
    /// An instant counts from now, or from the time at which the service wrote the response (<c>Date</c>) if that is the longer wait:
    /// otherwise a machine whose clock is fast would retry too early.
    /// </remarks>
    public static TimeSpan? AskedFor(HttpResponseMessage response, DateTimeOffset now)
    {
        DateTimeOffset from = response.Headers.Date is { } written && written < now ? written : now;
        return Longest(response, "Retry-After", value => Numbers(value, from) ?? Until(value, from))
            ?? Longest(response, RateLimitReset, value => Numbers(value, from));
    }

    /// <summary>The delay of the n-th retry: exponential, with a random factor from one half to one, within the limits.</summary>
    public static TimeSpan Exponential(int retry, FalObservabilityOptions options, double random)
    {
        double full = Math.Min(options.RetryBaseDelay.TotalSeconds * Math.Pow(2, retry), options.MaxRetryDelay.TotalSeconds);
        double jittered = full * (0.5 + (random / 2));
        return TimeSpan.FromSeconds(Math.Max(jittered, options.MinRetryDelay.TotalSeconds));
    }

    /// <summary>
    /// A wait that the service asks for, plus a random part: up to a second, or up to a fifth of a wait above 5 s, as far as the
    /// limits allow. Otherwise, clients that the service tells to wait equally long would all return at the same instant and be refused
    /// again.
    /// </summary>
    public static TimeSpan Spread(TimeSpan wait, TimeSpan room, double random)
    {
        TimeSpan spread = random * (wait > 5 * LeastSpread ? wait / 5 : LeastSpread);
        // Timers drop fractions of a millisecond, which would end the wait early.
        return TimeSpan.FromMilliseconds(
            Math.Ceiling(wait.TotalMilliseconds) + Math.Floor((spread < room ? spread : room).TotalMilliseconds));
    }

    /// <summary>How long a watch waits when the service asks for a wait: at most a day, plus a random part.</summary>
    public static TimeSpan ForWatch(TimeSpan asked, double random) =>
        Spread(asked < LongestWatchWait ? asked : LongestWatchWait, TimeSpan.MaxValue, random);

    private static TimeSpan Wait(double number, DateTimeOffset now) => number switch
    {
        >= LeastUnixSeconds and < MostUnixSeconds => NotNegative(DateTimeOffset.UnixEpoch.AddSeconds(number) - now),
        >= LeastUnixMilliseconds and < MostUnixMilliseconds => NotNegative(DateTimeOffset.UnixEpoch.AddMilliseconds(number) - now),
        _ when number >= TimeSpan.MaxValue.TotalSeconds => TimeSpan.MaxValue,
        _ => TimeSpan.FromSeconds(Math.Max(number, 0)),
    };

    /// <summary>
    /// The wait in a header; the longest one if there are several, because a proxy may add its own. Null if one cannot be read.
    /// </summary>
    private static TimeSpan? Longest(HttpResponseMessage response, string name, Func<string, TimeSpan?> waitOf)
    {
        TimeSpan? longest = null;
        if (response.Headers.NonValidated.TryGetValues(name, out HeaderStringValues values))
        {
            foreach (string value in values)
            {
                if (waitOf(value) is not { } wait)
                {
                    return null;
                }

                longest = longest > wait ? longest : wait;
            }
        }

        return longest;
    }

    /// <summary>The wait in a numeric value; the longest one of a list. Null if one is not a number.</summary>
    private static TimeSpan? Numbers(string value, DateTimeOffset now)
    {
        TimeSpan? longest = null;
        foreach (string part in value.Split(','))
        {
            if (!double.TryParse(part, NumberStyles.Float, CultureInfo.InvariantCulture, out double number) || !double.IsFinite(number))
            {
                return null;
            }

            TimeSpan wait = Wait(number, now);
            longest = longest > wait ? longest : wait;
        }

        return longest;
    }

    private static TimeSpan? Until(string value, DateTimeOffset now) =>
        RetryConditionHeaderValue.TryParse(value, out RetryConditionHeaderValue? parsed) && parsed.Date is { } date
            ? NotNegative(date - now)
            : null;

    private static TimeSpan NotNegative(TimeSpan wait) => wait < TimeSpan.Zero ? TimeSpan.Zero : wait;
}
