using System.Globalization;

namespace Fal.Observability.Client;

/// <summary>
/// Reads the buckets of one group of endpoints in one window, whole and in ascending order. Memory holds at most one page of them as long
/// as the service sends them in that order.
/// </summary>
/// <param name="pages">The pages of the group.</param>
/// <param name="notBefore">The end of the previous window. Earlier buckets belong to that window. Null for the first window.</param>
/// <param name="end">The end of the window: a bucket that starts there or later is not part of it. Null if it is not known.</param>
/// <param name="exactEnds">Whether the service was told not to extend the window to whole buckets.</param>
/// <param name="maxBufferedRows">
/// The maximum number of rows to hold if the service's order is not ascending; null reads the whole window from the start.
/// </param>
/// <param name="onBeyondEnd">Called for each bucket that starts at the end of the window or later and is skipped.</param>
/// <param name="after">The last bucket that another reader returned for these endpoints; null if there was none.</param>
internal sealed class AnalyticsBucketReader(
    AnalyticsPageReader pages,
    DateTimeOffset? notBefore,
    DateTimeOffset? end,
    bool exactEnds,
    int? maxBufferedRows,
    Action<AnalyticsBucket> onBeyondEnd,
    DateTimeOffset? after)
{
    private readonly Queue<AnalyticsBucket> _ready = new();
    private AnalyticsBucketMerger _merger = new();
    private DateTimeOffset? _lastRead;
    private DateTimeOffset? _handedOut = after;
    private bool _isFirstPage;
    private bool _restarted;
    private bool _ended;

    /// <summary>The next bucket; null at the end, and if <see cref="FillAsync"/> must be called first.</summary>
    public AnalyticsBucket? Current => _ready.TryPeek(out AnalyticsBucket? bucket) ? bucket : null;

    /// <summary>Whether a page has to be read before <see cref="Current"/> is known.</summary>
    public bool NeedsPage => _ready.Count == 0 && !_ended;

    /// <summary>Moves to the next bucket.</summary>
    public void Advance() => _handedOut = _ready.Dequeue().Start;

    /// <summary>Reads pages until the next bucket is whole.</summary>
    public async Task FillAsync(CancellationToken cancellationToken)
    {
        while (NeedsPage)
        {
            AnalyticsPage? page = await ReadAsync(cancellationToken).ConfigureAwait(false);
            if (page is null)
            {
                End();
                return;
            }

            if (maxBufferedRows is null || !GoesOn(page.TimeSeries))
            {
                await ReadRestAsync(page, cancellationToken).ConfigureAwait(false);
                return;
            }

            foreach (AnalyticsBucket bucket in _merger.Add(page.TimeSeries))
            {
                Offer(bucket);
            }
        }
    }

    private async Task<AnalyticsPage?> ReadAsync(CancellationToken cancellationToken)
    {
        (AnalyticsPage? page, _isFirstPage) = await pages.NextAsync(cancellationToken).ConfigureAwait(false);
        if (_isFirstPage)
        {
            _restarted = _handedOut is not null;
            _merger = new AnalyticsBucketMerger();
            _lastRead = null;
        }

        return page;
    }

    /// <summary>Whether the buckets of a page ascend, from what was read before.</summary>
    private bool GoesOn(IReadOnlyList<AnalyticsBucket> buckets)
    {
        foreach (AnalyticsBucket bucket in buckets)
        {
            if (bucket.Start < _lastRead)
            {
                return false;
            }

            _lastRead = bucket.Start;
        }

        return true;
    }

    private async Task ReadRestAsync(AnalyticsPage page, CancellationToken cancellationToken)
    {
        var buckets = new List<AnalyticsBucket>();
        if (_merger.Complete() is { } held)
        {
            buckets.Add(held);
        }

        long rows = 0;
        AnalyticsPage? next = page;
        while (next is not null)
        {
            buckets.AddRange(next.TimeSeries);
            rows += next.TimeSeries.Sum(bucket => (long)bucket.Rows.Count);
            if (rows > maxBufferedRows)
            {
                throw TooManyToSort(rows);
            }

            next = await ReadAsync(cancellationToken).ConfigureAwait(false);
            if (_isFirstPage)
            {
                buckets.Clear();
                rows = 0;
            }
        }

        // A stable order: parts of a bucket stay in the order in which they arrived.
        foreach (AnalyticsBucket bucket in _merger.Add([.. buckets.OrderBy(bucket => bucket.Start)]))
        {
            Offer(bucket);
        }

        End();
    }

    private void End()
    {
        _ended = true;
        if (_merger.Complete() is { } last)
        {
            Offer(last);
        }
    }

    private void Offer(AnalyticsBucket bucket)
    {
        // Ends are exclusive. If the service extends a range to whole buckets, these start before its end; buckets of the next window do
        // not.
        if (bucket.Start >= end)
        {
            onBeyondEnd(bucket);
            return;
        }

        if (bucket.Start < notBefore)
        {
            if (exactEnds)
            {
                throw PageGuard.Unusable(string.Create(CultureInfo.InvariantCulture,
                    $"The service sent the bucket {bucket}, which starts before its window (from {notBefore:u}). The buckets of the " +
                        $"service are not aligned with the time zone. Leave {nameof(AnalyticsQuery.BoundToTimeframe)} unset, or raise " +
                        $"{nameof(FalObservabilityOptions.BucketsPerWindow)} so that one window covers the range."));
            }

            return;
        }

        if (bucket.Start > _handedOut || _handedOut is null)
        {
            _ready.Enqueue(bucket);
        }
        else if (!_restarted)
        {
            throw PageGuard.Unusable(string.Create(CultureInfo.InvariantCulture,
                $"The service sent the bucket {bucket} after the stream had returned a later one, {_handedOut:u}. The client cannot " +
                    $"stream pages in this order. Use GetReportAsync or StreamWindowsAsync, which sort them."));
        }
    }

    private static FalResponseException TooManyToSort(long rows) => PageGuard.Unusable(string.Create(CultureInfo.InvariantCulture,
        $"The service does not send its buckets in ascending order. To sort the window, the client would have to buffer more rows than " +
            $"{nameof(FalObservabilityOptions.MaxBufferedRows)} allows ({rows} rows so far). Lower " +
            $"{nameof(FalObservabilityOptions.BucketsPerWindow)}, or raise {nameof(FalObservabilityOptions.MaxBufferedRows)}."));
}
