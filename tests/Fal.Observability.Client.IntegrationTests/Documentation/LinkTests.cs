using System.Text.RegularExpressions;
using Xunit;

namespace Fal.Observability.Client.IntegrationTests.Documentation;

/// <summary>
/// Every link within the repository leads somewhere: the file is there, and so is the heading. A folder has no page in the site of docfx.
/// </summary>
public sealed partial class LinkTests
{
    public static TheoryData<string> Pages => [.. Repository.Pages];

    [Theory]
    [MemberData(nameof(Pages))]
    public void Every_link_leads_to_a_file_and_a_heading(string page)
    {
        Assert.Equal("", string.Join('\n',
            from Match link in Link().Matches(WithoutCode(Repository.Read(page)))
            let target = link.Groups["target"].Value
            where !target.Contains(':', StringComparison.Ordinal) && !Resolves(page, target)
            select target));
    }

    [Theory]
    [InlineData("docs/README.md", "]({0})")]
    [InlineData("docs/toc.yml", "href: {0}\n")]
    public void The_index_and_the_site_name_every_page_of_docs(string index, string link)
    {
        string text = Repository.Read(index);

        Assert.All(
            Repository.Pages.Where(page => page.StartsWith("docs/", StringComparison.Ordinal) && page != "docs/README.md"),
            page => Assert.Contains(link.Replace("{0}", page["docs/".Length..], StringComparison.Ordinal), text, StringComparison.Ordinal));
    }

    private static bool Resolves(string page, string target)
    {
        string[] parts = target.Split('#');
        string path =
            parts[0].Length == 0
                ? page
                : Path.GetRelativePath(
                    Repository.Root,
                    Path.GetFullPath(Path.Combine(Repository.Root, Path.GetDirectoryName(page)!, parts[0]))
                );
        return parts.Length == 1
            ? File.Exists(Path.Combine(Repository.Root, path))
            : File.Exists(Path.Combine(Repository.Root, path))
                && Anchors(Repository.Read(path)).Contains(parts[1], StringComparer.OrdinalIgnoreCase);
    }

    /// <summary>
    /// The anchors that a heading gets where Markdown is shown: without punctuation, blanks as hyphens. Letters are compared in any case.
    /// </summary>
    private static IEnumerable<string> Anchors(string text) => Heading().Matches(WithoutCode(text)).Select(heading =>
        Punctuation().Replace(heading.Groups["text"].Value.Trim(), "").Replace(' ', '-'));

    private static string WithoutCode(string text) => CodeBlock().Replace(text, "");

    [GeneratedRegex(@"\]\((?<target>[^()\s]+)\)")]
    private static partial Regex Link();

    [GeneratedRegex("^#+ (?<text>.+)$", RegexOptions.Multiline)]
    private static partial Regex Heading();

    [GeneratedRegex(@"[^\w\- ]")]
    private static partial Regex Punctuation();

    [GeneratedRegex("^```.*?^```", RegexOptions.Singleline | RegexOptions.Multiline)]
    private static partial Regex CodeBlock();
}
