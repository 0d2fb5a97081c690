using System.Globalization;
using System.Reflection;
using System.Runtime.Loader;
using System.Text.RegularExpressions;
using Fal.Observability.Client.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Fal.Observability.Client.IntegrationTests.Documentation;

/// <summary>
/// A block that is marked <c>csharp run</c> is a complete program. It runs here as it is printed, against the simulator, and the block
/// below it is what it prints. A program that serves web pages prints nothing; the commands below it (<c>sh run</c>) show its pages.
/// <c>FAL_UPDATE_DOCS=1 dotnet test</c> writes the output into the pages.
/// </summary>
[Collection(nameof(ExampleTests))]
[CollectionDefinition(nameof(ExampleTests), DisableParallelization = true)]
public sealed partial class ExampleTests
{
    /// <summary>What a new console project has, and clients that reach the simulator instead of the service.</summary>
    private const string Surroundings =
        SnippetTests.ImplicitUsings + "global using Fal.Observability.Client.IntegrationTests.Documentation;";

    /// <summary>What a new web project has beside that.</summary>
    private const string WebSurroundings = """
        global using Microsoft.AspNetCore.Builder;
        global using Microsoft.AspNetCore.Hosting;
        global using Microsoft.AspNetCore.Http;
        global using Microsoft.AspNetCore.Routing;
        global using Microsoft.Extensions.Configuration;
        global using Microsoft.Extensions.DependencyInjection;
        global using Microsoft.Extensions.Hosting;
        global using Microsoft.Extensions.Logging;

        """;

    public static TheoryData<string> PagesWithProgram => [.. PrintedExamples.PagesWith(PrintedExamples.Program)];

    [Theory]
    [MemberData(nameof(PagesWithProgram))]
    public async Task An_example_prints_what_its_page_says(string page)
    {
        await using FalSimulator simulator = await PrintedExamples.StartSimulatorAsync();
        await using var commands = new PrintedCommands(simulator);
        Simulated.Service = simulator;
        Simulated.Clock = PrintedExamples.Clock;
        Simulated.Commands = commands;

        await PrintedExamples.CompareAsync(page, (language, code) =>
            language == PrintedExamples.Program ? RunAsync(page, code) : commands.RunAsync(code));
    }

    [Fact]
    public void The_first_example_of_a_page_runs()
    {
        // Their first blocks belong to tools and projects that no test of this project has: the SDK, Prometheus, benchmarks.
        string[] others = ["docs/aot.md", "docs/monitoring.md", "docs/performance.md"];

        Assert.All(
            Repository.Pages
                .Where(page => page.StartsWith("docs/", StringComparison.Ordinal) && !others.Contains(page))
                .Where(page => FirstBlock().IsMatch(Repository.Read(page))),
            page => Assert.EndsWith(" run", FirstBlock().Match(Repository.Read(page)).Groups["marker"].Value, StringComparison.Ordinal));
    }

    private static async Task<string> RunAsync(string page, string code)
    {
        code = code.Replace("new FalObservabilityClient(", "Simulated.Client(", StringComparison.Ordinal)
            .Replace(".AddFalObservability(", ".AddSimulatedFal(", StringComparison.Ordinal)
            .Replace("app.Run();", "await Simulated.ServeAsync(app);", StringComparison.Ordinal);
        string surroundings = code.Contains("WebApplication.", StringComparison.Ordinal) ? WebSurroundings + Surroundings : Surroundings;
        CancellationToken cancellationToken = TestContext.Current.CancellationToken;
        var options = new CSharpParseOptions(LanguageVersion.Latest);
        var compilation = CSharpCompilation.Create(
            "Fal.Observability.Client.Example",
            [
                CSharpSyntaxTree.ParseText(surroundings, options, cancellationToken: cancellationToken),
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

    [GeneratedRegex("^```(?<marker>[^\n]*)$", RegexOptions.Multiline)]
    private static partial Regex FirstBlock();
}

/// <summary>Takes the place of the service for the programs that the pages show.</summary>
public static class Simulated
{
    public static FalSimulator Service { get; set; } = null!;

    public static TimeProvider Clock { get; set; } = null!;

    internal static PrintedCommands Commands { get; set; } = null!;

    public static FalObservabilityClient Client(Action<FalObservabilityOptions>? configure = null) =>
        new(
            options =>
            {
                options.BaseAddress = Service.BaseAddress;
                configure?.Invoke(options);
                if (options.ApiKeyProvider is null)
                {
                    options.ApiKey ??= Service.Key;
                }
            },
            builder => builder.Services.AddSingleton(Clock));

    public static FalObservabilityClient Client(string apiKey) => Client(options => options.ApiKey = apiKey);

    /// <summary>The registration of a web application. The still clock is the client's alone, and nothing is logged.</summary>
    public static IFalObservabilityBuilder AddSimulatedFal(this IServiceCollection services) =>
        services
            .AddSingleton(Clock)
            .AddLogging(logging => logging.ClearProviders())
            .AddFalObservability(options => (options.ApiKey, options.BaseAddress) = (Service.Key, Service.BaseAddress));

    /// <summary>Starts what a program would run until it is stopped, for the commands that the page shows next.</summary>
    public static async Task ServeAsync(WebApplication app)
    {
        app.Urls.Add("http://127.0.0.1:0");
        await app.StartAsync();
        await FirstReadAsync(app.Services.GetRequiredService<FalMetricsPublisher>()).OrHangs();
        Commands.Serve(app);

        static async Task FirstReadAsync(FalMetricsPublisher publisher)
        {
            while (publisher.State.LastSuccess is null)
            {
                await Task.Yield();
            }
        }
    }

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
