using System.Globalization;

namespace Fal.Observability.Client;

/// <summary>The rules that settings have in common, each with the message for the one that breaks it.</summary>
internal static class SettingRules
{
    public static void InRange<T>(string setting, T value, T least, T most, List<string> failures)
        where T : struct, IComparable<T>
    {
        if (value.CompareTo(least) < 0 || value.CompareTo(most) > 0)
        {
            // TimeSpan reads a bare number as days, which nobody means.
            string hint = value is TimeSpan { Ticks: > 0 } time && time.Ticks % TimeSpan.TicksPerDay == 0
                ? " A bare number in a configuration means days: write 00:00:45 for 45 seconds."
                : "";
            failures.Add(string.Create(CultureInfo.InvariantCulture, $"{setting} is {value}; it must be from {least} to {most}.{hint}"));
        }
    }

    public static void NotOver(string setting, TimeSpan value, string limitName, TimeSpan limit, List<string> failures)
    {
        if (value > limit)
        {
            failures.Add(string.Create(CultureInfo.InvariantCulture,
                $"{setting} ({value}) must not exceed {limitName} ({limit})."));
        }
    }
}
