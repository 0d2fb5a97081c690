using System.Net;
using Xunit;

namespace Fal.Observability.Client.IntegrationTests;

/// <summary>What a user catches for each way in which the service, or something in front of it, can refuse a call.</summary>
public sealed class ErrorTableTests
{
    private const string Challenge = "<!DOCTYPE html><html><head><title>Just a moment...</title></head></html>";
    private const string GatewayPage = "<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>";

    /// <summary>The rows of the table by name, so that the runner can show them.</summary>
    private static readonly Dictionary<string, Row> Rows = new(StringComparer.Ordinal)
    {
        ["400"] = new(Error(400, "validation_error", "timeframe must be one of minute, hour, day, week, month"), typeof(FalApiException))
        {
            Type = "validation_error",
            Message = "timeframe must be one of",
            Says = "parameters",
        },
        ["401"] = new(Error(401, "authorization_error", "Invalid API key"), typeof(FalAuthenticationException))
        {
            Type = "authorization_error",
            Message = "Invalid API key",
            Says = "The key is missing, wrong or revoked",
        },
        ["403 of the service"] = new(Error(403, "authorization_error", "Access denied"), typeof(FalForbiddenException))
        {
            Type = "authorization_error",
            Message = "Access denied",
            Says = "lacks a permission",
            Reason = FalForbiddenReason.PermissionOrOwnership,
        },
        ["403 of the edge"] = new(
            new(403, "text/html; charset=UTF-8", Challenge) { Headers = [("cf-mitigated", "challenge")] },
            typeof(FalForbiddenException)
        )
        {
            Says = "says nothing about the key",
            Reason = FalForbiddenReason.EdgeChallenge,
            HasRequestId = false,
        },
        ["403 of an edge that says nothing in its headers"] = new(new(403, null, Challenge), typeof(FalForbiddenException))
        {
            Says = "says nothing about the key",
            Reason = FalForbiddenReason.EdgeChallenge,
            HasRequestId = false,
        },
        ["403 of an account without access, as recorded"] = new(
            Recorded(403, "authorization_error",
                "Unable to use 'key=another-key-id' auth: Insufficient permissions: Please visit " +
                    "https://fal.ai/dashboard/serverless-get-started to request access."),
            typeof(FalForbiddenException))
        {
            Type = "authorization_error",
            Message = "to request access",
            Says = "has no access to fal Serverless yet",
            HasDocsUrl = false,
            Reason = FalForbiddenReason.PermissionOrOwnership,
        },
        ["403 of a feature that is not enabled, as recorded"] = new(
            Recorded(403, "authorization_error", "This feature is not enabled for your account. Contact support."),
            typeof(FalForbiddenException)
        )
        {
            Type = "authorization_error",
            Message = "not enabled",
            Says = "Ask fal's support to enable it",
            HasDocsUrl = false,
            Reason = FalForbiddenReason.PermissionOrOwnership,
        },
        ["403 of an endpoint that is not owned, as recorded"] = new(
            Recorded(403, "authorization_error", "You do not own this endpoint"), typeof(FalForbiddenException))
        {
            Type = "authorization_error",
            Message = "do not own",
            Says = "not owned by the key's account",
            HasDocsUrl = false,
            Reason = FalForbiddenReason.PermissionOrOwnership,
        },
        ["500 as recorded"] = new(Recorded(500, "server_error", "Download failed"), typeof(FalApiException))
        {
            Type = "server_error",
            Message = "Download failed",
            Retried = true,
            Says = "Try again later",
            HasDocsUrl = false,
        },
        ["522 of the edge"] = new(new(522, "text/html", GatewayPage), typeof(FalApiException))
        {
            Retried = true,
            HasRequestId = false,
            Says = "proxy",
        },
        ["404"] = new(Error(404, "not_found", "Resource not found"), typeof(FalApiException))
        {
            Type = "not_found",
            Message = "Resource not found",
            Says = "the base address",
        },
        ["429 without a hint"] = new(Error(429, "rate_limited", "Rate limit exceeded"), typeof(FalRateLimitException))
        {
            Type = "rate_limited",
            Message = "Rate limit exceeded",
            Retried = true,
            Says = "does not say how long to wait",
        },
        ["429 with Retry-After in seconds"] = new(
            Error(429, "rate_limited", "Rate limit exceeded") with { Headers = [("Retry-After", "7")] }, typeof(FalRateLimitException))
        {
            Type = "rate_limited",
            Retried = true,
            RetryAfter = TimeSpan.FromSeconds(7),
            Says = "asks you to wait 7 s",
        },
        ["429 with Retry-After as a date"] = new(
            // Long past by the client's clock, so that the wait is the same at each attempt.
            Error(429, "rate_limited", "Rate limit exceeded") with
            {
                Headers = [("Retry-After", "Wed, 17 Jun 2026 12:00:00 GMT")],
            },
            typeof(FalRateLimitException)
        )
        {
            Type = "rate_limited",
            Retried = true,
            RetryAfter = TimeSpan.Zero,
            Says = "asks you to wait 0 s",
        },
        ["429 with x-ratelimit-reset"] = new(
            Error(429, "rate_limited", "Rate limit exceeded") with
            {
                Headers = [("x-ratelimit-reset", "4")],
            },
            typeof(FalRateLimitException)
        )
        {
            Type = "rate_limited",
            Retried = true,
            RetryAfter = TimeSpan.FromSeconds(4),
            Says = "asks you to wait 4 s",
        },
        ["429 with a wait that fits no budget"] = new(
            Error(429, "rate_limited", "Rate limit exceeded") with { Headers = [("Retry-After", "410400")] }, typeof(FalRateLimitException))
        {
            Type = "rate_limited",
            RetryAfter = TimeSpan.FromHours(114),
            Transient = true,
            Says = "asks you to wait 410400 s",
        },
        ["500"] = new(Error(500, "server_error", "An unexpected error occurred"), typeof(FalApiException))
        {
            Type = "server_error",
            Message = "An unexpected error occurred",
            Retried = true,
            Says = "Try again later",
        },
        ["501"] = new(Error(501, "not_implemented", "Not implemented"), typeof(FalApiException))
        {
            Type = "not_implemented",
            Message = "Not implemented",
        },
        ["502 with a web page"] = new(new(502, "text/html", GatewayPage), typeof(FalApiException))
        {
            Retried = true,
            HasRequestId = false,
            Says = "proxy",
        },
        ["503 with a web page"] = new(new(503, "text/html", GatewayPage), typeof(FalApiException))
        {
            Retried = true,
            HasRequestId = false,
            Says = "proxy",
        },
        ["504 with a web page"] = new(new(504, "text/html", GatewayPage), typeof(FalApiException))
        {
            Retried = true,
            HasRequestId = false,
            Says = "proxy",
        },
        ["502 empty"] = new(new(502), typeof(FalApiException)) { Retried = true, HasRequestId = false },
        ["503 empty"] = new(new(503), typeof(FalApiException)) { Retried = true, HasRequestId = false },
        ["504 empty"] = new(new(504), typeof(FalApiException)) { Retried = true, HasRequestId = false },
        ["408"] = new(new(408), typeof(FalApiException)) { Retried = true, HasRequestId = false },
        ["detail as a text"] = new(
            MockResponse.Json(401, """{"detail":"No user found for Key ID and Secret"}"""),
            typeof(FalAuthenticationException)
        )
        {
            Message = "No user found for Key ID and Secret",
            HasRequestId = false,
        },
        ["detail as a list"] = new(
            MockResponse.Json(422, """{"detail":[{"loc":["query","limit"],"msg":"must be at least 1","type":"value_error"},{"loc":["query",0],"msg":"odd","type":"x"}]}"""),
            typeof(FalApiException))
        {
            Message = "query.limit: must be at least 1; query.0: odd",
            HasRequestId = false,
        },
        ["an error type newer than this version"] = new(Error(402, "payment_required", "Top up the balance"), typeof(FalApiException))
        {
            Type = "payment_required",
            Message = "Top up the balance",
        },
        ["text that is not JSON"] = new(new(400, "text/plain", "upstream says no"), typeof(FalApiException))
        {
            Message = "upstream says no",
            HasRequestId = false,
        },
    };

    public static TheoryData<string> Names => [.. Rows.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Every_call_fails_with_the_same_exception_after_the_attempts_that_make_sense(string name)
    {
        Row row = Rows[name];
        int attempts = row.Retried ? 4 : 1;
        foreach (FalCall call in Enum.GetValues<FalCall>())
        {
            using var api = new WireMockApi(row.Response);
            using var account = new FalAccount(api.BaseAddress);

            var failure = Assert.IsType<FalApiException>(await account.FailureOfAsync(call), exactMatch: false);

            Assert.Equal(row.Exception, failure.GetType());
            Assert.Equal(row.Response.Status, (int)failure.StatusCode);
            Assert.Equal(row.Type, failure.ErrorType);
            Assert.Contains(row.Message ?? "", failure.ServiceMessage ?? "", StringComparison.Ordinal);
            Assert.Equal(row.HasRequestId ? "req-42" : null, failure.RequestId);
            Assert.Equal(row.HasRequestId && row.HasDocsUrl ? new Uri("https://docs.example/errors") : null, failure.DocsUrl);
            Assert.Equal(row.Response.ContentType?.Split(';')[0], failure.ContentType);
            Assert.Equal(row.Response.Body, failure.ResponseBody);
            Assert.Equal(row.Retried || row.Transient, failure.IsTransient);
            Assert.Equal(attempts, failure.Attempts);
            Assert.Equal(row.RetryAfter, (failure as FalRateLimitException)?.RetryAfter);
            Assert.Equal(row.Reason, (failure as FalForbiddenException)?.Reason);
            Assert.Contains(row.Message ?? "", failure.Message, StringComparison.Ordinal);
            Assert.Contains(row.Says, failure.Message, StringComparison.Ordinal);

            Assert.Equal(attempts, api.Requests.Count);
            Assert.All(api.Requests, request => Assert.Equal($"Key {FalAccount.Key}", Assert.Single(request.Headers!["Authorization"])));
        }
    }

    [Theory]
    [InlineData(408)]
    [InlineData(429)]
    [InlineData(500)]
    [InlineData(502)]
    [InlineData(503)]
    [InlineData(504)]
    [InlineData(507)]
    [InlineData(522)]
    [InlineData(530)]
    [InlineData(599)]
    public async Task A_failure_that_passes_is_not_seen_by_the_caller(int status)
    {
        foreach (FalCall call in Enum.GetValues<FalCall>())
        {
            MockResponse success = FalAccount.ReadsText(call) ? MockResponse.Metrics() : MockResponse.Page();
            using var api = new WireMockApi(new(status), new(status, "text/html", GatewayPage), success);
            using var account = new FalAccount(api.BaseAddress);

            Task running = account.RunAsync(call);
            await account.Clock.StepOverWaitsAsync(running, account.Options);
            await running;

            Assert.Equal(3, api.Requests.Count);
            Assert.Equal(2, account.Events(2).Count);
        }
    }

    [Theory]
    [MemberData(nameof(FalAccount.EveryCall), MemberType = typeof(FalAccount))]
    public async Task A_redirect_is_reported_and_the_key_goes_nowhere_else(FalCall call)
    {
        using var elsewhere = new WireMockApi(MockResponse.Metrics());
        using var api = new WireMockApi(new MockResponse(302) { Headers = [("Location", $"{elsewhere.BaseAddress}/serverless/metrics")] });
        using var account = new FalAccount(api.BaseAddress);

        FalApiException failure = await account.FailureOfAsync<FalApiException>(call);

        Assert.Equal(HttpStatusCode.Found, failure.StatusCode);
        Assert.Contains("The client does not follow redirects", failure.Message, StringComparison.Ordinal);
        Assert.Single(api.Requests);
        Assert.Empty(elsewhere.Requests);
    }

    [Fact]
    public async Task A_long_body_is_cut_and_an_endless_one_is_not_read_to_its_end()
    {
        using var api = new WireMockApi(new MockResponse(400, "text/plain", new string('x', 100_000)));
        using var account = new FalAccount(api.BaseAddress);

        FalApiException failure = await account.FailureOfAsync<FalApiException>(FalCall.Snapshot);
        Assert.Equal(4096, failure.ResponseBody.Length);
        Assert.Equal(512, failure.ServiceMessage!.Length);

        await using var endless = RawServer.Start(async exchange =>
        {
            await exchange.WriteAsync(RawServer.Head(401, "text/plain", "Connection: close"));
            byte[] more = new byte[16 * 1024];
            Array.Fill(more, (byte)'x');
            while (true)
            {
                await exchange.WriteAsync(more);
            }
        });
        using var other = new FalAccount(endless.BaseAddress);
        Assert.Equal(4096, (await other.FailureOfAsync<FalAuthenticationException>(FalCall.Page)).ResponseBody.Length);
    }

    private static MockResponse Error(int status, string type, string message) => MockResponse.Json(
        status,
        $$$"""{"error":{"type":"{{{type}}}","message":"{{{message}}}","docs_url":"https://docs.example/errors","request_id":"req-42"}}""");

    /// <summary>An error as the live service sends it: type and message only, and the id of the edge in a header.</summary>
    private static MockResponse Recorded(int status, string type, string message) =>
        MockResponse.Json(status, $$$"""{"error":{"type":"{{{type}}}","message":"{{{message}}}"}}""") with
        {
            Headers = [("x-vercel-id", "req-42")],
        };

    private sealed record Row(MockResponse Response, Type Exception)
    {
        public string? Type { get; init; }

        public string? Message { get; init; }

        /// <summary>A part of the exception's message that says what to do.</summary>
        public string Says { get; init; } = "";

        public bool HasRequestId { get; init; } = true;

        public bool HasDocsUrl { get; init; } = true;

        public bool Retried { get; init; }

        public bool Transient { get; init; }

        public TimeSpan? RetryAfter { get; init; }

        public FalForbiddenReason? Reason { get; init; }
    }
}
