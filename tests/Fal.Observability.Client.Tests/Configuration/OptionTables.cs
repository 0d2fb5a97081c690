using System.Globalization;
using System.Reflection;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Fal.Observability.Client.Tests;

/// <summary>
/// Writes docs/options.md and the JSON schema from the tables of options. The last column of the page is written by hand.
/// </summary>
internal static partial class OptionTables
{
    /// <summary>With this environment variable the tests write the files instead of comparing them.</summary>
    public const string RefreshVariable = "FAL_REFRESH_OPTIONS";

    private const string TimePattern = @"^([0-9]+\.)?([01]?[0-9]|2[0-3]):[0-5]?[0-9](:[0-5]?[0-9](\.[0-9]{1,7})?)?$";

    private static readonly string Root = typeof(OptionTables).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>()
        .Single(attribute => attribute.Key == "RepositoryRoot").Value!;

    private static readonly JsonSerializerOptions Indented = new()
    {
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    public static string PagePath { get; } = Path.Combine(Root, "docs", "options.md");

    public static string SchemaPath { get; } = Path.Combine(Root, "src", "Fal.Observability.Client", "ConfigurationSchema.json");

    public static string SettingsPath { get; } =
        Path.Combine(Root, "tests", "Fal.Observability.Client.Tests", "Configuration", "settings.json");

    public static (Type Options, string Folder, OptionRow[] Rows)[] All { get; } =
    [
        (typeof(FalObservabilityOptions), "Configuration", FalObservabilityOptionTable.Rows),
        (typeof(FalMetricsPublisherOptions), "Publishing", FalMetricsPublisherOptionTable.Rows),
        (typeof(FalHealthCheckOptions), "Publishing", FalHealthCheckOptionTable.Rows),
    ];

    public static string SourceOf(Type options, string folder) =>
        File.ReadAllText(Path.Combine(Root, "src", "Fal.Observability.Client", folder, options.Name + ".cs"));

    /// <summary>The page with its tables written anew.</summary>
    public static string Page(string page)
    {
        foreach ((_, _, OptionRow[] rows) in All)
        {
            IEnumerable<string> lines = rows.Select(row =>
                $"| `{row.Name}` | {DefaultOf(row)} |{Cell(RangeOf(row))}| {PurposeOf(page, row)} |\n"
            );
            page = new Regex(
                $@"^\| `(?:{string.Join('|', rows.Select(row => row.Name))})` \|[^\n]*\n(?:\| `[^\n]*\n)*",
                RegexOptions.Multiline
            ).Replace(page, string.Concat(lines).Replace("$", "$$", StringComparison.Ordinal), 1);
        }

        return page;

        static string Cell(string text) => text.Length == 0 ? " " : $" {text} ";
    }

    public static string Schema(string page)
    {
        JsonObject fal = Account();
        fal["description"] = "The fal observability client: the account, and how it is called.";
        fal["properties"]!["Accounts"] = new JsonObject
        {
            ["type"] = "object",
            ["description"] = "Several accounts by the key of their registration. Each inherits nothing from the section Fal.",
            ["additionalProperties"] = Account(),
        };
        var schema = new JsonObject { ["type"] = "object", ["properties"] = new JsonObject { ["Fal"] = fal } };
        return schema.ToJsonString(Indented).ReplaceLineEndings("\n") + "\n";

        JsonObject Account()
        {
            JsonObject account = Section(FalObservabilityOptionTable.Rows);
            JsonObject publisher = Section(FalMetricsPublisherOptionTable.Rows);
            publisher["description"] = "What AddMetricsPublisher publishes, and how often it reads it.";
            account["properties"]![FalMetricsPublisherOptions.SectionName] = publisher;
            return account;
        }

        JsonObject Section(OptionRow[] rows)
        {
            var properties = new JsonObject();
            foreach (OptionRow row in rows.Where(row => row.Kind != OptionKind.InCode))
            {
                properties[row.Name] = SchemaOf(row, page);
            }

            return new JsonObject { ["type"] = "object", ["properties"] = properties, ["additionalProperties"] = false };
        }
    }

    /// <summary>The least value, the greatest and the default of a range; null for another row.</summary>
    public static (IComparable Least, IComparable Most, IComparable Default, string Unit)? Numbers(OptionRow row) => row switch
    {
        OptionRange<int> range => (range.Least, range.Most, range.Default, range.Unit),
        OptionRange<long> range => (range.Least, range.Most, range.Default, range.Unit),
        OptionRange<TimeSpan> range => (range.Least, range.Most, range.Default, range.Unit),
        _ => null,
    };

    /// <summary>A value as the page writes it, or as a comment does, which writes the units of time out.</summary>
    public static string Text(IComparable value, string unit, bool inWords = false)
    {
        if (value is TimeSpan time)
        {
            (TimeSpan Length, string Short, string Long)[] units =
            [
                (TimeSpan.FromDays(1), "day", "day"), (TimeSpan.FromHours(1), "h", "hour"), (TimeSpan.FromMinutes(1), "min", "minute"),
                (TimeSpan.FromSeconds(1), "s", "second"), (TimeSpan.FromMilliseconds(1), "ms", "millisecond"),
            ];
            (TimeSpan length, string brief, string word) = units.First(candidate => time.Ticks % candidate.Length.Ticks == 0);
            long count = time.Ticks / length.Ticks;
            string name = inWords || brief == "day" ? word + (count == 1 ? "" : "s") : brief;
            return count == 0 ? "0" : string.Create(CultureInfo.InvariantCulture, $"{count} {name}");
        }

        long number = Convert.ToInt64(value, CultureInfo.InvariantCulture);
        return (unit, number) switch
        {
            ("bytes", >= 1 << 30) => string.Create(CultureInfo.InvariantCulture, $"{number >> 30} GiB"),
            ("bytes", >= 1 << 20) => string.Create(CultureInfo.InvariantCulture, $"{number >> 20} MiB"),
            ("bytes", >= 1 << 10) => string.Create(CultureInfo.InvariantCulture, $"{number >> 10} KiB"),
            _ => number.ToString("N0", CultureInfo.InvariantCulture),
        };
    }

    private static string DefaultOf(OptionRow row) => Numbers(row) is { } numbers ? Text(numbers.Default, numbers.Unit) : row.DefaultText;

    private static string RangeOf(OptionRow row) => Numbers(row) is { } numbers
        ? $"{Text(numbers.Least, numbers.Unit)} to {Text(numbers.Most, numbers.Unit)}{(row.Allowed.Length > 0 ? ", " : "")}{row.Allowed}"
        : row.Allowed;

    private static string PurposeOf(string page, OptionRow row)
    {
        Match line = Regex.Match(page, $@"^\| `{row.Name}` \|[^|]*\|[^|]*\| ([^|]*) \|$", RegexOptions.Multiline);
        return line.Success ? line.Groups[1].Value : "(say here what it does)";
    }

    private static JsonObject SchemaOf(OptionRow row, string page)
    {
        var schema = new JsonObject { ["description"] = DescriptionOf(row, page) };
        switch (row.Kind)
        {
            case OptionKind.Switch:
                schema["type"] = "boolean";
                break;
            case OptionKind.Number:
                schema["type"] = "integer";
                schema["minimum"] = Convert.ToInt64(Numbers(row)!.Value.Least, CultureInfo.InvariantCulture);
                schema["maximum"] = Convert.ToInt64(Numbers(row)!.Value.Most, CultureInfo.InvariantCulture);
                schema["default"] = Convert.ToInt64(Numbers(row)!.Value.Default, CultureInfo.InvariantCulture);
                break;
            case OptionKind.Time:
                schema["type"] = "string";
                schema["pattern"] = TimePattern;
                schema["default"] = ((TimeSpan)Numbers(row)!.Value.Default).ToString("c", CultureInfo.InvariantCulture);
                break;
            case OptionKind.Texts:
                schema["type"] = "array";
                schema["items"] = new JsonObject { ["type"] = "string", ["pattern"] = @"^[^\s,]+$" };
                break;
            case OptionKind.Choice:
                schema["enum"] = new JsonArray([.. Quoted().Matches(row.Allowed).Select(name => (JsonNode)name.Groups[1].Value)]);
                break;
            case OptionKind.Metrics:
                string name = $"({string.Join('|', MetricNames())})";
                schema["type"] = "string";
                schema["pattern"] = $@"^{name}(\s*,\s*{name})*$";
                break;
            case OptionKind.Address:
                schema["type"] = "string";
                schema["pattern"] = @"^https?://[^\s@?#]+$";
                break;
            default:
                schema["type"] = "string";
                schema["pattern"] = @"\S";
                break;
        }

        return schema;
    }

    private static IEnumerable<string> MetricNames() => Enum.GetValues<AnalyticsExpand>()
        .Where(value => value != 0 && (value & ~AnalyticsExpand.AllMetrics) == 0)
        .Select(value => value.ToString());

    private static string DescriptionOf(OptionRow row, string page)
    {
        string purpose = Link().Replace(PurposeOf(page, row), "$1");
        string text = $"{char.ToUpperInvariant(purpose[0])}{purpose.AsSpan(1)}";
        string range = RangeOf(row);
        return (text.TrimEnd('.') + (range.Length > 0 ? $". Allowed: {range}" : "") + $". Default: {DefaultOf(row)}.")
            .Replace("`", "", StringComparison.Ordinal);
    }

    [GeneratedRegex("`([^`]*)`")]
    private static partial Regex Quoted();

    [GeneratedRegex(@"\[([^\]]*)\]\([^)]*\)")]
    private static partial Regex Link();
}
