using System.Net;

namespace Fal.Observability.Client;

/// <summary>
/// Makes one analytics call and turns its answer into a page with its query, the times in its zone, and its open and provisional buckets
/// marked.
/// </summary>
internal sealed class AnalyticsCaller(IFalAnalyticsApi api, FalObservabilityOptions options)
{
    /// <summary>The metrics that the service is known to fail on for some endpoints.</summary>
    public const AnalyticsExpand FragileMetrics =
        AnalyticsExpand.P50ColdBootDuration | AnalyticsExpand.P75ColdBootDuration | AnalyticsExpand.P90ColdBootDuration;

    /// <summary>Sends a query with a fixed range.</summary>
    /// <param name="query">The query, with the cursor of the page that is wanted.</param>
    /// <param name="previous">The page before, if there is one.</param>
    /// <param name="now">The instant that decides which buckets are provisional.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    public async Task<AnalyticsPage> SendAsync(
        AnalyticsQuery query, AnalyticsPage? previous, DateTimeOffset now, CancellationToken cancellationToken)
    {
        if (previous is not null && !query.FitsOneCall)
        {
            throw PageGuard.Unusable(
                $"The service sent a cursor (next_cursor) of {query.Cursor?.Length} characters, which is too long for a request URI. The " +
                    $"client cannot request the rest of the answer. Request a shorter range. If the error persists, report it to fal " +
                    $"with the query.");
        }

        try
        {
            AnalyticsPage page = query.Source == AnalyticsSource.Models
                ? await api.GetModelsAnalyticsAsync(query, cancellationToken).ConfigureAwait(false)
                : await api.GetServerlessAnalyticsAsync(query, cancellationToken).ConfigureAwait(false);
            AnalyticsExpand expand = query.EffectiveExpand;
            page.ThrowIfIncomplete(
                expand.HasFlag(AnalyticsExpand.TimeSeries), expand.HasFlag(AnalyticsExpand.Summary), isFirst: previous is null);
            AnalyticsPage answer = page.AsAnswerTo(query, previous);
            query.Grid.ThrowIfOutside(answer.TimeSeries.Select(bucket => bucket.Start));
            return answer.MarkedAt(now, options.ProvisionalAge);
        }
        catch (FalApiException e) when (IsKnownFailure(e, query.EffectiveExpand))
        {
            // The service's own words say nothing about the cause.
            throw e.WithMessage(
                $"{e.MessageWithoutAttempts} The service is known to fail like this for some endpoints when cold-boot percentiles are " +
                    $"requested. Leave out {string.Join(", ", (query.EffectiveExpand & FragileMetrics).GetFlags())} " +
                    $"(AnalyticsExpand.Standard is every metric except those), or request a report with " +
                    $"{nameof(AnalyticsQuery.DegradeOnServerError)} set.");
        }
    }

    /// <summary>Whether a failure is the one that cold-boot percentiles cause.</summary>
    public static bool IsKnownFailure(FalApiException failure, AnalyticsExpand asked) =>
        failure.StatusCode == HttpStatusCode.InternalServerError && (asked & FragileMetrics) != 0;
}
