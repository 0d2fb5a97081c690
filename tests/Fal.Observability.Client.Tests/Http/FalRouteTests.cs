using System.Net;
using System.Text;
using System.Text.Json;
using Xunit;

namespace Fal.Observability.Client.Tests;

public sealed class FalRouteTests
{
    private const string Metrics = "/serverless/metrics";
    private const string Analytics = "/serverless/analytics";
    private const string Apps = "/serverless/apps";
    private const string History = "/serverless/apps/my-org/my-app/runners/history";
    private const string Usage = "/serverless/usage";

    /// <summary>The four causes of a 403, each in words like those of the service, at every route.</summary>
    public static TheoryData<string, string, string> Causes()
    {
        var causes = new TheoryData<string, string, string>();
        foreach (string path in new[] { Metrics, Analytics, Apps, History, Usage })
        {
            causes.Add(path, "Cannot authenticate with 'key=11111111': Insufficient permissions: visit https://fal.example/start to " +
                "request access.", "no access to fal Serverless");
            causes.Add(path, "History needs further permissions. Contact support to enable it.", "The feature is not enabled");
            causes.Add(path, "Endpoint other/app is not owned by you", "An endpoint in the call is not owned");
            causes.Add(path, "Missing permission", path == Usage ? "billing:usage:read" : "Add the permission to the key");
        }

        return causes;
    }

    [Theory]
    [MemberData(nameof(Causes))]
    public void A_403_gets_the_advice_for_its_cause(string path, string words, string advice)
    {
        FalApiException failure = Failure(HttpStatusCode.Forbidden, path, words);
        Assert.Contains(advice, failure.Message, StringComparison.Ordinal);
        Assert.Equal(words, failure.ServiceMessage);
        Assert.DoesNotContain("admin", failure.Message, StringComparison.OrdinalIgnoreCase);
    }

    [Theory]
    [InlineData(Metrics, "The key lacks a permission for this call")]
    [InlineData(Analytics, "lacks a permission for this call, or one of the endpoints is not owned")]
    [InlineData("/models/analytics", "lacks a permission for this call, or one of the endpoints is not owned")]
    [InlineData(Apps, "The key lacks a permission for this call")]
    [InlineData(History, "lacks a permission for this call, or the app is not owned")]
    [InlineData(Usage, "billing:usage:read")]
    [InlineData("/somewhere/else", "The key lacks a permission for this call")]
    public void A_403_that_tells_no_cause_gets_the_advice_for_its_route(string path, string advice)
    {
        Assert.Contains(advice, Failure(HttpStatusCode.Forbidden, path, "Access denied").Message, StringComparison.Ordinal);
        Assert.Contains(advice, Failure(HttpStatusCode.Forbidden, path, null).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(Metrics, "Check the base address")]
    [InlineData(Analytics, "Check the endpoint ids")]
    [InlineData(Apps, "Check the name of the environment")]
    [InlineData(History, "Apps.ListAsync lists")]
    [InlineData(Usage, "Check the base address")]
    public void A_404_gets_the_advice_for_its_route(string path, string advice) =>
        Assert.Contains(advice, Failure(HttpStatusCode.NotFound, path, "Application not found").Message, StringComparison.Ordinal);

    [Fact]
    public void A_message_names_the_app_and_telemetry_does_not()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"https://proxy.example/fal/v1{History}?start=2026-01-01");
        Assert.Equal("GET /fal/v1/serverless/apps/{owner}/{name}/runners/history", FalRoute.NameOf(request));
        Assert.Contains("my-org/my-app", Failure(HttpStatusCode.NotFound, History, "Application not found").Message,
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("https://proxy.example/fal/v1/serverless/apps?search=x", "GET /fal/v1/serverless/apps")]
    [InlineData("https://api.example/v1/elsewhere", "GET /v1/elsewhere")]
    public void Other_calls_are_named_by_their_path(string address, string name)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, address);
        Assert.Equal(name, FalRoute.NameOf(request));
    }

    private static FalApiException Failure(HttpStatusCode status, string path, string? words)
    {
        string body = words is null
            ? "{}"
            : $$$"""{"error":{"type":"authorization_error","message":"{{{JsonEncodedText.Encode(words)}}}"}}""";
        using HttpResponseMessage response = ScriptedHandler.Response(status, body);
        using var request = new HttpRequestMessage(HttpMethod.Get, $"https://api.example/v1{path}?a=b");
        response.RequestMessage = request;
        return FalErrorReader.BadStatus(response, Encoding.UTF8.GetBytes(body), Pipeline.ApiKey, DateTimeOffset.UnixEpoch);
    }
}
