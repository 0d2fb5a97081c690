using System.Globalization;
using System.Text.RegularExpressions;
using Xunit;

namespace Fal.Observability.Client.IntegrationTests.Simulator;

/// <summary>A line of the simulator's exposition, read without the client.</summary>
internal sealed partial record SimulatedSample(string Family, Dictionary<string, string> Labels, double Value)
{
    public string App => Labels["application"];

    public static List<SimulatedSample> ReadAll(string text) =>
    [
        .. text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(line => line[0] != '#').Select(line =>
        {
            Match match = SampleLine().Match(line);
            Assert.True(match.Success, line);
            return new SimulatedSample(
                match.Groups["family"].Value,
                match.Groups["name"].Captures
                    .Zip(match.Groups["text"].Captures).ToDictionary(pair => pair.First.Value, pair => pair.Second.Value),
                double.Parse(match.Groups["value"].Value, CultureInfo.InvariantCulture));
        }),
    ];

    [GeneratedRegex("""^(?<family>[a-z_]+)\{((?<name>[a-z_]+)="(?<text>[^"\\]*)",?)+\} (?<value>\S+)$""", RegexOptions.ExplicitCapture)]
    private static partial Regex SampleLine();
}
