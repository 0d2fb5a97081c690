using System.Globalization;

namespace Fal.Observability.Cli.Report;

/// <summary>Figures as a person reads them, in every culture the same. What is not known is a dash.</summary>
internal static class FigureText
{
    public const string Unknown = "–";

    /// <summary>Between a number and its unit, where no line may break.</summary>
    private const char Blank = '\u00A0';

    private static readonly CultureInfo Invariant = CultureInfo.InvariantCulture;

    public static string Count(double? value) => value?.ToString("#,0", Invariant) ?? Unknown;

    /// <summary>A large number in words: <c>3.44 million</c>.</summary>
    public static string BigCount(double? value) => value switch
    {
        null => Unknown,
        >= 1e12 => $"{Significant(value.Value / 1e12)}{Blank}trillion",
        >= 1e9 => $"{Significant(value.Value / 1e9)}{Blank}billion",
        >= 1e6 => $"{Significant(value.Value / 1e6)}{Blank}million",
        _ => Count(value),
    };

    /// <summary>A share from 0 to 1 in percent.</summary>
    public static string Share(double? value) => value switch
    {
        null => Unknown,
        > 0 and < 0.0001 => $"< 0.01{Blank}%",
        > 0.999999 and < 1 => $"> 99.9999{Blank}%",
        > 0.999 and < 1 => Target(value.Value),
        >= 9.995 => $"{(value.Value * 100).ToString("#,0", Invariant)}{Blank}%",
        // Near 100 %, the second digit counts.
        >= 0.1 and < 0.98 or > 1.02 => $"{(value.Value * 100).ToString("0.#", Invariant)}{Blank}%",
        _ => $"{(value.Value * 100).ToString("0.##", Invariant)}{Blank}%",
    };

    /// <summary>A share in percent with all its digits up to the fourth.</summary>
    public static string Target(double value) => $"{(value * 100).ToString("0.####", Invariant)}{Blank}%";

    /// <summary>How much more or less a value is than before: <c>+12 %</c>.</summary>
    public static string? Change(double? change) => change switch
    {
        null => null,
        > 10 => $"{(change.Value + 1).ToString("#,0", Invariant)} times as much",
        _ when Math.Abs(change.Value) < 0.0005 => "unchanged",
        _ => $"{(change.Value * 100).ToString("+0.0;\u22120.0", Invariant)}{Blank}%",
    };

    public static string Seconds(double? value) => value switch
    {
        null => Unknown,
        0 => $"0{Blank}s",
        < 0.001 => $"< 1{Blank}ms",
        < 0.9995 => $"{(value.Value * 1000).ToString("0", Invariant)}{Blank}ms",
        < 120 => $"{Significant(value.Value)}{Blank}s",
        < 7200 => $"{Significant(value.Value / 60)}{Blank}min",
        _ => $"{Significant(value.Value / 3600)}{Blank}h",
    };

    public static string Money(decimal? value, string currency)
    {
        string? amount = value switch
        {
            null => null,
            > 0 and < 0.0001m => "< 0.0001",
            > -1 and < 1 => value.Value.ToString("0.####", Invariant),
            _ => value.Value.ToString("#,0.00", Invariant),
        };
        return amount is null ? Unknown : $"{amount}{Blank}{ShownText.Of(currency)}";
    }

    /// <summary>A number of runners, a rate or a number of days.</summary>
    public static string Number(double? value) => value?.ToString(value < 100 ? "0.##" : "#,0", Invariant) ?? Unknown;

    public static string Day(DateTimeOffset instant) => instant.UtcDateTime.ToString("d MMM yyyy", Invariant);

    public static string DayOfYear(DateTimeOffset instant) => instant.UtcDateTime.ToString("d MMM", Invariant);

    public static string Instant(DateTimeOffset instant) => instant.UtcDateTime.ToString("d MMM yyyy HH:mm", Invariant);

    public static string Moment(DateTimeOffset instant) => instant.UtcDateTime.ToString("d MMM HH:mm", Invariant);

    /// <summary>The instant as HTML has it in an attribute.</summary>
    public static string Machine(DateTimeOffset instant) => instant.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", Invariant);

    /// <summary>The number as JSON has it.</summary>
    public static string Machine(double value) => value.ToString("R", Invariant);

    public static string Machine(decimal value) => value.ToString(Invariant);

    /// <summary>Seconds of machine time.</summary>
    public static string Hours(decimal seconds) => $"{(seconds / 3600).ToString("#,0.#", Invariant)}{Blank}h";

    /// <summary>Hours of runners.</summary>
    public static string RunnerHours(double? hours) => hours is { } known ? $"{Significant(known)}{Blank}h" : Unknown;

    /// <summary>A label of an axis, as short as it can be.</summary>
    public static string Axis(double value) => value switch
    {
        >= 1e9 => $"{(value / 1e9).ToString("0.##", Invariant)}{Blank}G",
        >= 1e6 => $"{(value / 1e6).ToString("0.##", Invariant)}{Blank}M",
        >= 1e4 => $"{(value / 1e3).ToString("0.##", Invariant)}{Blank}k",
        _ => value.ToString("0.####", Invariant),
    };

    private static string Significant(double value) => value.ToString(value < 10 ? "0.##" : value < 100 ? "0.#" : "#,0", Invariant);
}
