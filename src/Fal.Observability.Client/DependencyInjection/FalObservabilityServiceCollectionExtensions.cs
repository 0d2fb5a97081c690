using System.Diagnostics.Metrics;
using Fal.Observability.Client;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Primitives;
using Refit;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Registers the fal observability client.</summary>
public static class FalObservabilityServiceCollectionExtensions
{
    private static readonly SettingsSection Settings = new(FalObservabilityOptionTable.Rows);

    /// <summary>
    /// Registers <see cref="IFalObservabilityClient"/> as a singleton. Also registers the clients of its four areas as singletons:
    /// <see cref="IFalMetricsClient"/>, <see cref="IFalAnalyticsClient"/>, <see cref="IFalAppsClient"/> and <see cref="IFalUsageClient"/>.
    /// Below them, registers the Refit interfaces <see cref="IFalMetricsApi"/>, <see cref="IFalAnalyticsApi"/>, <see cref="IFalAppsApi"/>
    /// and <see cref="IFalUsageApi"/>.
    /// </summary>
    /// <param name="services">The services to register in.</param>
    /// <param name="configure">
    /// Sets options in code. They override the configuration section <c>Fal</c>. A key from either overrides the environment variables
    /// <c>FAL_KEY</c>, or <c>FAL_KEY_ID</c> and <c>FAL_KEY_SECRET</c>, or <c>FAL_KEY_FILE</c>.
    /// </param>
    /// <returns>A builder to refine the registration with.</returns>
    /// <remarks>
    /// Another call adds its <paramref name="configure"/> to the same registration. The options are validated when the host starts. Without
    /// a host, they are validated when the first of the services is resolved.
    /// </remarks>
    /// <exception cref="ArgumentNullException"><paramref name="services"/> is null.</exception>
    /// <example>
    /// <code>
    /// services.AddFalObservability(options =&gt; options.ApiKey = vault["fal"]);
    /// </code>
    /// </example>
    public static IFalObservabilityBuilder AddFalObservability(
        this IServiceCollection services,
        Action<FalObservabilityOptions>? configure = null
    )
    {
        ArgumentNullException.ThrowIfNull(services);
        return Add(services, null, configure);
    }

    /// <summary>
    /// Registers the same services under a service key, so that several accounts can be used side by side. Inject them with
    /// <c>[FromKeyedServices("acme")] IFalMetricsClient metrics</c>.
    /// </summary>
    /// <param name="services">The services to register in.</param>
    /// <param name="account">
    /// Your own name for the account. It is the service key, and part of the configuration section <c>Fal:Accounts:&lt;account&gt;</c>. It
    /// is not the API key.
    /// </param>
    /// <param name="configure">
    /// Sets options in code. They override the section. The environment is not read, because <c>FAL_KEY</c> belongs to one account only.
    /// </param>
    /// <returns>A builder to refine the registration with.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="services"/> or <paramref name="account"/> is null.</exception>
    /// <exception cref="ArgumentException"><paramref name="account"/> is blank, or contains a colon, as an API key does.</exception>
    /// <example>
    /// <code>
    /// services.AddFalObservability("acme", options =&gt; options.ApiKey = vault["acme"]);
    /// services.AddFalObservability("globex", options =&gt; options.ApiKey = vault["globex"]);
    /// </code>
    /// </example>
    public static IFalObservabilityBuilder AddFalObservability(
        this IServiceCollection services, string account, Action<FalObservabilityOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentException.ThrowIfNullOrWhiteSpace(account);
        if (account.Contains(':', StringComparison.Ordinal))
        {
            throw new ArgumentException(
                "The name of an account cannot contain a colon. To pass an API key, write AddFalObservability(o => o.ApiKey = key).",
                nameof(account)
            );
        }

        return Add(services, account, configure);
    }

    private static FalObservabilityBuilder Add(IServiceCollection services, string? key, Action<FalObservabilityOptions>? configure)
    {
        string name = key ?? Options.Options.DefaultName;
        var builder = new FalObservabilityBuilder(services, key);
        bool again = services.Any(s => s.ServiceType == typeof(IFalObservabilityClient) && Equals(s.ServiceKey, key));
        OptionsBuilder<FalObservabilityOptions> options = services.AddOptions<FalObservabilityOptions>(name);
        if (!again)
        {
            services.TryAddSingleton(provider =>
            {
                // Create the meter factory before the connections. A container disposes first what it created last, and the handlers use
                // the meters until the connections are closed.
                _ = provider.GetService<IMeterFactory>();
                return new FalConnections();
            });
            services.TryAddEnumerable(
                ServiceDescriptor.Singleton<IValidateOptions<FalObservabilityOptions>, FalObservabilityOptionsValidator>()
            );
            options
                .Configure<IServiceProvider>((o, provider) => BindSection(o, provider, key))
                .ValidateOnStart();
            options.PostConfigure(o => o.FindApiKey(inEnvironment: key is null));
            AddClients(services, builder);
        }

        if (configure is not null)
        {
            options.Configure(configure);
        }

        return builder;
    }

    private static void BindSection(FalObservabilityOptions options, IServiceProvider provider, string? key)
    {
        try
        {
            Settings.Bind<FalObservabilityOptions>(
                provider,
                key,
                null,
                section =>
                {
                    options.HasConfiguration = true;
                    // Read the key first, because a value that cannot be read ends the binding.
                    options.ApiKey = section[nameof(options.ApiKey)] ?? options.ApiKey;
                    section.Bind(options);
                }
            );
        }
        catch (OptionsValidationException e)
        {
            // The validator reports these failures. A reload takes only the key and does not validate.
            options.SectionFailures = e.Failures;
        }
    }

    private static void AddClients(IServiceCollection services, FalObservabilityBuilder builder)
    {
        string? key = builder.Key;
        if (key is null)
        {
            services.AddRefitGeneratedClient<IFalMetricsApi>(SettingsOf(FalArea.Metrics), builder.MetricsHttpClientName);
            services.AddRefitGeneratedClient<IFalAnalyticsApi>(SettingsOf(FalArea.Analytics), builder.AnalyticsHttpClientName);
            services.AddRefitGeneratedClient<IFalAppsApi>(SettingsOf(FalArea.Apps), builder.AppsHttpClientName);
            services.AddRefitGeneratedClient<IFalUsageApi>(SettingsOf(FalArea.Usage), builder.UsageHttpClientName);
        }
        else
        {
            services.AddKeyedRefitGeneratedClient<IFalMetricsApi>(key, SettingsOf(FalArea.Metrics), builder.MetricsHttpClientName);
            services.AddKeyedRefitGeneratedClient<IFalAnalyticsApi>(key, SettingsOf(FalArea.Analytics), builder.AnalyticsHttpClientName);
            services.AddKeyedRefitGeneratedClient<IFalAppsApi>(key, SettingsOf(FalArea.Apps), builder.AppsHttpClientName);
            services.AddKeyedRefitGeneratedClient<IFalUsageApi>(key, SettingsOf(FalArea.Usage), builder.UsageHttpClientName);
        }

        ConfigureHttpClient(services.AddHttpClient(builder.MetricsHttpClientName), key, FalArea.Metrics);
        ConfigureHttpClient(services.AddHttpClient(builder.AnalyticsHttpClientName), key, FalArea.Analytics);
        ConfigureHttpClient(services.AddHttpClient(builder.AppsHttpClientName), key, FalArea.Apps);
        ConfigureHttpClient(services.AddHttpClient(builder.UsageHttpClientName), key, FalArea.Usage);

        // With a null service key, KeyedSingleton makes an ordinary registration, so the same code serves both.
        services.Add(ServiceDescriptor.KeyedSingleton(key, (provider, _) => CreateSource(provider, key)));
        services.Add(ServiceDescriptor.KeyedSingleton(key, (provider, _) => new FalPipeline(
            provider.GetRequiredKeyedService<FalApiKeySource>(key), provider.GetRequiredService<FalConnections>(), TimeOf(provider),
            provider.GetService<ILoggerFactory>(), LogOf(provider, key))));
        services.Add(ServiceDescriptor.KeyedSingleton<IFalMetricsClient>(key, (provider, _) =>
            PipelineOf(provider, key).CreateClient(provider.GetRequiredKeyedService<IFalMetricsApi>(key))));
        services.Add(ServiceDescriptor.KeyedSingleton<IFalAnalyticsClient>(key, (provider, _) =>
            PipelineOf(provider, key).CreateClient(provider.GetRequiredKeyedService<IFalAnalyticsApi>(key))));
        services.Add(ServiceDescriptor.KeyedSingleton<IFalAppsClient>(key, (provider, _) =>
            PipelineOf(provider, key).CreateClient(provider.GetRequiredKeyedService<IFalAppsApi>(key))));
        services.Add(ServiceDescriptor.KeyedSingleton<IFalUsageClient>(key, (provider, _) =>
            PipelineOf(provider, key).CreateClient(provider.GetRequiredKeyedService<IFalUsageApi>(key))));
        services.Add(ServiceDescriptor.KeyedSingleton<IFalObservabilityClient>(key, (provider, _) => new RegisteredClient(provider, key)));

        Func<IServiceProvider, RefitSettings> SettingsOf(FalArea area) => provider => PipelineOf(provider, key).CreateSettings(area);
    }

    private static void ConfigureHttpClient(IHttpClientBuilder client, string? key, FalArea area)
    {
        client
            .ConfigureHttpClient((provider, http) => PipelineOf(provider, key).Configure(http))
            .ConfigureAdditionalHttpMessageHandlers((handlers, provider) =>
            {
                foreach (DelegatingHandler handler in PipelineOf(provider, key).CreateHandlers(area))
                {
                    handlers.Add(handler);
                }
            })
            .ConfigurePrimaryHttpMessageHandler(provider => PipelineOf(provider, key).CreatePrimaryHandler())
            // The clients live as long as the application, so handlers are not replaced. The limited lifetime of connections refreshes DNS.
            .SetHandlerLifetime(Timeout.InfiniteTimeSpan)
            // The factory's own loggers write every healthy call at Information. If added back, they write no header values as text.
            .RemoveAllLoggers()
            .RedactLoggedHeaders(_ => true);

        // Runs after everything that the user configures, so that the key is added below all of the user's handlers and loggers. The
        // factory's loggers, if added back, pass header values to a structured log at Trace even if they are redacted in the text.
        client.Services.PostConfigure<HttpClientFactoryOptions>(
            client.Name,
            factory =>
                factory.HttpMessageHandlerBuilderActions.Add(handlers =>
                {
                    // The client factory sets this only if the primary handler is a SocketsHttpHandler. Authenticate wraps that handler.
                    if (handlers.PrimaryHandler is SocketsHttpHandler { MeterFactory: null } sockets)
                    {
                        sockets.MeterFactory = handlers.Services.GetService<IMeterFactory>();
                    }

                    handlers.PrimaryHandler = PipelineOf(handlers.Services, key).Authenticate(handlers.PrimaryHandler);
                }));
    }

    private static FalPipeline PipelineOf(IServiceProvider provider, string? key) => provider.GetRequiredKeyedService<FalPipeline>(key);

    internal static FalObservabilityOptions OptionsOf(IServiceProvider provider, string? key) =>
        provider.GetRequiredKeyedService<FalApiKeySource>(key).Options;

    private static FalApiKeySource CreateSource(IServiceProvider provider, string? key)
    {
        string name = key ?? Options.Options.DefaultName;
        FalObservabilityOptions options = provider.GetRequiredService<IOptionsMonitor<FalObservabilityOptions>>().Get(name);
        IConfiguration? configuration = provider.GetService<IConfiguration>();
        IChangeToken? unchanged = configuration?.GetReloadToken();
        return new FalApiKeySource(options, Reloaded, key, LogOf(provider, key));

        // A reload uses neither the options monitor nor the validator. The client takes only the key, even if other settings have become
        // invalid.
        FalObservabilityOptions? Reloaded()
        {
            if (unchanged?.HasChanged != true)
            {
                return null;
            }

            unchanged = configuration!.GetReloadToken();
            return new OptionsFactory<FalObservabilityOptions>(
                provider.GetServices<IConfigureOptions<FalObservabilityOptions>>(),
                provider.GetServices<IPostConfigureOptions<FalObservabilityOptions>>()
            ).Create(name);
        }
    }

    internal static TimeProvider TimeOf(IServiceProvider provider) => provider.GetService<TimeProvider>() ?? TimeProvider.System;

    internal static ILogger LogOf(IServiceProvider provider, string? key) =>
        provider.GetService<ILoggerFactory>()?.CreateLogger(FalLog.CategoryOf(key)) ?? NullLogger.Instance;

    private sealed class RegisteredClient(IServiceProvider provider, string? key) : IFalObservabilityClient
    {
        public IFalMetricsClient Metrics { get; } = provider.GetRequiredKeyedService<IFalMetricsClient>(key);

        public IFalAnalyticsClient Analytics { get; } = provider.GetRequiredKeyedService<IFalAnalyticsClient>(key);

        // Few programs need these, so their connections are created on demand.
        public IFalAppsClient Apps => Create<IFalAppsClient>();

        public IFalUsageClient Usage => Create<IFalUsageClient>();

        private T Create<T>()
            where T : notnull
        {
            try
            {
                return provider.GetRequiredKeyedService<T>(key);
            }
            catch (ObjectDisposedException)
            {
                throw FalCallHandler.Disposed();
            }
        }
    }

    private sealed class FalObservabilityBuilder(IServiceCollection services, string? key) : IFalObservabilityBuilder
    {
        public string? Key => key;

        public IServiceCollection Services => services;

        public string MetricsHttpClientName => Name(FalArea.Metrics);

        public string AnalyticsHttpClientName => Name(FalArea.Analytics);

        public string AppsHttpClientName => Name(FalArea.Apps);

        public string UsageHttpClientName => Name(FalArea.Usage);

        public IFalObservabilityBuilder ConfigureHttpClients(Action<IHttpClientBuilder> configure)
        {
            ArgumentNullException.ThrowIfNull(configure);
            configure(services.AddHttpClient(MetricsHttpClientName));
            configure(services.AddHttpClient(AnalyticsHttpClientName));
            configure(services.AddHttpClient(AppsHttpClientName));
            configure(services.AddHttpClient(UsageHttpClientName));
            return this;
        }

        private string Name(FalArea area) => key is null ? $"Fal.Observability.{area.Name}" : $"Fal.Observability.{area.Name}:{key}";
    }
}
