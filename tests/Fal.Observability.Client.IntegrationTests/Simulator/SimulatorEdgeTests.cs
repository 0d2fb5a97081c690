using System.Text.Json.Nodes;
using Fal.Observability.Client.Testing;
using Xunit;

namespace Fal.Observability.Client.IntegrationTests.Simulator;

/// <summary>Answers in the form in which the live service has been seen to send them, and what the client makes of each.</summary>
public sealed class SimulatorEdgeTests
{
    [Fact]
    public async Task A_call_without_a_range_gets_26_hours_of_which_the_last_has_not_begun()
    {
        await using SimulatorSession session = await SimulatorSession.StartAsync();
        string body = await session.GetTextAsync($"/serverless/analytics?endpoint_id={session.Server.Apps[0]}");

        Assert.EndsWith("}\n", body, StringComparison.Ordinal);
        JsonNode page = JsonNode.Parse(body)!;
        Assert.Equal(["next_cursor", "has_more", "time_series"], page.AsObject().Select(member => member.Key));
        JsonArray buckets = page["time_series"]!.AsArray();
        Assert.Equal(26, buckets.Count);
        Assert.Equal("2026-06-16T12:00:00+00:00", (string?)buckets[0]!["bucket"]);
        Assert.Equal("2026-06-17T13:00:00+00:00", (string?)buckets[25]!["bucket"]);
        Assert.True(
            session.Clock.GetUtcNow()
                < DateTimeOffset.Parse((string)buckets[25]!["bucket"]!, System.Globalization.CultureInfo.InvariantCulture)
        );
        Assert.Empty(buckets[25]!["results"]!.AsArray());
    }

    [Fact]
    public async Task The_raw_interface_reads_the_bucket_that_has_not_begun_and_a_report_has_none_beyond_the_present()
    {
        await using SimulatorSession session = await SimulatorSession.StartAsync();
        using var account = new FalAccount(session.Server.BaseAddress, options => options.ApiKey = session.Server.Key);
        var query = new AnalyticsQuery(session.Server.Apps[0]);

        AnalyticsTimeRange open = AnalyticsTimeRange.Since(session.Clock.GetUtcNow().AddHours(-24));
        AnalyticsPage raw = await ((IFalAnalyticsApi)account.Services.GetService(typeof(IFalAnalyticsApi))!)
            .GetServerlessAnalyticsAsync(query with { Range = open }, TestContext.Current.CancellationToken);
        AnalyticsReport report = await account.Analytics.GetReportAsync(query, cancellationToken: TestContext.Current.CancellationToken);

        Assert.Equal(26, raw.TimeSeries.Count);
        Assert.Equal(25, report.TimeSeries.Count);
        Assert.True(report.TimeSeries[^1].IsOpen);
        Assert.True(report.TimeSeries[^1].Start < account.Clock.GetUtcNow());
    }

    [Fact]
    public async Task A_cursor_has_no_padding_and_leads_to_every_page()
    {
        await using SimulatorSession session = await SimulatorSession.StartAsync(options => options.PageSize = 5);
        JsonNode first = JsonNode.Parse(await session.GetTextAsync($"/serverless/analytics?endpoint_id={session.Server.Apps[0]}"))!;
        Assert.DoesNotContain('=', (string)first["next_cursor"]!);
        Assert.Equal(5, first["time_series"]!.AsArray().Count);

        using var account = new FalAccount(session.Server.BaseAddress, options => options.ApiKey = session.Server.Key);
        AnalyticsReport report = await account.Analytics.GetReportAsync(
            new AnalyticsQuery(session.Server.Apps[0]) { Expand = AnalyticsExpand.TimeSeries | AnalyticsExpand.RequestCount },
            cancellationToken: TestContext.Current.CancellationToken);
        Assert.Equal((25, 5), (report.TimeSeries.Count, report.Answers.Count));
    }

    [Fact]
    public async Task Every_answer_has_the_headers_of_the_edge_and_chunks_in_place_of_a_length()
    {
        await using SimulatorSession session = await SimulatorSession.StartAsync();
        foreach (string path in new[] { "/serverless/metrics", "/serverless/apps", "/serverless/usage", "/serverless/analytics" })
        {
            using HttpResponseMessage response = await session.GetAsync(path);
            Assert.Equal("Vercel", response.Headers.Server.ToString());
            Assert.Equal("public, must-revalidate, max-age=0", response.Headers.CacheControl!.ToString());
            Assert.True(response.Headers.TransferEncodingChunked);
            Assert.Null(response.Content.Headers.ContentLength);
            Assert.StartsWith("lo0::simulated-1-", Assert.Single(response.Headers.GetValues("x-vercel-id")), StringComparison.Ordinal);
            Assert.True(response.Headers.Contains("Strict-Transport-Security"));
            Assert.Null(response.Headers.RetryAfter);
            Assert.Null(response.Headers.Age);
        }
    }

    [Theory]
    [InlineData(ErrorBodies.AsSeen)]
    [InlineData(ErrorBodies.AsDocumented)]
    public async Task An_error_is_understood_as_it_is_sent_and_as_it_is_documented(ErrorBodies bodies)
    {
        await using SimulatorSession session = await SimulatorSession.StartAsync(options => options.ErrorBodies = bodies);
        using var account = new FalAccount(session.Server.BaseAddress, options => options.ApiKey = "someone:elses-key");

        foreach (FalCall call in new[] { FalCall.Snapshot, FalCall.RawServerlessAnalytics, FalCall.AppList, FalCall.UsageReport })
        {
            FalAuthenticationException failure = await account.FailureOfAsync<FalAuthenticationException>(call);
            Assert.Equal((FalErrorTypes.AuthorizationError, "Invalid API key"), (failure.ErrorType, failure.ServiceMessage));
            string id = bodies == ErrorBodies.AsSeen ? "lo0::simulated-1-" : "simulated-1-";
            Assert.StartsWith(id, failure.RequestId, StringComparison.Ordinal);
            Assert.Equal(bodies == ErrorBodies.AsDocumented, failure.DocsUrl is not null);
        }
    }

    [Fact]
    public async Task The_three_refusals_that_a_key_can_meet_are_told_apart()
    {
        await using SimulatorSession session = await SimulatorSession.StartAsync();
        Assert.Contains(
            "no access to fal Serverless",
            await RefusalOf(session.Server.KeyWithoutServerless, FalCall.Snapshot),
            StringComparison.Ordinal
        );
        Assert.Contains(
            "Add the permission",
            await RefusalOf(session.Server.KeyWithoutPermission, FalCall.Snapshot),
            StringComparison.Ordinal
        );
        Assert.Contains(
            "billing:usage:read",
            await RefusalOf(session.Server.KeyWithoutBilling, FalCall.UsageReport),
            StringComparison.Ordinal
        );
        Assert.Contains(
            "not owned by the key's account",
            await RefusalOf(session.Server.Key, FalCall.RawServerlessAnalytics),
            StringComparison.Ordinal
        );

        async Task<string> RefusalOf(string key, FalCall call)
        {
            using var account = new FalAccount(session.Server.BaseAddress, options => options.ApiKey = key);
            return (await account.FailureOfAsync<FalForbiddenException>(call)).Message;
        }
    }
}
