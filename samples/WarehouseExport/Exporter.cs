using Fal.Observability.Client;

namespace Fal.Observability.WarehouseExport;

/// <summary>
/// Exports analytics partition by partition. What is final is exported once; the partition in which provisional buckets begin is exported
/// again the next time, so that they are replaced by what they have become.
/// </summary>
internal sealed class Exporter(IFalAnalyticsClient analytics, IWarehouseStore store, ExportProgress progress, TimeProvider time)
{
    /// <summary>Exports what there is to export.</summary>
    /// <param name="request">What to export.</param>
    /// <param name="report">Told of each partition: how many are done, of how many, and the rows of this one.</param>
    /// <param name="refused">Told once of each endpoint that the service refuses, with its reason.</param>
    /// <param name="cancellationToken">Ends the export; what was done stays, and the next export goes on behind it.</param>
    public async Task RunAsync(
        ExportRequest request, Action<int, int, int> report, Action<AnalyticsRefusedEndpoint> refused, CancellationToken cancellationToken)
    {
        DateTimeOffset now = time.GetUtcNow();
        ExportState? before = progress.Find(request.Name);
        DateTimeOffset asked = Instant(request.First);
        // What was exported before stays part of the export, also of a partition that is written again.
        DateTimeOffset first = before is not null && before.First < asked ? before.First : asked;
        DateTimeOffset end = request.Last is { } last && Instant(last.AddDays(1)) < now ? Instant(last.AddDays(1)) : now;
        DateTimeOffset start = before is null || asked < before.First ? first : before.FinalUntil;
        WarehousePartition[] partitions = [.. WarehousePartition.Between(start, end, request.Timeframe)];
        var told = new HashSet<string>(StringComparer.Ordinal);
        for (int i = 0; i < partitions.Length; i++)
        {
            AnalyticsReport answer = await analytics.GetReportAsync(QueryOf(request, partitions[i], first, end), progress: null, cancellationToken);
            foreach (AnalyticsRefusedEndpoint endpoint in answer.RefusedEndpoints.Where(endpoint => told.Add(endpoint.EndpointId)))
            {
                refused(endpoint);
            }

            WarehouseRow[] rows = [.. answer.TimeSeries.SelectMany(bucket => bucket.Rows.Select(row =>
                new WarehouseRow(bucket.Start, request.TimeframeName, bucket.IsProvisional || bucket.IsOpen, row)))];
            await store.ReplaceAsync(partitions[i], rows, cancellationToken);
            report(i + 1, partitions.Length, rows.Length);
            if (answer.TimeSeries.Any(bucket => bucket.IsProvisional || bucket.IsOpen) || partitions[i].End > now)
            {
                await progress.SaveAsync(request.Name, new ExportState(first, partitions[i].Start > first ? partitions[i].Start : first));
                return;
            }

            await progress.SaveAsync(request.Name, new ExportState(first, partitions[i].End < end ? partitions[i].End : end));
        }
    }

    private static DateTimeOffset Instant(DateOnly day) => new(day.ToDateTime(TimeOnly.MinValue), TimeSpan.Zero);

    private static AnalyticsQuery QueryOf(ExportRequest request, WarehousePartition partition, DateTimeOffset first, DateTimeOffset end) =>
        new(request.EndpointIds)
        {
            Expand = AnalyticsExpand.TimeSeries | AnalyticsExpand.AllMetrics,
            Range = AnalyticsTimeRange.Between(partition.Start > first ? partition.Start : first, partition.End < end ? partition.End : end),
            Timeframe = request.Timeframe,
            RefusedEndpoints = RefusedEndpointPolicy.Skip,
            DegradeOnServerError = true,
        };
}
