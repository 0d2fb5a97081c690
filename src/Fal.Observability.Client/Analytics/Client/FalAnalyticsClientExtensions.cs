namespace Fal.Observability.Client;

/// <summary>Shorter forms of the calls of an <see cref="IFalAnalyticsClient"/>: a query and a token.</summary>
public static class FalAnalyticsClientExtensions
{
    /// <summary>
    /// Gets the whole answer, as <see cref="IFalAnalyticsClient.GetReportAsync"/> does without progress. It throws the same exceptions.
    /// </summary>
    /// <param name="client">The client.</param>
    /// <param name="query">The query.</param>
    /// <param name="cancellationToken">Cancels the calls, their retries and their waits.</param>
    /// <returns>The report, which names the parts of the query that it lacks.</returns>
    public static Task<AnalyticsReport> GetReportAsync(
        this IFalAnalyticsClient client,
        AnalyticsQuery query,
        CancellationToken cancellationToken
    )
    {
        ArgumentNullException.ThrowIfNull(client);
        return client.GetReportAsync(query, null, cancellationToken);
    }

    /// <summary>
    /// Reads a range window by window from its start, as <see cref="IFalAnalyticsClient.StreamWindowsAsync"/> does without a checkpoint. It
    /// throws the same exceptions.
    /// </summary>
    /// <param name="client">The client.</param>
    /// <param name="query">The query.</param>
    /// <param name="cancellationToken">Cancels the calls and the enumeration.</param>
    /// <returns>The windows.</returns>
    public static IAsyncEnumerable<AnalyticsWindow> StreamWindowsAsync(
        this IFalAnalyticsClient client, AnalyticsQuery query, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(client);
        return client.StreamWindowsAsync(query, null, cancellationToken);
    }
}
