using System.IO.Compression;
using System.Text;
using Fal.Observability.Client.Prometheus;
using Xunit;

namespace Fal.Observability.Client.IntegrationTests;

/// <summary>A success whose body is not what was promised is an error that says so, and never fewer data than were sent.</summary>
public sealed class BodyTests
{
    private const string Metrics =
        "# TYPE fal_app_queue_size gauge\nfal_app_queue_size{application=\"my-org/a\"} 1\nfal_app_queue_size{application=\"my-org/b\"} 2\n";

    /// <summary>An answer that each of the JSON endpoints could give.</summary>
    private const string Page = """{"next_cursor":null,"has_more":false,"time_series":[{"bucket":"2026-01-01T00:00:00Z","results":[{"endpoint_id":"my-org/a","request_count":1,"cost_total":0.5,"currency":"USD"}]}],"apps":[],"history":[]}""";

    [Theory]
    [MemberData(nameof(FalAccount.EveryCall), MemberType = typeof(FalAccount))]
    public async Task A_body_shorter_than_its_length_is_truncated(FalCall call)
    {
        byte[] body = BodyOf(call);
        await using var server = RawServer.Start(async exchange =>
        {
            await exchange.WriteAsync(RawServer.Head(200, TypeOf(call), $"Content-Length: {body.Length}"), body[..^1]);
            exchange.Close();
        });
        using var account = new FalAccount(server.BaseAddress);

        FalResponseException failure = await account.FailureOfAsync<FalResponseException>(call);

        AssertTruncated(failure, call);
        // A stream has handed out data already, so only the caller can start again.
        Assert.Equal(FalAccount.Streams(call) ? 1 : 4, server.Heads.Count);
        Assert.Equal(server.Heads.Count, failure.Attempts);
    }

    [Theory]
    [MemberData(nameof(FalAccount.EveryCall), MemberType = typeof(FalAccount))]
    public async Task A_chunked_body_without_its_last_chunk_is_truncated(FalCall call)
    {
        byte[] body = BodyOf(call);
        await using var server = RawServer.Start(async exchange =>
        {
            await exchange.WriteAsync(
                RawServer.Head(200, TypeOf(call), "Transfer-Encoding: chunked"),
                Encoding.ASCII.GetBytes($"{body.Length:x}\r\n"),
                body,
                "\r\n"u8.ToArray()
            );
            exchange.Close();
        });
        using var account = new FalAccount(server.BaseAddress, options => options.MaxAttempts = 1);

        AssertTruncated(await account.FailureOfAsync<FalResponseException>(call), call);
    }

    [Theory]
    [MemberData(nameof(FalAccount.EveryCall), MemberType = typeof(FalAccount))]
    public async Task A_gzip_body_cut_anywhere_is_truncated(FalCall call)
    {
        byte[] compressed = Gzip(BodyOf(call));
        int cut = 0;
        await using var server = RawServer.Start(exchange =>
            RawServer.Answer(200, TypeOf(call), compressed[..cut], "Content-Encoding: gzip")(exchange));
        using var account = new FalAccount(server.BaseAddress, options => options.MaxAttempts = 1);

        for (; cut < compressed.Length; cut++)
        {
            FalResponseException failure = await account.FailureOfAsync<FalResponseException>(call);
            Assert.True(failure.IsTransient, $"Cut after {cut} bytes: {failure.Message}");
            Assert.Contains("gzip", failure.Message, StringComparison.Ordinal);
        }

        // The same, whole, is read: it is the cut that fails.
        await account.RunAsync(call, TestContext.Current.CancellationToken);
    }

    [Theory]
    [MemberData(nameof(FalAccount.EveryCall), MemberType = typeof(FalAccount))]
    public async Task A_gzip_body_with_a_changed_byte_is_damaged_or_refused_and_never_other_data(FalCall call)
    {
        byte[] compressed = Gzip(BodyOf(call));
        byte[] sent = compressed;
        await using var server = RawServer.Start(exchange => RawServer.Answer(200, TypeOf(call), sent, "Content-Encoding: gzip")(exchange));
        using var account = new FalAccount(server.BaseAddress, options => options.MaxAttempts = 1);

        // After the header of ten bytes, in which flags, time and system may be anything.
        for (int i = 10; i < compressed.Length; i++)
        {
            sent = [.. compressed];
            sent[i] ^= 0x10;
            await account.FailureOfAsync<FalResponseException>(call);
        }
    }

    [Theory]
    [MemberData(nameof(FalAccount.WholeCalls), MemberType = typeof(FalAccount))]
    public async Task A_body_that_broke_off_once_is_sent_for_again(FalCall call)
    {
        byte[] body = BodyOf(call);
        byte[] compressed = Gzip(body);
        await using var server = RawServer.Start(
            async exchange =>
            {
                await exchange.WriteAsync(RawServer.Head(200, TypeOf(call), $"Content-Length: {body.Length}"), body[..(body.Length / 2)]);
                exchange.Reset();
            },
            RawServer.Answer(200, TypeOf(call), compressed[..^9], "Content-Encoding: gzip"),
            RawServer.Answer(200, TypeOf(call), compressed, "Content-Encoding: gzip"));
        using var account = new FalAccount(server.BaseAddress);

        Task running = account.RunAsync(call, TestContext.Current.CancellationToken);
        Assert.Equal(2, (await account.Clock.StepOverWaitsAsync(running, account.Options)).Count);
        await running;

        Assert.Equal(3, server.Heads.Count);
    }

    [Fact]
    public async Task A_stream_gives_every_sample_that_came_before_the_break()
    {
        await using var server = RawServer.Start(async exchange =>
        {
            await exchange.WriteAsync(RawServer.Head(200, "text/plain", "Content-Length: 9999"), Encoding.UTF8.GetBytes(Metrics));
            exchange.Close();
        });
        using var account = new FalAccount(server.BaseAddress);
        List<double> values = [];

        FalResponseException failure = await Assert.ThrowsAsync<FalResponseException>(async () =>
        {
            await foreach (PrometheusSample sample in account.Metrics.StreamSamplesAsync(TestContext.Current.CancellationToken))
            {
                values.Add(sample.Value);
            }
        });

        Assert.Equal([1, 2], values);
        Assert.True(failure.IsTransient);
        Assert.StartsWith("# TYPE", failure.BodyStart, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(FalAccount.EveryCall), MemberType = typeof(FalAccount))]
    public async Task A_body_over_the_limit_is_refused_plain_or_compressed(FalCall call)
    {
        string filling = FalAccount.ReadsText(call) ? string.Concat(Enumerable.Repeat("a 1\n", 500)) : new string(' ', 2000);
        byte[] body = [.. Encoding.UTF8.GetBytes(filling), .. BodyOf(call)];
        foreach ((byte[] sent, string[] headers) in new[] { (body, Array.Empty<string>()), (Gzip(body), ["Content-Encoding: gzip"]) })
        {
            await using var server = RawServer.Start(RawServer.Answer(200, TypeOf(call), sent, headers));
            using var small = new FalAccount(server.BaseAddress, options => options.MaxResponseBytes = body.Length - 1);
            FalResponseException failure = await small.FailureOfAsync<FalResponseException>(call);
            Assert.Contains(nameof(FalObservabilityOptions.MaxResponseBytes), failure.Message, StringComparison.Ordinal);
            Assert.False(failure.IsTransient);
            Assert.Single(server.Heads);

            using var enough = new FalAccount(server.BaseAddress, options => options.MaxResponseBytes = body.Length);
            await enough.RunAsync(call, TestContext.Current.CancellationToken);
        }
    }

    [Theory]
    [MemberData(nameof(FalAccount.EveryCall), MemberType = typeof(FalAccount))]
    public async Task A_body_without_an_end_is_left_at_the_limit(FalCall call)
    {
        var left = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = RawServer.Start(async exchange =>
        {
            await exchange.WriteAsync(RawServer.Head(200, TypeOf(call), "Connection: close"));
            try
            {
                while (true)
                {
                    await exchange.WriteAsync("# and on it goes\n");
                }
            }
            catch (IOException)
            {
                left.SetResult();
                throw;
            }
        });
        using var account = new FalAccount(server.BaseAddress, options => options.MaxResponseBytes = 100_000);

        await account.FailureOfAsync<FalResponseException>(call);

        await left.Task.OrHangs();
    }

    [Theory]
    [MemberData(nameof(FalAccount.EveryCall), MemberType = typeof(FalAccount))]
    public async Task A_web_page_with_status_200_is_named_as_such(FalCall call)
    {
        await using var server = RawServer.Start(
            RawServer.Answer(200, "text/html", "<!doctype html><title>Sign in</title>", "x-fal-request-id: req-7")
        );
        using var account = new FalAccount(server.BaseAddress);

        FalResponseException failure = await account.FailureOfAsync<FalResponseException>(call);

        Assert.Contains("web page", failure.Message, StringComparison.Ordinal);
        Assert.Equal("text/html", failure.ContentType);
        Assert.Equal("req-7", failure.RequestId);
        Assert.Equal("<!doctype html><title>Sign in</title>", failure.BodyStart);
        Assert.Equal(1, failure.Attempts);
        Assert.Single(server.Heads);
    }

    [Theory]
    [MemberData(nameof(FalAccount.EveryCall), MemberType = typeof(FalAccount))]
    public async Task Data_of_the_other_kind_are_refused(FalCall call)
    {
        (string type, string body) = FalAccount.ReadsText(call) ? ("application/json", Page) : ("text/plain", Metrics);
        await using var server = RawServer.Start(RawServer.Answer(200, type, body));
        using var account = new FalAccount(server.BaseAddress);

        FalResponseException failure = await account.FailureOfAsync<FalResponseException>(call);

        Assert.Contains("JSON", failure.Message, StringComparison.Ordinal);
        Assert.Equal(type, failure.ContentType);
        Assert.Equal(body[..Math.Min(256, body.Length)], failure.BodyStart);
        Assert.Equal(1, failure.Attempts);
        Assert.Single(server.Heads);
    }

    [Theory]
    [InlineData(FalCall.Snapshot)]
    [InlineData(FalCall.Families)]
    [InlineData(FalCall.Samples)]
    public async Task Text_that_is_no_metrics_at_all_is_never_an_empty_snapshot(FalCall call)
    {
        // A page without a content type, and with it no warning.
        await using var server = RawServer.Start(RawServer.Answer(200, null, "<html>\n<body>down for maintenance</body>\n</html>\n"));
        using var account = new FalAccount(server.BaseAddress);

        FalResponseException failure = await account.FailureOfAsync<FalResponseException>(call);

        Assert.Contains("line 1", failure.Message, StringComparison.Ordinal);
        Assert.StartsWith("<html>", failure.BodyStart, StringComparison.Ordinal);
        Assert.Equal(1, failure.Attempts);
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{")]
    [InlineData("""{"time_series":[{"bucket":"yesterday"}]}""")]
    [InlineData("""{"time_series":7}""")]
    [InlineData("{}")]
    [InlineData("""{"error":{"type":"server_error","message":"boom"}}""")]
    public async Task Json_of_another_shape_is_refused_with_its_start(string body)
    {
        await using var server = RawServer.Start(RawServer.Answer(200, "application/json", body));
        using var account = new FalAccount(server.BaseAddress);
        foreach (
            FalCall call in new[]
            {
                FalCall.Page,
                FalCall.ModelsPage,
                FalCall.TimeSeries,
                FalCall.RawServerlessAnalytics,
                FalCall.RawModelsAnalytics,
            }
        )
        {
            FalResponseException failure = await account.FailureOfAsync<FalResponseException>(call);
            Assert.Equal(body, failure.BodyStart);
            Assert.Equal(1, failure.Attempts);
            Assert.False(failure.IsTransient);
        }
    }

    [Fact]
    public async Task An_empty_body_that_nothing_declares_as_metrics_is_no_idle_account()
    {
        await using var server = RawServer.Start(RawServer.Answer(200, null, ""));
        using var account = new FalAccount(server.BaseAddress);
        foreach (FalCall call in new[] { FalCall.Snapshot, FalCall.Samples })
        {
            await account.FailureOfAsync<FalResponseException>(call);
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("""{"time_series":[]}""")]
    [InlineData("""{"next_cursor":"","has_more":false,"time_series":[],"summary":null,"invented":{"a":[1]}}""")]
    public async Task What_is_merely_new_or_missing_is_read(string body)
    {
        if (body.Length > 0)
        {
            await using var json = RawServer.Start(RawServer.Answer(200, "application/json", body));
            using var account = new FalAccount(json.BaseAddress);
            AnalyticsPage page = await account.Analytics.GetPageAsync(FalAccount.Query, TestContext.Current.CancellationToken);
            Assert.Empty(page.TimeSeries);
            Assert.Empty(page.Summary);
            Assert.False(page.HasMore);
            return;
        }

        // Nothing to report is an idle account, not a broken body.
        await using var text = RawServer.Start(RawServer.Answer(200, "text/plain", ""));
        using var idle = new FalAccount(text.BaseAddress);
        Assert.Empty((await idle.Metrics.GetSnapshotAsync(TestContext.Current.CancellationToken)).Apps);
        await idle.RunAsync(FalCall.Samples, TestContext.Current.CancellationToken);
    }

    [Theory]
    [MemberData(nameof(FalAccount.EveryCall), MemberType = typeof(FalAccount))]
    public async Task A_coding_that_was_not_asked_for_is_named(FalCall call)
    {
        await using var server = RawServer.Start(RawServer.Answer(200, TypeOf(call), BodyOf(call), "Content-Encoding: br"));
        using var account = new FalAccount(server.BaseAddress);

        FalResponseException failure = await account.FailureOfAsync<FalResponseException>(call);

        Assert.Contains("'br'", failure.Message, StringComparison.Ordinal);
        Assert.Single(server.Heads);
    }

    [Fact]
    public async Task A_coding_that_was_not_asked_for_does_not_hide_what_the_status_says()
    {
        await using var refusing = RawServer.Start(RawServer.Answer(401, "application/json", "\u0001\u0002", "Content-Encoding: br"));
        using var refused = new FalAccount(refusing.BaseAddress);
        await refused.FailureOfAsync<FalAuthenticationException>(FalCall.Page);

        await using var failing = RawServer.Start(RawServer.Answer(503, "text/html", "\u0001\u0002", "Content-Encoding: br"));
        using var account = new FalAccount(failing.BaseAddress);
        Assert.Equal(4, (await account.FailureOfAsync<FalApiException>(FalCall.Snapshot)).Attempts);
    }

    [Theory]
    [InlineData("")]
    [InlineData("gzip")]
    [InlineData("identity")]
    [InlineData("x-gzip")]
    public async Task An_error_body_is_read_in_any_coding_that_was_asked_for(string coding)
    {
        byte[] body = """{"detail":"no such key"}"""u8.ToArray();
        bool gzip = coding.EndsWith("gzip", StringComparison.Ordinal);
        string[] headers = coding.Length > 0 ? [$"Content-Encoding: {coding}"] : [];
        await using var server = RawServer.Start(RawServer.Answer(401, "application/json", gzip ? Gzip(body) : body, headers));
        using var account = new FalAccount(server.BaseAddress);

        Assert.Equal("no such key", (await account.FailureOfAsync<FalAuthenticationException>(FalCall.Page)).ServiceMessage);
    }

    [Fact]
    public async Task An_error_body_that_breaks_off_does_not_hide_what_the_status_says()
    {
        byte[] compressed = Gzip("""{"error":{"message":"Invalid API key"}}"""u8.ToArray());
        await using var server = RawServer.Start(
            async exchange =>
            {
                await exchange.WriteAsync(RawServer.Head(401, "text/plain", "Content-Length: 1000"), "Invalid"u8.ToArray());
                exchange.Close();
            },
            RawServer.Answer(401, "application/json", compressed[..^5], "Content-Encoding: gzip"));
        using var account = new FalAccount(server.BaseAddress);

        Assert.Equal("Invalid", (await account.FailureOfAsync<FalAuthenticationException>(FalCall.Page)).ServiceMessage);
        Assert.Equal(401, (int)(await account.FailureOfAsync<FalAuthenticationException>(FalCall.Samples)).StatusCode);
    }

    private static byte[] BodyOf(FalCall call) => Encoding.UTF8.GetBytes(FalAccount.ReadsText(call) ? Metrics : Page);

    private static string TypeOf(FalCall call) => FalAccount.ReadsText(call) ? "text/plain; version=0.0.4" : "application/json";

    private static byte[] Gzip(byte[] body)
    {
        using var compressed = new MemoryStream();
        using (var gzip = new GZipStream(compressed, CompressionLevel.Optimal))
        {
            gzip.Write(body);
        }

        return compressed.ToArray();
    }

    private static void AssertTruncated(FalResponseException failure, FalCall call)
    {
        Assert.Contains("truncated", failure.Message, StringComparison.Ordinal);
        Assert.True(failure.IsTransient);
        Assert.Equal(200, (int)failure.StatusCode);
        Assert.StartsWith(FalAccount.ReadsText(call) ? "# TYPE" : "{", failure.BodyStart, StringComparison.Ordinal);
    }
}
