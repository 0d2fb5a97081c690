namespace Fal.Observability.Client;

/// <summary>Follows the pages of one group of endpoints over one range, and starts over when the shape of the group changes.</summary>
internal sealed class AnalyticsPageReader(
    AnalyticsRun run,
    AnalyticsEndpointGroup group,
    AnalyticsQuery query,
    FalObservabilityOptions options
)
{
    private const int MaxUnexplained = 3;

    private readonly PageGuard _guard = new(options);
    private AnalyticsEndpointGroup.CallShape? _shape;
    private AnalyticsPage? _page;

    /// <summary>Reads the next page.</summary>
    /// <returns>The page, null after the last one; and whether it is a first page, which invalidates all earlier ones.</returns>
    public async Task<(AnalyticsPage? Page, bool IsFirst)> NextAsync(CancellationToken cancellationToken)
    {
        int unexplained = 0;
        while (true)
        {
            AnalyticsEndpointGroup.CallShape shape = group.Shape;
            if (shape != _shape)
            {
                Restart(shape);
            }

            bool first = _page is null;
            if (shape.EndpointIds.Count == 0 || (!first && _page is { NextCursor: null }))
            {
                return (null, first);
            }

            string? cursor = _page?.NextCursor;
            if (unexplained == 0)
            {
                _guard.ThrowIfEndless(cursor);
            }

            try
            {
                AnalyticsPage page = await run.SendAsync(shape.Apply(query) with { Cursor = cursor }, _page, cancellationToken)
                    .ConfigureAwait(false);
                if (page.LacksCursor)
                {
                    throw PageGuard.CursorIsMissing();
                }

                _guard.PageCame();
                // Keeps only what the next page needs, so that the rest can be collected.
                _page = new AnalyticsPage { NextCursor = page.NextCursor, TimeSeries = page.TimeSeries is [.., var last] ? [last] : [] };
                return (page, first);
            }
            catch (FalApiException e) when (run.CanReshape(shape, e))
            {
                await run.ReshapeAsync(group, shape, query, e, cancellationToken).ConfigureAwait(false);
                // A passing fault explains the first failure that no endpoint is the cause of, but not a row of them.
                if (group.Shape == shape && ++unexplained == MaxUnexplained)
                {
                    throw;
                }
            }
        }
    }

    private void Restart(AnalyticsEndpointGroup.CallShape shape)
    {
        _shape = shape;
        _page = null;
        _guard.Restart();
    }
}
