using System.Net;
using Xunit;

namespace Fal.Observability.Client.Tests;

public sealed class FalApiKeyHandlerTests
{
    [Theory]
    [InlineData("id:secret-value")]
    [InlineData("Key id:secret-value")]
    [InlineData("key  id:secret-value")]
    [InlineData(" id:secret-value ")]
    public async Task The_scheme_stands_before_the_key_exactly_once(string apiKey)
    {
        ScriptedHandler end = new((_, _) => Task.FromResult(ScriptedHandler.Response(HttpStatusCode.OK)));
        using var invoker = new HttpMessageInvoker(new FalApiKeyHandler(apiKey) { InnerHandler = end });
        using var request = new HttpRequestMessage(HttpMethod.Get, "https://api.example/");
        (await invoker.SendAsync(request, default)).Dispose();
        (await invoker.SendAsync(request, default)).Dispose();
        Assert.Equal(["Key id:secret-value", "Key id:secret-value"], end.Authorizations);
    }

    [Theory]
    [InlineData("")]
    [InlineData("   ")]
    [InlineData("Key ")]
    [InlineData("no-colon-hunter2")]
    [InlineData("hunter2:")]
    [InlineData(":hunter2")]
    [InlineData("id:hunter2\r\nX-Evil: 1")]
    [InlineData("id:hunter2\u0000")]
    [InlineData("id:hünter2")]
    [InlineData("id:hun ter2")]
    public void A_malformed_key_is_refused_without_being_shown(string apiKey)
    {
        ArgumentException failure = Assert.Throws<ArgumentException>(() => new FalApiKeyHandler(apiKey));
        Assert.DoesNotContain("ter2", failure.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_key_does_not_leave_over_plain_http()
    {
        ScriptedHandler end = new((_, _) => Task.FromResult(ScriptedHandler.Response(HttpStatusCode.OK)));
        using var invoker = new HttpMessageInvoker(new FalApiKeyHandler("id:secret-value") { InnerHandler = end });
        using var request = new HttpRequestMessage(HttpMethod.Get, "http://api.example/");
        await Assert.ThrowsAsync<InvalidOperationException>(() => invoker.SendAsync(request, default));
        Assert.Equal(0, end.Sent);
    }

    [Fact]
    public async Task Loopback_may_be_plain_http()
    {
        ScriptedHandler end = new((_, _) => Task.FromResult(ScriptedHandler.Response(HttpStatusCode.OK)));
        using var invoker = new HttpMessageInvoker(new FalApiKeyHandler("id:secret-value") { InnerHandler = end });
        using var request = new HttpRequestMessage(HttpMethod.Get, "http://[::1]:5080/");
        (await invoker.SendAsync(request, default)).Dispose();
        Assert.Equal(1, end.Sent);
    }

    [Fact]
    public async Task What_a_redirect_led_to_is_not_used()
    {
        var end = new ScriptedHandler((request, _) =>
        {
            // This is how .NET's own handlers follow a redirect: the request ends up with the other address.
            request.RequestUri = new Uri("https://elsewhere.example/v1");
            return Task.FromResult(ScriptedHandler.Response(HttpStatusCode.OK, "fal_app_queue_size 1\n", "text/plain"));
        });
        using var invoker = new HttpMessageInvoker(new FalApiKeyHandler("id:secret-value") { InnerHandler = end });
        using var request = new HttpRequestMessage(HttpMethod.Get, "https://api.example/v1");
        FalResponseException failure = await Assert.ThrowsAsync<FalResponseException>(() => invoker.SendAsync(request, default));
        Assert.Contains("elsewhere.example", failure.Message, StringComparison.Ordinal);
        Assert.Equal(new Uri("https://api.example/v1"), request.RequestUri);
    }

    [Fact]
    public async Task The_key_does_not_follow_a_redirect_whose_target_fails()
    {
        var end = new ScriptedHandler((request, _) =>
        {
            request.RequestUri = new Uri("https://elsewhere.example/v1");
            throw new HttpRequestException(HttpRequestError.ConnectionError, "refused");
        });
        using var invoker = new HttpMessageInvoker(new FalApiKeyHandler("id:secret-value") { InnerHandler = end });
        using var request = new HttpRequestMessage(HttpMethod.Get, "https://api.example/v1");
        FalResponseException failure = await Assert.ThrowsAsync<FalResponseException>(() => invoker.SendAsync(request, default));
        Assert.Contains("elsewhere.example", failure.Message, StringComparison.Ordinal);
        // A retry sends the same request: with the other address in it, the key would go there.
        Assert.Equal(new Uri("https://api.example/v1"), request.RequestUri);
    }

    [Fact]
    public async Task Plain_http_to_loopback_does_not_go_through_a_proxy()
    {
        var proxy = new System.Net.WebProxy("http://user:proxy-password@proxy.example:3128");
        using var sockets = new SocketsHttpHandler { Proxy = proxy };
        using var invoker = new HttpMessageInvoker(new FalApiKeyHandler("id:secret-value") { InnerHandler = sockets });
        using var request = new HttpRequestMessage(HttpMethod.Get, "http://127.0.0.1:5080/");
        InvalidOperationException failure = await Assert.ThrowsAsync<InvalidOperationException>(() => invoker.SendAsync(request, default));
        Assert.Contains("proxy.example:3128", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("proxy-password", failure.Message, StringComparison.Ordinal);
    }
}
