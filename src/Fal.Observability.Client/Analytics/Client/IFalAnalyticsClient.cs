namespace Fal.Observability.Client;

/// <summary>
/// Time-bucketed counts, error classes and latency percentiles. Thread-safe. The data comes from a warehouse and lags by
/// minutes, at times by more: the newest buckets are provisional.
/// </summary>
public interface IFalAnalyticsClient
{
    /// <summary>Asks for one page: the first, or the one that <see cref="FalPagedQuery.Cursor"/> points at.</summary>
    /// <param name="query">What to ask for.</param>
    /// <param name="cancellationToken">Ends the call, its retries and their waits.</param>
    /// <returns>
    /// The page. Its <see cref="AnalyticsPage.Query"/> is the query with the range fixed to the instants that were sent.
    /// </returns>
    /// <exception cref="ArgumentException">
    /// The query cannot be valid: no metric, more than <see cref="AnalyticsQuery.MaxEndpointIdsPerCall"/> endpoints, or values too long for
    /// the address of a request. Nothing was sent.
    /// </exception>
    /// <exception cref="FalResponseException">
    /// The answer lacks the time series or the summary that was asked for, has a bucket outside the range, or a row without an endpoint.
    /// </exception>
    /// <exception cref="FalForbiddenException">The key lacks a permission, or an endpoint is not the account's.</exception>
    /// <exception cref="FalObservabilityException">The call failed in another way.</exception>
    /// <example>
    /// <code>
    /// AnalyticsPage page = await fal.Analytics.GetPageAsync(new AnalyticsQuery("my-org/my-app") { Limit = 24 });
    /// Console.WriteLine($"{page.TimeSeries.Count} buckets; more: {page.HasMore}");
    /// </code>
    /// </example>
    Task<AnalyticsPage> GetPageAsync(AnalyticsQuery query, CancellationToken cancellationToken = default);

    /// <summary>Asks for the page after one, with the same query and the same fixed range.</summary>
    /// <param name="page">A page that this client returned.</param>
    /// <param name="cancellationToken">Ends the call, its retries and their waits.</param>
    /// <returns>The next page; null where <paramref name="page"/> is the last.</returns>
    /// <exception cref="ArgumentException"><paramref name="page"/> carries no query: it did not come from this client.</exception>
    /// <exception cref="FalResponseException">
    /// The service's cursor does not advance, or it says that there is more and names no cursor.
    /// </exception>
    /// <exception cref="FalObservabilityException">The call failed in another way.</exception>
    /// <example>
    /// <code>
    /// for (AnalyticsPage? page = await fal.Analytics.GetPageAsync(query); page is not null; page = await
    /// fal.Analytics.GetNextPageAsync(page))
    ///     Console.WriteLine($"{page.TimeSeries.Count} buckets");
    /// </code>
    /// </example>
    Task<AnalyticsPage?> GetNextPageAsync(AnalyticsPage page, CancellationToken cancellationToken = default);

    /// <summary>
    /// Gets the whole answer for any number of endpoints and any length of range: every page of every call, merged into one series in
    /// which each bucket is there once, and the summary over the whole range as the service computes it.
    /// </summary>
    /// <remarks>
    /// The endpoints are cut into groups of <see cref="AnalyticsQuery.MaxEndpointIdsPerCall"/>, and the range into windows of about
    /// <see cref="FalObservabilityOptions.BucketsPerWindow"/> buckets, cut between buckets of the query's zone. Where the query names
    /// no timeframe, or this machine does not know the zone, the range is one window.
    /// <see cref="FalObservabilityOptions.MaxConcurrentCalls"/>
    /// calls are under way at a time. The whole series is held in memory:
    /// <see cref="StreamTimeSeriesAsync(AnalyticsQuery, CancellationToken)"/> is for more.
    /// </remarks>
    /// <param name="query">
    /// What to ask for. With neither <see cref="AnalyticsExpand.TimeSeries"/> nor <see cref="AnalyticsExpand.Summary"/> in it the report
    /// has both, else what is named. A relative range is fixed once, before the first call.
    /// </param>
    /// <param name="progress">Is told of each window as it is complete, one at a time; may be null.</param>
    /// <param name="cancellationToken">Ends the calls, their retries and their waits.</param>
    /// <returns>The report, which names what the query asked for and is not in it.</returns>
    /// <exception cref="ArgumentException">The query cannot be valid. Nothing was sent.</exception>
    /// <exception cref="FalForbiddenException">
    /// The key lacks a permission, or an endpoint is not the account's and <see cref="AnalyticsQuery.RefusedEndpoints"/> does not say
    /// to skip it.
    /// </exception>
    /// <exception cref="FalObservabilityException">A call failed in another way, after its retries.</exception>
    /// <example>
    /// <code>
    /// AnalyticsReport week = await fal.Analytics.GetReportAsync(new AnalyticsQuery("my-org/my-app")
    /// {
    ///     Expand = AnalyticsExpand.Volume | AnalyticsExpand.P90Duration,
    ///     Range = AnalyticsTimeRange.Last(TimeSpan.FromDays(7)),
    ///     Timeframe = AnalyticsTimeframe.Hour,
    /// });
    /// Console.WriteLine($"{AnalyticsTotals.Of(week.TimeSeries).ErrorRate:P2} of the requests failed.");
    /// </code>
    /// </example>
    Task<AnalyticsReport> GetReportAsync(
        AnalyticsQuery query, IProgress<AnalyticsProgress>? progress = null, CancellationToken cancellationToken = default);

    /// <summary>
    /// Reads the time series of any number of endpoints as it is enumerated. Each bucket comes once and whole, in ascending order, with
    /// the rows of all endpoints in the order that <see cref="AnalyticsReport"/> describes. The structure flags of the query are not
    /// looked at.
    /// </summary>
    /// <remarks>
    /// <para>
    /// Calls are cut as those of <see cref="GetReportAsync"/>. In memory are at most one page for each group of 50 endpoints, and none of
    /// the windows but one. Where the service does not send a window's buckets in ascending order, that window is held whole and sorted,
    /// up to <see cref="FalObservabilityOptions.MaxBufferedRows"/>.
    /// </para>
    /// <para>Endpoints that are skipped are named in the log, and by the overload that reports progress.</para>
    /// </remarks>
    /// <param name="query">What to ask for. A relative range is fixed once, before the first page.</param>
    /// <param name="cancellationToken">Ends the calls and the enumeration.</param>
    /// <returns>The buckets; those without traffic are there too, with no rows.</returns>
    /// <exception cref="ArgumentException">The query cannot be valid. Thrown at the call, before any request.</exception>
    /// <exception cref="FalResponseException">
    /// The service's cursor repeats, its pages are more than <see cref="FalObservabilityOptions.MaxPages"/>, or a bucket comes after a
    /// later
    /// one was handed on.
    /// </exception>
    /// <exception cref="FalObservabilityException">A call failed in another way, after its retries.</exception>
    /// <example>
    /// <code>
    /// await foreach (AnalyticsBucket bucket in fal.Analytics.StreamTimeSeriesAsync(query))
    ///     foreach (AnalyticsRow row in bucket.Rows)
    ///         Console.WriteLine($"{bucket.Start:u} {row.EndpointId}: {row.RequestCount} requests");
    /// </code>
    /// </example>
    IAsyncEnumerable<AnalyticsBucket> StreamTimeSeriesAsync(AnalyticsQuery query, CancellationToken cancellationToken = default);

    /// <summary>
    /// Reads the time series as <see cref="StreamTimeSeriesAsync(AnalyticsQuery, CancellationToken)"/> does, and says how far it has come
    /// and which endpoints or metrics it leaves out.
    /// </summary>
    /// <param name="query">What to ask for. A relative range is fixed once, before the first page.</param>
    /// <param name="progress">
    /// Is told of each window when its last bucket was taken, the last one before the enumeration ends; may be null.
    /// </param>
    /// <param name="cancellationToken">Ends the calls and the enumeration.</param>
    /// <returns>The buckets; those without traffic are there too, with no rows.</returns>
    /// <exception cref="ArgumentException">The query cannot be valid. Thrown at the call, before any request.</exception>
    /// <exception cref="FalResponseException">The service's pages do not end, or are in no order that can be streamed.</exception>
    /// <exception cref="FalObservabilityException">A call failed in another way, after its retries.</exception>
    IAsyncEnumerable<AnalyticsBucket> StreamTimeSeriesAsync(
        AnalyticsQuery query, IProgress<AnalyticsProgress>? progress, CancellationToken cancellationToken = default);

    /// <summary>
    /// Reads a long range window by window, each with a checkpoint that a later process can go on from: for backfills that must survive
    /// their end in the middle.
    /// </summary>
    /// <remarks>
    /// Windows come in ascending order and never overlap. Store a window under the start of its range, then the checkpoint: whatever
    /// happens in between, going on from the checkpoint that was stored last gives no hole, and a window that comes again takes the
    /// place of itself. Windows are cut as by <see cref="GetReportAsync"/>; a range that is one window has nothing to go on from before
    /// its end. In memory is one window. A range that reaches into the present, as every relative one does, ends with buckets that are open
    /// or provisional, and their window is not read again: set <see cref="AnalyticsQuery.ClosedOnly"/>, or what is stored as final is not.
    /// </remarks>
    /// <param name="query">What to ask for; the same query again when it goes on. The structure flags are not looked at.</param>
    /// <param name="resumeFrom">Where to go on; null begins anew. A relative range stays the one that it was when it began.</param>
    /// <param name="cancellationToken">Ends the calls and the enumeration.</param>
    /// <returns>The windows.</returns>
    /// <exception cref="ArgumentException">
    /// The query cannot be valid, or <paramref name="resumeFrom"/> belongs to another one. Thrown at the call, before any request.
    /// </exception>
    /// <exception cref="FalObservabilityException">A call failed, after its retries. The windows before stay valid.</exception>
    /// <example>
    /// <code>
    /// await foreach (AnalyticsWindow window in fal.Analytics.StreamWindowsAsync(query with { ClosedOnly = true }))
    ///     File.WriteAllText("checkpoint.json", window.Checkpoint.ToJson()); // after the window itself is stored
    /// </code>
    /// </example>
    IAsyncEnumerable<AnalyticsWindow> StreamWindowsAsync(
        AnalyticsQuery query, AnalyticsCheckpoint? resumeFrom = null, CancellationToken cancellationToken = default);

    /// <summary>
    /// Watches the time series: yields each bucket once when it is no longer provisional, and again only if its numbers have changed
    /// since, as they do when the service's data lags.
    /// </summary>
    /// <remarks>
    /// A failure that may pass does not end the watch: it is logged, and a wait that the service asks for is kept. The next read looks back
    /// to the last bucket that came, by at most 31 days. While the service answers and has nothing new, a read looks back by the range of
    /// the query, or by one day if that is longer: data that comes later than that is not noticed. Changes are
    /// noticed as far back as the range of the query reaches. Ticks that fall due while a read is under way, or while you handle a
    /// bucket, are skipped. The first read yields the closed buckets of the whole range.
    /// </remarks>
    /// <param name="query">
    /// What to ask for: with a <see cref="AnalyticsTimeRange.Last"/> range, how far to look back, and a timeframe. The structure flags,
    /// <see cref="AnalyticsQuery.ClosedOnly"/> and <see cref="FalPagedQuery.BoundToTimeframe"/> are not looked at.
    /// </param>
    /// <param name="interval">The time between reads, 10 seconds to 1 day. The first one starts at once.</param>
    /// <param name="cancellationToken">Ends the watch.</param>
    /// <returns>The buckets, without an end.</returns>
    /// <exception cref="ArgumentException">
    /// The query cannot be valid or watched, or the interval is out of its range. Thrown at the call.
    /// </exception>
    /// <exception cref="FalObservabilityException">A read failed in a way that no later read can mend.</exception>
    /// <example>
    /// <code>
    /// var lastDay = new AnalyticsQuery("my-org/my-app") { Range = AnalyticsTimeRange.Last(TimeSpan.FromDays(1)), Timeframe =
    /// AnalyticsTimeframe.Hour };
    /// await foreach (AnalyticsBucket bucket in fal.Analytics.WatchAsync(lastDay, TimeSpan.FromMinutes(5)))
    ///     Console.WriteLine(bucket);
    /// </code>
    /// </example>
    IAsyncEnumerable<AnalyticsBucket> WatchAsync(AnalyticsQuery query, TimeSpan interval, CancellationToken cancellationToken = default);
}
