using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using Fal.Observability.Client;

namespace Fal.Observability.Cli;

/// <summary>
/// Options of the command line whose values are read without the culture, with one form of message for what cannot be read.
/// </summary>
internal static class Words
{
    /// <summary>Another service than fal's.</summary>
    public static Option<Uri?> BaseAddress() => Option<Uri?>("--base-address", "URL", "The address of the API, if it is not fal's.", text =>
        Uri.TryCreate(text, UriKind.Absolute, out Uri? address) ? address : throw Expected("a URL such as https://api.fal.ai/v1"));

    /// <summary>The environments whose apps are listed.</summary>
    public static Option<string[]?> Environments() => Option<string[]?>(
        "--environments", "NAMES", "Comma-separated environments (default: main).", List);

    /// <summary>The length of a bucket.</summary>
    public static Option<AnalyticsTimeframe?> Timeframe() => Choice<AnalyticsTimeframe?>(
        "--timeframe", "The length of a bucket (default: hour).",
        ("minute", AnalyticsTimeframe.Minute), ("hour", AnalyticsTimeframe.Hour), ("day", AnalyticsTimeframe.Day));

    /// <summary>The names of metrics as the service writes them, with commas between them.</summary>
    public static string NamesOf(AnalyticsExpand metrics) => string.Join(", ", metrics.GetFlags().Select(metric => metric.GetWireName()));

    /// <summary>An option that is given once at most.</summary>
    /// <param name="name">The name with its dashes.</param>
    /// <param name="value">What the help calls the value.</param>
    /// <param name="description">What the help says.</param>
    /// <param name="read">Reads the value, or throws what <see cref="Expected"/> or <see cref="Wrong"/> gives.</param>
    public static Option<T> Option<T>(string name, string value, string description, Func<string, T> read) => new(name)
    {
        HelpName = value,
        Description = description,
        CustomParser = result => Read(name, result, read).FirstOrDefault()!,
        Arity = ArgumentArity.ExactlyOne,
    };

    /// <summary>An option that may be repeated.</summary>
    /// <inheritdoc cref="Option"/>
    public static Option<T[]> Repeated<T>(string name, string value, string description, Func<string, T> read) => new(name)
    {
        HelpName = value,
        Description = $"{description} May be repeated.",
        CustomParser = result => Read(name, result, read),
        Arity = ArgumentArity.OneOrMore,
    };

    /// <summary>An option whose value is one of some words, in any case of letters.</summary>
    public static Option<T> Choice<T>(string name, string description, params (string Word, T Value)[] choices)
    {
        Option<T> option = Option(name, string.Join('|', choices.Select(choice => choice.Word)), description, text => OneOf(text, choices));
        option.CompletionSources.Add([.. choices.Select(choice => choice.Word)]);
        return option;
    }

    /// <summary>The value of one of some words, in any case of letters.</summary>
    public static T OneOf<T>(string text, params (string Word, T Value)[] choices)
    {
        foreach ((string word, T value) in choices)
        {
            if (word.Equals(text, StringComparison.OrdinalIgnoreCase))
            {
                return value;
            }
        }

        throw Expected($"{string.Join(", ", choices.SkipLast(1).Select(choice => choice.Word))} or {choices[^1].Word}");
    }

    public static DateOnly? Day(string text) =>
        DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out DateOnly day) && day.Year >= 2000
            ? day
            : throw Expected("a day from 2000-01-01 on, such as 2026-01-31");

    public static int Whole(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number) ? number : throw Expected("a whole number, 0 or greater");

    /// <summary>Texts with commas between them, each once.</summary>
    public static string[] List(string text) =>
        text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries) is { Length: > 0 } parts
            ? [.. parts.Distinct(StringComparer.Ordinal)]
            : throw Expected("one or more values, separated by commas");

    /// <summary>Says what a value must be.</summary>
    public static FormatException Expected(string what) => Wrong($"it must be {what}");

    /// <summary>Says what is wrong with a value.</summary>
    public static FormatException Wrong(string what) => new(what);

    private static T[] Read<T>(string name, ArgumentResult result, Func<string, T> read)
    {
        var values = new List<T>();
        foreach (Token token in result.Tokens)
        {
            try
            {
                values.Add(read(token.Value));
            }
            catch (FormatException wrong)
            {
                result.AddError($"{name} is '{token.Value}'; {wrong.Message}.");
                break;
            }
        }

        return [.. values];
    }
}
