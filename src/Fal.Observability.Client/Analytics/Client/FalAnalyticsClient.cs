using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;

namespace Fal.Observability.Client;

/// <summary>The typed analytics client over <see cref="IFalAnalyticsApi"/>.</summary>
internal sealed class FalAnalyticsClient(
    IFalAnalyticsApi api,
    FalObservabilityOptions options,
    TimeProvider time,
    ILogger log,
    Func<double> random,
    CancellationToken closed = default
) : IFalAnalyticsClient
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
        {
            throw new ArgumentException(
                "The page has no query, so the client cannot request the next page. Pass a page that GetPageAsync returned.",
                nameof(page)
            );
        }

        if (page.LacksCursor)
        {
            throw PageGuard.CursorIsMissing();
        }

        if (page.NextCursor is null)
        {
            return Task.FromResult<AnalyticsPage?>(null);
        }

        if (page.NextCursor == query.Cursor)
        {
            throw PageGuard.CursorRepeats(page.NextCursor, options);
        }

        return _caller.SendAsync(query with { Cursor = page.NextCursor }, page, time.GetUtcNow(), cancellationToken)!;
    }

    public Task<AnalyticsReport> GetReportAsync(
        AnalyticsQuery query, IProgress<AnalyticsProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(query);
        query.ValidateForAllPages();
        DateTimeOffset now = time.GetUtcNow();
        return ReportAsync(query.Resolve(now), now, [], progress, cancellationToken);
    }

    public IAsyncEnumerable<AnalyticsBucket> StreamTimeSeriesAsync(AnalyticsQuery query, CancellationToken cancellationToken = default) =>
        StreamTimeSeriesAsync(query, null, cancellationToken);

    public IAsyncEnumerable<AnalyticsBucket> StreamTimeSeriesAsync(
        AnalyticsQuery query, IProgress<AnalyticsProgress>? progress, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(query);
        query.ValidateForAllPages();
        DateTimeOffset now = time.GetUtcNow();
        AnalyticsQuery resolved = query.Resolve(now);
        return StreamAsync(resolved, AnalyticsCalendar.Windows(resolved.Grid, options.BucketsPerWindow), now, progress, cancellationToken);
    }

    public IAsyncEnumerable<AnalyticsWindow> StreamWindowsAsync(
        AnalyticsQuery query, AnalyticsCheckpoint? resumeFrom = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(query);
        query.ValidateForAllPages();
        if (resumeFrom?.IsOf(query) == false)
        {
            throw new ArgumentException(
                "The checkpoint belongs to another query: its endpoints, metrics, range, zone, timeframe or policies differ. Pass the " +
                    "query that created it, or start over without the checkpoint.",
                nameof(resumeFrom));
        }

        DateTimeOffset now = time.GetUtcNow();
        return StreamWindowsAsync(query, now, resumeFrom, cancellationToken);
    }

    public IAsyncEnumerable<AnalyticsBucket> WatchAsync(
        AnalyticsQuery query,
        TimeSpan interval,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentNullException.ThrowIfNull(query);
        query.ValidateForAllPages();
        PollInterval.ThrowIfOutOfRange(interval);
        if (query.Range.Duration is null || query.Timeframe is null)
        {
            throw new ArgumentException(
                "A watch needs a range that moves with time, and buckets of equal length. Set Range to " +
                    "AnalyticsTimeRange.Last(...), and set Timeframe.",
                nameof(query));
        }

        return WatchEveryAsync(
            query with
            {
                Expand = (query.Expand & ~AnalyticsExpand.Structure) | AnalyticsExpand.TimeSeries,
                ClosedOnly = true,
                BoundToTimeframe = true,
            },
            interval,
            cancellationToken);
    }

    private async Task<AnalyticsReport> ReportAsync(
        AnalyticsQuery query,
        DateTimeOffset now,
        IReadOnlyList<AnalyticsRefusedEndpoint> refused,
        IProgress<AnalyticsProgress>? progress,
        CancellationToken cancellationToken)
    {
        using var run = new AnalyticsRun(_caller, options, now, log, query, refused);
        bool both = (query.Expand & AnalyticsExpand.Structure) == 0;
        bool withSummary = both || query.Expand.HasFlag(AnalyticsExpand.Summary);
        IReadOnlyList<AnalyticsTimeRange> windows = both || query.Expand.HasFlag(AnalyticsExpand.TimeSeries)
            ? AnalyticsCalendar.Windows(query.Grid, options.BucketsPerWindow)
            : [];
        var series = new List<AnalyticsBucket>[windows.Count];
        IReadOnlyList<AnalyticsRow> summary = [];
        object progressLock = new();
        int done = 0;
        long rows = 0;

        // If endpoints or metrics may have to be skipped, the first window determines them for the others.
        int alone = query.RefusedEndpoints == RefusedEndpointPolicy.Skip || query.DegradeOnServerError ? Math.Min(1, windows.Count) : 0;
        for (int window = 0; window < alone; window++)
        {
            await ReadWindowAsync(window, cancellationToken).ConfigureAwait(false);
        }

        // The summary is read after the last window.
        int end = windows.Count + (withSummary ? 1 : 0);
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = options.MaxConcurrentCalls, CancellationToken = cancellationToken };
        await Parallel.ForAsync(
            alone,
            end,
            parallel,
            async (piece, token) =>
            {
                if (piece < windows.Count)
                {
                    await ReadWindowAsync(piece, token).ConfigureAwait(false);
                }
                else
                {
                    summary = await run.ReadSummaryAsync(token).ConfigureAwait(false);
                }
            }).ConfigureAwait(false);

        return new AnalyticsReport
        {
            Query = query,
            TimeSeries = [.. series.SelectMany(buckets => buckets)],
            Summary = summary,
            RefusedEndpoints = run.RefusedEndpoints,
            MissingMetrics = run.MissingMetrics,
            Answers = run.Answers,
            Calls = run.Calls,
            Retries = run.Retries,
        };

        async Task ReadWindowAsync(int window, CancellationToken token)
        {
            List<AnalyticsBucket> buckets = await run.CollectWindowAsync(windows[window], window == 0, token).ConfigureAwait(false);
            series[window] = buckets;
            lock (progressLock)
            {
                done++;
                rows += buckets.Sum(bucket => (long)bucket.Rows.Count);
                progress?.Report(run.Progress(done, windows.Count, rows));
            }
        }
    }

    private async IAsyncEnumerable<AnalyticsBucket> StreamAsync(
        AnalyticsQuery query,
        IReadOnlyList<AnalyticsTimeRange> windows,
        DateTimeOffset now,
        IProgress<AnalyticsProgress>? progress,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var run = new AnalyticsRun(_caller, options, now, log, query);
        long rows = 0;
        for (int window = 0; window < windows.Count; window++)
        {
            await foreach (
                AnalyticsBucket bucket in run.ReadWindowAsync(windows[window], window == 0, streaming: true, cancellationToken)
                    .ConfigureAwait(false)
            )
            {
                rows += bucket.Rows.Count;
                yield return bucket;
            }

            progress?.Report(run.Progress(window + 1, windows.Count, rows));
        }
    }

    private async IAsyncEnumerable<AnalyticsWindow> StreamWindowsAsync(
        AnalyticsQuery query,
        DateTimeOffset now,
        AnalyticsCheckpoint? resumeFrom,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        if (resumeFrom?.IsComplete == true)
        {
            yield break;
        }

        AnalyticsQuery resolved = resumeFrom is null
            ? query.Resolve(now)
            : query with { Range = AnalyticsTimeRange.Between(resumeFrom.ContinuesAt!.Value, resumeFrom.End!.Value) };
        using var run = new AnalyticsRun(_caller, options, now, log, resolved, resumeFrom?.RefusedEndpoints);
        IReadOnlyList<AnalyticsTimeRange> windows = AnalyticsCalendar.Windows(resolved.Grid, options.BucketsPerWindow);
        for (int window = 0; window < windows.Count; window++)
        {
            bool first = window == 0 && resumeFrom is null;
            List<AnalyticsBucket> buckets = await run.CollectWindowAsync(windows[window], first, cancellationToken).ConfigureAwait(false);
            bool last = window == windows.Count - 1;
            yield return new AnalyticsWindow
            {
                Range = windows[window],
                TimeSeries = buckets,
                RefusedEndpoints = run.RefusedEndpoints,
                MissingMetrics = run.MissingMetrics,
                Checkpoint = new AnalyticsCheckpoint(
                    query,
                    last ? null : windows[window + 1].Start,
                    last ? null : windows[^1].End,
                    run.RefusedEndpoints
                ),
            };
        }
    }

    private async IAsyncEnumerable<AnalyticsBucket> WatchEveryAsync(
        AnalyticsQuery query, TimeSpan interval, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var timer = new FalWatchTimer(interval, time, random, closed, cancellationToken);
        var watch = new AnalyticsWatch(query);
        IReadOnlyList<AnalyticsRefusedEndpoint> refused = [];
        int failures = 0;
        while (true)
        {
            AnalyticsReport? report = null;
            TimeSpan? asked = null;
            try
            {
                DateTimeOffset now = time.GetUtcNow();
                report = await ReportAsync(watch.QueryAt(now), now, refused, null, cancellationToken).ConfigureAwait(false);
                refused = report.RefusedEndpoints;
                failures = 0;
            }
            catch (FalObservabilityException e) when (e.IsRecoverable)
            {
                failures++;
                log.AnalyticsWatchFailed(failures, e.Message);
                asked = (e as FalApiException)?.RetryAfter;
            }

            if (report is not null)
            {
                foreach (AnalyticsBucket bucket in watch.TakeNewBuckets(report))
                {
                    yield return bucket;
                }
            }

            await timer.WaitAsync(asked).ConfigureAwait(false);
        }
    }
}
