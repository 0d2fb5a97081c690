using System.Net.Http.Headers;
using System.Text.Json.Nodes;
using Fal.Observability.Client.Testing;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Fal.Observability.Client.IntegrationTests.Simulator;

/// <summary>A simulator with a clock of its own and a plain HTTP client: what these tests say is seen over a socket.</summary>
internal sealed class SimulatorSession : IAsyncDisposable
{
    private readonly HttpClient _http = new();

    private SimulatorSession(FalSimulator server, FakeTimeProvider clock)
    {
        Server = server;
        Clock = clock;
    }

    public FalSimulator Server { get; }

    public FakeTimeProvider Clock { get; }

    public static async Task<SimulatorSession> StartAsync(Action<FalSimulatorOptions>? configure = null)
    {
        var clock = new FakeTimeProvider(new DateTimeOffset(2026, 6, 17, 12, 34, 56, TimeSpan.Zero));
        var options = new FalSimulatorOptions { Seed = 1, TimeProvider = clock };
        configure?.Invoke(options);
        return new SimulatorSession(await FalSimulator.StartAsync(options, TestContext.Current.CancellationToken), clock);
    }

    /// <summary>Sends a GET with the right key, or with another <c>Authorization</c>, and returns when the head is there.</summary>
    public async Task<HttpResponseMessage> GetAsync(string pathAndQuery, string? authorization = null, bool gzip = false)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri($"{Server.BaseAddress}{pathAndQuery}"));
        request.Headers.TryAddWithoutValidation("Authorization", authorization ?? $"Key {Server.Key}");
        if (gzip)
        {
            request.Headers.AcceptEncoding.Add(new StringWithQualityHeaderValue("gzip"));
        }

        return await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
    }

    /// <summary>The body of a call that must succeed.</summary>
    public async Task<string> GetTextAsync(string pathAndQuery)
    {
        using HttpResponseMessage response = await GetAsync(pathAndQuery);
        string body = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.True(response.IsSuccessStatusCode, $"{(int)response.StatusCode}: {body}");
        return body;
    }

    /// <summary>The answer to an analytics query, which starts with the endpoint.</summary>
    public async Task<JsonNode> GetAnalyticsAsync(string query) =>
        JsonNode.Parse(await GetTextAsync($"/serverless/analytics?{query}"))!;

    /// <summary>All pages of an analytics query.</summary>
    public async Task<List<JsonNode>> GetAllPagesAsync(string query)
    {
        var pages = new List<JsonNode>();
        string? cursor = null;
        do
        {
            JsonNode page = await GetAnalyticsAsync(cursor is null ? query : $"{query}&cursor={Uri.EscapeDataString(cursor)}");
            pages.Add(page);
            cursor = (string?)page["next_cursor"];
            Assert.Equal(cursor is not null, (bool)page["has_more"]!);
            Assert.True(pages.Count < 1000, "The pages do not end.");
        }
        while (cursor is not null);
        return pages;
    }

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await Server.DisposeAsync();
    }
}
