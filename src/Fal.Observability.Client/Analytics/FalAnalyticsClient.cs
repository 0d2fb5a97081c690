using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;

namespace Fal.Observability.Client;

/// <summary>The typed analytics client over <see cref="IFalAnalyticsApi"/>.</summary>
internal sealed class FalAnalyticsClient(IFalAnalyticsApi api, FalObservabilityOptions options, TimeProvider time, ILogger log) : IFalAnalyticsClient
{
    private readonly AnalyticsCaller _caller = new(api, options);

    public Task<AnalyticsPage> GetPageAsync(AnalyticsQuery query, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(query);
        query.ValidateForOneCall();
        DateTimeOffset now = time.GetUtcNow();
        return _caller.SendAsync(query.Resolve(now), null, now, cancellationToken);
    }

    public Task<AnalyticsPage?> GetNextPageAsync(AnalyticsPage page, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(page);
        if (page.Query is not { } query)
            throw new ArgumentException("The page carries no query, so nobody knows what it is a page of: pass one that GetPageAsync returned.", nameof(page));

        if (page.NextCursor is null)
            return Task.FromResult<AnalyticsPage?>(null);

        if (page.NextCursor == query.Cursor)
            throw AnalyticsPageReader.CursorRepeats(page.NextCursor);

        return _caller.SendAsync(query with { Cursor = page.NextCursor }, page, time.GetUtcNow(), cancellationToken)!;
    }

    public Task<AnalyticsReport> GetReportAsync(
        AnalyticsQuery query, IProgress<AnalyticsProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(query);
        query.ValidateForAllPages();
        DateTimeOffset now = time.GetUtcNow();
        return ReportAsync(query.Resolve(now), now, progress, cancellationToken);
    }

    public IAsyncEnumerable<AnalyticsBucket> StreamTimeSeriesAsync(AnalyticsQuery query, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(query);
        query.ValidateForAllPages();
        DateTimeOffset now = time.GetUtcNow();
        return StreamAsync(query.Resolve(now), now, cancellationToken);
    }

    private async Task<AnalyticsReport> ReportAsync(
        AnalyticsQuery query, DateTimeOffset now, IProgress<AnalyticsProgress>? progress, CancellationToken cancellationToken)
    {
        using var run = new AnalyticsRun(_caller, options, now, log, query);
        bool both = (query.Expand & AnalyticsExpand.Structure) == 0;
        bool withSummary = both || query.Expand.HasFlag(AnalyticsExpand.Summary);
        IReadOnlyList<AnalyticsTimeRange> windows = both || query.Expand.HasFlag(AnalyticsExpand.TimeSeries)
            ? AnalyticsCalendar.Windows(query, options.BucketsPerWindow)
            : [];
        var series = new List<AnalyticsBucket>[windows.Count];
        IReadOnlyList<AnalyticsRow> summary = [];
        object progressLock = new();
        int done = 0;
        long rows = 0;

        // Where endpoints or metrics may have to be left out, the first window finds out for the others.
        int alone = query.RefusedEndpoints == RefusedEndpointPolicy.Skip || query.DegradeOnServerError ? Math.Min(1, windows.Count) : 0;
        for (int window = 0; window < alone; window++)
            await ReadWindowAsync(window, cancellationToken).ConfigureAwait(false);

        // The summary is the piece of work after the last window.
        int end = windows.Count + (withSummary ? 1 : 0);
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = options.MaxConcurrentCalls, CancellationToken = cancellationToken };
        await Parallel.ForAsync(
            alone,
            end,
            parallel,
            async (piece, token) =>
            {
                if (piece < windows.Count)
                    await ReadWindowAsync(piece, token).ConfigureAwait(false);
                else
                    summary = await run.ReadSummaryAsync(token).ConfigureAwait(false);
            }).ConfigureAwait(false);

        return new AnalyticsReport
        {
            Query = query,
            TimeSeries = [.. series.SelectMany(buckets => buckets)],
            Summary = summary,
            RefusedEndpoints = run.RefusedEndpoints,
            MissingMetrics = run.MissingMetrics,
            Calls = run.Calls,
            Retries = run.Retries,
        };

        async Task ReadWindowAsync(int window, CancellationToken token)
        {
            List<AnalyticsBucket> buckets = [];
            await foreach (AnalyticsBucket bucket in run.ReadWindowAsync(windows[window], window == 0, streaming: false, token).ConfigureAwait(false))
                buckets.Add(bucket);

            series[window] = buckets;
            lock (progressLock)
            {
                done++;
                rows += buckets.Sum(bucket => (long)bucket.Rows.Count);
                progress?.Report(new AnalyticsProgress(done, windows.Count, rows, run.Calls, run.Retries));
            }
        }
    }

    private async IAsyncEnumerable<AnalyticsBucket> StreamAsync(
        AnalyticsQuery query, DateTimeOffset now, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var run = new AnalyticsRun(_caller, options, now, log, query);
        bool first = true;
        foreach (AnalyticsTimeRange window in AnalyticsCalendar.Windows(query, options.BucketsPerWindow))
        {
            await foreach (AnalyticsBucket bucket in run.ReadWindowAsync(window, first, streaming: true, cancellationToken).ConfigureAwait(false))
                yield return bucket;

            first = false;
        }
    }
}
