using System.Collections.Concurrent;
using System.Collections.Specialized;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using System.Web;
using Microsoft.Extensions.DependencyInjection;

namespace Fal.Observability.Client.Benchmarks;

/// <summary>
/// Measures analytics against what the same bytes cost without the package, in the same run and round by round: one line of JSON for
/// each measurement. Times are medians over the rounds, ratios the medians of the ratios of a round.
/// </summary>
internal static class AnalyticsMeasurement
{
    private const int Buckets = 1440;
    private const int Endpoints = AnalyticsQuery.MaxEndpointIdsPerCall;
    private const int ReportEndpoints = 400;
    private const int ReportDays = 90;
    private const int CallsAtATime = 4;

    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    public static string[] Modes => ["decode", "page", "report", "stream"];

    public static void Run(string mode, int rounds)
    {
        switch (mode)
        {
            case "decode":
                Decode(rounds);
                break;
            case "page":
                PageAsync(rounds).GetAwaiter().GetResult();
                break;
            case "report":
                ReportAsync(rounds).GetAwaiter().GetResult();
                break;
            default:
                StreamAsync().GetAwaiter().GetResult();
                break;
        }
    }

    /// <summary>A page in memory: the package's reading, a bare pass over the tokens, and the serializer with plain classes.</summary>
    private static void Decode(int rounds)
    {
        var payload = new AnalyticsPayload(Buckets, Endpoints);
        byte[] page =
        [
            .. "{\"next_cursor\":null,\"has_more\":false,\"time_series\":["u8,
            .. payload.BucketsFrom(Start.UtcDateTime, TimeSpan.FromMinutes(1), Buckets, 0).Span,
            .. "]}"u8,
        ];
        var measured = new Rounds(rounds, "bare", "plain", "own_async", "product");
        for (int round = 0; measured.Next(round); round++)
        {
            measured.Add("bare", () => Tokens(page));
            measured.Add("plain", () => Plain(page));
            measured.Add("own_async", () => OwnAsync(page));
            measured.Add("product", () => JsonSerializer.Deserialize(page, AnalyticsBenchmarkJson.Default.AnalyticsPage)!);
        }

        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $$"""{"mode":"decode","bytes":{{page.Length}},"rows":{{Buckets * Endpoints}},"ms":{{measured.Milliseconds("product"):F1}},"bare_ms":{{measured.Milliseconds("bare"):F1}},"plain_ms":{{measured.Milliseconds("plain"):F1}},"to_bare":{{measured.Ratio("product", "bare"):F2}},"to_plain":{{measured.Ratio("product", "plain"):F2}},"to_own_async":{{measured.Ratio("product", "own_async"):F2}},"bytes_per_row":{{measured.Allocated("product") / (double)(Buckets * Endpoints):F1}},"plain_bytes_per_row":{{measured.Allocated("plain") / (double)(Buckets * Endpoints):F1}}}"""));

        static object Plain(byte[] page)
        {
            using var stream = new MemoryStream(page);
            return JsonSerializer.DeserializeAsync(stream, AnalyticsBenchmarkJson.Default.PlainPage).AsTask().GetAwaiter().GetResult()!;
        }

        static object OwnAsync(byte[] page)
        {
            using var stream = new MemoryStream(page);
            return JsonSerializer.DeserializeAsync(stream, AnalyticsBenchmarkJson.Default.AnalyticsPage).AsTask().GetAwaiter().GetResult()!;
        }
    }

    /// <summary>The same page by a call over loopback.</summary>
    private static async Task PageAsync(int rounds)
    {
        using AnalyticsServer server = AnalyticsServer.Start();
        var sent = new ConcurrentQueue<Uri>();
        using FalObservabilityClient fal = Client(server, sent);
        using var http = new HttpClient();
        AnalyticsQuery query = new(Ids(Endpoints))
        {
            Expand = AnalyticsExpand.AllMetrics,
            Range = AnalyticsTimeRange.Between(Start, Start.AddMinutes(Buckets)),
            Timeframe = AnalyticsTimeframe.Minute,
        };
        await fal.Analytics.GetPageAsync(query);
        Uri address = sent.Single();

        var measured = new Rounds(rounds, "bare", "plain", "product");
        for (int round = 0; measured.Next(round); round++)
        {
            await measured.AddAsync("bare", async () => Tokens(await http.GetByteArrayAsync(address)));
            await measured.AddAsync("plain", () => PlainAsync(http, address));
            await measured.AddAsync("product", async () => await fal.Analytics.GetPageAsync(query));
        }

        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $$"""{"mode":"page","rows":{{Buckets * Endpoints}},"ms":{{measured.Milliseconds("product"):F1}},"to_bare":{{measured.Ratio("product", "bare"):F2}},"to_plain":{{measured.Ratio("product", "plain"):F2}}}"""));
    }

    /// <summary>A whole report, and its calls without the package: the same addresses, as many at a time.</summary>
    private static async Task ReportAsync(int rounds)
    {
        using AnalyticsServer server = AnalyticsServer.Start();
        var sent = new ConcurrentQueue<Uri>();
        using FalObservabilityClient fal = Client(server, sent);
        using var http = new HttpClient();
        AnalyticsQuery query = new(Ids(ReportEndpoints))
        {
            Expand = AnalyticsExpand.AllMetrics,
            Range = AnalyticsTimeRange.Between(Start, Start.AddDays(ReportDays)),
            Timeframe = AnalyticsTimeframe.Hour,
        };
        await fal.Analytics.GetReportAsync(query);
        Uri[] calls = [.. sent];
        AnalyticsQuery[] queries = [.. calls.Select(call => QueryOf(call, query))];
        long bytes = 0;
        long rows = 0;

        var measured = new Rounds(rounds, "fetched", "decoded", "pages", "product");
        for (int round = 0; measured.Next(round); round++)
        {
            bytes = 0;
            await measured.AddAsync(
                "fetched",
                () => EachAsync(calls, async (call, _) => Interlocked.Add(ref bytes, await ReadAsync(http, call)))
            );
            await measured.AddAsync("decoded", () => EachAsync(calls, (call, _) => PlainAsync(http, call)));
            await measured.AddAsync("pages", () => EachAsync(queries, fal.Analytics.GetPageAsync));
            await measured.AddAsync("product", async () =>
            {
                AnalyticsReport report = await fal.Analytics.GetReportAsync(query);
                rows = report.TimeSeries.Sum(bucket => (long)bucket.Rows.Count);
                return report;
            });
        }

        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $$"""{"mode":"report","calls":{{calls.Length}},"bytes":{{bytes}},"rows":{{rows}},"ms":{{measured.Milliseconds("product"):F0}},"fetched_ms":{{measured.Milliseconds("fetched"):F0}},"decoded_ms":{{measured.Milliseconds("decoded"):F0}},"to_fetched":{{measured.Ratio("product", "fetched"):F2}},"to_decoded":{{measured.Ratio("product", "decoded"):F2}},"to_pages":{{measured.Ratio("product", "pages"):F2}}}"""));
    }

    /// <summary>The most memory that is in use while a range is streamed, and one ten times as long.</summary>
    private static async Task StreamAsync()
    {
        using AnalyticsServer server = AnalyticsServer.Start();
        using FalObservabilityClient fal = Client(server);
        // What a process comes to keep for good, such as buffers, is there before the first of the two.
        await PeakAsync(fal, 300);
        (long once, long rows) = await PeakAsync(fal, 30);
        (long tenTimes, long tenTimesRows) = await PeakAsync(fal, 300);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $$"""{"mode":"stream","rows":{{rows}},"peak_bytes":{{once}},"ten_times_rows":{{tenTimesRows}},"ten_times_peak_bytes":{{tenTimes}},"ratio":{{(double)tenTimes / once:F2}}}"""));
    }

    private static async Task<(long Peak, long Rows)> PeakAsync(FalObservabilityClient fal, int days)
    {
        AnalyticsQuery query = new(Ids(2 * Endpoints))
        {
            Expand = AnalyticsExpand.AllMetrics,
            Range = AnalyticsTimeRange.Between(Start, Start.AddDays(days)),
            Timeframe = AnalyticsTimeframe.Hour,
            Limit = 48,
        };
        long peak = 0;
        long rows = 0;
        int buckets = 0;
        await foreach (AnalyticsBucket bucket in fal.Analytics.StreamTimeSeriesAsync(query))
        {
            rows += bucket.Rows.Count;

            // What is held, not what the collector has let lie: so it is collected first.
            if (++buckets % 7 == 0)
            {
                GC.Collect();
                peak = Math.Max(peak, GC.GetTotalMemory(forceFullCollection: false));
            }
        }

        return (peak, rows);
    }

    private static FalObservabilityClient Client(AnalyticsServer server, ConcurrentQueue<Uri>? sent = null) => new(
        options =>
        {
            options.ApiKey = "bench:key";
            options.BaseAddress = server.BaseAddress;
            options.MaxConcurrentCalls = CallsAtATime;
        },
        builder => builder.ConfigureHttpClients(http =>
        {
            if (sent is not null)
            {
                http.AddHttpMessageHandler(() => new RecordingHandler(sent));
            }
        }));

    private static string[] Ids(int count) =>
        [.. Enumerable.Range(0, count).Select(i => string.Create(CultureInfo.InvariantCulture, $"bench-org/app-{i:0000}"))];

    private static long Tokens(byte[] json)
    {
        var reader = new Utf8JsonReader(json);
        long tokens = 0;
        while (reader.Read())
        {
            tokens++;
        }

        return tokens;
    }

    private static async Task<long> ReadAsync(HttpClient http, Uri address)
    {
        using HttpResponseMessage response = await http.GetAsync(address, HttpCompletionOption.ResponseHeadersRead);
        await using Stream body = await response.Content.ReadAsStreamAsync();
        byte[] buffer = new byte[64 * 1024];
        long length = 0;
        int read;
        while ((read = await body.ReadAsync(buffer)) > 0)
        {
            length += read;
        }

        return length;
    }

    private static async Task<object> PlainAsync(HttpClient http, Uri address)
    {
        using HttpResponseMessage response = await http.GetAsync(address, HttpCompletionOption.ResponseHeadersRead);
        await using Stream body = await response.Content.ReadAsStreamAsync();
        return (await JsonSerializer.DeserializeAsync(body, AnalyticsBenchmarkJson.Default.PlainPage))!;
    }

    /// <summary>The query that one call of a report has sent.</summary>
    private static AnalyticsQuery QueryOf(Uri address, AnalyticsQuery report)
    {
        NameValueCollection sent = HttpUtility.ParseQueryString(address.Query);
        return report with
        {
            EndpointIds = sent.GetValues("endpoint_id")!,
            Expand = report.Expand | (sent.GetValues("expand")!.Contains("summary") ? AnalyticsExpand.Summary : AnalyticsExpand.TimeSeries),
            Range = AnalyticsTimeRange.Between(Instant("start"), Instant("end")),
        };

        DateTimeOffset Instant(string name) => DateTimeOffset.Parse(sent[name]!, CultureInfo.InvariantCulture);
    }

    /// <summary>Does something for each call, as many at a time as a report has under way, and keeps what comes of it.</summary>
    private static async Task<object> EachAsync<TCall, TResult>(TCall[] calls, Func<TCall, CancellationToken, Task<TResult>> action)
    {
        var results = new ConcurrentQueue<TResult>();
        await Parallel.ForEachAsync(
            calls,
            new ParallelOptions { MaxDegreeOfParallelism = CallsAtATime },
            async (call, token) => results.Enqueue(await action(call, token))
        );
        return results;
    }

    /// <summary>The times of several ways to do a thing, done in turn.</summary>
    private sealed class Rounds(int rounds, params string[] names)
    {
        private const int WarmUps = 3;

        private readonly Dictionary<string, List<double>> _times = names.ToDictionary(name => name, _ => new List<double>());
        private readonly Dictionary<string, long> _allocated = [];
        private int _round;

        public bool Next(int round)
        {
            _round = round;
            return round < rounds + WarmUps;
        }

        public void Add(string name, Func<object> action) => AddAsync(name, () => Task.FromResult(action())).GetAwaiter().GetResult();

        public async Task AddAsync(string name, Func<Task<object>> action)
        {
            // Nobody pays for what another has left behind.
            GC.Collect();
            GC.WaitForPendingFinalizers();
            long allocated = GC.GetTotalAllocatedBytes(precise: true);
            long start = Stopwatch.GetTimestamp();
            object result = await action();
            double time = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
            _allocated[name] = GC.GetTotalAllocatedBytes(precise: true) - allocated;
            GC.KeepAlive(result);
            if (_round >= WarmUps)
            {
                _times[name].Add(time);
            }
        }

        public double Milliseconds(string name) => Median(_times[name]);

        public double Ratio(string name, string to) => Median(_times[name].Zip(_times[to], (time, other) => time / other));

        public long Allocated(string name) => _allocated[name];

        private static double Median(IEnumerable<double> values)
        {
            double[] sorted = [.. values.Order()];
            return sorted[sorted.Length / 2];
        }
    }

    /// <summary>Notes the addresses that the calls of the package go to.</summary>
    private sealed class RecordingHandler(ConcurrentQueue<Uri> addresses) : DelegatingHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            addresses.Enqueue(request.RequestUri!);
            return base.SendAsync(request, cancellationToken);
        }
    }
}
