using System.Globalization;
using System.Text;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Primitives;

namespace Fal.Observability.Simulator;

/// <summary>A validated query string of an analytics call.</summary>
internal sealed record AnalyticsQuery(AnalyticsRequest Request, int Limit, int Page, ulong Fingerprint)
{
    /// <summary>The most endpoint ids that one call may name.</summary>
    public const int MostEndpointIds = 50;

    private const int MostBuckets = 100_000;

    private static readonly string[] Timeframes = ["minute", "hour", "day", "week", "month"];

    /// <summary>The cursor of a page: opaque to the caller, its number and what it belongs to inside.</summary>
    public string Cursor(int page) =>
        Convert.ToBase64String(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{page}.{Fingerprint:x16}")));

    /// <summary>Reads a query string.</summary>
    /// <param name="query">With or without the question mark.</param>
    /// <param name="pageSize">The limit where none is asked for, and the highest one.</param>
    /// <param name="mostEndpointIds">More ids are refused.</param>
    /// <param name="now">The clock that relative defaults start from.</param>
    /// <exception cref="RefusedCallException">A parameter is wrong.</exception>
    public static AnalyticsQuery Parse(string query, int pageSize, int mostEndpointIds, DateTimeOffset now)
    {
        Dictionary<string, StringValues> parameters = QueryHelpers.ParseQuery(query);

        var ids = new List<string>();
        foreach (string? value in Values(parameters, "endpoint_id"))
        {
            ids.AddRange(value!.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries));
        }

        if (ids.Count == 0)
        {
            throw RefusedCallException.Invalid("endpoint_id is required: send 1 to 50 endpoint ids.");
        }

        if (ids.Count > mostEndpointIds)
        {
            throw RefusedCallException.Invalid(
                $"endpoint_id names {ids.Count} endpoints: at most {mostEndpointIds} are allowed in one call.");
        }

        (bool timeSeries, bool summary, List<string> metrics) = Expand(parameters);

        TimeZoneInfo zone = Zone(Single(parameters, "timezone"));
        DateTimeOffset start = Instant(parameters, "start", zone) ?? now.AddHours(-24);
        DateTimeOffset end = Instant(parameters, "end", zone) ?? now;
        if (end < start)
        {
            throw RefusedCallException.Invalid(
                "end is before start: the range is start inclusive, end exclusive (start defaults to 24 hours ago, end to now).");
        }

        string bound = Single(parameters, "bound_to_timeframe") ?? "true";
        if (bound is not ("true" or "false"))
        {
            throw RefusedCallException.Invalid($"bound_to_timeframe is '{bound}': it must be the string 'true' or 'false'.");
        }

        var request = new AnalyticsRequest
        {
            EndpointIds = ids,
            Metrics = metrics,
            TimeSeries = timeSeries,
            Summary = summary,
            Start = start,
            End = end,
            TimeZone = zone,
            Timeframe = TimeframeOf(Single(parameters, "timeframe")),
            BoundToTimeframe = bound == "true",
        };
        if (timeSeries && BucketEstimate(request) > MostBuckets)
        {
            throw RefusedCallException.Invalid(
                $"The range has more than {MostBuckets} buckets: shorten it or ask for a coarser timeframe.");
        }

        ulong fingerprint = FingerprintOf(parameters);
        return new AnalyticsQuery(request, LimitOf(parameters, pageSize), PageOf(Single(parameters, "cursor"), fingerprint), fingerprint);
    }

    private static (bool TimeSeries, bool Summary, List<string> Metrics) Expand(Dictionary<string, StringValues> parameters)
    {
        StringValues values = Values(parameters, "expand");
        if (values.Count == 0)
        {
            return (true, false, ["request_count"]);
        }

        bool timeSeries = false;
        bool summary = false;
        var metrics = new List<string>();
        foreach (string? value in values)
        {
            if (value == "time_series")
            {
                timeSeries = true;
            }
            else if (value == "summary")
            {
                summary = true;
            }
            else if (!AnalyticsMetric.ByName.ContainsKey(value!))
            {
                throw RefusedCallException.Invalid(
                    $"expand has the unknown value '{value}': send known values, each in a parameter of its own.");
            }
            else if (!metrics.Contains(value!))
            {
                metrics.Add(value!);
            }
        }
        if (!timeSeries && !summary)
        {
            throw RefusedCallException.Invalid("expand names no structure: add 'time_series' or 'summary'.");
        }

        if (metrics.Count == 0)
        {
            throw RefusedCallException.Invalid("expand names no metric: add at least one, such as 'request_count'.");
        }

        return (timeSeries, summary, metrics);
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

    private static DateTimeOffset? Instant(Dictionary<string, StringValues> parameters, string name, TimeZoneInfo zone)
    {
        if (Single(parameters, name) is not string text)
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

    private static double BucketEstimate(AnalyticsRequest request)
    {
        TimeSpan length = request.End - request.Start;
        return request.ResolvedTimeframe switch
        {
            BucketLength.Minute => length.TotalMinutes,
            BucketLength.Hour => length.TotalHours,
            _ => length.TotalDays,
        };
    }

    private static int LimitOf(Dictionary<string, StringValues> parameters, int pageSize)
    {
        if (Single(parameters, "limit") is not string text)
        {
            return pageSize;
        }

        if (!long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long limit) || limit < 1)
        {
            throw RefusedCallException.Invalid($"limit is '{text}': it must be an integer of at least 1.");
        }

        return (int)Math.Min(limit, pageSize);
    }

    private static int PageOf(string? cursor, ulong fingerprint)
    {
        if (cursor is null)
        {
            return 1;
        }

        var bytes = new byte[64];
        if (cursor.Length > bytes.Length || !Convert.TryFromBase64String(cursor, bytes, out int length)
            || Encoding.ASCII.GetString(bytes, 0, length).Split('.') is not [string number, string owner]
            || !int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out int page) || page < 1)
        {
            throw RefusedCallException.Invalid("cursor is malformed: send next_cursor of the previous page as it was.");
        }
        if (owner != fingerprint.ToString("x16", CultureInfo.InvariantCulture))
        {
            throw RefusedCallException.Invalid("cursor belongs to another query: send all other parameters unchanged with it.");
        }

        return page;
    }

    /// <summary>A number that stands for all parameters but the cursor (FNV-1a).</summary>
    private static ulong FingerprintOf(Dictionary<string, StringValues> parameters)
    {
        ulong hash = 14695981039346656037UL;
        foreach ((string name, StringValues values) in parameters.OrderBy(pair => pair.Key, StringComparer.Ordinal))
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

    private static StringValues Values(Dictionary<string, StringValues> parameters, string name) =>
        parameters.GetValueOrDefault(name, StringValues.Empty);

    private static string? Single(Dictionary<string, StringValues> parameters, string name)
    {
        StringValues values = Values(parameters, name);
        return values.Count switch
        {
            0 => null,
            1 => values[0],
            _ => throw RefusedCallException.Invalid($"{name} is given {values.Count} times: send it once."),
        };
    }
}
