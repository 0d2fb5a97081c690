using Fal.Observability.Client.Prometheus;

namespace Fal.Observability.Client;

/// <summary>
/// What the account's apps are doing now. Thread-safe. The service caches its answer for 10 seconds, so more frequent calls only cost
/// quota.
/// </summary>
public interface IFalMetricsClient
{
    /// <summary>Reads the metrics once, as typed values for each app.</summary>
    /// <param name="cancellationToken">Cancels the call, its retries and their waits.</param>
    /// <returns>The snapshot. An idle account has one without apps.</returns>
    /// <exception cref="FalAuthenticationException">The key was not accepted.</exception>
    /// <exception cref="FalForbiddenException">The key lacks the permission, or the network edge refused the call.</exception>
    /// <exception cref="FalResponseException">
    /// The body is not Prometheus text, or it has a malformed line and <see cref="FalObservabilityOptions.StrictMetrics"/> is set.
    /// </exception>
    /// <exception cref="FalObservabilityException">The call failed in another way.</exception>
    /// <example>
    /// <code>
    /// FalMetricsSnapshot now = await fal.Metrics.GetSnapshotAsync();
    /// foreach (FalAppMetrics app in now.Apps)
    ///     Console.WriteLine($"{app.Name}: {app.QueueSize} queued, {app.ErrorCount} server errors in the last minute");
    /// </code>
    /// </example>
    Task<FalMetricsSnapshot> GetSnapshotAsync(CancellationToken cancellationToken = default);

    /// <summary>
    /// Reads the metrics once, as Prometheus families. Use it for metrics that are not about one app, or to pass them on.
    /// </summary>
    /// <param name="cancellationToken">Cancels the call, its retries and their waits.</param>
    /// <returns>Every family of the exposition, known to this version or not.</returns>
    /// <inheritdoc cref="GetSnapshotAsync" path="/exception"/>
    /// <example>
    /// <code>
    /// PrometheusExposition exposition = await fal.Metrics.GetFamiliesAsync();
    /// foreach (MetricFamily family in exposition.Families)
    ///     Console.WriteLine($"{family.Name}: {family.Samples.Count} samples");
    /// </code>
    /// </example>
    Task<PrometheusExposition> GetFamiliesAsync(CancellationToken cancellationToken = default);

    /// <summary>
    /// Reads the metrics once, sample by sample as the bytes arrive, in constant memory however many apps there are.
    /// </summary>
    /// <param name="cancellationToken">Ends the call and the enumeration.</param>
    /// <returns>
    /// The samples in the order of the exposition. The call is sent when the enumeration starts. It is retried until the response headers
    /// arrive, and not after that.
    /// </returns>
    /// <exception cref="FalTimeoutException">
    /// Neither 1,024 bytes nor the end of the body arrived within <see cref="FalObservabilityOptions.ReadIdleTimeout"/> of waiting.
    /// </exception>
    /// <inheritdoc cref="GetSnapshotAsync" path="/exception"/>
    /// <example>
    /// <code>
    /// await foreach (PrometheusSample sample in fal.Metrics.StreamSamplesAsync())
    ///     Console.WriteLine($"{sample.Name} {sample.Labels["application"]} {sample.Value}");
    /// </code>
    /// </example>
    IAsyncEnumerable<PrometheusSample> StreamSamplesAsync(CancellationToken cancellationToken = default);

    /// <summary>
    /// Reads the metrics at once and then once per interval, until it is cancelled. A transient failure does not end the watch: it is
    /// logged, and <see cref="FalMetricsSnapshot.FailuresSinceLast"/> of the next snapshot counts the failures. This includes the first
    /// read, so a watch waits for a service that it has never reached. If your program should fail in that case, call
    /// <see cref="GetSnapshotAsync"/> first. A tick is skipped if it falls due while a read is in progress or the caller is busy.
    /// </summary>
    /// <param name="interval">
    /// The time from one read to the next, at least 10 seconds: the service caches its metrics for that long.
    /// </param>
    /// <param name="cancellationToken">Ends the watch.</param>
    /// <returns>One snapshot for each read that succeeded.</returns>
    /// <exception cref="ArgumentOutOfRangeException">
    /// <paramref name="interval"/> is shorter than 10 seconds, or longer than a day. Thrown at the call.
    /// </exception>
    /// <exception cref="FalAuthenticationException">The key was not accepted; the watch has ended.</exception>
    /// <exception cref="FalForbiddenException">The call was refused; the watch has ended.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    /// <example>
    /// <code>
    /// await foreach (FalMetricsSnapshot now in fal.Metrics.WatchAsync(TimeSpan.FromSeconds(15)))
    ///     Console.WriteLine($"{now.Timestamp:T}: {now.Apps.Sum(app =&gt; app.QueueSize)} requests in queues");
    /// </code>
    /// </example>
    IAsyncEnumerable<FalMetricsSnapshot> WatchAsync(TimeSpan interval, CancellationToken cancellationToken = default);
}
