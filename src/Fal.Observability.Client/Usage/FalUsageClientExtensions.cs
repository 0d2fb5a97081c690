namespace Fal.Observability.Client;

/// <summary>Shorter forms of the calls of an <see cref="IFalUsageClient"/>.</summary>
public static class FalUsageClientExtensions
{
    /// <summary>
    /// Gets the usage of every app over a range, as <see cref="IFalUsageClient.GetReportAsync"/> does with default values for the rest of
    /// the query. It throws the same exceptions.
    /// </summary>
    /// <param name="client">The client.</param>
    /// <param name="range">The time to cover.</param>
    /// <param name="cancellationToken">Cancels the calls, their retries and their waits.</param>
    /// <returns>The report, with totals by app, machine and day.</returns>
    public static Task<UsageReport> GetReportAsync(
        this IFalUsageClient client, AnalyticsTimeRange range, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(client);
        return client.GetReportAsync(new UsageQuery { Range = range }, cancellationToken);
    }
}
