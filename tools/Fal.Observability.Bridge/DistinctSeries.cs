using Fal.Observability.Client.Prometheus;

namespace Fal.Observability.Bridge;

/// <summary>
/// Tells which samples stay where different series become one under their classic names: the first does. It serves one snapshot of one
/// account, or one bucket of one history.
/// </summary>
internal sealed class DistinctSeries
{
    private readonly Dictionary<(string Name, LabelSet Labels, string? PartLabel), SentSeries> _owners = [];
    private readonly Dictionary<(string Name, LabelSet Labels, long? Timestamp), SentSeries> _taken = [];

    /// <summary>Takes a place for a sample.</summary>
    /// <param name="sent">The sample as it was sent.</param>
    /// <param name="name">Its classic name.</param>
    /// <param name="labels">Its labels under classic names.</param>
    /// <param name="family">The family that it was sent in, where there is one.</param>
    /// <returns>The series that has the place already; null if the sample stays.</returns>
    public SentSeries? TakenBy(in PrometheusSample sent, string name, LabelSet labels, MetricFamily? family = null)
    {
        // To Prometheus a label without a value is none.
        LabelSet own = labels.Any(label => label.Value.Length == 0) ? LabelSet.Create(labels.Where(label => label.Value.Length > 0)) : labels;
        string? partLabel = family?.Type switch
        {
            PrometheusMetricType.Histogram or PrometheusMetricType.GaugeHistogram => "le",
            PrometheusMetricType.Summary => "quantile",
            _ => null,
        };
        // The parts of a histogram stay together: buckets of two would be a histogram that nobody measured.
        (var place, SentSeries series) = partLabel is null
            ? ((name, own, partLabel), new SentSeries(sent.Name, sent.Labels))
            : ((ClassicName.OfMetric(family!.Name), own.Without(partLabel), partLabel), new SentSeries(family.Name, sent.Labels.Without(partLabel)));
        if (!_owners.TryAdd(place, series) && _owners[place] is var owner && owner != series)
        {
            return owner;
        }

        return _taken.TryAdd((name, own, sent.TimestampMilliseconds), series) ? null : _taken[(name, own, sent.TimestampMilliseconds)];
    }
}

/// <summary>A series as the service sent it; of a histogram and of a summary, all its parts.</summary>
internal readonly record struct SentSeries(string Name, LabelSet Labels)
{
    public override string ToString() => Labels.Count == 0 ? Name : $"{Name}{Labels}";
}
