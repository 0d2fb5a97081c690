using System.Reflection;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Xunit;

namespace Fal.Observability.Client.Tests;

public sealed class OptionTableTests
{
    private const string HowToRefresh =
        " differs from the tables of options (the *OptionTable.cs files in src). Update it with" +
        " \"FAL_REFRESH_OPTIONS=1 dotnet run -f net10.0 --project tests/Fal.Observability.Client.Tests -- -class '*.OptionTableTests'\"," +
        " and look at the difference. In docs/options.md, the last column is written by hand: describe a new option there.";

    public static TheoryData<string> Settings(bool right)
    {
        using JsonDocument settings = JsonDocument.Parse(File.ReadAllText(OptionTables.SettingsPath));
        return [.. settings.RootElement.GetProperty(right ? "right" : "wrong").EnumerateArray().Select(setting => setting.GetRawText())];
    }

    [Fact]
    public void Every_option_has_a_row_in_its_table_and_every_row_an_option()
    {
        foreach ((Type options, _, OptionRow[] rows) in OptionTables.All)
        {
            Assert.Equal(
                options.GetProperties().Select(property => property.Name).Order(StringComparer.Ordinal),
                rows.Select(row => row.Name).Order(StringComparer.Ordinal));
        }
    }

    [Fact]
    public void The_defaults_are_those_of_the_table()
    {
        foreach ((Type type, _, OptionRow[] rows) in OptionTables.All)
        {
            object options = Activator.CreateInstance(type)!;
            foreach (OptionRow row in rows)
            {
                object? value = type.GetProperty(row.Name)!.GetValue(options);
                switch (row.DefaultText)
                {
                    case "":
                        Assert.Equal(OptionTables.Numbers(row)!.Value.Default, value);
                        break;
                    case "`true`" or "`false`":
                        Assert.Equal(row.DefaultText == "`true`", value);
                        break;
                    case ['`', ..]:
                        Assert.Equal(
                            Convert.ToString(value, null)!.Split(", "),
                            Regex
                                .Matches(row.DefaultText, "`(.*?)`")
                                .Select(name => name.Groups[1].Value)
                                .SelectMany(name => name == nameof(AnalyticsExpand.Volume) ? ["Volume"] : new[] { name })
                        );
                        break;
                    default:
                        Assert.True(value is null or ICollection<string> { Count: 0 }, $"{row.Name} is {value}");
                        break;
                }
            }
        }
    }

    [Fact]
    public void A_validator_refuses_what_is_outside_of_a_range_and_takes_its_ends()
    {
        foreach ((Type type, _, OptionRow[] rows) in OptionTables.All)
        {
            foreach (OptionRow row in rows)
            {
                if (OptionTables.Numbers(row) is { } numbers)
                {
                    Assert.DoesNotContain(FailuresOf(type, row.Name, numbers.Least), IsAbout);
                    Assert.DoesNotContain(FailuresOf(type, row.Name, numbers.Most), IsAbout);
                    Assert.Single(FailuresOf(type, row.Name, Next(numbers.Least, -1)), IsAbout);
                    string failure = Assert.Single(FailuresOf(type, row.Name, Next(numbers.Most, 1)), IsAbout);
                    Assert.EndsWith(
                        row.Kind == OptionKind.Time ? " (days.hours:minutes:seconds)." : numbers.Unit + ".",
                        failure,
                        StringComparison.Ordinal
                    );
                }

                bool IsAbout(string failure) => failure.StartsWith($"{row.Name} is ", StringComparison.Ordinal);
            }
        }
    }

    [Fact]
    public void The_comment_of_an_option_names_the_default_and_the_range_of_the_table()
    {
        foreach ((Type type, string folder, OptionRow[] rows) in OptionTables.All)
        {
            string source = OptionTables.SourceOf(type, folder);
            foreach (OptionRow row in rows)
            {
                if (OptionTables.Numbers(row) is { } numbers)
                {
                    string comment = Regex.Match(source, $@"<value>([^\n]*)</value>\n    public \S+ {row.Name}\s").Groups[1].Value;
                    Assert.Contains(OptionTables.Text(numbers.Default, numbers.Unit, inWords: true), comment, StringComparison.Ordinal);
                    Assert.Contains(
                        $"Range {OptionTables.Text(numbers.Least, numbers.Unit, inWords: true)} " +
                            $"to {OptionTables.Text(numbers.Most, numbers.Unit, inWords: true)}",
                        comment,
                        StringComparison.Ordinal);
                }
            }
        }
    }

    [Fact]
    public void The_page_has_the_rows_of_the_tables() =>
        IsUpToDate(OptionTables.PagePath, OptionTables.Page(File.ReadAllText(OptionTables.PagePath)));

    [Fact]
    public void The_json_schema_is_that_of_the_tables() =>
        IsUpToDate(OptionTables.SchemaPath, OptionTables.Schema(File.ReadAllText(OptionTables.PagePath)));

    // .ci/run holds the JSON schema against the same settings.
    [Theory]
    [MemberData(nameof(Settings), true)]
    public void A_right_setting_is_taken(string json) => Read(json);

    [Theory]
    [MemberData(nameof(Settings), false)]
    public void A_wrong_setting_is_refused(string json) => Assert.Throws<OptionsValidationException>(() => Read(json));

    private static void Read(string json)
    {
        using JsonDocument document = JsonDocument.Parse(json);
        IConfigurationRoot configuration = new ConfigurationBuilder().AddInMemoryCollection(Flatten(document.RootElement, "")).Build();
        var services = new ServiceCollection();
        services.AddSingleton<IConfiguration>(configuration);
        services.AddFalObservability(options => options.ApiKey ??= "id:secret").AddMetricsPublisher();
        string[] accounts = [.. configuration.GetSection("Fal:Accounts").GetChildren().Select(account => account.Key)];
        foreach (string account in accounts)
        {
            services.AddFalObservability(account, options => options.ApiKey ??= "id:secret").AddMetricsPublisher();
        }

        using ServiceProvider provider = services.BuildServiceProvider();
        foreach (string name in accounts.Append(Options.DefaultName))
        {
            provider.GetRequiredService<IOptionsMonitor<FalObservabilityOptions>>().Get(name);
            provider.GetRequiredService<IOptionsMonitor<FalMetricsPublisherOptions>>().Get(name);
        }
    }

    // As the JSON provider of .NET does.
    private static IEnumerable<KeyValuePair<string, string?>> Flatten(JsonElement element, string path) =>
        element.ValueKind switch
        {
            JsonValueKind.Object => element
                .EnumerateObject()
                .SelectMany(member => Flatten(member.Value, path.Length == 0 ? member.Name : $"{path}:{member.Name}")),
            JsonValueKind.Array => element.EnumerateArray().SelectMany((item, index) => Flatten(item, $"{path}:{index}")),
            _ => [new(path, element.ToString())],
        };

    private static void IsUpToDate(string path, string content)
    {
        if (Environment.GetEnvironmentVariable(OptionTables.RefreshVariable) == "1")
        {
            File.WriteAllText(path, content);
        }

        Assert.True(File.Exists(path) && File.ReadAllText(path) == content, Path.GetFileName(path) + HowToRefresh);
    }

    private static IEnumerable<string> FailuresOf(Type type, string property, object value)
    {
        object options = Activator.CreateInstance(type)!;
        PropertyInfo info = type.GetProperty(property)!;
        info.SetValue(options, value);
        ValidateOptionsResult result = options switch
        {
            FalObservabilityOptions client => new FalObservabilityOptionsValidator().Validate(null, client),
            FalMetricsPublisherOptions publisher => new FalMetricsPublisherOptionsValidator().Validate(null, publisher),
            _ => new FalHealthCheckOptionsValidator().Validate(null, (FalHealthCheckOptions)options),
        };
        return result.Failures ?? [];
    }

    private static object Next(IComparable value, int step) => value switch
    {
        int number => number + step,
        long number => number + step,
        _ => (TimeSpan)value + TimeSpan.FromTicks(step),
    };
}
