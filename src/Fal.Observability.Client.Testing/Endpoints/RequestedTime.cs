namespace Fal.Observability.Client.Testing;

/// <summary>A range of time as a call asks for it, and the buckets that it is cut into.</summary>
/// <param name="Start">The start, inclusive.</param>
/// <param name="End">The end, exclusive.</param>
/// <param name="Timeframe">The width of a bucket; null: by the length of the range.</param>
internal sealed record RequestedTime(DateTimeOffset Start, DateTimeOffset End, BucketLength? Timeframe)
{
    private const int MostBuckets = 100_000;
    private const long TicksOfEpoch = 621355968000000000;

    /// <summary>The zone whose calendar the buckets follow. UTC unless set.</summary>
    public TimeZoneInfo Zone { get; init; } = TimeZoneInfo.Utc;

    /// <summary>Start and end are moved outward to whole buckets. True unless set.</summary>
    public bool Bound { get; init; } = true;

    /// <summary>The width of a bucket.</summary>
    public BucketLength ResolvedTimeframe => Timeframe ?? (End - Start).Ticks switch
    {
        < 2 * TimeSpan.TicksPerHour => BucketLength.Minute,
        < 2 * TimeSpan.TicksPerDay => BucketLength.Hour,
        < 64 * TimeSpan.TicksPerDay => BucketLength.Day,
        < 183 * TimeSpan.TicksPerDay => BucketLength.Week,
        _ => BucketLength.Month,
    };

    /// <summary>The range, moved outward to whole buckets where that was asked for. Both ends are UTC.</summary>
    public (DateTime Start, DateTime End) Bounds
    {
        get
        {
            DateTime start = Start.UtcDateTime;
            DateTime end = End.UtcDateTime;
            if (!Bound)
            {
                return (start, end);
            }

            var calendar = new CalendarBuckets(Zone, ResolvedTimeframe);
            DateTime lastStart = calendar.StartOf(end);
            return (calendar.StartOf(start), lastStart == end ? end : calendar.After(lastStart));
        }
    }

    /// <summary>
    /// The range up to the end of the bucket after the one that holds its end: the service answers so where no end is given, and the last
    /// bucket has not begun.
    /// </summary>
    public RequestedTime IntoTheFuture()
    {
        var calendar = new CalendarBuckets(Zone, ResolvedTimeframe);
        return this with
        {
            Timeframe = ResolvedTimeframe,
            End = new DateTimeOffset(calendar.After(calendar.After(calendar.StartOf(End.UtcDateTime)))),
        };
    }

    /// <summary>The buckets, oldest first.</summary>
    public List<TimeBucket> Buckets()
    {
        (DateTime start, DateTime end) = Bounds;
        var buckets = new List<TimeBucket>();
        if (start >= end)
        {
            return buckets;
        }

        var calendar = new CalendarBuckets(Zone, ResolvedTimeframe);
        DateTime next;
        for (DateTime bucket = calendar.StartOf(start); bucket < end; bucket = next)
        {
            next = calendar.After(bucket);
            buckets.Add(new TimeBucket(
                TimeZoneInfo.ConvertTime(new DateTimeOffset(bucket), Zone),
                FirstMinuteFrom(bucket < start ? start : bucket),
                FirstMinuteFrom(next > end ? end : next)));
        }

        return buckets;
    }

    /// <summary>Refuses a range that no time series is made of.</summary>
    /// <exception cref="RefusedCallException">It has too many buckets.</exception>
    public void RefuseTooManyBuckets()
    {
        TimeSpan length = End - Start;
        double estimate = ResolvedTimeframe switch
        {
            BucketLength.Minute => length.TotalMinutes,
            BucketLength.Hour => length.TotalHours,
            _ => length.TotalDays,
        };
        if (estimate > MostBuckets)
        {
            throw RefusedCallException.Invalid(
                $"The range has more than {MostBuckets} buckets: shorten it or ask for a coarser timeframe.");
        }
    }

    /// <summary>
    /// The first minute, counted from the Unix epoch, that begins at an instant or later. What happens in a minute counts as of its
    /// start, so that neighbouring ranges share none and lose none.
    /// </summary>
    public static int FirstMinuteFrom(DateTime utc) =>
        (int)((utc.Ticks - TicksOfEpoch + TimeSpan.TicksPerMinute - 1) / TimeSpan.TicksPerMinute);
}

/// <summary>One bucket.</summary>
/// <param name="Label">The start of the calendar period, with the offset of the zone.</param>
/// <param name="First">The first minute in it, counted from the Unix epoch.</param>
/// <param name="End">The first minute after it.</param>
internal sealed record TimeBucket(DateTimeOffset Label, int First, int End);
