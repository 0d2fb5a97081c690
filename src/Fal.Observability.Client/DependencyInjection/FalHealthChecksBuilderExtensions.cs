using Fal.Observability.Client;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Adds the health of a fal account to the health checks of an application.</summary>
public static class FalHealthChecksBuilderExtensions
{
    /// <summary>
    /// Adds a health check of one account: <see cref="HealthStatus.Unhealthy"/> if the key is refused (401, 403) or there has been no
    /// data for
    /// long, <see cref="HealthStatus.Degraded"/> if the data is stale, a queue is over its limit, or requests wait and no runner is up,
    /// else
    /// <see cref="HealthStatus.Healthy"/>. The result's data says when the metrics were read, why not, and how many requests and runners
    /// there are.
    /// </summary>
    /// <param name="builder">The health checks.</param>
    /// <param name="account">
    /// The service key of the registration, as it was given to <c>AddFalObservability</c>; null for the default one.
    /// </param>
    /// <param name="configure">Sets what is called degraded and unhealthy. If null, the defaults.</param>
    /// <param name="name">The name of the check. If null, <c>fal</c>, or <c>fal-&lt;account&gt;</c>.</param>
    /// <param name="failureStatus">What is reported in place of <see cref="HealthStatus.Unhealthy"/>. If null, that.</param>
    /// <param name="tags">Tags to select the check by. If null, none.</param>
    /// <param name="timeout">How long the check may take, where it makes a call. If null, as long as the client's own limits allow.</param>
    /// <returns>The same builder.</returns>
    /// <remarks>
    /// With a publisher for the account (<c>AddMetricsPublisher</c>) the check judges what that one read last and makes no call. Without
    /// one it
    /// makes the call itself, at most one in 10 seconds however often it is asked, and one in 5 minutes while the key is refused.
    /// </remarks>
    /// <exception cref="ArgumentNullException"><paramref name="builder"/> is null.</exception>
    /// <example>
    /// <code>
    /// services.AddFalObservability();
    /// services.AddHealthChecks().AddFal();
    /// </code>
    /// </example>
    public static IHealthChecksBuilder AddFal(
        this IHealthChecksBuilder builder,
        string? account = null,
        Action<FalHealthCheckOptions>? configure = null,
        string? name = null,
        HealthStatus? failureStatus = null,
        IEnumerable<string>? tags = null,
        TimeSpan? timeout = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        string checkName = name ?? (account is null ? "fal" : $"fal-{account}");
        IServiceCollection services = builder.Services;
        services.AddMetricsReadings(account);
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<FalHealthCheckOptions>, FalHealthCheckOptionsValidator>());
        services.AddOptions<FalHealthCheckOptions>(checkName)
            .Configure(options => configure?.Invoke(options))
            .Validate<IServiceProvider>(
                (_, provider) => provider.GetKeyedService<IFalMetricsClient>(account) is not null,
                account is null
                    ? "No fal account is registered for the health check. Call AddFalObservability() too."
                    : $"No fal account '{account}' is registered for the health check. Call AddFalObservability(\"{account}\") too.")
            .ValidateOnStart();
        return builder.Add(new HealthCheckRegistration(
            checkName,
            provider => new FalHealthCheck(
                provider.GetRequiredKeyedService<MetricsReadings>(account),
                provider.GetKeyedService<FalMetricsPublisher>(account),
                provider.GetRequiredService<IOptionsMonitor<FalHealthCheckOptions>>().Get(checkName)),
            failureStatus,
            tags,
            timeout));
    }
}
