using System.Net;
using Xunit;

namespace Fal.Observability.Client.Tests;

public sealed class FalErrorReaderTests
{
    private const string Key = Pipeline.ApiKey;
    private static readonly DateTimeOffset Now = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public void The_documented_body_fills_every_property()
    {
        FalApiException failure = Read(HttpStatusCode.BadRequest,
            """{"error":{"type":"validation_error","message":"start must be before end","docs_url":"https://fal.ai/docs/x","request_id":"req-1"}}""");
        Assert.Equal(HttpStatusCode.BadRequest, failure.StatusCode);
        Assert.Equal(FalErrorTypes.ValidationError, failure.ErrorType);
        Assert.Equal("start must be before end", failure.ServiceMessage);
        Assert.Equal("req-1", failure.RequestId);
        Assert.Equal(new Uri("https://fal.ai/docs/x"), failure.DocsUrl);
        Assert.Equal("application/json", failure.ContentType);
        Assert.Contains("start must be before end", failure.Message, StringComparison.Ordinal);
        Assert.Contains("req-1", failure.Message, StringComparison.Ordinal);
        Assert.False(failure.IsTransient);
    }

    [Theory]
    [InlineData("""{"detail":"Not here"}""", "Not here")]
    [InlineData(
        """{"detail":[{"loc":["query","start"],"msg":"bad date","type":"x"},{"msg":"and worse"}]}""",
        "query.start: bad date; and worse"
    )]
    [InlineData("""{"error":"plain words"}""", "plain words")]
    [InlineData("""{"message":"top level"}""", "top level")]
    [InlineData("""{"error":{"type":42,"message":null},"detail":"fallback"}""", "fallback")]
    [InlineData("""{"error":{"message":"half \ud800 a character"}}""", "half \uFFFD a character")]
    [InlineData("""{"\udc00":1,"error":{"\ud800":2,"message":"odd names"}}""", "odd names")]
    [InlineData("""{"detail":[{"loc":["\ud800",{"a":"\udc00"}],"msg":"x\udfff"}]}""", "\uFFFD.{\"a\":\"\\ufffd\"}: x\uFFFD")]
    [InlineData("""{"detail":"\ud83d\ude00 is whole, \ude00 is not"}""", "\U0001F600 is whole, \uFFFD is not")]
    [InlineData("""{"error":"\ud800"}""", "\uFFFD")]
    [InlineData("just text", "just text")]
    [InlineData("[1,2]", "[1,2]")]
    [InlineData("{\"error\":{\"message\":\"cut in the mid", "{\"error\":{\"message\":\"cut in the mid")]
    public void Other_bodies_are_read_as_far_as_they_go(string body, string message) =>
        Assert.Equal(message, Read(HttpStatusCode.NotFound, body).ServiceMessage);

    [Fact]
    public void An_empty_body_leaves_the_words_null_and_the_status_clear()
    {
        FalApiException failure = Read(HttpStatusCode.ServiceUnavailable, "", "text/plain");
        Assert.Null(failure.ServiceMessage);
        Assert.Null(failure.ErrorType);
        Assert.Contains("503", failure.Message, StringComparison.Ordinal);
        Assert.True(failure.IsTransient);
    }

    [Theory]
    [InlineData(HttpStatusCode.RequestTimeout, "Try again later")]
    [InlineData(HttpStatusCode.NotImplemented, "A retry does not help")]
    [InlineData(HttpStatusCode.HttpVersionNotSupported, "A retry does not help")]
    [InlineData(HttpStatusCode.MethodNotAllowed, "Check the base address")]
    [InlineData(HttpStatusCode.UnprocessableEntity, "Check the base address")]
    public void Every_status_comes_with_what_to_do(HttpStatusCode status, string advice) =>
        Assert.Contains(advice, Read(status, "{}").Message, StringComparison.Ordinal);

    [Fact]
    public void A_body_of_several_lines_is_one_line_of_the_message_and_whole_in_the_property()
    {
        FalApiException failure = Read(HttpStatusCode.BadGateway, "upstream\r\nis\ngone", "text/plain");
        Assert.Contains("upstream\\nis\\ngone", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', failure.Message);
        Assert.Equal("upstream\r\nis\ngone", failure.ResponseBody);
    }

    [Theory]
    [InlineData(HttpStatusCode.Forbidden)]
    [InlineData(HttpStatusCode.NotFound)]
    public void An_endpoint_id_without_an_owner_is_named_where_it_may_be_the_cause(HttpStatusCode status) =>
        Assert.Contains("The id 'a' names no owner", Read(status, "{}").Message, StringComparison.Ordinal);

    [Fact]
    public void An_error_type_that_is_new_is_kept_as_it_is() =>
        Assert.Equal("quota_paused", Read(HttpStatusCode.PaymentRequired, """{"error":{"type":"quota_paused","message":"m"}}""").ErrorType);

    [Fact]
    public void A_json_403_speaks_of_permission_or_ownership_and_never_of_admin_keys()
    {
        FalForbiddenException failure = Assert.IsType<FalForbiddenException>(
            Read(HttpStatusCode.Forbidden, """{"error":{"type":"authorization_error","message":"Access denied"}}"""));
        Assert.Equal(FalForbiddenReason.PermissionOrOwnership, failure.Reason);
        Assert.Contains("lacks a permission", failure.Message, StringComparison.Ordinal);
        Assert.Contains("not owned", failure.Message, StringComparison.Ordinal);
        Assert.Equal(
            failure.Message.IndexOf("permission", StringComparison.Ordinal),
            failure.Message.LastIndexOf("permission", StringComparison.Ordinal)
        );
        Assert.DoesNotContain("admin", failure.Message, StringComparison.OrdinalIgnoreCase);
    }

    [Theory]
    [InlineData("""{"error":{"type":"authorization_error","message":"Insufficient permissions: request access."}}""", "permission")]
    [InlineData("""{"error":{"type":"forbidden","message":"Forbidden."}}""", "forbidden")]
    [InlineData("""{"error":{"type":"authorization_error","message":"No access (request id: req-77)","request_id":"req-77"}}""", "req-77")]
    [InlineData("""{"detail":"Forbidden"}""", "forbidden")]
    public void A_403_says_nothing_twice(string body, string word)
    {
        FalApiException failure = Read(HttpStatusCode.Forbidden, body);

        int first = failure.Message.IndexOf(word, StringComparison.OrdinalIgnoreCase);
        Assert.True(first >= 0, failure.Message);
        Assert.True(first == failure.Message.LastIndexOf(word, StringComparison.OrdinalIgnoreCase), failure.Message);
        Assert.DoesNotContain("..", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("cf-mitigated", "challenge")]
    [InlineData("x-vercel-mitigated", "challenge")]
    [InlineData("x-vercel-mitigated", "deny")]
    public void A_challenge_is_recognised_by_the_header_of_the_edge(string header, string value)
    {
        using HttpResponseMessage response = ScriptedHandler.Response(HttpStatusCode.Forbidden, "checking", "text/plain");
        response.Headers.Add(header, value);
        Assert.Equal(FalForbiddenReason.EdgeChallenge, Assert.IsType<FalForbiddenException>(Read(response)).Reason);
    }

    [Theory]
    [InlineData("x-fal-request-id", "fal-1", "fal-1")]
    [InlineData("x-fal-request-id", "", "sin1::iad1::5gb4r")]
    [InlineData("x-other", "other", "sin1::iad1::5gb4r")]
    public void The_id_of_the_edge_is_the_request_id_where_the_service_names_none(string header, string value, string expected)
    {
        using HttpResponseMessage response = ScriptedHandler.Response(
            HttpStatusCode.InternalServerError,
            """{"error":{"message":"Download failed"}}"""
        );
        response.Headers.Add("x-vercel-id", "sin1::iad1::5gb4r");
        response.Headers.TryAddWithoutValidation(header, value);
        FalApiException failure = Read(response);
        Assert.Equal(expected, failure.RequestId);
        Assert.Contains(expected, failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_request_id_that_would_hide_the_message_is_quoted_in_part_and_kept_whole(bool inBody)
    {
        string id = new('7', 30_000);
        using HttpResponseMessage response = ScriptedHandler.Response(
            HttpStatusCode.InternalServerError,
            inBody
                ? $$$"""{"error":{"message":"Download failed","request_id":"{{{id}}}"}}"""
                : """{"error":{"message":"Download failed"}}"""
        );
        response.Headers.TryAddWithoutValidation("x-fal-request-id", inBody ? "short" : id);

        FalApiException failure = Read(response);

        Assert.Equal(id, failure.RequestId);
        Assert.InRange(failure.Message.Length, 1, 600);
        Assert.Contains("777... (truncated, 30000 characters in total)", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_304_is_no_redirect_and_its_advice_is_about_caches()
    {
        FalApiException failure = Read(HttpStatusCode.NotModified, "");
        Assert.Contains("If-None-Match", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("edirect", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("base address", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_html_403_is_the_edge_and_says_that_a_retry_does_not_help()
    {
        using HttpResponseMessage response = ScriptedHandler.Response(
            HttpStatusCode.Forbidden,
            "<!DOCTYPE html><title>Just a moment...</title>",
            "text/html"
        );
        response.Headers.Add("cf-mitigated", "challenge");
        FalForbiddenException failure = Assert.IsType<FalForbiddenException>(Read(response));
        Assert.Equal(FalForbiddenReason.EdgeChallenge, failure.Reason);
        Assert.Contains("edge", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("<title>", failure.Message, StringComparison.Ordinal);
        Assert.Contains("<title>", failure.ResponseBody, StringComparison.Ordinal);
    }

    [Fact]
    public void A_429_carries_the_wait()
    {
        using HttpResponseMessage response = ScriptedHandler.Response(
            HttpStatusCode.TooManyRequests,
            """{"error":{"type":"rate_limited","message":"Slow down."}}"""
        );
        response.Headers.Add("Retry-After", "114");
        FalRateLimitException failure = Assert.IsType<FalRateLimitException>(Read(response));
        Assert.Equal(TimeSpan.FromSeconds(114), failure.RetryAfter);
        Assert.Contains("114 s", failure.Message, StringComparison.Ordinal);
        Assert.True(failure.IsTransient);
    }

    [Fact]
    public void The_request_id_of_the_header_is_used_where_the_body_has_none()
    {
        using HttpResponseMessage response = ScriptedHandler.Response(HttpStatusCode.BadGateway, "<html>bad gateway</html>", "text/html");
        response.Headers.Add("x-fal-request-id", "from-header");
        FalApiException failure = Read(response);
        Assert.Equal("from-header", failure.RequestId);
        Assert.Contains("proxy", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_long_body_is_cut_and_a_surrogate_pair_is_not_torn()
    {
        FalApiException failure = Read(
            HttpStatusCode.BadRequest,
            new string('x', 4095) + "\U0001F600" + new string('y', 9000),
            "text/plain"
        );
        Assert.Equal(4095, failure.ResponseBody.Length);
    }

    [Theory]
    [InlineData(Key)]
    [InlineData("test-secret-0123456789")]
    [InlineData("test-id%3Atest-secret-0123456789")]
    [InlineData("TEST-ID:TEST-SECRET-0123456789")]
    public void A_key_that_the_server_echoes_is_masked_everywhere(string echoed)
    {
        FalApiException failure = Read(
            HttpStatusCode.BadRequest,
            $$$"""{"error":{"type":"{{{echoed}}}","message":"no such key {{{echoed}}}","request_id":"{{{echoed}}}","docs_url":"https://x/{{{echoed}}}"}}"""
        );
        foreach (
            string text in new[]
            {
                failure.ToString(),
                failure.ResponseBody,
                failure.ServiceMessage!,
                failure.ErrorType!,
                failure.RequestId!,
                $"{failure.DocsUrl}",
            }
        )
        {
            Assert.DoesNotContain("secret-0123456789", text, StringComparison.OrdinalIgnoreCase);
        }
    }

    [Fact]
    public void A_key_that_the_cut_of_a_body_goes_through_is_masked_before_the_cut()
    {
        var info = new FalResponseInfo(HttpStatusCode.OK, "text/plain", null, "GET /x");
        for (int before = 220; before <= 256; before++)
        {
            byte[] body = System.Text.Encoding.UTF8.GetBytes(new string('x', before) + Key + " and more");
            FalResponseException failure = FalErrorReader.BadBody(info, "it is wrong", body, Key, null, transient: false);
            Assert.DoesNotContain("test-", failure.BodyStart, StringComparison.Ordinal);
            Assert.True(failure.BodyStart.Length <= 256);
        }
    }

    [Fact]
    public void A_failure_without_a_response_does_not_repeat_a_key_that_the_far_side_said()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "https://api.example/v1");
        FalTransportException failure = FalErrorReader.NoResponse(
            request,
            Key,
            new HttpRequestException($"Received an invalid status line: 'Key {Key}'.")
        );
        Assert.DoesNotContain("test-secret", failure.ToString(), StringComparison.Ordinal);
        Assert.Contains("invalid status line", failure.Message, StringComparison.Ordinal);
    }

    private static FalApiException Read(HttpStatusCode status, string body, string mediaType = "application/json")
    {
        using HttpResponseMessage response = ScriptedHandler.Response(status, body, mediaType);
        return Read(response);
    }

    private static FalApiException Read(HttpResponseMessage response)
    {
        response.RequestMessage = new HttpRequestMessage(HttpMethod.Get, "https://api.example/v1/serverless/analytics?endpoint_id=a");
        byte[] body = response.Content.ReadAsByteArrayAsync().GetAwaiter().GetResult();
        return FalErrorReader.BadStatus(response, body, Key, Now);
    }
}
