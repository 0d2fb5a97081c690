using System.Globalization;
using System.Text;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Primitives;

namespace Fal.Observability.Client.Testing;

/// <summary>The parameters of a call, and what those that several routes have in common mean.</summary>
/// <param name="query">The query string, with or without the question mark.</param>
internal sealed class QueryParameters(string query)
{
    private static readonly string[] Timeframes = ["minute", "hour", "day", "week", "month"];

    private readonly Dictionary<string, StringValues> _values = QueryHelpers.ParseQuery(query);

    /// <summary>The name of a timeframe.</summary>
    public static string NameOf(BucketLength timeframe) => Timeframes[(int)timeframe];

    /// <summary>The values of a parameter that may be repeated.</summary>
    public StringValues Values(string name) => _values.GetValueOrDefault(name, StringValues.Empty);

    /// <summary>The values of a parameter that may be repeated, each of them a list that commas split.</summary>
    public List<string> List(string name) =>
        [.. Values(name).SelectMany(value => value!.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))];

    /// <summary>The value of a parameter that occurs once; otherwise null.</summary>
    public string? Single(string name)
    {
        StringValues values = Values(name);
        return values.Count switch
        {
            0 => null,
            1 => values[0],
            _ => throw RefusedCallException.Invalid($"{name} is given {values.Count} times: send it once."),
        };
    }

    /// <summary>
    /// The range, its zone and how it is cut: <c>start</c>, <c>end</c>, <c>timezone</c>, <c>timeframe</c>, <c>bound_to_timeframe</c>.
    /// </summary>
    /// <param name="now">The clock that relative defaults start from.</param>
    /// <exception cref="RefusedCallException">A parameter is wrong.</exception>
    public RequestedTime Time(DateTimeOffset now)
    {
        TimeZoneInfo zone = Zone(Single("timezone"));
        DateTimeOffset start = Instant("start", zone) ?? now.AddHours(-24);
        DateTimeOffset end = Instant("end", zone) ?? now;
        if (end < start)
        {
            throw RefusedCallException.Invalid(
                "end is before start: the range is start inclusive, end exclusive (start defaults to 24 hours ago, end to now).");
        }

        string bound = Single("bound_to_timeframe") ?? "true";
        if (bound is not ("true" or "false"))
        {
            throw RefusedCallException.Invalid($"bound_to_timeframe is '{bound}': it must be the string 'true' or 'false'.");
        }

        var time = new RequestedTime(start, end, TimeframeOf(Single("timeframe"))) { Zone = zone, Bound = bound == "true" };
        return time.Bound && Single("end") is null ? time.IntoTheFuture() : time;
    }

    /// <summary>The <c>limit</c>, at most a page.</summary>
    public int Limit(int pageSize)
    {
        if (Single("limit") is not string text)
        {
            return pageSize;
        }

        if (!long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long limit) || limit < 1)
        {
            throw RefusedCallException.Invalid($"limit is '{text}': it must be an integer of at least 1.");
        }

        return (int)Math.Min(limit, pageSize);
    }

    /// <summary>The number of the page that <c>cursor</c> points at.</summary>
    public int Page()
    {
        if (Single("cursor") is not string cursor)
        {
            return 1;
        }

        var bytes = new byte[64];
        string padded = cursor.PadRight((cursor.Length + 3) / 4 * 4, '=');
        if (cursor.Contains('=', StringComparison.Ordinal) || cursor.Length > bytes.Length
            || !Convert.TryFromBase64String(padded, bytes, out int length)
            || Encoding.ASCII.GetString(bytes, 0, length).Split('.') is not [string number, string owner]
            || !int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out int page) || page < 1)
        {
            throw RefusedCallException.Invalid("cursor is malformed: send next_cursor of the previous page as it was.");
        }
        if (owner != Fingerprint().ToString("x16", CultureInfo.InvariantCulture))
        {
            throw RefusedCallException.Invalid("cursor belongs to another query: send all other parameters unchanged with it.");
        }

        return page;
    }

    /// <summary>
    /// The cursor of a page: opaque to the caller, its number and what it belongs to inside. Base64 without padding, as the service
    /// writes it.
    /// </summary>
    public string Cursor(int page) =>
        Convert.ToBase64String(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{page}.{Fingerprint():x16}")))
            .TrimEnd('=');

    /// <summary>A number that stands for all parameters but the cursor (FNV-1a).</summary>
    public ulong Fingerprint()
    {
        ulong hash = 14695981039346656037UL;
        foreach ((string name, StringValues values) in _values.OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            if (name == "cursor")
            {
                continue;
            }

            foreach (string? value in values)
            {
                foreach (char character in $"{name}={value}&")
                {
                    hash = (hash ^ character) * 1099511628211UL;
                }
            }
        }
        return hash;
    }

    private static TimeZoneInfo Zone(string? name)
    {
        if (name is null)
        {
            return TimeZoneInfo.Utc;
        }
        // .NET also takes the names Windows uses; the service takes those of the IANA database only.
        bool isWindowsName = name != "UTC" && TimeZoneInfo.TryConvertWindowsIdToIanaId(name, out _);
        if (!isWindowsName && TimeZoneInfo.TryFindSystemTimeZoneById(name, out TimeZoneInfo? zone))
        {
            return zone;
        }

        throw RefusedCallException.Invalid($"timezone is '{name}': it must be an IANA name such as 'Europe/Berlin'.");
    }

    private DateTimeOffset? Instant(string name, TimeZoneInfo zone)
    {
        if (Single(name) is not string text)
        {
            return null;
        }

        const DateTimeStyles Utc = DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal;
        if (DateTime.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out DateTime date)
            && InRange(date))
        {
            return new CalendarBuckets(zone, BucketLength.Day).FirstInstantOf(date);
        }
        if (DateTime.TryParseExact(text, "yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'", CultureInfo.InvariantCulture, Utc, out DateTime instant)
            && InRange(instant))
        {
            return instant;
        }
        throw RefusedCallException.Invalid(
            $"{name} is '{text}': it must be an instant such as '2026-01-01T00:00:00Z', without an offset, or a date such as "
            + "'2026-01-01', in the years 2000 to 2199.");

        // The traffic model counts minutes from 1970, and zones move a boundary by up to a month.
        static bool InRange(DateTime value) => value.Year is >= 2000 and < 2200;
    }

    private static BucketLength? TimeframeOf(string? name)
    {
        if (name is null)
        {
            return null;
        }

        int index = Array.IndexOf(Timeframes, name);
        if (index < 0)
        {
            throw RefusedCallException.Invalid($"timeframe is '{name}': it must be one of {string.Join(", ", Timeframes)}.");
        }

        return (BucketLength)index;
    }
}
