using Fal.Observability.Client;

namespace Fal.Observability.Cli.Report;

/// <summary>Makes the figures of buckets: those with the most errors or the longest waits, and the course over all of them.</summary>
internal static class BucketsOf
{
    /// <summary>
    /// Of fewer requests than this, a percentile is no more than the time of one or two of them: one in twenty is the p95.
    /// </summary>
    public const int LeastRequests = 20;

    /// <summary>How many of the worst buckets are named.</summary>
    private const int WorstCount = 5;

    /// <summary>The most columns of a plot, which is about 420 pixels wide: two pixels for each.</summary>
    private const int MostColumns = 200;

    /// <summary>Numbers of buckets that make columns of even lengths, such as 12 hours.</summary>
    private static readonly int[] ColumnLengths = [1, 2, 3, 4, 6, 8, 12, 24, 48, 72, 168, 336];

    /// <summary>The buckets with the most server errors over all apps, each with the app that had the most of them.</summary>
    public static BucketFigures[] WorstOfAll(IEnumerable<AnalyticsBucket> buckets) =>
        Worst(buckets.Where(bucket => bucket.Rows.Count > 0).Select(bucket =>
        {
            IGrouping<string, AnalyticsRow> worst = bucket.Rows.GroupBy(row => EndpointChoice.AppOf(row.EndpointId), StringComparer.Ordinal)
                .MaxBy(rows => rows.Sum(row => row.ErrorCount))!;
            var own = AnalyticsTotals.Of(worst);
            return Bucket(bucket.Start, worst.Key, AnalyticsTotals.Of(bucket.Rows), bucket.IsProvisional) with
            {
                OwnRequestCount = own.GetValue(AnalyticsExpand.RequestCount),
                OwnErrorCount = own.GetValue(AnalyticsExpand.ErrorCount),
            };
        }));

    /// <summary>The buckets of one app with the most server errors.</summary>
    public static BucketFigures[] WorstOf(string app, IEnumerable<AnalyticsPoint> points) => Worst(points.Where(point => point.HasData)
        .Select(point => Bucket(point.Start, app, point.Totals, point.IsProvisional)));

    /// <summary>The buckets of an endpoint with the longest wait, of those with enough requests.</summary>
    public static BucketFigures[] Slowest(IEnumerable<(DateTimeOffset Start, bool IsProvisional, AnalyticsRow Row)> rows) =>
    [
        .. rows.Where(one => one.Row.RequestCount >= LeastRequests && Finite(one.Row.GetValue(AnalyticsExpand.P90PrepareDuration)) > 0)
            .OrderByDescending(one => one.Row.GetValue(AnalyticsExpand.P90PrepareDuration))
            .ThenBy(one => one.Start)
            .Take(WorstCount)
            .Select(one => Bucket(one.Start, one.Row.EndpointId, AnalyticsTotals.Of([one.Row]), one.IsProvisional) with
            {
                QueueP90 = one.Row.GetValue(AnalyticsExpand.P90PrepareDuration),
            }),
    ];

    /// <summary>The course over time, in as many columns as a plot has room for.</summary>
    public static ColumnsFigures Columns(
        (DateTimeOffset Start, bool IsProvisional, IReadOnlyList<AnalyticsRow> Rows)[] buckets,
        FalRunnerHistory? runners,
        bool hasPercentiles)
    {
        int length = ColumnLengths.FirstOrDefault(
            length => buckets.Length <= length * MostColumns, (buckets.Length + MostColumns - 1) / MostColumns);
        Dictionary<DateTimeOffset, FalRunnerBucket> runnersAt = (runners?.Buckets ?? []).ToDictionary(bucket => bucket.Start);
        return new ColumnsFigures(length, [.. buckets.Chunk(length).Select(Column)]);

        ColumnFigures Column((DateTimeOffset Start, bool IsProvisional, IReadOnlyList<AnalyticsRow> Rows)[] column)
        {
            AnalyticsRow[] rows = [.. column.SelectMany(bucket => bucket.Rows)];
            var totals = AnalyticsTotals.Of(rows);
            FalRunnerBucket[] up = [.. column.Select(bucket => runnersAt.GetValueOrDefault(bucket.Start)).OfType<FalRunnerBucket>()];
            return new ColumnFigures
            {
                Start = column[0].Start,
                IsProvisional = column.Any(bucket => bucket.IsProvisional),
                RequestCount = totals.GetValue(AnalyticsExpand.RequestCount),
                ErrorRate = totals.ErrorRate,
                UserErrorRate = totals.UserErrorRate,
                QueueP50 = Highest(AnalyticsExpand.P50PrepareDuration),
                QueueP90 = Highest(AnalyticsExpand.P90PrepareDuration),
                QueueP99 = Highest(AnalyticsExpand.P99PrepareDuration),
                ExecutionP50 = Highest(AnalyticsExpand.P50Duration),
                ExecutionP90 = Highest(AnalyticsExpand.P90Duration),
                ExecutionP99 = Highest(AnalyticsExpand.P99Duration),
                RunningRunners = up.Average(bucket => bucket.Running),
                IdleRunners = up.Average(bucket => bucket.Idle),
            };

            double? Highest(AnalyticsExpand metric) => hasPercentiles ? rows.Max(row => Finite(row.GetValue(metric))) : null;
        }
    }

    // JSON has no number for infinity.
    public static double? Finite(double? value) => value is { } number && double.IsFinite(number) ? number : null;

    private static BucketFigures Bucket(DateTimeOffset start, string endpoint, AnalyticsTotals totals, bool isProvisional) => new(
        start,
        endpoint,
        totals.GetValue(AnalyticsExpand.RequestCount),
        totals.GetValue(AnalyticsExpand.ErrorCount),
        totals.ErrorRate,
        isProvisional);

    private static BucketFigures[] Worst(IEnumerable<BucketFigures> buckets) =>
    [
        .. buckets.Where(bucket => bucket.ErrorCount > 0)
            .OrderByDescending(bucket => bucket.ErrorCount)
            .ThenBy(bucket => bucket.Start)
            .Take(WorstCount),
    ];
}
