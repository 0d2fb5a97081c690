using System.Globalization;

namespace Fal.Observability.Bridge;

/// <summary>
/// Reads the settings of a section one by one, so that an error message has the full path of the setting and says what is valid, as
/// those about the section <c>Fal</c> do.
/// </summary>
internal static class SettingReader
{
    // Not what TimeSpan.Parse takes: it reads 24:00:00 as 24 days, and so a 7.
    private static readonly string[] TimeFormats = [@"h\:mm\:ss", @"d\.h\:mm\:ss"];

    public delegate bool TryParse<T>(string text, out T value);

    /// <summary>Refuses unknown names in the section.</summary>
    /// <exception cref="InvalidOperationException">There is another.</exception>
    public static void Allow(this IConfigurationSection section, params string[] settings)
    {
        if (section.GetChildren().FirstOrDefault(child => !settings.Contains(child.Key, StringComparer.OrdinalIgnoreCase)) is { } unknown)
        {
            throw new InvalidOperationException($"Unknown setting {unknown.Path}. Allowed: {string.Join(", ", settings)}.");
        }
    }

    /// <summary>Reads a setting; without a value it is the default.</summary>
    /// <exception cref="InvalidOperationException">It cannot be read.</exception>
    public static T Read<T>(this IConfigurationSection section, string name, T byDefault, TryParse<T> tryParse, string demand) =>
        section[name] switch
        {
            null or "" => byDefault,
            { } text when tryParse(text, out T value) => value,
            { } text => throw new InvalidOperationException($"{section.Path}:{name} is '{text}'; {demand}."),
        };

    /// <summary>Reads a whole number of at least 1.</summary>
    public static int ReadCount(this IConfigurationSection section, string name, int byDefault) => section.Read(
        name, byDefault,
        (string text, out int count) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out count) && count >= 1,
        "it must be a whole number of at least 1");

    /// <summary>Reads a length of time.</summary>
    public static TimeSpan ReadTime(this IConfigurationSection section, string name, TimeSpan byDefault, TimeSpan longest) =>
        section.Read(
            name,
            byDefault,
            (string text, out TimeSpan time) =>
                TimeSpan.TryParseExact(text, TimeFormats, CultureInfo.InvariantCulture, out time) && time <= longest,
            string.Create(
                CultureInfo.InvariantCulture,
                $"it must be a time of at most {longest.TotalDays} days: 00:30:00 is half an hour, 1.00:00:00 a day, 7.00:00:00 a week"
            )
        );
}
