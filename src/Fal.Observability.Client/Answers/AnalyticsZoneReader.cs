namespace Fal.Observability.Client;

/// <summary>Reads bucket starts without an offset in the time zone of their query.</summary>
/// <remarks>
/// <para>
/// When the clocks go back, a local time occurs twice. Three things decide which occurrence is meant: the range of the query, the instants
/// at which a bucket of its timeframe can begin, and the neighbours, because buckets ascend or descend without gaps.
/// </para>
/// <para>
/// A page may begin with the local time that ended the page before. It then either repeats that bucket or continues with the second
/// occurrence of that time. The interpretation with fewer missing buckets is used. Two cases stay ambiguous. If such a page has a single
/// bucket of an hour, and the second occurrence would be next, it is read as the second occurrence. If the first page of a descending
/// answer has no bucket outside the repeated time, it is read as ascending. With offsets, which the documentation promises, nothing is
/// ambiguous.
/// </para>
/// </remarks>
internal sealed class AnalyticsZoneReader
{
    private readonly TimeZoneInfo _zone;
    private readonly AnalyticsTimeRange _range;
    private readonly AnalyticsTimeframe? _timeframe;

    /// <param name="grid">The time of the query.</param>
    public AnalyticsZoneReader(AnalyticsTimeGrid grid)
    {
        // An unknown zone is no error here, because only the service decides whether a name is valid.
        _zone = grid.KnownZone ?? TimeZoneInfo.Utc;
        _range = grid.Range;
        _timeframe = grid.Timeframe ?? (grid.Range.IsFixed ? AnalyticsCalendar.TimeframeOf(grid) : null);
    }

    /// <summary>The starts as instants.</summary>
    /// <param name="starts">The starts of the buckets of one page.</param>
    /// <param name="preceding">The start of the last bucket of the page before, already read, if there is one.</param>
    public IReadOnlyList<BucketStart> Read(IReadOnlyList<BucketStart> starts, DateTimeOffset? preceding)
    {
        DateTimeOffset[][] possible = [.. starts.Select(StartsOf)];
        List<Reading> readings = [InOrder(possible, preceding, ascending: true), InOrder(possible, preceding, ascending: false)];
        if (preceding is not null && (possible[0].Contains(preceding.Value) || readings.TrueForAll(reading => reading.Breaks > 0)))
        {
            // The page may repeat the last bucket of the page before.
            readings.Add(InOrder(possible, preceding, ascending: true, goesOn: true));
            readings.Add(InOrder(possible, preceding, ascending: false, goesOn: true));
        }

        DateTimeOffset[] best = Best(readings);
        return [.. starts.Zip(best, (start, instant) => IsReadable(start) ? new BucketStart(instant, HasOffset: true) : start)];
    }

    /// <summary>Without an offset, and not at an end of the calendar, where an offset would overflow.</summary>
    private static bool IsReadable(BucketStart start) => !start.HasOffset && start.Instant.Year is not (1 or 9999);

    /// <summary>The possible instants of a bucket start, in ascending order: usually one, two when the clocks go back.</summary>
    private DateTimeOffset[] StartsOf(BucketStart start)
    {
        DateTime local = start.Instant.DateTime;
        if (!IsReadable(start))
        {
            return [start.Instant];
        }

        if (!_zone.IsAmbiguousTime(local))
        {
            return [new DateTimeOffset(local, _zone.GetUtcOffset(local))];
        }

        TimeSpan[] offsets = _zone.GetAmbiguousTimeOffsets(local);
        DateTimeOffset[] both = [new(local, offsets.Max()), new(local, offsets.Min())];
        if (_timeframe >= AnalyticsTimeframe.Day)
        {
            // If midnight occurs twice, the day begins at the first one.
            return [both[0]];
        }

        DateTimeOffset[] possible = [.. both.Where(instant => IsInRange(instant) && IsBoundary(instant))];
        return possible.Length > 0 ? possible : both;
    }

    private bool IsInRange(DateTimeOffset start) =>
        _timeframe is not { } timeframe || _range.Start is not { } from || _range.End is not { } to
        || (start < to && start + AnalyticsCalendar.LongestBucket(timeframe) > from);

    /// <summary>An hour begins when the clocks show a full one, or when they change.</summary>
    private bool IsBoundary(DateTimeOffset start) =>
        _timeframe != AnalyticsTimeframe.Hour
        || start.DateTime.Ticks % TimeSpan.TicksPerHour == 0
        || _zone.GetUtcOffset(start) != _zone.GetUtcOffset(start.AddTicks(-1));

    /// <summary>The starts as they are if the buckets ascend, or descend.</summary>
    private static Reading InOrder(DateTimeOffset[][] possible, DateTimeOffset? preceding, bool ascending, bool goesOn = false)
    {
        var starts = new DateTimeOffset[possible.Length];
        int breaks = 0;
        int steps = 0;
        var shortest = TimeSpan.MaxValue;
        DateTimeOffset? before = preceding;
        for (int i = 0; i < starts.Length; i++)
        {
            DateTimeOffset[] choices = possible[i];
            if (goesOn && i == 0)
            {
                starts[i] = choices.Contains(before!.Value) ? before.Value : choices[0];
            }
            else
            {
                int fits = ascending
                    ? Array.FindIndex(choices, start => before is null || start > before)
                    : Array.FindLastIndex(choices, start => before is null || start < before);
                breaks += fits < 0 ? 1 : 0;
                starts[i] = fits >= 0 ? choices[fits] : ascending ? choices[^1] : choices[0];
            }

            if (before is { } last && last != starts[i])
            {
                TimeSpan step = (starts[i] - last).Duration();
                steps++;
                shortest = step < shortest ? step : shortest;
            }

            before = starts[i];
        }

        return new Reading(starts, breaks, (starts[^1] - (preceding ?? starts[0])).Duration(), steps, shortest);
    }

    /// <summary>The interpretation with the fewest breaks, then with the fewest gaps; the first one of equals.</summary>
    private DateTimeOffset[] Best(List<Reading> readings)
    {
        TimeSpan length = _timeframe is { } timeframe ? AnalyticsCalendar.LongestBucket(timeframe) : TimeSpan.MaxValue;
        length = readings.Select(reading => reading.ShortestStep).Append(length).Min();
        return readings
            .MinBy(reading => (reading.Breaks, reading.Span.Ticks - (reading.Steps == 0 ? 0 : reading.Steps * length.Ticks)))!
            .Starts;
    }

    /// <summary>One interpretation of a page.</summary>
    /// <param name="Starts">The starts.</param>
    /// <param name="Breaks">How many of them do not fit the order.</param>
    /// <param name="Span">From the first to the last.</param>
    /// <param name="Steps">The number of steps between the starts. If the span is longer than this many buckets, the rest of it is
    /// gaps.</param>
    /// <param name="ShortestStep">The shortest step. No bucket is longer than it.</param>
    private sealed record Reading(DateTimeOffset[] Starts, int Breaks, TimeSpan Span, int Steps, TimeSpan ShortestStep);
}
