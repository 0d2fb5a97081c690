using System.Globalization;

namespace Fal.Observability.Client;

/// <summary>
/// A service level objective for availability: the share of requests that must end without a server error, over a period of time.
/// </summary>
/// <remarks>
/// The terms are those of the SRE workbook of Google, chapter "Alerting on SLOs". A request is bad if it ended in a server error (5xx);
/// errors of the caller (4xx) count as good. Immutable.
/// </remarks>
public sealed class AvailabilityObjective
{
    private readonly decimal _allowed;

    /// <summary>Creates an objective.</summary>
    /// <param name="target">The share of good requests, more than 0 and less than 1, such as 0.999.</param>
    /// <param name="window">The period of the objective, at least <see cref="LongBurnWindow"/>; usually 28 or 30 days.</param>
    /// <exception cref="ArgumentOutOfRangeException">A value is outside its range.</exception>
    public AvailabilityObjective(double target, TimeSpan window)
    {
        if (!(target > 0 && target < 1))
        {
            throw new ArgumentOutOfRangeException(
                nameof(target),
                target,
                "The target must be a share greater than 0 and less than 1, such as 0.999 for 99.9 %. A target of 1 leaves no error budget."
            );
        }

        if (window < LongBurnWindow)
        {
            throw new ArgumentOutOfRangeException(nameof(window), window, "The window must be at least the 6 hours of the long burn rate.");
        }

        Target = target;
        // The share as a decimal, because the double nearest to 0.9 is larger than 0.9.
        _allowed = 1 - decimal.Parse(target.ToString(CultureInfo.InvariantCulture), NumberStyles.Float, CultureInfo.InvariantCulture);
        Window = window;
    }

    /// <summary>The short window of a burn rate: 1 hour.</summary>
    public static TimeSpan ShortBurnWindow { get; } = TimeSpan.FromHours(1);

    /// <summary>The long window of a burn rate: 6 hours.</summary>
    public static TimeSpan LongBurnWindow { get; } = TimeSpan.FromHours(6);

    /// <summary>The share of good requests, between 0 and 1.</summary>
    public double Target { get; }

    /// <summary>The period of the objective.</summary>
    public TimeSpan Window { get; }

    /// <summary>Evaluates the objective over all endpoints of a report. The windows end at the end of its last closed bucket.</summary>
    /// <remarks>
    /// Open buckets do not count. Provisional buckets count as they are; <see cref="AnalyticsQuery.ClosedOnly"/> excludes them. Buckets of
    /// a day or more give the error budget but no burn rates, which need <see cref="AnalyticsTimeframe.Hour"/> or
    /// <see cref="AnalyticsTimeframe.Minute"/>.
    /// </remarks>
    /// <param name="report">
    /// A report with a time series, <see cref="AnalyticsExpand.RequestCount"/> and <see cref="AnalyticsExpand.ErrorCount"/>, over the
    /// <see cref="Window"/> or longer: <see cref="AvailabilityStatus.Coverage"/> says how much of it the report covers.
    /// </param>
    /// <exception cref="ArgumentException">The report has no closed bucket.</exception>
    /// <example>
    /// <code>
    /// AvailabilityStatus status = new AvailabilityObjective(0.999, TimeSpan.FromDays(30)).Evaluate(report);
    /// Console.WriteLine($"{status.ErrorBudgetConsumed:P0} of the error budget is used up.");
    /// </code>
    /// </example>
    public AvailabilityStatus Evaluate(AnalyticsReport report)
    {
        Period[] periods = PeriodsOf(report);
        return Measure(periods, periods[^1].End);
    }

    /// <summary>Evaluates the objective. The windows end at the end of the last bucket that has ended by an instant.</summary>
    /// <param name="buckets">
    /// Buckets with <see cref="AnalyticsExpand.RequestCount"/> and <see cref="AnalyticsExpand.ErrorCount"/>, in any order, without
    /// duplicates. Open buckets and buckets that start outside the window do not count. Their length is assumed to be the shortest distance
    /// between two of them, or at most an hour if there is only one. <see cref="Evaluate(AnalyticsReport)"/> knows the exact length.
    /// </param>
    /// <param name="asOf">
    /// The instant of the evaluation, usually <c>timeProvider.GetUtcNow()</c>. <see cref="AvailabilityStatus.AsOf"/> is the end of the last
    /// bucket up to then.
    /// </param>
    /// <exception cref="ArgumentException">A bucket or a row is null.</exception>
    public AvailabilityStatus Evaluate(IEnumerable<AnalyticsBucket> buckets, DateTimeOffset asOf) =>
        Measure(PeriodsOf(buckets, asOf), asOf);

    /// <summary>Evaluates the objective for each endpoint of a report, as <see cref="Evaluate(AnalyticsReport)"/> does for all.</summary>
    /// <param name="report">The report.</param>
    /// <returns>
    /// The status by <see cref="AnalyticsRow.EndpointId"/>, in ordinal order of the ids, of the endpoints that have a row in the window.
    /// </returns>
    /// <exception cref="ArgumentException">The report has no closed bucket.</exception>
    public IReadOnlyDictionary<string, AvailabilityStatus> EvaluateByEndpoint(AnalyticsReport report)
    {
        Period[] periods = PeriodsOf(report);
        return MeasureBy(static id => id, periods, periods[^1].End);
    }

    /// <summary>
    /// Evaluates the objective for each app of a report, including the requests to its routes, as <see cref="Evaluate(AnalyticsReport)"/>
    /// does for all.
    /// </summary>
    /// <param name="report">The report.</param>
    /// <returns>
    /// The status by the app's id, <c>owner/name</c>, in ordinal order of the ids, of the apps that have a row in the window. To get the
    /// worst first, order by <see cref="AvailabilityStatus.ErrorBudgetConsumed"/>.
    /// </returns>
    /// <exception cref="ArgumentException">The report has no closed bucket.</exception>
    /// <example>
    /// <code>
    /// var objective = new AvailabilityObjective(0.999, TimeSpan.FromDays(30));
    /// foreach ((string app, AvailabilityStatus status) in objective.EvaluateByApp(report).OrderByDescending(app =>
    /// app.Value.ErrorBudgetConsumed))
    ///     Console.WriteLine($"{app}: {status.ErrorBudgetConsumed:P0} of the error budget is used up");
    /// </code>
    /// </example>
    public IReadOnlyDictionary<string, AvailabilityStatus> EvaluateByApp(AnalyticsReport report)
    {
        Period[] periods = PeriodsOf(report);
        return MeasureBy(FalAppId.AppOf, periods, periods[^1].End);
    }

    /// <summary>
    /// Evaluates the objective for each endpoint, as <see cref="Evaluate(IEnumerable{AnalyticsBucket}, DateTimeOffset)"/> does for all.
    /// </summary>
    /// <param name="buckets">The buckets.</param>
    /// <param name="asOf">The instant to judge by.</param>
    /// <returns>
    /// The status by <see cref="AnalyticsRow.EndpointId"/>, in ordinal order of the ids, of the endpoints that have a row in the window.
    /// </returns>
    /// <exception cref="ArgumentException">A bucket or a row is null.</exception>
    public IReadOnlyDictionary<string, AvailabilityStatus> EvaluateByEndpoint(IEnumerable<AnalyticsBucket> buckets, DateTimeOffset asOf) =>
        MeasureBy(static id => id, PeriodsOf(buckets, asOf), asOf);

    /// <summary>
    /// Evaluates the objective for each app, as <see cref="Evaluate(IEnumerable{AnalyticsBucket}, DateTimeOffset)"/> does for all.
    /// </summary>
    /// <param name="buckets">The buckets.</param>
    /// <param name="asOf">The instant to judge by.</param>
    /// <returns>
    /// The status by the app's id, <c>owner/name</c>, in ordinal order of the ids, of the apps that have a row in the window.
    /// </returns>
    /// <exception cref="ArgumentException">A bucket or a row is null.</exception>
    public IReadOnlyDictionary<string, AvailabilityStatus> EvaluateByApp(IEnumerable<AnalyticsBucket> buckets, DateTimeOffset asOf) =>
        MeasureBy(FalAppId.AppOf, PeriodsOf(buckets, asOf), asOf);

    private static Period[] PeriodsOf(AnalyticsReport report)
    {
        ArgumentNullException.ThrowIfNull(report);
        AnalyticsQuery query = report.Query;
        Period[] periods;
        if (query.Timeframe is null && !query.Range.IsFixed)
        {
            // This applies only to a report made by hand, because a report from a client has a fixed range.
            periods = PeriodsOf(report.TimeSeries, DateTimeOffset.MaxValue);
        }
        else
        {
            AnalyticsTimeframe timeframe = AnalyticsCalendar.TimeframeOf(query.Grid);
            var calendar = AnalyticsCalendar.TryCreate(query.Grid);
            periods =
            [
                .. AnalyticsTotals.WithoutNull(report.TimeSeries, nameof(report))
                    .Where(bucket => !bucket.IsOpen)
                    .Select(bucket => new Period(bucket.Start, AnalyticsCalendar.EndOf(bucket.Start, calendar, timeframe), bucket.Rows))
                    .OrderBy(period => period.End),
            ];
        }

        return periods.Length > 0 ? periods : throw new ArgumentException(
            "The report has no closed bucket to measure. Ask for AnalyticsExpand.TimeSeries and a range in which at least one bucket " +
                "has ended.",
            nameof(report));
    }

    private static Period[] PeriodsOf(IEnumerable<AnalyticsBucket> buckets, DateTimeOffset asOf)
    {
        ArgumentNullException.ThrowIfNull(buckets);
        AnalyticsBucket[] ascending = [.. AnalyticsTotals.WithoutNull(buckets, nameof(buckets)).OrderBy(bucket => bucket.Start)];
        TimeSpan? length = ascending.Zip(ascending.Skip(1), (bucket, next) => next.Start - bucket.Start)
            .Where(distance => distance > TimeSpan.Zero)
            .Select(distance => (TimeSpan?)distance)
            .Min();
        return
        [
            .. ascending.Where(bucket => !bucket.IsOpen && bucket.Start < asOf)
                .Select(bucket => new Period(bucket.Start, EndOf(bucket.Start), bucket.Rows))
                .Where(period => period.End <= asOf),
        ];

        DateTimeOffset EndOf(DateTimeOffset start) =>
            AnalyticsCalendar.Add(start, length ?? (asOf - start < ShortBurnWindow ? asOf - start : ShortBurnWindow));
    }

    private SortedDictionary<string, AvailabilityStatus> MeasureBy(Func<string, string> key, Period[] periods, DateTimeOffset asOf)
    {
        var byKey = new Dictionary<string, List<(int Period, AnalyticsRow Row)>>(StringComparer.Ordinal);
        DateTimeOffset end = periods is [.., var last] ? last.End : asOf;
        for (int i = 0; i < periods.Length; i++)
        {
            if (end - periods[i].Start > Window)
            {
                continue;
            }

            foreach (AnalyticsRow row in periods[i].Rows)
            {
                string id = key(row?.EndpointId ?? throw NullRow());
                if (!byKey.TryGetValue(id, out List<(int Period, AnalyticsRow Row)>? rows))
                {
                    byKey[id] = rows = [];
                }

                rows.Add((i, row));
            }
        }

        return new SortedDictionary<string, AvailabilityStatus>(byKey.ToDictionary(group => group.Key, group => MeasureOne(group.Value)),
            StringComparer.Ordinal);

        AvailabilityStatus MeasureOne(List<(int Period, AnalyticsRow Row)> entries)
        {
            Period[] own = [.. periods.Select(period => period with { Rows = [] })];
            foreach (IGrouping<int, AnalyticsRow> rows in entries.GroupBy(entry => entry.Period, entry => entry.Row))
            {
                own[rows.Key] = own[rows.Key] with { Rows = [.. rows] };
            }

            return Measure(own, asOf);
        }
    }

    private AvailabilityStatus Measure(Period[] periods, DateTimeOffset asOf)
    {
        DateTimeOffset end = periods is [.., var last] ? last.End : asOf;
        TimeSpan longest = periods.Select(period => period.End - period.Start).DefaultIfEmpty().Max();
        Period[] counted = Within(Window);
        (decimal? requests, decimal? errors) = Count(counted);
        return new AvailabilityStatus
        {
            Objective = this,
            AsOf = end,
            Coverage = Math.Min(1, counted.Sum(period => (double)(period.End - period.Start).Ticks) / Window.Ticks),
            Requests = (double?)requests,
            Errors = (double?)errors,
            ErrorBudgetConsumed = Burn((requests, errors)),
            ShortBurnRate = BurnOf(ShortBurnWindow),
            LongBurnRate = BurnOf(LongBurnWindow),
        };

        Period[] Within(TimeSpan window) => [.. periods.Where(period => end - period.Start <= window)];

        // The numbers of a part of a bucket are not known.
        double? BurnOf(TimeSpan window) => longest <= window ? Burn(Count(Within(window))) : null;
    }

    /// <summary>
    /// The share of the budget that is used, computed so that rounding does not make an exactly used budget look exceeded.
    /// </summary>
    private double? Burn((decimal? Requests, decimal? Errors) counts)
    {
        if (counts is not ({ } requests and > 0, { } errors))
        {
            return null;
        }

        decimal budget = _allowed * requests;
        return errors == budget ? 1 : (double)errors / (double)budget;
    }

    /// <summary>The sums of the counts; null if a row lacks one or has an impossible one.</summary>
    private static (decimal? Requests, decimal? Errors) Count(Period[] periods)
    {
        decimal? requests = 0;
        decimal? errors = 0;
        foreach (AnalyticsRow row in periods.SelectMany(period => period.Rows))
        {
            _ = row ?? throw NullRow();
            requests += row.RequestCount is { } all and >= 0 ? all : (decimal?)null;
            errors += row.ErrorCount is { } bad and >= 0 ? bad : (decimal?)null;
        }

        return (requests, errors);
    }

    private static ArgumentException NullRow() => new("A bucket has a row that is null.");

    /// <summary>A bucket whose end is known.</summary>
    private readonly record struct Period(DateTimeOffset Start, DateTimeOffset End, IReadOnlyList<AnalyticsRow> Rows);
}
