using System.Globalization;
using Fal.Observability.Client.Prometheus;
using Fal.Observability.Client.Testing;
using Microsoft.Extensions.DependencyInjection;
using OpenTelemetry.Metrics;
using Xunit;

namespace Fal.Observability.Client.IntegrationTests;

/// <summary>The publisher through the real OpenTelemetry SDK and its exporter to Prometheus, read back with our own parser.</summary>
[Collection(nameof(ScrapedHost))]
public sealed class OpenTelemetryTests
{
    [Theory]
    [InlineData("text/plain")]
    [InlineData(ScrapedHost.OpenMetrics)]
    public async Task A_scrape_gives_the_names_labels_and_values_of_the_service(string accept)
    {
        await using FalSimulator simulator = await FalSimulator.StartAsync(
            new FalSimulatorOptions
            {
                Seed = 1,
                Key = FalAccount.Key,
                Apps = 40,
            }
        );
        await using ScrapedHost host = await ScrapedHost.StartAsync(simulator.BaseAddress);

        IReadOnlyList<PrometheusSample> scraped = await host.ScrapeFamiliesAsync(accept);

        FalMetricsSnapshot snapshot = host.Publisher.State.Snapshot!;
        Assert.Equal(11, snapshot.Families.Count);
        AssertSameSeries(snapshot.Families.SelectMany(family => family.Samples), scraped);
        Assert.All(snapshot.Families, family => Assert.Equal(PrometheusMetricType.Gauge, family.Type));
    }

    [Fact]
    public async Task Units_and_help_come_through_without_changing_a_name()
    {
        await using FalSimulator simulator = await FalSimulator.StartAsync(new FalSimulatorOptions { Seed = 1, Key = FalAccount.Key });
        await using ScrapedHost host = await ScrapedHost.StartAsync(simulator.BaseAddress);

        PrometheusExposition scraped = await host.ScrapeAsync(ScrapedHost.OpenMetrics);

        Assert.Equal("bytes", scraped[FalMetricNames.RunnerMemoryUsageBytes]!.Unit);
        Assert.Equal("percent", scraped[FalMetricNames.RunnerCpuUsagePercent]!.Unit);
        Assert.Null(scraped[FalMetricNames.Runners]!.Unit);
        Assert.Equal(host.Publisher.State.Snapshot!.Exposition[FalMetricNames.Runners]!.Help, scraped[FalMetricNames.Runners]!.Help);
        Assert.All(
            new[]
            {
                "fal_up", "fal_publisher_last_success_timestamp_seconds", "fal_publisher_snapshot_age_seconds",
                "fal_publisher_scrape_duration_seconds", "fal_publisher_scrape_samples", "fal_publisher_scrape_failures",
            },
            name => Assert.NotNull(scraped[name]));
    }

    [Fact]
    public async Task Families_that_nobody_knows_yet_keep_their_names_whatever_their_type()
    {
        const string Exposition = """
            fal_requests_total{application="my/app"} 10
            # TYPE new_things_total counter
            new_things_total{a="x\"y\\z\n",b=""} 3
            # TYPE new_things counter
            new_things 4
            # TYPE new_seconds histogram
            new_seconds_bucket{le="0.5"} 1
            new_seconds_bucket{le="+Inf"} 2
            new_seconds_sum 1.25
            new_seconds_count 2
            # TYPE new_summary summary
            new_summary{quantile="0.9"} NaN
            new_summary_sum 4
            new_summary_count 0
            # TYPE new_ratio gauge
            new_ratio{a="1"} -Inf
            new_ratio{a="2"} 0.30000000000000004
            new_ratio{a="3"} 1e300

            """;
        await using var server = RawServer.Start(RawServer.Answer(200, "text/plain", Exposition));
        await using ScrapedHost host = await ScrapedHost.StartAsync(server.BaseAddress);

        IReadOnlyList<PrometheusSample> scraped = await host.ScrapeFamiliesAsync();

        AssertSameSeries(PrometheusTextParser.ParseFamilies(Exposition).Families.SelectMany(family => family.Samples), scraped);
        Assert.Equal(PrometheusMetricType.Counter, (await host.ScrapeAsync())["new_things_total"]!.Type);
    }

    [Fact]
    public async Task Units_of_OpenMetrics_change_no_name()
    {
        const string Exposition = """
            # TYPE up_seconds gauge
            # UNIT up_seconds seconds
            up_seconds 3
            # TYPE wait_seconds histogram
            # UNIT wait_seconds seconds
            wait_seconds_bucket{le="+Inf"} 2
            wait_seconds_count 2
            wait_seconds_sum 1
            # TYPE done counter
            done_total 5
            # EOF

            """;
        await using var server = RawServer.Start(RawServer.Answer(200, ScrapedHost.OpenMetrics, Exposition));
        await using ScrapedHost host = await ScrapedHost.StartAsync(server.BaseAddress);

        Assert.Equal(
            ["done_total 5", "up_seconds 3", "wait_seconds_bucket{le=\"+Inf\"} 2", "wait_seconds_count 2", "wait_seconds_sum 1"],
            Texts(await host.ScrapeFamiliesAsync()));
    }

    [Fact]
    public async Task Series_that_vanish_are_gone_new_ones_and_new_families_are_there()
    {
        await using var server = RawServer.Start(
            RawServer.Answer(200, "text/plain", "a{x=\"1\"} 1\na{x=\"2\"} 2\nb 3\n# TYPE c_total counter\nc_total{x=\"1\"} 1\n"),
            RawServer.Answer(200, "text/plain", "a{x=\"2\"} 2.5\na{x=\"3\"} 3\nd 4\n# TYPE c_total counter\nc_total{x=\"2\"} 7\n"));
        await using ScrapedHost host = await ScrapedHost.StartAsync(server.BaseAddress);
        Assert.Equal(["a{x=\"1\"} 1", "a{x=\"2\"} 2", "b 3", "c_total{x=\"1\"} 1"], Texts(await host.ScrapeFamiliesAsync()));

        await host.ReadAgainAsync();

        Assert.Equal(["a{x=\"2\"} 2.5", "a{x=\"3\"} 3", "c_total{x=\"2\"} 7", "d 4"], Texts(await host.ScrapeFamiliesAsync()));
    }

    [Fact]
    public async Task Stale_data_is_scraped_no_more_and_the_publisher_says_since_when()
    {
        await using var server = RawServer.Start(RawServer.Answer(200, "text/plain", "a 1\n"), RawServer.Answer(503, "text/plain", ""));
        await using ScrapedHost host = await ScrapedHost.StartAsync(server.BaseAddress);
        while (!host.Publisher.IsStale)
        {
            Assert.Equal(["a 1"], Texts(await host.ScrapeFamiliesAsync()));
            await host.ReadAgainAsync();
        }

        Assert.Empty(await host.ScrapeFamiliesAsync());
        PrometheusExposition scraped = await host.ScrapeAsync();
        Assert.Equal(0, Assert.Single(scraped["fal_up"]!.Samples).Value);
        Assert.True(Assert.Single(scraped["fal_publisher_snapshot_age_seconds"]!.Samples).Value > 120);
        Assert.Equal(
            (SteppedClock.FirstInstant - DateTimeOffset.UnixEpoch).TotalSeconds,
            Assert.Single(scraped["fal_publisher_last_success_timestamp_seconds"]!.Samples).Value
        );
        Assert.Equal(
            host.Publisher.State.FailuresInARow,
            scraped["fal_publisher_scrape_failures_total"]!.Samples.Sum(sample => sample.Value)
        );
    }

    [Fact]
    public async Task A_refused_key_does_not_end_the_host_and_shows_in_the_scrape()
    {
        await using FalSimulator simulator = await FalSimulator.StartAsync(new FalSimulatorOptions { Seed = 1, Key = "somebody:else" });
        await using ScrapedHost host = await ScrapedHost.StartAsync(simulator.BaseAddress, pauseAtMost: TimeSpan.FromMinutes(6));

        PrometheusExposition scraped = await host.ScrapeAsync();

        Assert.Equal(0, Assert.Single(scraped["fal_up"]!.Samples).Value);
        Assert.Equal(
            "authentication",
            Assert.Single(scraped["fal_publisher_scrape_failures_total"]!.Samples, sample => sample.Value == 1).Labels["kind"]
        );
        Assert.IsType<FalAuthenticationException>(host.Publisher.State.LastFailure);
        Assert.InRange(host.Pause, TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(5.5));
    }

    [Theory]
    [InlineData(507)]
    [InlineData(522)]
    [InlineData(530)]
    [InlineData(599)]
    public async Task A_status_of_the_edges_own_costs_one_read_and_no_pause(int status)
    {
        await using var server = RawServer.Start(
            RawServer.Answer(status, "text/html", "<html>"),
            RawServer.Answer(200, "text/plain", "a 1\n")
        );
        await using ScrapedHost host = await ScrapedHost.StartAsync(server.BaseAddress);

        PrometheusExposition failed = await host.ScrapeAsync();
        Assert.InRange(host.Pause, TimeSpan.FromSeconds(15), TimeSpan.FromSeconds(16.5));
        await host.ReadAgainAsync();
        PrometheusExposition recovered = await host.ScrapeAsync();

        Assert.Equal(0, Assert.Single(failed["fal_up"]!.Samples).Value);
        Assert.Equal(1, Assert.Single(recovered["fal_up"]!.Samples).Value);
        Assert.Equal(2, server.Heads.Count);
    }

    [Fact]
    public async Task A_scrape_makes_no_call_and_waits_for_none()
    {
        await using var server = RawServer.Start(RawServer.Answer(200, "text/plain", "a 1\n"), exchange => exchange.ClientLeavesAsync());
        await using ScrapedHost host = await ScrapedHost.StartAsync(server.BaseAddress);
        await server.ArrivalAsync();
        for (int i = 0; i < 5; i++)
        {
            Assert.Single(await host.ScrapeFamiliesAsync());
        }

        Assert.Single(server.Heads);
        host.Clock.Advance(host.Pause);
        await server.ArrivalAsync();
        Assert.Single(await host.ScrapeFamiliesAsync());
        Assert.Equal(2, server.Heads.Count);
    }

    [Fact]
    public async Task More_than_2000_series_of_a_metric_need_the_view_that_the_log_names()
    {
        string exposition = string.Concat(
            Enumerable
                .Range(0, 2500)
                .Select(i => string.Create(CultureInfo.InvariantCulture, $"fal_app_queue_size{{application=\"my/app-{i}\"}} {i}\n"))
        );
        await using var server = RawServer.Start(RawServer.Answer(200, "text/plain", exposition));

        await using (ScrapedHost host = await ScrapedHost.StartAsync(server.BaseAddress))
        {
            IReadOnlyList<PrometheusSample> cut = await host.ScrapeFamiliesAsync();
            Assert.Equal(2001, cut.Count);
            Assert.Single(cut, sample => sample.Labels["otel_metric_overflow"] == "true");
            Assert.Single(host.Log.GetSnapshot(), record => record.Id.Id == 23);
        }

        await using (
            ScrapedHost host = await ScrapedHost.StartAsync(
                server.BaseAddress,
                m => m.AddView("fal_*", new MetricStreamConfiguration { CardinalityLimit = 10_000 })
            )
        )
        {
            AssertSameSeries(PrometheusTextParser.ParseSamples(exposition), await host.ScrapeFamiliesAsync());
        }
    }

    [Fact]
    public async Task Several_accounts_are_told_apart_by_their_label()
    {
        await using FalSimulator acme = await FalSimulator.StartAsync(new FalSimulatorOptions { Key = FalAccount.Key, Seed = 1 });
        await using FalSimulator globex = await FalSimulator.StartAsync(new FalSimulatorOptions { Key = FalAccount.Key, Seed = 2 });
        await using ScrapedHost host = await ScrapedHost.StartAsync(
            services =>
            {
                foreach ((string account, FalSimulator simulator) in new[] { ("acme", acme), ("globex", globex) })
                {
                    services.AddFalObservability(account, o =>
                    {
                        o.ApiKey = FalAccount.Key;
                        o.BaseAddress = simulator.BaseAddress;
                    }).AddMetricsPublisher();
                }
            },
            publishers: 2);

        IReadOnlyList<PrometheusSample> scraped = await host.ScrapeFamiliesAsync();

        foreach (string account in new[] { "acme", "globex" })
        {
            FalMetricsSnapshot snapshot = host.Services.GetRequiredKeyedService<FalMetricsPublisher>(account).State.Snapshot!;
            AssertSameSeries(
                snapshot.Families.SelectMany(family => family.Samples),
                scraped
                    .Where(sample => sample.Labels["account"] == account)
                    .Select(sample => new PrometheusSample(sample.Name, sample.Labels.Without("account"), sample.Value))
            );
        }
    }

    private static void AssertSameSeries(IEnumerable<PrometheusSample> expected, IEnumerable<PrometheusSample> actual) =>
        Assert.Equal(Texts(expected), Texts(actual));

    /// <summary>The samples as text. Labels and samples are sorted, so that two results can be compared.</summary>
    private static IEnumerable<string> Texts(IEnumerable<PrometheusSample> samples) =>
        samples
            .Select(sample =>
                new PrometheusSample(
                    sample.Name,
                    LabelSet.Create(sample.Labels.OrderBy(label => label.Key, StringComparer.Ordinal)),
                    sample.Value
                ).ToString()
            )
            .Order(StringComparer.Ordinal);
}
