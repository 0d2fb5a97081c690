using System.Text.Json;
using System.Text.RegularExpressions;
using Fal.Observability.Client.Testing;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Fal.Observability.Client.PrometheusTests;

/// <summary>The published Grafana dashboard: its shape, and its expressions against the Prometheus that it would ask.</summary>
public sealed partial class DashboardTests(MonitoredAccount account, BridgedAccounts bridged)
{
    private const int Columns = 24;

    private static readonly JsonElement Dashboard = Read();

    private static IEnumerable<JsonElement> Panels => Dashboard.GetProperty("panels").EnumerateArray();

    private static IEnumerable<JsonElement> Variables => Dashboard.GetProperty("templating").GetProperty("list").EnumerateArray();

    /// <summary>Panels that show data, by title, and their queries, by letter.</summary>
    private static IEnumerable<(string Panel, string RefId, JsonElement Target)> Targets =>
        from panel in Panels
        where panel.GetProperty("type").GetString() != "row"
        from target in panel.GetProperty("targets").EnumerateArray()
        select (
            $"{panel.GetProperty("id").GetInt32()} {panel.GetProperty("title").GetString()}",
            target.GetProperty("refId").GetString()!,
            target
        );

    public static TheoryData<string, string> Queries
    {
        get
        {
            var queries = new TheoryData<string, string>();
            foreach ((string panel, string refId, _) in Targets)
            {
                queries.Add(panel, refId);
            }

            return queries;
        }
    }

    [Theory]
    [MemberData(nameof(Queries))]
    public async Task A_query_returns_data_whatever_is_selected(string panel, string refId)
    {
        JsonElement target = Targets.Single(one => one.Panel == panel && one.RefId == refId).Target;
        string expression = target.GetProperty("expr").GetString()!;
        string everyApp = $"({string.Join('|', account.Snapshot.Apps.Select(app => app.Name))})";

        foreach ((string accountValue, string application) in new[] { (".*", ".*"), ("(my-account|another)", everyApp) })
        {
            IReadOnlyList<PrometheusSeries> answer = await account.Prometheus.QueryAsync(Fill(expression, accountValue, application));

            Assert.Contains(answer, series => double.IsFinite(series.Value));
            foreach (Match label in LegendLabel.Matches(target.GetProperty("legendFormat").GetString()!))
            {
                Assert.All(answer, series => Assert.Contains(label.Groups["name"].Value, series.Labels));
            }
        }
    }

    [Theory]
    [MemberData(nameof(Queries))]
    public async Task A_query_returns_the_data_of_both_accounts_through_the_bridge(string panel, string refId)
    {
        string expression = Targets.Single(one => one.Panel == panel && one.RefId == refId).Target.GetProperty("expr").GetString()!;

        foreach (string selected in bridged.Snapshots.Keys.Append(".*"))
        {
            IReadOnlyList<PrometheusSeries> answer = await bridged.Prometheus.QueryAsync(Fill(expression, selected, ".*"));

            Assert.Contains(answer, series => double.IsFinite(series.Value));
            Assert.All(answer, series => Assert.Matches($"^({selected})$", series.Labels.GetValueOrDefault("account", selected)));
        }
    }

    [Fact]
    public async Task A_selected_app_is_the_only_one_shown()
    {
        string app = account.Snapshot.Apps[0].Name;

        foreach ((string panel, string refId, JsonElement target) in Targets)
        {
            IReadOnlyList<PrometheusSeries> answer =
                await account.Prometheus.QueryAsync(Fill(target.GetProperty("expr").GetString()!, ".*", app));
            Assert.True(
                answer.All(series => series.Labels.GetValueOrDefault("application", app) == app),
                $"{panel}, {refId} shows other apps too."
            );
        }
    }

    [Fact]
    public async Task Headline_numbers_are_those_of_the_snapshot()
    {
        double queued = account.Snapshot.Apps.Sum(app => app.QueueSize ?? 0);
        double running = account.Snapshot.Apps.Sum(app => app.RunnersInState(FalRunnerStates.Running) ?? 0);
        double completed = account.Snapshot.Apps.Sum(app => app.RequestsCompleted ?? 0);
        double failed = account.Snapshot.Apps.SelectMany(app => app.RequestsCompletedByStatus)
            .Where(count => count.Status!.StartsWith('5')).Sum(count => count.Count);

        Assert.Equal(queued, await ValueOfAsync("Requests waiting"));
        Assert.Equal(running, await ValueOfAsync("Runners up"));
        Assert.Equal(completed, await ValueOfAsync("Requests a minute"));
        Assert.Equal(failed / completed, await ValueOfAsync("Error ratio"));
        Assert.InRange(await ValueOfAsync("Age of the data"), 0, 30);

        async Task<double> ValueOfAsync(string title)
        {
            return Assert.Single(await account.Prometheus.QueryAsync(Fill(ExpressionOf(title), ".*", ".*"))).Value;
        }
    }

    /// <summary>"0 runners" would read as an outage.</summary>
    [Fact]
    public async Task Headline_numbers_say_no_data_when_there_is_none()
    {
        using var files = new PrometheusFiles(MonitoredAccount.Key);
        await using PrometheusServer empty = await PrometheusServer.StartAsync(files.WriteConfiguration());

        foreach (JsonElement panel in Panels.Where(panel => panel.GetProperty("type").GetString() == "stat"))
        {
            string title = panel.GetProperty("title").GetString()!;
            Assert.Equal("no data", panel.GetProperty("fieldConfig").GetProperty("defaults").GetProperty("noValue").GetString());
            Assert.Empty(await empty.QueryAsync(Fill(ExpressionOf(title), ".*", ".*")));
        }
    }

    [Fact]
    public async Task The_age_of_the_data_goes_on_growing_when_no_scrape_succeeds()
    {
        FalSimulator simulator = await MonitoredAccount.StartSimulatorAsync(new FakeTimeProvider(MonitoredAccount.Instant));
        using var files = new PrometheusFiles(MonitoredAccount.Key);
        files.AimDirectAt(simulator.BaseAddress);
        await using PrometheusServer prometheus = await PrometheusServer.StartAsync(files.Direct);
        await using (simulator)
        {
            await prometheus.WaitForNextScrapeAsync("fal");
        }

        await prometheus.WaitForAsync("up{job=\"fal\"} == 0 unless on () fal_app_queue_size");

        // The panel remembers the newest sample of each minute; a test has no minutes to wait.
        string age = Fill(ExpressionOf("Age of the newest sample"), ".*", ".*");
        Assert.Contains("[1h:1m]", age, StringComparison.Ordinal);
        await prometheus.WaitForAsync($"({age.Replace("[1h:1m]", "[1h:1s]", StringComparison.Ordinal)}) > 2");
    }

    [Fact]
    public async Task The_variables_have_values_to_choose_from()
    {
        Assert.Equal(["datasource", "account", "application"], Variables.Select(variable => variable.GetProperty("name").GetString()));
        foreach (JsonElement variable in Variables.Skip(1))
        {
            Match query = LabelValues.Match(variable.GetProperty("query").GetProperty("query").GetString()!);
            Assert.True(query.Success);
            string selector = Uri.EscapeDataString(Fill(query.Groups["selector"].Value, ".*", ".*"));

            JsonElement values = await account.Prometheus.GetAsync($"api/v1/label/{query.Groups["label"].Value}/values?match[]={selector}");

            Assert.NotEqual(0, values.GetArrayLength());
            // Also matches series without the label, which a Prometheus without accounts has.
            Assert.Equal(".*", variable.GetProperty("allValue").GetString());
        }
    }

    [Fact]
    public void It_can_be_imported_into_any_Grafana()
    {
        Assert.False(Dashboard.TryGetProperty("id", out _), "A number of one Grafana.");
        Assert.False(Dashboard.TryGetProperty("apiVersion", out _), "A form that only the newest Grafana reads.");
        Assert.InRange(Dashboard.GetProperty("schemaVersion").GetInt32(), 36, 41);
        Assert.NotEmpty(Dashboard.GetProperty("title").GetString()!);
        Assert.InRange(Dashboard.GetProperty("uid").GetString()!.Length, 8, 40);
        Assert.All(
            Panels
                .Where(panel => panel.GetProperty("type").GetString() != "row")
                .Concat(Targets.Select(target => target.Target))
                .Concat(Variables.Skip(1)),
            element => Assert.Equal("${datasource}", element.GetProperty("datasource").GetProperty("uid").GetString())
        );
        Assert.Equal(Panels.Count(), Panels.Select(panel => panel.GetProperty("id").GetInt32()).Distinct().Count());
        Assert.All(
            Panels,
            panel => Assert.Contains(panel.GetProperty("type").GetString(), (IEnumerable<string?>)["row", "stat", "timeseries"])
        );
        Assert.All(
            Panels.Where(panel => panel.GetProperty("type").GetString() != "row"),
            panel => Assert.NotEmpty(panel.GetProperty("description").GetString()!));

        var taken = new HashSet<(int, int)>();
        foreach (JsonElement panel in Panels)
        {
            JsonElement position = panel.GetProperty("gridPos");
            int x = position.GetProperty("x").GetInt32(), width = position.GetProperty("w").GetInt32();
            int y = position.GetProperty("y").GetInt32(), height = position.GetProperty("h").GetInt32();
            Assert.InRange(x + width, 1, Columns);
            Assert.All(
                from column in Enumerable.Range(x, width) from row in Enumerable.Range(y, height) select (column, row),
                cell => Assert.True(taken.Add(cell), $"{panel.GetProperty("title")} lies over another panel."));
        }
    }

    [Fact]
    public void No_query_takes_a_rate_of_a_gauge_and_none_names_a_variable_that_is_not_there()
    {
        Assert.All(Targets, target =>
        {
            string expression = target.Target.GetProperty("expr").GetString()!;
            Assert.DoesNotMatch(RuleTests.RateFunction, expression);
            Assert.DoesNotContain("$", Fill(expression, "", ""), StringComparison.Ordinal);
        });
    }

    [GeneratedRegex(@"\{\{\s*(?<name>\w+)\s*\}\}")]
    private static partial Regex LegendLabel { get; }

    [GeneratedRegex(@"^label_values\((?<selector>.+), (?<label>\w+)\)$")]
    private static partial Regex LabelValues { get; }

    /// <summary>The first query of a panel, the first of that title.</summary>
    private static string ExpressionOf(string title) =>
        Targets.First(target => target.Panel.EndsWith($" {title}", StringComparison.Ordinal)).Target.GetProperty("expr").GetString()!;

    /// <summary>What Grafana makes of an expression before it sends it.</summary>
    private static string Fill(string expression, string accountValue, string application) => expression
        .Replace("$account", accountValue, StringComparison.Ordinal)
        .Replace("$application", application, StringComparison.Ordinal)
        .Replace("$__rate_interval", "1m", StringComparison.Ordinal);

    private static JsonElement Read()
    {
        using var document = JsonDocument.Parse(File.ReadAllText(PrometheusFiles.Published("grafana", "fal-overview.json")));
        return document.RootElement.Clone();
    }
}
