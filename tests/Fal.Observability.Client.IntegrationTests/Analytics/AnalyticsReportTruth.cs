using System.Globalization;
using System.Text;
using Fal.Observability.Client.Testing;
using Xunit;

namespace Fal.Observability.Client.IntegrationTests;

/// <summary>Compares what the client put together with what the simulator prints in one piece.</summary>
internal static class AnalyticsReportTruth
{
    /// <summary>The metrics that the comparisons ask for: counts, percentiles, and one that is often null.</summary>
    public const AnalyticsExpand Metrics =
        AnalyticsExpand.RequestCount | AnalyticsExpand.ErrorCount | AnalyticsExpand.P90Duration | AnalyticsExpand.P50ColdBootDuration;

    /// <summary>The whole answer to a query over the endpoints that are not refused.</summary>
    public static AnalyticsAnswer Of(FalSimulator server, AnalyticsQuery query, IEnumerable<string>? endpointIds = null) =>
        server.Truth.Analytics(new AnalyticsRequest
        {
            EndpointIds = [.. endpointIds ?? query.EndpointIds],
            Metrics = [.. (query.Expand & AnalyticsExpand.AllMetrics).GetFlags().Select(metric => metric.GetWireName())],
            Summary = true,
            Time = new RequestedTime(query.Range.Start!.Value, query.Range.End!.Value, (BucketLength?)query.Timeframe)
            {
                Zone = query.TimeZone is null ? TimeZoneInfo.Utc : TimeZoneInfo.FindSystemTimeZoneById(query.TimeZone),
                Bound = query.BoundToTimeframe != false,
            },
        });

    public static void AssertEqual(AnalyticsAnswer truth, AnalyticsQuery query, IEnumerable<AnalyticsBucket> buckets) => Assert.Equal(
        truth.TimeSeries!.Select(bucket => Show(bucket.Start, InOrder(bucket.Rows, query), query)),
        buckets.Select(bucket => Show(bucket.Start, bucket.Rows, query)));

    public static void AssertEqual(AnalyticsAnswer truth, AnalyticsReport report)
    {
        AssertEqual(truth, report.Query, report.TimeSeries);
        Assert.Equal(
            InOrder(truth.Summary!, report.Query).Select(row => Show(row, report.Query)),
            report.Summary.Select(row => Show(row, report.Query)));
    }

    /// <summary>The rows as the client orders them: the endpoints of the query in their order, the routes of an app after it.</summary>
    public static IEnumerable<AnalyticsAnswerRow> InOrder(IEnumerable<AnalyticsAnswerRow> rows, AnalyticsQuery query)
    {
        List<string> ids = [.. query.EndpointIds];
        return rows.OrderBy(row =>
                ids.IndexOf(row.EndpointId) is >= 0 and var exact ? exact : ids.IndexOf(row.EndpointId[..row.EndpointId.LastIndexOf('/')])
            )
            .ThenBy(row => row.EndpointId, StringComparer.Ordinal);
    }

    private static string Show(DateTimeOffset start, IEnumerable<AnalyticsAnswerRow> rows, AnalyticsQuery query) =>
        Show(start, rows.Select(row => Show(row, query)));

    private static string Show(DateTimeOffset start, IEnumerable<AnalyticsRow> rows, AnalyticsQuery query) =>
        Show(start, rows.Select(row => Show(row, query)));

    private static string Show(DateTimeOffset start, IEnumerable<string> rows) =>
        new StringBuilder(start.UtcDateTime.ToString("s", CultureInfo.InvariantCulture))
            .Append(" [")
            .AppendJoin("; ", rows)
            .Append(']')
            .ToString();

    private static string Show(AnalyticsAnswerRow row, AnalyticsQuery query) =>
        Show(row.EndpointId, query, metric => row.GetValue(metric.GetWireName()));

    private static string Show(AnalyticsRow row, AnalyticsQuery query) => Show(row.EndpointId, query, row.GetValue);

    private static string Show(string id, AnalyticsQuery query, Func<AnalyticsExpand, double?> value) =>
        $"{id} {string.Join(' ', (query.Expand & AnalyticsExpand.AllMetrics).GetFlags().Select(metric => value(metric)?.ToString("R", CultureInfo.InvariantCulture) ?? "-"))}";
}
