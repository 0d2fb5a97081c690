using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Xml;
using System.Xml.Linq;
using Xunit;

namespace Fal.Observability.Client.IntegrationTests.Tools;

/// <summary>A page of <c>fal-obs report</c>, read back.</summary>
internal sealed class ReportFile
{
    private ReportFile(XDocument page) => Page = page;

    public XDocument Page { get; }

    /// <summary>What a person reads, with ordinary blanks.</summary>
    public string Text => string.Join(
        ' ', Page.Root!.Element("body")!.Value.Replace('\u00A0', ' ').Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));

    /// <summary>The values of the page by their place in the JSON.</summary>
    public IReadOnlyDictionary<string, string> Figures => Page.Descendants("data")
        .Where(figure => figure.Attribute("data-figure") is not null)
        .GroupBy(figure => figure.Attribute("data-figure")!.Value, StringComparer.Ordinal)
        .ToDictionary(same => same.Key, same => Assert.Single(same.Select(figure => figure.Attribute("value")!.Value).Distinct()));

    public static ReportFile Parse(byte[] html)
    {
        using var reader = XmlReader.Create(new MemoryStream(html), new XmlReaderSettings { DtdProcessing = DtdProcessing.Ignore });
        return new ReportFile(XDocument.Load(reader));
    }

    public static ReportFile Read(string path) => Parse(File.ReadAllBytes(path));

    /// <summary>The number at a place such as <c>apps[0].traffic.error_count.value</c>.</summary>
    public double? this[string figure] => double.Parse(Figures[figure], CultureInfo.InvariantCulture);

    /// <summary>The part of a JSON document at such a place.</summary>
    public static JsonElement At(JsonElement root, string figure)
    {
        foreach (string part in figure.Split('.'))
        {
            string[] words = part.TrimEnd(']').Split('[');
            root = root.GetProperty(words[0]);
            root = words.Length == 1 ? root : root[int.Parse(words[1], CultureInfo.InvariantCulture)];
        }

        return root;
    }

    public static string TextOf(byte[] html) => Encoding.UTF8.GetString(html);
}
