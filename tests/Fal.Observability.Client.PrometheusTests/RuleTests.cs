using System.Text.Json;
using System.Text.RegularExpressions;
using Xunit;
using YamlDotNet.RepresentationModel;

namespace Fal.Observability.Client.PrometheusTests;

/// <summary>The published scrape configurations and rules, judged by promtool and by a Prometheus that runs them.</summary>
public sealed partial class RuleTests(MonitoredAccount account) : IDisposable
{
    private readonly PrometheusFiles _files = new(MonitoredAccount.Key);

    [Fact]
    public async Task Promtool_accepts_the_configurations_as_they_are_published()
    {
        Assert.Equal(
            0,
            await RunAsync(
                "check",
                "config",
                _files.Direct,
                _files.Bridge,
                _files.WithAlerting(_files.Direct),
                _files.WithAlerting(_files.Bridge)
            )
        );
    }

    /// <summary>vmalert writes what a group records later, and with labels added: a mixture would compare two moments.</summary>
    [Fact]
    public void No_expression_reads_what_its_own_group_records_or_mixes_recorded_with_raw_series()
    {
        YamlMappingNode[] groups =
        [
            .. _files.Rules.SelectMany(file => (YamlSequenceNode)PrometheusFiles.Load(file)["groups"]).Cast<YamlMappingNode>(),
        ];
        HashSet<string> recorded = [.. groups.SelectMany(RecordedBy)];

        Assert.NotEmpty(recorded);
        foreach (YamlMappingNode ruleGroup in groups)
        {
            HashSet<string> own = [.. RecordedBy(ruleGroup)];
            foreach (YamlNode rule in (YamlSequenceNode)ruleGroup["rules"])
            {
                string expression = ((YamlScalarNode)rule["expr"]).Value!;
                string[] names = [.. SeriesName.Matches(Selector.Replace(expression, "")).Select(match => match.Value)];
                Assert.True(!names.Any(own.Contains), $"{expression} reads what its own group records.");
                Assert.True(
                    names.All(recorded.Contains) || !names.Any(recorded.Contains), $"{expression} mixes recorded series with raw ones.");
            }
        }

        static IEnumerable<string> RecordedBy(YamlMappingNode ruleGroup) =>
            from rule in ((YamlSequenceNode)ruleGroup["rules"]).Cast<YamlMappingNode>()
            where rule.Children.ContainsKey("record")
            select ((YamlScalarNode)rule["record"]).Value!;
    }

    [Fact]
    public async Task Promtool_accepts_the_rules()
    {
        Assert.Equal(0, await RunAsync(["check", "rules", "--lint-fatal", .. _files.Rules]));
    }

    [Fact]
    public async Task The_tests_of_the_rules_pass()
    {
        Assert.Equal(0, await RunAsync(["test", "rules", .. _files.RuleTests]));
    }

    [Fact]
    public async Task Every_rule_evaluates_and_every_recording_rule_records()
    {
        // The groups run side by side, so one may not have had its turn yet.
        await account.Prometheus.WaitUntilAsync(
            async () => (await RulesAsync()).All(rule => rule.GetProperty("health").GetString() != "unknown"),
            "a rule was never evaluated"
        );

        foreach (JsonElement rule in await RulesAsync())
        {
            string name = rule.GetProperty("name").GetString()!;
            Assert.True(rule.GetProperty("health").GetString() == "ok", $"{name}: {rule}");
            IReadOnlyList<PrometheusSeries> answer = await account.Prometheus.QueryAsync(rule.GetProperty("query").GetString()!);
            if (rule.GetProperty("type").GetString() == "recording")
            {
                Assert.True(answer.Count > 0, $"{name} records nothing.");
                IReadOnlyList<PrometheusSeries> recorded = await account.Prometheus.WaitForAsync(name);
                Assert.All(
                    recorded,
                    series =>
                        Assert.True(
                            !name.StartsWith("application:", StringComparison.Ordinal)
                                || account.Snapshot[series.Labels["application"]] is not null,
                            $"{name} has lost the application."
                        )
                );
            }
        }
    }

    [Fact]
    public async Task Every_alert_has_a_severity_a_summary_and_a_runbook()
    {
        JsonElement[] alerts = [.. (await RulesAsync()).Where(rule => rule.GetProperty("type").GetString() == "alerting")];

        Assert.NotEmpty(alerts);
        Assert.All(alerts, alert =>
        {
            Assert.Contains(alert.GetProperty("labels").GetProperty("severity").GetString(), (IEnumerable<string?>)["critical", "warning"]);
            Assert.NotEmpty(alert.GetProperty("annotations").GetProperty("summary").GetString()!);
            Assert.NotEmpty(alert.GetProperty("annotations").GetProperty("runbook").GetString()!);
        });
    }

    [Fact]
    public async Task Every_alert_has_a_case_in_which_it_fires_and_one_in_which_it_must_not()
    {
        (string Name, string Severity)[] alerts =
        [
            .. (await RulesAsync()).Where(rule => rule.GetProperty("type").GetString() == "alerting")
                .Select(rule => (rule.GetProperty("name").GetString()!, rule.GetProperty("labels").GetProperty("severity").GetString()!)),
        ];

        var fires = new HashSet<(string, string)>();
        var isSilent = new HashSet<string>();
        foreach (YamlMappingNode @case in _files.RuleTests.SelectMany(AlertCases))
        {
            string name = ((YamlScalarNode)@case["alertname"]).Value!;
            var expected = (YamlSequenceNode)@case["exp_alerts"];
            if (expected.Children.Count == 0)
            {
                isSilent.Add(name);
            }

            fires.UnionWith(expected.Select(alert => (name, ((YamlScalarNode)alert["exp_labels"]["severity"]).Value!)));
        }

        Assert.Equal(alerts.Order(), fires.Order());
        Assert.Equal(alerts.Select(alert => alert.Name).Distinct().Order(), isSilent.Order());
    }

    [Fact]
    public async Task No_rule_takes_a_rate_of_a_gauge()
    {
        Assert.All(await RulesAsync(), rule => Assert.DoesNotMatch(RateFunction, rule.GetProperty("query").GetString()!));
    }

    public void Dispose() => _files.Dispose();

    /// <summary>The functions that are meant for counters.</summary>
    [GeneratedRegex(@"\b(rate|irate|increase|resets)\s*\(")]
    internal static partial Regex RateFunction { get; }

    [GeneratedRegex(@"\b(up|((account|application):)?fal[_:]\w+(:\w+)*)\b")]
    private static partial Regex SeriesName { get; }

    [GeneratedRegex(@"\{[^}]*\}")]
    private static partial Regex Selector { get; }

    private static IEnumerable<YamlMappingNode> AlertCases(string file)
    {
        foreach (YamlNode test in (YamlSequenceNode)PrometheusFiles.Load(file)["tests"])
        {
            if (((YamlMappingNode)test).Children.TryGetValue("alert_rule_test", out YamlNode? cases))
            {
                foreach (YamlNode @case in (YamlSequenceNode)cases)
                {
                    yield return (YamlMappingNode)@case;
                }
            }
        }
    }

    private static async Task<int> RunAsync(params IEnumerable<string> arguments)
    {
        (int exitCode, string output) = await Promtool.RunAsync("", arguments);
        TestContext.Current.TestOutputHelper!.WriteLine(output);
        return exitCode;
    }

    private async Task<IReadOnlyList<JsonElement>> RulesAsync() =>
    [
        .. (await account.Prometheus.GetAsync("api/v1/rules")).GetProperty("groups").EnumerateArray()
            .SelectMany(group => group.GetProperty("rules").EnumerateArray()),
    ];
}
