using System.Globalization;
using System.Numerics;

namespace Fal.Observability.Cli.Report;

/// <summary>
/// Figures as a person reads them, in every culture the same. What is not known is a dash. Each kind of figure has one unit and one number
/// of decimals, in sentences and in tables: a reader finds the same figure again, and can compare a column at a glance.
/// </summary>
internal static class FigureText
{
    public const string Unknown = "–";

    /// <summary>Between a number and its unit, where no line may break.</summary>
    private const char Blank = '\u00A0';

    private static readonly CultureInfo Invariant = CultureInfo.InvariantCulture;

    public static string Count(double? value) => value?.ToString("#,0", Invariant) ?? Unknown;

    /// <summary>A share from 0 to 1 in percent.</summary>
    public static string Share(double? value) => Fixed(value * 100, 2, "%");

    /// <summary>
    /// The share of requests without a server error in percent, with the decimals of the objective. It is rounded down, so that it reaches
    /// the objective on the page only if it does so in fact.
    /// </summary>
    public static string ErrorFree(double? value, double? target)
    {
        int decimals = Math.Max(2, target is { } share ? Percent(share).SkipWhile(c => c != '.').Skip(1).Count() : 0);
        double unit = Math.Pow(10, decimals);
        // The inner rounding removes the error of binary fractions: 99.65 can be a little less.
        return Fixed<double>(value is { } known ? Math.Floor(Math.Round(known * 100 * unit, 5)) / unit : null, decimals, "%");
    }

    /// <summary>A share in percent with all its digits up to the fourth.</summary>
    public static string Target(double value) => $"{Percent(value)}{Blank}%";

    /// <summary>How much more or less a value is than before: <c>+12 %</c>.</summary>
    public static string? Change(double? change) => change switch
    {
        null => null,
        > 10 => $"{(change.Value + 1).ToString("#,0", Invariant)} times as much",
        _ when Math.Abs(change.Value) < 0.0005 => "unchanged",
        _ => $"{(change.Value * 100).ToString("+0.0;\u22120.0", Invariant)}{Blank}%",
    };

    public static string Seconds(double? value) => Fixed(value, 2, "s");

    /// <summary>The unit for durations up to this many seconds: its length in seconds, its symbol and its name.</summary>
    public static (double Seconds, string Symbol, string Name) UnitOf(double longest) => longest switch
    {
        < 120 => (1, "s", "seconds"),
        < 7200 => (60, "min", "minutes"),
        _ => (3600, "h", "hours"),
    };

    /// <summary>A duration in the unit that suits it.</summary>
    public static string Duration(double? value) => value switch
    {
        null => Unknown,
        0 => $"0{Blank}s",
        < 0.001 => $"< 1{Blank}ms",
        < 0.9995 => $"{(value.Value * 1000).ToString("0", Invariant)}{Blank}ms",
        _ => In(UnitOf(value.Value), value.Value),
    };

    /// <summary>An amount of money.</summary>
    public static string Money(decimal? value, string currency) => Fixed(value, 2, ShownText.Of(currency));

    /// <summary>The cost of 1,000 successes, which can be a fraction of a cent.</summary>
    public static string Price(decimal? value, string currency) => Fixed(value, 4, ShownText.Of(currency));

    /// <summary>A number of runners, a rate or a number of days.</summary>
    public static string Number(double? value) => value?.ToString("#,0.##", Invariant) ?? Unknown;

    /// <summary>A burn rate in a table.</summary>
    public static string Rate(double? value) => Fixed(value, 2, "");

    public static string Day(DateTimeOffset instant) => instant.UtcDateTime.ToString("d MMM yyyy", Invariant);

    public static string DayOfYear(DateTimeOffset instant) => instant.UtcDateTime.ToString("d MMM", Invariant);

    public static string Instant(DateTimeOffset instant) => instant.UtcDateTime.ToString("d MMM yyyy HH:mm", Invariant);

    public static string Moment(DateTimeOffset instant) => instant.UtcDateTime.ToString("d MMM HH:mm", Invariant);

    public static string Clock(DateTimeOffset instant) => instant.UtcDateTime.ToString("HH:mm", Invariant);

    /// <summary>The instant as HTML has it in an attribute.</summary>
    public static string Machine(DateTimeOffset instant) => instant.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", Invariant);

    /// <summary>The number as JSON has it.</summary>
    public static string Machine(double value) => value.ToString("R", Invariant);

    public static string Machine(decimal value) => value.ToString(Invariant);

    /// <summary>Hours of runners or machines.</summary>
    public static string Hours(double? value) => Fixed(value, 1, "h");

    /// <summary>A label of an axis, as short as it can be.</summary>
    public static string Axis(double value) => value switch
    {
        >= 1e9 => $"{(value / 1e9).ToString("0.##", Invariant)}{Blank}G",
        >= 1e6 => $"{(value / 1e6).ToString("0.##", Invariant)}{Blank}M",
        >= 1e4 => $"{(value / 1e3).ToString("0.##", Invariant)}{Blank}k",
        _ => value.ToString("0.####", Invariant),
    };

    private static string In((double Seconds, string Symbol, string Name) unit, double seconds) =>
        $"{Significant(seconds / unit.Seconds)}{Blank}{unit.Symbol}";

    private static string Percent(double share) => (share * 100).ToString("0.####", Invariant);

    private static string Significant(double value) => value.ToString(value < 10 ? "0.##" : value < 100 ? "0.#" : "#,0", Invariant);

    private static string Fixed<T>(T? value, int decimals, string unit)
        where T : struct, INumber<T>
    {
        if (value is not { } number)
        {
            return Unknown;
        }

        T least = T.CreateChecked(Math.Pow(10, -decimals));
        string format = string.Create(Invariant, $"N{decimals}");
        string text = number > T.Zero && number + number < least
            ? $"< {least.ToString(format, Invariant)}"
            : number.ToString(format, Invariant);
        return unit.Length == 0 ? text : $"{text}{Blank}{unit}";
    }
}
