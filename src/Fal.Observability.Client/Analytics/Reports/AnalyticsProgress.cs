using System.Globalization;

namespace Fal.Observability.Client;

/// <summary>How far a report or stream has come, and what it has found out on the way.</summary>
/// <param name="WindowsDone">The windows of the range that are complete.</param>
/// <param name="Windows">All windows of the range; 0 for a report without a time series.</param>
/// <param name="Rows">The rows of the time series that have come so far.</param>
/// <param name="Calls">The calls so far, each counted once however often it was sent.</param>
/// <param name="Retries">How many times a call was sent again.</param>
public sealed record AnalyticsProgress(int WindowsDone, int Windows, long Rows, int Calls, int Retries)
{
    /// <summary>
    /// The endpoints that the service has refused so far and that are left out, in the order of the query. Always empty with
    /// <see cref="RefusedEndpointPolicy.Throw"/>.
    /// </summary>
    public IReadOnlyList<AnalyticsRefusedEndpoint> RefusedEndpoints
    {
        get;
        init
        {
            ArgumentNullException.ThrowIfNull(value);
            field = [.. value];
        }
    } = [];

    /// <summary>
    /// The endpoints whose rows lack metrics that were asked for, in the order of the query: see
    /// <see cref="AnalyticsQuery.DegradeOnServerError"/>.
    /// </summary>
    public IReadOnlyList<AnalyticsMissingMetrics> MissingMetrics
    {
        get;
        init
        {
            ArgumentNullException.ThrowIfNull(value);
            field = [.. value];
        }
    } = [];

    /// <summary>The numbers on one line, for a log.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"{WindowsDone} of {Windows} windows, {Rows} rows, {Calls} calls, {Retries} retries, {RefusedEndpoints.Count} endpoints " +
            $"refused, {MissingMetrics.Count} with missing metrics");
}
