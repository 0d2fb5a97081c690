using Fal.Observability.Client;
using Fal.Observability.Client.Prometheus;

namespace Fal.Observability.PrometheusBridge;

/// <summary>One account as the page shows it: its series with the label that tells accounts apart, while they are not stale.</summary>
internal sealed class BridgedAccount(string label, FalMetricsPublisher publisher)
{
    private const string AccountLabel = "account";
    private const string ExportedPrefix = "exported_";

    private readonly List<ShownLabels> _shown = [];

    /// <summary>The snapshot to show; null where there is none that is young enough.</summary>
    public FalMetricsSnapshot? Current => publisher.IsStale ? null : publisher.State.Snapshot;

    /// <summary>
    /// The families with the account's label, under classic names. A label <c>account</c> that the service sends itself becomes
    /// <c>exported_account</c>, as in Prometheus. What is another series' double after that is left out. Not for two threads at once.
    /// </summary>
    public PrometheusExposition Show(FalMetricsSnapshot snapshot)
    {
        int i = 0;
        bool isRenamed = false;
        PrometheusExposition shown = snapshot.Exposition.Relabel(sample =>
        {
            // Snapshot after snapshot has the same series in the same places: their labels are made once.
            if (i == _shown.Count)
            {
                _shown.Add(default);
            }

            if (_shown[i].Sent != sample.Labels || sample.Labels.Count == 0)
            {
                _shown[i] = Relabel(sample.Labels);
            }

            isRenamed |= _shown[i].IsRenamed;
            return _shown[i++].Labels;
        });
        _shown.RemoveRange(i, _shown.Count - i);

        HashSet<string> names = [.. shown.Families.Select(family => family.Name)];
        return new PrometheusExposition(shown.Families
            .Select(Rename)
            .Where(family => shown[family.Name] == family || names.Add(family.Name))
            .Select(family => isRenamed ? WithoutDoubles(family) : family));
    }

    private static MetricFamily Rename(MetricFamily family)
    {
        string name = ClassicName.OfMetric(family.Name);
        return name == family.Name ? family : new MetricFamily(
            name, family.Type,
            [.. family.Samples.Select(sample => new PrometheusSample(
                ClassicName.OfMetric(sample.Name), sample.Labels, sample.Value, sample.TimestampMilliseconds, sample.Exemplar))],
            family.Help, family.Unit);
    }

    private static MetricFamily WithoutDoubles(MetricFamily family) => new(
        family.Name, family.Type, [.. family.Samples.DistinctBy(sample => (sample.Name, sample.Labels))], family.Help, family.Unit);

    private ShownLabels Relabel(LabelSet sent)
    {
        string exported = ExportedPrefix + AccountLabel;
        while (sent[exported] is not null)
        {
            exported = ExportedPrefix + exported;
        }

        var renamed = new Dictionary<string, string>(StringComparer.Ordinal);
        bool isRenamed = false;
        foreach ((string name, string value) in sent)
        {
            string shown = name == AccountLabel ? exported : ClassicName.OfLabel(name);
            isRenamed |= shown != name;
            if (!renamed.TryAdd(shown, value))
            {
                return new ShownLabels(sent, null, isRenamed);
            }
        }

        return new ShownLabels(sent, (isRenamed ? LabelSet.Create(renamed) : sent).With(AccountLabel, label), isRenamed);
    }

    /// <summary>The labels of a series as they were sent and as they are shown, null if two of them would be one.</summary>
    private readonly record struct ShownLabels(LabelSet Sent, LabelSet? Labels, bool IsRenamed);
}
