using Microsoft.Extensions.Logging;

namespace Fal.Observability.Client;

/// <summary>
/// Every log event of the client. The ids do not change. A healthy call logs at Debug only. No event carries a header, a query or a body.
/// </summary>
internal static partial class FalLog
{
    /// <summary>
    /// The category of the default account, and the prefix of all others, so that one line of configuration sets the level.
    /// </summary>
    public const string Category = "Fal.Observability.Client";

    /// <summary>The category of an account's events, which names the account.</summary>
    /// <param name="account">The service key of the account's registration; null for the default one.</param>
    public static string CategoryOf(string? account) => account is null ? Category : $"{Category}.{account}";

    [LoggerMessage(1, LogLevel.Debug, "{Operation} answered {Status} after {Attempts} attempt(s) in {ElapsedMilliseconds} ms")]
    public static partial void CallCompleted(this ILogger logger, string operation, int status, int attempts, long elapsedMilliseconds);

    [LoggerMessage(2, LogLevel.Warning,
        "{Operation}: attempt {Attempt} failed: {Cause}. The next attempt starts in {DelayMilliseconds} ms")]
    public static partial void Retrying(this ILogger logger, string operation, int attempt, string cause, long delayMilliseconds);

    [LoggerMessage(
        3,
        LogLevel.Warning,
        "{Operation}: rate limited. The service asks for a wait of {WaitSeconds} s, which exceeds the client's limits. The call fails now"
    )]
    public static partial void RateLimitExceedsBudget(this ILogger logger, string operation, double waitSeconds);

    [LoggerMessage(4, LogLevel.Warning, "{Operation}: refused with {Status} ({Reason})")]
    public static partial void Refused(this ILogger logger, string operation, int status, string reason);

    [LoggerMessage(5, LogLevel.Warning, "{Count} line(s) of the metrics are malformed. The lines that could not be read were skipped. " +
        "The first problem is in line {Line}, column {Column}: {Reason}")]
    public static partial void LinesSkipped(this ILogger logger, long count, long line, long column, string reason);

    [LoggerMessage(6, LogLevel.Warning,
        "Watching the metrics: {Failures} consecutive read(s) failed. The watch continues. The last failure: {Failure}")]
    public static partial void WatchFailed(this ILogger logger, int failures, string failure);

    [LoggerMessage(7, LogLevel.Warning, "{Count} endpoint(s) were refused and skipped: {EndpointIds}")]
    public static partial void EndpointsSkipped(this ILogger logger, int count, string endpointIds);

    [LoggerMessage(8, LogLevel.Warning, "The service failed on the cold-boot percentiles. They were skipped for {Count} endpoint(s)")]
    public static partial void MetricsLeftOut(this ILogger logger, int count);

    [LoggerMessage(9, LogLevel.Warning,
        "Watching the analytics: {Failures} consecutive read(s) failed. The watch continues. The last failure: {Failure}")]
    public static partial void AnalyticsWatchFailed(this ILogger logger, int failures, string failure);

    [LoggerMessage(
        10,
        LogLevel.Warning,
        "Some lines of the metrics are malformed, but every sample was kept. The first problem is in line {Line}, column {Column}: {Reason}"
    )]
    public static partial void LinesKept(this ILogger logger, long line, long column, string reason);

    [LoggerMessage(11, LogLevel.Warning, "The service sent {Buckets} time bucket(s) with {Rows} row(s) that start at the end of the " +
        "range {Range} or later. They were skipped")]
    public static partial void BucketsBeyondEnd(this ILogger logger, int buckets, long rows, string range);

    [LoggerMessage(12, LogLevel.Warning, "Publishing the analytics of account {Account}: {Count} row(s) of the latest bucket have no " +
        "readable endpoint id. They belong to no endpoint and were skipped")]
    public static partial void RowsWithoutId(this ILogger logger, string account, int count);

    [LoggerMessage(13, LogLevel.Debug, "The query does not request {Metrics}. Rates of AnalyticsTotals that need them are null. Add " +
        "them to Expand, or use AnalyticsExpand.Volume")]
    public static partial void RatesAreNull(this ILogger logger, string metrics);

    [LoggerMessage(14, LogLevel.Warning,
        "The service sent {Count} app(s) of the environment {Environment} and announced more. The client " +
        "cannot request the rest, because the service does not document how. The list is incomplete. A newer version of this package " +
        "may be able to read the whole list")]
    public static partial void AppsLeftOut(this ILogger logger, int count, string environment);

    [LoggerMessage(20, LogLevel.Warning, "Publishing the metrics of account {Account}: {Failures} consecutive read(s) failed. The next " +
        "read starts in {Seconds:0} s{OrSooner}. The last failure: {Failure}")]
    public static partial void PublishReadFailed(
        this ILogger logger, string account, int failures, double seconds, string orSooner, string failure);

    [LoggerMessage(21, LogLevel.Error, "Publishing the metrics of account {Account}: {Failures} consecutive read(s) failed, the last one " +
        "with an unexpected exception. The next read starts in {Seconds:0} s")]
    public static partial void PublishReadBroke(this ILogger logger, Exception exception, string account, int failures, double seconds);

    [LoggerMessage(
        22,
        LogLevel.Information,
        "Publishing the metrics of account {Account}: the reads succeed again after {Failures} failure(s)"
    )]
    public static partial void PublishRecovered(this ILogger logger, string account, int failures);

    [LoggerMessage(23, LogLevel.Warning, "{Metric} has had more than {Limit} series. An OpenTelemetry pipeline folds the series above " +
        "its limit into one meaningless point. Raise the pipeline's cardinality limit for this metric, as docs/publishing.md shows")]
    public static partial void CardinalityLimitPassed(this ILogger logger, string metric, int limit);

    [LoggerMessage(24, LogLevel.Warning, "{Metric} of account {Account} is not published, because {Reason}. Read it from a snapshot. " +
        "Further samples that are left out for this reason are not logged")]
    public static partial void InstrumentLeftOut(this ILogger logger, string metric, string account, string reason);

    [LoggerMessage(25, LogLevel.Warning, "Publishing the analytics of account {Account}: a read failed. The next read starts in " +
        "{Minutes:0} minutes. Further failures of this kind are not logged. The failure: {Failure}")]
    public static partial void AnalyticsPublishFailed(this ILogger logger, string account, string failure, double minutes);

    [LoggerMessage(26, LogLevel.Error, "Publishing: a listener for new instruments threw an exception. The reads continue")]
    public static partial void ListenerBroke(this ILogger logger, Exception exception);

    [LoggerMessage(27, LogLevel.Information, "Account {Account}: {Source} has a new key. The client uses it from now on")]
    public static partial void KeyChanged(this ILogger logger, string account, string source);

    [LoggerMessage(28, LogLevel.Warning, "Account {Account}: {Source} {Problem} The last valid key stays in use. {Advice}")]
    public static partial void KeyUnusable(this ILogger logger, string account, string source, string problem, string advice);

    [LoggerMessage(
        29,
        LogLevel.Information,
        "{Operation}: the service refused the key with 401, but a newer key is available. The client retries the call once with the " +
            "newer key"
    )]
    public static partial void SentWithNewKey(this ILogger logger, string operation);

    [LoggerMessage(30, LogLevel.Information, "Publishing the analytics of account {Account}: the reads succeed again")]
    public static partial void AnalyticsPublishRecovered(this ILogger logger, string account);

    [LoggerMessage(
        31,
        LogLevel.Warning,
        "Publishing the analytics of account {Account}: {Count} value(s) of the latest bucket are not finite numbers. They were skipped"
    )]
    public static partial void ValuesOfNoNumber(this ILogger logger, string account, int count);
}
