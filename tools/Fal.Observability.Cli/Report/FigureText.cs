using System.Globalization;

namespace Fal.Observability.Cli.Report;

/// <summary>Figures as a person reads them, in every culture the same. What is not known is a dash.</summary>
internal static class FigureText
{
    public const string Unknown = "–";

    private static readonly CultureInfo Invariant = CultureInfo.InvariantCulture;

    public static string Count(double? value) => value?.ToString("#,0", Invariant) ?? Unknown;

    /// <summary>A large number in words: <c>3.44 million</c>.</summary>
    public static string BigCount(double? value) => value switch
    {
        null => Unknown,
        >= 1e12 => $"{Significant(value.Value / 1e12)} trillion",
        >= 1e9 => $"{Significant(value.Value / 1e9)} billion",
        >= 1e6 => $"{Significant(value.Value / 1e6)} million",
        _ => Count(value),
    };

    /// <summary>A share from 0 to 1 in percent.</summary>
    public static string Share(double? value) => value switch
    {
        null => Unknown,
        > 0 and < 0.0001 => "< 0.01 %",
        > 0.9999 and < 1 => "> 99.99 %",
        >= 9.995 => $"{(value.Value * 100).ToString("#,0", Invariant)} %",
        _ => $"{(value.Value * 100).ToString("0.##", Invariant)} %",
    };

    /// <summary>How much more or less a value is than before: <c>+12 %</c>.</summary>
    public static string? Change(double? change) => change switch
    {
        null => null,
        > 10 => $"{(change.Value + 1).ToString("#,0", Invariant)} times as much",
        _ when Math.Abs(change.Value) < 0.0005 => "unchanged",
        _ when Math.Abs(change.Value) < 0.1 => $"{(change.Value * 100).ToString("+0.0;\u22120.0", Invariant)} %",
        _ => $"{(change.Value * 100).ToString("+0;\u22120", Invariant)} %",
    };

    public static string Seconds(double? value) => value switch
    {
        null => Unknown,
        0 => "0 s",
        < 0.001 => "< 1 ms",
        < 0.9995 => $"{(value.Value * 1000).ToString("0", Invariant)} ms",
        < 120 => $"{Significant(value.Value)} s",
        < 7200 => $"{Significant(value.Value / 60)} min",
        _ => $"{Significant(value.Value / 3600)} h",
    };

    public static string Money(decimal? value, string currency) => value switch
    {
        null => Unknown,
        0 => $"0 {currency}",
        > -0.0001m and < 0.0001m => $"< 0.0001 {currency}",
        > -1 and < 1 => $"{value.Value.ToString("0.####", Invariant)} {currency}",
        _ => $"{value.Value.ToString("#,0.00", Invariant)} {currency}",
    };

    /// <summary>A number of runners, a rate or a number of days.</summary>
    public static string Number(double? value) => value?.ToString(value < 100 ? "0.##" : "#,0", Invariant) ?? Unknown;

    public static string Day(DateTimeOffset instant) => instant.UtcDateTime.ToString("d MMM yyyy", Invariant);

    public static string Instant(DateTimeOffset instant) => instant.UtcDateTime.ToString("d MMM yyyy HH:mm", Invariant);

    /// <summary>The instant as HTML has it in an attribute.</summary>
    public static string Machine(DateTimeOffset instant) => instant.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", Invariant);

    /// <summary>The number as JSON has it.</summary>
    public static string Machine(double value) => value.ToString("R", Invariant);

    public static string Machine(decimal value) => value.ToString(Invariant);

    /// <summary>A label of an axis, as short as it can be.</summary>
    public static string Axis(double value) => value switch
    {
        >= 1e9 => $"{(value / 1e9).ToString("0.##", Invariant)} G",
        >= 1e6 => $"{(value / 1e6).ToString("0.##", Invariant)} M",
        >= 1e4 => $"{(value / 1e3).ToString("0.##", Invariant)} k",
        _ => value.ToString("0.####", Invariant),
    };

    private static string Significant(double value) => value.ToString(value < 10 ? "0.##" : value < 100 ? "0.#" : "#,0", Invariant);
}
