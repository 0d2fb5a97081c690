using System.Diagnostics.Metrics;
using Fal.Observability.Bridge.RemoteWrite;
using Fal.Observability.Client;
using Microsoft.Extensions.Configuration.Json;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;
using OpenTelemetry.Metrics;

namespace Fal.Observability.Bridge;

/// <summary>What the bridge is made of, from its configuration.</summary>
internal static partial class BridgeApplication
{
    /// <summary>The section with an entry for each of several accounts.</summary>
    public const string AccountsSection = "Fal:Accounts";

    private const string DefaultAccountLabel = "default";

    private const string Paths = """
        The bridge from fal to Prometheus.

        /metrics  what Prometheus scrapes
        /health   each account and remote write; 503 if one of them is unhealthy
        /live     200 while the process answers; for a liveness probe
        /ready    200 once a first read has ended; for a readiness probe

        """;

    private static readonly string[] KeySettings = ["Fal:ApiKey", "Fal:ApiKeyFile", .. KeyVariables.All];

    /// <summary>Whether the configuration or the environment says anything about an account.</summary>
    public static bool NamesAccount(IConfiguration configuration) =>
        AccountsIn(configuration).Any() || configuration["Fal:BaseAddress"] is not null
        || KeySettings.Any(name => configuration[name] is { Length: > 0 });

    /// <summary>
    /// Reads the file that <see cref="BridgeOptions.SettingsFile"/> names, where it names one. It comes after the files beside the
    /// program, and
    /// before the environment and the command line.
    /// </summary>
    /// <exception cref="IOException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">It is not JSON.</exception>
    public static void ReadSettingsFile(ConfigurationManager configuration)
    {
        if (configuration[BridgeOptions.SettingsFile] is not { Length: > 0 } path)
        {
            return;
        }

        if (!File.Exists(path))
        {
            throw new FileNotFoundException(
                $"{BridgeOptions.SettingsFile} names '{path}', which does not exist. Create the file, or name another."
            );
        }

        IList<IConfigurationSource> sources = configuration.Sources;
        var file = new JsonConfigurationSource { Path = Path.GetFullPath(path), ReloadOnChange = true };
        file.ResolveFileProvider();
        sources.Insert(sources.IndexOf(sources.OfType<JsonConfigurationSource>().Last()) + 1, file);
    }

    /// <summary>Adds accounts, page, health checks, and OTLP and remote write where they are configured.</summary>
    /// <exception cref="InvalidOperationException">A setting of the section <c>Bridge</c> is wrong; the message says which.</exception>
    public static void AddBridge(this WebApplicationBuilder builder)
    {
        BridgeOptions options = BridgeOptions.From(builder.Configuration);
        IServiceCollection services = builder.Services;
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton(options).AddSingleton<OwnSeries>().AddSingleton<LeftOut>().AddSingleton<MetricsPage>();
        IHealthChecksBuilder health = services.AddHealthChecks();
        // Without accounts it is that of the section itself, whose name is null.
        foreach (string? key in AccountsIn(builder.Configuration).DefaultIfEmpty())
        {
            if (key is not null && string.IsNullOrWhiteSpace(key))
            {
                throw new InvalidOperationException(
                    $"{AccountsSection} has an account without a name. Write {AccountsSection}:acme:ApiKey, with your own name for acme."
                );
            }

            IFalObservabilityBuilder account = key is null ? services.AddFalObservability() : services.AddFalObservability(key);
            account.AddMetricsPublisher(publisher => publisher.AccountLabel ??= key ?? DefaultAccountLabel);
            services.AddSingleton(provider => new BridgedAccount(
                LabelOf(provider, key),
                provider.GetRequiredKeyedService<FalMetricsPublisher>(key),
                provider.GetRequiredService<LeftOut>()
            ));
            health.AddFal(key, name: key ?? builder.Configuration["Fal:Publisher:AccountLabel"] ?? DefaultAccountLabel);
        }

        if (options.RemoteWrite.Url is not null)
        {
            services.AddSingleton(_ => new HistoryProgress(options.RemoteWrite.StateFile));
            services.AddSingleton(provider => new RemoteWriteWorker(
                options.RemoteWrite.Histories.Select(history => CreateSender(provider, options.RemoteWrite, history)),
                provider.GetRequiredService<IMeterFactory>()));
            services.AddHostedService(provider => provider.GetRequiredService<RemoteWriteWorker>());
            health.AddCheck<RemoteWriteWorker>("remote write", HealthStatus.Degraded);
        }

        if (options.OtlpAddress is not null)
        {
            services.AddHostedService<OtlpLog>();
            services.AddOpenTelemetry().WithMetrics(metrics => metrics
                .AddMeter(FalMetricsPublisher.MeterName, RemoteWriteWorker.MeterName)
                .AddView("*", new MetricStreamConfiguration { CardinalityLimit = options.OtlpSeriesLimit })
                .AddOtlpExporter());
        }
    }

    /// <summary>Serves the page and what an orchestrator asks, and says in the log what it does, once it has started.</summary>
    public static void MapBridge(this WebApplication app)
    {
        app.Lifetime.ApplicationStarted.Register(() =>
        {
            // Its counters begin with the bridge, not with the first scrape: OTLP has them too.
            _ = app.Services.GetRequiredService<MetricsPage>();
            LogStart(app);
        });
        Map("/", () => Results.Text(Paths));
        Map("/metrics", (HttpContext context, MetricsPage page) => page.WriteAsync(context));
        Map("/live", () => Results.Text("The process is running.\n"));
        // A refused account is shown as down, so the page is worth scraping. It is not ready only while no account has been read.
        Map("/ready", (IEnumerable<BridgedAccount> accounts) => accounts.Any(account => account.HasBeenRead)
            ? Results.Text("The metrics page is ready.\n")
            : Results.Text("No account has been read yet.\n", statusCode: StatusCodes.Status503ServiceUnavailable));
        app.MapHealthChecks("/health", new() { ResponseWriter = HealthPage.WriteAsync });

        void Map(string path, Delegate answer) => app.MapMethods(path, [HttpMethods.Get, HttpMethods.Head], answer);
    }

    /// <summary>Runs until it is stopped, or until something in the background breaks.</summary>
    /// <returns>What broke; null if it was stopped.</returns>
    public static async Task<Exception?> RunBridgeAsync(this WebApplication app)
    {
        BackgroundService[] workers = [.. app.Services.GetServices<IHostedService>().OfType<BackgroundService>()];
        try
        {
            await app.RunAsync();
        }
        catch (OperationCanceledException) when (Failure() is not null)
        {
            // It broke while the others were being started.
        }

        return Failure();

        Exception? Failure() =>
            workers.Select(worker => worker.ExecuteTask?.Exception?.GetBaseException()).FirstOrDefault(failure => failure is not null);
    }

    /// <summary>The analytics of an account, and the label of its series.</summary>
    /// <exception cref="InvalidOperationException">There is no such account.</exception>
    private static (IFalAnalyticsClient Analytics, string Label) AnalyticsOf(IServiceProvider provider, string? key) =>
        provider.GetKeyedService<IFalAnalyticsClient>(key) is { } analytics
            ? (analytics, LabelOf(provider, key))
            : throw new InvalidOperationException(key is null
                ? $"Account is missing. Name one of the accounts in {AccountsSection}: there is no default among named accounts."
                : $"There is no account '{key}' in {AccountsSection}.");

    /// <summary>Logs what is in effect. An unknown top-level section is not an error, since it may belong to another program.</summary>
    private static void LogStart(WebApplication app)
    {
        BridgeOptions options = app.Services.GetRequiredService<BridgeOptions>();
        IOptionsMonitor<FalObservabilityOptions> accounts = app.Services.GetRequiredService<IOptionsMonitor<FalObservabilityOptions>>();
        string read = string.Join(", ", AccountsIn(app.Configuration).DefaultIfEmpty().Select(key =>
            $"{LabelOf(app.Services, key)} at {Shown(accounts.Get(key ?? Options.DefaultName).BaseAddress!)}"));
        string written = options.RemoteWrite is { Url: { } url } remoteWrite
            ? $"{string.Join(", ", remoteWrite.Histories.Select(history => history.Name))} to {Shown(url)}, its state " +
                $"in {remoteWrite.StateFile}"
            : "none";
        LogStart(app.Logger, read, written, options.OtlpAddress is { } collector ? $"to {Shown(collector)}" : "none");
    }

    /// <summary>An address without what may be secret in it.</summary>
    private static string Shown(Uri address) =>
        address.GetComponents(UriComponents.SchemeAndServer | UriComponents.Path, UriFormat.UriEscaped);

    [LoggerMessage(7, LogLevel.Information, "Accounts: {Accounts}. Remote write: {RemoteWrite}. OTLP: {Otlp}.")]
    private static partial void LogStart(ILogger log, string accounts, string remoteWrite, string otlp);

    private static IEnumerable<string?> AccountsIn(IConfiguration configuration) =>
        configuration.GetSection(AccountsSection).GetChildren().Select(account => account.Key);

    private static string LabelOf(IServiceProvider provider, string? key) =>
        provider.GetRequiredService<IOptionsMonitor<FalMetricsPublisherOptions>>().Get(key ?? Options.DefaultName).AccountLabel!;

    private static HistorySender CreateSender(IServiceProvider provider, RemoteWriteOptions options, HistoryOptions history)
    {
        (IFalAnalyticsClient analytics, string label) = AnalyticsOf(provider, history.Account);
        return ActivatorUtilities.CreateInstance<HistorySender>(
            provider,
            history,
            label,
            analytics,
            provider
                .GetRequiredService<IOptionsMonitor<FalObservabilityOptions>>()
                .Get(history.Account ?? Options.DefaultName)
                .ProvisionalAge,
            ActivatorUtilities.CreateInstance<RemoteWriteClient>(provider, options)
        );
    }
}
