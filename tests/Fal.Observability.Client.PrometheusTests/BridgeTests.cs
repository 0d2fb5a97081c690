using System.Globalization;
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
            series.Select(one => Text(one.Labels.Where(label => label.Key is not ("__name__" or "job" or "instance")), one.Value)).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Those_are_all_the_families_but_the_bridges_own()
    {
        IReadOnlyList<PrometheusSeries> stored = await accounts.Prometheus.QueryAsync("count by (__name__) ({__name__=~\"fal_.+\"})");

        Assert.Equal(
            Families.Select(row => row.Data).Concat(
            [
                "fal_up", "fal_publisher_last_success_timestamp_seconds", "fal_publisher_snapshot_age_seconds",
                "fal_publisher_scrape_duration_seconds", "fal_publisher_scrape_samples", "fal_publisher_scrape_failures_total",
            ]).Order(StringComparer.Ordinal),
            stored.Select(series => series.Labels["__name__"]).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Rules_and_alerts_see_each_account_by_itself()
    {
        foreach ((string account, FalMetricsSnapshot snapshot) in accounts.Snapshots)
        {
            IReadOnlyList<PrometheusSeries> waiting = await accounts.Prometheus.QueryAsync($"application:fal_app_queue_size:max{{account=\"{account}\"}}");
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
        Assert.Equal(ScrapeTests.ListedLints, output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Distinct().Order(StringComparer.Ordinal));
    }

    private static string Text(IEnumerable<KeyValuePair<string, string>> labels, double value)
    {
        IEnumerable<string> ordered = labels.Select(label => $"{label.Key}=\"{label.Value}\"").Order(StringComparer.Ordinal);
        return string.Create(CultureInfo.InvariantCulture, $"{{{string.Join(',', ordered)}}} {value:R}");
    }
}
