using Fal.Observability.Client.Prometheus;

namespace Fal.Observability.Tools;

/// <summary>
/// Tells which samples stay where different series become one under their classic names: the first does. It serves one snapshot of one
/// account, or one bucket of one history.
/// </summary>
internal sealed class DistinctSeries
{
    private const string BucketLabel = "le";

    private readonly Dictionary<(string Name, LabelSet Labels, string? PartLabel), SentSeries> _owners = [];
    private readonly Dictionary<(string Name, LabelSet Labels), SentSeries> _taken = [];
    private readonly Dictionary<(string Name, LabelSet Labels), SentSeries> _contested = [];

    /// <summary>Takes a place for a sample.</summary>
    /// <param name="sent">The sample as it was sent.</param>
    /// <param name="name">Its classic name.</param>
    /// <param name="labels">Its labels under classic names.</param>
    /// <param name="family">The family that it was sent in, where there is one.</param>
    /// <returns>The series that has the place already, which may be the same one; null if the sample stays.</returns>
    public SentSeries? TakenBy(in PrometheusSample sent, string name, LabelSet labels, MetricFamily? family = null)
    {
        Place place = PlaceOf(sent, name, labels, family);
        if (!_owners.TryAdd(place.Whole, place.Series) && _owners[place.Whole] is var owner && owner != place.Series)
        {
            return owner;
        }

        if (_taken.TryAdd(place.Own, place.Series))
        {
            return null;
        }

        if (place.Whole.PartLabel is null)
        {
            // A histogram's part stands in the family of this name, if there is one.
            _contested.TryAdd((name, place.Own.Labels.Without(BucketLabel)), place.Series);
        }

        return _taken[place.Own];
    }

    /// <summary>
    /// The part of a histogram or summary that another series has, by its classic name; null if there is none. No place is taken.
    /// </summary>
    /// <param name="sent">A sample of the histogram or summary, as it was sent.</param>
    /// <param name="name">Its classic name.</param>
    /// <param name="labels">Its labels under classic names.</param>
    /// <param name="family">The family that it was sent in.</param>
    public LostPart? LostPartOf(in PrometheusSample sent, string name, LabelSet labels, MetricFamily family)
    {
        Place place = PlaceOf(sent, name, labels, family);
        if (_owners.TryGetValue(place.Whole, out SentSeries other) && other != place.Series)
        {
            return new LostPart(name, other);
        }

        if (_taken.TryGetValue(place.Own, out other) && other != place.Series)
        {
            return new LostPart(name, other);
        }

        foreach (string part in SentSeries.PartNamesOf(place.Whole.Name, family.Type))
        {
            if (_contested.TryGetValue((part, place.Whole.Labels), out other))
            {
                return new LostPart(part, other);
            }
        }

        return null;
    }

    private static Place PlaceOf(in PrometheusSample sent, string name, LabelSet labels, MetricFamily? family)
    {
        // To Prometheus a label without a value is none.
        LabelSet own = labels.Any(label => label.Value.Length == 0)
            ? LabelSet.Create(labels.Where(label => label.Value.Length > 0))
            : labels;
        // The parts of a histogram stay together: buckets of two would be a histogram that nobody measured.
        return family is not null && SentSeries.PartLabelOf(family) is { } partLabel
            ? new Place(
                (ClassicName.OfMetric(family.Name), own.Without(partLabel), partLabel), (name, own), SentSeries.Of(sent, family))
            : new Place((name, own, null), (name, own), SentSeries.Of(sent, family));
    }

    private readonly record struct Place(
        (string Name, LabelSet Labels, string? PartLabel) Whole, (string Name, LabelSet Labels) Own, SentSeries Series);
}

/// <summary>A series as the service sent it; of a histogram and of a summary, all its parts.</summary>
internal readonly record struct SentSeries(string Name, LabelSet Labels)
{
    /// <summary>The series of a sample.</summary>
    /// <param name="sent">The sample as it was sent.</param>
    /// <param name="family">The family that it was sent in, where there is one.</param>
    public static SentSeries Of(in PrometheusSample sent, MetricFamily? family) =>
        family is not null && PartLabelOf(family) is { } partLabel
            ? new SentSeries(family.Name, sent.Labels.Without(partLabel))
            : new SentSeries(sent.Name, sent.Labels);

    /// <summary>The label that distinguishes the parts of one series of a family; null if a series has no parts.</summary>
    public static string? PartLabelOf(MetricFamily family) => family.Type switch
    {
        PrometheusMetricType.Histogram or PrometheusMetricType.GaugeHistogram => "le",
        PrometheusMetricType.Summary => "quantile",
        _ => null,
    };

    /// <summary>The names of the parts of a histogram or summary, without those of a summary's quantiles; none of another type.</summary>
    public static string[] PartNamesOf(string name, PrometheusMetricType type) => type switch
    {
        PrometheusMetricType.Histogram or PrometheusMetricType.GaugeHistogram => [$"{name}_bucket", $"{name}_sum", $"{name}_count"],
        PrometheusMetricType.Summary => [$"{name}_sum", $"{name}_count"],
        _ => [],
    };

    public override string ToString() => Labels.Count == 0 ? Name : $"{Name}{Labels}";
}

/// <summary>A part that a histogram or summary cannot have.</summary>
/// <param name="Name">Its classic name.</param>
/// <param name="To">The series that has it; null if the name is one of the bridge's own.</param>
internal readonly record struct LostPart(string Name, SentSeries? To);
