using System.Globalization;

namespace Fal.Observability.Client;

/// <summary>The whole answer to a usage query: every page, every bucket once, and totals by app, machine and day.</summary>
/// <remarks>
/// A report is immutable and safe to share between threads. A test can create it with an object initializer. Totals are computed from
/// <see cref="TimeSeries"/>, or from <see cref="Summary"/> if the query requested no time series. Each total has one currency: an account
/// that pays in two currencies has two of each.
/// </remarks>
public sealed class UsageReport
{
    /// <summary>The query, with its range fixed as it was sent. <see cref="AnsweredRange"/> is the time that the answer covers.</summary>
    public required UsageQuery Query { get; init; }

    /// <summary>The buckets in ascending order. Empty if the query requested only <see cref="UsageExpand.Summary"/>.</summary>
    /// <exception cref="ArgumentNullException">The list is null.</exception>
    public IReadOnlyList<UsageBucket> TimeSeries { get; init => field = OwnCopy.Of(value); } = [];

    /// <summary>The rows over the whole range, as the service computed them. Empty if the query requested no summary.</summary>
    /// <exception cref="ArgumentNullException">The list is null.</exception>
    public IReadOnlyList<UsageRow> Summary { get; init => field = OwnCopy.Of(value); } = [];

    /// <summary>
    /// The time that the buckets cover. It can be longer than the requested range of <see cref="Query"/>, because the service extends a
    /// range to whole buckets unless <see cref="FalPagedQuery.BoundToTimeframe"/> is false. Null without a time series.
    /// </summary>
    public AnalyticsTimeRange? AnsweredRange => TimeSeries is [var first, ..]
        ? AnalyticsCalendar.Covered(Query.Grid, first.Start, TimeSeries[^1].Start)
        : null;

    /// <summary>
    /// The origin of the data: one entry per answered call, in the order of arrival. Empty on a report that no client has fetched.
    /// </summary>
    /// <exception cref="ArgumentNullException">The list is null.</exception>
    public IReadOnlyList<FalAnswer> Answers { get; init => field = OwnCopy.Of(value); } = [];

    /// <summary>The grand total: one total per currency, in the order of the currency codes.</summary>
    public IReadOnlyList<UsageTotals> Totals => TotalsOf(Rows);

    internal IEnumerable<UsageRow> Rows =>
        Query.Expand.HasFlag(UsageExpand.TimeSeries) ? TimeSeries.SelectMany(bucket => bucket.Rows) : Summary;

    /// <summary>Adds up the rows for each app in each environment.</summary>
    /// <returns>The totals, ordered by currency, and within each currency from the highest cost to the lowest.</returns>
    public IReadOnlyList<UsageTotals> ByApp() => ByApp(Rows);

    /// <summary>Adds up the rows for each machine type.</summary>
    /// <returns>The totals, ordered by currency, and within each currency from the highest cost to the lowest.</returns>
    public IReadOnlyList<UsageTotals> ByMachineType() => HighestFirst(Rows
        .GroupBy(row => (row.Currency, row.MachineType))
        .Select(rows => new UsageTotals(rows.Key.Currency, rows) { MachineType = rows.Key.MachineType }));

    /// <summary>Adds up the rows for each calendar day of the query's zone.</summary>
    /// <returns>The totals, ordered by day and then by currency. A day without usage has none.</returns>
    /// <exception cref="InvalidOperationException">
    /// The query requested no time series, or buckets longer than a day, or the range is so long that the service chose such buckets.
    /// </exception>
    public IReadOnlyList<UsageTotals> ByDay()
    {
        if (!Query.Expand.HasFlag(UsageExpand.TimeSeries) || AnalyticsCalendar.TimeframeOf(Query.Grid) > AnalyticsTimeframe.Day)
        {
            throw new InvalidOperationException(
                $"The report has no buckets of a day or less. Set {nameof(UsageQuery.Timeframe)} " +
                    $"to {nameof(AnalyticsTimeframe)}.{nameof(AnalyticsTimeframe.Day)}, and " +
                    $"request {nameof(UsageExpand)}.{nameof(UsageExpand.TimeSeries)}.");
        }

        return
        [
            .. TimeSeries
                .SelectMany(bucket => bucket.Rows, (bucket, row) => (Day: Query.Grid.DayOf(bucket.Start), Row: row))
                .GroupBy(pair => (pair.Day, pair.Row.Currency), pair => pair.Row)
                .OrderBy(rows => rows.Key.Day)
                .ThenBy(rows => rows.Key.Currency, StringComparer.Ordinal)
                .Select(rows => new UsageTotals(rows.Key.Currency, rows) { Day = rows.Key.Day }),
        ];
    }

    /// <summary>
    /// Computes the cost of each app. With a report about the requests of the same time, it also computes the cost of a thousand successful
    /// requests.
    /// </summary>
    /// <remarks>
    /// <para>
    /// A row of the bill belongs to an app if its name and environment are exactly those of the app. The service documents that the name on
    /// a bill can have a suffix or be missing. Suffixes are not guessed; <paramref name="appOf"/> can assign such a row to an app. An app
    /// whose name is listed for several owners gets no cost by its name, because the bill does not name the owner.
    /// <see cref="AppCostReport.Unattributed"/> has the rows that belong to no app of the list.
    /// </para>
    /// <para>
    /// Requests are recorded by endpoint, without an environment. If an app is listed for several environments under one id, its requests
    /// cannot be distinguished, and <see cref="AppCost.Requests"/> is null.
    /// </para>
    /// </remarks>
    /// <param name="apps">
    /// The apps of the account. Name every environment in their query; otherwise the cost of the others is not attributed.
    /// </param>
    /// <param name="requests">
    /// A report about these apps (<see cref="FalAppList.ToQuery"/>) over exactly the same time: with
    /// <c>Range = usage.Query.Range</c>, and the same zone and timeframe. The cost is divided by
    /// <see cref="AnalyticsExpand.SuccessCount"/>, a part of the default of <see cref="FalAppList.ToQuery"/>. If null,
    /// <see cref="AppCost.Requests"/> is null.
    /// </param>
    /// <param name="appOf">
    /// Assigns a row that matches no app by exact name and environment: returns one of <paramref name="apps"/>, or null for none. Default:
    /// such rows belong to no app. It is not called for a row that matches an app.
    /// </param>
    /// <returns>The apps with their cost, and the rest. Together they are the whole bill.</returns>
    /// <exception cref="ArgumentException">
    /// The report about requests covers another time or has other buckets, is about calls to models, or lacks the open buckets; or
    /// <paramref name="appOf"/> returned an app that is not in the list.
    /// </exception>
    /// <example>
    /// <code>
    /// AppCostReport costs = usage.ByApp(apps, requests, row => row.App == "painter-staging" ? apps.AppOf("my-org/painter") : null);
    /// </code>
    /// </example>
    public AppCostReport ByApp(FalAppList apps, AnalyticsReport? requests = null, Func<UsageRow, FalApp?>? appOf = null)
    {
        ArgumentNullException.ThrowIfNull(apps);
        if (requests is not null)
        {
            ThrowIfNotAlike(requests);
        }

        return AppCostReport.Of(this, apps, requests, appOf);
    }

    private void ThrowIfNotAlike(AnalyticsReport requests)
    {
        AnalyticsTimeGrid billed = Query.Grid.Explicit;
        AnalyticsTimeGrid asked = requests.Query.Grid.Explicit;
        if (billed != asked)
        {
            throw new ArgumentException(
                $"The requests cover {Describe(asked)}, but the usage covers {Describe(billed)}. Request both for exactly " +
                    $"the same time. Set Range, TimeZone, Timeframe and BoundToTimeframe of the analytics query to those of " +
                        $"usage.Query.",
                nameof(requests));
        }

        if (requests.Query.Source != AnalyticsSource.Serverless)
        {
            throw new ArgumentException("The requests are calls to models, which the account did not serve. Query them with " +
                "AnalyticsSource.Serverless.", nameof(requests));
        }

        if (requests.Query.ClosedOnly)
        {
            throw new ArgumentException("The requests do not include the buckets that are still open, but the usage does. Query the " +
                "requests without ClosedOnly.", nameof(requests));
        }
    }

    /// <summary>What the report holds, on one line for a log; no data.</summary>
    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"{TimeSeries.Count} buckets, {Summary.Count} summary rows | {Query}");

    /// <summary>One total for each currency, in the order of their codes.</summary>
    internal static IReadOnlyList<UsageTotals> TotalsOf(IEnumerable<UsageRow> rows, FalApp? app = null) =>
    [
        .. rows.GroupBy(row => row.Currency, StringComparer.Ordinal)
            .OrderBy(same => same.Key, StringComparer.Ordinal)
            .Select(same => new UsageTotals(same.Key, same) { App = app?.Name, Environment = app?.Environment }),
    ];

    /// <summary>Totals by app and environment.</summary>
    internal static IReadOnlyList<UsageTotals> ByApp(IEnumerable<UsageRow> rows) => HighestFirst(rows
        .GroupBy(row => (row.Currency, row.App, row.Environment))
        .Select(same => new UsageTotals(same.Key.Currency, same) { App = same.Key.App, Environment = same.Key.Environment }));

    private static IReadOnlyList<UsageTotals> HighestFirst(IEnumerable<UsageTotals> totals) =>
    [
        .. totals.OrderBy(total => total.Currency, StringComparer.Ordinal)
            .ThenByDescending(total => total.Cost)
            .ThenBy(total => total.App ?? total.MachineType, StringComparer.Ordinal)
            .ThenBy(total => total.Environment, StringComparer.Ordinal),
    ];

    private static string Describe(AnalyticsTimeGrid grid) =>
        $"{grid.Range} by {grid.Timeframe?.GetWireName() ?? "the service's timeframe"} in {grid.TimeZone}" +
        (grid.BoundToTimeframe == true ? "" : ", not bound to the timeframe");
}
