using System.IO.Compression;
using System.Net;
using Fal.Observability.Client.Testing;
using Xunit;

namespace Fal.Observability.Client.IntegrationTests.Simulator;

public sealed class SimulatorFaultTests
{
    private const string Metrics = "/serverless/metrics";
    private const string Analytics = "/serverless/analytics?endpoint_id=simulated/text-to-image-00000";
    private const string Apps = "/serverless/apps";
    private const string History = "/serverless/apps/simulated/text-to-image-00000/runners/history";
    private const string Usage = "/serverless/usage";

    [Theory]
    [InlineData(FaultKind.RateLimited, 429, "rate_limited")]
    [InlineData(FaultKind.ServerError, 500, "server_error")]
    [InlineData(FaultKind.BadGateway, 502, "<html>")]
    [InlineData(FaultKind.ServiceUnavailable, 503, "")]
    [InlineData(FaultKind.GatewayTimeout, 504, "")]
    [InlineData(FaultKind.Challenge, 403, "<!DOCTYPE html>")]
    [InlineData(FaultKind.EmptyBody, 200, "")]
    [InlineData(FaultKind.HtmlBody, 200, "<!DOCTYPE html>")]
    public async Task A_replaced_response_has_the_status_and_body_of_the_fault(FaultKind kind, int status, string part)
    {
        await using SimulatorSession session = await SimulatorSession.StartAsync(options => options.Faults.Next(5, new Fault(kind)));
        foreach (string path in new[] { Metrics, Analytics, Apps, History, Usage })
        {
            using HttpResponseMessage response = await session.GetAsync(path);
            string body = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);

            Assert.Equal(status, (int)response.StatusCode);
            if (part.Length > 0)
            {
                Assert.Contains(part, body, StringComparison.Ordinal);
            }
            else
            {
                Assert.Empty(body);
            }

            Assert.Equal(part.StartsWith('<'), response.Content.Headers.ContentType?.MediaType == "text/html");
            Assert.Equal(kind == FaultKind.Challenge, response.Headers.Contains("cf-mitigated"));
        }
        Assert.Equal([kind, kind, kind, kind, kind], session.Server.Requests.Select(request => request.Fault!.Kind));
        await session.GetTextAsync(Metrics);
    }

    [Theory]
    [InlineData(FaultKind.RateLimited, null, null)]
    [InlineData(FaultKind.RateLimitedSeconds, "Retry-After", "90")]
    [InlineData(FaultKind.RateLimitedDate, "Retry-After", "Wed, 17 Jun 2026 12:36:26 GMT")]
    [InlineData(FaultKind.RateLimitedReset, "x-ratelimit-reset", "90")]
    public async Task A_rate_limit_hints_in_the_way_that_was_chosen(FaultKind kind, string? header, string? value)
    {
        await using SimulatorSession session = await SimulatorSession.StartAsync();
        session.Server.Faults.Next(1, new Fault(kind) { Wait = TimeSpan.FromSeconds(90) });

        using HttpResponseMessage response = await session.GetAsync(Metrics);

        Assert.Equal(HttpStatusCode.TooManyRequests, response.StatusCode);
        foreach (string name in new[] { "Retry-After", "x-ratelimit-reset" })
        {
            string? sent = response.Headers.TryGetValues(name, out IEnumerable<string>? values) ? values.Single() : null;
            Assert.Equal(name == header ? value : null, sent);
        }
    }

    [Fact]
    public async Task Each_route_gets_the_wrong_content_in_the_other_ones_type()
    {
        await using SimulatorSession session =
            await SimulatorSession.StartAsync(options => options.Faults.Every(1, new Fault(FaultKind.WrongContent)));

        using HttpResponseMessage metrics = await session.GetAsync(Metrics);
        using HttpResponseMessage analytics = await session.GetAsync(Analytics);

        foreach (string path in new[] { Apps, History, Usage })
        {
            using HttpResponseMessage response = await session.GetAsync(path);
            Assert.Equal("text/plain", response.Content.Headers.ContentType?.MediaType);
        }

        Assert.Equal("application/json", metrics.Content.Headers.ContentType?.MediaType);
        Assert.Equal("text/plain", analytics.Content.Headers.ContentType?.MediaType);
    }

    [Fact]
    public async Task A_dropped_connection_gives_no_response()
    {
        await using SimulatorSession session =
            await SimulatorSession.StartAsync(options => options.Faults.Next(1, new Fault(FaultKind.DroppedConnection)));

        await Assert.ThrowsAsync<HttpRequestException>(() => session.GetAsync(Metrics));

        Assert.Null(Assert.Single(session.Server.Requests).Status);
    }

    [Theory]
    [InlineData(FaultKind.TruncatedLength)]
    [InlineData(FaultKind.TruncatedChunked)]
    public async Task A_truncated_body_breaks_off_after_good_bytes(FaultKind kind)
    {
        await using SimulatorSession session = await SimulatorSession.StartAsync(options => options.Apps = 1000);
        string whole = await session.GetTextAsync(Metrics);
        session.Server.Faults.Next(1, new Fault(kind));

        using HttpResponseMessage response = await session.GetAsync(Metrics);
        await using Stream body = await response.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken);
        using var received = new MemoryStream();
        await Assert.ThrowsAsync<HttpIOException>(() => body.CopyToAsync(received, TestContext.Current.CancellationToken));

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(kind == FaultKind.TruncatedLength ? whole.Length : null, response.Content.Headers.ContentLength);
        Assert.Equal(whole.Length / 2, received.Length);
    }

    [Fact]
    public async Task A_truncated_gzip_body_looks_whole_to_HTTP()
    {
        await using SimulatorSession session =
            await SimulatorSession.StartAsync(options => options.Faults.Next(1, new Fault(FaultKind.TruncatedGzip)));

        using HttpResponseMessage response = await session.GetAsync(Metrics, gzip: true);
        byte[] cut = await response.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken);
        using HttpResponseMessage healthy = await session.GetAsync(Metrics, gzip: true);
        byte[] whole = await healthy.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken);

        Assert.Equal(["gzip"], response.Content.Headers.ContentEncoding);
        Assert.Equal(whole[..(whole.Length / 2)], cut);
    }

    [Fact]
    public async Task A_stalled_body_holds_until_the_simulator_stops()
    {
        SimulatorSession session = await SimulatorSession.StartAsync(options => options.Faults.Next(1, new Fault(FaultKind.StalledBody)));
        await using FalSimulator server = session.Server;

        using HttpResponseMessage response = await session.GetAsync(Metrics);
        await using Stream body = await response.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken);
        byte[] half = new byte[(int)response.Content.Headers.ContentLength!.Value / 2];
        await body.ReadExactlyAsync(half, TestContext.Current.CancellationToken);
        Task<int> rest = body.ReadAsync(new byte[1], TestContext.Current.CancellationToken).AsTask();

        Assert.False(rest.IsCompleted);
        await server.DisposeAsync();
        await Assert.ThrowsAnyAsync<IOException>(() => rest);
        await session.DisposeAsync();
    }

    [Fact]
    public async Task A_slow_first_byte_comes_when_the_clock_says_so()
    {
        var clock = new SteppedClock();
        await using SimulatorSession session = await SimulatorSession.StartAsync(options => options.TimeProvider = clock);
        string whole = await session.GetTextAsync(Analytics);
        session.Server.Faults.Next(1, new Fault(FaultKind.SlowFirstByte) { Wait = TimeSpan.FromHours(1) });

        Task<string> slow = session.GetTextAsync(Analytics);
        await clock.TimerAsync();
        clock.Advance(TimeSpan.FromHours(1) - TimeSpan.FromTicks(1));
        Assert.False(slow.IsCompleted);
        clock.Advance(TimeSpan.FromTicks(1));

        Assert.Equal(whole, await slow);
    }

    [Theory]
    [InlineData(Metrics)]
    [InlineData(Analytics)]
    public async Task An_oversized_body_is_large_and_otherwise_right(string path)
    {
        const int Padding = 5_000_000;
        await using SimulatorSession session = await SimulatorSession.StartAsync();
        string whole = await session.GetTextAsync(path);
        session.Server.Faults.Next(2, new Fault(FaultKind.OversizedBody) { Padding = Padding });

        string large = await session.GetTextAsync(path);
        using HttpResponseMessage response = await session.GetAsync(path, gzip: true);
        byte[] packed = await response.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken);
        await using var gzip = new GZipStream(new MemoryStream(packed), CompressionMode.Decompress);
        using var reader = new StreamReader(gzip);

        Assert.InRange(large.Length, Padding, Padding + whole.Length + 100_000);
        Assert.EndsWith(whole, large, StringComparison.Ordinal);
        Assert.InRange(packed.Length, 1, Padding / 20);
        Assert.Equal(large, await reader.ReadToEndAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Queued_faults_come_one_after_another_and_periodic_ones_at_their_turn()
    {
        await using SimulatorSession session = await SimulatorSession.StartAsync();
        SimulatorFaults faults = session.Server.Faults;

        faults.Next(2, new Fault(FaultKind.ServerError));
        faults.Next(1, new Fault(FaultKind.BadGateway), SimulatorRoute.Metrics);
        Assert.Equal([500, 500, 200, 502, 200], await StatusesAsync(Analytics, Analytics, Analytics, Metrics, Metrics));

        faults.Every(3, new Fault(FaultKind.ServiceUnavailable), SimulatorRoute.Metrics);
        Assert.Equal([200, 200, 200, 503, 200, 200, 503],
            await StatusesAsync(Metrics, Analytics, Metrics, Metrics, Metrics, Metrics, Metrics));

        faults.Clear();
        Assert.Equal([200, 200, 200], await StatusesAsync(Metrics, Metrics, Metrics));

        async Task<List<int>> StatusesAsync(params string[] paths)
        {
            var statuses = new List<int>();
            foreach (string path in paths)
            {
                using HttpResponseMessage response = await session.GetAsync(path);
                statuses.Add((int)response.StatusCode);
            }
            return statuses;
        }
    }

    [Fact]
    public async Task Single_endpoints_can_be_refused_or_fail_on_cold_boot_percentiles()
    {
        await using SimulatorSession session = await SimulatorSession.StartAsync();
        IReadOnlyList<string> apps = session.Server.Apps;
        session.Server.Faults.RefuseEndpoint(apps[1]);
        session.Server.Faults.RefuseEndpoint("simulated/gone", 404);
        session.Server.Faults.FailColdBootPercentiles(apps[2]);
        const string ColdBoot = "expand=summary&expand=p75_cold_boot_duration";

        Assert.Equal(403, await StatusAsync($"endpoint_id={apps[0]},{apps[1]}"));
        Assert.Equal(404, await StatusAsync($"endpoint_id={apps[0]}&endpoint_id=simulated/gone"));
        Assert.Equal(200, await StatusAsync($"endpoint_id={apps[0]}&{ColdBoot}"));
        Assert.Equal(500, await StatusAsync($"endpoint_id={apps[0]},{apps[2]}&{ColdBoot}"));
        Assert.Equal(200, await StatusAsync($"endpoint_id={apps[2]}&expand=summary&expand=cold_boot_count"));

        async Task<int> StatusAsync(string query)
        {
            using HttpResponseMessage response = await session.GetAsync($"/serverless/analytics?{query}");
            return (int)response.StatusCode;
        }
    }
}
