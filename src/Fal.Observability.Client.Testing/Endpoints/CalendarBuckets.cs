namespace Fal.Observability.Client.Testing;

/// <summary>
/// Cuts time into the periods of a calendar as a time zone's clocks show them. The periods have no gap and no overlap,
/// whatever the clocks do: a day has 23 or 25 hour buckets when they change, and an hour in which they change is cut
/// at the change, because both its parts carry offsets of their own.
/// </summary>
internal sealed class CalendarBuckets(TimeZoneInfo zone, BucketLength timeframe)
{
    /// <summary>The start of the bucket that holds an instant. All instants here are UTC.</summary>
    public DateTime StartOf(DateTime utc)
    {
        DateTime local = Local(utc);
        switch (timeframe)
        {
            case BucketLength.Minute:
                return utc.AddTicks(-(local.Ticks % TimeSpan.TicksPerMinute));
            case BucketLength.Hour:
                DateTime hour = utc.AddTicks(-(local.Ticks % TimeSpan.TicksPerHour));
                return Offset(hour) == Offset(utc) ? hour : ChangeBetween(hour, utc);
            default:
                // Clocks that are set back over midnight show two days in turn, so the local date alone does not tell
                // which one has begun: walk from the day before.
                DateTime start = FirstInstantOf(PeriodOf(local.AddDays(-1)));
                for (DateTime next = After(start); next <= utc; next = After(start))
                {
                    start = next;
                }

                return start;
        }
    }

    /// <summary>The start of the bucket after the one that starts at <paramref name="start"/>.</summary>
    public DateTime After(DateTime start)
    {
        switch (timeframe)
        {
            case BucketLength.Minute:
                return start.AddMinutes(1);
            case BucketLength.Hour:
                DateTime next = start.AddTicks(TimeSpan.TicksPerHour - (Local(start).Ticks % TimeSpan.TicksPerHour));
                return Offset(next.AddTicks(-1)) == Offset(start) ? next : ChangeBetween(start, next);
            default:
                DateTime period = PeriodOf(Local(start));
                DateTime after;
                do
                {
                    period = NextPeriod(period);
                    after = FirstInstantOf(period);
                }
                while (after <= start); // A day that the zone skipped altogether (Samoa, 2011-12-30) is no bucket.
                return after;
        }
    }

    private DateTime PeriodOf(DateTime local) => timeframe switch
    {
        BucketLength.Day => local.Date,
        BucketLength.Week => local.Date.AddDays(-(((int)local.DayOfWeek + 6) % 7)),
        _ => new DateTime(local.Year, local.Month, 1, 0, 0, 0, DateTimeKind.Unspecified),
    };

    private DateTime NextPeriod(DateTime period) => timeframe switch
    {
        BucketLength.Day => period.AddDays(1),
        BucketLength.Week => period.AddDays(7),
        _ => period.AddMonths(1),
    };

    /// <summary>
    /// The instant at which the clocks first show a local time, or pass it where they are set forward over it.
    /// </summary>
    public DateTime FirstInstantOf(DateTime local)
    {
        // Only the way from UTC to local time is never ambiguous, so the way back is a search along it.
        DateTime before = DateTime.SpecifyKind(local, DateTimeKind.Utc).AddDays(-1);
        DateTime reached = before.AddDays(2);
        return Boundary(before, reached, instant => Local(instant) >= local);
    }

    private DateTime ChangeBetween(DateTime before, DateTime after)
    {
        TimeSpan old = Offset(before);
        return Boundary(before, after, instant => Offset(instant) != old);
    }

    /// <summary>The first whole minute for which a condition holds: not at <paramref name="no"/>, but at <paramref name="yes"/>.</summary>
    private static DateTime Boundary(DateTime no, DateTime yes, Func<DateTime, bool> holds)
    {
        long low = no.Ticks / TimeSpan.TicksPerMinute;
        long high = (yes.Ticks + TimeSpan.TicksPerMinute - 1) / TimeSpan.TicksPerMinute;
        while (high - low > 1)
        {
            long middle = low + ((high - low) / 2);
            if (holds(new DateTime(middle * TimeSpan.TicksPerMinute, DateTimeKind.Utc)))
            {
                high = middle;
            }
            else
            {
                low = middle;
            }
        }
        return new DateTime(high * TimeSpan.TicksPerMinute, DateTimeKind.Utc);
    }

    private TimeSpan Offset(DateTime utc) => zone.GetUtcOffset(utc);

    private DateTime Local(DateTime utc) => DateTime.SpecifyKind(utc + Offset(utc), DateTimeKind.Unspecified);
}
