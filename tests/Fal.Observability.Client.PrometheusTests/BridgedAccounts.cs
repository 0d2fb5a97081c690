using Fal.Observability.Client.PrometheusTests;
using Fal.Observability.Client.Testing;
using Microsoft.Extensions.Time.Testing;
using Xunit;

[assembly: AssemblyFixture(typeof(BridgedAccounts))]

namespace Fal.Observability.Client.PrometheusTests;

/// <summary>
/// Two simulated accounts whose clock stands still, a bridge that reads both, a real Prometheus that scrapes it with the published
/// configuration and rules, and the client's snapshots of the same instant. All tests that only look share it.
/// </summary>
public sealed class BridgedAccounts : IAsyncLifetime
{
    private readonly PrometheusFiles _files = new(MonitoredAccount.Key);
    private readonly FakeTimeProvider _clock = new(MonitoredAccount.Instant);
    private readonly Dictionary<string, FalMetricsSnapshot> _snapshots = [];
    private readonly List<FalSimulator> _simulators = [];
    private BridgeHost? _bridge;
    private PrometheusServer? _prometheus;

    public PrometheusServer Prometheus => _prometheus!;

    /// <summary>Where the bridge is.</summary>
    public Uri Address => _bridge!.Address;

    /// <summary>The snapshot of each account, by its label.</summary>
    public IReadOnlyDictionary<string, FalMetricsSnapshot> Snapshots => _snapshots;

    /// <summary>The page as a scraper gets it.</summary>
    public string Page { get; private set; } = "";

    public async ValueTask InitializeAsync()
    {
        var settings = new Dictionary<string, string?>();
        foreach ((string account, int seed) in new[] { ("acme", 1), ("globex", 2) })
        {
            FalSimulator simulator = await MonitoredAccount.StartSimulatorAsync(_clock, seed);
            _simulators.Add(simulator);
            settings[$"Fal:Accounts:{account}:ApiKey"] = MonitoredAccount.Key;
            settings[$"Fal:Accounts:{account}:BaseAddress"] = simulator.BaseAddress.ToString();
            using FalObservabilityClient fal = MonitoredAccount.ClientOf(simulator);
            _snapshots[account] = await fal.Metrics.GetSnapshotAsync();
        }

        _bridge = await BridgeHost.StartAsync(settings, _clock);
        _files.AimBridgeAt(_bridge.Address);
        _prometheus = await PrometheusServer.StartAsync(_files.WithAlerting(_files.Bridge));
        await _prometheus.WaitForAsync("count(fal_up == 1) == 2");
        Page = await _bridge.GetAsync("metrics");

        // The last of the rules, which builds on the others.
        await _prometheus.WaitForAsync("count(count by (account) (application:fal_app_slow_per_request:ratio_sum3d)) == 2");
        // The alerts are in groups of their own, which Prometheus may evaluate later.
        await _prometheus.WaitForAsync("count(count by (account) (ALERTS{alertname=~\"Fal.+\", alertstate=\"firing\"})) == 2");
    }

    public async ValueTask DisposeAsync()
    {
        if (_prometheus is not null)
        {
            await _prometheus.DisposeAsync();
        }

        if (_bridge is not null)
        {
            await _bridge.DisposeAsync();
        }

        foreach (FalSimulator simulator in _simulators)
        {
            await simulator.DisposeAsync();
        }

        _files.Dispose();
    }
}
