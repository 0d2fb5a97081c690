using Microsoft.Extensions.Logging;

namespace Fal.Observability.Client;

/// <summary>The latest closed analytics bucket of an account's chosen endpoints, read once for each bucket.</summary>
internal sealed class PublishedAnalytics(
    string account, IFalAnalyticsClient client, FalMetricsPublisherOptions options, TimeSpan provisionalAge, TimeProvider time, ILogger log)
{
    private readonly TimeSpan _bucketLength = options.AnalyticsTimeframe.GetLengthInUtc();
    private Reading? _last;
    private string? _failure;
    private int _rowsWithoutId;
    private int _valuesOfNoNumber;
    private long _rowsLeftOut;
    private long _valuesLeftOut;

    /// <summary>The metrics that are published, one flag each.</summary>
    public IReadOnlyList<AnalyticsExpand> Metrics { get; } = options.AnalyticsMetrics.GetFlags();

    /// <summary>
    /// The start of the bucket; null if there is none, or if reads have failed for so long that it is no longer the latest one.
    /// </summary>
    public DateTimeOffset? BucketStart => Fresh?.Bucket.Start;

    private Reading? Fresh =>
        Volatile.Read(ref _last) is { } last && time.GetElapsedTime(last.ReadAt) <= (2 * _bucketLength) + options.StaleAfter ? last : null;

    /// <summary>The query of the options. Its range contains at least one bucket that is no longer provisional.</summary>
    public static AnalyticsQuery QueryOf(FalMetricsPublisherOptions options, TimeSpan provisionalAge) => new(options.AnalyticsEndpointIds)
    {
        Expand = AnalyticsExpand.TimeSeries | options.AnalyticsMetrics,
        Range = AnalyticsTimeRange.Last((2 * options.AnalyticsTimeframe.GetLengthInUtc()) + provisionalAge),
        Timeframe = options.AnalyticsTimeframe,
        ClosedOnly = true,
        RefusedEndpoints = RefusedEndpointPolicy.Skip,
        DegradeOnServerError = true,
    };

    /// <summary>How many rows of the published buckets were skipped because they had no readable id.</summary>
    public long RowsLeftOut => Interlocked.Read(ref _rowsLeftOut);

    /// <summary>How many values of the published buckets were skipped because they were not finite numbers.</summary>
    public long ValuesLeftOut => Interlocked.Read(ref _valuesLeftOut);

    /// <summary>The values of one metric. Endpoints without a value and rows without a readable id are skipped.</summary>
    public IEnumerable<(string EndpointId, double Value)> Values(AnalyticsExpand metric)
    {
        foreach (AnalyticsRow row in Fresh?.Bucket.Rows ?? [])
        {
            if (row.IsIdentified && row.GetNumber(metric) is { } value)
            {
                yield return (row.EndpointId, value);
            }
        }
    }

    /// <summary>Reads now, and returns the pause until a newer bucket can exist. Throws only on the caller's own cancellation.</summary>
    public async Task<TimeSpan> ReadAsync(CancellationToken cancellationToken)
    {
        try
        {
            AnalyticsReport report = await client
                .GetReportAsync(QueryOf(options, provisionalAge), progress: null, cancellationToken)
                .ConfigureAwait(false);
            if (report.TimeSeries is [.., { } latest])
            {
                CountLeftOut(latest);
                Volatile.Write(ref _last, new Reading(latest, time.GetTimestamp()));
            }

            if (_failure is not null)
            {
                _failure = null;
                log.AnalyticsPublishRecovered(account);
            }

            TimeSpan sinceClosed = TimeSpan.FromTicks((time.GetUtcNow() - provisionalAge).UtcTicks % _bucketLength.Ticks);
            return _bucketLength - sinceClosed;
        }
        catch (Exception failure) when (failure is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            TimeSpan pause = MetricsReadings.PauseAfter(failure, usual: MetricsReadings.RefusedPause);
            string kind = MetricsReadings.KindOf(failure);
            if (kind != _failure)
            {
                _failure = kind;
                log.AnalyticsPublishFailed(account, failure.Message, pause.TotalMinutes);
            }

            return pause;
        }
    }

    /// <summary>Counts the rows and values that cannot be published, once per bucket, and logs the number when it changes.</summary>
    private void CountLeftOut(AnalyticsBucket latest)
    {
        if (latest.Start == _last?.Bucket.Start)
        {
            return;
        }

        AnalyticsRow[] identified = [.. latest.Rows.Where(row => row.IsIdentified)];
        int rows = latest.Rows.Count - identified.Length;
        int values = identified.Sum(row => Metrics.Count(metric =>
            row.GetNumber(metric) is null && row.AdditionalMetrics.ContainsKey(metric.GetWireName())));
        if (rows > 0 && rows != _rowsWithoutId)
        {
            log.RowsWithoutId(account, rows);
        }

        if (values > 0 && values != _valuesOfNoNumber)
        {
            log.ValuesOfNoNumber(account, values);
        }

        (_rowsWithoutId, _valuesOfNoNumber) = (rows, values);
        Interlocked.Add(ref _rowsLeftOut, rows);
        Interlocked.Add(ref _valuesLeftOut, values);
    }

    private sealed record Reading(AnalyticsBucket Bucket, long ReadAt);
}
