using Xunit;
using YamlDotNet.RepresentationModel;

namespace Fal.Observability.Client.PrometheusTests;

/// <summary>The published configuration of the Datadog Agent, as far as it can be judged without an Agent.</summary>
public sealed class DatadogTests(MonitoredAccount account)
{
    private readonly YamlNode _instance = Read();

    [Fact]
    public void Every_family_is_mapped_to_a_name_of_its_own()
    {
        KeyValuePair<string, string>[] mapping = [.. ((YamlSequenceNode)_instance["metrics"]).SelectMany(Pairs)];

        Assert.Equal(
            account.Snapshot.Families.Select(family => family.Name).Order(StringComparer.Ordinal),
            mapping.Select(pair => pair.Key).Order(StringComparer.Ordinal));
        Assert.All(mapping, pair => Assert.Equal(pair.Key, $"fal_{pair.Value.Replace('.', '_')}"));
    }

    [Fact]
    public void Every_label_but_the_machine_type_gets_a_tag_that_is_told_from_others()
    {
        string[] labels =
        [
            .. account.Snapshot.Families.SelectMany(family => family.Samples).SelectMany(sample => sample.Labels)
                .Select(label => label.Key).Distinct(),
        ];

        Assert.Equal(
            labels.Where(label => label != "machine_type").Order(StringComparer.Ordinal),
            Pairs(_instance["rename_labels"]).Select(pair => pair.Key).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void The_key_comes_from_the_agents_secrets_and_the_agents_own_headers_stay()
    {
        Assert.Equal("https://api.fal.ai/v1/serverless/metrics", Scalar("openmetrics_endpoint"));
        // A secret stands for a whole value: anything around the brackets would be sent as it is.
        Assert.Matches(@"^ENC\[\w+\]$", ((YamlScalarNode)_instance["extra_headers"]["Authorization"]).Value!);
        Assert.DoesNotContain(new YamlScalarNode("headers"), ((YamlMappingNode)_instance).Children.Keys);
    }

    [Fact]
    public void The_agent_asks_no_more_often_than_the_service_answers_anew_and_drops_no_series()
    {
        Assert.InRange(int.Parse(Scalar("min_collection_interval"), System.Globalization.CultureInfo.InvariantCulture), 10, 60);
        int perApp = account.Snapshot.Families.Sum(family => family.Samples.Count) / account.Snapshot.Apps.Count;
        Assert.InRange(
            int.Parse(Scalar("max_returned_metrics"), System.Globalization.CultureInfo.InvariantCulture),
            1000 * perApp,
            int.MaxValue
        );
    }

    private static IEnumerable<KeyValuePair<string, string>> Pairs(YamlNode mapping) =>
        ((YamlMappingNode)mapping).Children.Select(pair =>
            KeyValuePair.Create(((YamlScalarNode)pair.Key).Value!, ((YamlScalarNode)pair.Value).Value!)
        );

    private static YamlNode Read()
    {
        var stream = new YamlStream();
        using StreamReader text = File.OpenText(PrometheusFiles.Published("datadog", "openmetrics.d", "conf.yaml"));
        stream.Load(text);
        return stream.Documents[0].RootNode["instances"][0];
    }

    private string Scalar(string option) => ((YamlScalarNode)_instance[option]).Value!;
}
