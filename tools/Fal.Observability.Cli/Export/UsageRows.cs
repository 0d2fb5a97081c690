using Fal.Observability.Client;

namespace Fal.Observability.Cli.Export;

/// <summary>The rows of the table <c>usage</c>: the bill of the whole account.</summary>
internal sealed class UsageRows(IFalUsageClient usage, TimeProvider time) : IWarehouseSource
{
    // No endpoint has a blank in its id.
    private const string Account = "the whole account";

    public WarehouseTable Table => WarehouseTable.Usage;

    public IReadOnlyList<string> SubjectsOf(ExportRequest request) => [Account];

    public async Task<WarehouseAnswer> ReadAsync(ExportRequest request, WarehouseSlice slice, CancellationToken cancellationToken)
    {
        UsageReport report = await usage.GetReportAsync(
            new UsageQuery { Range = AnalyticsTimeRange.Between(slice.Start, slice.End), Timeframe = request.Timeframe },
            cancellationToken
        );
        DateTimeOffset final = time.GetUtcNow() - Exporter.FinalAfter;
        return new WarehouseAnswer(
            [
                .. report.TimeSeries.SelectMany(bucket => bucket.Rows.Select((row, i) => WarehouseTable.Usage.RowOf(
                    new(bucket.Start, slice.Timeframe, bucket.Start > final, row, Line: i + 1)))),
            ],
            IsProvisional: false);
    }
}
