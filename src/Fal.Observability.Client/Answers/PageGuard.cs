using System.Globalization;
using System.Net;

namespace Fal.Observability.Client;

/// <summary>Guards the pages of one call: a repeated cursor, or too many pages, is a failure.</summary>
internal sealed class PageGuard(FalObservabilityOptions options)
{
    private readonly HashSet<string> _cursors = new(StringComparer.Ordinal);
    private int _pages;

    /// <summary>Forgets the pages, because the call starts over.</summary>
    public void Restart()
    {
        _cursors.Clear();
        _pages = 0;
    }

    /// <summary>Counts a page.</summary>
    public void PageCame() => _pages++;

    /// <summary>Checks a cursor before it is followed; null is the first page.</summary>
    /// <exception cref="FalResponseException">The cursor has been followed before, or there are too many pages.</exception>
    public void ThrowIfEndless(string? cursor)
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
            throw Unusable(string.Create(CultureInfo.InvariantCulture,
                $"The service sent {_pages} pages and announced another, which is more than {nameof(FalObservabilityOptions.MaxPages)} " +
                $"allows. Request a shorter range or a coarser timeframe, or raise {nameof(FalObservabilityOptions.MaxPages)}."));
        }
    }

    /// <summary>The failure of a service whose cursor does not advance.</summary>
    public static FalResponseException CursorRepeats(string cursor, FalObservabilityOptions options) => Unusable(
        $"The service sent the cursor '{FalErrorReader.Quoted(FalApiKey.Scrub(cursor, options.ApiKey))}' again. Following it would never " +
        $"end. This is a fault of the service. Report it to fal with the query.");

    /// <summary>The failure of a page that announces another one and has no cursor for it.</summary>
    public static FalResponseException CursorIsMissing() => Unusable(
        "The service reports more data (has_more) but sends no cursor for it (next_cursor). The client cannot request the rest, and the " +
        "incomplete answer would look complete. Repeat the query, or request a shorter range. If the error persists, report it to fal " +
        "with the query.");

    /// <summary>The failure of an answer with status 200 that does not match the query.</summary>
    public static FalResponseException Unusable(string message) => new(message) { StatusCode = HttpStatusCode.OK };
}
