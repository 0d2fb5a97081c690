using Fal.Observability.Client;

namespace Fal.Observability.Cli.Export;

/// <summary>The rows of the table <c>runners</c>.</summary>
internal sealed class RunnerRows(IFalAppsClient apps, TimeProvider time) : IWarehouseSource
{
    // One call answers for one app, so it asks for several days at once.
    private static readonly TimeSpan ReadAhead = TimeSpan.FromDays(30);

    private readonly Dictionary<string, (DateTimeOffset Start, DateTimeOffset End, WarehouseItem<RunnerCounts>[] Items)> _read = [];

    public WarehouseTable Table => WarehouseTable.Runners;

    /// <summary>The apps of the endpoints: a route has no runners of its own.</summary>
    public IReadOnlyList<string> SubjectsOf(ExportRequest request) =>
        [.. request.EndpointIds.Select(EndpointChoice.AppOf).Distinct(StringComparer.Ordinal)];

    public async Task<WarehouseAnswer> ReadAsync(ExportRequest request, WarehouseSlice slice, CancellationToken cancellationToken)
    {
        // The service keeps no more than this. Older rows that were exported before are kept.
        DateTimeOffset oldest = time.GetUtcNow() - FalRunnerHistoryQuery.Longest + TimeSpan.FromMinutes(1);
        if (slice.End <= oldest)
        {
            return new WarehouseAnswer([], IsProvisional: false) { OnlyFillsIn = true };
        }

        List<AnalyticsRefusedEndpoint> refused = [];
        List<WarehouseRow> rows = [];
        WarehouseSlice kept = slice.Start < oldest ? slice with { Start = oldest } : slice;
        foreach (string app in slice.EndpointIds)
        {
            try
            {
                WarehouseItem<RunnerCounts>[] items = await ItemsAsync(app, request.Timeframe, kept, cancellationToken);
                rows.AddRange(
                    items.Where(item => item.BucketStart >= kept.Start && item.BucketStart < kept.End).Select(WarehouseTable.Runners.RowOf)
                );
            }
            catch (FalApiException refusal) when (Exporter.IsRefusal(refusal))
            {
                refused.Add(new AnalyticsRefusedEndpoint(app, refusal.StatusCode, refusal.ServiceMessage));
            }
        }

        return new WarehouseAnswer(rows, IsProvisional: false) { Refused = refused, OnlyFillsIn = kept != slice };
    }

    private async Task<WarehouseItem<RunnerCounts>[]> ItemsAsync(
        string app, AnalyticsTimeframe timeframe, WarehouseSlice slice, CancellationToken cancellationToken)
    {
        if (_read.TryGetValue(app, out var read) && read.Start <= slice.Start && read.End >= slice.End)
        {
            return read.Items;
        }

        DateTimeOffset now = time.GetUtcNow();
        DateTimeOffset end = slice.Start + ReadAhead < now ? slice.Start + ReadAhead : now;
        end = end < slice.End ? slice.End : end;
        var range = AnalyticsTimeRange.Between(slice.Start, end);
        FalRunnerHistory max = await apps.GetRunnerHistoryAsync(app, range, timeframe, FalRunnerAggregation.Max, cancellationToken);
        FalRunnerHistory average = await apps.GetRunnerHistoryAsync(app, range, timeframe, FalRunnerAggregation.Average, cancellationToken);
        Dictionary<DateTimeOffset, FalRunnerBucket> averages = average.Buckets.ToDictionary(bucket => bucket.Start);
        Dictionary<DateTimeOffset, FalRunnerBucket> highest = max.Buckets.ToDictionary(bucket => bucket.Start);
        WarehouseItem<RunnerCounts>[] items =
        [
            .. highest.Keys.Union(averages.Keys).Order().Select(start => new WarehouseItem<RunnerCounts>(
                start, slice.Timeframe, start > now - Exporter.FinalAfter,
                new RunnerCounts(highest.GetValueOrDefault(start), averages.GetValueOrDefault(start)), app)),
        ];
        _read[app] = (slice.Start, end, items);
        return items;
    }
}
