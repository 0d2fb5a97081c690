using System.IO.Compression;
using System.Net;
using System.Text;
using Xunit;

namespace Fal.Observability.Client.Tests;

public sealed class FalBodyHandlerTests
{
    private static readonly byte[] Text = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Range(0, 2000).Select(i => $"fal_app_queue_size{{application=\"my/app-{i}\"}} {i}\n")));

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
        byte[] whole = Compress(Encoding.UTF8.GetBytes("fal_app_queue_size{application=\"my/app\"} 7\nfal_app_queue_size{application=\"my/other\"} 8\n"));
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
            ScriptedHandler.Answering(ScriptedHandler.Response(HttpStatusCode.OK, new BreakingStream(Text[..100]))), o => o.MaxAttempts = 1);
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
        ScriptedHandler end = ScriptedHandler.Answering(gzip ? ScriptedHandler.Gzip(Compress(zeros)) : ScriptedHandler.Response(HttpStatusCode.OK, new MemoryStream(zeros)));
        using var pipeline = new Pipeline(end, o => o.MaxResponseBytes = 4999);
        FalResponseException failure = await Assert.ThrowsAsync<FalResponseException>(() => pipeline.SendAsync());
        Assert.Contains(nameof(FalObservabilityOptions.MaxResponseBytes), failure.Message, StringComparison.Ordinal);
        Assert.Equal(1, end.Sent);
    }

    [Fact]
    public async Task A_body_of_exactly_the_limit_is_taken()
    {
        using var pipeline = new Pipeline(
            ScriptedHandler.Answering(ScriptedHandler.Response(HttpStatusCode.OK, new MemoryStream(new byte[5000]))), o => o.MaxResponseBytes = 5000);
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
        using var pipeline = new Pipeline(ScriptedHandler.Answering(ScriptedHandler.Response(HttpStatusCode.OK, "<html><title>Sign in</title></html>", "text/html")));
        FalResponseException failure = await Assert.ThrowsAsync<FalResponseException>(() => pipeline.SendAsync(streaming));
        Assert.Equal("text/html", failure.ContentType);
        Assert.Contains("Sign in", failure.BodyStart, StringComparison.Ordinal);
        Assert.Contains("web page", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_part_of_a_body_is_not_taken_for_the_whole()
    {
        ScriptedHandler end = ScriptedHandler.Answering(ScriptedHandler.Response(HttpStatusCode.PartialContent, "fal_app_queue_size 1\n", "text/plain"));
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
        using var pipeline = new Pipeline(ScriptedHandler.Answering(
            ScriptedHandler.Response(HttpStatusCode.OK, "", "text/plain"), ScriptedHandler.Response(HttpStatusCode.OK, "", "application/json")));
        using HttpResponseMessage metrics = await pipeline.SendAsync();
        Assert.Empty(await metrics.Content.ReadAsByteArrayAsync());
        await Assert.ThrowsAsync<FalResponseException>(() => pipeline.SendAsync(accept: "application/json"));
    }

    [Fact]
    public async Task A_body_that_stalls_runs_into_the_attempt_time_limit()
    {
        var body = new StallingStream(Text[..64]);
        using var pipeline = new Pipeline(ScriptedHandler.Answering(ScriptedHandler.Response(HttpStatusCode.OK, body)), o => o.MaxAttempts = 1);
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
