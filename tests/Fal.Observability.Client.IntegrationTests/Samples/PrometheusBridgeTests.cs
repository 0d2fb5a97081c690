using System.Collections.Concurrent;
using System.IO.Compression;
using System.Net.Sockets;
using System.Text;
using Fal.Observability.Bridge;
using Fal.Observability.Client.Prometheus;
using Fal.Observability.Client.PrometheusTests;
using Fal.Observability.Client.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Testing;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using OpenTelemetry.Metrics;
using Xunit;

namespace Fal.Observability.Client.IntegrationTests.Samples;

/// <summary>What the bridge serves and pushes, and what it says when it cannot.</summary>
[Collection(nameof(ScrapedHost))]
public sealed class PrometheusBridgeTests
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(15);

    private readonly SteppedClock _clock = new();
    private readonly FakeLogCollector _log = new();
    private readonly Dictionary<FalSimulator, SimulatorFaults> _faults = [];
    private readonly FakeTimeProvider _serviceClock = new(SteppedClock.FirstInstant);

    [Fact]
    public async Task The_page_holds_every_series_of_every_account_with_its_label()
    {
        await using FalSimulator acme = await StartSimulatorAsync(seed: 1);
        await using FalSimulator globex = await StartSimulatorAsync(seed: 2);
        await using BridgeHost bridge = await StartAsync(("acme", acme.BaseAddress), ("globex", globex.BaseAddress));

        PrometheusExposition page = await PageAsync(bridge);

        await AssertShowsAsync(page, ("acme", acme), ("globex", globex));
        Assert.Equal([("acme", 1), ("globex", 1)], Up(page));
    }

    [Fact]
    public async Task The_page_follows_the_service_where_series_come_and_go()
    {
        await using FalSimulator simulator = await StartSimulatorAsync(seed: 1);
        await using BridgeHost bridge = await StartAsync(("acme", simulator.BaseAddress));
        HashSet<string> seen = [];
        for (int i = 0; i < 6; i++)
        {
            PrometheusExposition page = await PageAsync(bridge);
            await AssertShowsAsync(page, ("acme", simulator));
            seen.Add(
                string.Join('\n', page.Families.SelectMany(family => family.Samples).Select(sample => $"{sample.Name}{sample.Labels}"))
            );
            _serviceClock.Advance(TimeSpan.FromHours(5));
            await ReadAgainAsync(accounts: 1);
        }

        Assert.True(seen.Count > 1, "The series were always the same.");
    }

    [Fact]
    public async Task An_account_that_is_stale_is_left_out_and_down_while_the_others_go_on_and_comes_back()
    {
        await using FalSimulator acme = await StartSimulatorAsync(seed: 1);
        await using FalSimulator globex = await StartSimulatorAsync(seed: 2);
        await using BridgeHost bridge = await StartAsync(("acme", acme.BaseAddress), ("globex", globex.BaseAddress));
        _faults[acme].Next(9, new Fault(FaultKind.ServerError));

        await ReadAgainAsync(accounts: 2);
        PrometheusExposition failing = await PageAsync(bridge);
        for (int i = 0; i < 8; i++)
        {
            await ReadAgainAsync(accounts: 2);
        }

        PrometheusExposition stale = await PageAsync(bridge);
        await ReadAgainAsync(accounts: 2);
        PrometheusExposition recovered = await PageAsync(bridge);

        Assert.Equal([("acme", 0), ("globex", 1)], Up(failing));
        Assert.Equal(["acme", "globex"], AccountsOf(failing));
        Assert.Equal([("acme", 0), ("globex", 1)], Up(stale));
        Assert.Equal(["globex"], AccountsOf(stale));
        Assert.Equal([("acme", 1), ("globex", 1)], Up(recovered));
        Assert.Equal(["acme", "globex"], AccountsOf(recovered));
    }

    [Fact]
    public async Task The_services_own_label_account_is_kept_and_its_names_do_not_collide_with_the_publishers()
    {
        await using RawServer service = RawServer.Start(RawServer.Answer(
            200, "text/plain", "# TYPE fal_new counter\nfal_new{account=\"b\",zone=\"x\"} 7\n# TYPE fal_up gauge\nfal_up 5\n"));
        await using BridgeHost bridge = await StartAsync(("acme", service.BaseAddress));

        PrometheusExposition page = await PageAsync(bridge);

        PrometheusSample sample = Assert.Single(page["fal_new"]!.Samples);
        Assert.Equal(LabelSet.Create([new("account", "acme"), new("exported_account", "b"), new("zone", "x")]), sample.Labels);
        Assert.Equal(PrometheusMetricType.Counter, page["fal_new"]!.Type);
        Assert.Equal([("acme", 1)], Up(page));
    }

    [Fact]
    public async Task Series_that_differ_in_their_own_label_account_only_are_not_shown_as_one()
    {
        await using RawServer service = RawServer.Start(
            RawServer.Answer(
                200,
                "text/plain",
                "# TYPE lab gauge\nlab{account=\"me\"} 1\nlab{account=\"me\",exported_account=\"you\"} 2\nlab{exported_account=\"me\"} 3\n"
            )
        );
        await using BridgeHost bridge = await StartAsync(("acme", service.BaseAddress));

        PrometheusExposition page = await PageAsync(bridge);

        Assert.Equal(
            [
                "lab{exported_account=\"me\",account=\"acme\"} 1",
                "lab{exported_exported_account=\"me\",exported_account=\"you\",account=\"acme\"} 2",
            ],
            page["lab"]!.Samples.Select(sample => sample.ToString())
        );
    }

    [Fact]
    public async Task Names_that_an_older_Prometheus_cannot_read_are_written_with_underscores_and_never_twice()
    {
        await using RawServer service = RawServer.Start(RawServer.Answer(
            200, "text/plain",
            "{\"my.utf8 \u00e9\U0001F600name\"} 1\nlabq{\"a.b\"=\"1\"} 1\nlabq{a_b=\"1\"} 2\nlabq{\"a.b\"=\"2\",a_b=\"2\"} 3\n{\"x.y\"} " +
                "1\nx_y 2\n{\"fal_publisher_x.y\"} 1\n"));
        await using BridgeHost bridge = await StartAsync(("acme", service.BaseAddress));

        string text = await bridge.GetAsync("metrics");
        PrometheusExposition page = PrometheusTextParser.ParseFamilies(text, PrometheusParserOptions.Strict);

        Assert.DoesNotContain("{\"", text, StringComparison.Ordinal);
        Assert.DoesNotContain(",\"", text, StringComparison.Ordinal);
        Assert.Equal(
            [
                "fal_publisher_x_y{account=\"acme\"} 1", "labq{a_b=\"1\",account=\"acme\"} 1", "labq{a_b=\"2\",account=\"acme\"} 3",
                "my_utf8___name{account=\"acme\"} 1", "x_y{account=\"acme\"} 1",
            ],
            page.Families.SelectMany(family => family.Samples)
                .Where(sample => !sample.Labels.TryGetValue("kind", out _))
                .Select(sample => sample.ToString())
                .Where(sample =>
                    !sample.StartsWith("fal_up", StringComparison.Ordinal)
                    && !sample.StartsWith("fal_publisher_s", StringComparison.Ordinal)
                    && !sample.StartsWith("fal_publisher_l", StringComparison.Ordinal)
                )
                .Order(StringComparer.Ordinal)
        );
    }

    [Fact]
    public async Task If_series_collide_the_first_stays_and_the_others_are_logged_once_and_counted()
    {
        const string Colliding = """
            # TYPE "a.b" gauge
            {"a.b",l_x="1"} 1
            {"a.b",l_x="2"} 2
            # TYPE a_b counter
            a_b{l_x="2"} 9
            a_b{l_x="3"} 10
            {"m","l.x"="1","l_x"="2"} 7
            {"n","..name__"="x",k="v"} 8
            o{e=""} 11
            o 12
            p{"l.x"="",l_x="2"} 13

            """;
        await using RawServer acme = RawServer.Start(RawServer.Answer(200, "text/plain", Colliding));
        await using RawServer globex = RawServer.Start(RawServer.Answer(200, "text/plain", "z 1\n"));
        await using BridgeHost bridge = await StartAsync(("acme", acme.BaseAddress), ("globex", globex.BaseAddress));

        PrometheusExposition page = await PageAsync(bridge);
        PrometheusExposition again = await PageAsync(bridge);
        await ReadAgainAsync(accounts: 2);
        PrometheusExposition next = await PageAsync(bridge);

        Assert.Equal(
            [
                "a_b{l_x=\"1\",account=\"acme\"} 1", "a_b{l_x=\"2\",account=\"acme\"} 2", "a_b{l_x=\"3\",account=\"acme\"} 10",
                "m{l_x=\"1\",account=\"acme\"} 7", "n{k=\"v\",account=\"acme\"} 8", "o{e=\"\",account=\"acme\"} 11",
                "p{l_x=\"2\",account=\"acme\"} 13",
                "z{account=\"globex\"} 1",
            ],
            page.Families.Where(family => !family.Name.StartsWith("fal_", StringComparison.Ordinal)).SelectMany(family => family.Samples)
                .Select(sample => sample.ToString()).Order(StringComparer.Ordinal));
        Assert.Equal(PrometheusMetricType.Unknown, page["a_b"]!.Type);
        Assert.Equal(
            [("series", 2), ("label", 2), ("own_name", 0), ("row", 0), ("prometheus_name", 0), ("value", 0)],
            LeftOutOf(page, "acme")
        );
        Assert.Equal(LeftOutOf(page, "acme"), LeftOutOf(again, "acme"));
        Assert.Equal(
            [("series", 4), ("label", 4), ("own_name", 0), ("row", 0), ("prometheus_name", 0), ("value", 0)],
            LeftOutOf(next, "acme")
        );
        Assert.All(LeftOutOf(next, "globex"), kind => Assert.Equal(0, kind.Count));
        Assert.Equal(
            ["a_b{l_x=\"2\"}", "l_x", "..name__", "o"],
            _log.GetSnapshot().Where(record => record.Id.Id is 8 or 9).Select(record =>
                record.StructuredState!.First(value => value.Key == (record.Id.Id == 8 ? "Series" : "Label")).Value!));
    }

    [Fact]
    public async Task Each_label_that_is_left_out_counts_and_is_logged()
    {
        const string Labels = """
            {"m","l.x"="1","l-x"="2","l x"="3","..name__"="4"} 5

            """;
        await using RawServer acme = RawServer.Start(RawServer.Answer(200, "text/plain", Labels));
        await using BridgeHost bridge = await StartAsync(("acme", acme.BaseAddress));

        PrometheusExposition page = await PageAsync(bridge);

        Assert.Equal("m{l_x=\"1\",account=\"acme\"} 5", Assert.Single(page["m"]!.Samples).ToString());
        Assert.Equal(
            [("series", 0), ("label", 3), ("own_name", 0), ("row", 0), ("prometheus_name", 0), ("value", 0)],
            LeftOutOf(page, "acme")
        );
        Assert.Equal(
            ["l-x", "l x", "..name__"],
            _log.GetSnapshot()
                .Where(record => record.Id.Id == 9)
                .Select(record => record.StructuredState!.First(value => value.Key == "Label").Value!)
        );
    }

    [Fact]
    public async Task A_series_with_a_name_that_Prometheus_makes_itself_is_left_out_counted_and_logged_once()
    {
        const string Names = """
            # TYPE up gauge
            up 0
            up{zone="a"} 1
            # TYPE upper gauge
            upper 1
            ALERTS{alertname="x",alertstate="firing"} 1
            ALERTS_FOR_STATE 1
            scrape_duration_seconds 1
            {"scrape.samples_scraped"} 1
            # TYPE scrape_of_ours histogram
            scrape_of_ours_bucket{le="+Inf"} 2
            scrape_of_ours_sum 3
            scrape_of_ours_count 2
            scrapes 4

            """;
        await using RawServer acme = RawServer.Start(RawServer.Answer(200, "text/plain", Names));
        await using BridgeHost bridge = await StartAsync(("acme", acme.BaseAddress));

        PrometheusExposition page = await PageAsync(bridge);
        await ReadAgainAsync(accounts: 1);
        PrometheusExposition next = await PageAsync(bridge);

        Assert.Equal(
            ["scrapes", "upper"],
            page.Families.Select(family => family.Name)
                .Where(name => !name.StartsWith("fal_", StringComparison.Ordinal))
                .Order(StringComparer.Ordinal)
        );
        Assert.Contains(("prometheus_name", 9), LeftOutOf(page, "acme"));
        Assert.Contains(("prometheus_name", 18), LeftOutOf(next, "acme"));
        Assert.Equal(
            ["up", "ALERTS", "ALERTS_FOR_STATE", "scrape_duration_seconds", "scrape_samples_scraped", "scrape_of_ours_bucket"],
            _log.GetSnapshot()
                .Where(record => record.Message.Contains("Prometheus itself creates series with the name", StringComparison.Ordinal))
                .Select(record => record.StructuredState!.First(value => value.Key == "Name").Value!)
        );
    }

    [Fact]
    public async Task The_page_bears_no_timestamp_of_the_services_and_a_series_with_several_is_shown_once()
    {
        const string Stamped = """
            # HELP t A family.
            # TYPE t gauge
            t{a="1"} 1 1000
            t{a="1"} 2 2000
            t{a="2"} 3
            # TYPE h histogram
            h_bucket{le="+Inf"} 4 1781699640000
            h_sum 5 1781699640000
            h_count 4 1781699640000

            """;
        await using RawServer acme = RawServer.Start(RawServer.Answer(200, "text/plain", Stamped));
        await using BridgeHost bridge = await StartAsync(("acme", acme.BaseAddress));

        PrometheusExposition page = await PageAsync(bridge);

        Assert.All(page.Families.SelectMany(family => family.Samples), sample => Assert.Null(sample.TimestampMilliseconds));
        Assert.Equal(
            ["t{a=\"1\",account=\"acme\"} 1", "t{a=\"2\",account=\"acme\"} 3"],
            page["t"]!.Samples.Select(sample => sample.ToString())
        );
        Assert.Equal((PrometheusMetricType.Gauge, "A family."), (page["t"]!.Type, page["t"]!.Help));
        Assert.Equal((PrometheusMetricType.Histogram, 3), (page["h"]!.Type, page["h"]!.Samples.Count));
        Assert.Contains(("series", 1), LeftOutOf(page, "acme"));
    }

    [Fact]
    public async Task Summaries_of_which_the_first_lacks_a_part_are_not_mixed()
    {
        const string Summaries = """
            # TYPE s summary
            s{app="a",quantile="0.5"} 1
            s_sum{app="a"} 2
            s{app="b",quantile="0.5"} 3
            s_sum{app="b"} 4
            s_count{app="b"} 5
            # TYPE "r.r" summary
            {"r.r",quantile="0.5"} 6
            {"r.r_sum"} 7
            # TYPE r_r summary
            r_r{quantile="0.9"} 8
            r_r_sum 9
            r_r_count 10

            """;
        await using RawServer acme = RawServer.Start(RawServer.Answer(200, "text/plain", Summaries));
        await using BridgeHost bridge = await StartAsync(("acme", acme.BaseAddress));

        PrometheusExposition page = await PageAsync(bridge);

        Assert.Equal(
            [
                "s{app=\"a\",quantile=\"0.5\",account=\"acme\"} 1", "s_sum{app=\"a\",account=\"acme\"} 2",
                "s{app=\"b\",quantile=\"0.5\",account=\"acme\"} 3", "s_sum{app=\"b\",account=\"acme\"} 4",
                "s_count{app=\"b\",account=\"acme\"} 5",
            ],
            page["s"]!.Samples.Select(sample => sample.ToString()));
        Assert.Equal(
            ["r_r{quantile=\"0.5\",account=\"acme\"} 6", "r_r_sum{account=\"acme\"} 7"],
            page["r_r"]!.Samples.Select(sample => sample.ToString())
        );
        Assert.Contains(("series", 3), LeftOutOf(page, "acme"));
    }

    [Fact]
    public async Task Analytics_that_no_series_can_show_are_counted_and_a_count_that_no_integer_holds_is_shown()
    {
        const string Answer = """
            {"time_series":[{"bucket":"2026-06-17T11:00:00","results":[
                {"endpoint_id":"my/app","request_count":9223372036854775808,"success_count":1.5,"error_count":"many"},
                {"request_count":5},
                {"endpoint_id":"a\ud800","request_count":6}]}]}
            """;
        await using RawServer acme = RawServer.Start(exchange =>
            exchange.RequestHead.Contains("/analytics", StringComparison.Ordinal)
                ? RawServer.Answer(200, "application/json", Answer)(exchange)
                : RawServer.Answer(200, "text/plain", "z 1\n")(exchange)
        );
        Dictionary<string, string?> settings = new(Settings(("acme", acme.BaseAddress)))
        {
            ["Fal:Accounts:acme:Publisher:AnalyticsEndpointIds:0"] = "my/app",
        };
        await using BridgeHost bridge = await BridgeHost.StartAsync(settings, _clock, new FakeLoggerProvider(_log));
        // The next hour is final at 13:05.
        await _clock.TimerAsync(TimeSpan.FromMinutes(31), TimeSpan.FromMinutes(31.6));

        PrometheusExposition page = await PageAsync(bridge);

        Assert.Equal(9223372036854775808d, Assert.Single(page["fal_analytics_request_count"]!.Samples).Value);
        Assert.Equal(1.5, Assert.Single(page["fal_analytics_success_count"]!.Samples).Value);
        Assert.Equal(
            [("series", 0), ("label", 0), ("own_name", 0), ("row", 2), ("prometheus_name", 0), ("value", 1)],
            LeftOutOf(page, "acme")
        );
        Assert.Contains(
            _log.GetSnapshot(),
            record => record.Message.Contains("1 value(s) of the latest bucket are not finite numbers", StringComparison.Ordinal)
        );
    }

    [Fact]
    public async Task Health_names_an_account_as_the_settings_do()
    {
        await using FalSimulator simulator = await StartSimulatorAsync(seed: 1);
        await using BridgeHost several = await StartAsync(("acme", simulator.BaseAddress), ("globex", simulator.BaseAddress));
        await using BridgeHost one = await BridgeHost.StartAsync(
            new Dictionary<string, string?> { ["Fal:ApiKey"] = FalAccount.Key, ["Fal:BaseAddress"] = simulator.BaseAddress.ToString() },
            _clock
        );

        Assert.Equal(["acme", "globex"], Names(await several.GetHealthAsync()));
        Assert.Equal(["default"], Names(await one.GetHealthAsync()));

        static IEnumerable<string> Names(string health) =>
            health.Split('\n').Where(line => line.Length > 0 && line[0] != ' ').Select(line => line.Split(':')[0]);
    }

    [Fact]
    public async Task Of_two_histograms_that_become_one_the_first_stays_whole_and_no_bucket_of_the_other_gets_into_it()
    {
        const string Histograms = """
            # TYPE "h.h" histogram
            {"h.h_bucket",le="1"} 1
            {"h.h_bucket",le="+Inf"} 2
            {"h.h_sum"} 3
            {"h.h_count"} 2
            # TYPE h_h histogram
            h_h_bucket{le="5"} 70
            h_h_bucket{le="+Inf"} 80
            h_h_sum 90
            h_h_count 80
            h_h_bucket{le="+Inf",k="v"} 4
            h_h_sum{k="v"} 5
            h_h_count{k="v"} 4

            """;
        await using RawServer acme = RawServer.Start(RawServer.Answer(200, "text/plain", Histograms));
        await using BridgeHost bridge = await StartAsync(("acme", acme.BaseAddress));

        MetricFamily family = (await PageAsync(bridge))["h_h"]!;

        Assert.Equal(PrometheusMetricType.Histogram, family.Type);
        Assert.Equal(
            [
                "h_h_bucket{le=\"1\",account=\"acme\"} 1", "h_h_bucket{le=\"+Inf\",account=\"acme\"} 2", "h_h_sum{account=\"acme\"} 3",
                "h_h_count{account=\"acme\"} 2", "h_h_bucket{le=\"+Inf\",k=\"v\",account=\"acme\"} 4",
                "h_h_sum{k=\"v\",account=\"acme\"} 5",
                "h_h_count{k=\"v\",account=\"acme\"} 4",
            ],
            family.Samples.Select(sample => sample.ToString()));
    }

    [Fact]
    public async Task A_histogram_that_cannot_have_all_its_parts_is_left_out_whole_and_one_that_comes_first_stays_whole()
    {
        const string Parts = """
            # TYPE h_sum gauge
            h_sum 5
            # TYPE h histogram
            h_bucket{le="1"} 1
            h_bucket{le="+Inf"} 2
            h_sum 3
            h_count 2
            h_bucket{le="+Inf",k="v"} 4
            h_sum{k="v"} 5
            h_count{k="v"} 4
            # TYPE q summary
            q{quantile="0.5"} 1
            q_sum 2
            q_count 3
            # TYPE q_count gauge
            q_count 9
            # TYPE h_count gauge
            h_count 8
            # TYPE fal_analytics_request summary
            fal_analytics_request_sum 6
            fal_analytics_request_count 6

            """;
        await using RawServer acme = RawServer.Start(RawServer.Answer(200, "text/plain", Parts));
        await using BridgeHost bridge = await StartAsync(("acme", acme.BaseAddress));

        PrometheusExposition page = await PageAsync(bridge);

        Assert.Equal(
            [
                "h_bucket{le=\"+Inf\",k=\"v\",account=\"acme\"} 4", "h_count{account=\"acme\"} 8", "h_count{k=\"v\",account=\"acme\"} 4",
                "h_sum{account=\"acme\"} 5", "h_sum{k=\"v\",account=\"acme\"} 5", "q_count{account=\"acme\"} 3",
                "q_sum{account=\"acme\"} 2",
                "q{quantile=\"0.5\",account=\"acme\"} 1",
            ],
            page.Families.Where(family => !family.Name.StartsWith("fal_", StringComparison.Ordinal)).SelectMany(family => family.Samples)
                .Select(sample => sample.ToString()).Order(StringComparer.Ordinal));
        Assert.Null(page["fal_analytics_request"]);
        Assert.Equal(
            [("series", 5), ("label", 0), ("own_name", 2), ("row", 0), ("prometheus_name", 0), ("value", 0)],
            LeftOutOf(page, "acme")
        );
        Assert.Collection(
            _log.GetSnapshot().Where(record => record.Id.Id is 8 or 10 or 12 or 13).Select(record => record.Message),
            message =>
                Assert.StartsWith("Account acme: the service sends the series h_sum more than once.", message, StringComparison.Ordinal),
            message =>
                Assert.StartsWith(
                    "Account acme: the series h is left out with all its parts. One of these parts has the name h_sum, which the series " +
                        "h_sum already uses.",
                    message,
                    StringComparison.Ordinal
                ),
            message =>
                Assert.StartsWith(
                    "Account acme: the series q_count is left out. Under its classic name q_count, it is the same series as q,",
                    message,
                    StringComparison.Ordinal
                ),
            message =>
                Assert.StartsWith(
                    "Account acme: the series fal_analytics_request is left out. The name fal_analytics_request_count is one of the " +
                        "bridge's own",
                    message,
                    StringComparison.Ordinal
                )
        );
    }

    [Fact]
    public async Task A_series_that_the_service_sends_twice_is_shown_once_logged_and_counted()
    {
        const string Twice = """
            # TYPE w gauge
            w{a="1",b="2"} 1
            w 3
            w{b="2",a="1"} 2
            w{a="1",b="2"} 4

            """;
        await using RawServer acme = RawServer.Start(RawServer.Answer(200, "text/plain", Twice));
        await using BridgeHost bridge = await StartAsync(("acme", acme.BaseAddress));

        PrometheusExposition page = await PageAsync(bridge);

        Assert.Equal(
            ["w{a=\"1\",b=\"2\",account=\"acme\"} 1", "w{account=\"acme\"} 3"],
            page["w"]!.Samples.Select(sample => sample.ToString())
        );
        Assert.Equal(
            [("series", 2), ("label", 0), ("own_name", 0), ("row", 0), ("prometheus_name", 0), ("value", 0)],
            LeftOutOf(page, "acme")
        );
        FakeLogRecord told = Assert.Single(_log.GetSnapshot(), record => record.Id.Id is 8 or 12);
        Assert.StartsWith(
            "Account acme: the service sends the series w{b=\"2\",a=\"1\"} more than once.",
            told.Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task A_name_that_stands_for_two_things_has_no_type_and_one_of_the_bridges_own_is_the_bridges()
    {
        const string Histogram = "# TYPE h histogram\nh_bucket{le=\"+Inf\"} 1\nh_sum 1\nh_count 1\n"
            + "# TYPE fal_analytics_latency histogram\nfal_analytics_latency_bucket{le=\"+Inf\"} 1\nfal_analytics_latency_sum " +
                "1\nfal_analytics_latency_count 1\n";
        const string Counter =
            "# TYPE h_bucket gauge\nh_bucket 3\n# TYPE fal_publisher_scrape_failures counter\nfal_publisher_scrape_failures_total 9\n"
            + "# TYPE fal_bridge_remote_write_up gauge\nfal_bridge_remote_write_up 9\n# EOF\n";
        await using RawServer acme = RawServer.Start(RawServer.Answer(200, "text/plain", Histogram));
        await using RawServer globex = RawServer.Start(RawServer.Answer(200, "application/openmetrics-text; version=1.0.0", Counter));
        await using BridgeHost bridge = await StartAsync(("acme", acme.BaseAddress), ("globex", globex.BaseAddress));

        string text = await bridge.GetAsync("metrics");

        string[] types =
        [
            .. text.Split('\n').Where(line => line.StartsWith("# TYPE ", StringComparison.Ordinal)).Select(line => line[7..]),
        ];
        Assert.Equal(types.Select(type => type.Split(' ')[0]).Distinct(), types.Select(type => type.Split(' ')[0]));
        Assert.Equal(
            ["fal_analytics_latency histogram", "h_bucket untyped", "h_count untyped", "h_sum untyped"],
            types
                .Where(type => type.StartsWith("h_", StringComparison.Ordinal) || type.Contains("latency", StringComparison.Ordinal))
                .Order(StringComparer.Ordinal)
        );
        Assert.Equal(
            ["h_bucket{account=\"globex\"} 3", "h_bucket{le=\"+Inf\",account=\"acme\"} 1"],
            text.Split('\n').Where(line => line.StartsWith("h_bucket", StringComparison.Ordinal)).Order(StringComparer.Ordinal));
        Assert.DoesNotContain("} 9\n", text, StringComparison.Ordinal);
        Assert.Contains(("own_name", 2), LeftOutOf(PrometheusTextParser.ParseFamilies(text), "globex"));
    }

    [Fact]
    public async Task A_page_goes_out_in_pieces_so_that_a_slow_scraper_costs_no_copy_of_it()
    {
        await using RawServer service = RawServer.Start(RawServer.Answer(200, "text/plain", LargeText(40_000)));
        await using BridgeHost bridge = await StartAsync(("acme", service.BaseAddress));
        using var body = new PiecesStream();
        var context = new DefaultHttpContext { Response = { Body = body } };

        await bridge.Services.GetRequiredService<MetricsPage>().WriteAsync(context);

        Assert.Equal(context.Response.ContentLength, body.Pieces.Sum());
        Assert.True(body.Pieces.Count > 2, "The page is too small to be sent in pieces.");
        Assert.All(body.Pieces, piece => Assert.InRange(piece, 1, 1024 * 1024));
    }

    [Fact]
    public async Task A_scraper_that_does_not_read_is_cut_off_after_2_minutes()
    {
        await using RawServer service = RawServer.Start(RawServer.Answer(200, "text/plain", LargeText(150_000)));
        await using BridgeHost bridge = await StartAsync(("acme", service.BaseAddress));
        using Socket scraper = await StuckScraperAsync(bridge);
        _clock.Advance(MetricsPage.LongestScrape);

        long received = 0;
        try
        {
            byte[] buffer = new byte[65_536];
            int read;
            while ((read = await scraper.ReceiveAsync(buffer).OrHangs()) > 0)
            {
                received += read;
            }
        }
        catch (SocketException)
        {
            // The bridge reset the connection.
        }

        Assert.InRange(received, 0, (await bridge.GetAsync("metrics")).Length - 1);
    }

    [Fact]
    public async Task A_stop_does_not_wait_for_a_scraper_that_does_not_read()
    {
        await using RawServer service = RawServer.Start(RawServer.Answer(200, "text/plain", LargeText(150_000)));
        BridgeHost bridge = await StartAsync([("acme", service.BaseAddress)], new() { ["shutdownTimeoutSeconds"] = "3600" });
        using Socket scraper = await StuckScraperAsync(bridge);

        await bridge.DisposeAsync().AsTask().OrHangs();
    }

    [Fact]
    public async Task A_head_of_the_page_is_answered()
    {
        await using FalSimulator simulator = await StartSimulatorAsync(seed: 1);
        await using BridgeHost bridge = await StartAsync(("acme", simulator.BaseAddress));
        using var http = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Head, new Uri(bridge.Address, "metrics"));
        using HttpResponseMessage response = await http.SendAsync(request).OrHangs();

        Assert.Equal(System.Net.HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("text/plain", response.Content.Headers.ContentType?.MediaType);
    }

    [Fact]
    public async Task A_bridge_in_which_something_breaks_ends_with_what_it_was()
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Configuration.Sources.Clear();
        builder.Configuration.AddInMemoryCollection(Settings(("acme", new Uri("http://127.0.0.1:9/v1"))));
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton<TimeProvider>(_clock);
        builder.Services.AddHostedService(_ => new BrokenWorker());
        builder.AddBridge();
        await using WebApplication bridge = builder.Build();
        bridge.MapBridge();

        Exception? failure = await bridge.RunBridgeAsync().OrHangs();

        Assert.Equal("It broke.", Assert.IsType<InvalidDataException>(failure).Message);
    }

    [Fact]
    public async Task A_wrong_key_is_an_account_that_is_down_and_healths_page_says_what_to_do_without_the_key()
    {
        const string Wrong = "test-id:not-the-secret-0123456789";
        await using FalSimulator simulator = await StartSimulatorAsync(seed: 1);
        Dictionary<string, string?> settings = new(Settings(("acme", simulator.BaseAddress))) { ["Fal:Accounts:acme:ApiKey"] = Wrong };
        await using BridgeHost bridge = await BridgeHost.StartAsync(settings, _clock, new FakeLoggerProvider(_log));
        await _clock.TimerAsync(TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(5.5));

        string health = await bridge.GetHealthAsync();
        string text = await bridge.GetAsync("metrics");

        Assert.Equal([("acme", 0)], Up(await PageAsync(bridge)));
        Assert.StartsWith("acme: Unhealthy", health, StringComparison.Ordinal);
        Assert.Contains("401", health, StringComparison.Ordinal);
        Assert.DoesNotContain("not-the-secret", health + text + string.Join('\n', _log.GetSnapshot()), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(
        "Bridge:RemoteWrit:Url",
        "http://x",
        "Unknown setting Bridge:RemoteWrit. Allowed: OtlpSeriesLimit, RemoteWrite, SettingsFile."
    )]
    [InlineData("Bridge:RemoteWrite:Ulr", "http://x", "Unknown setting Bridge:RemoteWrite:Ulr. Allowed: Url, ")]
    [InlineData(
        "Bridge:RemoteWrite:MaxSamplesPerRequest",
        "many",
        "Bridge:RemoteWrite:MaxSamplesPerRequest is 'many'; it must be a whole number"
    )]
    [InlineData("Bridge:RemoteWrite:MaxSamplesPerRequest", "0", "MaxSamplesPerRequest is '0'; it must be")]
    [InlineData("Bridge:RemoteWrite:Url", "http://x/write", "at least one entry in Histories")]
    [InlineData("Bridge:RemoteWrite:Url", "prometheus:9090", "Url must be an address")]
    [InlineData("Bridge:RemoteWrite:Url", "http://user:secret@x/write", "Put credentials into Headers")]
    [InlineData("Bridge:RemoteWrite:Headers:X Org", "acme", "Headers:X Org is not a valid request header")]
    [InlineData(
        "Bridge:RemoteWrite:Headers:X-Org",
        "gr\u00f6\u00dfe",
        "Headers:X-Org is not a valid request header: its value must be visible ASCII"
    )]
    [InlineData("Bridge:OtlpSeriesLimit", "0", "OtlpSeriesLimit is '0'; it must be")]
    [InlineData(
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        "collector:4317",
        "OTEL_EXPORTER_OTLP_ENDPOINT must be an address such as http://collector:4317"
    )]
    [InlineData(
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        "ftp://u:secret@h",
        "OTEL_EXPORTER_OTLP_ENDPOINT must be an address such as http://collector:4317"
    )]
    [InlineData("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "http://u:secret@h", "credentials go into OTEL_EXPORTER_OTLP_HEADERS")]
    [InlineData("OTEL_EXPORTER_OTLP_PROTOCOL", "http", "OTEL_EXPORTER_OTLP_PROTOCOL is 'http'; it must be grpc or http/protobuf")]
    [InlineData("Fal:Accounts::ApiKey", "secret", "Fal:Accounts has an account without a name")]
    [InlineData("Fal:Accounts: :ApiKey", "secret", "Fal:Accounts has an account without a name")]
    [InlineData("Fal:Accounts:acme:BaseAdress", "http://x", "Unknown setting Fal:Accounts:acme:BaseAdress")]
    [InlineData("Fal:Accounts:acme:Publisher:Intervall", "00:00:30", "Unknown setting Fal:Accounts:acme:Publisher:Intervall")]
    [InlineData("Fal:Accounts:acme:Publisher:Interval", "00:00:01", "Interval")]
    [InlineData(
        "Fal:Accounts:globex:Publisher:Interval",
        "00:00:30",
        "Account 'globex': ApiKey is missing. Set Fal:Accounts:globex:ApiKey in the configuration (Fal__Accounts__globex__ApiKey in the " +
            "environment)"
    )]
    [InlineData(
        "Fal:Accounts:globex:ApiKeyFile",
        "/no/such/file",
        "Account 'globex': The key file '/no/such/file' does not exist. Put the key into it, or name another file in " +
            "Fal:Accounts:globex:ApiKeyFile."
    )]
    [InlineData(
        "Fal:Accounts:globex:ApiKeyFile",
        "/dev/null",
        "Account 'globex': The key file '/dev/null' is empty or not a regular file."
    )]
    [InlineData("Fal:Accounts:globex:ApiKeyFile", "/", "Account 'globex': The key file '/' is a folder.")]
    [InlineData(
        "Fal:Accounts:globex:ApiKeyFile",
        "/dev/zero",
        "Account 'globex': The key file '/dev/zero' is empty or not a regular file."
    )]
    [InlineData("Fal:Accounts:acme:ApiKeyFile", "/dev/null", "Account 'acme': ApiKey and ApiKeyFile are both set.")]
    public async Task A_setting_that_is_wrong_stops_the_start_and_is_named(string name, string value, string message)
    {
        IEnumerable<KeyValuePair<string, string?>> settings = Settings(("acme", new Uri("http://127.0.0.1:9/v1"))).Append(new(name, value));

        Exception failure = await Assert.ThrowsAnyAsync<Exception>(() => BridgeHost.StartAsync(settings, _clock));

        Assert.True(failure is InvalidOperationException or OptionsValidationException, failure.ToString());
        Assert.Contains(message, failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("in code", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_key_file_is_read_again_when_Kubernetes_exchanges_it_and_the_old_key_serves_while_it_is_gone()
    {
        string folder = Directory.CreateTempSubdirectory("fal-bridge-").FullName;
        string path = Path.Combine(folder, "key");
        Publish("one", "test-id:not-the-right-one-at-all\n");
        File.CreateSymbolicLink(path, Path.Combine("..data", "key"));
        await using FalSimulator simulator = await StartSimulatorAsync(seed: 1);
        Dictionary<string, string?> settings = new(Settings(("acme", simulator.BaseAddress))) { ["Fal:Accounts:acme:ApiKeyFile"] = path };
        settings.Remove("Fal:Accounts:acme:ApiKey");
        await using BridgeHost bridge = await BridgeHost.StartAsync(settings, _clock, new FakeLoggerProvider(_log));

        await ReadAsync(accounts: 1);
        double refused = Assert.Single(Up(await PageAsync(bridge))).Value;
        Publish("two", $"{FalAccount.Key}\r\n");
        await ReadAgainAsync(accounts: 1);
        double accepted = Assert.Single(Up(await PageAsync(bridge))).Value;
        Directory.Delete(Path.Combine(folder, "two"), recursive: true);
        await ReadAgainAsync(accounts: 1);
        await ReadAgainAsync(accounts: 1);
        double withoutFile = Assert.Single(Up(await PageAsync(bridge))).Value;
        Directory.Delete(folder, recursive: true);

        Assert.Equal([0, 1, 1], [refused, accepted, withoutFile]);
        string[] told =
        [
            .. _log.GetSnapshot()
                .Where(record => record.Message.Contains("key file", StringComparison.Ordinal))
                .Select(record => record.Message),
        ];
        Assert.Equal(
            [
                $"Account acme: the key file {path} has a new key. The client uses it from now on",
                $"Account acme: the key file {path} does not exist. The last valid key stays in use. Put a new key there, where this " +
                    $"process can read it",
            ],
            told);
        Assert.All(_log.GetSnapshot(), record => Assert.DoesNotContain("not-the-right-one", record.Message, StringComparison.Ordinal));

        // As kubelet does: a new folder, and then another link to it.
        void Publish(string version, string text)
        {
            Directory.CreateDirectory(Path.Combine(folder, version));
            File.WriteAllText(Path.Combine(folder, version, "key"), text);
            string link = Path.Combine(folder, "..data");
            File.Delete(link);
            Directory.CreateSymbolicLink(link, version);
        }
    }

    [Fact]
    public async Task An_orchestrator_sees_a_bridge_that_lives_and_is_ready_though_an_account_is_refused()
    {
        await using FalSimulator acme = await StartSimulatorAsync(seed: 1);
        await using FalSimulator globex = await StartSimulatorAsync(seed: 2);
        Dictionary<string, string?> settings = new(Settings(("acme", acme.BaseAddress), ("globex", globex.BaseAddress)))
        {
            ["Fal:Accounts:acme:ApiKey"] = "test-id:not-the-secret-0123456789",
        };
        await using BridgeHost bridge = await BridgeHost.StartAsync(settings, _clock);
        // The pauses of both accounts, in whatever order.
        await _clock.TimerAsync(Interval, TimeSpan.FromMinutes(5.5));
        await _clock.TimerAsync(Interval, TimeSpan.FromMinutes(5.5));

        Assert.Equal(503, (int)await StatusAsync(bridge, "health"));
        Assert.Equal(200, (int)await StatusAsync(bridge, "live"));
        Assert.Equal(200, (int)await StatusAsync(bridge, "ready"));
    }

    [Fact]
    public async Task A_bridge_that_has_read_nothing_yet_lives_and_is_not_ready()
    {
        var never = new TaskCompletionSource();
        await using RawServer silent = RawServer.Start(_ => never.Task);
        await using BridgeHost bridge = await BridgeHost.StartAsync(Settings(("acme", silent.BaseAddress)), _clock);
        await silent.ArrivalAsync();

        Assert.Equal(200, (int)await StatusAsync(bridge, "live"));
        Assert.Equal(503, (int)await StatusAsync(bridge, "ready"));
        never.SetResult();
    }

    [Fact]
    public async Task The_root_lists_the_paths_and_each_of_them_answers()
    {
        await using FalSimulator simulator = await StartSimulatorAsync(seed: 1);
        await using BridgeHost bridge = await StartAsync(("acme", simulator.BaseAddress));

        string[] paths =
        [
            .. (await bridge.GetAsync("")).Split('\n').Where(line => line.StartsWith('/')).Select(line => line.Split(' ')[0]),
        ];

        Assert.Equal(["/metrics", "/health", "/live", "/ready"], paths);
        foreach (string path in paths)
        {
            Assert.Equal(200, (int)await StatusAsync(bridge, path));
        }
    }

    [Theory]
    [InlineData("gzip", true)]
    [InlineData("deflate, GZIP;q=0.5", true)]
    [InlineData("*", true)]
    [InlineData("gzip;q=0", false)]
    [InlineData("*, gzip;q=0", false)]
    [InlineData("br", false)]
    [InlineData("", false)]
    public async Task The_page_is_one_gzip_member_for_a_scraper_that_accepts_gzip(string accepted, bool isGzip)
    {
        await using RawServer service = RawServer.Start(RawServer.Answer(200, "text/plain", LargeText(5_000)));
        await using BridgeHost bridge = await StartAsync(("acme", service.BaseAddress));
        string plain = await bridge.GetAsync("metrics");
        using var http = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(bridge.Address, "metrics"));
        request.Headers.TryAddWithoutValidation("Accept-Encoding", accepted);

        using HttpResponseMessage response = await http.SendAsync(request).OrHangs();
        byte[] body = await response.Content.ReadAsByteArrayAsync();

        Assert.Equal(isGzip ? ["gzip"] : [], response.Content.Headers.ContentEncoding);
        Assert.Contains("Accept-Encoding", response.Headers.Vary);
        if (!isGzip)
        {
            Assert.Equal(plain.Length, body.Length);
            return;
        }

        Assert.InRange(body.Length, 1, plain.Length / 5);
        using var member = new GZipStream(new MemoryStream(body), CompressionMode.Decompress);
        Assert.Equal(plain, await new StreamReader(member).ReadToEndAsync());
        // curl reads only up to the end of the first deflate stream.
        using var blocks = new DeflateStream(new MemoryStream(body[10..]), CompressionMode.Decompress);
        Assert.Equal(plain, await new StreamReader(blocks).ReadToEndAsync());
    }

    [Theory]
    [InlineData("Histories:0:EndpointIds:0", "", "Histories:0:EndpointIds is invalid")]
    [InlineData(
        "Histories:0:EndpointId",
        "acme/app",
        "Unknown setting Bridge:RemoteWrite:Histories:0:EndpointId. Allowed: Account, EndpointIds, "
    )]
    [InlineData(
        "Histories:1:EndpointIds",
        "acme/other",
        "Bridge:RemoteWrite:Histories:1:EndpointIds is missing: write the first as Bridge:RemoteWrite:Histories:1:EndpointIds:0"
    )]
    [InlineData("Histories:0:Timeframe", "Week", "it must be Minute, Hour or Day")]
    [InlineData(
        "Histories:0:Timeframe",
        "Minutely",
        "Bridge:RemoteWrite:Histories:0:Timeframe is 'Minutely'; it must be Minute, Hour or Day."
    )]
    [InlineData("Histories:0:Metrics", "Summary", "Histories:0:Metrics is 'Summary'; it must be one or more of")]
    [InlineData("Histories:0:Metrics", "request_count", "RequestCount, ")]
    [InlineData("Histories:0:Since", "-00:01:00", "Since is '-00:01:00'; it must be a time of at most 36500 days")]
    [InlineData("Histories:0:Since", "24:00:00", "Bridge:RemoteWrite:Histories:0:Since is '24:00:00'; it must be a time of at most 36500 " +
        "days: 00:30:00 is half an hour, 1.00:00:00 a day")]
    [InlineData("Histories:0:Since", "7", "1.00:00:00 a day")]
    [InlineData("Histories:0:Since", "7d", "1.00:00:00 a day")]
    [InlineData("Histories:0:Since", "40000.00:00:00", "at most 36500 days")]
    [InlineData("Histories:0:Account", "globex", "There is no account 'globex'")]
    [InlineData("Histories:1:EndpointIds:0", "acme/app/route", "names 'acme/app/route' more than once")]
    public async Task A_history_that_is_wrong_stops_the_start_and_is_named(string name, string value, string message)
    {
        Dictionary<string, string?> settings = new(Settings(("acme", new Uri("http://127.0.0.1:9/v1"))))
        {
            ["Bridge:RemoteWrite:Url"] = "http://127.0.0.1:9/write",
            ["Bridge:RemoteWrite:Histories:0:Account"] = "acme",
            ["Bridge:RemoteWrite:Histories:0:EndpointIds:0"] = "acme/app",
        };
        if (name.Contains(":1:", StringComparison.Ordinal))
        {
            settings["Bridge:RemoteWrite:Histories:1:Account"] = "acme";
        }

        settings[$"Bridge:RemoteWrite:{name}"] = value;

        InvalidOperationException failure = await Assert.ThrowsAsync<InvalidOperationException>(() =>
            BridgeHost.StartAsync(settings, _clock)
        );

        Assert.Contains(message, failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_log_says_at_the_start_what_is_read_and_where_it_goes_without_what_may_be_secret()
    {
        await using FalSimulator simulator = await StartSimulatorAsync(seed: 1);
        DirectoryInfo folder = Directory.CreateTempSubdirectory("fal-bridge-");
        string state = Path.Combine(folder.FullName, "state.json");
        Dictionary<string, string?> more = OtlpTo("http://127.0.0.1:9/?token=hidden");
        more["Bridge:RemoteWrite:Url"] = "http://127.0.0.1:9/api/v1/write?token=hidden";
        more["Bridge:RemoteWrite:StateFile"] = Path.GetRelativePath(Environment.CurrentDirectory, state);
        more["Bridge:RemoteWrite:Histories:0:Account"] = "acme";
        more["Bridge:RemoteWrite:Histories:0:EndpointIds:0"] = "acme/app";
        more["Bridge:RemoteWrite:Histories:0:Timeframe"] = "hour";
        await using (BridgeHost bridge = await StartAsync([("acme", simulator.BaseAddress)], more))
        {
            Assert.Equal(
                $"Accounts: acme at {simulator.BaseAddress}. Remote write: acme Hour acme/app to http://127.0.0.1:9/api/v1/write, its " +
                    $"state in {state}. OTLP: to http://127.0.0.1:9/.",
                Assert.Single(_log.GetSnapshot(), record => record.Id.Id == 7).Message);
        }

        folder.Delete(recursive: true);
    }

    [Fact]
    public async Task OTLP_over_HTTP_arrives_with_every_family_and_the_account()
    {
        await using FalSimulator simulator = await StartSimulatorAsync(seed: 1);
        var bodies = new ConcurrentQueue<(string Path, string Body)>();
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
        await using WebApplication collector = builder.Build();
        collector.Run(async context =>
        {
            using var body = new MemoryStream();
            await context.Request.Body.CopyToAsync(body);
            bodies.Enqueue((context.Request.Path, Encoding.Latin1.GetString(body.ToArray())));
        });
        await collector.StartAsync();
        await using BridgeHost bridge = await StartAsync([("acme", simulator.BaseAddress)], OtlpTo(collector.Urls.First()));

        Assert.True(bridge.Services.GetRequiredService<MeterProvider>().ForceFlush(60_000));

        (string path, string text) = Assert.Single(bodies);
        Assert.Equal("/v1/metrics", path);
        Assert.All(
            (await PageAsync(bridge)).Families.Where(family => family.Samples.Count > 0),
            family => Assert.Contains(family.Name, text, StringComparison.Ordinal));
        Assert.Contains("acme", text, StringComparison.Ordinal);
        Assert.Contains("fal-bridge-of-the-test", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_collector_that_cannot_be_reached_is_named_in_the_log_and_the_page_goes_on()
    {
        await using FalSimulator simulator = await StartSimulatorAsync(seed: 1);
        await using BridgeHost bridge = await StartAsync([("acme", simulator.BaseAddress)], OtlpTo("http://127.0.0.1:9"));

        bridge.Services.GetRequiredService<MeterProvider>().ForceFlush(60_000);

        FakeLogRecord[] complaints = [.. _log.GetSnapshot().Where(record => record.Id.Id == 5)];
        Assert.Contains(complaints, record => record.Message.Contains("127.0.0.1:9", StringComparison.Ordinal));
        Assert.All(complaints, record => Assert.DoesNotContain('\n', record.Message));
        Assert.Equal([("acme", 1)], Up(await PageAsync(bridge)));
    }

    private static IEnumerable<(string Kind, double Count)> LeftOutOf(PrometheusExposition page, string account) =>
        page["fal_bridge_left_out_total"]!
            .Samples.Where(sample => sample.Labels["account"] == account)
            .Select(sample => (sample.Labels["kind"]!, sample.Value));

    private static async Task<System.Net.HttpStatusCode> StatusAsync(BridgeHost bridge, string path)
    {
        using var http = new HttpClient();
        using HttpResponseMessage response = await http.GetAsync(new Uri(bridge.Address, path)).OrHangs();
        return response.StatusCode;
    }

    private static string LargeText(int samples) =>
        $"# TYPE large gauge\n{string.Concat(Enumerable.Range(0, samples).Select(i => $"large{{series=\"{i:D100}\"}} 1\n"))}";

    /// <summary>Asks for the page, and reads nothing of it. Completes when the page is being sent.</summary>
    private async Task<Socket> StuckScraperAsync(BridgeHost bridge)
    {
        var scraper = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ReceiveBufferSize = 4096 };
        await scraper.ConnectAsync("127.0.0.1", bridge.Address.Port);
        await scraper.SendAsync("GET /metrics HTTP/1.1\r\nHost: bridge\r\n\r\n"u8.ToArray());
        await _clock.TimerAsync(MetricsPage.LongestScrape);
        return scraper;
    }

    /// <summary>Takes note of the lengths of what is written.</summary>
    private sealed class PiecesStream : MemoryStream
    {
        public List<int> Pieces { get; } = [];

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            Pieces.Add(buffer.Length);
            return ValueTask.CompletedTask;
        }
    }

    private sealed class BrokenWorker : BackgroundService
    {
        protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.FromException(new InvalidDataException("It broke."));
    }

    private static Dictionary<string, string?> OtlpTo(string address) => new()
    {
        ["OTEL_EXPORTER_OTLP_ENDPOINT"] = address,
        ["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf",
        ["OTEL_SERVICE_NAME"] = "fal-bridge-of-the-test",
        // The test flushes the exporter itself, so the hourly export never runs.
        ["OTEL_METRIC_EXPORT_INTERVAL"] = "3600000",
    };

    private static Dictionary<string, string?> Settings(params IEnumerable<(string Name, Uri Address)> accounts)
    {
        var settings = new Dictionary<string, string?>();
        foreach ((string name, Uri address) in accounts)
        {
            settings[$"Fal:Accounts:{name}:ApiKey"] = FalAccount.Key;
            settings[$"Fal:Accounts:{name}:BaseAddress"] = address.ToString();
            settings[$"Fal:Accounts:{name}:MaxAttempts"] = "1";
            // Shorter than any pause, so that the pauses can be recognised among the clock's timers.
            settings[$"Fal:Accounts:{name}:AttemptTimeout"] = settings[$"Fal:Accounts:{name}:TotalTimeout"] = "00:00:14";
        }

        return settings;
    }

    private static IEnumerable<(string Account, double Value)> Up(PrometheusExposition page) =>
        page["fal_up"]!.Samples.Select(sample => (sample.Labels["account"]!, sample.Value)).Order();

    private static IEnumerable<string> AccountsOf(PrometheusExposition page) =>
        page.Families.Where(family => family.Name.StartsWith("fal_app_", StringComparison.Ordinal)).SelectMany(family => family.Samples)
            .Select(sample => sample.Labels["account"]!).Distinct().Order(StringComparer.Ordinal);

    private static async Task<PrometheusExposition> PageAsync(BridgeHost bridge) =>
        PrometheusTextParser.ParseFamilies(await bridge.GetAsync("metrics"), PrometheusParserOptions.Strict);

    /// <summary>The service's families on the page are those of the accounts' present snapshots, with the label of each.</summary>
    private static async Task AssertShowsAsync(PrometheusExposition page, params (string Account, FalSimulator Simulator)[] accounts)
    {
        List<string> expected = [];
        foreach ((string account, FalSimulator simulator) in accounts)
        {
            using var fal = new FalObservabilityClient(o => (o.ApiKey, o.BaseAddress) = (FalAccount.Key, simulator.BaseAddress));
            FalMetricsSnapshot snapshot = await fal.Metrics.GetSnapshotAsync();
            expected.AddRange(
                snapshot
                    .Families.SelectMany(family => family.Samples)
                    .Select(sample => new PrometheusSample(sample.Name, sample.Labels.With("account", account), sample.Value).ToString())
            );
            Assert.All(
                snapshot.Families,
                family => Assert.Equal((family.Type, family.Help), (page[family.Name]!.Type, page[family.Name]!.Help))
            );
        }

        Assert.Equal(
            expected.Order(StringComparer.Ordinal),
            page.Families.Where(family => family.Name.StartsWith("fal_app_", StringComparison.Ordinal)).SelectMany(family => family.Samples)
                .Select(sample => sample.ToString()).Order(StringComparer.Ordinal));
    }

    private async Task<FalSimulator> StartSimulatorAsync(int seed)
    {
        var options = new FalSimulatorOptions { Key = FalAccount.Key, Seed = seed, TimeProvider = _serviceClock };
        FalSimulator simulator = await FalSimulator.StartAsync(options);
        _faults[simulator] = options.Faults;
        return simulator;
    }

    private Task<BridgeHost> StartAsync(params (string Name, Uri Address)[] accounts) => StartAsync(accounts, []);

    /// <summary>Starts a bridge, and completes when it has read every account once.</summary>
    private async Task<BridgeHost> StartAsync((string Name, Uri Address)[] accounts, Dictionary<string, string?> more)
    {
        BridgeHost bridge = await BridgeHost.StartAsync(Settings(accounts).Concat(more), _clock, new FakeLoggerProvider(_log));
        await ReadAsync(accounts.Length);
        return bridge;
    }

    private async Task ReadAgainAsync(int accounts)
    {
        _clock.Advance(1.1 * Interval);
        await ReadAsync(accounts);
    }

    private async Task ReadAsync(int accounts)
    {
        for (int i = 0; i < accounts; i++)
        {
            await _clock.TimerAsync(Interval, 1.1 * Interval);
        }
    }
}
