using System.Collections.Concurrent;
using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Polly;
using Polly.Retry;
using Xunit;

namespace Fal.Observability.Client.IntegrationTests;

/// <summary>What a user can put into the pipeline, and what the rest of their program puts there without meaning to.</summary>
public sealed class HttpClientConfigurationTests
{
    [Fact]
    public async Task A_handler_of_the_users_sees_every_attempt_of_both_clients_and_never_the_key()
    {
        using var api = new WireMockApi(new MockResponse(503), MockResponse.Metrics(), new MockResponse(503), MockResponse.Page());
        var seen = new ConcurrentQueue<HttpRequestMessage>();
        using var account = new FalAccount(
            api.BaseAddress,
            build: fal => fal.ConfigureHttpClients(http => http.AddHttpMessageHandler(() => new Observer(seen)))
        );

        foreach (FalCall call in new[] { FalCall.Snapshot, FalCall.Page })
        {
            Task running = account.RunAsync(call);
            await account.Clock.StepOverWaitsAsync(running, account.Options);
            await running;
        }

        Assert.Equal(
            ["/v1/serverless/metrics", "/v1/serverless/metrics", "/v1/serverless/analytics", "/v1/serverless/analytics"],
            seen.Select(request => request.RequestUri!.AbsolutePath));
        Assert.All(seen, request => Assert.Null(request.Headers.Authorization));
        Assert.All(api.Requests, request => Assert.Equal($"Key {FalAccount.Key}", Assert.Single(request.Headers!["Authorization"])));
        Assert.All(api.Requests, request => Assert.Equal("seen", Assert.Single(request.Headers!["x-observer"])));
    }

    [Fact]
    public async Task A_primary_handler_of_the_users_is_used_and_still_gets_the_key()
    {
        var sockets = new ConcurrentBag<string>();
        await using var server = RawServer.Start(
            RawServer.Answer(200, "text/plain", "a 1\n"),
            RawServer.Answer(200, "application/json", """{"time_series":[]}""")
        );
        using var account = new FalAccount(
            server.BaseAddress,
            build: fal =>
                fal.ConfigureHttpClients(http =>
                    http.ConfigurePrimaryHttpMessageHandler(() =>
                        new SocketsHttpHandler
                        {
                            ConnectCallback = async (context, cancellationToken) =>
                            {
                                sockets.Add(context.DnsEndPoint.Host);
                                var socket = new System.Net.Sockets.Socket(
                                    System.Net.Sockets.SocketType.Stream,
                                    System.Net.Sockets.ProtocolType.Tcp
                                );
                                await socket.ConnectAsync(context.DnsEndPoint, cancellationToken);
                                return new System.Net.Sockets.NetworkStream(socket, ownsSocket: true);
                            },
                        }
                    )
                )
        );

        await account.RunAsync(FalCall.Snapshot, TestContext.Current.CancellationToken);
        await account.RunAsync(FalCall.Page, TestContext.Current.CancellationToken);

        Assert.Equal(["127.0.0.1", "127.0.0.1"], sockets);
        Assert.All(server.Heads, head => Assert.Contains($"Authorization: Key {FalAccount.Key}\r\n", head, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Defaults_for_every_http_client_of_the_program_do_not_break_ours()
    {
        await using var elsewhere = RawServer.Start(RawServer.Answer(200, "text/plain", "a 1\n"));
        await using var server = RawServer.Start(
            RawServer.Answer(302, null, "", $"Location: {elsewhere.BaseAddress}"),
            RawServer.Answer(200, "text/plain", "a 1\n"),
            async exchange =>
            {
                await exchange.WriteAsync(RawServer.Head(200, "text/plain", "Content-Length: 8"), "a 1\n"u8.ToArray());
                await exchange.WriteAsync("b 2\n");
            }
        );
        using var account = new FalAccount(
            server.BaseAddress,
            build: fal =>
                fal.Services.ConfigureHttpClientDefaults(http =>
                    http.ConfigureHttpClient(client =>
                        {
                            client.BaseAddress = elsewhere.BaseAddress;
                            client.Timeout = TimeSpan.FromTicks(1);
                            client.DefaultRequestHeaders.Authorization = new("Bearer", "of-another-service");
                            client.DefaultRequestHeaders.Accept.ParseAdd("text/html");
                            client.DefaultRequestHeaders.UserAgent.ParseAdd("their-program/1.0");
                        })
                        .ConfigurePrimaryHttpMessageHandler(() =>
                            new HttpClientHandler { AllowAutoRedirect = true, AutomaticDecompression = DecompressionMethods.All }
                        )
                        .SetHandlerLifetime(TimeSpan.FromSeconds(1))
                        .AddDefaultLogger()
                )
        );

        await account.FailureOfAsync<FalApiException>(FalCall.Snapshot);
        await account.RunAsync(FalCall.Snapshot, TestContext.Current.CancellationToken);
        await account.RunAsync(FalCall.Samples, TestContext.Current.CancellationToken);

        Assert.Empty(elsewhere.Heads);
        Assert.Equal(3, server.Heads.Count);
        Assert.All(
            server.Heads,
            head =>
            {
                Assert.Contains($"\r\nAuthorization: Key {FalAccount.Key}\r\n", head, StringComparison.Ordinal);
                Assert.Contains("\r\nAccept: text/plain\r\n", head, StringComparison.Ordinal);
                Assert.Contains("\r\nAccept-Encoding: gzip\r\n", head, StringComparison.Ordinal);
                Assert.Contains("\r\nUser-Agent: their-program/1.0 Fal.Observability.Client/", head, StringComparison.Ordinal);
            }
        );
        Assert.DoesNotContain(
            account.Log.GetSnapshot(),
            record => record.Category!.StartsWith("System.Net.Http", StringComparison.Ordinal)
        );
    }

    [Theory]
    [MemberData(nameof(FalAccount.EveryCall), MemberType = typeof(FalAccount))]
    public async Task A_pipeline_of_the_users_takes_the_place_of_ours(FalCall call)
    {
        // Retries what ours does not, and not what ours does.
        ResiliencePipeline<HttpResponseMessage> pipeline = new ResiliencePipelineBuilder<HttpResponseMessage>()
            .AddRetry(
                new RetryStrategyOptions<HttpResponseMessage>
                {
                    ShouldHandle = args =>
                        ValueTask.FromResult(
                            args.Outcome.Result?.StatusCode == HttpStatusCode.NotFound || args.Outcome.Exception is FalTransportException
                        ),
                    MaxRetryAttempts = 5,
                    Delay = TimeSpan.Zero,
                }
            )
            .Build();
        await using var server = RawServer.Start(
            RawServer.Answer(404, null, ""),
            exchange =>
            {
                exchange.Reset();
                return Task.CompletedTask;
            },
            RawServer.Answer(503, null, ""));
        using var account = new FalAccount(server.BaseAddress, options => options.UseResiliencePipeline(pipeline));

        FalApiException failure = await account.FailureOfAsync<FalApiException>(call);

        Assert.Equal(HttpStatusCode.ServiceUnavailable, failure.StatusCode);
        Assert.Equal(3, failure.Attempts);
        Assert.Equal(3, server.Heads.Count);
        Assert.Empty(account.Events(2));
    }

    [Fact]
    public async Task An_empty_pipeline_switches_retries_off_and_the_time_limits_hold()
    {
        await using var server = RawServer.Start(RawServer.Answer(503, null, ""), exchange => exchange.ClientLeavesAsync());
        using var account = new FalAccount(
            server.BaseAddress,
            options => options.UseResiliencePipeline(ResiliencePipeline<HttpResponseMessage>.Empty)
        );

        Assert.Equal(1, (await account.FailureOfAsync<FalApiException>(FalCall.Snapshot)).Attempts);

        await server.ArrivalAsync();
        Task hanging = account.RunAsync(FalCall.Snapshot);
        await server.ArrivalAsync();
        account.Clock.Advance(account.Options.AttemptTimeout);
        Assert.Equal(
            nameof(FalObservabilityOptions.AttemptTimeout),
            (await Assert.ThrowsAsync<FalTimeoutException>(() => hanging.OrHangs())).Setting
        );
    }

    [Fact]
    public async Task A_handler_of_the_users_that_fails_is_heard_as_it_is()
    {
        await using var server = RawServer.Start(RawServer.Answer(200, "text/plain", "a 1\n"));
        using var account = new FalAccount(
            server.BaseAddress,
            build: fal => fal.ConfigureHttpClients(http => http.AddHttpMessageHandler(() => new Failing()))
        );
        foreach (FalCall call in Enum.GetValues<FalCall>())
        {
            Assert.Equal("of the user's own", Assert.IsType<NotSupportedException>(await account.FailureOfAsync(call)).Message);
        }

        Assert.Empty(server.Heads);
    }

    private sealed class Observer(ConcurrentQueue<HttpRequestMessage> seen) : DelegatingHandler
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            Assert.Null(request.Headers.Authorization);
            seen.Enqueue(request);
            request.Headers.Remove("x-observer");
            request.Headers.Add("x-observer", "seen");
            HttpResponseMessage response = await base.SendAsync(request, cancellationToken);
            Assert.Null(response.RequestMessage?.Headers.Authorization);
            return response;
        }
    }

    private sealed class Failing : DelegatingHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            throw new NotSupportedException("of the user's own");
    }
}
