using Fal.Observability.Client;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Adds the health of a fal account to the health checks of an application.</summary>
public static class FalHealthChecksBuilderExtensions
{
    /// <summary>The timer with which health checks are cancelled accepts no more than 24.8 days.</summary>
    private static readonly TimeSpan LongestTimeout = TimeSpan.FromDays(24);

    /// <summary>
    /// Adds a health check of one account: <see cref="HealthStatus.Unhealthy"/> if the key is refused (401, 403) or there has been no data
    /// for longer than <see cref="FalHealthCheckOptions.UnhealthyAfter"/>; <see cref="HealthStatus.Degraded"/> if the data is stale, a
    /// queue is over its limit, or requests wait while no runner is up; otherwise <see cref="HealthStatus.Healthy"/>. The data of the
    /// result says when the metrics were read, why a read failed, and how many requests and runners there are.
    /// </summary>
    /// <param name="builder">The health checks.</param>
    /// <param name="account">
    /// The service key of the registration, as it was given to <c>AddFalObservability</c>; null for the default one.
    /// </param>
    /// <param name="configure">Sets when the status is degraded or unhealthy. If null, the defaults apply.</param>
    /// <param name="name">The name of the check. If null, <c>fal</c>, or <c>fal-&lt;account&gt;</c>.</param>
    /// <param name="failureStatus">
    /// The status to report instead of <see cref="HealthStatus.Unhealthy"/>. If null, that one is reported.
    /// </param>
    /// <param name="tags">Tags to select the check by. If null, none.</param>
    /// <param name="timeout">
    /// The maximum duration of the check if it makes a call. At nine tenths of it, the check ends the call, counts it as a failed read, and
    /// judges the data that it has. More than zero and at most 24 days. If null or infinite, the client's own limits
    /// apply.
    /// </param>
    /// <returns>The same builder.</returns>
    /// <remarks>
    /// If the account has a publisher (<c>AddMetricsPublisher</c>), the check judges the publisher's last read and makes no call. Otherwise
    /// it makes the call itself, at most once in 10 seconds however often the check runs, and once in 5 minutes while the key is refused.
    /// </remarks>
    /// <exception cref="ArgumentNullException"><paramref name="builder"/> is null.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="timeout"/> is out of its range.</exception>
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
        if (timeout != Timeout.InfiniteTimeSpan && (timeout <= TimeSpan.Zero || timeout > LongestTimeout))
        {
            throw new ArgumentOutOfRangeException(
                nameof(timeout),
                timeout,
                "The time-out of a health check must be more than zero and at most 24 days. Leave it out for the client's own limits.");
        }

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
