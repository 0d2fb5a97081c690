using System.Globalization;

namespace Fal.Observability.Client;

/// <summary>The progress of a report or stream, and the endpoints and metrics that it has skipped so far.</summary>
/// <param name="WindowsDone">The number of complete windows of the range.</param>
/// <param name="Windows">The number of all windows of the range; 0 for a report without a time series.</param>
/// <param name="Rows">The number of rows of the time series so far.</param>
/// <param name="Calls">The number of calls so far. A retried call counts once.</param>
/// <param name="Retries">How many times a call was sent again.</param>
public sealed record AnalyticsProgress(int WindowsDone, int Windows, long Rows, int Calls, int Retries)
{
    /// <summary>
    /// The endpoints that the service has refused so far and that are skipped, in the order of the query. Always empty with
    /// <see cref="RefusedEndpointPolicy.Throw"/>.
    /// </summary>
    public IReadOnlyList<AnalyticsRefusedEndpoint> RefusedEndpoints { get; init => field = OwnCopy.Of(value); } = [];

    /// <summary>
    /// The endpoints whose rows lack requested metrics, in the order of the query: see <see cref="AnalyticsQuery.DegradeOnServerError"/>.
    /// </summary>
    public IReadOnlyList<AnalyticsMissingMetrics> MissingMetrics { get; init => field = OwnCopy.Of(value); } = [];

    /// <summary>The numbers on one line, for a log.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"{WindowsDone} of {Windows} windows, {Rows} rows, {Calls} calls, {Retries} retries, {RefusedEndpoints.Count} endpoints " +
            $"refused, {MissingMetrics.Count} with missing metrics");
}
