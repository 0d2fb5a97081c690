using System.Diagnostics.Metrics;
using System.Globalization;
using Fal.Observability.Client.Prometheus;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Fal.Observability.Client;

/// <summary>
/// The meter of all published accounts and its instruments: one per sample name, created when the name first occurs. The callbacks only
/// return what was read before.
/// </summary>
internal sealed class PublishedMetrics
{
    /// <summary>OpenTelemetry's default limit of the points of one metric. It folds additional points into one.</summary>
    private const int OpenTelemetryPointLimit = 2000;

    /// <summary>
    /// OpenTelemetry's default limit of metrics, including our own. It also bounds the memory that a faulty service can make the client
    /// use.
    /// </summary>
    private const int MostInstruments = 1000;

    private const string AnalyticsPrefix = "fal_analytics_";

    private const string BucketStart = AnalyticsPrefix + "bucket_start_timestamp_seconds";

    // Reserved whether or not an account publishes analytics, so that the order of reads does not decide who owns these series.
    private static readonly HashSet<string> AnalyticsNames =
        [BucketStart, .. AnalyticsExpand.AllMetrics.GetFlags().Select(NameOf)];

    private readonly Meter _meter;
    private readonly ILogger _log;
    private readonly Dictionary<string, SeenSeries> _instruments = new(StringComparer.Ordinal);
    private readonly HashSet<string> _ownNames = new(StringComparer.Ordinal);
    private readonly HashSet<string> _ownNamesLogged = new(StringComparer.Ordinal);
    private PublishedAccount[] _accounts = [];
    private bool _limitLogged;

    public PublishedMetrics(IMeterFactory meters, ILogger log)
    {
        _log = log;
        // Without a version, which would be a label of every series, so that each update of the package would start new series.
        _meter = meters.Create(new MeterOptions(FalMetricsPublisher.MeterName));
        AddOwn("fal_up", null, "1 if the last read of the account's metrics succeeded, else 0.",
            static account => account.Readings.State is { LastReadDuration: not null } state ? (state.LastFailure is null ? 1 : 0) : null);
        AddOwn("fal_publisher_last_success_timestamp_seconds", "s", "When the metrics were last read, in seconds since the Unix epoch.",
            static account => account.Readings.State.LastSuccess is { } success ? (success - DateTimeOffset.UnixEpoch).TotalSeconds : null);
        AddOwn("fal_publisher_snapshot_age_seconds", "s", "The age of the latest metrics.",
            static account => account.Readings.Age?.TotalSeconds);
        AddOwn("fal_publisher_scrape_duration_seconds", "s", "The duration of the last read of the metrics, including its retries.",
            static account => account.Readings.State.LastReadDuration?.TotalSeconds);
        AddOwn("fal_publisher_scrape_samples", "{sample}", "The number of samples in the last successful read of the metrics.",
            static account => account.Readings.State.Snapshot?.Families.Sum(family => family.Samples.Count));
        _ownNames.Add("fal_publisher_scrape_failures_total");
        _meter.CreateObservableCounter(
            "fal_publisher_scrape_failures_total",
            ObserveFailures,
            "{failure}",
            "The number of reads of the metrics that failed, by kind."
        );
    }

    /// <summary>Adds an account's points to the instruments.</summary>
    /// <exception cref="OptionsValidationException">Another account would be published under the same tag.</exception>
    public void Add(PublishedAccount account)
    {
        lock (_instruments)
        {
            if (_accounts.Any(other => other.Label == account.Label))
            {
                throw new OptionsValidationException(
                    account.Readings.Account ?? Options.DefaultName,
                    typeof(FalMetricsPublisherOptions),
                    [$"Two accounts have the tag account={account.Label}, so their series would be merged. Give each account its " +
                        $"own {nameof(FalMetricsPublisherOptions.AccountLabel)}."]);
            }

            _accounts = [.. _accounts, account];
        }
    }

    /// <summary>Takes an account's last good snapshot, and makes instruments for the names in it that are new.</summary>
    public void Publish(PublishedAccount account, FalMetricsSnapshot snapshot)
    {
        lock (_instruments)
        {
            foreach ((string name, PublishedSeries series) in account.SetSnapshot(snapshot))
            {
                if (
                    series.Samples.Count > 0
                    && Declare(name, series.Family, account) is { } seen
                    && seen.PassesLimit(account.Label, series.Samples)
                )
                {
                    _log.CardinalityLimitPassed(name, OpenTelemetryPointLimit);
                }
            }
        }
    }

    /// <summary>Takes an account's last closed analytics bucket, and makes instruments for the metrics in it that are new.</summary>
    public void PublishAnalytics(PublishedAccount account)
    {
        lock (_instruments)
        {
            AddOwnOnce(
                BucketStart,
                "s",
                "When the published analytics bucket starts, in seconds since the Unix epoch.",
                published =>
                    published.Analytics.BucketStart is { } start ? [published.Point((start - DateTimeOffset.UnixEpoch).TotalSeconds)] : []
            );
            foreach (AnalyticsExpand metric in account.Analytics.Metrics)
            {
                AddOwnOnce(
                    NameOf(metric),
                    metric.IsDuration() ? "s" : "{request}",
                    $"The metric {metric.GetWireName()} of the latest closed analytics bucket.",
                    published =>
                        published
                            .Analytics.Values(metric)
                            .Select(row => published.Point(row.Value, KeyValuePair.Create("endpoint_id", (object?)row.EndpointId)))
                );
            }
        }
    }

    private static string NameOf(AnalyticsExpand metric) =>
        $"{AnalyticsPrefix}{metric.GetWireName()}{(metric.IsDuration() ? "_seconds" : "")}";

    /// <summary>The record of a name's instrument, which is created if necessary; null if it must not be published.</summary>
    private SeenSeries? Declare(string name, MetricFamily family, PublishedAccount account)
    {
        if (_instruments.TryGetValue(name, out SeenSeries? seen))
        {
            return seen;
        }

        if (_ownNames.Contains(name) || AnalyticsNames.Contains(name))
        {
            if (_ownNamesLogged.Add(name))
            {
                _log.InstrumentLeftOut(name, account.Readings.Name, "the publisher uses this name for a metric of its own");
            }

            return null;
        }

        if (_instruments.Count + _ownNames.Count >= MostInstruments)
        {
            if (!_limitLogged)
            {
                _limitLogged = true;
                _log.InstrumentLeftOut(
                    name, account.Readings.Name,
                    string.Create(CultureInfo.InvariantCulture, $"{MostInstruments} metrics are published already, which is the limit"));
            }

            return null;
        }

        // Add the name first. If a listener throws when the instrument is created, the next read must not create the instrument again.
        _instruments.Add(name, seen = new SeenSeries());

        // An exporter to Prometheus gives a counter the suffix _total where it has none, and would change the series' name.
        if (family.Type == PrometheusMetricType.Counter && name.EndsWith("_total", StringComparison.Ordinal))
        {
            _meter.CreateObservableCounter(name, () => Observe(name), UnitOf(name, family), family.Help);
        }
        else
        {
            _meter.CreateObservableGauge(name, () => Observe(name), UnitOf(name, family), family.Help);
        }

        return seen;
    }

    private IEnumerable<Measurement<double>> Observe(string name) =>
        Volatile.Read(ref _accounts).SelectMany(account => account.Points(name));

    private IEnumerable<Measurement<double>> ObserveFailures()
    {
        foreach (PublishedAccount account in Volatile.Read(ref _accounts))
        {
            for (int kind = 0; kind < MetricsReadings.FailureKinds.Length; kind++)
            {
                yield return account.Point(
                    account.Readings.FailuresOf(kind),
                    KeyValuePair.Create("kind", (object?)MetricsReadings.FailureKinds[kind])
                );
            }
        }
    }

    private void AddOwn(string name, string? unit, string description, Func<PublishedAccount, double?> value) =>
        AddOwnOnce(name, unit, description, account => value(account) is { } point ? [account.Point(point)] : []);

    private void AddOwnOnce(string name, string? unit, string description, Func<PublishedAccount, IEnumerable<Measurement<double>>> points)
    {
        if (_ownNames.Add(name))
        {
            _meter.CreateObservableGauge(name, () => Volatile.Read(ref _accounts).SelectMany(points), unit, description);
        }
    }

    /// <summary>The unit of a known family, or one that the name of another ends with.</summary>
    private static string? UnitOf(string name, MetricFamily family) => FalKnownFamilies.Find(name) is { } known
        ? known.Unit
        : family.Unit is { } unit && name.EndsWith("_" + unit, StringComparison.Ordinal) ? unit : null;

    /// <summary>
    /// All series that a name has ever had, up to OpenTelemetry's limit. Its cumulative metrics keep a place for a series that has ended,
    /// so its limit counts them too.
    /// </summary>
    private sealed class SeenSeries
    {
        private HashSet<(string? Account, LabelSet Labels)>? _seen = [];

        /// <summary>Whether the number of series has just exceeded the limit. Returns true only once.</summary>
        public bool PassesLimit(string? account, IReadOnlyList<PrometheusSample> samples)
        {
            for (int i = 0; i < samples.Count && _seen is not null; i++)
            {
                _seen.Add((account, samples[i].Labels));
                if (_seen.Count > OpenTelemetryPointLimit)
                {
                    _seen = null;
                    return true;
                }
            }

            return false;
        }
    }
}
