using System.Runtime.CompilerServices;

namespace Fal.Observability.Client;

/// <summary>The typed usage client over <see cref="IFalUsageApi"/>.</summary>
internal sealed class FalUsageClient(IFalUsageApi api, FalObservabilityOptions options, TimeProvider time) : IFalUsageClient
{
    public Task<UsageReport> GetReportAsync(UsageQuery? query = null, CancellationToken cancellationToken = default) =>
        ReportAsync(Resolved(query), cancellationToken);

    public IAsyncEnumerable<UsageBucket> StreamTimeSeriesAsync(UsageQuery? query = null, CancellationToken cancellationToken = default) =>
        StreamAsync(Resolved(query) with { Expand = UsageExpand.TimeSeries }, cancellationToken);

    private UsageQuery Resolved(UsageQuery? query)
    {
        query ??= new UsageQuery();
        return query.Cursor is null
            ? query.Resolve(time.GetUtcNow())
            : throw new ArgumentException(
                "The query has a Cursor, which points to a page of a single call. Reports and streams read all pages themselves. " +
                    "Leave Cursor null, or use IFalUsageApi.",
                nameof(query));
    }

    private async Task<UsageReport> ReportAsync(UsageQuery query, CancellationToken cancellationToken)
    {
        List<UsageBucket> buckets = [];
        IReadOnlyList<UsageRow> summary = [];
        List<FalAnswer> answers = [];
        await foreach ((UsagePage page, IReadOnlyList<UsageBucket> series) in PagesAsync(query, cancellationToken).ConfigureAwait(false))
        {
            buckets.AddRange(series);
            answers.Add(page.Answer);
            summary = page.Summary.Count == 0 ? summary : UsageBucket.MergeSummary(summary, page.Summary);
        }

        return new UsageReport
        {
            Query = query,
            Answers = answers,
            // A stable order: parts of a bucket stay in the order in which they arrived.
            TimeSeries =
            [
                .. buckets.GroupBy(bucket => bucket.Start)
                    .OrderBy(parts => parts.Key)
                    .Select(parts => UsageBucket.Merge([.. parts], options.ApiKey)),
            ],
            Summary = query.Expand.HasFlag(UsageExpand.Summary) ? summary : [],
        };
    }

    private async IAsyncEnumerable<UsageBucket> StreamAsync(UsageQuery query, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        // The next page may continue the last bucket of the page before.
        List<UsageBucket> parts = [];
        await foreach ((_, IReadOnlyList<UsageBucket> series) in PagesAsync(query, cancellationToken).ConfigureAwait(false))
        {
            foreach (UsageBucket bucket in series)
            {
                if (parts is [var last, ..] && last.Start != bucket.Start)
                {
                    yield return last.Start < bucket.Start ? UsageBucket.Merge(parts, options.ApiKey) : throw PageGuard.Unusable(
                        $"The service sent the bucket {bucket} after a later one, {last}. The client cannot stream pages in this " +
                            $"order. Use GetReportAsync, which sorts them.");
                    parts.Clear();
                }

                parts.Add(bucket);
            }
        }

        if (parts.Count > 0)
        {
            yield return UsageBucket.Merge(parts, options.ApiKey);
        }
    }

    /// <summary>Follows the pages, each with its buckets as instants.</summary>
    private async IAsyncEnumerable<(UsagePage Page, IReadOnlyList<UsageBucket> Series)> PagesAsync(
        UsageQuery query, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var guard = new PageGuard(options);
        DateTimeOffset? last = null;
        string? cursor = null;
        do
        {
            guard.ThrowIfEndless(cursor);
            UsagePage page = await api.GetUsageAsync(query with { Cursor = cursor }, cancellationToken).ConfigureAwait(false);
            guard.PageCame();
            if (page.LacksCursor)
            {
                throw PageGuard.CursorIsMissing();
            }

            page.ThrowIfIncomplete(
                query.Expand.HasFlag(UsageExpand.TimeSeries), query.Expand.HasFlag(UsageExpand.Summary), isFirst: cursor is null);
            IReadOnlyList<UsageBucket> series = page.BucketsIn(query.Grid, last);
            query.Grid.ThrowIfOutside(series.Select(bucket => bucket.Start));
            last = series is [.., var end] ? end.Start : last;
            yield return (page, [.. series.Where(bucket => IsInRange(bucket, query))]);
            cursor = page.NextCursor;
        }
        while (cursor is not null);
    }

    /// <summary>
    /// Whether a bucket belongs to the range, whose end is exclusive. The service is known to send an empty one that starts after it. Money
    /// in a bucket outside the range is a fault, since it can neither be added nor left out.
    /// </summary>
    private static bool IsInRange(UsageBucket bucket, UsageQuery query)
    {
        bool isOutside = bucket.Start >= AnalyticsCalendar.EndOf(query.Grid) || bucket.Start < AnalyticsCalendar.FirstStart(query.Grid);
        return isOutside && bucket.Rows.Count > 0
            ? throw PageGuard.Unusable(
                $"The service sent usage in the bucket {bucket}, which is outside the requested range ({query.Range}). Repeat the "
                    + $"query. If the error persists, report it to fal with the query."
            )
            : !isOutside;
    }
}
