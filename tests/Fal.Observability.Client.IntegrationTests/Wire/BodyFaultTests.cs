using System.Globalization;
using System.IO.Compression;
using System.Text;
using Fal.Observability.Client.Prometheus;
using Xunit;

namespace Fal.Observability.Client.IntegrationTests;

/// <summary>
/// Runs each fault of a response body against every operation that reads one. The operation must return all the data, or throw one of the
/// client's own exceptions, which names the fault. It must never return less data without an exception.
/// </summary>
public sealed class BodyFaultTests
{
    private const string Metrics =
        "# TYPE fal_app_queue_size gauge\nfal_app_queue_size{application=\"my-org/a\"} 1\nfal_app_queue_size{application=\"my-org/b\"} 2\n";
    private const string Page =
        """{"next_cursor":null,"has_more":false,"time_series":[{"bucket":"2026-01-01T00:00:00Z","results":[{"endpoint_id":"my-org/my-app","request_count":7}]}],"summary":[{"endpoint_id":"my-org/my-app","request_count":7}]}""";

    private const string Apps = """{"apps":[{"endpoint_id":"my-org/a"},{"endpoint_id":"my-org/b"}]}""";
    private const string Runners = """{"endpoint_id":"my-org/my-app","timeframe":"day","aggregation":"max","history":[{"timestamp":"2026-01-01T00:00:00.000Z","running":5}]}""";
    private const string Usage = """{"next_cursor":null,"has_more":false,"time_series":[{"bucket":"2026-01-01T00:00:00Z","results":[{"endpoint_id":"my-org/my-app","cost_total":11,"currency":"USD"}]}],"summary":[{"endpoint_id":"my-org/my-app","cost_total":11,"currency":"USD"}]}""";

    private static readonly UsageQuery UsageQuery = new() { Range = FalAccount.Query.Range };

    /// <summary>What each operation gives of the body that is sent; null where it hands nothing on.</summary>
    private static readonly Dictionary<string, Operation> Operations = new()
    {
        ["GetSnapshotAsync"] = new(
            Metrics,
            3,
            IsStream: false,
            async (account, cancellation) => (await account.Metrics.GetSnapshotAsync(cancellation)).Apps.Sum(app => app.QueueSize ?? 0)
        ),
        ["GetFamiliesAsync"] = new(
            Metrics,
            3,
            IsStream: false,
            async (account, cancellation) =>
                (await account.Metrics.GetFamiliesAsync(cancellation))
                    .Families.SelectMany(family => family.Samples)
                    .Sum(sample => sample.Value)
        ),
        ["StreamSamplesAsync"] = new(
            Metrics,
            3,
            IsStream: true,
            async (account, cancellation) =>
            {
                double sum = 0;
                await foreach (PrometheusSample sample in account.Metrics.StreamSamplesAsync(cancellation))
                {
                    sum += sample.Value;
                }

                return sum;
            }
        ),
        ["IFalMetricsApi"] = new(Metrics, 3, IsStream: false, (account, cancellation) => ReadRawAsync(account, false, cancellation)),
        ["IFalMetricsApi, streaming"] = new(
            Metrics,
            3,
            IsStream: true,
            (account, cancellation) => ReadRawAsync(account, true, cancellation)
        ),
        ["GetPageAsync"] = new(
            Page,
            7,
            IsStream: false,
            async (account, cancellation) => CountOf(await account.Analytics.GetPageAsync(FalAccount.Query, cancellation))
        ),
        ["GetPageAsync of models"] = new(
            Page,
            7,
            IsStream: false,
            async (account, cancellation) =>
                CountOf(await account.Analytics.GetPageAsync(FalAccount.Query with { Source = AnalyticsSource.Models }, cancellation))
        ),
        ["GetNextPageAsync"] = new(
            Page,
            7,
            IsStream: false,
            async (account, cancellation) =>
                CountOf(
                    (
                        await account.Analytics.GetNextPageAsync(
                            new AnalyticsPage { Query = FalAccount.Query, NextCursor = "2" },
                            cancellation
                        )
                    )!
                )
        ),
        ["StreamTimeSeriesAsync"] = new(
            Page,
            7,
            IsStream: false,
            async (account, cancellation) =>
            {
                double sum = 0;
                await foreach (AnalyticsBucket bucket in account.Analytics.StreamTimeSeriesAsync(FalAccount.Query, cancellation))
                {
                    sum += bucket.Rows.Sum(row => row.RequestCount ?? 0);
                }

                return sum;
            }
        ),
        ["GetReportAsync"] = new(
            Page,
            7,
            IsStream: false,
            async (account, cancellation) =>
                (await account.Analytics.GetReportAsync(FalAccount.Query, cancellation))
                    .TimeSeries.SelectMany(bucket => bucket.Rows)
                    .Sum(row => row.RequestCount ?? 0)
        ),
        ["IFalAnalyticsApi, serverless"] = new(
            Page,
            7,
            IsStream: false,
            async (account, cancellation) => CountOf(await account.AnalyticsApi.GetServerlessAnalyticsAsync(FalAccount.Query, cancellation))
        ),
        ["IFalAnalyticsApi, models"] = new(
            Page,
            7,
            IsStream: false,
            async (account, cancellation) => CountOf(await account.AnalyticsApi.GetModelsAnalyticsAsync(FalAccount.Query, cancellation))
        ),
        ["ListAsync of apps"] = new(
            Apps,
            2,
            IsStream: false,
            async (account, cancellation) => (await account.Apps.ListAsync(cancellation)).Apps.Count
        ),
        ["GetRunnerHistoryAsync"] = new(
            Runners,
            5,
            IsStream: false,
            async (account, cancellation) =>
                RunningIn(
                    await account.Apps.GetRunnerHistoryAsync(
                        "my-org/my-app",
                        FalAccount.Query.Range,
                        AnalyticsTimeframe.Day,
                        cancellationToken: cancellation
                    )
                )
        ),
        ["GetReportAsync of usage"] = new(
            Usage,
            11,
            IsStream: false,
            async (account, cancellation) => CostOf((await account.Usage.GetReportAsync(UsageQuery, cancellation)).TimeSeries)
        ),
        ["StreamTimeSeriesAsync of usage"] = new(
            Usage,
            11,
            IsStream: false,
            async (account, cancellation) =>
            {
                double sum = 0;
                await foreach (UsageBucket bucket in account.Usage.StreamTimeSeriesAsync(UsageQuery, cancellation))
                {
                    sum += CostOf([bucket]);
                }

                return sum;
            }
        ),
        ["IFalAppsApi, apps"] = new(
            Apps,
            2,
            IsStream: false,
            async (account, cancellation) => (await account.AppsApi.ListAppsAsync(cancellationToken: cancellation)).Apps.Count
        ),
        ["IFalAppsApi, runners"] = new(
            Runners,
            5,
            IsStream: false,
            async (account, cancellation) =>
                RunningIn(await account.AppsApi.GetRunnerHistoryAsync("my-org", "my-app", cancellationToken: cancellation))
        ),
        ["IFalUsageApi"] = new(
            Usage,
            11,
            IsStream: false,
            async (account, cancellation) => CostOf((await account.UsageApi.GetUsageAsync(UsageQuery, cancellation)).TimeSeries!)
        ),
    };

    /// <summary>
    /// The faults: how the answer is written, and what an operation that reads text and one that reads JSON make of it. "complete" is all
    /// the data; anything else are words of the exception's message.
    /// </summary>
    private static readonly Dictionary<string, Fault> Faults = new()
    {
        // Gzip members: RFC 1952, section 2.2.
        ["two gzip members"] = Gzipped(body => [.. Gzip(body[..40]), .. Gzip(body[40..])], "complete"),
        ["a gzip member with a name, a comment and an extra field"] = Gzipped(body => NamedMember(body), "complete"),
        ["an empty gzip member alone"] = new(Gzipped(_ => EmptyMember, "").Write, "nothing", "empty"),
        ["an empty gzip member first"] = Gzipped(body => [.. EmptyMember, .. Gzip(body)], "complete"),
        ["zeros behind the gzip trailer"] = Gzipped(body => [.. Gzip(body), .. new byte[512]], "complete"),
        ["a second gzip member without its last byte"] = Gzipped(body => [.. Gzip(body[..40]), .. Gzip(body[40..])[..^1]], "truncated"),
        ["a second gzip member cut in its header"] = Gzipped(body => [.. Gzip(body), .. Gzip(body)[..5]], "truncated"),
        ["a gzip member cut at the trailer"] = Gzipped(body => Gzip(body)[..^8], "truncated"),
        ["other data behind the gzip trailer"] = Gzipped(body => [.. Gzip(body), .. "<html>"u8], "gzip"),
        ["a gzip checksum that is wrong"] = Gzipped(body => Changed(Gzip(body), ^6), "gzip"),
        ["gzip without its label"] = new(Declared(Gzip), "gzip", "gzip"),
        ["gzip in gzip"] = Gzipped(body => Gzip(Gzip(body)), "gzip"),

        // Bodies whose end nothing proves, and bodies whose end is proven.
        ["no length, cut within a line"] = new(Closing(body => body[..^3]), "truncated", "JSON"),
        ["no length, cut in HTTP/1.0"] = new(Closing(body => body[..^3], version: "1.0"), "truncated", "JSON"),
        ["no length, whole"] = new(Closing(body => body), "complete", "complete"),
        ["no length, empty"] = new(Closing(_ => []), "truncated", "empty"),
        ["no length, reset"] = new(
            async (exchange, body, type) =>
            {
                await exchange.WriteAsync(RawServer.Head(200, type), body[..40]);
                exchange.Reset();
            }, null, null),
        ["a length, no last line feed"] = new(Declared(body => body[..^1], keepJson: true), "complete", "complete"),
        ["chunks, no last line feed"] = new(Chunked(body => body[..^1], keepJson: true), "complete", "complete"),
        ["chunks, empty"] = new(Chunked(_ => []), "nothing", "empty"),
        ["Content-Length: 0"] = new(Declared(_ => []), "nothing", "empty"),
        ["Content-Length: 0 without a type"] = new((exchange, _, _) => RawServer.Answer(200, null, [])(exchange), "content type", "empty"),
        ["Content-Length: 0 of an unknown type"] = new(
            (exchange, _, _) => RawServer.Answer(200, "application/octet-stream", [])(exchange),
            "content type",
            "empty"
        ),

        // Framing that contradicts itself: RFC 9112, section 6.3.
        ["two Content-Lengths"] = Framed(["Content-Length: {0}", "Content-Length: 40"], "Content-Length"),
        ["two Content-Lengths, the first one short"] = Framed(["Content-Length: 40", "Content-Length: {0}"], "Content-Length"),
        ["two Content-Lengths in one header"] = Framed(["Content-Length: 40, {0}"], "Content-Length"),
        ["a Content-Length that is no number"] = Framed(["Content-Length: all"], "Content-Length"),
        ["a negative Content-Length"] = Framed(["Content-Length: -1"], "Content-Length"),
        ["a Content-Length beyond 64 bits"] = Framed(["Content-Length: 99999999999999999999"], "Content-Length"),
        ["the same Content-Length twice"] = Framed(["Content-Length: {0}", "Content-Length: {0}"], "complete"),
        ["Transfer-Encoding: gzip"] = Framed(["Transfer-Encoding: gzip"], "Transfer-Encoding"),
        ["Transfer-Encoding: identity"] = Framed(["Transfer-Encoding: identity"], "Transfer-Encoding"),
        ["an unknown Transfer-Encoding and a length"] = Framed(["Transfer-Encoding: x-own", "Content-Length: {0}"], "Transfer-Encoding"),
        ["Transfer-Encoding: gzip, chunked"] = new(Chunked(Gzip, "gzip, chunked"), "Transfer-Encoding", "Transfer-Encoding"),
        ["chunks and a length"] = new(Chunked(body => body, "chunked", "Content-Length: 40"), "Content-Length", "Content-Length"),

        ["chunks without an end"] = new(
            (exchange, body, type) => exchange.WriteAsync(RawServer.Head(200, type, "Transfer-Encoding: chunked"), Chunk(body)),
            "truncated",
            "truncated"
        ),
        ["a chunk whose size is no number"] = new(
            (exchange, body, type) => exchange.WriteAsync(
                RawServer.Head(200, type, "Transfer-Encoding: chunked"), Chunk(body), "size\r\n"u8.ToArray()), "chunks", "chunks"),
        ["a chunk longer than its size"] = new(
            (exchange, body, type) =>
                exchange.WriteAsync(RawServer.Head(200, type, "Transfer-Encoding: chunked"), "5\r\n"u8.ToArray(), body, "\r\n"u8.ToArray()),
            "chunks",
            "chunks"
        ),

        // The client cannot see what follows a body of length 0: the body is therefore an account without apps.
        ["Content-Length: 0 with a body behind it"] = new(
            async (exchange, body, type) =>
            {
                await exchange.WriteAsync(RawServer.Head(200, type, "Content-Length: 0"), body);
                exchange.Close();
            }, "nothing", "empty"),

        // Only 200 is an answer.
        ["201"] = Status(201),
        ["202"] = Status(202),
        ["203"] = Status(203),
        ["204"] = new((exchange, _, type) => exchange.WriteAsync(RawServer.Head(204, type)), "only 200", "only 200"),
        ["205"] = new((exchange, _, type) => exchange.WriteAsync(RawServer.Head(205, type, "Content-Length: 0")), "only 200", "only 200"),
        ["206"] = new((exchange, body, type) => RawServer.Answer(206, type, body)(exchange), "part", "part"),
        ["202 and nothing"] = new((exchange, _, type) => RawServer.Answer(202, type, [])(exchange), "only 200", "only 200"),
    };

    public static TheoryData<string, string> EveryFaultAndOperation
    {
        get
        {
            var cells = new TheoryData<string, string>();
            foreach (string fault in Faults.Keys)
            {
                foreach (string operation in Operations.Keys)
                {
                    cells.Add(fault, operation);
                }
            }

            return cells;
        }
    }

    [Theory]
    [MemberData(nameof(EveryFaultAndOperation))]
    public async Task An_operation_gives_all_the_data_or_names_the_fault(string faultName, string operationName)
    {
        Fault fault = Faults[faultName];
        Operation operation = Operations[operationName];
        byte[] body = Encoding.UTF8.GetBytes(operation.Body);
        string type = operation.IsText ? "text/plain; version=0.0.4" : "application/json";
        await using var server = RawServer.Start(async exchange =>
        {
            await fault.Write(exchange, body, type);
            if (!exchange.IsClosed)
            {
                exchange.Close();
            }
        });
        using var account = new FalAccount(server.BaseAddress, options => options.MaxAttempts = 2);
        string? expected = operation.IsText ? fault.Text : fault.Json;

        Task<double> running = RunAsync();
        await account.Clock.StepOverWaitsAsync(running, account.Options);

        if (expected is "complete" or "nothing")
        {
            Assert.Equal(expected == "complete" ? operation.Whole : 0, await running);
            return;
        }

        Exception? failure = await Record.ExceptionAsync(() => running);
        FalObservabilityException named = Assert.IsType<FalObservabilityException>(failure, exactMatch: false);
        FalAccount.AssertNothingOfRefit(named);
        if (expected is not null)
        {
            Assert.IsType<FalResponseException>(named);
            Assert.Contains(expected, named.Message, StringComparison.Ordinal);
        }

        // A transient failure is retried if no data has been returned yet. A report makes several calls at a time.
        if (!operation.IsStream)
        {
            Assert.Equal(named.IsTransient ? 2 : 1, named.Attempts);
            Assert.True(
                server.Heads.Count == named.Attempts || operationName == "GetReportAsync",
                $"{server.Heads.Count} requests were sent."
            );
        }

        async Task<double> RunAsync() => await operation.RunAsync(account, TestContext.Current.CancellationToken);
    }

    [Theory]
    [InlineData("no length, cut within a line", true)]
    [InlineData("two Content-Lengths", true)]
    [InlineData("a second gzip member without its last byte", true)]
    [InlineData("202 and nothing", true)]
    [InlineData("zeros behind the gzip trailer", false)]
    public async Task A_watch_continues_after_such_a_body_and_counts_it(string faultName, bool fails)
    {
        byte[] body = Encoding.UTF8.GetBytes(Metrics);
        int answers = 0;
        await using var server = RawServer.Start(async exchange =>
        {
            Func<RawExchange, byte[], string, Task> write = answers++ == 1 ? Faults[faultName].Write : Declared(whole => whole);
            await write(exchange, body, "text/plain");
            exchange.Close();
        });
        using var account = new FalAccount(server.BaseAddress, options => options.MaxAttempts = 1);
        await using IAsyncEnumerator<FalMetricsSnapshot> watch = account
            .Metrics.WatchAsync(TimeSpan.FromSeconds(15), TestContext.Current.CancellationToken)
            .GetAsyncEnumerator(TestContext.Current.CancellationToken);
        Assert.True(await watch.MoveNextAsync());

        Task<bool> next = watch.MoveNextAsync().AsTask();
        account.Clock.Advance(TimeSpan.FromSeconds(15));
        if (fails)
        {
            await server.ArrivalAsync();
            await server.ArrivalAsync();
            while (account.Events(6).Count == 0)
            {
                await Task.Yield();
            }

            account.Clock.Advance(TimeSpan.FromSeconds(15));
        }

        Assert.True(await next.OrHangs());
        Assert.Equal(fails ? 1 : 0, watch.Current.FailuresSinceLast);
        Assert.Equal(3, watch.Current.Apps.Sum(app => app.QueueSize ?? 0));
    }

    private static byte[] EmptyMember => [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0];

    private static double CountOf(AnalyticsPage page) =>
        page.TimeSeries.SelectMany(bucket => bucket.Rows).Sum(row => row.RequestCount ?? 0);

    private static double RunningIn(FalRunnerHistory history) => history.Buckets.Sum(bucket => bucket.Running ?? 0);

    private static double CostOf(IReadOnlyList<UsageBucket> buckets) =>
        (double)buckets.SelectMany(bucket => bucket.Rows).Sum(row => row.Cost);

    private static async Task<double> ReadRawAsync(FalAccount account, bool streaming, CancellationToken cancellationToken)
    {
        await using Stream body = await account.MetricsApi.GetMetricsAsync(streaming, cancellationToken);
        using var reader = new StreamReader(body);
        string text = await reader.ReadToEndAsync(cancellationToken);
        return text.TrimEnd('\n') == Metrics.TrimEnd('\n') ? 3 : text.Length;
    }

    private static Fault Gzipped(Func<byte[], byte[]> compress, string outcome) =>
        new((exchange, body, type) => RawServer.Answer(200, type, compress(body), "Content-Encoding: gzip")(exchange), outcome, outcome);

    private static Fault Status(int status) =>
        new((exchange, body, type) => RawServer.Answer(status, type, body)(exchange), "only 200", "only 200");

    private static Fault Framed(string[] headers, string outcome) =>
        new(
            async (exchange, body, type) =>
            {
                string[] written = [.. headers.Select(header => string.Format(CultureInfo.InvariantCulture, header, body.Length))];
                await exchange.WriteAsync(RawServer.Head(200, type, written), body);
                exchange.Close();
            },
            outcome,
            outcome
        );

    private static Func<RawExchange, byte[], string, Task> Declared(Func<byte[], byte[]> change, bool keepJson = false) =>
        (exchange, body, type) => RawServer.Answer(200, type, keepJson && type == "application/json" ? body : change(body))(exchange);

    private static Func<RawExchange, byte[], string, Task> Closing(Func<byte[], byte[]> change, string version = "1.1") =>
        async (exchange, body, type) =>
        {
            await exchange.WriteAsync(
                Encoding.ASCII.GetBytes($"HTTP/{version} 200 OK\r\nContent-Type: {type}\r\nConnection: close\r\n\r\n"),
                change(body)
            );
            exchange.Close();
        };

    private static Func<RawExchange, byte[], string, Task> Chunked(
        Func<byte[], byte[]> change,
        string coding = "chunked",
        string? header = null,
        bool keepJson = false
    ) =>
        async (exchange, body, type) =>
        {
            byte[] sent = keepJson && type == "application/json" ? body : change(body);
            string[] headers = header is null ? [$"Transfer-Encoding: {coding}"] : [header, $"Transfer-Encoding: {coding}"];
            await exchange.WriteAsync(RawServer.Head(200, type, headers), sent.Length == 0 ? [] : Chunk(sent), "0\r\n\r\n"u8.ToArray());
            exchange.Close();
        };

    private static byte[] Chunk(byte[] bytes) => [.. Encoding.ASCII.GetBytes($"{bytes.Length:x}\r\n"), .. bytes, .. "\r\n"u8];

    /// <summary>A member with the optional fields of RFC 1952, section 2.3.1.</summary>
    private static byte[] NamedMember(byte[] body) =>
        [.. Gzip(body)[..3], 4 | 8 | 16, .. Gzip(body)[4..10], 2, 0, 0, 0, .. "metrics\0of fal\0"u8, .. Gzip(body)[10..]];

    private static byte[] Changed(byte[] bytes, Index at)
    {
        bytes[at] ^= 0x01;
        return bytes;
    }

    private static byte[] Gzip(byte[] body)
    {
        using var compressed = new MemoryStream();
        using (var gzip = new GZipStream(compressed, CompressionLevel.Optimal))
        {
            gzip.Write(body);
        }

        return compressed.ToArray();
    }

    /// <summary>One way to read an answer: the answer, the sum of all that is in it, and the sum of what the operation hands on.</summary>
    private sealed record Operation(string Body, double Whole, bool IsStream, Func<FalAccount, CancellationToken, Task<double>> RunAsync)
    {
        public bool IsText => Body == Metrics;
    }

    /// <summary>One way to send a body, and the outcome for text and for JSON: null is any exception of the client's own.</summary>
    private sealed record Fault(Func<RawExchange, byte[], string, Task> Write, string? Text, string? Json);
}
