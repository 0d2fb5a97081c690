namespace Fal.Observability.Client;

/// <summary>
/// What an analytics call returns: the shape of the answer (<see cref="TimeSeries"/>, <see cref="Summary"/>) and the metrics in each row.
/// One flag stands for one value of the service's <c>expand</c> parameter; combine flags with <c>|</c>, or use one of the named groups.
/// </summary>
/// <remarks>
/// Counts are numbers of requests within a bucket. Durations are seconds on the wire. A value that the service offers
/// and this version does not know is sent with <see cref="AnalyticsQuery.AdditionalExpand"/> and read from
/// <see cref="AnalyticsRow.AdditionalMetrics"/>.
/// </remarks>
[Flags]
public enum AnalyticsExpand : long
{
    /// <summary>Nothing. A query with this value needs <see cref="AnalyticsQuery.AdditionalExpand"/>.</summary>
    None = 0,

    /// <summary><c>time_series</c>: rows grouped by time bucket. The default shape if a query names none.</summary>
    TimeSeries = 1L << 0,

    /// <summary><c>summary</c>: one row for each endpoint over the whole range.</summary>
    Summary = 1L << 1,

    /// <summary><c>request_count</c>: all requests.</summary>
    RequestCount = 1L << 2,

    /// <summary><c>success_count</c>: requests answered with a 2xx status.</summary>
    SuccessCount = 1L << 3,

    /// <summary><c>user_error_count</c>: requests answered with a 4xx status, the caller's errors.</summary>
    UserErrorCount = 1L << 4,

    /// <summary><c>error_count</c>: requests answered with a 5xx status, the server's errors.</summary>
    ErrorCount = 1L << 5,

    /// <summary><c>startup_error_count</c>: runners that did not start in time or could not be scheduled.</summary>
    StartupErrorCount = 1L << 6,

    /// <summary><c>connection_error_count</c>: connections that timed out, were refused or broke.</summary>
    ConnectionErrorCount = 1L << 7,

    /// <summary><c>timeout_error_count</c>: requests that exceeded their time limit.</summary>
    TimeoutErrorCount = 1L << 8,

    /// <summary><c>runtime_error_count</c>: requests that failed inside the app.</summary>
    RuntimeErrorCount = 1L << 9,

    /// <summary><c>p50_prepare_duration</c>: median time from submission until execution starts.</summary>
    P50PrepareDuration = 1L << 10,

    /// <summary><c>p75_prepare_duration</c>: 75th percentile of the time from submission until execution starts.</summary>
    P75PrepareDuration = 1L << 11,

    /// <summary><c>p90_prepare_duration</c>: 90th percentile of the time from submission until execution starts.</summary>
    P90PrepareDuration = 1L << 12,

    /// <summary><c>p95_prepare_duration</c>: 95th percentile of the time from submission until execution starts.</summary>
    P95PrepareDuration = 1L << 13,

    /// <summary><c>p99_prepare_duration</c>: 99th percentile of the time from submission until execution starts.</summary>
    P99PrepareDuration = 1L << 14,

    /// <summary><c>p25_duration</c>: 25th percentile of the execution time.</summary>
    P25Duration = 1L << 15,

    /// <summary><c>p50_duration</c>: median execution time.</summary>
    P50Duration = 1L << 16,

    /// <summary><c>p75_duration</c>: 75th percentile of the execution time.</summary>
    P75Duration = 1L << 17,

    /// <summary><c>p90_duration</c>: 90th percentile of the execution time.</summary>
    P90Duration = 1L << 18,

    /// <summary><c>p95_duration</c>: 95th percentile of the execution time.</summary>
    P95Duration = 1L << 19,

    /// <summary><c>p99_duration</c>: 99th percentile of the execution time.</summary>
    P99Duration = 1L << 20,

    /// <summary><c>cold_boot_count</c>: requests that waited more than one second for a runner to start.</summary>
    ColdBootCount = 1L << 21,

    /// <summary><c>p50_cold_boot_duration</c>: median start-up time of cold boots.</summary>
    P50ColdBootDuration = 1L << 22,

    /// <summary><c>p75_cold_boot_duration</c>: 75th percentile of the start-up time of cold boots.</summary>
    P75ColdBootDuration = 1L << 23,

    /// <summary><c>p90_cold_boot_duration</c>: 90th percentile of the start-up time of cold boots.</summary>
    P90ColdBootDuration = 1L << 24,

    /// <summary><c>total_billable_duration</c>: the sum of the execution time that is billed.</summary>
    TotalBillableDuration = 1L << 25,

    /// <summary>Both shapes: <see cref="TimeSeries"/> and <see cref="Summary"/>.</summary>
    Structure = TimeSeries | Summary,

    /// <summary>Requests by outcome: all, successful, the caller's errors, the server's errors.</summary>
    Volume = RequestCount | SuccessCount | UserErrorCount | ErrorCount,

    /// <summary>The server's errors by cause: start-up, connection, time-out, runtime.</summary>
    ErrorBreakdown = StartupErrorCount | ConnectionErrorCount | TimeoutErrorCount | RuntimeErrorCount,

    /// <summary>Percentiles 50 to 99 of the wait before execution. The service offers no 25th here.</summary>
    PrepareLatency = P50PrepareDuration | P75PrepareDuration | P90PrepareDuration | P95PrepareDuration | P99PrepareDuration,

    /// <summary>Percentiles 25 to 99 of the execution time.</summary>
    ExecutionLatency = P25Duration | P50Duration | P75Duration | P90Duration | P95Duration | P99Duration,

    /// <summary>
    /// Cold boots: how many, and three percentiles of how long. The service is known to answer 500 when the percentiles are requested for
    /// some endpoints; <see cref="ColdBootCount"/> alone is safe.
    /// </summary>
    ColdBoot = ColdBootCount | P50ColdBootDuration | P75ColdBootDuration | P90ColdBootDuration,

    /// <summary>Every metric except the three cold-boot percentiles, on which the service is known to fail for some endpoints.</summary>
    Standard = Volume | ErrorBreakdown | PrepareLatency | ExecutionLatency | ColdBootCount | TotalBillableDuration,

    /// <summary>All 24 metrics. <see cref="Standard"/> is the safer choice: see <see cref="ColdBoot"/>.</summary>
    AllMetrics = Standard | ColdBoot,
}
