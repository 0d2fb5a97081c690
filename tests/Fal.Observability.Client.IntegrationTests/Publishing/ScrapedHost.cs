using System.Net.Http.Headers;
using Fal.Observability.Client.Prometheus;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Testing;
using OpenTelemetry.Metrics;

namespace Fal.Observability.Client.IntegrationTests;

/// <summary>
/// A web application as a user writes it: the publisher, the OpenTelemetry SDK and its exporter to Prometheus, on a loopback port, with a
/// clock that a test moves. A pipeline hears every meter of the name in the process, so that tests with one must not run beside each other.
/// </summary>
internal sealed class ScrapedHost : IAsyncDisposable
{
    public const string OpenMetrics = "application/openmetrics-text; version=1.0.0";

    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(15);

    private readonly WebApplication _application;
    private readonly HttpClient _http = new();

    private ScrapedHost(WebApplication application, SteppedClock clock, FakeLogCollector log)
    {
        _application = application;
        Clock = clock;
        Log = log;
    }

    public SteppedClock Clock { get; }

    public FakeLogCollector Log { get; }

    public FalMetricsPublisher Publisher => _application.Services.GetRequiredService<FalMetricsPublisher>();

    public IServiceProvider Services => _application.Services;

    /// <summary>Starts an application whose default account is at an address, and completes when it has read once.</summary>
    public static Task<ScrapedHost> StartAsync(
        Uri baseAddress,
        Action<MeterProviderBuilder>? metrics = null,
        Action<IServiceCollection>? register = null,
        TimeSpan? pauseAtMost = null
    ) =>
        StartAsync(
            services =>
            {
                services.AddFalObservability(o =>
                {
                    o.ApiKey = FalAccount.Key;
                    o.BaseAddress = baseAddress;
                    o.MaxAttempts = 1;
                    // Shorter than any pause, so that the clock's timers tell the pauses.
                    o.AttemptTimeout = o.TotalTimeout = TimeSpan.FromSeconds(14);
                }).AddMetricsPublisher(o => o.Interval = Interval);
                register?.Invoke(services);
            },
            1,
            metrics,
            pauseAtMost);

    /// <summary>Starts an application, and completes when this many publishers have read once.</summary>
    public static async Task<ScrapedHost> StartAsync(
        Action<IServiceCollection> register, int publishers, Action<MeterProviderBuilder>? metrics = null, TimeSpan? pauseAtMost = null)
    {
        // Empty: nothing of the surroundings changes how it behaves.
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
        var clock = new SteppedClock();
        var log = new FakeLogCollector();
        builder.Services.AddSingleton<TimeProvider>(clock);
        builder.Services.AddLogging(logging => logging.AddProvider(new FakeLoggerProvider(log)));
        register(builder.Services);
        builder.Services.AddOpenTelemetry().WithMetrics(m =>
        {
            m.AddMeter(FalMetricsPublisher.MeterName).AddPrometheusExporter(o => o.ScrapeResponseCacheDurationMilliseconds = 0);
            metrics?.Invoke(m);
        });
        WebApplication application = builder.Build();
        application.UseOpenTelemetryPrometheusScrapingEndpoint();
        var host = new ScrapedHost(application, clock, log);
        await application.StartAsync();
        for (int i = 0; i < publishers; i++)
        {
            host.Pause = await clock.TimerAsync(Interval, pauseAtMost ?? 1.1 * Interval);
        }

        return host;
    }

    /// <summary>The pause that the publisher is in.</summary>
    public TimeSpan Pause { get; private set; }

    /// <summary>Moves the clock over the pause, and completes when the publisher has read again.</summary>
    public async Task ReadAgainAsync()
    {
        Clock.Advance(Pause);
        Pause = await Clock.TimerAsync(Interval, 1.1 * Interval);
    }

    /// <summary>What a Prometheus that scrapes the application would see, by our own parser.</summary>
    public async Task<PrometheusExposition> ScrapeAsync(string accept = "text/plain")
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"{_application.Urls.First()}/metrics");
        request.Headers.Accept.Add(MediaTypeWithQualityHeaderValue.Parse(accept));
        using HttpResponseMessage response = await _http.SendAsync(request).OrHangs();
        response.EnsureSuccessStatusCode();
        return PrometheusTextParser.ParseFamilies(
            await response.Content.ReadAsByteArrayAsync(),
            PrometheusParserOptions.Strict.WithContentType(response.Content.Headers.ContentType!.ToString())
        );
    }

    /// <summary>The scraped series of the service's families, without what the SDK and the publisher add.</summary>
    public async Task<IReadOnlyList<PrometheusSample>> ScrapeFamiliesAsync(string accept = "text/plain") =>
        [
            .. (await ScrapeAsync(accept))
                .Families.SelectMany(family => family.Samples)
                .Where(sample =>
                    sample.Name is not ("target_info" or "fal_up")
                    && !sample.Name.StartsWith("fal_publisher_", StringComparison.Ordinal)
                    && !sample.Name.EndsWith("_created", StringComparison.Ordinal)
                )
                .Select(sample => new PrometheusSample(
                    sample.Name,
                    LabelSet.Create(sample.Labels.Where(label => !label.Key.StartsWith("otel_scope_", StringComparison.Ordinal))),
                    sample.Value
                )),
        ];

    public async ValueTask DisposeAsync()
    {
        await _application.StopAsync();
        await _application.DisposeAsync();
        _http.Dispose();
    }
}
