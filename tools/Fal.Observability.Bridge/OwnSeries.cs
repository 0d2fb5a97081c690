using System.Diagnostics.Metrics;
using Fal.Observability.Bridge.RemoteWrite;
using Fal.Observability.Client;
using Fal.Observability.Client.Prometheus;

namespace Fal.Observability.Bridge;

/// <summary>
/// What the publishers say about their own reads, the analytics that they publish, and what remote write says about itself, as families
/// for the page: the same instruments that an OpenTelemetry pipeline would export.
/// </summary>
internal sealed class OwnSeries : IDisposable
{
    /// <summary>Exactly these: a family of the service's may begin like them.</summary>
    private static readonly HashSet<string> PublishersOwn =
    [
        "fal_up", "fal_publisher_last_success_timestamp_seconds", "fal_publisher_snapshot_age_seconds",
        "fal_publisher_scrape_duration_seconds",
        "fal_publisher_scrape_samples", "fal_publisher_scrape_failures_total", "fal_analytics_bucket_start_timestamp_seconds",
        .. AnalyticsExpand.AllMetrics.GetFlags().Select(AnalyticsSamples.NameOf),
    ];

    private readonly Lock _one = new();
    private readonly SortedDictionary<string, Instrument> _instruments = new(StringComparer.Ordinal);
    private readonly List<PrometheusSample> _samples = [];
    private readonly MeterListener _listener = new();

    public OwnSeries(IMeterFactory meters)
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Scope == meters && IsOwn(instrument))
            {
                lock (_one)
                {
                    _instruments[instrument.Name] = instrument;
                }

                listener.EnableMeasurementEvents(instrument);
            }
        };
        _listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Take(instrument, value, tags));
        _listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Take(instrument, value, tags));
        _listener.Start();
    }

    /// <summary>
    /// Whether a name belongs to the bridge. It does before there is a value too, so that a series does not come and go with it.
    /// </summary>
    public bool IsOwn(string name)
    {
        lock (_one)
        {
            return PublishersOwn.Contains(name) || RemoteWriteWorker.Names.Contains(name) || _instruments.ContainsKey(name);
        }
    }

    /// <summary>The present values.</summary>
    public PrometheusExposition Read()
    {
        lock (_one)
        {
            _samples.Clear();
            _listener.RecordObservableInstruments();
            return new PrometheusExposition(
                _instruments.Values.Select(instrument => new MetricFamily(
                    instrument.Name,
                    instrument is ObservableCounter<double> or ObservableCounter<long>
                        ? PrometheusMetricType.Counter
                        : PrometheusMetricType.Gauge,
                    [.. _samples.Where(sample => sample.Name == instrument.Name)],
                    instrument.Description
                ))
            );
        }
    }

    public void Dispose() => _listener.Dispose();

    /// <summary>The families of the service have instruments too; the page takes those from the snapshots unchanged.</summary>
    private static bool IsOwn(Instrument instrument) => instrument.Meter.Name switch
    {
        RemoteWriteWorker.MeterName => true,
        FalMetricsPublisher.MeterName => PublishersOwn.Contains(instrument.Name),
        _ => false,
    };

    private void Take(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var labels = new KeyValuePair<string, string>[tags.Length];
        for (int i = 0; i < tags.Length; i++)
        {
            // The service's, where it has a family of this name.
            if (ClassicName.OfLabel(tags[i].Key) != tags[i].Key)
            {
                return;
            }

            labels[i] = new(tags[i].Key, (string)tags[i].Value!);
        }

        _samples.Add(new PrometheusSample(instrument.Name, LabelSet.Create(labels.AsSpan()), value));
    }
}
