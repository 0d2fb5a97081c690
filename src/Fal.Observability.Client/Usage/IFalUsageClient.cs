namespace Fal.Observability.Client;

/// <summary>
/// What the account's apps used and what it cost. Thread-safe. The key needs the permission for billing data,
/// <c>billing:usage:read</c>. The data lags by minutes, at times by more: the newest buckets can still change.
/// </summary>
public interface IFalUsageClient
{
    /// <summary>Gets the whole answer: every page, with each bucket once, in ascending order.</summary>
    /// <param name="query">
    /// The query; null for every app over the last 24 hours. A relative range is fixed once, before the first page.
    /// </param>
    /// <param name="cancellationToken">Cancels the calls, their retries and their waits.</param>
    /// <returns>The report, with totals by app, machine and day.</returns>
    /// <exception cref="ArgumentException">
    /// The query has a cursor, or its range is <see cref="AnalyticsTimeRange.Since(DateTimeOffset)"/> with an instant in the future.
    /// Nothing was sent.
    /// </exception>
    /// <exception cref="FalForbiddenException">The key lacks the permission for billing data.</exception>
    /// <exception cref="FalResponseException">
    /// The service's cursor repeats, it sends more than <see cref="FalObservabilityOptions.MaxPages"/> pages, its answer does not match the
    /// query, or a row is not valid.
    /// </exception>
    /// <exception cref="FalObservabilityException">A call failed in another way, after its retries.</exception>
    /// <example>
    /// <code>
    /// UsageReport month = await fal.Usage.GetReportAsync(AnalyticsTimeRange.Last(TimeSpan.FromDays(30)));
    /// foreach (UsageTotals app in month.ByApp())
    ///     Console.WriteLine($"{app.App ?? "no app"}: {app.Cost} {app.Currency}");
    /// </code>
    /// </example>
    Task<UsageReport> GetReportAsync(UsageQuery? query = null, CancellationToken cancellationToken = default);

    /// <summary>
    /// Reads the time series as it is enumerated, with one page in memory. Each bucket is returned once and whole, in ascending order.
    /// </summary>
    /// <param name="query">
    /// The query; null for every app over the last 24 hours. A relative range is fixed once, before the first page.
    /// <see cref="UsageQuery.Expand"/> is ignored.
    /// </param>
    /// <param name="cancellationToken">Cancels the calls and the enumeration.</param>
    /// <returns>The buckets, including those without usage, which have no rows.</returns>
    /// <exception cref="ArgumentException">
    /// The query has a cursor, or a range <see cref="AnalyticsTimeRange.Since(DateTimeOffset)"/> an instant in the
    /// future. Thrown at the call.
    /// </exception>
    /// <exception cref="FalForbiddenException">The key lacks the permission for billing data.</exception>
    /// <exception cref="FalResponseException">
    /// As for <see cref="GetReportAsync"/>. Also, a bucket arrived after a later one; a report would sort them.
    /// </exception>
    /// <exception cref="FalObservabilityException">A call failed in another way, after its retries.</exception>
    /// <example>
    /// <code>
    /// var year = new UsageQuery { Range = AnalyticsTimeRange.Last(TimeSpan.FromDays(365)) };
    /// await foreach (UsageBucket bucket in fal.Usage.StreamTimeSeriesAsync(year))
    ///     Console.WriteLine($"{bucket.Start:d}: {bucket.Rows.Count} lines of the bill");
    /// </code>
    /// </example>
    IAsyncEnumerable<UsageBucket> StreamTimeSeriesAsync(UsageQuery? query = null, CancellationToken cancellationToken = default);
}
