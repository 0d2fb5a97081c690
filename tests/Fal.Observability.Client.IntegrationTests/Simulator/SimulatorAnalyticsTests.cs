using System.Globalization;
using System.Text.Json.Nodes;
using Fal.Observability.Client.Testing;
using Xunit;

namespace Fal.Observability.Client.IntegrationTests.Simulator;

public sealed class SimulatorAnalyticsTests
{
    private static readonly string[] Percentiles =
    [
        "p50_prepare_duration", "p75_prepare_duration", "p90_prepare_duration", "p95_prepare_duration", "p99_prepare_duration",
        "p25_duration", "p50_duration", "p75_duration", "p90_duration", "p95_duration", "p99_duration",
        "p50_cold_boot_duration", "p75_cold_boot_duration", "p90_cold_boot_duration",
    ];

    private static readonly string[] Metrics =
    [
        "request_count", "success_count", "user_error_count", "error_count", "startup_error_count", "connection_error_count",
        "timeout_error_count", "runtime_error_count", "cold_boot_count", "total_billable_duration", .. Percentiles,
    ];

    private static string AllMetrics => string.Concat(Metrics.Select(metric => $"&expand={metric}"));

    [Fact]
    public async Task The_same_seed_gives_the_same_bytes_and_another_seed_others()
    {
        const string Query =
            "/serverless/analytics?endpoint_id=simulated/text-to-image-00000&start=2026-06-01&end=2026-06-03&timeframe=hour";
        await using SimulatorSession one = await SimulatorSession.StartAsync();
        await using SimulatorSession same = await SimulatorSession.StartAsync(options => options.Apps = 3);
        await using SimulatorSession other = await SimulatorSession.StartAsync(options => options.Seed = 2);

        // The cursors are those of the same query; the request ids are in headers.
        Assert.Equal(await one.GetTextAsync(Query), await same.GetTextAsync(Query));
        Assert.NotEqual(await one.GetTextAsync(Query), await other.GetTextAsync(Query));
    }

    [Theory]
    [InlineData(LimitCounts.Buckets, BucketOrder.Ascending)]
    [InlineData(LimitCounts.Buckets, BucketOrder.Descending)]
    [InlineData(LimitCounts.Rows, BucketOrder.Ascending)]
    [InlineData(LimitCounts.Rows, BucketOrder.Descending)]
    public async Task The_pages_together_are_the_truth(LimitCounts counts, BucketOrder order)
    {
        await using SimulatorSession session = await SimulatorSession.StartAsync(options =>
        {
            options.LimitCounts = counts;
            options.BucketOrder = order;
        });
        string ids = string.Join('&', session.Server.Apps.Select(app => $"endpoint_id={app}"));
        const string Range = "&start=2026-06-13T05:00:00Z&end=2026-06-14T05:00:00Z&timezone=Asia/Kolkata&timeframe=hour";
        string query = $"{ids}&expand=time_series{AllMetrics}{Range}";
        JsonArray truth = JsonNode.Parse(session.Server.Truth.Analytics(query).ToJson())!["time_series"]!.AsArray();

        foreach (int limit in new[] { 1, 7, 24, 25, 100 })
        {
            List<JsonNode> pages = await session.GetAllPagesAsync($"{query}&limit={limit}");
            List<(string Bucket, List<string> Rows)> seen = Merge(pages, out bool split);
            if (order == BucketOrder.Descending)
            {
                seen.Reverse();
            }

            Assert.Equal(truth.Select(bucket => (string)bucket!["bucket"]!), seen.Select(bucket => bucket.Bucket));
            Assert.Equal(
                truth.Select(bucket => bucket!["results"]!.AsArray().Select(row => row!.ToJsonString())),
                seen.Select(bucket => bucket.Rows));
            Assert.Equal(counts == LimitCounts.Rows, split);
            int largest = pages.Max(page =>
                page["time_series"]!.AsArray().Sum(bucket => counts == LimitCounts.Rows ? Math.Max(1, Rows(bucket).Count) : 1));
            Assert.Equal(Math.Min(limit, counts == LimitCounts.Rows ? int.MaxValue : truth.Count), largest);
        }

        // A bucket that continues at the top of the next page is one bucket.
        static List<(string Bucket, List<string> Rows)> Merge(List<JsonNode> pages, out bool split)
        {
            split = false;
            var merged = new List<(string Bucket, List<string> Rows)>();
            foreach (JsonNode? bucket in pages.SelectMany(page => page["time_series"]!.AsArray()))
            {
                string start = (string)bucket!["bucket"]!;
                IEnumerable<string> rows = Rows(bucket).Select(row => row!.ToJsonString());
                if (merged.Count > 0 && merged[^1].Bucket == start)
                {
                    split = true;
                    merged[^1].Rows.AddRange(rows);
                }
                else
                {
                    merged.Add((start, [.. rows]));
                }
            }
            return merged;
        }

        static JsonArray Rows(JsonNode? bucket) => bucket!["results"]!.AsArray();
    }

    [Fact]
    public async Task Windows_in_any_order_add_up_to_the_whole_range()
    {
        await using SimulatorSession session = await SimulatorSession.StartAsync();
        DateTimeOffset start = new(2026, 5, 1, 0, 0, 0, TimeSpan.Zero);
        var request = new AnalyticsRequest
        {
            EndpointIds = session.Server.Apps,
            Metrics = Metrics,
            Time = new RequestedTime(start, start.AddHours(48), BucketLength.Hour),
        };
        AnalyticsAnswer whole = session.Server.Truth.Analytics(request);

        int[] cuts = [0, 5, 6, 17, 40, 48];
        IEnumerable<AnalyticsAnswerBucket> windows = Enumerable.Range(0, cuts.Length - 1)
            .Reverse()
            .Select(i => session.Server.Truth.Analytics(request with
            {
                Time = new RequestedTime(start.AddHours(cuts[i]), start.AddHours(cuts[i + 1]), BucketLength.Hour),
            }))
            .Reverse()
            .SelectMany(window => window.TimeSeries!);

        Assert.Equal(whole.ToJson(), new AnalyticsAnswer([.. windows], null, null).ToJson());
    }

    [Fact]
    public async Task Rows_are_consistent_in_themselves()
    {
        await using SimulatorSession session = await SimulatorSession.StartAsync(options => options.Apps = 24);
        AnalyticsAnswer answer = session.Server.Truth.Analytics(new AnalyticsRequest
        {
            EndpointIds = session.Server.Apps,
            Metrics = Metrics,
            Summary = true,
            Time = new RequestedTime(
                new DateTimeOffset(2026, 5, 1, 0, 0, 0, TimeSpan.Zero),
                new DateTimeOffset(2026, 5, 31, 0, 0, 0, TimeSpan.Zero),
                BucketLength.Hour),
        });
        List<AnalyticsAnswerRow> rows = [.. answer.TimeSeries!.SelectMany(bucket => bucket.Rows), .. answer.Summary!];

        foreach (AnalyticsAnswerRow row in rows)
        {
            double requests = row.GetValue("request_count")!.Value;
            Assert.Equal(requests, row.GetValue("success_count") + row.GetValue("user_error_count") + row.GetValue("error_count"));
            Assert.Equal(
                row.GetValue("error_count"),
                row.GetValue("startup_error_count") + row.GetValue("connection_error_count")
                    + row.GetValue("timeout_error_count") + row.GetValue("runtime_error_count"));
            Assert.InRange(row.GetValue("cold_boot_count")!.Value, 0, requests);
            Assert.Equal(row.GetValue("cold_boot_count") == 0, row.GetValue("p50_cold_boot_duration") is null);
            if (row.GetValue("p50_cold_boot_duration") is { } coldBoot)
            {
                Assert.InRange(coldBoot, 1, 600);
            }

            foreach (IGrouping<string, string> family in Percentiles.GroupBy(name => name["p50".Length..]))
            {
                double?[] values = [.. family.Select(row.GetValue)];
                Assert.Equal(values.Order(), values);
            }
        }

        foreach (AnalyticsAnswerRow total in answer.Summary!)
        {
            List<AnalyticsAnswerRow> parts =
                [.. answer.TimeSeries!.SelectMany(bucket => bucket.Rows).Where(row => row.EndpointId == total.EndpointId)];
            Assert.Equal(total.GetValue("request_count"), parts.Sum(row => row.GetValue("request_count")));
            Assert.Equal(total.GetValue("total_billable_duration")!.Value,
                parts.Sum(row => row.GetValue("total_billable_duration"))!.Value, 6);
        }

        // Everything that a client must be able to bear does occur.
        Assert.Contains(rows, row => row.GetValue("request_count") == 0 && row.GetValue("p50_duration") is null);
        Assert.Contains(rows, row => row.GetValue("error_count") > 0.1 * row.GetValue("request_count")
            && row.GetValue("request_count") > 100);
        Assert.Contains(rows, row => row.GetValue("cold_boot_count") > 0);
        Assert.Contains(answer.Summary!, row => row.EndpointId.EndsWith("/turbo", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_quiet_bucket_has_no_rows_and_the_future_is_quiet()
    {
        await using SimulatorSession session = await SimulatorSession.StartAsync();

        JsonNode future = await session.GetAnalyticsAsync(
            "endpoint_id=simulated/text-to-image-00000&start=2026-06-17T12:30:00Z&end=2026-06-17T12:40:00Z");

        Assert.Equal(
            [1, 1, 1, 1, 0, 0, 0, 0, 0, 0],
            future["time_series"]!.AsArray().Select(bucket =>
                bucket!["results"]!.AsArray().Count(row => (string?)row!["endpoint_id"] == "simulated/text-to-image-00000")));
    }

    [Fact]
    public async Task A_lag_hides_the_newest_minutes_until_it_has_passed()
    {
        const string Query = "endpoint_id=simulated/text-to-image-00000&expand=summary&expand=request_count"
            + "&start=2026-06-17T12:00:00Z&end=2026-06-17T12:30:00Z&timeframe=minute";
        await using SimulatorSession prompt = await SimulatorSession.StartAsync();
        await using SimulatorSession lagging =
            await SimulatorSession.StartAsync(options => options.AnalyticsLag = TimeSpan.FromMinutes(20));

        Assert.NotEqual((await prompt.GetAnalyticsAsync(Query)).ToJsonString(), (await lagging.GetAnalyticsAsync(Query)).ToJsonString());
        lagging.Clock.Advance(TimeSpan.FromMinutes(20));
        Assert.Equal((await prompt.GetAnalyticsAsync(Query)).ToJsonString(), (await lagging.GetAnalyticsAsync(Query)).ToJsonString());
    }

    [Fact]
    public async Task An_app_covers_its_routes_and_a_route_is_itself_alone()
    {
        await using SimulatorSession session = await SimulatorSession.StartAsync();
        string app = session.Server.Apps[0];

        Assert.Equal([app, $"{app}/turbo", $"{app}/batch"], await IdsOf($"endpoint_id={app}"));
        Assert.Equal([$"{app}/turbo"], await IdsOf($"endpoint_id={app}/turbo"));
        Assert.Equal([$"{app}/turbo", app, $"{app}/batch"], await IdsOf($"endpoint_id={app}/turbo,{app}&endpoint_id={app}"));

        async Task<IEnumerable<string?>> IdsOf(string ids) =>
            (await session.GetAnalyticsAsync($"{ids}&expand=summary&expand=request_count"))["summary"]!.AsArray()
                .Select(row => (string?)row!["endpoint_id"]);
    }

    [Theory]
    [InlineData(119, "minute")]
    [InlineData(120, "hour")]
    [InlineData((2 * 24 * 60) - 1, "hour")]
    [InlineData(2 * 24 * 60, "day")]
    [InlineData((64 * 24 * 60) - 1, "day")]
    [InlineData(64 * 24 * 60, "week")]
    [InlineData((183 * 24 * 60) - 1, "week")]
    [InlineData(183 * 24 * 60, "month")]
    public async Task Without_a_timeframe_the_length_of_the_range_decides(int minutes, string timeframe)
    {
        await using SimulatorSession session = await SimulatorSession.StartAsync(options => options.PageSize = 200);
        string end = new DateTime(2025, 6, 4).AddMinutes(minutes).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
        string query = $"endpoint_id=simulated/text-to-image-00000&start=2025-06-04T00:00:00Z&end={end}";

        JsonNode automatic = await session.GetAnalyticsAsync(query);
        JsonNode named = await session.GetAnalyticsAsync($"{query}&timeframe={timeframe}");

        Assert.Equal(named["time_series"]!.ToJsonString(), automatic["time_series"]!.ToJsonString());
        Assert.True(automatic["time_series"]!.AsArray().Count > 1);
    }

    [Fact]
    public async Task Switches_choose_where_the_contract_is_silent()
    {
        const string Query = "endpoint_id=simulated/text-to-image-00000&expand=time_series&expand=summary"
            + "&expand=request_count&expand=p50_cold_boot_duration"
            + "&start=2026-06-01&end=2026-06-02&timezone=America/New_York&timeframe=hour&limit=12";
        await using SimulatorSession plain = await SimulatorSession.StartAsync();
        await using SimulatorSession other = await SimulatorSession.StartAsync(options =>
        {
            options.SummaryOn = SummaryOn.FirstPage;
            options.MissingMetrics = MissingMetrics.Absent;
            options.BucketOffset = BucketOffset.Utc;
        });
        await using SimulatorSession bare = await SimulatorSession.StartAsync(options => options.BucketOffset = BucketOffset.None);

        List<JsonNode> plainPages = await plain.GetAllPagesAsync(Query);
        List<JsonNode> otherPages = await other.GetAllPagesAsync(Query);

        Assert.Equal([true, true], plainPages.Select(page => page.AsObject().ContainsKey("summary")));
        Assert.Equal([true, false], otherPages.Select(page => page.AsObject().ContainsKey("summary")));
        Assert.Contains(plainPages, page => page.ToJsonString().Contains("\"p50_cold_boot_duration\":null", StringComparison.Ordinal));
        Assert.DoesNotContain(otherPages, page => page.ToJsonString().Contains("null}", StringComparison.Ordinal));
        Assert.Equal("2026-06-01T00:00:00-04:00", (string?)plainPages[0]["time_series"]![0]!["bucket"]);
        Assert.Equal("2026-06-01T04:00:00Z", (string?)otherPages[0]["time_series"]![0]!["bucket"]);
        Assert.Equal("2026-06-01T00:00:00", (string?)(await bare.GetAnalyticsAsync(Query))["time_series"]![0]!["bucket"]);
    }

    [Fact]
    public async Task The_models_route_knows_models_of_others_too()
    {
        await using SimulatorSession session = await SimulatorSession.StartAsync();

        const string Query = "endpoint_id=fal-ai/flux/dev&endpoint_id=simulated/text-to-image-00000&expand=summary&expand=request_count";
        JsonNode answer = JsonNode.Parse(await session.GetTextAsync($"/models/analytics?{Query}"))!;

        Assert.Equal("fal-ai/flux/dev", (string?)answer["summary"]![0]!["endpoint_id"]);
        Assert.True((long)answer["summary"]![0]!["request_count"]! > 0);
    }
}
