using Fal.Observability.Bridge;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Fal.Observability.Client.PrometheusTests;

/// <summary>The bridge, made as its program makes it, on a port of its own and with a clock that a test gives it.</summary>
internal sealed class BridgeHost : IAsyncDisposable
{
    private readonly WebApplication _application;
    private readonly HttpClient _http = new();

    private BridgeHost(WebApplication application) => _application = application;

    public Uri Address => new(_application.Urls.First());

    public IServiceProvider Services => _application.Services;

    /// <summary>Starts a bridge.</summary>
    /// <param name="settings">The configuration; nothing of the surroundings is in it.</param>
    /// <param name="time">Its clock.</param>
    /// <param name="log">Where its log goes; null: nowhere.</param>
    public static async Task<BridgeHost> StartAsync(
        IEnumerable<KeyValuePair<string, string?>> settings,
        TimeProvider time,
        ILoggerProvider? log = null
    )
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Configuration.Sources.Clear();
        builder.Configuration.AddInMemoryCollection(settings);
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        if (log is not null)
        {
            builder.Logging.AddProvider(log);
        }

        builder.Services.AddSingleton(time);
        builder.AddBridge();
        WebApplication application = builder.Build();
        application.MapBridge();
        try
        {
            await application.StartAsync();
        }
        catch
        {
            await application.DisposeAsync();
            throw;
        }

        return new BridgeHost(application);
    }

    public Task<string> GetAsync(string path) => _http.GetStringAsync(new Uri(Address, path));

    /// <summary>The answer of <c>/health</c>, whatever its status.</summary>
    public async Task<string> GetHealthAsync()
    {
        using HttpResponseMessage response = await _http.GetAsync(new Uri(Address, "health"));
        return await response.Content.ReadAsStringAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _application.StopAsync();
        await _application.DisposeAsync();
        _http.Dispose();
    }
}
