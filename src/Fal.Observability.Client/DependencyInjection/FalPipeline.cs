using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using Refit;

namespace Fal.Observability.Client;

/// <summary>
/// What lies between the clients of one account and the socket. A container and <see cref="FalDirectClient"/> put the same parts together.
/// </summary>
/// <param name="account">The options of the account, and its key.</param>
/// <param name="connections">The owner of the primary handlers.</param>
/// <param name="time">The clock.</param>
/// <param name="loggers">Makes the loggers of the resilience pipeline. Null if the program has no logging.</param>
/// <param name="log">The logger of the account.</param>
internal sealed class FalPipeline(
    FalApiKeySource account,
    FalConnections connections,
    TimeProvider time,
    ILoggerFactory? loggers,
    ILogger log
)
{
    /// <summary>The client's user agent. The edge in front of the API challenges callers without one.</summary>
    private static readonly string UserAgent =
        $"Fal.Observability.Client/{typeof(FalPipeline).Assembly.GetName().Version?.ToString(3) ?? "0"}";

    public FalObservabilityOptions Options => account.Options;

    public static double NextRandom() => RandomNumberGenerator.GetInt32(1 << 24) / (double)(1 << 24);

    /// <summary>The handlers of an area, the outermost first.</summary>
    public DelegatingHandler[] CreateHandlers(FalArea area)
    {
        DelegatingHandler[] handlers =
        [
            new FalCallHandler(account, new FalResilience(Options, time, loggers, log, NextRandom), time, log, connections.Closed),
            new FalBodyHandler(Options, time, log),
        ];
        return area.Guard is { } guard ? [guard(), .. handlers] : handlers;
    }

    /// <summary>The primary handler, unless the user has another.</summary>
    public HttpMessageHandler CreatePrimaryHandler() => FalConnections.CreateHandler(Options.BaseAddress!);

    /// <summary>Puts the key on what a primary handler sends. It belongs below every handler and logger of the user's own.</summary>
    public HttpMessageHandler Authenticate(HttpMessageHandler primary)
    {
        connections.Own(primary);
        return new FalApiKeyHandler(Options) { InnerHandler = primary };
    }

    public void Configure(HttpClient http)
    {
        http.BaseAddress = Options.BaseAddress;
        // The handlers enforce the deadlines. HttpClient.Timeout would end a streamed body in the middle.
        http.Timeout = Timeout.InfiniteTimeSpan;
        http.DefaultRequestHeaders.UserAgent.ParseAdd(UserAgent);
        if (!string.IsNullOrEmpty(Options.UserAgentSuffix))
        {
            http.DefaultRequestHeaders.UserAgent.ParseAdd(Options.UserAgentSuffix);
        }
    }

    public RefitSettings CreateSettings(FalArea area) =>
        FalRefitSettings.Create(new FalJsonContentSerializer(area.Json, time), Options, time);

    public FalMetricsClient CreateClient(IFalMetricsApi api) => new(api, Options, time, log, NextRandom, connections.Closed);

    public FalAnalyticsClient CreateClient(IFalAnalyticsApi api) => new(api, Options, time, log, NextRandom, connections.Closed);

    public FalAppsClient CreateClient(IFalAppsApi api) => new(api, time, log);

    public FalUsageClient CreateClient(IFalUsageApi api) => new(api, Options, time);
}
