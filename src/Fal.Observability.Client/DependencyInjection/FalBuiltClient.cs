using Microsoft.Extensions.DependencyInjection;

namespace Fal.Observability.Client;

/// <summary>
/// The clients of one account, created in their own container, because the builder that the user configures exposes a service collection.
/// It is a class of its own, so that a program without it does not load the container.
/// </summary>
internal sealed class FalBuiltClient : IFalObservabilityClient, IDisposable
{
    private readonly ServiceProvider _services;
    private readonly IFalObservabilityClient _client;

    public FalBuiltClient(Action<FalObservabilityOptions>? configure, Action<IFalObservabilityBuilder> build)
    {
        var services = new ServiceCollection();
        build(services.AddFalObservability(configure));
        _services = services.BuildServiceProvider();
        try
        {
            _client = _services.GetRequiredService<IFalObservabilityClient>();
        }
        catch
        {
            _services.Dispose();
            throw;
        }
    }

    public IFalMetricsClient Metrics => _client.Metrics;

    public IFalAnalyticsClient Analytics => _client.Analytics;

    public IFalAppsClient Apps => _client.Apps;

    public IFalUsageClient Usage => _client.Usage;

    public void Dispose() => _services.Dispose();
}
