using Fal.Observability.Client;

namespace Fal.Observability.Cli.Export;

/// <summary>The rows of the table <c>analytics</c>.</summary>
internal sealed class AnalyticsRows(IFalAnalyticsClient analytics) : IWarehouseSource
{
    public WarehouseTable Table => WarehouseTable.Analytics;

    public IReadOnlyList<string> SubjectsOf(ExportRequest request) => request.EndpointIds;

    public async Task<WarehouseAnswer> ReadAsync(ExportRequest request, WarehouseSlice slice, CancellationToken cancellationToken)
    {
        var query = new AnalyticsQuery(slice.EndpointIds)
        {
            Expand = AnalyticsExpand.TimeSeries | AnalyticsExpand.AllMetrics,
            Range = AnalyticsTimeRange.Between(slice.Start, slice.End),
            Timeframe = request.Timeframe,
            RefusedEndpoints = RefusedEndpointPolicy.Skip,
            DegradeOnServerError = true,
        };
        AnalyticsReport report = await analytics.GetReportAsync(query, progress: null, cancellationToken);
        IEnumerable<WarehouseRow> rows = report.TimeSeries.SelectMany(bucket => bucket.Rows.Select(row => WarehouseTable.Analytics.RowOf(
            new(bucket.Start, slice.Timeframe, bucket.IsProvisional || bucket.IsOpen, row, row.EndpointId))));
        return new WarehouseAnswer([.. rows], report.TimeSeries.Any(bucket => bucket.IsProvisional || bucket.IsOpen))
        {
            Refused = report.RefusedEndpoints,
            Missing = report.MissingMetrics,
        };
    }
}
