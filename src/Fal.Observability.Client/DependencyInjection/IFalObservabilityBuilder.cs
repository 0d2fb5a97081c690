using Fal.Observability.Client;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Refines one registration, that is, one fal account. <c>AddFalObservability</c> returns it.</summary>
public interface IFalObservabilityBuilder
{
    /// <summary>The name of the account, which is also its service key in the container; null for the default account.</summary>
    string? Key { get; }

    /// <summary>The service collection that contains the registration.</summary>
    IServiceCollection Services { get; }

    /// <summary>
    /// Applies the same configuration to the HTTP clients behind <see cref="IFalMetricsApi"/>, <see cref="IFalAnalyticsApi"/>,
    /// <see cref="IFalAppsApi"/> and <see cref="IFalUsageApi"/>: another primary handler, a proxy, a handler of your own. Handlers that are
    /// added here come below the client's own and see each attempt. The key is added below them, next to the socket, where no handler and
    /// no logger of HTTP requests can show it.
    /// </summary>
    /// <param name="configure">Called once for each of the four clients.</param>
    /// <returns>The same builder.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="configure"/> is null.</exception>
    IFalObservabilityBuilder ConfigureHttpClients(Action<IHttpClientBuilder> configure);
}
