namespace Fal.Observability.Client;

/// <summary>How far a report has come.</summary>
/// <param name="WindowsDone">The windows of the range that are complete.</param>
/// <param name="Windows">All windows of the range; 0 for a report without a time series.</param>
/// <param name="Rows">The rows of the time series that have come so far.</param>
/// <param name="Calls">The calls so far, each counted once however often it was sent.</param>
/// <param name="Retries">How many times a call was sent again.</param>
public sealed record AnalyticsProgress(int WindowsDone, int Windows, long Rows, int Calls, int Retries);
