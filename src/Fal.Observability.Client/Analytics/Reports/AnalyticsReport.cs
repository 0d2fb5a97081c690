using System.Globalization;

namespace Fal.Observability.Client;

/// <summary>
/// The whole answer to a query of any size: every endpoint, every page, every bucket once. What is not in it is named in it.
/// </summary>
/// <remarks>
/// A report is immutable and safe to share between threads. It can be made in a test with an object initializer. Two reports over the
/// same data are equal in every byte of their JSON, however the service cut its pages: buckets ascend, and the rows of a bucket stand
/// in the order of the query's endpoints, each followed by its routes in ordinal order.
/// </remarks>
public sealed class AnalyticsReport
{
    /// <summary>The query that was answered, with its range fixed.</summary>
    public required AnalyticsQuery Query { get; init; }

    /// <summary>
    /// The buckets in ascending order, none of which starts at the end of the range or later. Empty if the query asked for
    /// <see cref="AnalyticsExpand.Summary"/> alone. Where the service sends a bucket or a row twice, the values of the later one count.
    /// </summary>
    public IReadOnlyList<AnalyticsBucket> TimeSeries
    {
        get;
        init
        {
            ArgumentNullException.ThrowIfNull(value);
            field = [.. value];
        }
    } = [];

    /// <summary>
    /// One row for each endpoint over the whole range, as the service computed it: percentiles of parts cannot be merged, so no part
    /// of it is derived from the buckets. Empty if the query asked for <see cref="AnalyticsExpand.TimeSeries"/> alone.
    /// </summary>
    public IReadOnlyList<AnalyticsRow> Summary
    {
        get;
        init
        {
            ArgumentNullException.ThrowIfNull(value);
            field = [.. value];
        }
    } = [];

    /// <summary>
    /// The endpoints that the service refused and that are not in the data, in the whole range or in a part of it, in the order of the
    /// query. Always empty with <see cref="RefusedEndpointPolicy.Throw"/>.
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
    /// The endpoints whose rows lack metrics that were asked for, because the service failed on them, in the order of the query. Always
    /// empty unless <see cref="AnalyticsQuery.DegradeOnServerError"/> is set.
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

    /// <summary>How many calls the report took, each counted once however often it was sent.</summary>
    public int Calls { get; init; }

    /// <summary>
    /// How many times a call was sent again after a failure. Not counted where a pipeline of your own replaces the HTTP handlers.
    /// </summary>
    public int Retries { get; init; }

    /// <summary>What the report holds and lacks, on one line for a log; no data.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"{TimeSeries.Count} buckets, {Summary.Count} summary rows, {RefusedEndpoints.Count} endpoints refused, {MissingMetrics.Count} with missing metrics, {Calls} calls, {Retries} retries | {Query}");
}
