using System.Diagnostics.Metrics;
using Fal.Observability.Client.Prometheus;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Testing;
using Microsoft.Extensions.Time.Testing;

namespace Fal.Observability.Client.Tests;

/// <summary>
/// Publishers as a host runs them, over clients of the test's own, with a clock that a test moves and a listener that collects what the
/// instruments say.
/// </summary>
internal sealed class PublisherHost : IAsyncDisposable
{
    private readonly SteppedClock _clock = new(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));
    private readonly ServiceProvider _services;
    private readonly MeterListener _listener = new();
    private readonly List<PrometheusSample> _collected = [];
    private readonly List<IHostedService> _started = [];

    public PublisherHost(
        Action<FalMetricsPublisherOptions>? configure = null,
        Action<IServiceCollection>? register = null,
        params string[] accounts
    )
    {
        var services = new ServiceCollection();
        services.AddSingleton<TimeProvider>(_clock);
        services.AddLogging(logging => logging.AddProvider(new FakeLoggerProvider(Log)));
        if (accounts.Length == 0)
        {
            services.AddFalObservability(o => o.ApiKey = "id:secret-value").AddMetricsPublisher(configure);
            services.AddSingleton<IFalMetricsClient>(Client);
        }

        foreach (string account in accounts)
        {
            services.AddFalObservability(account, o => o.ApiKey = "id:secret-value").AddMetricsPublisher(configure);
            Clients.Add(account, new FakeMetricsClient());
            services.AddKeyedSingleton<IFalMetricsClient>(account, Clients[account]);
        }

        register?.Invoke(services);
        _services = services.BuildServiceProvider();
        IMeterFactory factory = _services.GetRequiredService<IMeterFactory>();
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Name == FalMetricsPublisher.MeterName && instrument.Meter.Scope == factory)
            {
                Instruments.Add(instrument);
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => _collected.Add(new PrometheusSample(
            instrument.Name, LabelSet.Create(tags.ToArray().Select(tag => KeyValuePair.Create(tag.Key, (string)tag.Value!))), value)));
        _listener.Start();
    }

    public FakeMetricsClient Client { get; } = new();

    public Dictionary<string, FakeMetricsClient> Clients { get; } = [];

    public FakeLogCollector Log { get; } = new();

    public List<Instrument> Instruments { get; } = [];

    public FakeTimeProvider Clock => _clock;

    public IServiceProvider Services => _services;

    public FalMetricsPublisher Publisher => _services.GetRequiredService<FalMetricsPublisher>();

    public IReadOnlyList<FakeLogRecord> Events(int id) => [.. Log.GetSnapshot().Where(record => record.Id.Id == id)];

    /// <summary>Starts what a host would start, as it would.</summary>
    public async Task StartAsync()
    {
        _services.GetService<Microsoft.Extensions.Options.IStartupValidator>()?.Validate();
        foreach (IHostedService service in _services.GetServices<IHostedService>())
        {
            _started.Add(service);
            await service.StartAsync(CancellationToken.None);
        }
    }

    /// <summary>Completes when a loop has begun a pause that nobody has waited for, and says how long it is.</summary>
    public Task<TimeSpan> PauseAsync() => _clock.TimerAsync();

    /// <summary>Completes when a loop has begun a pause of a length in this range, and says how long it is.</summary>
    public async Task<TimeSpan> PauseAsync(TimeSpan least, TimeSpan most)
    {
        TimeSpan pause;
        do
        {
            pause = await PauseAsync();
        }
        while (pause < least || pause > most);

        return pause;
    }

    /// <summary>Lets the pause that was waited for end, and completes when the next one begins: a read has ended in between.</summary>
    public async Task<TimeSpan> NextPauseAsync(TimeSpan pause)
    {
        _clock.Advance(pause);
        return await PauseAsync();
    }

    /// <summary>What the instruments say now.</summary>
    public IReadOnlyList<PrometheusSample> Collect()
    {
        _collected.Clear();
        _listener.RecordObservableInstruments();
        return [.. _collected];
    }

    /// <summary>What one instrument says now.</summary>
    public IReadOnlyList<PrometheusSample> Collect(string name) => [.. Collect().Where(sample => sample.Name == name)];

    /// <summary>What the instruments say of the service, without what they say of the publisher.</summary>
    public IReadOnlyList<PrometheusSample> CollectFamilies() =>
        [.. Collect().Where(sample => sample.Name != "fal_up" && !sample.Name.StartsWith("fal_publisher_", StringComparison.Ordinal))];

    public async ValueTask DisposeAsync()
    {
        foreach (IHostedService service in _started)
        {
            await service.StopAsync(CancellationToken.None);
        }

        _listener.Dispose();
        await _services.DisposeAsync();
    }
}
