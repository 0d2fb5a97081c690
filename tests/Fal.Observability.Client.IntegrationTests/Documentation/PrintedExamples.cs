using System.Text;
using System.Text.RegularExpressions;
using Fal.Observability.Client.Testing;
using Xunit;

namespace Fal.Observability.Client.IntegrationTests.Documentation;

/// <summary>The blocks of the pages that run, each with the output that the page prints below it.</summary>
internal static partial class PrintedExamples
{
    public const string Program = "csharp";
    public const string Commands = "sh";

    public static TimeProvider Clock { get; } = new StillClock(new DateTimeOffset(2026, 7, 2, 12, 34, 56, TimeSpan.Zero));

    public static IEnumerable<string> PagesWith(string language) =>
        Repository.Pages.Where(page =>
            Example().Matches(Repository.Read(page)).Any(example => example.Groups["language"].Value == language));

    public static Task<FalSimulator> StartSimulatorAsync() =>
        FalSimulator.StartAsync(new FalSimulatorOptions { Seed = 7, TimeProvider = Clock }, TestContext.Current.CancellationToken);

    /// <summary>
    /// Runs the examples of a page in their order and compares what they print. With FAL_UPDATE_DOCS=1 it is written into the page.
    /// </summary>
    public static async Task CompareAsync(string page, Func<string, string, Task<string>> run)
    {
        string text = Repository.Read(page);
        var shown = new StringBuilder();
        int copied = 0;
        foreach (Match example in Example().Matches(text))
        {
            string printed = await run(example.Groups["language"].Value, example.Groups["code"].Value);
            Group output = example.Groups["output"];
            if (output.Success)
            {
                shown.Append(text, copied, output.Index - copied).Append(printed);
                copied = output.Index + output.Length;
            }
            else
            {
                Assert.Equal("", printed);
            }
        }

        shown.Append(text, copied, text.Length - copied);
        if (Environment.GetEnvironmentVariable("FAL_UPDATE_DOCS") == "1")
        {
            await File.WriteAllTextAsync(Path.Combine(Repository.Root, page), shown.ToString(), TestContext.Current.CancellationToken);
        }

        Assert.Equal(text, shown.ToString());
    }

    [GeneratedRegex(
        "^```(?<language>csharp|sh) run\n(?<code>.*?)^```\n(?:\n```text\n(?<output>.*?)^```)?",
        RegexOptions.Singleline | RegexOptions.Multiline)]
    private static partial Regex Example();
}
