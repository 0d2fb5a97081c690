using System.Text.RegularExpressions;
using Xunit;
using YamlDotNet.RepresentationModel;

namespace Fal.Observability.Client.PrometheusTests;

/// <summary>
/// A copy of <c>observability/prometheus</c> with a key beside it, as a user would put it onto a server. What cannot be the same
/// in a test is replaced by name, and has to be there to be replaced.
/// </summary>
public sealed partial class PrometheusFiles : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("fal-prometheus-");

    /// <param name="key">What the file with the key holds.</param>
    public PrometheusFiles(string key)
    {
        string source = Published("prometheus");
        foreach (string file in Directory.EnumerateFiles(source, "*", SearchOption.AllDirectories))
        {
            string copy = Path.Combine(_directory.FullName, Path.GetRelativePath(source, file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }

        File.WriteAllText(Path.Combine(_directory.FullName, "fal.key"), key);
    }

    /// <summary>The configuration that scrapes fal itself.</summary>
    public string Direct => Path.Combine(_directory.FullName, "scrape-direct.yml");

    /// <summary>The configuration that scrapes the bridge.</summary>
    public string Bridge => Path.Combine(_directory.FullName, "scrape-bridge.yml");

    /// <summary>The half of a configuration that only Prometheus reads: the rules, and where alerts go.</summary>
    public string Alerting => Path.Combine(_directory.FullName, "alerting.yml");

    /// <summary>The files of rules.</summary>
    public IEnumerable<string> Rules => Directory.EnumerateFiles(Path.Combine(_directory.FullName, "rules"), "*.yml");

    /// <summary>The files of tests of the rules.</summary>
    public IEnumerable<string> RuleTests => Directory.EnumerateFiles(Path.Combine(_directory.FullName, "rules", "tests"), "*.yml");

    /// <summary>A file or folder of <c>observability</c> as it is published.</summary>
    public static string Published(params string[] path) => Path.Combine([AppContext.BaseDirectory, "observability", .. path]);

    /// <summary>Aims the direct configuration at a stand-in for the service and shortens every interval to a second.</summary>
    public void AimDirectAt(Uri service)
    {
        ArgumentNullException.ThrowIfNull(service);
        Replace(Direct, "scheme: https", $"scheme: {service.Scheme}");
        Replace(Direct, "- api.fal.ai", $"- {service.Authority}");
        Hasten(Direct);
    }

    /// <summary>Aims the configuration of the bridge at one and shortens every interval to a second.</summary>
    public void AimBridgeAt(Uri bridge)
    {
        ArgumentNullException.ThrowIfNull(bridge);
        Replace(Bridge, "- fal-bridge:9464", $"- {bridge.Authority}");
        Hasten(Bridge);
    }

    /// <summary>Makes a whole configuration of Prometheus from a scrape file, as the documentation says it.</summary>
    public string WithAlerting(string scrape)
    {
        string whole = Path.ChangeExtension(scrape, "whole.yml");
        File.WriteAllText(whole, File.ReadAllText(scrape) + File.ReadAllText(Alerting));
        return whole;
    }

    /// <summary>A configuration that scrapes nothing.</summary>
    /// <param name="more">What stands in it.</param>
    public string WriteConfiguration(string more = "")
    {
        string path = Path.Combine(_directory.FullName, "prometheus.yml");
        File.WriteAllText(path, $"global:\n  scrape_interval: 1s\n{more}");
        return path;
    }

    /// <summary>Writes each group of rules into a file of its own.</summary>
    /// <returns>
    /// The files: those that record in the order of the rules, then those that alert, so that each comes after what it reads.
    /// </returns>
    public IReadOnlyList<string> WriteRuleGroups()
    {
        YamlMappingNode[] groups =
        [
            .. Rules.SelectMany(file => (YamlSequenceNode)Load(file)["groups"]).Cast<YamlMappingNode>()
                .OrderBy(group => ((YamlSequenceNode)group["rules"]).Any(rule => ((YamlMappingNode)rule).Children.ContainsKey("alert"))),
        ];
        return [.. groups.Index().Select(group => Write(PathOf($"group-{group.Index}.yml"), group.Item))];

        static string Write(string path, YamlMappingNode group)
        {
            using StreamWriter text = File.CreateText(path);
            new YamlStream(new YamlDocument(new YamlMappingNode("groups", new YamlSequenceNode(group)))).Save(text, assignAnchors: false);
            return path;
        }
    }

    /// <summary>Reads a file of YAML.</summary>
    public static YamlNode Load(string file)
    {
        var stream = new YamlStream();
        using StreamReader text = File.OpenText(file);
        stream.Load(text);
        return stream.Documents[0].RootNode;
    }

    /// <summary>A path beside the configurations.</summary>
    public string PathOf(string name) => Path.Combine(_directory.FullName, name);

    /// <summary>Replaces what stands exactly once in a file.</summary>
    public static void Replace(string file, string old, string replacement)
    {
        string[] parts = File.ReadAllText(file).Split(old);
        Assert.True(parts.Length == 2, $"'{old}' stands {parts.Length - 1} times in {Path.GetFileName(file)}.");
        File.WriteAllText(file, string.Join(replacement, parts));
    }

    /// <summary>Shortens the intervals of a configuration and of all rules to a second.</summary>
    public void Hasten(string configuration)
    {
        foreach (string file in Rules.Append(configuration))
        {
            string text = File.ReadAllText(file);
            Assert.Matches(Interval, text);
            File.WriteAllText(file, Interval.Replace(text, "${setting}: 1s"));
        }
    }

    public void Dispose() => _directory.Delete(recursive: true);

    [GeneratedRegex(@"\b(?<setting>interval|scrape_interval|scrape_timeout): \d+[smh]")]
    private static partial Regex Interval { get; }
}
