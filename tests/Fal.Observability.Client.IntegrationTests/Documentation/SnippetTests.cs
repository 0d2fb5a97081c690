using System.Globalization;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Xunit;

namespace Fal.Observability.Client.IntegrationTests.Documentation;

/// <summary>
/// The C# of the README, the documents and the comments of the package compiles as it is printed, so that nobody copies what does not
/// work.
/// </summary>
public sealed partial class SnippetTests
{
    /// <summary>The namespaces that a new console project imports by itself.</summary>
    internal const string ImplicitUsings = """
        global using System;
        global using System.Collections.Generic;
        global using System.IO;
        global using System.Linq;
        global using System.Net.Http;
        global using System.Threading;
        global using System.Threading.Tasks;

        """;

    /// <summary>
    /// What the text around a snippet has told the reader: the names that it may use, and a web application's namespaces.
    /// </summary>
    private const string Surroundings = ImplicitUsings + """
        global using Fal.Observability.Client;
        global using Fal.Observability.Client.Prometheus;
        global using Fal.Observability.Client.Testing;
        global using Microsoft.AspNetCore.Builder;
        global using Microsoft.AspNetCore.Http;
        global using Microsoft.Extensions.DependencyInjection;
        global using Microsoft.Extensions.Hosting;
        global using Microsoft.Extensions.Logging;
        global using OpenTelemetry.Metrics;
        global using OpenTelemetry.Trace;
        global using Polly;
        global using Polly.Retry;
        global using static Surroundings;

        internal interface IVault
        {
            ValueTask<string> GetSecretAsync(string name, CancellationToken cancellationToken);
        }

        internal static class Surroundings
        {
            internal static IFalObservabilityClient fal = null!;
            internal static WebApplicationBuilder builder = null!;
            internal static IServiceCollection services = null!;
            internal static OpenTelemetry.OpenTelemetryBuilder openTelemetry = null!;
            internal static ILogger logger = null!;
            internal static HttpResponse response = null!;
            internal static System.Net.IWebProxy proxy = null!;
            internal static Dictionary<string, string> vault = null!;
            internal static CancellationToken stoppingToken, cancellationToken, ct;
            internal static AnalyticsQuery query = null!;
            internal static string[] endpointIds = null!;
            internal static AnalyticsReport report = null!, requests = null!;
            internal static AnalyticsRow row = null!;
            internal static FalAppList apps = null!;
            internal static UsageReport usage = null!;
            internal static IProgress<AnalyticsProgress> progress = null!;
            internal static PrometheusExposition exposition = null!;
            internal static string body = null!;
            internal static FalSimulator sim = null!;
            internal static SimulatedApp app = null!;
            internal static TimeProvider clock = null!;
            internal static DateTimeOffset noon;
        }
        """;

    internal static readonly MetadataReference[] Packages =
    [
        .. ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!)
            .Split(Path.PathSeparator)
            .Select(path => MetadataReference.CreateFromFile(path)),
    ];

    public static TheoryData<string, int, string> Snippets()
    {
        var snippets = new TheoryData<string, int, string>();
        foreach (string page in Repository.Pages)
        {
            string text = Repository.Read(page);
            foreach (Match match in CSharpBlock().Matches(text))
            {
                snippets.Add(page, text.AsSpan(0, match.Index).Count('\n') + 1, match.Groups["code"].Value);
            }
        }

        // The examples in the comments of the packages, by the member that they belong to.
        foreach (string package in new[] { "Fal.Observability.Client", "Fal.Observability.Client.Testing" })
        {
            var comments = XDocument.Load(Path.Combine(AppContext.BaseDirectory, $"{package}.xml"));
            foreach (XElement member in comments.Descendants("member"))
            {
                foreach (XElement code in member.Elements("example").Elements("code"))
                {
                    snippets.Add((string)member.Attribute("name")!, 0, code.Value);
                }
            }
        }

        return snippets;
    }

    [Theory]
    [MemberData(nameof(Snippets))]
    public void A_snippet_compiles_as_it_is_printed(string document, int line, string code)
    {
        var options = new CSharpParseOptions(LanguageVersion.Latest);
        CancellationToken cancellationToken = TestContext.Current.CancellationToken;
        SyntaxTree snippet = CSharpSyntaxTree.ParseText(code, options, cancellationToken: cancellationToken);
        bool isProgram = snippet.GetRoot(cancellationToken).ChildNodes().OfType<GlobalStatementSyntax>().Any();
        var compilation = CSharpCompilation.Create(
            "Snippet",
            [CSharpSyntaxTree.ParseText(Surroundings, options, cancellationToken: cancellationToken), snippet],
            Packages,
            new CSharpCompilationOptions(
                isProgram ? OutputKind.ConsoleApplication : OutputKind.DynamicallyLinkedLibrary,
                nullableContextOptions: NullableContextOptions.Enable
            )
        );

        string[] errors = [.. compilation.GetDiagnostics(cancellationToken)
            .Where(diagnostic => diagnostic.Severity == DiagnosticSeverity.Error)
            .Select(diagnostic => string.Create(CultureInfo.InvariantCulture,
                $"{document}:{line + 1 + diagnostic.Location.GetLineSpan().StartLinePosition.Line}: {diagnostic.GetMessage(CultureInfo.InvariantCulture)}"))];
        Assert.True(errors.Length == 0, string.Join('\n', errors));
    }

    [Fact]
    public void Snippets_are_found_in_the_readme_and_the_documents()
    {
        Assert.Contains(Snippets(), snippet => snippet.Data.Item1 == "README.md");
        Assert.Contains(Snippets(), snippet => snippet.Data.Item1 == "docs/publishing.md");
        Assert.True(Snippets().Count(snippet => snippet.Data.Item1.StartsWith("M:Fal.", StringComparison.Ordinal)) >= 20);
    }

    [Fact]
    public void A_client_interface_has_two_short_examples() =>
        Assert.All(
            typeof(IFalObservabilityClient).Assembly.GetExportedTypes().Where(type => ClientInterface().IsMatch(type.Name)),
            type =>
            {
                string[] examples =
                [
                    .. Snippets()
                        .Where(snippet => $"{snippet.Data.Item1[2..]}.".StartsWith($"{type.FullName}.", StringComparison.Ordinal))
                        .Select(snippet => snippet.Data.Item3.Trim()),
                ];
                Assert.True(examples.Length >= 2, $"{type.Name} has {examples.Length} examples");
                Assert.All(examples, example => Assert.InRange(example.Split('\n').Length, 1, 10));
            });

    [GeneratedRegex("^IFal.*Client$")]
    private static partial Regex ClientInterface();

    [GeneratedRegex("^```csharp\n(?<code>.*?)^```", RegexOptions.Singleline | RegexOptions.Multiline)]
    private static partial Regex CSharpBlock();
}
