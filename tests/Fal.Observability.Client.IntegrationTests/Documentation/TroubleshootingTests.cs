using System.Reflection;
using System.Text.RegularExpressions;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Xunit;

namespace Fal.Observability.Client.IntegrationTests.Documentation;

/// <summary>
/// TROUBLESHOOTING.md quotes messages so that a reader can search for them. It quotes in italics, and in headings behind the type of an
/// exception. Three dots stand for what differs from case to case.
/// </summary>
public sealed partial class TroubleshootingTests
{
    private const string Varying = "\u2026";

    private static readonly string Root = typeof(TroubleshootingTests).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>()
        .Single(attribute => attribute.Key == "RepositoryRoot").Value!;

    public static TheoryData<string> Quotes() =>
        [
            .. Quote()
                .Matches(File.ReadAllText(Path.Combine(Root, "TROUBLESHOOTING.md")))
                .Select(match => match.Groups["text"].Value)
                .Distinct(),
        ];

    [Theory]
    [MemberData(nameof(Quotes))]
    public void A_quoted_message_is_a_message_of_the_code(string quote)
    {
        string[] parts = [.. quote.Split("...", StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)];
        var pattern = new Regex(
            @"\b" + string.Join(".*", parts.Select(Regex.Escape)) + @"(?!\w)",
            RegexOptions.IgnoreCase | RegexOptions.CultureInvariant | RegexOptions.Singleline);

        Assert.True(quote.Contains(' ', StringComparison.Ordinal), $"'{quote}' is one word, which says too little to be found.");
        Assert.True(Messages().Any(pattern.IsMatch), $"No message in the code reads '{quote}'.");
    }

    [Fact]
    public void Quotes_are_found_in_texts_and_in_headings()
    {
        string[] quotes = [.. Quotes().Select(quote => quote.Data)];

        Assert.True(quotes.Length >= 20);
        Assert.Contains(quotes, quote => quote.Contains("did not open a tunnel", StringComparison.Ordinal));
        Assert.Contains(quotes, quote => quote.Contains("checkpoint", StringComparison.Ordinal));
    }

    /// <summary>The texts that the client's code makes, those that are put together of several literals as one.</summary>
    private static IEnumerable<string> Messages() =>
        from path in Directory.EnumerateFiles(Path.Combine(Root, "src", "Fal.Observability.Client"), "*.cs", SearchOption.AllDirectories)
        where !path.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}", StringComparison.Ordinal)
        from node in CSharpSyntaxTree.ParseText(File.ReadAllText(path)).GetRoot().DescendantNodes()
        where IsText(node) && !IsText(node.Parent)
        select TextOf((ExpressionSyntax)node);

    private static bool IsText(SyntaxNode? node) =>
        node is InterpolatedStringExpressionSyntax or BinaryExpressionSyntax { RawKind: (int)SyntaxKind.AddExpression }
        || node.IsKind(SyntaxKind.StringLiteralExpression);

    private static string TextOf(ExpressionSyntax expression) => expression switch
    {
        LiteralExpressionSyntax literal when literal.IsKind(SyntaxKind.StringLiteralExpression) => literal.Token.ValueText,
        BinaryExpressionSyntax { RawKind: (int)SyntaxKind.AddExpression } sum => TextOf(sum.Left) + TextOf(sum.Right),
        InterpolatedStringExpressionSyntax text => string.Concat(text.Contents.Select(content => content switch
        {
            InterpolatedStringTextSyntax part => part.TextToken.ValueText,
            InterpolationSyntax part => TextOf(part.Expression),
            _ => Varying,
        })),
        InvocationExpressionSyntax { Expression: IdentifierNameSyntax { Identifier.ValueText: "nameof" } } name =>
            name.ArgumentList.Arguments[0].Expression.ToString().Split('.')[^1],
        _ => Varying,
    };

    [GeneratedRegex(@"(?<![\w*])\*(?<text>[^*\s][^*\n]*)\*(?![\w*])|^## `\w+`: (?<text>.+?)\r?$", RegexOptions.Multiline)]
    private static partial Regex Quote();
}
