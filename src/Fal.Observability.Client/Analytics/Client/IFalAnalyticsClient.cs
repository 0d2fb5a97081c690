namespace Fal.Observability.Client;

/// <summary>
/// Time-bucketed counts, error classes and latency percentiles. Thread-safe. The data comes from a warehouse and lags by
/// minutes, at times by more: the newest buckets are provisional.
/// </summary>
public interface IFalAnalyticsClient
{
    /// <summary>Requests one page: the first, or the one that <see cref="FalPagedQuery.Cursor"/> points to.</summary>
    /// <param name="query">The query.</param>
    /// <param name="cancellationToken">Cancels the call, its retries and their waits.</param>
    /// <returns>
    /// The page. Its <see cref="AnalyticsPage.Query"/> is the query with the range fixed to the instants that were sent.
    /// </returns>
    /// <exception cref="ArgumentException">
    /// The query is not valid: it has no metric, more than <see cref="AnalyticsQuery.MaxEndpointIdsPerCall"/> endpoints, or values too long
    /// for a request URI. Nothing was sent.
    /// </exception>
    /// <exception cref="FalResponseException">
    /// The answer lacks the requested time series or summary, has a bucket outside the range, or has a null in place of a row.
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

    /// <summary>Requests the page after another one, with the same query and the same fixed range.</summary>
    /// <param name="page">A page that this client returned.</param>
    /// <param name="cancellationToken">Cancels the call, its retries and their waits.</param>
    /// <returns>The next page; null if <paramref name="page"/> is the last.</returns>
    /// <exception cref="ArgumentException"><paramref name="page"/> has no query: it did not come from this client.</exception>
    /// <exception cref="FalResponseException">
    /// The service's cursor does not advance, or the service announces more data without a cursor.
    /// </exception>
    /// <exception cref="FalObservabilityException">The call failed in another way.</exception>
    /// <example>
    /// <code>
    /// AnalyticsPage? page = await fal.Analytics.GetPageAsync(query);
    /// while (page is not null)
    /// {
    ///     Console.WriteLine($"{page.TimeSeries.Count} buckets");
    ///     page = await fal.Analytics.GetNextPageAsync(page);
    /// }
    /// </code>
    /// </example>
    Task<AnalyticsPage?> GetNextPageAsync(AnalyticsPage page, CancellationToken cancellationToken = default);

    /// <summary>
    /// Gets the whole answer for any number of endpoints and any length of range: every page of every call, merged into one series with
    /// each bucket once, and the summary over the whole range as the service computes it.
    /// </summary>
    /// <remarks>
    /// The endpoints are split into groups of <see cref="AnalyticsQuery.MaxEndpointIdsPerCall"/>, and the range into windows of about
    /// <see cref="FalObservabilityOptions.BucketsPerWindow"/> buckets, at bucket boundaries of the query's zone. If the query names no
    /// timeframe, or this machine does not know the zone, the range is one window. At most
    /// <see cref="FalObservabilityOptions.MaxConcurrentCalls"/> calls run concurrently. The whole series is held in memory. Use
    /// <see cref="StreamTimeSeriesAsync(AnalyticsQuery, CancellationToken)"/> for larger answers.
    /// </remarks>
    /// <param name="query">
    /// The query. If it names neither <see cref="AnalyticsExpand.TimeSeries"/> nor <see cref="AnalyticsExpand.Summary"/>, the report has
    /// both. A relative range is fixed once, before the first call.
    /// </param>
    /// <param name="progress">Receives a report for each complete window, one at a time; may be null.</param>
    /// <param name="cancellationToken">Cancels the calls, their retries and their waits.</param>
    /// <returns>The report, which names the parts of the query that it lacks.</returns>
    /// <exception cref="ArgumentException">The query is not valid. Nothing was sent.</exception>
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
    /// Streams the time series of any number of endpoints. Each bucket is returned once and whole, in ascending order, with the rows of all
    /// endpoints in the order that <see cref="AnalyticsReport"/> describes. The structure flags of the query are ignored.
    /// </summary>
    /// <remarks>
    /// <para>
    /// The client splits the range and the endpoints as <see cref="GetReportAsync"/> does. Memory holds at most one page per group of 50
    /// endpoints, of one window at a time. If the service does not send the buckets of a window in ascending order, the whole window is
    /// held and sorted, up to <see cref="FalObservabilityOptions.MaxBufferedRows"/>.
    /// </para>
    /// <para>The log names skipped endpoints, and so does the overload that reports progress.</para>
    /// </remarks>
    /// <param name="query">The query. A relative range is fixed once, before the first page.</param>
    /// <param name="cancellationToken">Cancels the calls and the enumeration.</param>
    /// <returns>The buckets, including those without traffic, which have no rows.</returns>
    /// <exception cref="ArgumentException">The query is not valid. Thrown at the call, before any request.</exception>
    /// <exception cref="FalResponseException">
    /// The service's cursor repeats, it sends more than <see cref="FalObservabilityOptions.MaxPages"/> pages, or a bucket comes after the
    /// stream returned a later one.
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
    /// Streams the time series as <see cref="StreamTimeSeriesAsync(AnalyticsQuery, CancellationToken)"/> does, and reports progress and the
    /// endpoints or metrics that it skips.
    /// </summary>
    /// <param name="query">The query. A relative range is fixed once, before the first page.</param>
    /// <param name="progress">
    /// Receives a report for each window after its last bucket, and for the last window before the enumeration ends; may be null.
    /// </param>
    /// <param name="cancellationToken">Cancels the calls and the enumeration.</param>
    /// <returns>The buckets, including those without traffic, which have no rows.</returns>
    /// <exception cref="ArgumentException">The query is not valid. Thrown at the call, before any request.</exception>
    /// <exception cref="FalResponseException">The service's pages do not end, or are in an order that cannot be streamed.</exception>
    /// <exception cref="FalObservabilityException">A call failed in another way, after its retries.</exception>
    IAsyncEnumerable<AnalyticsBucket> StreamTimeSeriesAsync(
        AnalyticsQuery query, IProgress<AnalyticsProgress>? progress, CancellationToken cancellationToken = default);

    /// <summary>
    /// Reads a long range window by window, each with a checkpoint from which a later process can resume. Use it for backfills that must
    /// survive an interruption.
    /// </summary>
    /// <remarks>
    /// Windows come in ascending order and never overlap. Store a window under the start of its range, then store its checkpoint. If the
    /// process ends in between, resuming from the last stored checkpoint leaves no gap, and a repeated window overwrites itself. The range
    /// is split as by <see cref="GetReportAsync"/>; if the range is a single window, an interrupted backfill has to start over. Memory
    /// holds one window. A range that reaches into the present, as every relative one does, ends with open or provisional buckets, and
    /// their window is not read again. Set <see cref="AnalyticsQuery.ClosedOnly"/>, or those numbers are stored before they are final.
    /// </remarks>
    /// <param name="query">The query. To resume, pass the same query again. The structure flags are ignored.</param>
    /// <param name="resumeFrom">
    /// The checkpoint to resume from; null starts from the beginning. A relative range keeps the instants of the first start.
    /// </param>
    /// <param name="cancellationToken">Cancels the calls and the enumeration.</param>
    /// <returns>The windows.</returns>
    /// <exception cref="ArgumentException">
    /// The query is not valid, or <paramref name="resumeFrom"/> belongs to another one. Thrown at the call, before any request.
    /// </exception>
    /// <exception cref="FalObservabilityException">A call failed, after its retries. Earlier windows stay valid.</exception>
    /// <example>
    /// <code>
    /// await foreach (AnalyticsWindow window in fal.Analytics.StreamWindowsAsync(query with { ClosedOnly = true }))
    ///     File.WriteAllText("checkpoint.json", window.Checkpoint.ToJson()); // after the window itself is stored
    /// </code>
    /// </example>
    IAsyncEnumerable<AnalyticsWindow> StreamWindowsAsync(
        AnalyticsQuery query, AnalyticsCheckpoint? resumeFrom = null, CancellationToken cancellationToken = default);

    /// <summary>
    /// Watches the time series: yields each bucket once when it is no longer provisional, and again only if its numbers have changed since.
    /// Numbers change because the service's data lags.
    /// </summary>
    /// <remarks>
    /// A transient failure does not end the watch. The watch logs it and honours a wait that the service asks for. The next read covers the
    /// time since the last bucket, at most 31 days. While the service answers without new data, a read covers the range of the query, or
    /// one day if that is longer. Data that comes later than that is missed. Changes are noticed within the range of the query. A tick is
    /// skipped if it falls due while a read is in progress or the caller handles a bucket. The first read yields the closed buckets of the
    /// whole range.
    /// </remarks>
    /// <param name="query">
    /// The query. It needs a <see cref="AnalyticsTimeRange.Last"/> range, which says how far to look back, and a timeframe. The structure
    /// flags, <see cref="AnalyticsQuery.ClosedOnly"/> and <see cref="FalPagedQuery.BoundToTimeframe"/> are ignored.
    /// </param>
    /// <param name="interval">The time between reads, 10 seconds to 1 day. The first one starts at once.</param>
    /// <param name="cancellationToken">Ends the watch.</param>
    /// <returns>The buckets, without an end.</returns>
    /// <exception cref="ArgumentException">
    /// The query is not valid or cannot be watched, or the interval is out of range. Thrown at the call.
    /// </exception>
    /// <exception cref="FalObservabilityException">A read failed in a way that a later read cannot fix.</exception>
    /// <example>
    /// <code>
    /// var lastDay = new AnalyticsQuery("my-org/my-app")
    /// {
    ///     Range = AnalyticsTimeRange.Last(TimeSpan.FromDays(1)),
    ///     Timeframe = AnalyticsTimeframe.Hour,
    /// };
    /// await foreach (AnalyticsBucket bucket in fal.Analytics.WatchAsync(lastDay, TimeSpan.FromMinutes(5)))
    ///     Console.WriteLine(bucket);
    /// </code>
    /// </example>
    IAsyncEnumerable<AnalyticsBucket> WatchAsync(AnalyticsQuery query, TimeSpan interval, CancellationToken cancellationToken = default);
}
