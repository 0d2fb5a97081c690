using System.Globalization;

namespace Fal.Observability.Client;

/// <summary>
/// The buckets of a timeframe in a time zone: where a range can be split without splitting a bucket, and when a bucket ends.
/// </summary>
internal sealed class AnalyticsCalendar
{
    // Within these limits, arithmetic with zones and periods cannot overflow a date.
    private static readonly DateTime FirstDate = DateTime.MinValue.AddDays(40);
    private static readonly DateTime LastDate = DateTime.MaxValue.AddDays(-40);

    // No zone is further from UTC.
    private static readonly TimeSpan FarthestZone = TimeSpan.FromHours(14);

    // Even a hundred years of minute buckets need fewer.
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
    /// A cut is at an instant that is a boundary in every interpretation of the calendar: a full minute or hour, or a midnight, that the
    /// clocks show exactly once. When the clocks change, the next such instant is used, so that a cut never falls into a repeated hour. A
    /// bucket there without an offset would be ambiguous.
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

        // If the range is not split, it is sent as it was given: days stay days.
        return windows.Count == 0 ? [range] : [.. windows, Between(start, bounds.End)];
    }

    /// <summary>The exclusive end of the range of a query; null for whole days in an unknown zone.</summary>
    public static DateTimeOffset? EndOf(AnalyticsTimeGrid grid) =>
        grid.Range.End ?? (OfChoice(grid)?.Bounds(grid.Range) is { } bounds ? new DateTimeOffset(bounds.End, TimeSpan.Zero) : null);

    /// <summary>
    /// The end of a bucket. If the zone is not known, the offset of the bucket is used. If there is no timeframe, the one that the service
    /// documents for the length of the range is used.
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

    /// <summary>The time that a series of buckets covers; null if the length of the last one is not known.</summary>
    /// <param name="grid">The time of the query.</param>
    /// <param name="first">The start of the first bucket.</param>
    /// <param name="last">The start of the last.</param>
    public static AnalyticsTimeRange? Covered(AnalyticsTimeGrid grid, DateTimeOffset first, DateTimeOffset last)
    {
        if (grid.Timeframe is null && !grid.Range.IsFixed)
        {
            return null;
        }

        DateTimeOffset end = EndOf(last, TryCreate(grid), TimeframeOf(grid));
        if (grid.BoundToTimeframe == false)
        {
            // The service cuts the first and the last bucket.
            first = grid.Range.Start > first ? grid.Range.Start.Value : first;
            end = EndOf(grid) < end ? EndOf(grid)!.Value : end;
        }

        return first < end ? AnalyticsTimeRange.Between(first, end) : null;
    }

    /// <summary>
    /// Where the buckets of an answer may start: after the first instant, and up to the second. The service extends a range to whole
    /// buckets, and adds one that starts in the future.
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
    /// The earliest start of a bucket that contains the start of a range; null for an unknown zone, and for weeks, because the service does
    /// not document on which day they begin.
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

        // Hours begin with the hours of UTC or of the zone, which differ in zones such as Asia/Kolkata.
        return timeframe <= AnalyticsTimeframe.Hour
            ? new DateTimeOffset(bounds.Start, TimeSpan.Zero) - timeframe.GetLengthInUtc() + TimeSpan.FromTicks(1)
            : new DateTimeOffset(calendar.InstantOf(calendar.PeriodOf(calendar.Local(bounds.Start))), TimeSpan.Zero);
    }

    /// <summary>An instant plus a time span, limited to the latest possible date.</summary>
    public static DateTimeOffset Add(DateTimeOffset instant, TimeSpan length) =>
        length > DateTimeOffset.MaxValue - instant ? DateTimeOffset.MaxValue
        : length < DateTimeOffset.MinValue - instant ? DateTimeOffset.MinValue
        : instant.ToUniversalTime() + length;

    /// <summary>
    /// The timeframe of the answer: that of the query, else the documented choice of the service by the length of the range.
    /// </summary>
    public static AnalyticsTimeframe TimeframeOf(AnalyticsTimeGrid grid) => grid.Timeframe ?? ChoiceFor(LengthOf(grid.Range));

    /// <summary>
    /// The longest timeframe that the answer may have: the service may extend the range to whole buckets, even those of the next longer
    /// timeframe, before it chooses by the length.
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

    /// <summary>The longest possible bucket of a timeframe, including days of 25 hours.</summary>
    public static TimeSpan LongestBucket(AnalyticsTimeframe timeframe) => timeframe switch
    {
        AnalyticsTimeframe.Day => TimeSpan.FromDays(2),
        AnalyticsTimeframe.Week => TimeSpan.FromDays(8),
        AnalyticsTimeframe.Month => TimeSpan.FromDays(32),
        _ => timeframe.GetLengthInUtc(),
    };

    private static AnalyticsTimeRange Between(DateTime start, DateTime end) =>
        AnalyticsTimeRange.Between(new DateTimeOffset(start, TimeSpan.Zero), new DateTimeOffset(end, TimeSpan.Zero));

    /// <summary>Both ends of a fixed range as UTC; null for days so late that no zone arithmetic reaches them.</summary>
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
    /// The latest start of a bucket that ends by an instant. It allows for a service whose days, weeks or months begin elsewhere.
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

    /// <summary>The first safe cut at least the given number of buckets after a start; null if the latest date comes first.</summary>
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

    /// <summary>The first instant at which the clocks show a local time, or have passed it if they skip it.</summary>
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
