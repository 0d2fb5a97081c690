using System.Net;

namespace Fal.Observability.Client;

/// <summary>Follows the pages of one group of endpoints over one range, and begins anew when the group has to be asked otherwise.</summary>
internal sealed class AnalyticsPageReader(AnalyticsRun run, AnalyticsEndpointGroup group, AnalyticsQuery query, FalObservabilityOptions options)
{
    private readonly PageGuard _guard = new(options);
    private AnalyticsEndpointGroup.CallShape? _shape;
    private AnalyticsPage? _page;

    /// <summary>Reads the next page.</summary>
    /// <returns>
    /// The page, null after the last; and whether it is a first one, which makes whatever came before it void.
    /// </returns>
    public async Task<(AnalyticsPage? Page, bool IsFirst)> NextAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            AnalyticsEndpointGroup.CallShape shape = group.Shape;
            bool first = shape != _shape;
            if (first)
            {
                Restart(shape);
            }

            if (shape.EndpointIds.Count == 0 || (!first && _page is { NextCursor: null }))
            {
                return (null, first);
            }

            string? cursor = _page?.NextCursor;
            _guard.ThrowIfEndless(cursor);
            try
            {
                AnalyticsPage page = await run.SendAsync(shape.Apply(query) with { Cursor = cursor }, _page, cancellationToken).ConfigureAwait(false);
                ThrowIfNotWhole(page, query);
                _guard.PageCame();
                // What the next page needs to know of this one; the rest is free to go.
                _page = new AnalyticsPage { NextCursor = page.NextCursor, TimeSeries = page.TimeSeries is [.., var last] ? [last] : [] };
                return (page, first);
            }
            catch (FalApiException e) when (run.CanReshape(shape, e))
            {
                await run.ReshapeAsync(group, shape, query, e, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    private static void ThrowIfNotWhole(AnalyticsPage page, AnalyticsQuery query)
    {
        if (page.LacksCursor)
        {
            throw PageGuard.CursorIsMissing();
        }

        if (page.LacksTimeSeries && query.Expand.HasFlag(AnalyticsExpand.TimeSeries))
        {
            throw new FalResponseException(
                "The service answered without a time series (time_series), which was asked for: this would pass for a time in which there was nothing, where even quiet buckets are listed. Ask again; if it stays so, report it to fal with the query.")
            {
                StatusCode = HttpStatusCode.OK,
            };
        }
    }

    private void Restart(AnalyticsEndpointGroup.CallShape shape)
    {
        _shape = shape;
        _page = null;
        _guard.Restart();
    }
}
