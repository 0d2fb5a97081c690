using System.Globalization;

namespace Fal.Observability.Client;

/// <summary>The totals of rows, over buckets, endpoints or both: the numbers that can be added, and the rates derived from them.</summary>
/// <remarks>
/// <para>
/// Counts and billed seconds are added. A rate is computed from the sums, so that a busy hour weighs more than a quiet one. There are no
/// percentiles, because percentiles of parts cannot be combined. Query the service for the bucket length, the endpoint or the summary that
/// you need, and read the percentile from that row.
/// </para>
/// <para>
/// A total is null if any row has no value or a negative one, because the total would be too small. Over no rows it is zero. Counts are
/// added exactly, whatever their size. Immutable.
/// </para>
/// </remarks>
public sealed class AnalyticsTotals
{
    private const AnalyticsExpand Counts = AnalyticsExpand.Volume | AnalyticsExpand.ErrorBreakdown | AnalyticsExpand.ColdBootCount;

    // Once a row has no value or an impossible one, the total stays null: it is not known.
    private readonly Dictionary<AnalyticsExpand, Int128?> _counts = [];
    private readonly double? _billedSeconds = 0;

    private AnalyticsTotals(IEnumerable<AnalyticsRow> rows)
    {
        foreach (AnalyticsExpand count in Counts.GetFlags())
        {
            _counts[count] = 0;
        }

        foreach (AnalyticsRow row in rows)
        {
            if (row is null)
            {
                throw new ArgumentException("One of the rows is null.", nameof(rows));
            }

            RowCount++;
            foreach (AnalyticsExpand count in Counts.GetFlags())
            {
                _counts[count] += row.GetCount(count) is { } value and >= 0 ? value : (Int128?)null;
            }

            _billedSeconds += row.GetValue(AnalyticsExpand.TotalBillableDuration) is { } seconds and >= 0 ? seconds : null;
        }
    }

    /// <summary>How many rows were added.</summary>
    public int RowCount { get; private set; }

    /// <summary>All requests.</summary>
    /// <value>Null if a row has no value: add <see cref="AnalyticsExpand.RequestCount"/> to the query.</value>
    /// <exception cref="OverflowException">The total is larger than <see cref="long.MaxValue"/>.</exception>
    public long? RequestCount => GetCount(AnalyticsExpand.RequestCount);

    /// <summary>Requests answered with a 2xx status.</summary>
    /// <value>Null if a row has no value: add <see cref="AnalyticsExpand.SuccessCount"/> to the query.</value>
    /// <exception cref="OverflowException">The total is larger than <see cref="long.MaxValue"/>.</exception>
    public long? SuccessCount => GetCount(AnalyticsExpand.SuccessCount);

    /// <summary>Requests answered with a 4xx status, the caller's errors.</summary>
    /// <value>Null if a row has no value: add <see cref="AnalyticsExpand.UserErrorCount"/> to the query.</value>
    /// <exception cref="OverflowException">The total is larger than <see cref="long.MaxValue"/>.</exception>
    public long? UserErrorCount => GetCount(AnalyticsExpand.UserErrorCount);

    /// <summary>Requests answered with a 5xx status, the server's errors.</summary>
    /// <value>Null if a row has no value: add <see cref="AnalyticsExpand.ErrorCount"/> to the query.</value>
    /// <exception cref="OverflowException">The total is larger than <see cref="long.MaxValue"/>.</exception>
    public long? ErrorCount => GetCount(AnalyticsExpand.ErrorCount);

    /// <summary>Runners that did not start in time or could not be scheduled.</summary>
    /// <value>Null if a row has no value: add <see cref="AnalyticsExpand.StartupErrorCount"/> to the query.</value>
    /// <exception cref="OverflowException">The total is larger than <see cref="long.MaxValue"/>.</exception>
    public long? StartupErrorCount => GetCount(AnalyticsExpand.StartupErrorCount);

    /// <summary>Connections that timed out, were refused or broke.</summary>
    /// <value>Null if a row has no value: add <see cref="AnalyticsExpand.ConnectionErrorCount"/> to the query.</value>
    /// <exception cref="OverflowException">The total is larger than <see cref="long.MaxValue"/>.</exception>
    public long? ConnectionErrorCount => GetCount(AnalyticsExpand.ConnectionErrorCount);

    /// <summary>Requests that exceeded their time limit.</summary>
    /// <value>Null if a row has no value: add <see cref="AnalyticsExpand.TimeoutErrorCount"/> to the query.</value>
    /// <exception cref="OverflowException">The total is larger than <see cref="long.MaxValue"/>.</exception>
    public long? TimeoutErrorCount => GetCount(AnalyticsExpand.TimeoutErrorCount);

    /// <summary>Requests that failed inside the app.</summary>
    /// <value>Null if a row has no value: add <see cref="AnalyticsExpand.RuntimeErrorCount"/> to the query.</value>
    /// <exception cref="OverflowException">The total is larger than <see cref="long.MaxValue"/>.</exception>
    public long? RuntimeErrorCount => GetCount(AnalyticsExpand.RuntimeErrorCount);

    /// <summary>Requests that waited more than one second for a runner to start.</summary>
    /// <value>Null if a row has no value: add <see cref="AnalyticsExpand.ColdBootCount"/> to the query.</value>
    /// <exception cref="OverflowException">The total is larger than <see cref="long.MaxValue"/>.</exception>
    public long? ColdBootCount => GetCount(AnalyticsExpand.ColdBootCount);

    /// <summary>
    /// The billed time, summed over the rows and rounded to the tick. Null if it is not known: add
    /// <see cref="AnalyticsExpand.TotalBillableDuration"/> to the query.
    /// </summary>
    public TimeSpan? TotalBillableDuration =>
        GetValue(AnalyticsExpand.TotalBillableDuration) is { } seconds ? AnswerJson.ToTimeSpan(seconds) : null;

    /// <summary>The share of successful requests (2xx), from 0 to 1.</summary>
    /// <value>
    /// Null if there was no request, or if a row lacks one of the two counts: the query needs
    /// <see cref="AnalyticsExpand.SuccessCount"/> and <see cref="AnalyticsExpand.RequestCount"/>. Event 13 of the log names what a query
    /// lacks.
    /// </value>
    public double? SuccessRate => ShareOfRequests(AnalyticsExpand.SuccessCount);

    /// <summary>The share of requests that ended in a server error (5xx), from 0 to 1.</summary>
    /// <value>
    /// Null if there was no request, or if a row lacks one of the two counts: the query needs
    /// <see cref="AnalyticsExpand.ErrorCount"/> and <see cref="AnalyticsExpand.RequestCount"/>. Event 13 of the log names what a query
    /// lacks.
    /// </value>
    public double? ErrorRate => ShareOfRequests(AnalyticsExpand.ErrorCount);

    /// <summary>The share of requests that ended in an error of the caller (4xx), from 0 to 1.</summary>
    /// <value>
    /// Null if there was no request, or if a row lacks one of the two counts: the query needs
    /// <see cref="AnalyticsExpand.UserErrorCount"/> and <see cref="AnalyticsExpand.RequestCount"/>. Event 13 of the log names what a
    /// query lacks.
    /// </value>
    public double? UserErrorRate => ShareOfRequests(AnalyticsExpand.UserErrorCount);

    /// <summary>The share of requests that waited for a cold boot, from 0 to 1.</summary>
    /// <value>
    /// Null if there was no request, or if a row lacks one of the two counts: the query needs
    /// <see cref="AnalyticsExpand.ColdBootCount"/> and <see cref="AnalyticsExpand.RequestCount"/>. Event 13 of the log names what a query
    /// lacks.
    /// </value>
    public double? ColdBootRate => ShareOfRequests(AnalyticsExpand.ColdBootCount);

    /// <summary>Adds up rows.</summary>
    /// <param name="rows">Rows of any buckets and endpoints, without duplicates.</param>
    /// <exception cref="ArgumentException">A row is null.</exception>
    public static AnalyticsTotals Of(IEnumerable<AnalyticsRow> rows)
    {
        ArgumentNullException.ThrowIfNull(rows);
        return new AnalyticsTotals(rows);
    }

    /// <summary>Adds up the rows of buckets over all their endpoints.</summary>
    /// <param name="buckets">Buckets, without duplicates.</param>
    /// <exception cref="ArgumentException">A bucket or a row is null.</exception>
    /// <example>
    /// <code>
    /// AnalyticsTotals totals = AnalyticsTotals.Of(report.TimeSeries);
    /// Console.WriteLine($"{totals.ErrorCount} of {totals.RequestCount} requests failed ({totals.ErrorRate:P2}).");
    /// </code>
    /// </example>
    public static AnalyticsTotals Of(IEnumerable<AnalyticsBucket> buckets)
    {
        ArgumentNullException.ThrowIfNull(buckets);
        return new AnalyticsTotals(WithoutNull(buckets, nameof(buckets)).SelectMany(bucket => bucket.Rows));
    }

    /// <summary>Adds up the rows of buckets for each endpoint.</summary>
    /// <param name="buckets">Buckets, without duplicates.</param>
    /// <returns>The totals by <see cref="AnalyticsRow.EndpointId"/>, in ordinal order of the ids.</returns>
    /// <exception cref="ArgumentException">A bucket or a row is null.</exception>
    public static IReadOnlyDictionary<string, AnalyticsTotals> ByEndpoint(IEnumerable<AnalyticsBucket> buckets) =>
        By(buckets, static id => id);

    /// <summary>Adds up the rows of buckets for each app, the rows of its routes included.</summary>
    /// <param name="buckets">Buckets, without duplicates.</param>
    /// <returns>
    /// The totals by the app's id, <c>owner/name</c>, in ordinal order of the ids. The id of an app is the first two parts of the ids of
    /// its
    /// routes (<c>owner/name/route</c>).
    /// </returns>
    /// <exception cref="ArgumentException">A bucket or a row is null.</exception>
    public static IReadOnlyDictionary<string, AnalyticsTotals> ByApp(IEnumerable<AnalyticsBucket> buckets) => By(buckets, FalAppId.AppOf);

    private static SortedDictionary<string, AnalyticsTotals> By(IEnumerable<AnalyticsBucket> buckets, Func<string, string> key)
    {
        ArgumentNullException.ThrowIfNull(buckets);
        return new SortedDictionary<string, AnalyticsTotals>(WithoutNull(buckets, nameof(buckets)).SelectMany(bucket => bucket.Rows)
            .GroupBy(row => key(row?.EndpointId ?? throw new ArgumentException("A bucket has a row that is null.", nameof(buckets))),
                StringComparer.Ordinal)
            .ToDictionary(rows => rows.Key, rows => new AnalyticsTotals(rows)), StringComparer.Ordinal);
    }

    /// <summary>The total of one metric: a number of requests, or of billed seconds.</summary>
    /// <param name="metric">One of the counts, or <see cref="AnalyticsExpand.TotalBillableDuration"/>.</param>
    /// <returns>
    /// The total, exact up to 2^53 and rounded above that. Null if a row has no value, or if the billed seconds exceed the range of a
    /// double.
    /// </returns>
    /// <exception cref="ArgumentException">
    /// <paramref name="metric"/> is a percentile, which cannot be added, or not a single metric.
    /// </exception>
    public double? GetValue(AnalyticsExpand metric)
    {
        if (metric == AnalyticsExpand.TotalBillableDuration)
        {
            return _billedSeconds is { } seconds && double.IsFinite(seconds) ? seconds : null;
        }

        return (double?)Sum(metric);
    }

    /// <summary>The exact total of one count.</summary>
    /// <param name="metric">One of the counts.</param>
    /// <returns>The number of requests; null if a row has no value.</returns>
    /// <exception cref="ArgumentException"><paramref name="metric"/> is not a single count.</exception>
    /// <exception cref="OverflowException">
    /// The total is larger than <see cref="long.MaxValue"/>. <see cref="GetValue"/> returns it rounded, and other totals can still be read.
    /// </exception>
    public long? GetCount(AnalyticsExpand metric) => metric == AnalyticsExpand.TotalBillableDuration
        ? throw new ArgumentException($"{metric} is a duration, not a count. Use {nameof(GetValue)}.", nameof(metric))
        : Sum(metric) is not { } sum ? null
        : sum <= long.MaxValue ? (long)sum
        : throw new OverflowException(string.Create(CultureInfo.InvariantCulture,
            $"The total of {metric.GetWireName()} is {sum}, which does not fit into a 64-bit integer. Use {nameof(GetValue)}, which " +
                $"returns it rounded."));

    private Int128? Sum(AnalyticsExpand metric)
    {
        AnalyticsExpandExtensions.IndexOfMetric(metric, nameof(metric));
        return _counts.TryGetValue(metric, out Int128? sum) ? sum : throw new ArgumentException(
            $"{metric} is a percentile. The percentiles of several rows cannot be combined. Query the service for exactly the range, " +
                $"timeframe and endpoint that you need.",
            nameof(metric));
    }

    /// <summary>The buckets, as long as none of them is null.</summary>
    internal static IEnumerable<AnalyticsBucket> WithoutNull(IEnumerable<AnalyticsBucket> buckets, string parameterName) =>
        buckets.Select(bucket => bucket ?? throw new ArgumentException("One of the buckets is null.", parameterName));

    /// <summary>Whether the values of several rows can be added for a metric.</summary>
    internal static bool CanAdd(AnalyticsExpand metric) => (metric & (Counts | AnalyticsExpand.TotalBillableDuration)) != 0;

    private double? ShareOfRequests(AnalyticsExpand count) =>
        GetValue(count) is { } part && GetValue(AnalyticsExpand.RequestCount) is > 0 and { } all ? part / all : null;
}
