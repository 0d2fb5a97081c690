using Fal.Observability.Client.PrometheusTests;
using Fal.Observability.Client.Testing;
using Microsoft.Extensions.Time.Testing;
using Xunit;

[assembly: AssemblyFixture(typeof(MonitoredAccount))]

namespace Fal.Observability.Client.PrometheusTests;

/// <summary>
/// A simulated account whose clock stands still, a real Prometheus that scrapes it with the published configuration and rules,
/// and the client's snapshot of the same instant. All tests that only look share it.
/// </summary>
public sealed class MonitoredAccount : IAsyncLifetime
{
    public const string Key = "test-id:test-secret-0123456789";

    /// <summary>A busy moment of the simulated account: errors of every kind, runners pending and dead.</summary>
    public static readonly DateTimeOffset Instant = new(2026, 6, 16, 11, 34, 0, TimeSpan.Zero);

    private readonly PrometheusFiles _files = new(Key);
    private FalSimulator? _simulator;
    private PrometheusServer? _prometheus;
    private FalMetricsSnapshot? _snapshot;

    public PrometheusServer Prometheus => _prometheus!;

    /// <summary>Where the simulated service is.</summary>
    public Uri Service => _simulator!.BaseAddress;

    public FalMetricsSnapshot Snapshot => _snapshot!;

    /// <summary>The service's answer as it is.</summary>
    public string Exposition { get; private set; } = "";

    public static Task<FalSimulator> StartSimulatorAsync(TimeProvider clock, int seed = 1) =>
        FalSimulator.StartAsync(new FalSimulatorOptions { TimeProvider = clock, Apps = 60, Seed = seed, Key = Key });

    public static FalObservabilityClient ClientOf(FalSimulator simulator) => new(options =>
    {
        options.ApiKey = Key;
        options.BaseAddress = simulator.BaseAddress;
    });

    public async ValueTask InitializeAsync()
    {
        _simulator = await StartSimulatorAsync(new FakeTimeProvider(Instant));
        _files.AimDirectAt(_simulator.BaseAddress);
        _prometheus = await PrometheusServer.StartAsync(_files.WithAlerting(_files.Direct));

        using FalObservabilityClient fal = ClientOf(_simulator);
        _snapshot = await fal.Metrics.GetSnapshotAsync();
        using var http = new HttpClient();
        http.DefaultRequestHeaders.TryAddWithoutValidation("Authorization", $"Key {Key}");
        Exposition = await http.GetStringAsync(new Uri($"{_simulator.BaseAddress}/serverless/metrics"));

        // The last of the rules, which builds on the others.
        await _prometheus.WaitForAsync("application:fal_app_slow_per_request:ratio_sum3d");
        // The alerts are in groups of their own, which Prometheus may evaluate later.
        await _prometheus.WaitForAsync("ALERTS{alertname=~\"Fal.+\", alertstate=\"firing\"}");
    }

    public async ValueTask DisposeAsync()
    {
        if (_prometheus is not null)
        {
            await _prometheus.DisposeAsync();
        }

        if (_simulator is not null)
        {
            await _simulator.DisposeAsync();
        }

        _files.Dispose();
    }
}
