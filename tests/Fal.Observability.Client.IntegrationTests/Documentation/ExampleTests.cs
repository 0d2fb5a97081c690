using System.Globalization;
using System.Reflection;
using System.Runtime.Loader;
using System.Text;
using System.Text.RegularExpressions;
using Fal.Observability.Client.Testing;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Fal.Observability.Client.IntegrationTests.Documentation;

/// <summary>
/// A block that is marked <c>csharp run</c> is a complete program. It runs here as it is printed, against the simulator, and the block
/// below it is what it prints. <c>FAL_UPDATE_DOCS=1 dotnet test</c> writes the output into the pages.
/// </summary>
[Collection(nameof(ExampleTests))]
[CollectionDefinition(nameof(ExampleTests), DisableParallelization = true)]
public sealed partial class ExampleTests
{
    /// <summary>What a new console project has, and clients that reach the simulator instead of the service.</summary>
    private const string Surroundings =
        SnippetTests.ImplicitUsings + "global using Fal.Observability.Client.IntegrationTests.Documentation;";

    private static readonly DateTimeOffset Now = new(2026, 7, 2, 12, 34, 56, TimeSpan.Zero);

    public static TheoryData<string> PagesWithExample =>
        [.. Repository.Pages.Where(page => Example().IsMatch(Repository.Read(page)))];

    [Theory]
    [MemberData(nameof(PagesWithExample))]
    public async Task An_example_prints_what_its_page_says(string page)
    {
        var clock = new StillClock(Now);
        await using FalSimulator simulator = await FalSimulator.StartAsync(
            new FalSimulatorOptions { Seed = 7, TimeProvider = clock }, TestContext.Current.CancellationToken);
        Simulated.Service = simulator;
        Simulated.Clock = clock;

        string text = Repository.Read(page);
        var shown = new StringBuilder();
        int copied = 0;
        foreach (Match example in Example().Matches(text))
        {
            Group output = example.Groups["output"];
            shown.Append(text, copied, output.Index - copied).Append(await RunAsync(page, example.Groups["code"].Value));
            copied = output.Index + output.Length;
        }

        shown.Append(text, copied, text.Length - copied);
        if (Environment.GetEnvironmentVariable("FAL_UPDATE_DOCS") == "1")
        {
            await File.WriteAllTextAsync(Path.Combine(Repository.Root, page), shown.ToString(), TestContext.Current.CancellationToken);
        }

        Assert.Equal(text, shown.ToString());
    }

    [Fact]
    public void The_pages_of_the_tasks_have_an_example() =>
        Assert.Superset(
            new HashSet<string>
            {
                "README.md",
                "docs/start.md",
                "docs/metrics.md",
                "docs/analytics.md",
                "docs/reports.md",
                "docs/errors.md",
            },
            PagesWithExample.Select(row => row.Data).ToHashSet()
        );

    private static async Task<string> RunAsync(string page, string code)
    {
        code = code.Replace("new FalObservabilityClient(", "Simulated.Client(", StringComparison.Ordinal)
            .Replace(".AddFalObservability(", ".AddSimulatedFal(", StringComparison.Ordinal);
        CancellationToken cancellationToken = TestContext.Current.CancellationToken;
        var options = new CSharpParseOptions(LanguageVersion.Latest);
        var compilation = CSharpCompilation.Create(
            "Fal.Observability.Client.Example",
            [
                CSharpSyntaxTree.ParseText(Surroundings, options, cancellationToken: cancellationToken),
                CSharpSyntaxTree.ParseText(code, options, cancellationToken: cancellationToken),
            ],
            SnippetTests.Packages,
            new CSharpCompilationOptions(OutputKind.ConsoleApplication, nullableContextOptions: NullableContextOptions.Enable));
        using var image = new MemoryStream();
        string[] faults =
        [
            .. compilation.Emit(image, cancellationToken: cancellationToken).Diagnostics
                .Where(diagnostic => diagnostic.Severity >= DiagnosticSeverity.Warning && diagnostic.Id != "CS8981")
                .Select(diagnostic => diagnostic.ToString()),
        ];
        Assert.True(faults.Length == 0, $"{page}: {string.Join('\n', faults)}");

        image.Position = 0;
        var context = new AssemblyLoadContext(page, isCollectible: true);
        TextWriter console = Console.Out;
        CultureInfo culture = Thread.CurrentThread.CurrentCulture;
        using var output = new StringWriter { NewLine = "\n" };
        try
        {
            Console.SetOut(output);
            Thread.CurrentThread.CurrentCulture = CultureInfo.InvariantCulture;
            MethodInfo main = context.LoadFromStream(image).EntryPoint!;
            object? result = main.Invoke(null, main.GetParameters().Length == 0 ? null : [Array.Empty<string>()]);
            await (result as Task ?? Task.CompletedTask);
        }
        finally
        {
            Console.SetOut(console);
            Thread.CurrentThread.CurrentCulture = culture;
            context.Unload();
        }

        return output.ToString();
    }

    [GeneratedRegex("^```csharp run\n(?<code>.*?)^```\n\n```text\n(?<output>.*?)^```", RegexOptions.Singleline | RegexOptions.Multiline)]
    private static partial Regex Example();

}

/// <summary>Takes the place of the service for the programs that the pages show.</summary>
public static class Simulated
{
    public static FalSimulator Service { get; set; } = null!;

    public static TimeProvider Clock { get; set; } = null!;

    public static FalObservabilityClient Client(Action<FalObservabilityOptions>? configure = null) =>
        new(
            options =>
            {
                options.ApiKey = Service.Key;
                options.BaseAddress = Service.BaseAddress;
                configure?.Invoke(options);
            },
            builder => builder.Services.AddSingleton(Clock));

    public static FalObservabilityClient Client(string apiKey) => Client(options => options.ApiKey = apiKey);

    public static IFalObservabilityBuilder AddSimulatedFal(
        this IServiceCollection services,
        string account,
        Action<FalObservabilityOptions> configure
    ) =>
        services
            .AddSingleton(Clock)
            .AddFalObservability(
                account,
                options =>
                {
                    configure(options);
                    options.ApiKey = Service.Key;
                    options.BaseAddress = Service.BaseAddress;
                }
            );
}
