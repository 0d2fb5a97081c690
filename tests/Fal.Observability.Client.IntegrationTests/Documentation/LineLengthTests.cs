using System.Globalization;
using System.Text.RegularExpressions;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.Text;
using Xunit;

namespace Fal.Observability.Client.IntegrationTests.Documentation;

/// <summary>No line is longer than <c>.editorconfig</c> allows, so that two files can be read side by side.</summary>
public sealed partial class LineLengthTests
{
    [Fact]
    public void No_line_is_longer_than_the_limit()
    {
        int limit = int.Parse(Limit().Match(Repository.Read(".editorconfig")).Groups["characters"].Value, CultureInfo.InvariantCulture);

        string[] tooLong = [.. Repository.Sources.SelectMany(path => TooLong(path, limit))];
        Assert.True(tooLong.Length == 0, string.Join('\n', tooLong));
    }

    /// <summary>
    /// A literal that another program reads, such as JSON or an exposition, may run on: broken up, it would be harder to compare.
    /// </summary>
    private static IEnumerable<string> TooLong(string path, int limit)
    {
        SourceText text = SourceText.From(Repository.Read(path));
        TextLine[] lines = [.. text.Lines.Where(line => line.Span.Length > limit)];
        if (lines.Length == 0)
        {
            return [];
        }

        SyntaxNode root = CSharpSyntaxTree.ParseText(text, new CSharpParseOptions(LanguageVersion.Latest)).GetRoot();
        return
            from line in lines
            where !IsLiteral(root, line.Start + limit)
            select $"{path}:{line.LineNumber + 1} has {line.Span.Length} characters";
    }

    private static bool IsLiteral(SyntaxNode root, int position)
    {
        SyntaxToken token = root.FindToken(position);
        return token.Span.Contains(position) && token.Kind() is SyntaxKind.StringLiteralToken or SyntaxKind.Utf8StringLiteralToken
            or SyntaxKind.SingleLineRawStringLiteralToken or SyntaxKind.MultiLineRawStringLiteralToken
            || token.Parent?.AncestorsAndSelf().Any(node => node.IsKind(SyntaxKind.InterpolatedStringExpression)) == true;
    }

    [GeneratedRegex(@"^max_line_length = (?<characters>\d+)$", RegexOptions.Multiline)]
    private static partial Regex Limit();
}
