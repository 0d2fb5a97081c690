using System.Text.RegularExpressions;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Xunit;

namespace Fal.Observability.Client.IntegrationTests.Documentation;

/// <summary>The folders of the client depend on each other only as the table in CONTRIBUTING.md says.</summary>
public sealed partial class LayeringTests
{
    private static readonly string Source = Path.Combine(Repository.Root, "src", "Fal.Observability.Client");

    /// <summary>The folders, the folders that the code of each uses, and an example of each use.</summary>
    private static readonly Lazy<SortedDictionary<string, SortedDictionary<string, string>>> Used = new(ReadSource);

    [Fact]
    public void Every_folder_uses_only_those_that_the_table_lets_it_know()
    {
        SortedDictionary<string, string[]> table = ReadTable(out SortedDictionary<string, string[]> known);
        SortedDictionary<string, SortedDictionary<string, string>> used = Used.Value;

        Assert.Equal(used.Keys.Order(StringComparer.Ordinal), table.Keys);
        Assert.Equal("", string.Join('\n',
            from folder in used
            from other in folder.Value
            where !known[folder.Key].Contains(other.Key)
            select $"{folder.Key} knows {other.Key}: {other.Value}"));
    }

    [Fact]
    public void No_row_of_the_table_names_a_folder_that_is_not_used()
    {
        Assert.Equal("", string.Join('\n',
            from row in ReadTable(out _)
            from other in row.Value
            where !Used.Value[row.Key].ContainsKey(other)
            select $"{row.Key} does not use {other}"));
    }

    [Fact]
    public void The_table_has_no_circle()
    {
        ReadTable(out SortedDictionary<string, string[]> known);

        Assert.DoesNotContain(known, row => row.Value.Contains(row.Key));
    }

    /// <summary>The rows of the table by folder: the folders that each row names, and all folders that it reaches through them.</summary>
    private static SortedDictionary<string, string[]> ReadTable(out SortedDictionary<string, string[]> known)
    {
        var table = new SortedDictionary<string, string[]>(StringComparer.Ordinal);
        foreach (string line in File.ReadLines(Path.Combine(Repository.Root, "CONTRIBUTING.md")))
        {
            if (Row().Match(line) is { Success: true } row)
            {
                table.Add(row.Groups["folder"].Value, [.. Name().Matches(row.Groups["knows"].Value).Select(name => name.Groups[1].Value)]);
            }
        }

        known = new(table.ToDictionary(row => row.Key, row => Closure(row.Key)), StringComparer.Ordinal);
        return table;

        string[] Closure(string folder)
        {
            var found = new List<string>();
            var open = new Queue<string>(table[folder]);
            while (open.TryDequeue(out string? next))
            {
                if (!found.Contains(next))
                {
                    found.Add(next);
                    Array.ForEach(table[next], open.Enqueue);
                }
            }

            return [.. found];
        }
    }

    private static SortedDictionary<string, SortedDictionary<string, string>> ReadSource()
    {
        CSharpParseOptions options = CSharpParseOptions.Default.WithPreprocessorSymbols(
            "NET",
            "NET8_0_OR_GREATER",
            "NET9_0_OR_GREATER",
            "NET10_0_OR_GREATER"
        );
        SyntaxTree[] trees =
        [
            CSharpSyntaxTree.ParseText(
                "global using System; global using System.Collections.Generic; global using System.IO; global using System.Linq; "
                    + "global using System.Net.Http; global using System.Threading; global using System.Threading.Tasks;",
                options
            ),
            .. Directory
                .EnumerateFiles(Source, "*.cs", SearchOption.AllDirectories)
                .Select(path => CSharpSyntaxTree.ParseText(File.ReadAllText(path), options, path)),
        ];
        var compilation = CSharpCompilation.Create("client", trees, SnippetTests.Packages
            .Where(reference => Path.GetFileName(reference.Display) != "Fal.Observability.Client.dll"));
        var used = new SortedDictionary<string, SortedDictionary<string, string>>(StringComparer.Ordinal);
        foreach (SyntaxTree tree in trees.Skip(1))
        {
            string folder = FolderOf(tree);
            used.TryAdd(folder, new(StringComparer.Ordinal));
            SemanticModel model = compilation.GetSemanticModel(tree);
            foreach (SimpleNameSyntax name in tree.GetRoot().DescendantNodes().OfType<SimpleNameSyntax>())
            {
                foreach (
                    SyntaxReference declaration in model.GetSymbolInfo(name).Symbol is { } symbol and not INamespaceSymbol
                        ? symbol.DeclaringSyntaxReferences
                        : []
                )
                {
                    if (FolderOf(declaration.SyntaxTree) is var other && other != folder)
                    {
                        used[folder].TryAdd(other, $"{Path.GetFileName(tree.FilePath)} uses {name}");
                    }
                }
            }
        }

        return used;
    }

    /// <summary>The folder of a file. Files in the root are the public entry points, and belong to DependencyInjection.</summary>
    private static string FolderOf(SyntaxTree tree) =>
        Path.GetRelativePath(Source, Path.GetDirectoryName(tree.FilePath)!).Replace('\\', '/') is var folder && folder == "."
            ? "DependencyInjection"
            : folder;

    [GeneratedRegex(@"^\| `(?<folder>[\w./]+?)/?` \|[^|]*\|(?<knows>[^|]*)\|$")]
    private static partial Regex Row();

    [GeneratedRegex("`([^`]+)`")]
    private static partial Regex Name();
}
