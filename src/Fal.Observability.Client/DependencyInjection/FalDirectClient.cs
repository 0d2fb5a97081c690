using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Refit;

namespace Fal.Observability.Client;

/// <summary>
/// The clients of one account, created without a container, because a container would take most of the start time of a short program. Parts
/// that are not needed at the start are created at their first use.
/// </summary>
internal sealed class FalDirectClient : IFalObservabilityClient, IDisposable
{
    private readonly FalConnections _connections = new();
    private readonly FalPipeline _pipeline;
    private readonly HttpMessageHandler _primary;
    private readonly FalMetricsClient _metrics;
    private readonly Lazy<IFalAnalyticsClient> _analytics;
    private readonly Lazy<IFalAppsClient> _apps;
    private readonly Lazy<IFalUsageClient> _usage;

    public FalDirectClient(FalObservabilityOptions options)
    {
        options.FindApiKey(inEnvironment: true);
        if (
            new FalObservabilityOptionsValidator().Validate(Microsoft.Extensions.Options.Options.DefaultName, options) is
            { Failed: true } invalid
        )
        {
            throw new OptionsValidationException(
                Microsoft.Extensions.Options.Options.DefaultName,
                typeof(FalObservabilityOptions),
                invalid.Failures
            );
        }

        var account = new FalApiKeySource(options, static () => null, null, NullLogger.Instance);
        _pipeline = new FalPipeline(account, _connections, TimeProvider.System, loggers: null, NullLogger.Instance);
        _primary = _pipeline.Authenticate(_pipeline.CreatePrimaryHandler());
        _metrics = _pipeline.CreateClient(CreateApi<IFalMetricsApi>(FalArea.Metrics));
        _analytics = new(() => _pipeline.CreateClient(CreateApi<IFalAnalyticsApi>(FalArea.Analytics)));
        _apps = new(() => _pipeline.CreateClient(CreateApi<IFalAppsApi>(FalArea.Apps)));
        _usage = new(() => _pipeline.CreateClient(CreateApi<IFalUsageApi>(FalArea.Usage)));
    }

    public IFalMetricsClient Metrics => _metrics;

    public IFalAnalyticsClient Analytics => _analytics.Value;

    public IFalAppsClient Apps => _apps.Value;

    public IFalUsageClient Usage => _usage.Value;

    public void Dispose()
    {
        // The connections come first: a call that finds one closed must also find that the client is disposed.
        _connections.Dispose();
        _primary.Dispose();
        _metrics.Dispose();
    }

    /// <summary>All areas share the connections.</summary>
    private T CreateApi<T>(FalArea area)
    {
        HttpMessageHandler handler = _primary;
        DelegatingHandler[] handlers = _pipeline.CreateHandlers(area);
        for (int i = handlers.Length - 1; i >= 0; i--)
        {
            handlers[i].InnerHandler = handler;
            handler = handlers[i];
        }

        var http = new HttpClient(handler, disposeHandler: false);
        _pipeline.Configure(http);
        return RestService.ForGenerated<T>(http, _pipeline.CreateSettings(area));
    }
}
