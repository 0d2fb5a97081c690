using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Xunit;

namespace Fal.Observability.Client.IntegrationTests;

/// <summary>The key goes to the service and nowhere else, even if a proxy echoes it.</summary>
public sealed class SecretsTests
{
    private const string Secret = "distinctive-secret-9d8c7b6a5f4e";
    private const string Key = $"distinctive-id-1a2b3c:{Secret}";

    /// <summary>What the far side can do. Most of its answers contain the key, as those of a debugging proxy may.</summary>
    private static readonly Dictionary<string, Func<RawExchange, Task>> FarSides = new(StringComparer.Ordinal)
    {
        ["metrics"] = RawServer.Answer(200, "text/plain", "fal_app_queue_size{application=\"my-org/a\"} 1\n"),
        ["metrics with a malformed line"] = RawServer.Answer(200, "text/plain", $"a 1\nAuthorization: Key {Key}\n"),
        ["no metrics"] = RawServer.Answer(200, "text/plain", $"Authorization: Key {Key}\n"),
        ["a page"] = RawServer.Answer(
            200,
            "application/json",
            """{"time_series":[{"bucket":"2026-01-01T00:00:00Z","results":[{"endpoint_id":"a","request_count":1}]}]}"""
        ),
        ["a page that repeats its cursor"] = RawServer.Answer(200, "application/json", $$"""{"next_cursor":"{{Key}}"}"""),
        ["json that breaks off"] = RawServer.Answer(
            200,
            "application/json",
            $$$"""{"{{{Key}}}":{"a":1},"time_series":[{"bucket":"2026-01-01T00:00:00Z","{{{Secret}}}":"""
        ),
        ["json of another shape"] = RawServer.Answer(
            200,
            "application/json",
            $$"""{"time_series":[{"bucket":"2026-01-01T00:00:00Z","results":{"{{Key}}":7} }]}"""
        ),
        ["json with a bucket that is no time"] = RawServer.Answer(200, "application/json", $$"""{"time_series":[{"bucket":"{{Key}}"}]}"""),
        ["401"] = Error(401),
        ["403"] = Error(403),
        ["403 of the edge"] = RawServer.Answer(
            403,
            "text/html",
            $"<html>{Key}</html>",
            $"cf-mitigated: challenge",
            $"x-fal-request-id: {Key}"
        ),
        ["404"] = RawServer.Answer(404, "text/plain", $"no route for Key {Key}"),
        ["422"] = RawServer.Answer(
            422,
            "application/json",
            $$"""{"detail":[{"loc":["header","{{Key}}"],"msg":"bad key {{Uri.EscapeDataString(Key)}}"}]}"""
        ),
        ["429"] = RawServer.Answer(429, "text/plain", Key, $"Retry-After: {Key}"),
        ["429 without end"] = RawServer.Answer(429, "text/plain", Key, "Retry-After: 9999999"),
        ["500"] = Error(500),
        ["503"] = RawServer.Answer(503, $"text/{Secret}", $"{Secret}{Key}{Secret}"),
        ["a redirect"] = RawServer.Answer(302, null, "", $"Location: https://elsewhere.example/?key={Key}"),
        ["a web page"] = RawServer.Answer(200, "text/html", $"<html>{Key}</html>", $"x-fal-request-id: {Key}"),
        ["another coding"] = RawServer.Answer(200, "text/plain", Key, $"Content-Encoding: {Secret}"),
        ["another kind"] = RawServer.Answer(200, $"application/{Secret}", $"{{{Key}"),
        ["a body that breaks off"] = async exchange =>
        {
            await exchange.WriteAsync(
                RawServer.Head(200, "text/plain", "Content-Length: 100000"),
                Encoding.UTF8.GetBytes($"# {Key}\na 1\n")
            );
            exchange.Close();
        },
        ["metrics whose family is in two pieces"] = RawServer.Answer(
            200,
            "application/openmetrics-text; version=1.0.0",
            $$"""
            # TYPE "{{Key}}" gauge
            {"{{Key}}"} 1
            # TYPE b gauge
            b 1
            # TYPE "{{Key}}" gauge
            {"{{Key}}"} 1
            # EOF

            """.ReplaceLineEndings("\n")
        ),
        ["damaged gzip"] = RawServer.Answer(200, "text/plain", Key, "Content-Encoding: gzip"),
        ["too much"] = RawServer.Answer(200, "text/plain", string.Concat(Enumerable.Repeat($"# {Key}\n", 100))),
        ["a dropped connection"] = exchange =>
        {
            exchange.Reset();
            return Task.CompletedTask;
        },
        ["what is no HTTP"] = Saying("220 mail.example ESMTP\r\n"),
        ["the request itself"] = async exchange =>
        {
            await exchange.WriteAsync($"HTTP/1.1 200 Key {Key}\r\nKey {Key}\r\n{exchange.RequestHead}");
            exchange.Close();
        },
        ["400 in UTF-16"] = RawServer.Answer(400, "text/plain", Encoding.Unicode.GetBytes($"bad key {Key}")),
        ["metrics in UTF-16"] = RawServer.Answer(200, "text/plain", Encoding.Unicode.GetBytes($"# {Key}\n{Key} 1\n")),
        ["a broken status line"] = Saying($"Authorization: Key {Key}\r\n\r\n"),
        ["a broken header"] = Saying($"HTTP/1.1 200 OK\r\n{Key}\r\n\r\n"),
        ["a broken chunk"] = Saying($"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\na \r\n{Key}\r\n"),
        ["a broken trailer"] = Saying($"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n{Secret} {Key}\r\n\r\n"),
        ["a chunk in place of an error"] = Saying($"HTTP/1.1 500 No\r\nTransfer-Encoding: chunked\r\n\r\n{Key}\r\n"),
        ["another protocol"] = Saying($"HTTP/1.1 101 {Key}\r\nUpgrade: {Key}\r\n\r\n{Key}"),
        ["nothing"] = exchange => exchange.ClientLeavesAsync(),
    };

    /// <summary>The log events of a watch or a publisher that continues after a failed read.</summary>
    private static readonly int[] GoingOn = [6, 9, 20, 21, 25];

    /// <summary>Everything that makes calls, and how many of them at once.</summary>
    private static readonly (int Calls, Func<FalAccount, CancellationToken, Task> RunAsync)[] Callers =
    [
        .. Enum.GetValues<FalCall>()
            .Select(call => (1, new Func<FalAccount, CancellationToken, Task>((account, token) => account.RunAsync(call, token)))),
        (
            1,
            async (account, token) =>
            {
                await foreach (FalMetricsSnapshot _ in account.Metrics.WatchAsync(TimeSpan.FromDays(1), token))
                {
                    // None comes.
                }
            }
        ),
        (
            1,
            async (account, token) =>
            {
                AnalyticsQuery query = new("my-org/my-app")
                {
                    Range = AnalyticsTimeRange.Last(TimeSpan.FromHours(1)),
                    Timeframe = AnalyticsTimeframe.Hour,
                };
                await foreach (AnalyticsBucket _ in account.Analytics.WatchAsync(query, TimeSpan.FromDays(1), token))
                {
                    // None comes.
                }
            }
        ),
        (
            2,
            async (account, token) =>
            {
                FalMetricsPublisher publisher = account.Services.GetRequiredService<FalMetricsPublisher>();
                await publisher.StartAsync(token);
                await publisher.ExecuteTask!;
            }
        ),
    ];

    public static TheoryData<string> Names => [.. FarSides.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task The_key_is_in_nothing_that_a_program_can_show(string name)
    {
        using var witness = new Witness();
        foreach (FalCall call in Enum.GetValues<FalCall>())
        {
            await using var server = RawServer.Start(FarSides[name]);
            using var account = new FalAccount(
                server.BaseAddress,
                options =>
                {
                    options.ApiKey = Key;
                    options.MaxAttempts = 2;
                    options.MaxResponseBytes = 1024;
                    // Only the snapshot reads strictly. The other calls skip a malformed line.
                    options.StrictMetrics = call is FalCall.Snapshot;
                    options.AttemptTimeout = TimeSpan.FromSeconds(7);
                },
                // The factory's own loggers, which a user may want back and which write headers at Trace.
                fal => fal.ConfigureHttpClients(http => http.AddDefaultLogger()));

            Task running = account.RunAsync(call);
            if (name == "nothing")
            {
                await server.ArrivalAsync();
                account.Clock.Advance(TimeSpan.FromSeconds(7));
                await account.Clock.StepOverWaitAsync(account.Options);
                await server.ArrivalAsync();
                account.Clock.Advance(TimeSpan.FromSeconds(7));
            }

            await account.Clock.StepOverWaitsAsync(running, account.Options);
            if (await Record.ExceptionAsync(() => running) is { } failure)
            {
                Assert.IsType<FalObservabilityException>(failure, exactMatch: false);
                FalAccount.AssertNothingOfRefit(failure);
                witness.Take(failure);
            }

            witness.Take(account.Log);
            foreach (
                object thing in new object[]
                {
                    account.Options,
                    account.Metrics,
                    account.Analytics,
                    account.MetricsApi,
                    account.AnalyticsApi,
                    FalAccount.Query,
                }
            )
            {
                witness.Take(thing.ToString());
            }

            Assert.All(server.Heads, head => Assert.Contains($"Authorization: Key {Key}\r\n", head, StringComparison.Ordinal));
            Assert.NotEmpty(server.Heads);
        }

        AssertNothingOf(witness);
        // Check that the search itself works: it must find a text that should be there.
        string all = string.Join('\n', witness.Texts);
        Assert.Contains("User-Agent=", all, StringComparison.Ordinal);
        Assert.Contains("Fal.Observability.Client GET /v1/serverless/metrics", all, StringComparison.Ordinal);
        Assert.Contains(
            "Fal.Observability.Client fal.client.call.duration fal.operation=GET /v1/serverless/metrics",
            all,
            StringComparison.Ordinal
        );
        Assert.Contains("url.full=", all, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("cancellation")]
    [InlineData("the attempt's time-out")]
    [InlineData("the total time-out")]
    [InlineData("disposal")]
    public async Task A_broken_status_line_with_the_key_shows_it_nowhere_however_the_call_ends(string how)
    {
        var gate = new SemaphoreSlim(0);
        await using var server = RawServer.Start(async exchange =>
        {
            await gate.WaitAsync();
            // The second ends before the line feed: the client is left with half a line.
            string line = exchange.RequestHead.Contains("analytics", StringComparison.Ordinal)
                ? $"Key {Key}"
                : $"Authorization: Key {Key}\r\n\r\n";
            await exchange.WriteAsync(line);
            exchange.Close();
        });
        using var witness = new Witness();
        var random = new Random(20261128);
        for (int i = 0; i < 6 * Callers.Length; i++)
        {
            using var caller = new CancellationTokenSource();
            var account = new FalAccount(
                server.BaseAddress,
                options => (options.ApiKey, options.MaxAttempts) = (Key, 1),
                fal => fal.AddMetricsPublisher(options => options.AnalyticsEndpointIds.Add("my-org/my-app")));
            (int calls, Func<FalAccount, CancellationToken, Task> run) = Callers[i % Callers.Length];
            Task running = run(account, caller.Token);
            for (int call = 0; call < calls; call++)
            {
                await server.ArrivalAsync();
            }

            Action end = how switch
            {
                "cancellation" => caller.Cancel,
                "the attempt's time-out" => () => account.Clock.Advance(account.Options.AttemptTimeout),
                "the total time-out" => () => account.Clock.Advance(account.Options.TotalTimeout),
                _ => account.Dispose,
            };
            // The two race, and either may be some steps ahead.
            int ahead = random.Next(-200, 200);
            await Task.WhenAll(
                Task.Run(() =>
                {
                    Thread.SpinWait(Math.Max(ahead, 0) * 100);
                    gate.Release(calls);
                }),
                Task.Run(() =>
                {
                    Thread.SpinWait(Math.Max(-ahead, 0) * 100);
                    end();
                }));
            await EndedOrGoesOnAsync().OrHangs();
            await caller.CancelAsync();
            if (await Record.ExceptionAsync(() => running.OrHangs()) is { } failure)
            {
                witness.Take(failure);
            }

            witness.Take(account.Log);
            account.Dispose();

            async Task EndedOrGoesOnAsync()
            {
                while (!running.IsCompleted && GoingOn.Sum(id => account.Events(id).Count) < calls)
                {
                    await Task.Yield();
                }
            }
        }

        AssertNothingOf(witness);
    }

    [Theory]
    [InlineData(Secret)]
    [InlineData($":{Secret}")]
    [InlineData($"distinctive-id-1a2b3c {Secret}")]
    [InlineData($"{Key}\n")]
    [InlineData($"\"{Key}\" ")]
    [InlineData($"id:{Secret}ü")]
    [InlineData($"Key Key {Key}")]
    [InlineData($"FAL_KEY={Key}")]
    public void A_malformed_key_is_refused_without_being_shown(string key)
    {
        using var witness = new Witness();

        Exception? construction = Record.Exception(() => new FalObservabilityClient(key));
        Exception? handler = Record.Exception(() => new FalApiKeyHandler(key));
        Exception? registration = Record.Exception(() =>
        {
            using ServiceProvider provider = new ServiceCollection()
                .AddFalObservability("acme", options => options.ApiKey = key)
                .Services.BuildServiceProvider();
            return provider.GetRequiredKeyedService<IFalMetricsClient>("acme");
        });

        Assert.IsType<OptionsValidationException>(construction);
        Assert.IsType<OptionsValidationException>(registration);
        Assert.IsType<ArgumentException>(handler);
        foreach (Exception? failure in new[] { construction, handler, registration })
        {
            witness.Take(failure!);
        }

        Assert.All(witness.Texts, text => Assert.DoesNotContain(Secret, text, StringComparison.OrdinalIgnoreCase));
        Assert.Contains("ApiKey", construction.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_key_in_the_place_of_an_account_name_is_refused_without_being_shown()
    {
        ArgumentException failure = Assert.Throws<ArgumentException>(() => new ServiceCollection().AddFalObservability(Key));

        Assert.DoesNotContain(Secret, failure.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void What_holds_the_key_does_not_print_it()
    {
        var options = new FalObservabilityOptions { ApiKey = Key };
        using var client = new FalObservabilityClient(Key);
        using var handler = new FalApiKeyHandler(Key);

        Assert.DoesNotContain(Secret, System.Text.Json.JsonSerializer.Serialize(options), StringComparison.Ordinal);
        foreach (object thing in new object[] { options, client, client.Metrics, client.Analytics, handler })
        {
            Assert.DoesNotContain(Secret, thing.ToString(), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task The_key_does_not_cross_a_network_in_clear()
    {
        Assert.Throws<OptionsValidationException>(() => new FalObservabilityClient(options =>
        {
            options.ApiKey = Key;
            options.BaseAddress = new Uri("http://fal.example/v1");
        }));

        // Also where a handler of the user's sends the request somewhere else.
        using var http = new HttpMessageInvoker(new FalApiKeyHandler(Key) { InnerHandler = new SocketsHttpHandler() });
        using var request = new HttpRequestMessage(HttpMethod.Get, "http://192.0.2.1/v1");
        InvalidOperationException refused = await Assert.ThrowsAsync<InvalidOperationException>(() =>
            http.SendAsync(request, TestContext.Current.CancellationToken)
        );
        Assert.DoesNotContain(Secret, refused.ToString(), StringComparison.Ordinal);
        Assert.Null(request.Headers.Authorization);
    }

    private static Func<RawExchange, Task> Saying(string text) => async exchange =>
    {
        await exchange.WriteAsync(text);
        exchange.Close();
    };

    private static Func<RawExchange, Task> Error(int status) => RawServer.Answer(
        status,
        "application/json",
        $$$"""{"error":{"type":"{{{Secret}}}","message":"Invalid API key {{{Key}}}","docs_url":"https://docs.example/?{{{Secret}}}","request_id":"{{{Key}}}"}}""",
        $"x-fal-request-id: {Key}");

    private static void AssertNothingOf(Witness witness)
    {
        string[] leaks =
        [
            .. witness
                .Texts.Where(text =>
                    text.Replace("\0", "", StringComparison.Ordinal)
                        .Replace("\\x00", "", StringComparison.Ordinal)
                        .Contains(Secret, StringComparison.OrdinalIgnoreCase)
                    || text.Contains(Uri.EscapeDataString(Key), StringComparison.OrdinalIgnoreCase)
                    || text.Contains(Convert.ToBase64String(Encoding.UTF8.GetBytes(Key)), StringComparison.Ordinal)
                )
                .Distinct(),
        ];
        Assert.True(leaks.Length == 0, string.Join("\n--\n", leaks));
    }
}
