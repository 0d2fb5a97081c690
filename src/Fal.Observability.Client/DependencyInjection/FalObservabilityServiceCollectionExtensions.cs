using System.Diagnostics.Metrics;
using System.Security.Cryptography;
using System.Text.Json.Serialization;
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
    private static readonly SettingsSection Settings = new(
        times:
        [
            nameof(FalObservabilityOptions.AttemptTimeout), nameof(FalObservabilityOptions.TotalTimeout), nameof(FalObservabilityOptions.ReadIdleTimeout),
            nameof(FalObservabilityOptions.MinRetryDelay), nameof(FalObservabilityOptions.RetryBaseDelay), nameof(FalObservabilityOptions.MaxRetryDelay),
            nameof(FalObservabilityOptions.ProvisionalAge),
        ],
        others:
        [
            nameof(FalObservabilityOptions.ApiKey), nameof(FalObservabilityOptions.ApiKeyFile), nameof(FalObservabilityOptions.BaseAddress), nameof(FalObservabilityOptions.AllowInsecureHttp),
            nameof(FalObservabilityOptions.UserAgentSuffix), nameof(FalObservabilityOptions.MaxAttempts), nameof(FalObservabilityOptions.MaxResponseBytes),
            nameof(FalObservabilityOptions.MaxPages), nameof(FalObservabilityOptions.MaxConcurrentCalls), nameof(FalObservabilityOptions.BucketsPerWindow),
            nameof(FalObservabilityOptions.MaxBufferedRows), nameof(FalObservabilityOptions.StrictMetrics), nameof(FalObservabilityOptions.MaxRememberedBytes),
        ]);

    /// <summary>
    /// Registers <see cref="IFalObservabilityClient"/> and its four areas, <see cref="IFalMetricsClient"/>, <see cref="IFalAnalyticsClient"/>,
    /// <see cref="IFalAppsClient"/> and <see cref="IFalUsageClient"/>, as singletons, and the Refit interfaces <see cref="IFalMetricsApi"/>,
    /// <see cref="IFalAnalyticsApi"/>, <see cref="IFalAppsApi"/> and <see cref="IFalUsageApi"/> below them.
    /// </summary>
    /// <param name="services">The services to register in.</param>
    /// <param name="configure">
    /// Sets options in code, over the configuration section <c>Fal</c>, over the environment variables <c>FAL_KEY</c>, or
    /// <c>FAL_KEY_ID</c> and <c>FAL_KEY_SECRET</c>.
    /// </param>
    /// <returns>A builder to refine the registration with.</returns>
    /// <remarks>
    /// Calling it again adds <paramref name="configure"/> to the same registration. The options are validated when the host
    /// starts, and without a host when the first of the services is resolved.
    /// </remarks>
    /// <exception cref="ArgumentNullException"><paramref name="services"/> is null.</exception>
    public static IFalObservabilityBuilder AddFalObservability(this IServiceCollection services, Action<FalObservabilityOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        return Add(services, null, configure);
    }

    /// <summary>
    /// Registers the same services under a service key, so that several accounts stand side by side. Take them with
    /// <c>[FromKeyedServices("acme")] IFalMetricsClient metrics</c>.
    /// </summary>
    /// <param name="services">The services to register in.</param>
    /// <param name="account">
    /// Your own name for the account: the service key, and the name of its configuration section
    /// <c>Fal:Accounts:&lt;account&gt;</c>. This is not the API key.
    /// </param>
    /// <param name="configure">
    /// Sets options in code, over the section. The environment is not read: <c>FAL_KEY</c> belongs to one account only.
    /// </param>
    /// <returns>A builder to refine the registration with.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="services"/> or <paramref name="account"/> is null.</exception>
    /// <exception cref="ArgumentException"><paramref name="account"/> is blank, or holds a colon, as an API key does.</exception>
    public static IFalObservabilityBuilder AddFalObservability(
        this IServiceCollection services, string account, Action<FalObservabilityOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentException.ThrowIfNullOrWhiteSpace(account);
        if (account.Contains(':', StringComparison.Ordinal))
        {
            throw new ArgumentException(
                "The name of an account holds no colon. To pass an API key write AddFalObservability(o => o.ApiKey = key).", nameof(account));
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
            services.TryAddSingleton<FalConnections>();
            services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<FalObservabilityOptions>, FalObservabilityOptionsValidator>());
            options.Configure<IServiceProvider>((o, provider) => Settings.Bind<FalObservabilityOptions>(provider, key, null, section => section.Bind(o))).ValidateOnStart();
            options.PostConfigure(o => o.FindApiKey(inEnvironment: key is null));
            AddClients(services, builder);
        }

        if (configure is not null)
        {
            options.Configure(configure);
        }

        return builder;
    }

    private static void AddClients(IServiceCollection services, FalObservabilityBuilder builder)
    {
        string? key = builder.Key;
        Func<IServiceProvider, RefitSettings> settings = SettingsOf(AnalyticsJsonContext.Default);
        if (key is null)
        {
            services.AddRefitGeneratedClient<IFalMetricsApi>(settings, builder.MetricsHttpClientName);
            services.AddRefitGeneratedClient<IFalAnalyticsApi>(settings, builder.AnalyticsHttpClientName).AddHttpMessageHandler(() => new AnalyticsQueryGuard());
            services.AddRefitGeneratedClient<IFalAppsApi>(SettingsOf(FalAppsJsonContext.Default), builder.AppsHttpClientName).AddHttpMessageHandler(() => new FalAppsPathGuard());
            services.AddRefitGeneratedClient<IFalUsageApi>(SettingsOf(UsageJsonContext.Default), builder.UsageHttpClientName);
        }
        else
        {
            services.AddKeyedRefitGeneratedClient<IFalMetricsApi>(key, settings, builder.MetricsHttpClientName);
            services.AddKeyedRefitGeneratedClient<IFalAnalyticsApi>(key, settings, builder.AnalyticsHttpClientName).AddHttpMessageHandler(() => new AnalyticsQueryGuard());
            services.AddKeyedRefitGeneratedClient<IFalAppsApi>(key, SettingsOf(FalAppsJsonContext.Default), builder.AppsHttpClientName).AddHttpMessageHandler(() => new FalAppsPathGuard());
            services.AddKeyedRefitGeneratedClient<IFalUsageApi>(key, SettingsOf(UsageJsonContext.Default), builder.UsageHttpClientName);
        }

        builder.ConfigureHttpClients(client => ConfigurePipeline(client, key));

        // A null service key makes an ordinary registration: one way for both.
        services.Add(ServiceDescriptor.KeyedSingleton(key, (provider, _) => CreateSource(provider, key)));
        services.Add(ServiceDescriptor.KeyedSingleton<IFalMetricsClient>(key, (provider, _) => new FalMetricsClient(
            provider.GetRequiredKeyedService<IFalMetricsApi>(key), OptionsOf(provider, key), TimeOf(provider), LogOf(provider, key), NextRandom)));
        services.Add(ServiceDescriptor.KeyedSingleton<IFalAnalyticsClient>(key, (provider, _) => new FalAnalyticsClient(
            provider.GetRequiredKeyedService<IFalAnalyticsApi>(key), OptionsOf(provider, key), TimeOf(provider), LogOf(provider, key), NextRandom)));
        services.Add(ServiceDescriptor.KeyedSingleton<IFalAppsClient>(key, (provider, _) => new FalAppsClient(
            provider.GetRequiredKeyedService<IFalAppsApi>(key), TimeOf(provider))));
        services.Add(ServiceDescriptor.KeyedSingleton<IFalUsageClient>(key, (provider, _) => new FalUsageClient(
            provider.GetRequiredKeyedService<IFalUsageApi>(key), OptionsOf(provider, key), TimeOf(provider))));
        services.Add(ServiceDescriptor.KeyedSingleton<IFalObservabilityClient>(key, (provider, _) => new RegisteredClient(provider, key)));

        Func<IServiceProvider, RefitSettings> SettingsOf(JsonSerializerContext json) =>
            provider => FalRefitSettings.Create(new FalJsonContentSerializer(json), OptionsOf(provider, key), TimeOf(provider));
    }

    private static void ConfigurePipeline(IHttpClientBuilder client, string? key)
    {
        ConfigureHandlers(client, key);

        // After everything that the user configures, so that the key is put on below every handler and logger of theirs: the
        // factory's loggers, brought back, hand header values to a structured log at Trace whatever is redacted.
        client.Services.PostConfigure<HttpClientFactoryOptions>(client.Name, factory => factory.HttpMessageHandlerBuilderActions.Add(handlers =>
        {
            // The factory sees to this only where the sockets are the primary handler.
            if (handlers.PrimaryHandler is SocketsHttpHandler { MeterFactory: null } sockets)
            {
                sockets.MeterFactory = handlers.Services.GetService<IMeterFactory>();
            }

            handlers.Services.GetRequiredService<FalConnections>().Own(handlers.PrimaryHandler);
            handlers.PrimaryHandler = new FalApiKeyHandler(OptionsOf(handlers.Services, key)) { InnerHandler = handlers.PrimaryHandler };
        }));
    }

    private static void ConfigureHandlers(IHttpClientBuilder client, string? key) => client
        .ConfigureHttpClient((provider, http) =>
        {
            FalObservabilityOptions options = OptionsOf(provider, key);
            http.BaseAddress = options.BaseAddress;
            // The deadlines are the handlers'; this one would end a streamed body in the middle.
            http.Timeout = Timeout.InfiniteTimeSpan;
            http.DefaultRequestHeaders.UserAgent.ParseAdd(FalUserAgent.Product);
            if (!string.IsNullOrEmpty(options.UserAgentSuffix))
            {
                http.DefaultRequestHeaders.UserAgent.ParseAdd(options.UserAgentSuffix);
            }
        })
        .AddHttpMessageHandler(provider =>
        {
            FalApiKeySource account = provider.GetRequiredKeyedService<FalApiKeySource>(key);
            TimeProvider time = TimeOf(provider);
            ILoggerFactory loggers = provider.GetService<ILoggerFactory>() ?? NullLoggerFactory.Instance;
            return new FalCallHandler(
                account, FalResilience.Build(account.Options, time, loggers, LogOf(provider, key), NextRandom), time, LogOf(provider, key), provider.GetRequiredService<FalConnections>().Closed);
        })
        .AddHttpMessageHandler(provider => new FalBodyHandler(OptionsOf(provider, key), TimeOf(provider)))
        .ConfigurePrimaryHttpMessageHandler(provider => FalConnections.CreateHandler(OptionsOf(provider, key).BaseAddress!))
        // The facades live as long as the application; fresh DNS comes from the connection lifetime above.
        .SetHandlerLifetime(Timeout.InfiniteTimeSpan)
        // The factory's own loggers write every healthy call at Information. Whoever adds them back gets no header value.
        .RemoveAllLoggers()
        .RedactLoggedHeaders(_ => true);

    internal static FalObservabilityOptions OptionsOf(IServiceProvider provider, string? key) =>
        provider.GetRequiredKeyedService<FalApiKeySource>(key).Options;

    private static FalApiKeySource CreateSource(IServiceProvider provider, string? key)
    {
        string name = key ?? Options.Options.DefaultName;
        FalObservabilityOptions options = provider.GetRequiredService<IOptionsMonitor<FalObservabilityOptions>>().Get(name);
        IConfiguration? configuration = provider.GetService<IConfiguration>();
        IChangeToken? unchanged = configuration?.GetReloadToken();
        return new FalApiKeySource(options, Reloaded, key, LogOf(provider, key));

        // Not by the options monitor: it makes the options anew inside the reload, where settings that are not valid any more would throw.
        FalObservabilityOptions? Reloaded()
        {
            if (unchanged?.HasChanged != true)
            {
                return null;
            }

            unchanged = configuration!.GetReloadToken();
            return provider.GetRequiredService<IOptionsFactory<FalObservabilityOptions>>().Create(name);
        }
    }

    internal static TimeProvider TimeOf(IServiceProvider provider) => provider.GetService<TimeProvider>() ?? TimeProvider.System;

    internal static ILogger LogOf(IServiceProvider provider, string? key) =>
        provider.GetService<ILoggerFactory>()?.CreateLogger(FalLog.CategoryOf(key)) ?? NullLogger.Instance;

    internal static double NextRandom() => RandomNumberGenerator.GetInt32(1 << 24) / (double)(1 << 24);

    private sealed class RegisteredClient(IServiceProvider provider, string? key) : IFalObservabilityClient
    {
        public IFalMetricsClient Metrics { get; } = provider.GetRequiredKeyedService<IFalMetricsClient>(key);

        public IFalAnalyticsClient Analytics { get; } = provider.GetRequiredKeyedService<IFalAnalyticsClient>(key);

        // Few programs need these: their connections are made when they are asked for.
        public IFalAppsClient Apps => provider.GetRequiredKeyedService<IFalAppsClient>(key);

        public IFalUsageClient Usage => provider.GetRequiredKeyedService<IFalUsageClient>(key);
    }

    private sealed class FalObservabilityBuilder(IServiceCollection services, string? key) : IFalObservabilityBuilder
    {
        public string? Key => key;

        public IServiceCollection Services => services;

        public string MetricsHttpClientName => Name("Metrics");

        public string AnalyticsHttpClientName => Name("Analytics");

        public string AppsHttpClientName => Name("Apps");

        public string UsageHttpClientName => Name("Usage");

        public IFalObservabilityBuilder ConfigureHttpClients(Action<IHttpClientBuilder> configure)
        {
            ArgumentNullException.ThrowIfNull(configure);
            configure(services.AddHttpClient(MetricsHttpClientName));
            configure(services.AddHttpClient(AnalyticsHttpClientName));
            configure(services.AddHttpClient(AppsHttpClientName));
            configure(services.AddHttpClient(UsageHttpClientName));
            return this;
        }

        private string Name(string area) => key is null ? $"Fal.Observability.{area}" : $"Fal.Observability.{area}:{key}";
    }
}
