using System.Globalization;

namespace Fal.Observability.Cli.Report;

/// <summary>
/// Figures as the cells of a table have them: one unit and a fixed number of decimals in each column, so that a column can be compared at a
/// glance. Sentences use <see cref="FigureText"/>.
/// </summary>
internal static class CellText
{
    /// <summary>The decimals of an amount of money.</summary>
    public const int MoneyDecimals = 2;

    /// <summary>The decimals of a price, which can be a fraction of a cent.</summary>
    public const int PriceDecimals = 4;

    public static string Share(double? value) => Fixed(value * 100, 2, "%");

    public static string Seconds(double? value) => Fixed(value, 2, "s");

    public static string Hours(double? value) => Fixed(value, 1, "h");

    public static string Rate(double? value) => Fixed(value, 2, "");

    public static string Money(decimal? value, string currency, int decimals) => Fixed((double?)value, decimals, ShownText.Of(currency));

    private static string Fixed(double? value, int decimals, string unit)
    {
        if (value is not { } number)
        {
            return FigureText.Unknown;
        }

        double least = Math.Pow(10, -decimals);
        string format = string.Create(CultureInfo.InvariantCulture, $"N{decimals}");
        string text = number > 0 && number < least / 2
            ? $"< {least.ToString(format, CultureInfo.InvariantCulture)}"
            : number.ToString(format, CultureInfo.InvariantCulture);
        return unit.Length == 0 ? text : $"{text}\u00A0{unit}";
    }
}
