using System.Net;

namespace Fal.Observability.Client;

/// <summary>Makes one analytics call and turns its answer into a page that knows its query, its zone and how settled its buckets are.</summary>
internal sealed class AnalyticsCaller(IFalAnalyticsApi api, FalObservabilityOptions options)
{
    /// <summary>The metrics that the service is known to fail on for some endpoints.</summary>
    public const AnalyticsExpand FragileMetrics =
        AnalyticsExpand.P50ColdBootDuration | AnalyticsExpand.P75ColdBootDuration | AnalyticsExpand.P90ColdBootDuration;

    /// <summary>Sends a query with a fixed range.</summary>
    /// <param name="query">The query, with the cursor of the page that is wanted.</param>
    /// <param name="previous">The page before, if there is one.</param>
    /// <param name="now">The instant that decides which buckets are provisional.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    public async Task<AnalyticsPage> SendAsync(
        AnalyticsQuery query, AnalyticsPage? previous, DateTimeOffset now, CancellationToken cancellationToken)
    {
        if (previous is not null && !query.FitsOneCall)
        {
            throw Unusable(
                $"The service answered with a cursor (next_cursor) of {query.Cursor?.Length} characters, too long to be sent back in an address: the rest of the answer cannot be asked for. Ask for a shorter range; if it stays so, report it to fal with the query.");
        }

        try
        {
            AnalyticsPage page = query.Source == AnalyticsSource.Models
                ? await api.GetModelsAnalyticsAsync(query, cancellationToken).ConfigureAwait(false)
                : await api.GetServerlessAnalyticsAsync(query, cancellationToken).ConfigureAwait(false);
            ThrowIfIncomplete(page, query, previous);
            AnalyticsPage answer = page.AsAnswerTo(query, previous);
            ThrowIfOutside(answer, query);
            return answer.MarkedAt(now, options.ProvisionalAge);
        }
        catch (FalApiException e) when (IsKnownFailure(e, query.EffectiveExpand))
        {
            // The service's own words say nothing about the cause.
            throw e.WithMessage(
                $"{e.MessageWithoutAttempts} The service is known to fail like this for some endpoints when cold-boot percentiles are asked for: leave out {string.Join(", ", (query.EffectiveExpand & FragileMetrics).GetFlags())} (AnalyticsExpand.Standard is every metric but those), or set {nameof(AnalyticsQuery.DegradeOnServerError)} in a report.");
        }
    }

    /// <summary>Whether a failure is the one that cold-boot percentiles provoke.</summary>
    public static bool IsKnownFailure(FalApiException failure, AnalyticsExpand asked) =>
        failure.StatusCode == HttpStatusCode.InternalServerError && (asked & FragileMetrics) != 0;

    /// <summary>Refuses a page that lacks a list that was asked for: it would pass for one in which there is nothing.</summary>
    private static void ThrowIfIncomplete(AnalyticsPage page, AnalyticsQuery query, AnalyticsPage? previous)
    {
        bool asksSeries = query.EffectiveExpand.HasFlag(AnalyticsExpand.TimeSeries);
        if (asksSeries && page.LacksTimeSeries)
        {
            throw Unusable(
                "The service answered without a time series (time_series), which was asked for. The answer would pass for a time without buckets, although the service lists even quiet ones. Ask again; if it stays so, report it to fal with the query.");
        }

        // Whether the summary is repeated beside the buckets of a later page, the service does not document.
        if (query.EffectiveExpand.HasFlag(AnalyticsExpand.Summary) && page.LacksSummary && (previous is null || !asksSeries))
        {
            throw Unusable(
                "The service answered without a summary (summary), which was asked for. The answer would pass for a time without traffic. Ask again; if it stays so, report it to fal with the query.");
        }
    }

    /// <summary>Refuses a page with a bucket of another time than the one that was asked for.</summary>
    private static void ThrowIfOutside(AnalyticsPage page, AnalyticsQuery query)
    {
        (DateTimeOffset after, DateTimeOffset until) = AnalyticsCalendar.StartsOf(query.Grid);
        foreach (AnalyticsBucket bucket in page.TimeSeries)
        {
            if (bucket.Start <= after || bucket.Start > until)
            {
                throw Unusable(
                    $"The service sent the time bucket {bucket}, which lies outside the range that was asked for ({query.Range}): the answer belongs to another question. Ask again; if it stays so, report it to fal with the query.");
            }
        }
    }

    private static FalResponseException Unusable(string message) => new(message) { StatusCode = HttpStatusCode.OK };
}
