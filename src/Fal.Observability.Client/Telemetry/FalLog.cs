using Microsoft.Extensions.Logging;

namespace Fal.Observability.Client;

/// <summary>
/// Every log event of the client, with ids that stay. A healthy call logs at Debug only. No event carries a header, a
/// query or a body.
/// </summary>
internal static partial class FalLog
{
    /// <summary>The one category, so that one line of configuration sets the level.</summary>
    public const string Category = "Fal.Observability.Client";

    [LoggerMessage(1, LogLevel.Debug, "{Operation} answered {Status} after {Attempts} attempt(s) in {ElapsedMilliseconds} ms")]
    public static partial void CallCompleted(this ILogger logger, string operation, int status, int attempts, long elapsedMilliseconds);

    [LoggerMessage(2, LogLevel.Warning, "{Operation}: attempt {Attempt} ended with {Cause}; the next one starts in {DelayMilliseconds} ms")]
    public static partial void Retrying(this ILogger logger, string operation, int attempt, string cause, long delayMilliseconds);

    [LoggerMessage(3, LogLevel.Warning, "{Operation}: rate limited; the service asks to wait {WaitSeconds} s, which does not fit the limits, so the call fails now")]
    public static partial void RateLimitExceedsBudget(this ILogger logger, string operation, double waitSeconds);

    [LoggerMessage(4, LogLevel.Warning, "{Operation}: refused with {Status} ({Reason})")]
    public static partial void Refused(this ILogger logger, string operation, int status, string reason);

    [LoggerMessage(5, LogLevel.Warning, "{Count} line(s) of the metrics break the format; what could not be read was skipped. The first is line {Line}, column {Column}: {Reason}")]
    public static partial void LinesSkipped(this ILogger logger, long count, long line, long column, string reason);

    [LoggerMessage(6, LogLevel.Warning, "Watching the metrics: read {Failures} in a row failed ({Failure}); the watch goes on")]
    public static partial void WatchFailed(this ILogger logger, int failures, string failure);

    [LoggerMessage(7, LogLevel.Warning, "{Count} endpoint(s) were refused and are left out: {EndpointIds}")]
    public static partial void EndpointsSkipped(this ILogger logger, int count, string endpointIds);

    [LoggerMessage(8, LogLevel.Warning, "The service failed on the cold-boot percentiles; they are left out for {Count} endpoint(s)")]
    public static partial void MetricsLeftOut(this ILogger logger, int count);

    [LoggerMessage(9, LogLevel.Warning, "Watching the analytics: read {Failures} in a row failed ({Failure}); the watch goes on")]
    public static partial void AnalyticsWatchFailed(this ILogger logger, int failures, string failure);
}
