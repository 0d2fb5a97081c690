using System.Globalization;

namespace Fal.Observability.Client;

/// <summary>
/// The time that an analytics call covers: a length of time that ends now, the time between two instants, a range with an open end, or
/// whole calendar days. The start is inclusive and the end is exclusive.
/// </summary>
/// <remarks>
/// The default value is the last 24 hours, the same as <c>Last(TimeSpan.FromHours(24))</c>. A range that depends on the clock
/// (<see cref="Last"/>, <see cref="Since(DateTimeOffset)"/>) is fixed once by <see cref="Resolve"/> before the first page, so that it does
/// not drift from page to page. Instances are immutable and safe to share between threads.
/// </remarks>
public readonly struct AnalyticsTimeRange : IEquatable<AnalyticsTimeRange>
{
    private const string InstantFormat = "yyyy-MM-dd'T'HH:mm:ss'Z'";
    private const string InstantFormatWithFraction = "yyyy-MM-dd'T'HH:mm:ss.fffffff'Z'";
    private const string DayFormat = "yyyy-MM-dd";

    private static readonly TimeSpan Default = TimeSpan.FromHours(24);
    private static readonly TimeSpan Longest = TimeSpan.FromDays(36_500);

    // Trailing: start holds the length less 24 hours, which makes the default value of the struct the default range.
    // Instants: UTC ticks. Days: day numbers, the last one inclusive.
    private readonly Form _form;
    private readonly long _start;
    private readonly long _end;

    private AnalyticsTimeRange(Form form, long start, long end = 0)
    {
        _form = form;
        _start = start;
        _end = end;
    }

    private enum Form : byte
    {
        Trailing,
        Instants,
        Open,
        Days,
    }

    /// <summary>The length of a range made by <see cref="Last"/> (24 hours for the default value); otherwise null.</summary>
    public TimeSpan? Duration => _form == Form.Trailing ? Default + new TimeSpan(_start) : null;

    /// <summary>The first instant, in UTC, of a range between two instants or with an open end; otherwise null.</summary>
    public DateTimeOffset? Start => _form is Form.Instants or Form.Open ? new DateTimeOffset(_start, TimeSpan.Zero) : null;

    /// <summary>The exclusive end, in UTC, of a range between two instants; otherwise null.</summary>
    public DateTimeOffset? End => _form == Form.Instants ? new DateTimeOffset(_end, TimeSpan.Zero) : null;

    /// <summary>The first day of a range of whole days; otherwise null.</summary>
    public DateOnly? FirstDay => _form == Form.Days ? DateOnly.FromDayNumber((int)_start) : null;

    /// <summary>The last day (inclusive) of a range of whole days; otherwise null.</summary>
    public DateOnly? LastDay => _form == Form.Days ? DateOnly.FromDayNumber((int)_end) : null;

    /// <summary>Whether both ends are known without a clock: true between two instants and for whole days.</summary>
    public bool IsFixed => _form is Form.Instants or Form.Days;

    /// <summary>Whether two ranges are the same.</summary>
    /// <param name="left">One range.</param>
    /// <param name="right">The other range.</param>
    public static bool operator ==(AnalyticsTimeRange left, AnalyticsTimeRange right) => left.Equals(right);

    /// <summary>Whether two ranges differ.</summary>
    /// <param name="left">One range.</param>
    /// <param name="right">The other range.</param>
    public static bool operator !=(AnalyticsTimeRange left, AnalyticsTimeRange right) => !left.Equals(right);

    /// <summary>A range of the given length that ends now.</summary>
    /// <remarks>
    /// The service extends the range to whole buckets. By day, 7 days that are requested at noon come back as eight buckets: the first one
    /// is a whole day, and the last one is still open. <see cref="Days"/> covers exactly the days that it names. If
    /// <see cref="FalPagedQuery.BoundToTimeframe"/> of the query is false, the range is not extended.
    /// </remarks>
    /// <param name="duration">Its length: more than zero, at most 36,500 days.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="duration"/> is outside that range.</exception>
    /// <example>
    /// <code>
    /// AnalyticsTimeRange week = AnalyticsTimeRange.Last(TimeSpan.FromDays(7));
    /// </code>
    /// </example>
    public static AnalyticsTimeRange Last(TimeSpan duration)
    {
        if (duration <= TimeSpan.Zero || duration > Longest)
        {
            throw new ArgumentOutOfRangeException(
                nameof(duration),
                duration,
                "The time span must be longer than zero and at most 36,500 days. For example, write " +
                "AnalyticsTimeRange.Last(TimeSpan.FromDays(7)).");
        }

        return new AnalyticsTimeRange(Form.Trailing, (duration - Default).Ticks);
    }

    /// <summary>The time between two instants. Offsets do not matter here: the query's time zone determines the buckets.</summary>
    /// <param name="start">The first instant.</param>
    /// <param name="end">The exclusive end of the range; later than <paramref name="start"/>.</param>
    /// <exception cref="ArgumentException"><paramref name="end"/> is not later than <paramref name="start"/>.</exception>
    public static AnalyticsTimeRange Between(DateTimeOffset start, DateTimeOffset end)
    {
        if (end <= start)
        {
            throw new ArgumentException(
                $"The end {FormatInstant(end)} is not later than the start {FormatInstant(start)}. The end is exclusive. Pass an end " +
                "after the start, or use AnalyticsTimeRange.Days for whole days.",
                nameof(end));
        }

        return new AnalyticsTimeRange(Form.Instants, start.UtcTicks, end.UtcTicks);
    }

    /// <summary>The time between two instants whose <see cref="DateTime.Kind"/> says which instants they are.</summary>
    /// <param name="start">
    /// The first instant: <see cref="DateTimeKind.Utc"/>, or <see cref="DateTimeKind.Local"/> for the machine's zone.
    /// </param>
    /// <param name="end">
    /// The exclusive end of the range; of the same kinds, later than <paramref name="start"/>.
    /// </param>
    /// <exception cref="ArgumentException">
    /// A kind is <see cref="DateTimeKind.Unspecified"/>, which could mean any zone; or <paramref name="end"/> is not later than
    /// <paramref name="start"/>.
    /// </exception>
    public static AnalyticsTimeRange Between(DateTime start, DateTime end) =>
        Between(ToInstant(start, nameof(start)), ToInstant(end, nameof(end)));

    /// <summary>The time from an instant until now.</summary>
    /// <param name="start">The first instant. It must lie in the past when the range is resolved.</param>
    public static AnalyticsTimeRange Since(DateTimeOffset start) => new(Form.Open, start.UtcTicks);

    /// <summary>The time from an instant, whose <see cref="DateTime.Kind"/> says which instant it is, until now.</summary>
    /// <param name="start">
    /// The first instant: <see cref="DateTimeKind.Utc"/>, or <see cref="DateTimeKind.Local"/> for the machine's zone. It must lie in
    /// the past when the range is resolved.
    /// </param>
    /// <exception cref="ArgumentException">The kind is <see cref="DateTimeKind.Unspecified"/>, which could mean any zone.</exception>
    public static AnalyticsTimeRange Since(DateTime start) => Since(ToInstant(start, nameof(start)));

    /// <summary>
    /// Whole calendar days of the query's zone, both ends included: <c>Days(monday, sunday)</c> is a week, and
    /// <c>Days(day, day)</c> is one day.
    /// </summary>
    /// <remarks>
    /// The days are sent as dates, and the service reads them in <see cref="FalPagedQuery.TimeZone"/> (UTC if that is not set).
    /// </remarks>
    /// <param name="first">The first day.</param>
    /// <param name="last">The last day (inclusive); not before <paramref name="first"/>.</param>
    /// <exception cref="ArgumentException">
    /// <paramref name="last"/> is before <paramref name="first"/>, or is 9999-12-31, which has no following day for the exclusive end.
    /// </exception>
    /// <example>
    /// <code>
    /// AnalyticsTimeRange july = AnalyticsTimeRange.Days(new DateOnly(2026, 7, 1), new DateOnly(2026, 7, 31));
    /// </code>
    /// </example>
    public static AnalyticsTimeRange Days(DateOnly first, DateOnly last)
    {
        if (last < first)
        {
            throw new ArgumentException(
                $"The last day {FormatDay(last)} is before the first day {FormatDay(first)}. Swap them. Both days are included.",
                nameof(last));
        }

        if (last == DateOnly.MaxValue)
        {
            throw new ArgumentException(
                "The last day must be before 9999-12-31, because the client sends the day after it to the service.", nameof(last));
        }

        return new AnalyticsTimeRange(Form.Days, first.DayNumber, last.DayNumber);
    }

    /// <summary>The same range with both ends fixed.</summary>
    /// <param name="now">The current instant, usually <c>timeProvider.GetUtcNow()</c>.</param>
    /// <returns>
    /// The range itself if <see cref="IsFixed"/> is true, otherwise the range between its start and <paramref name="now"/>.
    /// </returns>
    /// <exception cref="ArgumentException">
    /// The range has an open end and starts at <paramref name="now"/> or later, or it would start before the year 1.
    /// </exception>
    public AnalyticsTimeRange Resolve(DateTimeOffset now) => _form switch
    {
        Form.Trailing when now - DateTimeOffset.MinValue < Duration!.Value => throw new ArgumentException(
            $"The range '{this}' would start before the year 1 if it ended at {FormatInstant(now)}. Pass a later instant or a shorter " +
            "range.",
            nameof(now)),
        Form.Trailing => Between(now - Duration!.Value, now),
        Form.Open when _start >= now.UtcTicks => throw new ArgumentException(
            $"The range starts at {FormatInstant(Start!.Value)}, which is not before the current instant {FormatInstant(now)}. " +
            "Pass a start in the past to AnalyticsTimeRange.Since.",
            nameof(now)),
        Form.Open => Between(Start!.Value, now),
        _ => this,
    };

    /// <summary>Whether another range is the same: made the same way, from the same length, instants or days.</summary>
    /// <param name="other">The other range.</param>
    public bool Equals(AnalyticsTimeRange other) => _form == other._form && _start == other._start && _end == other._end;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is AnalyticsTimeRange other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(_form, _start, _end);

    /// <summary>
    /// The range for a log line: <c>last 7.00:00:00</c>, <c>2026-01-01T00:00:00Z/2026-01-08T00:00:00Z</c> (end exclusive),
    /// <c>2026-01-01T00:00:00Z/now</c>, or <c>2026-01-01..2026-01-07</c> for whole days (last day included).
    /// </summary>
    public override string ToString() => _form switch
    {
        Form.Trailing => $"last {Duration!.Value.ToString("c", CultureInfo.InvariantCulture)}",
        Form.Instants => $"{FormatInstant(Start!.Value)}/{FormatInstant(End!.Value)}",
        Form.Open => $"{FormatInstant(Start!.Value)}/now",
        _ => $"{FormatDay(FirstDay!.Value)}..{FormatDay(LastDay!.Value)}",
    };

    /// <summary>The values of the parameters <c>start</c> and <c>end</c>; null for one that the service fills in by itself.</summary>
    /// <exception cref="ArgumentException">The range depends on the clock, so it cannot be sent.</exception>
    internal (string? Start, string? End) ToWire() => _form switch
    {
        // Left out, the service's own defaults mean the same: 24 hours ago, and now.
        Form.Trailing when _start == 0 => (null, null),
        Form.Trailing => throw new ArgumentException(
            $"The range '{this}' depends on the clock. Resolve it once before the first page, with " +
            "query.Resolve(timeProvider.GetUtcNow()), and send the resolved query for every page."),
        Form.Instants => (FormatInstant(Start!.Value), FormatInstant(End!.Value)),
        Form.Open => (FormatInstant(Start!.Value), null),
        _ => (FormatDay(FirstDay!.Value), FormatDay(LastDay!.Value.AddDays(1))),
    };

    private static DateTimeOffset ToInstant(DateTime value, string parameterName) => value.Kind != DateTimeKind.Unspecified
        ? value.ToUniversalTime()
        : throw new ArgumentException(
            "DateTimeKind.Unspecified does not say which instant is meant. Pass a DateTimeOffset, a DateTime of kind Utc, or whole days " +
            "with AnalyticsTimeRange.Days.",
            parameterName);

    // UTC and 'Z' only: no other form of an instant is documented, and a careless parser reads the '+' of an offset as a space.
    private static string FormatInstant(DateTimeOffset instant) => instant.UtcDateTime.ToString(
        instant.UtcTicks % TimeSpan.TicksPerSecond == 0 ? InstantFormat : InstantFormatWithFraction,
        CultureInfo.InvariantCulture);

    private static string FormatDay(DateOnly day) => day.ToString(DayFormat, CultureInfo.InvariantCulture);
}
