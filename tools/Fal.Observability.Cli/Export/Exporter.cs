using System.Net;
using Fal.Observability.Client;

namespace Fal.Observability.Cli.Export;

/// <summary>
/// Exports a table partition by partition. What is final is exported once; starting with the first partition that is not, it is exported
/// again the next time, so that rows are replaced by what they have become.
/// </summary>
internal sealed class Exporter(IWarehouseSource source, IWarehouseStore store, ExportProgress progress, TimeProvider time)
{
    /// <summary>The service lags by minutes, and by hours when it goes badly. Nothing but the time shows that a row is late.</summary>
    public static readonly TimeSpan FinalAfter = TimeSpan.FromDays(1);

    // Metrics that the service fails on may come back; those that do not must not have everything read again for ever.
    private static readonly TimeSpan FinalWithoutMetricsAfter = TimeSpan.FromDays(30);

    /// <summary>Whether the service will not answer, while it answers others: no permission, or no such app.</summary>
    public static bool IsRefusal(FalApiException failure) =>
        failure is FalForbiddenException { Reason: FalForbiddenReason.PermissionOrOwnership } or { StatusCode: HttpStatusCode.NotFound };

    /// <summary>Exports what there is to export.</summary>
    /// <param name="request">What to export.</param>
    /// <param name="report">Told of each partition: how many are done, of how many, and the rows of this one.</param>
    /// <param name="refused">
    /// Told once of each endpoint that the service refuses, with its reason. What was exported of it before stays.
    /// </param>
    /// <param name="missing">
    /// Told once of each endpoint for which the service fails on some metrics: of rows that are new their columns are empty, and rows that
    /// were exported before stay as they are.
    /// </param>
    /// <param name="cancellationToken">Stops the export; completed partitions are kept, and the next export continues after them.</param>
    /// <returns>How many rows were left out because another row of the same endpoint and bucket precedes them.</returns>
    public async Task<int> RunAsync(
        ExportRequest request,
        Action<int, int, int> report,
        Action<AnalyticsRefusedEndpoint> refused,
        Action<AnalyticsMissingMetrics> missing,
        CancellationToken cancellationToken)
    {
        DateTimeOffset now = time.GetUtcNow();
        DateTimeOffset first = Instant(request.First);
        DateTimeOffset end = request.Last is { } last && last < DateOnly.FromDateTime(now.UtcDateTime) ? Instant(last.AddDays(1)) : now;
        await store.UpgradeAsync(cancellationToken);
        if (await store.IsEmptyAsync(cancellationToken))
        {
            await progress.ForgetAsync(source.Table, request.TimeframeName);
        }

        // Endpoints with the same progress are requested together.
        var parts = source.SubjectsOf(request)
            .GroupBy(id => StartOf(progress.Find(source.Table, request.TimeframeName, id), first, now))
            .Select(part =>
                (
                    Start: part.Key,
                    EndpointIds: part.ToList(),
                    Partitions: WarehousePartition.Between(part.Key, end, request.Timeframe).ToArray()
                )
            )
            .ToArray();
        var told = new HashSet<string>(StringComparer.Ordinal);
        int done = 0;
        int leftOut = 0;
        foreach ((DateTimeOffset start, List<string> endpoints, WarehousePartition[] partitions) in parts)
        {
            Dictionary<string, DateTimeOffset> finalUntil = endpoints.ToDictionary(id => id, _ => start, StringComparer.Ordinal);
            HashSet<string> unsettled = [];
            foreach (WarehousePartition partition in partitions.TakeWhile(_ => endpoints.Count > 0))
            {
                var slice = new WarehouseSlice(
                    source.Table,
                    request.TimeframeName,
                    [.. endpoints],
                    partition.Start > start ? partition.Start : start,
                    partition.End < end ? partition.End : end
                );
                WarehouseAnswer answer;
                try
                {
                    answer = await source.ReadAsync(request, slice, cancellationToken);
                }
                catch (FalApiException refusal) when (IsRefusal(refusal))
                {
                    // All endpoints of this part were refused; other parts may still succeed.
                    foreach (string endpoint in endpoints)
                    {
                        refused(new AnalyticsRefusedEndpoint(endpoint, refusal.StatusCode, refusal.ServiceMessage));
                    }

                    break;
                }

                foreach (AnalyticsRefusedEndpoint endpoint in answer.Refused.Where(endpoint => endpoints.Remove(endpoint.EndpointId)))
                {
                    finalUntil.Remove(endpoint.EndpointId);
                    refused(endpoint);
                }

                foreach (AnalyticsMissingMetrics endpoint in answer.Missing.Where(endpoint => told.Add(endpoint.EndpointId)))
                {
                    missing(endpoint);
                }

                // A bucket that was not asked for belongs into another partition, which has it.
                WarehouseRow[] sent = [.. answer.Rows.Where(row => row.Key.BucketStart >= slice.Start && row.Key.BucketStart < slice.End)];
                // Rows without an id, or with ids that differ in what no store can hold, have the same key.
                WarehouseRow[] rows = [.. sent.DistinctBy(row => row.Key)];
                leftOut += sent.Length - rows.Length;
                // An endpoint and a route of it that are both asked for have rows in common.
                HashSet<string> failing =
                [
                    .. endpoints.Where(id => answer.Missing.Any(
                        endpoint => WarehouseSlice.Includes(id, endpoint.EndpointId) || WarehouseSlice.Includes(endpoint.EndpointId, id))),
                ];
                WarehouseSlice whole = slice with
                {
                    EndpointIds = [.. endpoints.Where(id => !failing.Contains(id))],
                    OnlyFillsIn = answer.OnlyFillsIn,
                };
                WarehouseSlice parted = slice with { EndpointIds = [.. failing], OnlyFillsIn = true };
                ILookup<bool, WarehouseRow> isParted = rows.ToLookup(row => parted.EndpointIds.Count > 0 && parted.Covers(row.Key));
                foreach (
                    (WarehouseSlice some, bool isOfParted) in new[] { (whole, false), (parted, true) }.Where(some =>
                        some.Item1.EndpointIds.Count > 0
                    )
                )
                {
                    // The current partition is completed: an interruption takes effect before the next one.
                    await store.ReplaceAsync(partition, some, [.. isParted[isOfParted]], CancellationToken.None);
                }

                bool hasSettled = slice.End <= now - FinalAfter && !answer.IsProvisional;
                unsettled.UnionWith(
                    endpoints.Where(id => !hasSettled || (failing.Contains(id) && slice.End > now - FinalWithoutMetricsAfter))
                );
                foreach (string endpoint in endpoints.Where(id => !unsettled.Contains(id)))
                {
                    finalUntil[endpoint] = slice.End;
                }

                await progress.SaveAsync(source.Table, request.TimeframeName, start, finalUntil);
                report(++done, parts.Sum(part => part.Partitions.Length), rows.Length);
            }
        }

        return leftOut;
    }

    // An earlier first day is filled in, and a later one removes nothing. A clock that was ahead must not hide later data.
    private static DateTimeOffset StartOf(ExportState? before, DateTimeOffset first, DateTimeOffset now) =>
        before is null || first < before.First || before.FinalUntil > now ? first : before.FinalUntil;

    private static DateTimeOffset Instant(DateOnly day) => new(day.ToDateTime(TimeOnly.MinValue), TimeSpan.Zero);
}
