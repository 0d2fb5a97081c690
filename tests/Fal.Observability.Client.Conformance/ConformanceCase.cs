using System.Globalization;
using System.Text.Json;
using Fal.Observability.Client.Prometheus;

namespace Fal.Observability.Client.Conformance;

/// <summary>The result that a case requires of a level.</summary>
internal enum Verdict
{
    Accept,
    Reject,
    Either,
}

/// <summary>A folder with <c>input.txt</c> and <c>expect.json</c>.</summary>
internal sealed class ConformanceCase
{
    private ConformanceCase(string name, byte[] input, JsonElement expect)
    {
        Name = name;
        Input = input;
        FormatName = expect.GetProperty("format").GetString()!;
        Reader = ReadVerdict(expect, "reader");
        Families = ReadVerdict(expect, "families");
        Samples = expect.TryGetProperty("samples", out JsonElement samples)
            ? [.. samples.EnumerateArray().Select(ExpectedSample.Read)]
            : null;
        Metadata = expect.TryGetProperty("metadata", out JsonElement metadata)
            ? [.. metadata.EnumerateArray().Select(ExpectedMetadata.Read)]
            : null;
    }

    public string Name { get; }

    public byte[] Input { get; }

    public string FormatName { get; }

    public PrometheusFormat Format => FormatName == "openmetrics-1.0" ? PrometheusFormat.OpenMetrics : PrometheusFormat.Text;

    public Verdict Reader { get; }

    public Verdict Families { get; }

    public IReadOnlyList<ExpectedSample>? Samples { get; }

    public IReadOnlyList<ExpectedMetadata>? Metadata { get; }

    public static IEnumerable<ConformanceCase> ReadAll(string folder)
    {
        foreach (string path in Directory.EnumerateDirectories(folder).Order(StringComparer.Ordinal))
        {
            string expect = Path.Combine(path, "expect.json");
            if (!File.Exists(expect))
            {
                continue;
            }

            using var document = JsonDocument.Parse(File.ReadAllBytes(expect));
            yield return new ConformanceCase(
                Path.GetFileName(path),
                File.ReadAllBytes(Path.Combine(path, "input.txt")),
                document.RootElement
            );
        }
    }

    private static Verdict ReadVerdict(JsonElement expect, string level) => expect.GetProperty(level).GetString() switch
    {
        "accept" => Verdict.Accept,
        "reject" => Verdict.Reject,
        "either" => Verdict.Either,
        var other => throw new InvalidDataException($"'{other}' is not a verdict: use accept, reject or either."),
    };
}

internal sealed record ExpectedExemplar(Dictionary<string, string> Labels, double Value);

internal sealed record ExpectedMetadata(string Kind, string Name, string? Type, string? Unit, string? Help, string? Text)
{
    public static ExpectedMetadata Read(JsonElement json) => new(
        json.GetProperty("kind").GetString()!, json.GetProperty("name").GetString()!, Optional(json, "type"), Optional(json, "unit"),
        Optional(json, "help"), Optional(json, "text"));

    private static string? Optional(JsonElement json, string name) =>
        json.TryGetProperty(name, out JsonElement value) ? value.GetString() : null;
}

internal sealed record ExpectedSample(
    string Name,
    Dictionary<string, string> Labels,
    double Value,
    long? TimestampMilliseconds,
    string? TimestampSeconds,
    IReadOnlyList<ExpectedExemplar> Exemplars
)
{
    public static ExpectedSample Read(JsonElement json)
    {
        long? milliseconds = null;
        string? seconds = null;
        if (json.TryGetProperty("timestamp_ms", out JsonElement integer))
        {
            milliseconds = integer.GetInt64();
        }
        else if (json.TryGetProperty("timestamp_s", out JsonElement text))
        {
            // Exact: seconds with nine decimals. Beyond what milliseconds hold, the library gives the nearest that they do.
            seconds = text.GetString()!;
            decimal exact = decimal.Truncate(decimal.Parse(seconds, NumberStyles.Float, CultureInfo.InvariantCulture) * 1000m);
            milliseconds = exact > long.MaxValue ? long.MaxValue : exact < long.MinValue ? long.MinValue : (long)exact;
        }

        IReadOnlyList<ExpectedExemplar> exemplars = json.TryGetProperty("exemplars", out JsonElement array)
            ? [.. array.EnumerateArray().Select(e => new ExpectedExemplar(ReadLabels(e), ReadNumber(e.GetProperty("value").GetString()!)))]
            : [];
        return new ExpectedSample(
            json.GetProperty("name").GetString()!,
            ReadLabels(json),
            ReadNumber(json.GetProperty("value").GetString()!),
            milliseconds,
            seconds,
            exemplars
        );
    }

    public static double ReadNumber(string text) => text switch
    {
        "NaN" => double.NaN,
        "+Inf" or "Inf" => double.PositiveInfinity,
        "-Inf" => double.NegativeInfinity,
        _ => double.Parse(text, NumberStyles.Float, CultureInfo.InvariantCulture),
    };

    private static Dictionary<string, string> ReadLabels(JsonElement json) => json.TryGetProperty("labels", out JsonElement labels)
        ? labels.EnumerateObject().ToDictionary(label => label.Name, label => label.Value.GetString()!, StringComparer.Ordinal)
        : [];
}
