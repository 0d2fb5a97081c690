using System.Net;
using System.Text.Json.Nodes;
using Fal.Observability.Client.Testing;
using Xunit;

namespace Fal.Observability.Client.IntegrationTests.Simulator;

public sealed class SimulatorAuthenticationTests
{
    [Theory]
    [InlineData("Key simulated:key", 200, null)]
    [InlineData("Key simulated:no-permission", 403, "Access denied: the key lacks the permission for this call.")]
    [InlineData("Key simulated:wrong", 401, "Invalid API key")]
    [InlineData("Bearer simulated:key", 401, "Invalid API key")]
    [InlineData("key simulated:key", 401, "Invalid API key")]
    [InlineData("Key Key simulated:key", 401, "Invalid API key")]
    [InlineData("simulated:key", 401, "Invalid API key")]
    [InlineData("", 401, "Authentication required")]
    public async Task Every_route_takes_the_right_key_under_the_literal_scheme_only(string authorization, int status, string? message)
    {
        await using SimulatorSession session = await SimulatorSession.StartAsync();
        string app = session.Server.Apps[0];
        foreach (string path in new[] { "/serverless/metrics", $"/serverless/analytics?endpoint_id={app}",
            $"/models/analytics?endpoint_id={app}", "/serverless/apps", $"/serverless/apps/{app}/runners/history", "/serverless/usage" })
        {
            using HttpResponseMessage response = await session.GetAsync(path, authorization);
            string body = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);

            Assert.Equal(status, (int)response.StatusCode);
            Assert.False(response.Headers.Contains("x-fal-request-id"));
            Assert.StartsWith("simulated data", Assert.Single(response.Headers.GetValues("x-fal-simulator")), StringComparison.Ordinal);
            if (message is not null)
            {
                JsonNode error = JsonNode.Parse(body)!["error"]!;
                Assert.Equal("authorization_error", (string?)error["type"]);
                Assert.Equal(message, (string?)error["message"]);
                Assert.Equal(["type", "message"], error.AsObject().Select(member => member.Key));
            }
        }
    }

    [Theory]
    [InlineData("endpoint_id=somebody/else")]
    [InlineData("endpoint_id=simulated/text-to-image-00000&endpoint_id=somebody/else")]
    [InlineData("endpoint_id=simulated/text-to-image-00000,somebody/else")]
    [InlineData("endpoint_id=simulated/text-to-image-00000/no-such-route")]
    public async Task One_endpoint_that_is_not_owned_refuses_the_whole_call(string query)
    {
        await using SimulatorSession session = await SimulatorSession.StartAsync();

        using HttpResponseMessage response = await session.GetAsync($"/serverless/analytics?{query}");

        Assert.Equal(HttpStatusCode.Forbidden, response.StatusCode);
        Assert.Contains("authorization_error", await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken),
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/serverless/metric")]
    [InlineData("/serverless/metrics/")]
    [InlineData("/models/usage")]
    [InlineData("/serverless/apps/simulated/text-to-image-00000")]
    [InlineData("/serverless/apps/simulated/runners/history")]
    [InlineData("/models/analytics?endpoint_id=fal-ai/no-such-model")]
    public async Task What_is_not_there_is_answered_404(string path)
    {
        await using SimulatorSession session = await SimulatorSession.StartAsync();

        using HttpResponseMessage response = await session.GetAsync(path);

        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
        Assert.Contains("not_found", await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_request_log_keeps_the_bytes_of_a_call_but_no_key()
    {
        await using SimulatorSession session = await SimulatorSession.StartAsync();
        const string Query = "?endpoint_id=simulated%2ftext-to-image-00000&timezone=Europe%2FBerlin&x=a+b";

        using HttpResponseMessage first = await session.GetAsync($"/serverless/analytics{Query}");
        using HttpResponseMessage second = await session.GetAsync("/nowhere", "Key Key another:secret");

        Assert.Collection(
            session.Server.Requests,
            request =>
            {
                Assert.Equal("GET", request.Method);
                Assert.Equal("/v1/serverless/analytics", request.Path);
                Assert.Equal(Query, request.RawQuery);
                Assert.Equal("Key ***", request.Headers["authorization"]);
                Assert.Equal(200, request.Status);
            },
            request =>
            {
                Assert.Equal("/v1/nowhere", request.Path);
                Assert.Equal("", request.RawQuery);
                Assert.Equal("Key Key ***", request.Headers["Authorization"]);
                Assert.Equal(404, request.Status);
            });
    }

    [Theory]
    [InlineData("simulated")]
    [InlineData("simulated:")]
    [InlineData(":key")]
    [InlineData("a:b:c")]
    [InlineData("simulated:k ey")]
    [InlineData("simulated:no-billing")]
    [InlineData("simulated:no-serverless")]
    [InlineData("simulated:no-permission")]
    public async Task A_key_that_cannot_work_is_refused_at_start(string key)
    {
        ArgumentException error = await Assert.ThrowsAsync<ArgumentException>(
            () => FalSimulator.StartAsync(new FalSimulatorOptions { Seed = 1, Key = key }, TestContext.Current.CancellationToken));
        Assert.StartsWith("Key must ", error.Message, StringComparison.Ordinal);
    }
}
