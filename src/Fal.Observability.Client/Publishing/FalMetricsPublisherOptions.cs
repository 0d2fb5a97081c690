namespace Fal.Observability.Client;

/// <summary>What <c>AddMetricsPublisher</c> publishes, and how often it reads it.</summary>
/// <remarks>
/// Values in code override those in the section <c>Publisher</c> inside the section of the registration: <c>Fal:Publisher</c>, or
/// <c>Fal:Accounts:&lt;account&gt;:Publisher</c> for a keyed one. They are validated when the host starts and read once.
/// </remarks>
public sealed class FalMetricsPublisherOptions
{
    /// <summary>The name of the configuration section inside that of the registration.</summary>
    /// <value><c>Publisher</c></value>
    public const string SectionName = "Publisher";

    /// <summary>
    /// The pause between the end of one read and the start of the next. Up to a tenth is added at random, so that processes that were
    /// started together spread their reads. The service caches its answer for 10 seconds.
    /// </summary>
    /// <value>15 seconds. Range 10 seconds to 1 day.</value>
    public TimeSpan Interval { get; set; } = FalMetricsPublisherOptionTable.Interval.Default;

    /// <summary>
    /// How old the last good snapshot may become before its values are no longer reported. Until then, a failed read changes only the
    /// values of the publisher's own instruments.
    /// </summary>
    /// <value>2 minutes. Range 20 seconds to 7 days, and at least twice <see cref="Interval"/>.</value>
    public TimeSpan StaleAfter { get; set; } = FalMetricsPublisherOptionTable.StaleAfter.Default;

    /// <summary>
    /// The value of the tag <c>account</c> on every point, which distinguishes several accounts. If the service itself sends a label
    /// <c>account</c>, it is published as <c>exported_account</c>, as Prometheus does.
    /// </summary>
    /// <value>If not set, the name of a named account. The default account then has no such tag.</value>
    public string? AccountLabel { get; set; }

    /// <summary>
    /// Endpoints whose latest closed analytics bucket is published too, each id as in <see cref="AnalyticsQuery.EndpointIds"/>. Ids that
    /// the service refuses are skipped and logged.
    /// </summary>
    /// <value>Empty: no analytics call is made.</value>
    public IList<string> AnalyticsEndpointIds { get; } = [];

    /// <summary>Which metrics of <see cref="AnalyticsEndpointIds"/> are published.</summary>
    /// <value>Counts of requests by outcome, and the percentiles 50, 90 and 99 of the execution time. At least one metric.</value>
    public AnalyticsExpand AnalyticsMetrics { get; set; } =
        AnalyticsExpand.Volume | AnalyticsExpand.P50Duration | AnalyticsExpand.P90Duration | AnalyticsExpand.P99Duration;

    /// <summary>
    /// The length of the buckets, in UTC. Analytics are read once per bucket, and a bucket is published when it is no longer provisional
    /// (<see cref="FalObservabilityOptions.ProvisionalAge"/>).
    /// </summary>
    /// <value><see cref="AnalyticsTimeframe.Hour"/>. Minute, hour or day.</value>
    public AnalyticsTimeframe AnalyticsTimeframe { get; set; } = AnalyticsTimeframe.Hour;
}
