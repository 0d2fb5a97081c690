using System.Net;
using System.Net.Sockets;
using Fal.Observability.Client.IntegrationTests.Samples;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Fal.Observability.Client.IntegrationTests;

/// <summary>What stands between this machine and the service: a failure there names it.</summary>
public sealed class ProxyAndTlsTests
{
    private static readonly Uri Service = new("https://api.fal.example/v1");

    private static readonly Dictionary<string, Func<RawExchange, Task>> Refusals = new(StringComparer.Ordinal)
    {
        ["407"] = RawServer.Answer(407, null, "", "Proxy-Authenticate: Basic realm=\"x\"", "Connection: close"),
        ["502"] = RawServer.Answer(502, "text/html", "<html></html>", "Connection: close"),
        ["nothing"] = exchange =>
        {
            exchange.Close();
            return Task.CompletedTask;
        },
        ["a broken connection"] = exchange =>
        {
            exchange.Reset();
            return Task.CompletedTask;
        },
        ["a tunnel in which nobody speaks TLS"] = async exchange =>
        {
            await exchange.WriteAsync("HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 400 Bad Request\r\n\r\n");
            exchange.Close();
        },
    };

    public static TheoryData<string> Names => [.. Refusals.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task A_proxy_that_opens_no_tunnel_is_named_without_its_credentials(string name)
    {
        foreach (FalCall call in Enum.GetValues<FalCall>())
        {
            await using var proxy = RawServer.Start(Refusals[name]);
            using FalAccount account = Through(proxy);

            FalTransportException failure = await account.FailureOfAsync<FalTransportException>(call);

            Assert.Contains(proxy.BaseAddress.Authority, failure.Message, StringComparison.Ordinal);
            Assert.Contains("proxy", failure.Message, StringComparison.Ordinal);
            Assert.DoesNotContain("proxy-password", failure.ToString(), StringComparison.Ordinal);
            Assert.All(proxy.Heads, head => Assert.StartsWith("CONNECT api.fal.example:443 ", head, StringComparison.Ordinal));
            Assert.All(proxy.Heads, head => Assert.DoesNotContain("secret", head, StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task A_proxy_that_says_nothing_is_named_by_the_time_out()
    {
        await using var proxy = RawServer.Start(exchange => exchange.ClientLeavesAsync());
        using FalAccount account = Through(proxy);

        Task running = account.RunAsync(FalCall.Snapshot);
        await proxy.ArrivalAsync();
        account.Clock.Advance(account.Options.AttemptTimeout);

        FalTimeoutException failure = await Assert.ThrowsAsync<FalTimeoutException>(() => running.OrHangs());
        Assert.Contains($"the proxy {proxy.BaseAddress.Authority}", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")]
    public async Task What_does_not_speak_TLS_is_named_so(string? answer)
    {
        var hello = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        Task serving = Task.Run(async () =>
        {
            using Socket socket = await listener.AcceptSocketAsync();
            byte[] buffer = new byte[4096];
            await socket.ReceiveAsync(buffer);
            if (answer is not null)
            {
                await socket.SendAsync(System.Text.Encoding.ASCII.GetBytes(answer));
            }

            hello.SetResult();
            // Until the client has gone: no connection outlives its client.
            while (await socket.ReceiveAsync(buffer) > 0)
            {
            }
        });
        Exception? failure;
        using (var account = new FalAccount(new Uri($"https://{listener.LocalEndpoint}/v1"), options => options.MaxAttempts = 1))
        {
            Task running = account.RunAsync(FalCall.Snapshot);
            await hello.Task.OrHangs();
            if (answer is null)
            {
                account.Clock.Advance(account.Options.AttemptTimeout);
            }

            failure = await Record.ExceptionAsync(() => running.OrHangs());
        }

        Assert.Equal(answer is null ? typeof(FalTimeoutException) : typeof(FalTransportException), failure?.GetType());
        Assert.Contains("TLS handshake", failure!.Message, StringComparison.Ordinal);
        try
        {
            await serving.OrHangs();
        }
        catch (SocketException)
        {
            // The client reset the connection.
        }
    }

    [Fact]
    public async Task A_loopback_address_is_called_directly_whatever_proxy_the_environment_names()
    {
        await using var proxy = RawServer.Start(RawServer.Answer(502, null, ""));

        // Without a key the program reads a simulator on loopback.
        (int exitCode, string output, string errors) = await SampleProgram.Start(
            "Quickstart", key: null, [new("http_proxy", $"{proxy.BaseAddress}"), new("no_proxy", "")]).EndAsync();

        Assert.True(exitCode == 0, errors + output);
        Assert.Empty(proxy.Heads);
    }

    [Fact]
    public async Task The_connections_of_a_users_own_handler_are_closed_with_the_client()
    {
        var closed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = RawServer.Start(async exchange =>
        {
            await RawServer.Answer(200, "text/plain", "a 1\n")(exchange);
            await exchange.ClientLeavesAsync();
            closed.SetResult();
        });
        var client = new FalObservabilityClient(
            options => (options.ApiKey, options.BaseAddress) = (FalAccount.Key, server.BaseAddress),
            fal =>
                fal.ConfigureHttpClients(http => http.ConfigurePrimaryHttpMessageHandler(() => new SocketsHttpHandler { UseProxy = false }))
        );
        await client.Metrics.GetSnapshotAsync(TestContext.Current.CancellationToken);

        client.Dispose();

        await closed.Task.OrHangs();
    }

    private static FalAccount Through(RawServer proxy) => new(
        Service,
        options => options.MaxAttempts = 1,
        fal => fal.ConfigureHttpClients(http => http.ConfigurePrimaryHttpMessageHandler(() => new SocketsHttpHandler
        {
            Proxy = new WebProxy($"http://user:proxy-password@{proxy.BaseAddress.Authority}"),
        })));
}
