using Fal.Observability.Client;
using Fal.Observability.Client.Prometheus;

namespace Fal.Observability.PrometheusBridge;

/// <summary>One account as the page shows it: its series with the label that tells accounts apart, while they are not stale.</summary>
internal sealed class BridgedAccount(string label, FalMetricsPublisher publisher)
{
    private const string AccountLabel = "account";

    /// <summary>The snapshot to show; null where there is none that is young enough.</summary>
    public FalMetricsSnapshot? Current => publisher.IsStale ? null : publisher.State.Snapshot;

    /// <summary>The families with the account's label. One that the service sends itself becomes <c>exported_account</c>, as in Prometheus.</summary>
    public PrometheusExposition Show(FalMetricsSnapshot snapshot) => snapshot.Exposition.Relabel(sample =>
        sample.Labels[AccountLabel] is { } sent
            ? sample.Labels.Without(AccountLabel).With("exported_" + AccountLabel, sent).With(AccountLabel, label)
            : sample.Labels.With(AccountLabel, label));
}
