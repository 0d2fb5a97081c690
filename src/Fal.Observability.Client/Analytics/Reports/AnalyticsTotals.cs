namespace Fal.Observability.Client;

/// <summary>What rows come to together, over buckets, endpoints or both: the numbers that can be added, and the rates that follow from them.</summary>
/// <remarks>
/// <para>
/// Counts and billed seconds add up. A rate is that of the sums, so that a busy hour weighs more than a quiet one. A percentile of parts
/// says nothing about the whole, however it is averaged, so there is none here: ask the service for the bucket length, the endpoint or
/// the summary that you mean, and read it from that row.
/// </para>
/// <para>
/// A total is null where any of the rows has no value for it, or a negative one, since it would then be too small; over no rows it is zero. Immutable.
/// </para>
/// </remarks>
public sealed class AnalyticsTotals
{
    private const AnalyticsExpand Additive = AnalyticsExpand.Volume | AnalyticsExpand.ErrorBreakdown
        | AnalyticsExpand.ColdBootCount | AnalyticsExpand.TotalBillableDuration;

    private readonly Dictionary<AnalyticsExpand, double> _sums = [];

    private AnalyticsTotals(IEnumerable<AnalyticsRow> rows)
    {
        foreach (AnalyticsExpand metric in Additive.GetFlags())
        {
            _sums[metric] = 0;
        }

        foreach (AnalyticsRow row in rows)
        {
            if (row is null)
            {
                throw new ArgumentException("One of the rows is null.", nameof(rows));
            }

            RowCount++;
            foreach (AnalyticsExpand metric in Additive.GetFlags())
            {
                // Not a number, once it is so, stays so: the total is not known. What a row cannot have is not known either.
                _sums[metric] += row.GetValue(metric) is { } value and >= 0 ? value : double.NaN;
            }
        }
    }

    /// <summary>How many rows were added.</summary>
    public int RowCount { get; private set; }

    /// <summary>Successful requests among all, from 0 to 1; null where a count is not known or there was no request.</summary>
    public double? SuccessRate => ShareOfRequests(AnalyticsExpand.SuccessCount);

    /// <summary>Requests that ended in a server error (5xx) among all, from 0 to 1; null where a count is not known or there was no request.</summary>
    public double? ErrorRate => ShareOfRequests(AnalyticsExpand.ErrorCount);

    /// <summary>Requests that ended in an error of the caller (4xx) among all, from 0 to 1; null where a count is not known or there was no request.</summary>
    public double? UserErrorRate => ShareOfRequests(AnalyticsExpand.UserErrorCount);

    /// <summary>Requests that waited for a cold boot among all, from 0 to 1; null where a count is not known or there was no request.</summary>
    public double? ColdBootRate => ShareOfRequests(AnalyticsExpand.ColdBootCount);

    /// <summary>Adds up rows.</summary>
    /// <param name="rows">Rows of any buckets and endpoints, none of them twice.</param>
    /// <exception cref="ArgumentException">A row is null.</exception>
    public static AnalyticsTotals Of(IEnumerable<AnalyticsRow> rows)
    {
        ArgumentNullException.ThrowIfNull(rows);
        return new AnalyticsTotals(rows);
    }

    /// <summary>Adds up the rows of buckets over all their endpoints.</summary>
    /// <param name="buckets">Buckets, none of them twice.</param>
    /// <exception cref="ArgumentException">A bucket or a row is null.</exception>
    public static AnalyticsTotals Of(IEnumerable<AnalyticsBucket> buckets)
    {
        ArgumentNullException.ThrowIfNull(buckets);
        return new AnalyticsTotals(WithoutNull(buckets, nameof(buckets)).SelectMany(bucket => bucket.Rows));
    }

    /// <summary>Adds up the rows of buckets for each endpoint.</summary>
    /// <param name="buckets">Buckets, none of them twice.</param>
    /// <returns>The totals by <see cref="AnalyticsRow.EndpointId"/>.</returns>
    /// <exception cref="ArgumentException">A bucket or a row is null.</exception>
    public static IReadOnlyDictionary<string, AnalyticsTotals> ByEndpoint(IEnumerable<AnalyticsBucket> buckets)
    {
        ArgumentNullException.ThrowIfNull(buckets);
        return WithoutNull(buckets, nameof(buckets)).SelectMany(bucket => bucket.Rows)
            .GroupBy(row => row?.EndpointId ?? throw new ArgumentException("A bucket has a row that is null.", nameof(buckets)), StringComparer.Ordinal)
            .ToDictionary(rows => rows.Key, rows => new AnalyticsTotals(rows), StringComparer.Ordinal);
    }

    /// <summary>The total of one metric: a number of requests, or of billed seconds.</summary>
    /// <param name="metric">One of the counts, or <see cref="AnalyticsExpand.TotalBillableDuration"/>.</param>
    /// <returns>The total; null where a row has no value. Exact up to 2^53.</returns>
    /// <exception cref="ArgumentException"><paramref name="metric"/> is a percentile, which cannot be added, or not a single metric.</exception>
    public double? GetValue(AnalyticsExpand metric)
    {
        AnalyticsExpandExtensions.IndexOfMetric(metric, nameof(metric));
        if (!_sums.TryGetValue(metric, out double sum))
        {
            throw new ArgumentException(
                $"{metric} is a percentile: those of several rows cannot be combined into one. Ask the service for the range, timeframe and endpoint that you mean.",
                nameof(metric));
        }

        return double.IsNaN(sum) ? null : sum;
    }

    /// <summary>The buckets, as long as none of them is null.</summary>
    internal static IEnumerable<AnalyticsBucket> WithoutNull(IEnumerable<AnalyticsBucket> buckets, string parameterName) =>
        buckets.Select(bucket => bucket ?? throw new ArgumentException("One of the buckets is null.", parameterName));

    private double? ShareOfRequests(AnalyticsExpand count) =>
        GetValue(count) is { } part && GetValue(AnalyticsExpand.RequestCount) is > 0 and { } all ? part / all : null;
}
