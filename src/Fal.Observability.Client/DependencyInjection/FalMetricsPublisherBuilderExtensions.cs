using System.Diagnostics.Metrics;
using Fal.Observability.Client;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Adds the publisher of metrics to a registration.</summary>
public static class FalMetricsPublisherBuilderExtensions
{
    private static readonly SettingsSection Settings = new(FalMetricsPublisherOptionTable.Rows);

    /// <summary>
    /// Reads the account's metrics in the background while the host runs, and publishes them as instruments of the meter
    /// <see cref="FalMetricsPublisher.MeterName"/>. Add that name to an OpenTelemetry pipeline to export fal's families under their own
    /// names.
    /// </summary>
    /// <param name="builder">The registration of the account.</param>
    /// <param name="configure">
    /// Sets options in code. They override the configuration section <c>Fal:Publisher</c>, or
    /// <c>Fal:Accounts:&lt;account&gt;:Publisher</c> for a named account.
    /// </param>
    /// <returns>The same builder.</returns>
    /// <remarks>
    /// Publishers of several accounts share the meter. The tag <c>account</c> on each point names the account. A second call for an account
    /// adds <paramref name="configure"/> to the same publisher. Without a host, nothing is read until
    /// <see cref="BackgroundService.StartAsync"/> of the <see cref="FalMetricsPublisher"/> is called.
    /// </remarks>
    /// <exception cref="ArgumentNullException"><paramref name="builder"/> is null.</exception>
    /// <example>
    /// <code>
    /// services.AddFalObservability().AddMetricsPublisher();
    /// </code>
    /// </example>
    public static IFalObservabilityBuilder AddMetricsPublisher(
        this IFalObservabilityBuilder builder,
        Action<FalMetricsPublisherOptions>? configure = null
    )
    {
        ArgumentNullException.ThrowIfNull(builder);
        IServiceCollection services = builder.Services;
        string? key = builder.Key;
        OptionsBuilder<FalMetricsPublisherOptions> options = services.AddOptions<FalMetricsPublisherOptions>(
            key ?? Options.Options.DefaultName
        );
        if (!services.Any(service => service.ServiceType == typeof(FalMetricsPublisher) && Equals(service.ServiceKey, key)))
        {
            services.TryAddEnumerable(
                ServiceDescriptor.Singleton<IValidateOptions<FalMetricsPublisherOptions>, FalMetricsPublisherOptionsValidator>()
            );
            options
                .Configure<IServiceProvider>(
                    (o, provider) =>
                        Settings.Bind<FalMetricsPublisherOptions>(
                            provider,
                            key,
                            FalMetricsPublisherOptions.SectionName,
                            section => section.Bind(o)
                        )
                )
                .ValidateOnStart();
            services.TryAddSingleton(provider => new PublishedMetrics(
                provider.GetRequiredService<IMeterFactory>(), FalObservabilityServiceCollectionExtensions.LogOf(provider, null)));
            services.AddMetricsReadings(key);
            services.Add(ServiceDescriptor.KeyedSingleton(key, (provider, _) => CreatePublisher(provider, key)));
            services.AddSingleton<IHostedService>(provider => provider.GetRequiredKeyedService<FalMetricsPublisher>(key));
        }

        if (configure is not null)
        {
            options.Configure(configure);
        }

        return builder;
    }

    /// <summary>Registers what the publisher and the health checks of an account share.</summary>
    internal static void AddMetricsReadings(this IServiceCollection services, string? key) =>
        services.TryAdd(ServiceDescriptor.KeyedSingleton(key, (provider, _) => new MetricsReadings(
            key,
            provider.GetRequiredKeyedService<IFalMetricsClient>(key),
            FalObservabilityServiceCollectionExtensions.TimeOf(provider))));

    private static FalMetricsPublisher CreatePublisher(IServiceProvider provider, string? key)
    {
        FalMetricsPublisherOptions options =
            provider.GetRequiredService<IOptionsMonitor<FalMetricsPublisherOptions>>().Get(key ?? Options.Options.DefaultName);
        TimeProvider time = FalObservabilityServiceCollectionExtensions.TimeOf(provider);
        ILogger log = FalObservabilityServiceCollectionExtensions.LogOf(provider, key);
        MetricsReadings readings = provider.GetRequiredKeyedService<MetricsReadings>(key);
        var analytics = new PublishedAnalytics(
            readings.Name,
            provider.GetRequiredKeyedService<IFalAnalyticsClient>(key),
            options,
            FalObservabilityServiceCollectionExtensions.OptionsOf(provider, key).ProvisionalAge,
            time,
            log);
        var account = new PublishedAccount(
            options.AccountLabel ?? key, readings, analytics, options.StaleAfter);
        return new FalMetricsPublisher(
            account, provider.GetRequiredService<PublishedMetrics>(), options, provider.GetRequiredKeyedService<FalApiKeySource>(key), time,
            log,
            FalPipeline.NextRandom);
    }
}
