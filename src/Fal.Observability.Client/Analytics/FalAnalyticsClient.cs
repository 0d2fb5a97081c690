using System.Globalization;
using System.Net;
using System.Runtime.CompilerServices;

namespace Fal.Observability.Client;

/// <summary>The typed analytics client over <see cref="IFalAnalyticsApi"/>.</summary>
internal sealed class FalAnalyticsClient(IFalAnalyticsApi api, FalObservabilityOptions options, TimeProvider time) : IFalAnalyticsClient
{
    public Task<AnalyticsPage> GetPageAsync(AnalyticsQuery query, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(query);
        query.ValidateForOneCall();
        return SendAsync(query.Resolve(time.GetUtcNow()), null, cancellationToken);
    }

    public Task<AnalyticsPage?> GetNextPageAsync(AnalyticsPage page, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(page);
        if (page.Query is not { } query)
            throw new ArgumentException("The page carries no query, so nobody knows what it is a page of: pass one that GetPageAsync returned.", nameof(page));

        if (page.NextCursor is null)
            return Task.FromResult<AnalyticsPage?>(null);

        if (page.NextCursor == query.Cursor)
            throw CursorRepeats(page.NextCursor);

        return SendAsync(query with { Cursor = page.NextCursor }, page, cancellationToken)!;
    }

    public IAsyncEnumerable<AnalyticsBucket> StreamTimeSeriesAsync(AnalyticsQuery query, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(query);
        AnalyticsQuery timeSeries = query with { Expand = (query.Expand & ~AnalyticsExpand.Structure) | AnalyticsExpand.TimeSeries };
        timeSeries.ValidateForOneCall();
        return StreamAsync(timeSeries.Resolve(time.GetUtcNow()), cancellationToken);
    }

    private async IAsyncEnumerable<AnalyticsBucket> StreamAsync(
        AnalyticsQuery query, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var merger = new AnalyticsBucketMerger();
        var cursors = new HashSet<string>(StringComparer.Ordinal);
        if (query.Cursor is { } first)
            cursors.Add(first);

        AnalyticsPage? page = null;
        for (int pages = 1; ; pages++)
        {
            page = await SendAsync(query, page, cancellationToken).ConfigureAwait(false);
            foreach (AnalyticsBucket bucket in merger.Add(page.TimeSeries))
            {
                cancellationToken.ThrowIfCancellationRequested();
                yield return bucket;
            }

            if (page.NextCursor is not { } next)
                break;

            if (!cursors.Add(next))
                throw CursorRepeats(next);

            if (pages == options.MaxPages)
            {
                throw new FalResponseException(string.Create(CultureInfo.InvariantCulture,
                    $"The service has sent {pages} pages and names another: more than {nameof(options.MaxPages)} allows. Ask for a shorter range or a coarser timeframe, or raise the limit."))
                {
                    StatusCode = HttpStatusCode.OK,
                };
            }

            query = query with { Cursor = next };
        }

        if (merger.Complete() is { } last)
            yield return last;
    }

    private async Task<AnalyticsPage> SendAsync(AnalyticsQuery query, AnalyticsPage? previous, CancellationToken cancellationToken)
    {
        AnalyticsPage page = query.Source == AnalyticsSource.Models
            ? await api.GetModelsAnalyticsAsync(query, cancellationToken).ConfigureAwait(false)
            : await api.GetServerlessAnalyticsAsync(query, cancellationToken).ConfigureAwait(false);
        return page.AsAnswerTo(query, previous);
    }

    private FalResponseException CursorRepeats(string cursor) => new(
        $"The service answered with the cursor '{FalApiKey.Scrub(cursor, options.ApiKey)}', which it has given before: following it would never end. This is a fault of the service; report it to fal with the query.")
    {
        StatusCode = HttpStatusCode.OK,
    };
}
