using System.Globalization;

namespace Fal.Observability.Client;

/// <summary>
/// The buckets of a query in its time zone: where a range can be split without splitting a bucket, and when a bucket ends. A timeframe is
/// the length of a bucket, from a minute to a month.
/// </summary>
internal sealed class AnalyticsCalendar
{
    // The limits of the calendar. Between them, arithmetic with zones and periods cannot overflow a date.
    private static readonly DateTime FirstDate = DateTime.MinValue.AddDays(40);
    private static readonly DateTime LastDate = DateTime.MaxValue.AddDays(-40);

    // The largest offset of a zone from UTC.
    private static readonly TimeSpan FarthestZone = TimeSpan.FromHours(14);

    // A window is the part of a range that one call covers. With the default of 720 buckets per window, a hundred years of minute buckets
    // need about 73,000 windows.
    private const int MaxWindows = 100_000;

    private readonly TimeZoneInfo _zone;
    private readonly AnalyticsTimeframe _timeframe;

    private AnalyticsCalendar(TimeZoneInfo zone, AnalyticsTimeframe timeframe)
    {
        _zone = zone;
        _timeframe = timeframe;
    }

    /// <summary>The calendar of a query; null if this machine does not know the zone, or the service chooses the timeframe.</summary>
    public static AnalyticsCalendar? TryCreate(AnalyticsTimeGrid grid) =>
        grid is { Timeframe: { } timeframe, KnownZone: { } zone } ? new AnalyticsCalendar(zone, timeframe) : null;

    /// <summary>Splits a fixed range into consecutive ranges of about the given number of buckets, at bucket boundaries.</summary>
    /// <remarks>
    /// A cut is at a full minute or hour, or at a midnight, that the clocks show exactly once. Such an instant is a boundary in every
    /// interpretation of the calendar. When the clocks change, the next such instant is used. A cut never falls into an hour that the
    /// clocks repeat, because a bucket there would be ambiguous if the service sent it without an offset.
    /// </remarks>
    public static IReadOnlyList<AnalyticsTimeRange> Windows(AnalyticsTimeGrid grid, int buckets)
    {
        AnalyticsTimeRange range = grid.Range;
        if (TryCreate(grid) is not { } calendar || calendar.Bounds(range) is not { } bounds)
        {
            return [range];
        }

        var windows = new List<AnalyticsTimeRange>();
        DateTime start = bounds.Start;
        while (calendar.CutAfter(start, buckets) is { } cut && cut < bounds.End)
        {
            if (windows.Count == MaxWindows)
            {
                throw new ArgumentException(string.Create(CultureInfo.InvariantCulture,
                    $"The range {range} by {grid.Timeframe!.Value.GetWireName()} needs more than {MaxWindows} windows of {buckets} " +
                        $"buckets. Use a shorter range or a coarser timeframe, or " +
                        $"raise {nameof(FalObservabilityOptions.BucketsPerWindow)}."));
            }

            windows.Add(Between(start, cut));
            start = cut;
        }

        // A range that is not split is sent as it was given: days stay days.
        return windows.Count == 0 ? [range] : [.. windows, Between(start, bounds.End)];
    }

    /// <summary>
    /// The exclusive end of the range of a query; null for whole days in an unknown zone, or outside the limits of the calendar.
    /// </summary>
    public static DateTimeOffset? EndOf(AnalyticsTimeGrid grid) =>
        grid.Range.End ?? (OfChoice(grid)?.Bounds(grid.Range) is { } bounds ? new DateTimeOffset(bounds.End, TimeSpan.Zero) : null);

    /// <summary>
    /// The end of a bucket. If there is no calendar, because the zone is not known, the end has the same offset from UTC as the start.
    /// </summary>
    public static DateTimeOffset EndOf(DateTimeOffset start, AnalyticsCalendar? calendar, AnalyticsTimeframe timeframe)
    {
        if (timeframe <= AnalyticsTimeframe.Hour || start.UtcDateTime < FirstDate || start.UtcDateTime > LastDate)
        {
            return Add(start, LongestBucket(timeframe));
        }

        return (timeframe, calendar) switch
        {
            (_, { } known) => new DateTimeOffset(
                known.InstantOf(known.Next(known.PeriodOf(known.Local(start.UtcDateTime)), 1)),
                TimeSpan.Zero
            ),
            (AnalyticsTimeframe.Day, _) => start.AddDays(1),
            (AnalyticsTimeframe.Week, _) => start.AddDays(7),
            _ => start.AddMonths(1),
        };
    }

    /// <summary>The time that consecutive buckets cover; null if the length of a bucket is not known, or if no time remains.</summary>
    /// <param name="grid">The range, timeframe and zone of the query.</param>
    /// <param name="first">The start of the first bucket.</param>
    /// <param name="last">The start of the last bucket.</param>
    public static AnalyticsTimeRange? Covered(AnalyticsTimeGrid grid, DateTimeOffset first, DateTimeOffset last)
    {
        if (grid.Timeframe is null && !grid.Range.IsFixed)
        {
            return null;
        }

        DateTimeOffset end = EndOf(last, TryCreate(grid), TimeframeOf(grid));
        if (grid.BoundToTimeframe == false)
        {
            // The service cuts the first and the last bucket at the ends of the range.
            first = grid.Range.Start > first ? grid.Range.Start.Value : first;
            end = EndOf(grid) < end ? EndOf(grid)!.Value : end;
        }

        return first < end ? AnalyticsTimeRange.Between(first, end) : null;
    }

    /// <summary>
    /// The limits between which the buckets of an answer may start. <c>After</c> is exclusive, and <c>Until</c> is inclusive. The limits
    /// lie outside the range, because the service extends it to whole buckets and adds a bucket that starts in the future.
    /// </summary>
    public static (DateTimeOffset After, DateTimeOffset Until) StartsOf(AnalyticsTimeGrid grid)
    {
        AnalyticsTimeframe timeframe = LongestChoice(grid);
        TimeSpan length = LongestBucket(timeframe);
        AnalyticsTimeRange range = grid.Range;
        AnalyticsCalendar? calendar = grid.KnownZone is { } zone ? new AnalyticsCalendar(zone, timeframe) : null;
        if (range.FirstDay is { } first && range.LastDay is { } last && calendar?.Bounds(range) is null)
        {
            length += FarthestZone;
            return (
                Add(new DateTimeOffset(first.ToDateTime(TimeOnly.MinValue), TimeSpan.Zero), -length),
                Add(new DateTimeOffset(last.AddDays(1).ToDateTime(TimeOnly.MinValue), TimeSpan.Zero), length));
        }

        DateTimeOffset start = range.Start ?? new DateTimeOffset(calendar!.Bounds(range)!.Value.Start, TimeSpan.Zero);
        DateTimeOffset end = range.End ?? new DateTimeOffset(calendar!.Bounds(range)!.Value.End, TimeSpan.Zero);
        return (calendar?.LastStartBefore(start) ?? Add(start, -length), Add(end, length));
    }

    /// <summary>
    /// The earliest possible start of the bucket that contains the start of a range. Null for an unknown zone, and outside the limits of
    /// the calendar. Also null for weeks, because the service does not document on which day they begin.
    /// </summary>
    public static DateTimeOffset? FirstStart(AnalyticsTimeGrid grid)
    {
        AnalyticsTimeframe timeframe = LongestChoice(grid);
        if (timeframe == AnalyticsTimeframe.Week || grid.KnownZone is not { } zone)
        {
            return null;
        }

        var calendar = new AnalyticsCalendar(zone, timeframe);
        if (calendar.Bounds(grid.Range) is not { } bounds || bounds.Start < FirstDate || bounds.Start > LastDate)
        {
            return null;
        }

        // The hours of UTC and of the zone may begin at different times, as in Asia/Kolkata. The bucket may therefore begin at any time
        // less than one bucket before.
        return timeframe <= AnalyticsTimeframe.Hour
            ? new DateTimeOffset(bounds.Start, TimeSpan.Zero) - timeframe.GetLengthInUtc() + TimeSpan.FromTicks(1)
            : new DateTimeOffset(calendar.InstantOf(calendar.PeriodOf(calendar.Local(bounds.Start))), TimeSpan.Zero);
    }

    /// <summary>An instant plus a time span, limited to the possible dates.</summary>
    public static DateTimeOffset Add(DateTimeOffset instant, TimeSpan length) =>
        length > DateTimeOffset.MaxValue - instant ? DateTimeOffset.MaxValue
        : length < DateTimeOffset.MinValue - instant ? DateTimeOffset.MinValue
        : instant.ToUniversalTime() + length;

    /// <summary>
    /// The timeframe of the query. If it has none, the timeframe that the service documents for the length of the range.
    /// </summary>
    public static AnalyticsTimeframe TimeframeOf(AnalyticsTimeGrid grid) => grid.Timeframe ?? ChoiceFor(LengthOf(grid.Range));

    /// <summary>
    /// The longest timeframe that the answer may have. If the query has no timeframe, the service chooses one by the length of the range.
    /// It may first extend the range to whole buckets, even to those of the next longer timeframe.
    /// </summary>
    private static AnalyticsTimeframe LongestChoice(AnalyticsTimeGrid grid)
    {
        var longer = (AnalyticsTimeframe)Math.Min((int)TimeframeOf(grid) + 1, (int)AnalyticsTimeframe.Month);
        return grid.Timeframe ?? ChoiceFor(LengthOf(grid.Range) + (2 * LongestBucket(longer)));
    }

    /// <summary>The calendar of a query with the timeframe of its answer; null if this machine does not know the zone.</summary>
    private static AnalyticsCalendar? OfChoice(AnalyticsTimeGrid grid) => TryCreate(grid with { Timeframe = TimeframeOf(grid) });

    private static TimeSpan LengthOf(AnalyticsTimeRange range) => range.FirstDay is { } first
        ? TimeSpan.FromDays(range.LastDay!.Value.DayNumber - first.DayNumber + 1)
        : range.End!.Value - range.Start!.Value;

    private static AnalyticsTimeframe ChoiceFor(TimeSpan length) => length.TotalDays switch
    {
        < 2.0 / 24 => AnalyticsTimeframe.Minute,
        < 2 => AnalyticsTimeframe.Hour,
        < 64 => AnalyticsTimeframe.Day,
        < 183 => AnalyticsTimeframe.Week,
        _ => AnalyticsTimeframe.Month,
    };

    /// <summary>
    /// An upper limit for the length of a bucket. It has one extra day for days, weeks and months, because clock changes can lengthen them.
    /// </summary>
    public static TimeSpan LongestBucket(AnalyticsTimeframe timeframe) => timeframe switch
    {
        AnalyticsTimeframe.Day => TimeSpan.FromDays(2),
        AnalyticsTimeframe.Week => TimeSpan.FromDays(8),
        AnalyticsTimeframe.Month => TimeSpan.FromDays(32),
        _ => timeframe.GetLengthInUtc(),
    };

    private static AnalyticsTimeRange Between(DateTime start, DateTime end) =>
        AnalyticsTimeRange.Between(new DateTimeOffset(start, TimeSpan.Zero), new DateTimeOffset(end, TimeSpan.Zero));

    /// <summary>Both ends of a fixed range as UTC; null for days outside the limits of the calendar.</summary>
    private (DateTime Start, DateTime End)? Bounds(AnalyticsTimeRange range)
    {
        if (range.FirstDay is not { } first || range.LastDay is not { } last)
        {
            return (range.Start!.Value.UtcDateTime, range.End!.Value.UtcDateTime);
        }

        DateTime end = last.ToDateTime(TimeOnly.MinValue).AddDays(1);
        return end > LastDate || first.ToDateTime(TimeOnly.MinValue) < FirstDate
            ? null
            : (InstantOf(first.ToDateTime(TimeOnly.MinValue)), InstantOf(end));
    }

    /// <summary>
    /// The latest start of a bucket that ends at an instant or earlier. The days, weeks and months of the service may begin at any time.
    /// </summary>
    private DateTimeOffset LastStartBefore(DateTimeOffset instant)
    {
        DateTime utc = instant.UtcDateTime;
        if (_timeframe > AnalyticsTimeframe.Hour && utc >= FirstDate && utc <= LastDate)
        {
            return new DateTimeOffset(InstantOf(Next(Local(utc), -1)), TimeSpan.Zero);
        }

        TimeSpan length = LongestBucket(_timeframe);
        // A bucket in which the clocks go back is longer.
        TimeSpan longer = _zone.GetUtcOffset(Add(instant, -length)) - _zone.GetUtcOffset(instant);
        return Add(instant, -(longer > TimeSpan.Zero ? length + longer : length));
    }

    /// <summary>
    /// The first possible cut after at least the given number of buckets. A partial first bucket counts as one. Null if the latest date
    /// comes first.
    /// </summary>
    private DateTime? CutAfter(DateTime start, int buckets)
    {
        if (start < FirstDate || start > LastDate)
        {
            return null;
        }

        if (_timeframe is AnalyticsTimeframe.Minute or AnalyticsTimeframe.Hour)
        {
            long length = _timeframe.GetLengthInUtc().Ticks;
            if ((LastDate - start).Ticks / length <= buckets)
            {
                return null;
            }

            DateTime cut = start.AddTicks(length * buckets);
            while (true)
            {
                cut = cut.AddTicks(-(Local(cut).Ticks % length));
                DateTime local = Local(cut);
                if (local.Ticks % length == 0 && !_zone.IsAmbiguousTime(local))
                {
                    return cut;
                }

                cut = cut.AddTicks(length);
            }
        }

        DateTime period = PeriodOf(Local(start));
        for (int after = buckets; ; after++)
        {
            if ((LastDate - period).TotalDays / 31 <= after)
            {
                return null;
            }

            DateTime local = Next(period, after);
            if (!_zone.IsInvalidTime(local) && !_zone.IsAmbiguousTime(local))
            {
                return InstantOf(local);
            }
        }
    }

    private DateTime PeriodOf(DateTime local) => _timeframe switch
    {
        AnalyticsTimeframe.Week => local.Date.AddDays(-(((int)local.DayOfWeek + 6) % 7)),
        AnalyticsTimeframe.Month => local.Date.AddDays(1 - local.Day),
        _ => local.Date,
    };

    private DateTime Next(DateTime period, int count) => _timeframe switch
    {
        AnalyticsTimeframe.Week => period.AddDays(7.0 * count),
        AnalyticsTimeframe.Month => period.AddMonths(count),
        _ => period.AddDays(count),
    };

    /// <summary>The first instant at which the clocks show a local time. If they skip that time, the end of the gap.</summary>
    private DateTime InstantOf(DateTime local)
    {
        while (_zone.IsInvalidTime(local))
        {
            local = local.AddMinutes(1);
        }

        TimeSpan offset = _zone.IsAmbiguousTime(local) ? _zone.GetAmbiguousTimeOffsets(local).Max() : _zone.GetUtcOffset(local);
        return DateTime.SpecifyKind(local - offset, DateTimeKind.Utc);
    }

    private DateTime Local(DateTime utc) => DateTime.SpecifyKind(utc + _zone.GetUtcOffset(utc), DateTimeKind.Unspecified);
}
