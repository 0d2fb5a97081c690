using Fal.Observability.Client;
using Fal.Observability.Client.Prometheus;

namespace Fal.Observability.Bridge;

/// <summary>One account as the page shows it: its series with the label that distinguishes accounts, while they are not stale.</summary>
internal sealed class BridgedAccount
{
    private readonly string _label;
    private readonly FalMetricsPublisher _publisher;
    private readonly LeftOut _leftOut;
    private readonly List<ClassicLabels> _labels = [];
    private readonly HashSet<ulong> _identities = [];
    private FalMetricsSnapshot? _counted;

    public BridgedAccount(string label, FalMetricsPublisher publisher, LeftOut leftOut)
    {
        (_label, _publisher, _leftOut) = (label, publisher, leftOut);
        leftOut.Begin(label, publisher);
    }

    /// <summary>The snapshot to show; null if there is none that is young enough.</summary>
    public FalMetricsSnapshot? Current => _publisher.IsStale ? null : _publisher.State.Snapshot;

    /// <summary>Whether a first read has ended, successfully or not.</summary>
    public bool HasBeenRead => _publisher.State.LastReadDuration is not null;

    /// <summary>
    /// The families with the account's label, under classic names, without timestamps. Of series that become one, the first stays. Not
    /// for two
    /// threads at once.
    /// </summary>
    /// <param name="snapshot">What the service sent.</param>
    /// <param name="isReserved">
    /// Whether nothing of the service's is shown under a name, as it is the bridge's own or Prometheus' own.
    /// </param>
    public PrometheusExposition Show(FalMetricsSnapshot snapshot, Predicate<string> isReserved)
    {
        int i = 0;
        string? lastName = null;
        string name = "";
        ulong nameIdentity = 0;
        Dictionary<string, string> names = new(StringComparer.Ordinal);
        HashSet<string> toCheck = new(StringComparer.Ordinal);
        bool hasTimestamps = false;
        PrometheusExposition shown = snapshot.Exposition.Relabel(sample =>
        {
            // Most snapshots have the same series in the same places, so their labels are made once.
            if (i == _labels.Count)
            {
                _labels.Add(default);
            }

            if (_labels[i].Sent != sample.Labels || sample.Labels.Count == 0)
            {
                _labels[i] = ClassicLabels.Of(sample.Labels, _label);
            }

            if (!ReferenceEquals(sample.Name, lastName))
            {
                lastName = sample.Name;
                if (!names.TryGetValue(lastName, out name!))
                {
                    names.Add(lastName, name = ClassicName.OfMetric(lastName));
                    if (name != lastName || isReserved(name))
                    {
                        toCheck.Add(name);
                    }
                }

                nameIdentity = ClassicLabels.IdentityOf(name);
            }

            hasTimestamps |= sample.TimestampMilliseconds is not null;
            // The service itself may send duplicate series. Comparing identities costs a fraction of comparing the series.
            if (_labels[i].MayCollide || !_identities.Add(nameIdentity ^ _labels[i].Identity))
            {
                toCheck.Add(name);
            }

            return _labels[i++].Labels;
        });
        _labels.RemoveRange(i, _labels.Count - i);
        _identities.Clear();
        if (hasTimestamps)
        {
            shown = WithoutTimestamps(shown);
        }

        if (toCheck.Count > 0)
        {
            shown = Distinct(snapshot, shown, names, toCheck, isReserved);
        }

        _counted = snapshot;
        return shown;
    }

    /// <summary>
    /// The families without the timestamps that the service sent: of a series with timestamps Prometheus does not see the end, and it
    /// refuses a
    /// sample that is old.
    /// </summary>
    private static PrometheusExposition WithoutTimestamps(PrometheusExposition sent) => new(sent.Families.Select(family => new MetricFamily(
        family.Name, family.Type, [.. family.Samples.Select(sample => new PrometheusSample(sample.Name, sample.Labels, sample.Value))],
        family.Help, family.Unit)));

    /// <summary>The families under classic names; of the names that may stand for two series, the first sample of each series.</summary>
    private PrometheusExposition Distinct(
        FalMetricsSnapshot snapshot, PrometheusExposition shown, Dictionary<string, string> names, HashSet<string> toCheck,
        Predicate<string> isReserved)
    {
        // The page is rebuilt when another account has a new snapshot; omissions from this one count once.
        LeftOut? leftOut = ReferenceEquals(snapshot, _counted) ? null : _leftOut;
        var series = new DistinctSeries();
        int begin = 0;
        return new PrometheusExposition(shown.Families.Zip(snapshot.Exposition.Families, ClassicFamily).OfType<MetricFamily>());

        MetricFamily? ClassicFamily(MetricFamily family, MetricFamily sent)
        {
            int first = begin;
            begin += family.Samples.Count;
            string name = ClassicName.OfMetric(family.Name);
            if (
                name == family.Name
                && !toCheck.Overlaps(SentSeries.PartNamesOf(name, family.Type))
                && !family.Samples.Any(sample => toCheck.Contains(names[sample.Name]))
            )
            {
                return family;
            }

            Dictionary<SentSeries, LostPart> withoutPart = WithoutPart(sent, first);
            PrometheusSample[] samples = [.. family.Samples.Zip(sent.Samples).Index().SelectMany(item =>
                Classic(item.Item.First, item.Item.Second, sent, _labels[first + item.Index], withoutPart))];
            // A family of which nothing is left would take its names from those that stay.
            return samples.Length > 0 || sent.Samples.Count == 0
                ? new MetricFamily(name, family.Type, samples, family.Help, family.Unit)
                : null;
        }

        // A histogram without one of its parts would be misleading, so it stays whole or is left out whole.
        Dictionary<SentSeries, LostPart> WithoutPart(MetricFamily family, int first)
        {
            var withoutPart = new Dictionary<SentSeries, LostPart>();
            if (SentSeries.PartLabelOf(family) is not null)
            {
                foreach ((int i, PrometheusSample sample) in family.Samples.Index())
                {
                    string name = names[sample.Name];
                    if (series.LostPartOf(sample, name, _labels[first + i].Labels, family) is { } lost)
                    {
                        withoutPart.TryAdd(SentSeries.Of(sample, family), lost);
                    }
                    else if (isReserved(name))
                    {
                        withoutPart.TryAdd(SentSeries.Of(sample, family), new LostPart(name, To: null));
                    }
                }
            }

            return withoutPart;
        }

        IEnumerable<PrometheusSample> Classic(
            PrometheusSample sample,
            PrometheusSample sent,
            MetricFamily family,
            ClassicLabels labels,
            Dictionary<SentSeries, LostPart> withoutPart
        )
        {
            string name = names[sample.Name];
            if (withoutPart.Count > 0 && withoutPart.TryGetValue(SentSeries.Of(sent, family), out LostPart lost))
            {
                leftOut?.Whole(_label, SentSeries.Of(sent, family), lost);
            }
            else if (isReserved(name))
            {
                leftOut?.ReservedName(_label, SentSeries.Of(sent, family), name);
            }
            else if ((toCheck.Contains(name) || SentSeries.PartLabelOf(family) is not null)
                && series.TakenBy(sent, name, labels.Labels, family) is { } first)
            {
                leftOut?.Series(_label, sent, name, first, isSame: first == SentSeries.Of(sent, family));
            }
            else
            {
                foreach (string label in labels.LeftOut)
                {
                    leftOut?.Label(_label, sent, label);
                }

                yield return name == sample.Name
                    ? sample : new PrometheusSample(name, sample.Labels, sample.Value);
            }
        }
    }
}
