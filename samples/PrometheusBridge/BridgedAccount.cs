using Fal.Observability.Client;
using Fal.Observability.Client.Prometheus;

namespace Fal.Observability.PrometheusBridge;

/// <summary>One account as the page shows it: its series with the label that tells accounts apart, while they are not stale.</summary>
internal sealed class BridgedAccount(string label, FalMetricsPublisher publisher)
{
    private const string AccountLabel = "account";

    private readonly List<(LabelSet Sent, LabelSet Labels)> _shown = [];

    /// <summary>The snapshot to show; null where there is none that is young enough.</summary>
    public FalMetricsSnapshot? Current => publisher.IsStale ? null : publisher.State.Snapshot;

    /// <summary>
    /// The families with the account's label. One that the service sends itself becomes <c>exported_account</c>, as in Prometheus. Not for
    /// two threads at once.
    /// </summary>
    public PrometheusExposition Show(FalMetricsSnapshot snapshot)
    {
        int i = 0;
        PrometheusExposition shown = snapshot.Exposition.Relabel(sample =>
        {
            // Snapshot after snapshot has the same series in the same places: their labels are made once.
            if (i == _shown.Count)
            {
                _shown.Add(default);
            }

            if (_shown[i].Sent != sample.Labels || sample.Labels.Count == 0)
            {
                _shown[i] = (sample.Labels, Relabel(sample.Labels));
            }

            return _shown[i++].Labels;
        });
        _shown.RemoveRange(i, _shown.Count - i);
        return shown;
    }

    private LabelSet Relabel(LabelSet sent) => sent[AccountLabel] is { } value
        ? sent.Without(AccountLabel).With("exported_" + AccountLabel, value).With(AccountLabel, label)
        : sent.With(AccountLabel, label);
}
