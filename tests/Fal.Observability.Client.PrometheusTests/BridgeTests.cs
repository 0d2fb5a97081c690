using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace Fal.Observability.Client.PrometheusTests;

/// <summary>What a real Prometheus reads through the bridge is what the client reads, and whose it is.</summary>
public sealed class BridgeTests(BridgedAccounts accounts)
{
    public static TheoryData<string> Families => ScrapeTests.Families;

    [Theory]
    [MemberData(nameof(Families))]
    public async Task A_family_has_the_same_series_and_values_in_PromQL_as_in_the_snapshots_of_both_accounts(string family)
    {
        string[] snapshots =
        [
            .. accounts.Snapshots.SelectMany(account => account.Value.Exposition[family]!.Samples.Select(sample =>
                Text(sample.Labels.With("account", account.Key), sample.Value))).Order(StringComparer.Ordinal),
        ];

        IReadOnlyList<PrometheusSeries> series = await accounts.Prometheus.QueryAsync(family);

        Assert.NotEmpty(snapshots);
        Assert.Equal(
            snapshots,
            series
                .Select(one => Text(one.Labels.Where(label => label.Key is not ("__name__" or "job" or "instance")), one.Value))
                .Order(StringComparer.Ordinal)
        );
    }

    [Fact]
    public async Task Those_are_all_the_families_but_the_bridges_own()
    {
        IReadOnlyList<PrometheusSeries> stored = await accounts.Prometheus.QueryAsync("count by (__name__) ({__name__=~\"fal_.+\"})");

        Assert.Equal(
            Families.Select(row => row.Data).Concat(
            [
                "fal_bridge_left_out_total", "fal_up", "fal_publisher_last_success_timestamp_seconds", "fal_publisher_snapshot_age_seconds",
                "fal_publisher_scrape_duration_seconds", "fal_publisher_scrape_samples", "fal_publisher_scrape_failures_total",
            ]).Order(StringComparer.Ordinal),
            stored.Select(series => series.Labels["__name__"]).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Rules_and_alerts_see_each_account_by_itself()
    {
        foreach ((string account, FalMetricsSnapshot snapshot) in accounts.Snapshots)
        {
            IReadOnlyList<PrometheusSeries> waiting = await accounts.Prometheus.QueryAsync(
                $"application:fal_app_queue_size:max{{account=\"{account}\"}}"
            );
            Assert.Equal(
                snapshot.Apps.Where(app => app.QueueSize is not null).Select(app => (app.Name, app.QueueSize!.Value)).Order(),
                waiting.Select(series => (series.Labels["application"], series.Value)).Order());
        }
    }

    [Fact]
    public async Task Promtool_finds_no_lint_in_the_page_but_those_of_the_services_own_names()
    {
        (int exitCode, string output) = await Promtool.RunAsync(accounts.Page, "check", "metrics");

        Assert.Equal(3, exitCode);
        Assert.Equal(
            ScrapeTests.ListedLints,
            output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Distinct().Order(StringComparer.Ordinal)
        );
    }

    [Fact]
    public async Task Promtool_reads_the_page_of_accounts_whose_names_contradict_each_other_and_the_bridges()
    {
        await using WebApplication acme = await StartServiceAsync(
            "text/plain",
            "# TYPE h histogram\nh_bucket{le=\"+Inf\"} 1\nh_sum 1\nh_count 1\n{\"my.utf8 name\"} 1\nlabq{\"a.b\"=\"1\"} 1\n"
            + "# TYPE fal_analytics_latency histogram\nfal_analytics_latency_bucket{le=\"+Inf\"} 1\nfal_analytics_latency_sum " +
                "1\nfal_analytics_latency_count 1\n");
        await using WebApplication globex = await StartServiceAsync(
            "application/openmetrics-text; version=1.0.0",
            "# TYPE h_bucket gauge\nh_bucket 3\n# TYPE fal_publisher_scrape_failures counter\nfal_publisher_scrape_failures_total 9\n# " +
                "EOF\n");
        await using BridgeHost bridge = await BridgeHost.StartAsync(
            new Dictionary<string, string?>
            {
                ["Fal:Accounts:acme:ApiKey"] = "test-id:test-secret",
                ["Fal:Accounts:acme:BaseAddress"] = acme.Urls.First(),
                ["Fal:Accounts:globex:ApiKey"] = "test-id:test-secret",
                ["Fal:Accounts:globex:BaseAddress"] = globex.Urls.First(),
            },
            TimeProvider.System);
        string page;
        do
        {
            page = await bridge.GetAsync("metrics");
        } while (
            !page.Contains("labq", StringComparison.Ordinal) || !page.Contains("\nh_bucket{account=\"globex\"}", StringComparison.Ordinal)
        );

        (int exitCode, string output) = await Promtool.RunAsync(page, "check", "metrics");

        // 3 is a lint, such as a family without help.
        Assert.True(exitCode is 0 or 3, output);
    }

    private static async Task<WebApplication> StartServiceAsync(string contentType, string text)
    {
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
        WebApplication service = builder.Build();
        service.Run(context =>
        {
            context.Response.ContentType = contentType;
            return context.Response.WriteAsync(text);
        });
        await service.StartAsync();
        return service;
    }

    private static string Text(IEnumerable<KeyValuePair<string, string>> labels, double value)
    {
        IEnumerable<string> ordered = labels.Select(label => $"{label.Key}=\"{label.Value}\"").Order(StringComparer.Ordinal);
        return string.Create(CultureInfo.InvariantCulture, $"{{{string.Join(',', ordered)}}} {value:R}");
    }
}
