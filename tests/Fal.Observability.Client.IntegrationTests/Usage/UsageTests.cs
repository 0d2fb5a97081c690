using System.Globalization;
using System.Text;
using Xunit;

namespace Fal.Observability.Client.IntegrationTests;

public sealed class UsageTests
{
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private static readonly UsageQuery Query = new()
    {
        Range = AnalyticsTimeRange.Between(Start, Start.AddDays(7)),
        Timeframe = AnalyticsTimeframe.Day
    };

    [Fact]
    public async Task Money_is_exact_to_the_last_digit_over_ten_thousand_rows_in_pages()
    {
        for (int seed = 1; seed <= 5; seed++)
        {
            var dice = new Random(seed);
            List<(int Day, string App, string Machine, decimal Cost, decimal Quantity, string Currency)> rows =
            [
                .. Enumerable.Range(0, 10_000).Select(i => (
                    i * 7 / 10_000,
                    $"app-{dice.Next(40)}",
                    $"M{i}",
                    new decimal(dice.Next(), dice.Next(), 0, false, (byte)dice.Next(8, 20)),
                    new decimal(dice.Next(), dice.Next(0, 1000), 0, false, (byte)dice.Next(0, 7)),
                    dice.Next(4) == 0 ? "EUR" : "USD")),
            ];
            string[] pages = [.. rows.Chunk(1250).Select((chunk, page) => Page(
                page == 7 ? null : $"p{page + 2}",
                chunk.GroupBy(row => row.Day).Select(day =>
                    (day.Key, day.Select(row => Row(row.App, row.Machine, row.Cost, row.Quantity, row.Currency))))))];
            using var api = new WireMockApi(number => MockResponse.Json(200, pages[number - 1]));
            using var account = new FalAccount(api.BaseAddress);

            UsageReport report = await account.Usage.GetReportAsync(Query, TestContext.Current.CancellationToken);

            Assert.Equal(8, api.Requests.Count);
            Assert.Equal(10_000, report.TimeSeries.Sum(bucket => bucket.Rows.Count));
            foreach (UsageTotals total in report.Totals)
            {
                Assert.Equal(rows.Where(row => row.Currency == total.Currency).Sum(row => row.Cost), total.Cost);
                Assert.Equal(rows.Where(row => row.Currency == total.Currency).Sum(row => row.Quantity), total.MachineSeconds);
            }

            Assert.Equal(
                rows.GroupBy(row => (row.App, row.Currency)).ToDictionary(same => same.Key, same => same.Sum(row => row.Cost)),
                report.ByApp().ToDictionary(total => (total.App!, total.Currency), total => total.Cost));
            Assert.Equal(
                rows.GroupBy(row => (row.Day, row.Currency)).ToDictionary(same => same.Key, same => same.Sum(row => row.Cost)),
                report.ByDay().ToDictionary(total => (total.Day!.Value.Day - 1, total.Currency), total => total.Cost));
        }
    }

    [Theory]
    [InlineData("same", 2)]
    [InlineData("a,b,same,c,same", 5)]
    public async Task A_cursor_that_comes_back_ends_report_and_stream(string cursors, int requests)
    {
        string[] sequence = cursors.Split(',');
        foreach (FalCall call in new[] { FalCall.UsageReport, FalCall.UsageTimeSeries })
        {
            using var api = new WireMockApi(number => MockResponse.Page(sequence[(number - 1) % sequence.Length]));
            using var account = new FalAccount(api.BaseAddress);

            FalResponseException failure = await account.FailureOfAsync<FalResponseException>(call);

            Assert.Contains($"'{sequence[(requests - 1) % sequence.Length]}'", failure.Message, StringComparison.Ordinal);
            Assert.Equal(requests, api.Requests.Count);
        }
    }

    [Fact]
    public async Task Pages_without_an_end_stop_at_the_limit_and_a_promise_without_a_cursor_is_no_silent_end()
    {
        foreach (FalCall call in new[] { FalCall.UsageReport, FalCall.UsageTimeSeries })
        {
            using var endless = new WireMockApi(number => MockResponse.Page($"cursor-{number}"));
            using var account = new FalAccount(endless.BaseAddress, options => options.MaxPages = 7);
            Assert.Contains(nameof(FalObservabilityOptions.MaxPages), (await account.FailureOfAsync<FalResponseException>(call)).Message,
                StringComparison.Ordinal);
            Assert.Equal(7, endless.Requests.Count);

            using var promising = new WireMockApi(MockResponse.Json(200, """{"next_cursor":null,"has_more":true,"time_series":[]}"""));
            using var other = new FalAccount(promising.BaseAddress);
            Assert.Contains("next_cursor", (await other.FailureOfAsync<FalResponseException>(call)).Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Every_page_is_asked_for_with_the_same_range_whatever_the_clock_does()
    {
        FalAccount? account = null;
        using var api = new WireMockApi(number =>
        {
            account!.Clock.Advance(TimeSpan.FromSeconds(5));
            return MockResponse.Page(number < 4 ? $"c{number}" : null);
        });
        using (account = new FalAccount(api.BaseAddress))
        {
            await account.Usage.GetReportAsync(AnalyticsTimeRange.Last(TimeSpan.FromDays(3)), TestContext.Current.CancellationToken);
        }

        Assert.Equal(["", "c1", "c2", "c3"],
            api.Requests.Select(request => request.Query!.TryGetValue("cursor", out var cursor) ? cursor[0] : ""));
        Assert.Single(api.Requests.Select(request => (request.Query!["start"][0], request.Query["end"][0])).Distinct());
    }

    [Fact]
    public async Task A_bucket_cut_by_a_page_comes_out_once_with_the_lines_of_all_its_parts()
    {
        string[] pages =
        [
            Page("2", [(0, [Row("a", "L", 1m)]), (1, [Row("a", "L", 2m)])]),
            Page("3", [(1, [Row("a", "M", 3m), Row("b", "L", 4m)])]),
            Page(null, [(1, [Row("a", "L", 5m, surge: true)]), (2, [])]),
        ];
        using var api = new WireMockApi(number => MockResponse.Json(200, pages[(number - 1) % 3]));
        using var account = new FalAccount(api.BaseAddress);

        UsageReport report = await account.Usage.GetReportAsync(Query, TestContext.Current.CancellationToken);
        List<UsageBucket> streamed = await StreamAsync(account, Query);

        foreach (IReadOnlyList<UsageBucket> buckets in new[] { report.TimeSeries, streamed })
        {
            Assert.Equal([0, 1, 2], buckets.Select(bucket => (bucket.Start - Start).Days));
            Assert.Equal([("a", 2m), ("a", 3m), ("b", 4m), ("a", 5m)], buckets[1].Rows.Select(row => (row.App!, row.Cost)));
        }
    }

    [Fact]
    public async Task Equal_lines_of_one_page_are_added_and_a_new_member_tells_lines_of_two_pages_apart()
    {
        string eu = Row("a", "L", 1m).Replace("}", ",\"region\":\"eu\"}", StringComparison.Ordinal);
        string us = Row("a", "L", 1m).Replace("}", ",\"region\":\"us\"}", StringComparison.Ordinal);
        string[] pages = [Page("2", [(0, [eu, eu])]), Page(null, [(0, [us])])];
        using var api = new WireMockApi(number => MockResponse.Json(200, pages[number - 1]));
        using var account = new FalAccount(api.BaseAddress);

        Assert.Equal(3m, Assert.Single((await account.Usage.GetReportAsync(Query, TestContext.Current.CancellationToken)).Totals).Cost);
    }

    [Fact]
    public async Task A_report_sorts_what_comes_in_another_order_and_a_stream_says_that_it_cannot()
    {
        string[] pages = [Page("2", [(3, [Row("a", "L", 1m)]), (2, [])]), Page(null, [(1, [Row("a", "L", 2m)]), (3, [Row("b", "L", 4m)])])];
        using var api = new WireMockApi(number => MockResponse.Json(200, pages[(number - 1) % 2]));
        using var account = new FalAccount(api.BaseAddress);

        UsageReport report = await account.Usage.GetReportAsync(Query, TestContext.Current.CancellationToken);

        Assert.Equal([1, 2, 3], report.TimeSeries.Select(bucket => (bucket.Start - Start).Days));
        Assert.Equal(7m, Assert.Single(report.Totals).Cost);
        FalResponseException failure = await Assert.ThrowsAsync<FalResponseException>(() => StreamAsync(account, Query));
        Assert.Contains("GetReportAsync", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_empty_bucket_after_the_range_is_left_out_and_one_of_another_time_is_an_error()
    {
        using var api = new WireMockApi(MockResponse.Json(200, Page(null, [(0, [Row("a", "L", 1m)]), (7, [])])));
        using var account = new FalAccount(api.BaseAddress);
        UsageReport report = await account.Usage.GetReportAsync(Query, TestContext.Current.CancellationToken);
        Assert.Equal([0], report.TimeSeries.Select(bucket => (bucket.Start - Start).Days));

        DateOnly day = DateOnly.FromDateTime(Start.UtcDateTime);
        UsageQuery[] queries =
        [
            Query, Query with { Timeframe = null }, Query with { Range = AnalyticsTimeRange.Days(day, day.AddDays(6)), Timeframe = null },
        ];
        (int, string[])[] buckets =
        [
            (-5, []), (-5, [Row("a", "L", 1m)]), (-1, []), (-1, [Row("a", "L", 1m)]), (7, [Row("a", "L", 1m)]),
        ];
        // A day that ends within the range, or that the range cuts, is not one of the service's days.
        foreach (string start in new[] { "2025-12-31T00:00:01Z", "2025-12-31T23:00:00Z", "2025-12-31T23:59:59Z" })
        {
            string page = Page(null, [(0, [Row("a", "L", 1m)])]).Replace(
                Start.ToString("yyyy-MM-dd'T'HH:mm:ss", CultureInfo.InvariantCulture), start[..^1], StringComparison.Ordinal);
            using var early = new WireMockApi(MockResponse.Json(200, page));
            using var other = new FalAccount(early.BaseAddress);
            foreach (bool bound in new[] { true, false })
            {
                FalResponseException failure = await Assert.ThrowsAsync<FalResponseException>(() =>
                    other.Usage.GetReportAsync(Query with { BoundToTimeframe = bound }));
                Assert.Contains("outside the requested range", failure.Message, StringComparison.Ordinal);
            }
        }

        foreach ((UsageQuery query, (int, string[]) bucket) in queries.SelectMany(query => buckets.Select(bucket => (query, bucket))))
        {
            using var wrong = new WireMockApi(MockResponse.Json(200, Page(null, [bucket])));
            using var other = new FalAccount(wrong.BaseAddress);
            FalResponseException failure = await Assert.ThrowsAsync<FalResponseException>(() => other.Usage.GetReportAsync(query));
            Assert.Contains("outside the requested range", failure.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Times_without_an_offset_are_read_in_the_querys_zone()
    {
        using var api = new WireMockApi(
            MockResponse.Json(
                200,
                """{"time_series":[{"bucket":"2026-01-02T00:00:00","results":[]},{"bucket":"2026-01-03T00:00:00","results":[]}]}"""
            )
        );
        using var account = new FalAccount(api.BaseAddress);
        UsageReport report = await account.Usage.GetReportAsync(Query with { TimeZone = "Europe/Berlin" },
            TestContext.Current.CancellationToken);
        Assert.Equal(["2026-01-01 23:00:00Z", "2026-01-02 23:00:00Z"],
            report.TimeSeries.Select(bucket => bucket.Start.ToString("u", CultureInfo.InvariantCulture)));
    }

    [Theory]
    [InlineData("""{"has_more":false}""", "time_series", UsageExpand.TimeSeries)]
    [InlineData("""{"has_more":false,"time_series":null}""", "time_series", UsageExpand.TimeSeries)]
    [InlineData("""{"time_series":[]}""", "summary", UsageExpand.TimeSeries | UsageExpand.Summary)]
    [InlineData("""{"summary":[]}""", "time_series", UsageExpand.TimeSeries | UsageExpand.Summary)]
    [InlineData("""{"error":{"type":"server_error","message":"x"}}""", "time_series", UsageExpand.TimeSeries)]
    [InlineData(
        """{"time_series":[{"bucket":"2026-01-01T00:00:00Z","results":[{"cost_total":1}]}]}""",
        "$.time_series[0]",
        UsageExpand.TimeSeries
    )]
    [InlineData(
        """{"time_series":[{"bucket":"2026-01-01T00:00:00Z","results":[{"cost_total":1e40,"currency":"USD"}]}]}""",
        "1e40",
        UsageExpand.TimeSeries
    )]
    [InlineData("""{"time_series":[{"bucket":"2026-01-01T00:00:00Z"}]}""", "results", UsageExpand.TimeSeries)]
    public async Task An_answer_that_would_pass_for_a_time_that_cost_nothing_is_an_error(string body, string names, UsageExpand expand)
    {
        using var api = new WireMockApi(MockResponse.Json(200, body));
        using var account = new FalAccount(api.BaseAddress);

        FalResponseException failure = await Assert.ThrowsAsync<FalResponseException>(() =>
            account.Usage.GetReportAsync(Query with { Expand = expand }));

        Assert.Contains(names, failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\\ud800", "\\udbff")]
    [InlineData("\\udc00", "\\ud800")]
    [InlineData("\u00ff", "\u00fe")]
    public async Task Two_apps_whose_names_are_not_text_are_never_billed_as_one(string one, string other)
    {
        // Each character is one byte of the body.
        string page = Page(null, [(0, [Row($"a{one}", "L", 1m), Row($"a{other}", "L", 2m)])]);
        await using RawServer server = RawServer.Start(RawServer.Answer(200, "application/json", Encoding.Latin1.GetBytes(page)));
        using var account = new FalAccount(server.BaseAddress);

        FalResponseException failure = await Assert.ThrowsAsync<FalResponseException>(() => account.Usage.GetReportAsync(Query));

        Assert.Contains("'app' is \"a\uFFFD\"", failure.Message, StringComparison.Ordinal);
        Assert.Contains("$.time_series[0].results[0].app", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("1 2|3")]
    [InlineData("2 2|2")]
    [InlineData("1|1")]
    public async Task A_line_that_two_parts_of_a_bucket_have_is_an_error_and_never_a_smaller_bill(string costs)
    {
        string[] parts = costs.Split('|');
        foreach (FalCall call in new[] { FalCall.UsageReport, FalCall.UsageTimeSeries })
        {
            using var api = new WireMockApi(number =>
                MockResponse.Json(200, Page(number < parts.Length ? "next" : null, [(0, parts[number - 1].Split(' ').Select(Line))])));
            using var account = new FalAccount(api.BaseAddress);

            FalResponseException failure = await account.FailureOfAsync<FalResponseException>(call);

            Assert.Contains("two of them have the line 'a (main) on L", failure.Message, StringComparison.Ordinal);
        }

        static string Line(string cost) => Row("a", "L", decimal.Parse(cost, CultureInfo.InvariantCulture));
    }

    [Fact]
    public async Task A_line_that_is_refused_does_not_show_a_key_that_the_service_echoes_in_it()
    {
        using var api = new WireMockApi(number =>
            MockResponse.Json(200, Page(number == 1 ? "next" : null, [(0, [Row(FalAccount.Key, FalAccount.Key, 1m)])])));
        using var account = new FalAccount(api.BaseAddress);

        FalResponseException failure = await Assert.ThrowsAsync<FalResponseException>(() => account.Usage.GetReportAsync(Query));

        Assert.Contains("two of them have the line", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(FalAccount.Key, failure.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_summary_that_is_repeated_on_later_pages_counts_once()
    {
        string summary = Row("a", "L", 1m);
        string[] pages =
        [
            $$"""{"next_cursor":"2","has_more":true,"time_series":[],"summary":[{{summary}},{{Row("b", "L", 2m)}}]}""",
            $$"""{"next_cursor":null,"has_more":false,"time_series":[],"summary":[{{summary}}]}""",
        ];
        using var api = new WireMockApi(number => MockResponse.Json(200, pages[number - 1]));
        using var account = new FalAccount(api.BaseAddress);

        UsageReport report = await account.Usage.GetReportAsync(Query with { Expand = UsageExpand.Summary | UsageExpand.TimeSeries },
            TestContext.Current.CancellationToken);

        Assert.Equal(3m, report.Summary.Sum(row => row.Cost));
    }

    [Fact]
    public async Task A_key_without_the_permission_for_billing_is_told_its_name()
    {
        using var api = new WireMockApi(MockResponse.Json(403, """{"error":{"type":"authorization_error","message":"Access denied"}}"""));
        using var account = new FalAccount(api.BaseAddress);
        foreach (FalCall call in new[] { FalCall.UsageReport, FalCall.UsageTimeSeries, FalCall.RawUsage })
        {
            FalForbiddenException failure = await account.FailureOfAsync<FalForbiddenException>(call);
            Assert.Contains("billing:usage:read", failure.Message, StringComparison.Ordinal);
            Assert.Equal(FalForbiddenReason.PermissionOrOwnership, failure.Reason);
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Cancelling_between_two_pages_ends_report_and_stream_and_a_disposed_client_says_so(bool cancels)
    {
        foreach (bool streams in new[] { true, false })
        {
            // The second page never comes.
            var held = new TaskCompletionSource();
            await using RawServer server = RawServer.Start(
                RawServer.Answer(200, "application/json", Page("2", [(0, [Row("a", "L", 1m)]), (1, [Row("a", "L", 2m)])])),
                _ => held.Task);
            using var account = new FalAccount(server.BaseAddress);
            using var source = new CancellationTokenSource();

            Task running = streams
                ? ReadAllAsync(account.Usage.StreamTimeSeriesAsync(Query, source.Token))
                : account.Usage.GetReportAsync(Query, source.Token);
            await server.ArrivalAsync();
            await server.ArrivalAsync();
            if (cancels)
            {
                await source.CancelAsync();
                OperationCanceledException end = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running.OrHangs());
                Assert.Equal(source.Token, end.CancellationToken);
            }
            else
            {
                account.Dispose();
                await Assert.ThrowsAsync<ObjectDisposedException>(() => running.OrHangs());
            }

            held.SetResult();
        }

        static async Task ReadAllAsync(IAsyncEnumerable<UsageBucket> buckets)
        {
            await foreach (UsageBucket bucket in buckets)
            {
                Assert.Equal(0, (bucket.Start - Start).Days);
            }
        }
    }

    [Theory]
    [InlineData("\"cost_total\":1e999", "out of range")]
    [InlineData("\"cost_total\":123456789012345678901234567890", "out of range")]
    [InlineData("\"cost_total\":\"NaN\"", "must be a number")]
    [InlineData("\"cost_total\":1,\"quantity\":-1e18", "out of range")]
    [InlineData("\"cost_total\":1,\"unit_price\":[]", "must be a number")]
    [InlineData("\"cost_total\":1,\"is_surge\":\"false\"", "must be true or false")]
    [InlineData("\"cost_total\":1,\"currency\":null", "'currency'")]
    [InlineData("\"cost_total\":1,\"currency\":\"USD\",\"currency\":\"EUR\"", "twice")]
    public async Task Money_that_cannot_be_is_refused_with_its_place_and_the_rest_is_not_passed_off_as_the_bill(string members, string says)
    {
        string currency = members.Contains("currency", StringComparison.Ordinal) ? "" : ",\"currency\":\"USD\"";
        await using RawServer server = RawServer.Start(RawServer.Answer(200, "application/json",
            Page(null, [(0, [Row("a", "L", 1m), $$"""{"app":"b",{{members}}{{currency}}}"""])])));
        using var account = new FalAccount(server.BaseAddress);

        FalResponseException failure = await Assert.ThrowsAsync<FalResponseException>(() => account.Usage.GetReportAsync(Query));

        Assert.Contains(says, failure.Message, StringComparison.Ordinal);
        Assert.Contains("$.time_series[0].results[1]", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("0001-01-01T00:00:00+14:00")]
    [InlineData("9999-12-31T23:59:59-14:00")]
    [InlineData("0001-01-01T00:00:00Z")]
    [InlineData("9999-12-31T23:59:59.9999999Z")]
    [InlineData("2026-02-30T00:00:00Z")]
    [InlineData("1782907200")]
    [InlineData("")]
    public async Task A_time_that_the_range_cannot_have_is_a_failed_response_for_usage_and_history(string time)
    {
        string usage = $$"""{"time_series":[{"bucket":"{{time}}","results":[{{Row("a", "L", 1m)}}]}]}""";
        string history = $$"""{"history":[{"timestamp":"{{time}}","running":1,"idle":0,"pending":0,"draining":0}]}""";
        foreach (
            (FalCall call, string body) in new[]
            {
                (FalCall.UsageReport, usage),
                (FalCall.UsageTimeSeries, usage),
                (FalCall.RunnerHistory, history),
            }
        )
        {
            await using RawServer server = RawServer.Start(RawServer.Answer(200, "application/json", body));
            using var account = new FalAccount(server.BaseAddress);
            await account.FailureOfAsync<FalResponseException>(call);
        }
    }

    private static async Task<List<UsageBucket>> StreamAsync(FalAccount account, UsageQuery query)
    {
        List<UsageBucket> buckets = [];
        await foreach (UsageBucket bucket in account.Usage.StreamTimeSeriesAsync(query, TestContext.Current.CancellationToken))
        {
            buckets.Add(bucket);
        }

        return buckets;
    }

    private static string Page(string? cursor, IEnumerable<(int Day, IEnumerable<string> Rows)> buckets)
    {
        var page = new StringBuilder();
        page.Append(CultureInfo.InvariantCulture, $$"""{"next_cursor":{{(cursor is null ? "null" : $"\"{cursor}\"")}},"has_more":{{(cursor is null ? "false" : "true")}},"time_series":[""");
        page.AppendJoin(',', buckets.Select(bucket => string.Create(CultureInfo.InvariantCulture,
            $$"""{"bucket":"{{Start.AddDays(bucket.Day):yyyy-MM-dd'T'HH:mm:ss}}+00:00","results":[{{string.Join(',', bucket.Rows)}}]}""")));
        return page.Append("]}\n").ToString();
    }

    private static string Row(string app, string machine, decimal cost, decimal quantity = 60, string currency = "USD",
        bool surge = false) => string.Create(
        CultureInfo.InvariantCulture,
        $$"""{"app":"{{app}}","environment":"main","machine_type":"{{machine}}","unit":"second","quantity":{{quantity}},"unit_price":0.001,"percent_discount":null,"cost_subtotal":{{cost}},"cost_discount":0,"cost_total":{{cost}},"cost":{{cost}},"currency":"{{currency}}","is_surge":{{(surge ? "true" : "false")}}}""");
}
