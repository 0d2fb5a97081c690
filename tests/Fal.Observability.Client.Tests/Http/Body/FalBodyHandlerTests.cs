using System.IO.Compression;
using System.Net;
using System.Runtime.CompilerServices;
using System.Text;
using Xunit;

namespace Fal.Observability.Client.Tests;

public sealed class FalBodyHandlerTests
{
    private static readonly byte[] Text = Encoding.UTF8.GetBytes(
        string.Concat(Enumerable.Range(0, 2000).Select(i => $"fal_app_queue_size{{application=\"my/app-{i}\"}} {i}\n"))
    );

    [Fact]
    public async Task A_plain_body_arrives_as_it_was_sent()
    {
        using var pipeline = new Pipeline(ScriptedHandler.Answering(ScriptedHandler.Response(HttpStatusCode.OK, new MemoryStream(Text))));
        using HttpResponseMessage response = await pipeline.SendAsync();
        Assert.Equal(Text, await response.Content.ReadAsByteArrayAsync());
    }

    [Fact]
    public async Task A_gzip_body_arrives_decompressed_and_no_longer_claims_to_be_compressed()
    {
        using var pipeline = new Pipeline(ScriptedHandler.Answering(ScriptedHandler.Gzip(Compress(Text))));
        using HttpResponseMessage response = await pipeline.SendAsync();
        Assert.Equal(Text, await response.Content.ReadAsByteArrayAsync());
        Assert.Empty(response.Content.Headers.ContentEncoding);
        Assert.Equal("text/plain", response.Content.Headers.ContentType?.MediaType);
    }

    [Fact]
    public async Task A_gzip_body_cut_at_any_place_is_never_read_as_complete()
    {
        byte[] whole = Compress(
            Encoding.UTF8.GetBytes("fal_app_queue_size{application=\"my/app\"} 7\nfal_app_queue_size{application=\"my/other\"} 8\n")
        );
        for (int length = 0; length < whole.Length; length++)
        {
            using var pipeline = new Pipeline(ScriptedHandler.Answering(ScriptedHandler.Gzip(whole[..length])), o => o.MaxAttempts = 1);
            FalResponseException failure = await Assert.ThrowsAsync<FalResponseException>(() => pipeline.SendAsync());
            Assert.True(failure.IsTransient, $"cut at {length}");
        }
    }

    [Fact]
    public async Task A_streamed_gzip_body_that_is_cut_ends_in_an_error_and_not_in_an_end()
    {
        byte[] whole = Compress(Text);
        using var pipeline = new Pipeline(ScriptedHandler.Answering(ScriptedHandler.Gzip(whole[..(whole.Length / 2)])));
        using HttpResponseMessage response = await pipeline.SendAsync(streaming: true);
        Stream body = await response.Content.ReadAsStreamAsync();
        FalResponseException failure = await Assert.ThrowsAsync<FalResponseException>(() => body.CopyToAsync(Stream.Null));
        Assert.Contains("truncated", failure.Message, StringComparison.Ordinal);
        Assert.StartsWith("fal_app_queue_size", failure.BodyStart, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_gzip_body_with_a_damaged_byte_is_an_error()
    {
        byte[] damaged = Compress(Text);
        damaged[damaged.Length / 2] ^= 0x55;
        using var pipeline = new Pipeline(ScriptedHandler.Answering(ScriptedHandler.Gzip(damaged)), o => o.MaxAttempts = 1);
        await Assert.ThrowsAsync<FalResponseException>(() => pipeline.SendAsync());
    }

    [Fact]
    public async Task A_truncated_body_is_sent_for_again()
    {
        byte[] whole = Compress(Text);
        ScriptedHandler end = ScriptedHandler.Answering(ScriptedHandler.Gzip(whole[..^9]), ScriptedHandler.Gzip(whole));
        using var pipeline = new Pipeline(end);
        using HttpResponseMessage response = await pipeline.SendThroughWaitsAsync();
        Assert.Equal(Text, await response.Content.ReadAsByteArrayAsync());
        Assert.Equal(2, end.Sent);
    }

    [Fact]
    public async Task A_connection_that_drops_in_the_body_is_a_truncated_body_with_its_start()
    {
        using var pipeline = new Pipeline(
            ScriptedHandler.Answering(ScriptedHandler.Response(HttpStatusCode.OK, new BreakingStream(Text[..100]))),
            o => o.MaxAttempts = 1
        );
        FalResponseException failure = await Assert.ThrowsAsync<FalResponseException>(() => pipeline.SendAsync());
        Assert.Equal(HttpStatusCode.OK, failure.StatusCode);
        Assert.Equal("text/plain", failure.ContentType);
        Assert.Equal(Encoding.UTF8.GetString(Text[..100]), failure.BodyStart);
        Assert.True(failure.IsTransient);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_body_over_the_limit_after_decompression_is_refused_and_not_retried(bool gzip)
    {
        byte[] zeros = new byte[5000];
        ScriptedHandler end = ScriptedHandler.Answering(
            gzip ? ScriptedHandler.Gzip(Compress(zeros)) : ScriptedHandler.Response(HttpStatusCode.OK, new MemoryStream(zeros))
        );
        using var pipeline = new Pipeline(end, o => o.MaxResponseBytes = 4999);
        FalResponseException failure = await Assert.ThrowsAsync<FalResponseException>(() => pipeline.SendAsync());
        Assert.Contains(nameof(FalObservabilityOptions.MaxResponseBytes), failure.Message, StringComparison.Ordinal);
        Assert.Equal(1, end.Sent);
    }

    [Fact]
    public async Task A_body_of_exactly_the_limit_is_taken()
    {
        using var pipeline = new Pipeline(
            ScriptedHandler.Answering(ScriptedHandler.Response(HttpStatusCode.OK, new MemoryStream(new byte[5000]))),
            o => o.MaxResponseBytes = 5000
        );
        using HttpResponseMessage response = await pipeline.SendAsync();
        Assert.Equal(5000, (await response.Content.ReadAsByteArrayAsync()).Length);
    }

    [Fact]
    public async Task A_coding_that_was_not_asked_for_is_refused_by_name()
    {
        HttpResponseMessage response = ScriptedHandler.Response(HttpStatusCode.OK, new MemoryStream([1, 2, 3]));
        response.Content.Headers.ContentEncoding.Add("br");
        using var pipeline = new Pipeline(ScriptedHandler.Answering(response));
        FalResponseException failure = await Assert.ThrowsAsync<FalResponseException>(() => pipeline.SendAsync());
        Assert.Contains("'br'", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_web_page_with_status_200_is_an_error_that_shows_its_start(bool streaming)
    {
        using var pipeline = new Pipeline(
            ScriptedHandler.Answering(ScriptedHandler.Response(HttpStatusCode.OK, "<html><title>Sign in</title></html>", "text/html"))
        );
        FalResponseException failure = await Assert.ThrowsAsync<FalResponseException>(() => pipeline.SendAsync(streaming));
        Assert.Equal("text/html", failure.ContentType);
        Assert.Contains("Sign in", failure.BodyStart, StringComparison.Ordinal);
        Assert.Contains("web page", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_part_of_a_body_is_not_taken_for_the_whole()
    {
        ScriptedHandler end = ScriptedHandler.Answering(
            ScriptedHandler.Response(HttpStatusCode.PartialContent, "fal_app_queue_size 1\n", "text/plain")
        );
        using var pipeline = new Pipeline(end);
        FalResponseException failure = await Assert.ThrowsAsync<FalResponseException>(() => pipeline.SendAsync());
        Assert.Equal(HttpStatusCode.PartialContent, failure.StatusCode);
    }

    [Fact]
    public async Task Json_where_metrics_are_due_is_an_error()
    {
        using var pipeline = new Pipeline(ScriptedHandler.Answering(ScriptedHandler.Response(HttpStatusCode.OK, "{}")));
        await Assert.ThrowsAsync<FalResponseException>(() => pipeline.SendAsync());
    }

    [Fact]
    public async Task An_empty_body_is_an_error_where_json_is_due_and_none_where_metrics_are()
    {
        using var pipeline = new Pipeline(
            ScriptedHandler.Answering(
                ScriptedHandler.Response(HttpStatusCode.OK, "", "text/plain"),
                ScriptedHandler.Response(HttpStatusCode.OK, "", "application/json")
            )
        );
        using HttpResponseMessage metrics = await pipeline.SendAsync();
        Assert.Empty(await metrics.Content.ReadAsByteArrayAsync());
        await Assert.ThrowsAsync<FalResponseException>(() => pipeline.SendAsync(accept: "application/json"));
    }

    [Fact]
    public async Task A_body_that_stalls_runs_into_the_attempt_time_limit()
    {
        var body = new StallingStream(Text[..64]);
        using var pipeline = new Pipeline(
            ScriptedHandler.Answering(ScriptedHandler.Response(HttpStatusCode.OK, body)),
            o => o.MaxAttempts = 1
        );
        Task<HttpResponseMessage> call = pipeline.SendAsync();
        await body.Stalled.Task;
        pipeline.Time.Advance(TimeSpan.FromSeconds(31));
        FalTimeoutException failure = await Assert.ThrowsAsync<FalTimeoutException>(() => call);
        Assert.Equal(nameof(FalObservabilityOptions.AttemptTimeout), failure.Setting);
        Assert.Equal(1, failure.Attempts);
    }

    [Fact]
    public async Task A_streamed_body_that_stalls_runs_into_the_idle_limit_and_not_into_the_total_one()
    {
        var body = new StallingStream(Text[..64]);
        using var pipeline = new Pipeline(ScriptedHandler.Answering(ScriptedHandler.Response(HttpStatusCode.OK, body)));
        using HttpResponseMessage response = await pipeline.SendAsync(streaming: true);
        Stream stream = await response.Content.ReadAsStreamAsync();
        pipeline.Time.Advance(TimeSpan.FromHours(1));
        byte[] buffer = new byte[64];
        Assert.Equal(64, await stream.ReadAtLeastAsync(buffer, 64));
        pipeline.Time.Advance(TimeSpan.FromHours(1));
        Task<int> read = stream.ReadAsync(buffer).AsTask();
        await body.Stalled.Task;
        pipeline.Time.Advance(TimeSpan.FromSeconds(31));
        FalTimeoutException failure = await Assert.ThrowsAsync<FalTimeoutException>(() => read);
        Assert.Equal(nameof(FalObservabilityOptions.ReadIdleTimeout), failure.Setting);
    }

    [Theory]
    [InlineData(1, 50)]
    [InlineData(1023, 30_000)]
    public async Task A_stream_that_drips_ends_although_it_never_stalls(int bytesPerRead, int millisecondsPerRead)
    {
        (TimeSpan taken, Exception? failure) = await ReadSlowlyAsync(
            [.. Text, .. Text],
            bytesPerRead,
            TimeSpan.FromMilliseconds(millisecondsPerRead)
        );

        FalTimeoutException slow = Assert.IsType<FalTimeoutException>(failure);
        Assert.Equal(nameof(FalObservabilityOptions.ReadIdleTimeout), slow.Setting);
        Assert.Equal(TimeSpan.FromSeconds(30), slow.Timeout);
        Assert.Contains("1024", slow.Message, StringComparison.Ordinal);
        Assert.True(slow.IsTransient);
        Assert.InRange(taken, TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(60));
    }

    [Theory]
    [InlineData(1, 29)]
    [InlineData(1024, 29_999)]
    public async Task A_slow_stream_goes_on_while_it_delivers_1024_bytes_in_each_idle_timeout(int bytesPerRead, int millisecondsPerRead)
    {
        (TimeSpan taken, Exception? failure) = await ReadSlowlyAsync(Text, bytesPerRead, TimeSpan.FromMilliseconds(millisecondsPerRead));

        Assert.Null(failure);
        Assert.True(taken > TimeSpan.FromMinutes(10), $"It took {taken}.");
    }

    [Fact]
    public async Task A_short_stream_may_take_up_to_the_idle_timeout_and_the_callers_own_time_does_not_count()
    {
        var clock = new Action?[1];
        using var pipeline = new Pipeline(ScriptedHandler.Answering(ScriptedHandler.Response(
            HttpStatusCode.OK, new ObservedStream(new PiecewiseStream("a 1\nb 2\n"u8.ToArray(), 1), () => clock[0]!()))));
        clock[0] = () => pipeline.Time.Advance(TimeSpan.FromSeconds(3));
        using HttpResponseMessage response = await pipeline.SendAsync(streaming: true);
        Stream stream = await response.Content.ReadAsStreamAsync();
        byte[] one = new byte[1];
        int read = 0;
        while (await stream.ReadAsync(one) > 0)
        {
            read++;
            pipeline.Time.Advance(TimeSpan.FromHours(1));
        }

        Assert.Equal(8, read);
    }

    [Fact]
    public async Task Gzip_that_never_yields_a_byte_ends_at_the_idle_timeout()
    {
        var clock = new Action?[1];
        using var pipeline = new Pipeline(ScriptedHandler.Answering(EndlessGzip(() => clock[0]!())));
        clock[0] = () => pipeline.Time.Advance(TimeSpan.FromSeconds(1));
        using HttpResponseMessage response = await pipeline.SendAsync(streaming: true);
        Stream stream = await response.Content.ReadAsStreamAsync();

        FalTimeoutException failure = await Assert.ThrowsAsync<FalTimeoutException>(() => stream.ReadAsync(new byte[100]).AsTask());

        Assert.Equal(nameof(FalObservabilityOptions.ReadIdleTimeout), failure.Setting);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Gzip_that_never_yields_a_byte_notices_the_cancellation(bool streaming)
    {
        using var caller = new CancellationTokenSource();
        int reads = 0;
        using var pipeline = new Pipeline(ScriptedHandler.Answering(EndlessGzip(() => CancelAtTheTenth())));

        OperationCanceledException cancelled = await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            using HttpResponseMessage response = await pipeline.SendAsync(streaming, cancellationToken: caller.Token);
            Stream stream = await response.Content.ReadAsStreamAsync();
            await stream.ReadExactlyAsync(new byte[100], caller.Token);
        });

        Assert.True(caller.IsCancellationRequested);
        Assert.Equal(10, reads);

        void CancelAtTheTenth()
        {
            if (++reads == 10)
            {
                caller.Cancel();
            }
        }
    }

    [Fact]
    public async Task Gzip_that_never_yields_a_byte_notices_the_disposal()
    {
        var dispose = new Action?[1];
        using var pipeline = new Pipeline(ScriptedHandler.Answering(EndlessGzip(() => dispose[0]!())));
        using HttpResponseMessage response = await pipeline.SendAsync(streaming: true);
        Stream stream = await response.Content.ReadAsStreamAsync();
        dispose[0] = stream.Dispose;

        await Assert.ThrowsAsync<ObjectDisposedException>(() => stream.ReadAsync(new byte[100]).AsTask());
    }

    [Fact]
    public async Task A_read_that_is_pending_when_its_stream_is_disposed_says_so()
    {
        var body = new StallingStream(Text[..64]);
        using var pipeline = new Pipeline(ScriptedHandler.Answering(ScriptedHandler.Response(HttpStatusCode.OK, body)));
        using HttpResponseMessage response = await pipeline.SendAsync(streaming: true);
        Stream stream = await response.Content.ReadAsStreamAsync();
        byte[] buffer = new byte[64];
        await stream.ReadExactlyAsync(buffer);
        Task<int> read = stream.ReadAsync(buffer).AsTask();
        await body.Stalled.Task;

        await stream.DisposeAsync();

        await Assert.ThrowsAsync<ObjectDisposedException>(() => read);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => stream.ReadAsync(buffer).AsTask());
    }

    [Fact]
    public async Task A_read_that_is_pending_and_awaited_by_nobody_when_its_stream_is_disposed_reports_no_exception()
    {
        // The event is one for the whole process: only what this stream can throw counts.
        List<Exception> unobserved = [];
        void Note(object? sender, UnobservedTaskExceptionEventArgs e) =>
            unobserved.AddRange(
                e.Exception.InnerExceptions.Where(inner => inner.ToString().Contains(nameof(FalGuardedStream), StringComparison.Ordinal))
            );
        TaskScheduler.UnobservedTaskException += Note;
        try
        {
            await AbandonReadAsync();
            GC.Collect();
            GC.WaitForPendingFinalizers();
            Assert.Empty(unobserved);
        }
        finally
        {
            TaskScheduler.UnobservedTaskException -= Note;
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static async Task AbandonReadAsync()
    {
        var body = new StallingStream(Text[..64]);
        using var pipeline = new Pipeline(ScriptedHandler.Answering(ScriptedHandler.Response(HttpStatusCode.OK, body)));
        using HttpResponseMessage response = await pipeline.SendAsync(streaming: true);
        Stream stream = await response.Content.ReadAsStreamAsync();
        byte[] buffer = new byte[64];
        await stream.ReadExactlyAsync(buffer);
        Task<int> read = stream.ReadAsync(buffer).AsTask();
        await body.Stalled.Task;
        await stream.DisposeAsync();
        // Waits for its end without looking at its exception.
        await Task.WhenAny(read);
    }

    /// <summary>Reads a stream whose every read takes a time.</summary>
    private static async Task<(TimeSpan Taken, Exception? Failure)> ReadSlowlyAsync(byte[] bytes, int bytesPerRead, TimeSpan timePerRead)
    {
        var clock = new Action?[1];
        using var pipeline = new Pipeline(ScriptedHandler.Answering(ScriptedHandler.Response(
            HttpStatusCode.OK, new ObservedStream(new PiecewiseStream(bytes, bytesPerRead), () => clock[0]!()))));
        clock[0] = () => pipeline.Time.Advance(timePerRead);
        using HttpResponseMessage response = await pipeline.SendAsync(streaming: true);
        Stream stream = await response.Content.ReadAsStreamAsync();
        DateTimeOffset started = pipeline.Time.GetUtcNow();
        Exception? failure = await Record.ExceptionAsync(() => stream.CopyToAsync(Stream.Null));
        return (pipeline.Time.GetUtcNow() - started, failure);
    }

    /// <summary>A gzip body of blocks that decode to nothing, without an end.</summary>
    private static HttpResponseMessage EndlessGzip(Action onRead)
    {
        HttpResponseMessage response = ScriptedHandler.Response(HttpStatusCode.OK, new ObservedStream(new EndlessGzipStream(), onRead));
        response.Content.Headers.ContentEncoding.Add("gzip");
        return response;
    }

    [Fact]
    public async Task The_callers_cancellation_in_the_body_stays_a_cancellation()
    {
        var body = new StallingStream(Text[..64]);
        using var caller = new CancellationTokenSource();
        using var pipeline = new Pipeline(ScriptedHandler.Answering(ScriptedHandler.Response(HttpStatusCode.OK, body)));
        Task<HttpResponseMessage> call = pipeline.SendAsync(cancellationToken: caller.Token);
        await body.Stalled.Task;
        await caller.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
    }

    [Fact]
    public async Task A_cancelled_stream_says_so_with_the_callers_own_token()
    {
        var body = new StallingStream(Text[..64]);
        using var caller = new CancellationTokenSource();
        using var pipeline = new Pipeline(ScriptedHandler.Answering(ScriptedHandler.Response(HttpStatusCode.OK, body)));
        using HttpResponseMessage response = await pipeline.SendAsync(streaming: true);
        Stream stream = await response.Content.ReadAsStreamAsync();
        Task read = stream.CopyToAsync(Stream.Null, caller.Token);
        await body.Stalled.Task;
        await caller.CancelAsync();
        OperationCanceledException cancelled = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => read);
        Assert.Equal(caller.Token, cancelled.CancellationToken);
    }

    [Fact]
    public async Task A_stalled_error_page_does_not_hide_the_status()
    {
        var body = new StallingStream(Encoding.UTF8.GetBytes("no entry"));
        using var pipeline = new Pipeline(ScriptedHandler.Answering(ScriptedHandler.Response(HttpStatusCode.Unauthorized, body)));
        Task<HttpResponseMessage> call = pipeline.SendAsync();
        await body.Stalled.Task;
        pipeline.Time.Advance(TimeSpan.FromSeconds(31));
        using HttpResponseMessage response = await call;
        Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
        Assert.Equal("no entry", await response.Content.ReadAsStringAsync());
    }

    [Theory]
    [InlineData(204)]
    [InlineData(202)]
    [InlineData(203)]
    [InlineData(205)]
    [InlineData(226)]
    [InlineData(299)]
    public async Task A_success_other_than_200_is_no_account_without_apps(int status)
    {
        foreach (bool streaming in new[] { false, true })
        {
            foreach (string body in new[] { "", "fal_app_queue_size 1\n" })
            {
                ScriptedHandler end = ScriptedHandler.Answering(ScriptedHandler.Response((HttpStatusCode)status, body, "text/plain"));
                using var pipeline = new Pipeline(end);
                FalResponseException failure = await Assert.ThrowsAsync<FalResponseException>(() => pipeline.SendAsync(streaming));
                Assert.Equal(status, (int)failure.StatusCode);
                Assert.Contains("only 200", failure.Message, StringComparison.Ordinal);
                Assert.Equal(body, failure.BodyStart);
                Assert.Equal(1, end.Sent);
            }
        }
    }

    [Theory]
    [InlineData("a 1\nb 123456789\n", "text/plain", true)]
    [InlineData("a 1\nb 12345", "text/plain", false)]
    [InlineData("a 1\nb 12345", null, false)]
    [InlineData("a 1\n# EOF", "application/openmetrics-text", true)]
    [InlineData("a 1\n# EO", "application/openmetrics-text", false)]
    [InlineData("a 1 # EOF", "application/openmetrics-text", false)]
    [InlineData("# EOF", "application/openmetrics-text", true)]
    [InlineData("a 1\n# EOF", "text/plain", false)]
    [InlineData("", "text/plain", false)]
    public async Task Text_that_ends_with_its_connection_must_end_with_its_line(string text, string? type, bool isComplete)
    {
        foreach (bool streaming in new[] { false, true })
        {
            HttpResponseMessage response = ScriptedHandler.Response(
                HttpStatusCode.OK,
                new PiecewiseStream(Encoding.UTF8.GetBytes(text), 3)
            );
            response.Content.Headers.ContentType = type is null ? null : new(type);
            using var pipeline = new Pipeline(ScriptedHandler.Answering(response), o => o.MaxAttempts = 1);
            if (isComplete)
            {
                Assert.Equal(text, await ReadAsync(pipeline, streaming));
            }
            else
            {
                FalResponseException failure = await Assert.ThrowsAsync<FalResponseException>(() => ReadAsync(pipeline, streaming));
                Assert.Contains("truncated", failure.Message, StringComparison.Ordinal);
                Assert.True(failure.IsTransient);
            }
        }
    }

    [Theory]
    [InlineData("length")]
    [InlineData("chunks")]
    [InlineData("gzip")]
    [InlineData("HTTP/2")]
    public async Task Text_whose_end_is_proven_needs_no_line_feed_and_may_be_empty(string proof)
    {
        // .NET compresses nothing to nothing, which is no gzip.
        foreach (string text in proof == "gzip" ? ["a 1\nb 12345"] : new[] { "a 1\nb 12345", "" })
        {
            foreach (bool streaming in new[] { false, true })
            {
                byte[] sent = Encoding.UTF8.GetBytes(text);
                HttpResponseMessage response = ScriptedHandler.Response(
                    HttpStatusCode.OK,
                    new PiecewiseStream(proof == "gzip" ? Compress(sent) : sent, 3)
                );
                switch (proof)
                {
                    case "length":
                        response.Content.Headers.ContentLength = sent.Length;
                        break;
                    case "chunks":
                        response.Headers.TransferEncodingChunked = true;
                        break;
                    case "gzip":
                        response.Content.Headers.ContentEncoding.Add("gzip");
                        break;
                    default:
                        response.Version = HttpVersion.Version20;
                        break;
                }

                using var pipeline = new Pipeline(ScriptedHandler.Answering(response), o => o.MaxAttempts = 1);
                Assert.Equal(text, await ReadAsync(pipeline, streaming));
            }
        }
    }

    [Theory]
    [InlineData(null)]
    [InlineData("application/octet-stream")]
    [InlineData("text/css")]
    public async Task An_empty_body_is_read_only_where_it_is_declared_as_metrics(string? type)
    {
        HttpResponseMessage response = ScriptedHandler.Response(HttpStatusCode.OK, new MemoryStream());
        response.Content.Headers.ContentType = type is null ? null : new(type);
        ScriptedHandler end = ScriptedHandler.Answering(response);
        using var pipeline = new Pipeline(end);
        FalResponseException failure = await Assert.ThrowsAsync<FalResponseException>(() => pipeline.SendAsync());
        Assert.Contains("no content type", failure.Message, StringComparison.Ordinal);
        Assert.Equal(1, end.Sent);
    }

    [Theory]
    [InlineData(" ")]
    [InlineData("\n")]
    [InlineData(" \t\r\n\n")]
    public async Task White_space_alone_is_judged_like_an_empty_body(string blank)
    {
        foreach (bool streaming in new[] { false, true })
        {
            FalResponseException unproven = await Assert.ThrowsAsync<FalResponseException>(() =>
                SendAsync("text/plain", false, "*/*", streaming)
            );
            Assert.Contains("may be truncated", unproven.Message, StringComparison.Ordinal);
            Assert.True(unproven.IsTransient);
            FalResponseException undeclared = await Assert.ThrowsAsync<FalResponseException>(() => SendAsync(null, true, "*/*", streaming));
            Assert.Contains("no content type", undeclared.Message, StringComparison.Ordinal);
            Assert.Equal(blank, await SendAsync("text/plain", true, "*/*", streaming));
        }

        FalResponseException json = await Assert.ThrowsAsync<FalResponseException>(() =>
            SendAsync("application/json", true, "application/json", streaming: false));
        Assert.Contains("only white space, but JSON was requested", json.Message, StringComparison.Ordinal);

        async Task<string> SendAsync(string? type, bool isProven, string accept, bool streaming)
        {
            byte[] sent = Encoding.UTF8.GetBytes(blank);
            HttpResponseMessage response = ScriptedHandler.Response(HttpStatusCode.OK, new PiecewiseStream(sent, 1));
            response.Content.Headers.ContentType = type is null ? null : new(type);
            response.Content.Headers.ContentLength = isProven ? sent.Length : null;
            using var pipeline = new Pipeline(ScriptedHandler.Answering(response), o => o.MaxAttempts = 1);
            if (accept == "*/*")
            {
                return await ReadAsync(pipeline, streaming);
            }

            using HttpResponseMessage read = await pipeline.SendAsync(accept: accept);
            return await read.Content.ReadAsStringAsync();
        }
    }

    [Fact]
    public async Task Json_that_ends_with_its_connection_is_complete_by_its_syntax()
    {
        using var pipeline = new Pipeline(
            ScriptedHandler.Answering(
                ScriptedHandler.Response(HttpStatusCode.OK, new PiecewiseStream("{}"u8.ToArray(), 1), "application/json")
            )
        );
        using HttpResponseMessage response = await pipeline.SendAsync(accept: "application/json");
        Assert.Equal("{}", await response.Content.ReadAsStringAsync());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Gzip_data_that_nothing_declares_are_named_as_such(bool twice)
    {
        byte[] once = Compress(Text);
        foreach (bool streaming in new[] { false, true })
        {
            using var pipeline = new Pipeline(ScriptedHandler.Answering(
                twice ? ScriptedHandler.Gzip(Compress(once)) : ScriptedHandler.Response(HttpStatusCode.OK, new MemoryStream(once))));
            FalResponseException failure = await Assert.ThrowsAsync<FalResponseException>(() => ReadAsync(pipeline, streaming));
            Assert.Contains("gzip", failure.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Four_bytes_take_no_memory_for_the_length_that_was_announced()
    {
        HttpResponseMessage response = ScriptedHandler.Response(HttpStatusCode.OK, new MemoryStream("a 1\n"u8.ToArray()));
        response.Content.Headers.ContentLength = 64 * 1024 * 1024;
        using var pipeline = new Pipeline(ScriptedHandler.Answering(response));

        (Task<HttpResponseMessage> call, long allocated) = AllocatedBy(() => pipeline.SendAsync());

        using HttpResponseMessage read = await call;
        Assert.InRange(allocated, 0, 2 * 1024 * 1024);
    }

    [Fact]
    public async Task A_gzip_bomb_takes_at_most_one_and_a_half_times_the_limit()
    {
        const int Limit = 32 * 1024 * 1024;
        using var pipeline = new Pipeline(
            ScriptedHandler.Answering(ScriptedHandler.Gzip(Compress(new byte[Limit * 3]))),
            o => o.MaxResponseBytes = Limit
        );

        (Task<HttpResponseMessage> call, long allocated) = AllocatedBy(() => pipeline.SendAsync());

        await Assert.ThrowsAsync<FalResponseException>(() => call);
        // Nothing has to be collected in the meantime; a little goes to everything but the body.
        Assert.InRange(allocated, Limit, (Limit / 2 * 3) + (2 * 1024 * 1024));
    }

    [Fact]
    public async Task A_large_body_is_read_into_the_array_of_the_one_before()
    {
        byte[] large = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("fal_app_queue_size 1\n", 400_000)));
        using var pipeline = new Pipeline(
            new ScriptedHandler((_, _) => Task.FromResult(ScriptedHandler.Response(HttpStatusCode.OK, new MemoryStream(large))))
        );
        (await pipeline.SendAsync()).Dispose();

        (Task<HttpResponseMessage> call, long allocated) = AllocatedBy(() => pipeline.SendAsync());

        using HttpResponseMessage response = await call;
        Assert.Equal(large, await response.Content.ReadAsByteArrayAsync());
        Assert.InRange(allocated, 0, large.Length / 2);
    }

    /// <summary>What a call allocates. Nothing in the pipeline of a test waits, so it runs on this thread to its end.</summary>
    private static (Task<HttpResponseMessage> Call, long Allocated) AllocatedBy(Func<Task<HttpResponseMessage>> start)
    {
        long before = GC.GetAllocatedBytesForCurrentThread();
        Task<HttpResponseMessage> call = start();
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.True(call.IsCompleted, "The call went on elsewhere.");
        return (call, allocated);
    }

    private static async Task<string> ReadAsync(Pipeline pipeline, bool streaming)
    {
        using HttpResponseMessage response = await pipeline.SendAsync(streaming);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync());
        return await reader.ReadToEndAsync();
    }

    private static byte[] Compress(byte[] bytes)
    {
        using var output = new MemoryStream();
        using (var gzip = new GZipStream(output, CompressionLevel.Fastest))
        {
            gzip.Write(bytes);
        }

        return output.ToArray();
    }
}
