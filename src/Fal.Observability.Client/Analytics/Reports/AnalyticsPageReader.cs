using System.Globalization;
using System.Net;

namespace Fal.Observability.Client;

/// <summary>Follows the pages of one group of endpoints over one range, and begins anew when the group has to be asked otherwise.</summary>
internal sealed class AnalyticsPageReader(AnalyticsRun run, AnalyticsEndpointGroup group, AnalyticsQuery query, FalObservabilityOptions options)
{
    private readonly HashSet<string> _cursors = new(StringComparer.Ordinal);
    private AnalyticsEndpointGroup.CallShape? _shape;
    private AnalyticsPage? _page;
    private int _pages;

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
            ThrowIfEndless(cursor);
            try
            {
                AnalyticsPage page = await run.SendAsync(shape.Apply(query) with { Cursor = cursor }, _page, cancellationToken).ConfigureAwait(false);
                if (page.LacksCursor)
                {
                    throw CursorIsMissing();
                }

                _pages++;
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

    /// <summary>The failure of a service whose cursor does not advance.</summary>
    public static FalResponseException CursorRepeats(string cursor, FalObservabilityOptions options) => new(
        $"The service answered with the cursor '{FalApiKey.Scrub(cursor, options.ApiKey)}', which it has given before: following it would never end. This is a fault of the service; report it to fal with the query.")
    {
        StatusCode = HttpStatusCode.OK,
    };

    /// <summary>The failure of a page that promises another and does not say where it is.</summary>
    public static FalResponseException CursorIsMissing() => new(
        "The service says that there is more (has_more) and names no cursor to it (next_cursor): the rest cannot be asked for, and what came would pass for the whole. Ask again, or for a shorter range; if it stays so, report it to fal with the query.")
    {
        StatusCode = HttpStatusCode.OK,
    };

    private void Restart(AnalyticsEndpointGroup.CallShape shape)
    {
        _shape = shape;
        _page = null;
        _pages = 0;
        _cursors.Clear();
    }

    private void ThrowIfEndless(string? cursor)
    {
        if (cursor is null)
        {
            return;
        }

        if (!_cursors.Add(cursor))
        {
            throw CursorRepeats(cursor, options);
        }

        if (_pages >= options.MaxPages)
        {
            throw new FalResponseException(string.Create(CultureInfo.InvariantCulture,
                $"The service has sent {_pages} pages and names another: more than {nameof(FalObservabilityOptions.MaxPages)} allows. Ask for a shorter range or a coarser timeframe, or raise the limit."))
            {
                StatusCode = HttpStatusCode.OK,
            };
        }
    }
}
