using System.Globalization;

namespace Fal.Observability.Cli.Top;

/// <summary>Numbers in few characters. What the service did not send is a dash.</summary>
internal static class Figures
{
    public const string None = "-";

    /// <summary>In place of an empty name.</summary>
    public const string Unnamed = "unnamed";

    private const string Infinite = "inf";

    /// <summary>A count in at most five characters, such as 980, 12.3k or 4M.</summary>
    public static string Count(double? value) => value switch
    {
        null or double.NaN => None,
        double.PositiveInfinity => Infinite,
        var number when Math.Abs(number.Value) < 9999.5 => Text(number.Value, "0"),
        var number when Math.Abs(number.Value) < 99_950 => $"{Text(number.Value / 1e3, "0.0")}k",
        var number when Math.Abs(number.Value) < 999_500 => $"{Text(number.Value / 1e3, "0")}k",
        var number when Math.Abs(number.Value) < 9.95e9 => $"{Text(number.Value / 1e6, number.Value < 9.95e6 ? "0.0" : "0")}M",
        var number => Text(number.Value, "0e0"),
    };

    /// <summary>A count of things, such as 1 app or 12 apps.</summary>
    public static string Of(double? value, string noun) => $"{Count(value)} {noun}{(value == 1 ? "" : "s")}";

    /// <summary>Seconds in at most four characters, such as 0.85, 12.3 or 183. From 10,000 seconds on they are hours: 2.8h.</summary>
    public static string Seconds(double? value) => value switch
    {
        null or double.NaN => None,
        double.PositiveInfinity => Infinite,
        var number when number.Value < 9.995 => Text(number.Value, "0.00"),
        var number when number.Value < 99.95 => Text(number.Value, "0.0"),
        var number when number.Value < 9999.5 => Text(number.Value, "0"),
        var number => $"{Text(number.Value / 3600, number.Value < 9.95 * 3600 ? "0.0" : "0")}h",
    };

    /// <summary>A share of 1 as percent in at most four characters.</summary>
    public static string Percent(double? share) => share switch
    {
        null or double.NaN => None,
        0 => "0",
        var number when number.Value < 0.0995 => Text(100 * number.Value, "0.0"),
        var number => Text(100 * number.Value, "0"),
    };

    /// <summary>A length of time in its largest unit, such as 40 s, 12 min or 3 h.</summary>
    public static string Span(TimeSpan span) => span switch
    {
        { TotalSeconds: < 0 } => "0 s",
        { TotalSeconds: < 99.5 } => $"{Text(span.TotalSeconds, "0")} s",
        { TotalMinutes: < 99.5 } => $"{Text(span.TotalMinutes, "0")} min",
        { TotalHours: < 47.5 } => $"{Text(span.TotalHours, "0")} h",
        _ => $"{Text(span.TotalDays, "0")} d",
    };

    /// <summary>An amount with two decimals, or none from a million on, and its currency.</summary>
    public static string Money(decimal amount, string? currency) =>
        $"{amount.ToString(amount < 999_999.995m ? "0.00" : "0", CultureInfo.InvariantCulture)} {currency}".TrimEnd();

    /// <summary>Amounts of several currencies.</summary>
    public static string Money(IReadOnlyList<(decimal Cost, string Currency)> amounts) => amounts.Count == 0 ? "0"
        : string.Join(" + ", amounts.Select(amount => Money(amount.Cost, ShownText.Of(amount.Currency))));

    /// <summary>A time of day in UTC.</summary>
    public static string Clock(DateTimeOffset instant) => instant.UtcDateTime.ToString("HH:mm:ss", CultureInfo.InvariantCulture);

    public static string Text(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
}
