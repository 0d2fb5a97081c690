using System.Globalization;
using Fal.Observability.Client;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Binds a configuration section to options, and reports misspelt settings.</summary>
/// <param name="rows">The table of the options.</param>
internal sealed class SettingsSection(OptionRow[] rows)
{
    private readonly string[] _names = [.. rows.Where(row => row.Kind != OptionKind.InCode).Select(row => row.Name)];
    private readonly string[] _times = [.. rows.Where(row => row.Kind == OptionKind.Time).Select(row => row.Name)];

    /// <summary>Reads the section of a registration, or one inside it, where there is a configuration.</summary>
    /// <typeparam name="T">The options, for the exception.</typeparam>
    /// <param name="provider">Where the configuration may be.</param>
    /// <param name="key">The key of the registration.</param>
    /// <param name="inner">The section inside that of the registration; null for that one itself.</param>
    /// <param name="bind">Binds the section to the options. The caller passes it, because the source generator needs the type of the
    /// options, which is not known here.</param>
    /// <exception cref="OptionsValidationException">A name is not a known setting, or a value cannot be read.</exception>
    public void Bind<T>(IServiceProvider provider, string? key, string? inner, Action<IConfigurationSection> bind)
    {
        if (provider.GetService<IConfiguration>() is not { } configuration)
        {
            return;
        }

        string path = FalObservabilityOptions.SectionOf(key);
        IConfigurationSection section = configuration.GetSection(inner is null ? path : $"{path}:{inner}");
        string[] sections =
            inner is not null ? []
            : key is null ? [FalMetricsPublisherOptions.SectionName, "Accounts"]
            : [FalMetricsPublisherOptions.SectionName];
        string[] known = [.. _names, .. sections];
        List<string> wrong =
        [
            .. section.GetChildren().Select(child => child.Key)
                .Where(name => !known.Contains(name, StringComparer.OrdinalIgnoreCase))
                .Select(name => $"Unknown setting {section.Path}:{name}. Allowed: {string.Join(", ", known)}."),
            .. _times
                .Select(name => section.GetSection(name))
                .Where(time => MeansDaysUnsaid(time.Value))
                .Select(time =>
                    $"{time.Path} is {time.Value}, which .NET reads as days. Write 00:00:45 for 45 seconds, or 1.00:00:00 for a day."
                ),
        ];
        try
        {
            bind(section);
        }
        catch (InvalidOperationException e)
        {
            // The binder's message quotes the value, which may be a key in the wrong place; the path is enough.
            string[] unreadable =
            [
                .. section
                    .GetChildren()
                    .Where(child => e.Message.Contains($"'{child.Path}'", StringComparison.OrdinalIgnoreCase))
                    .Select(child => child.Path),
            ];
            wrong.Add($"The value of {(unreadable.Length == 0 ? section.Path : string.Join(", ", unreadable))} cannot be read. Write a " +
                "number such as 4, a time such as 00:00:30, a switch as true or false, or an address such as https://host/v1.");
        }

        if (wrong.Count > 0)
        {
            throw new OptionsValidationException(key ?? Options.Options.DefaultName, typeof(T), wrong);
        }
    }

    /// <summary>
    /// Whether .NET would read a number as days although the user meant something else: a number alone, or 24 or more hours.
    /// </summary>
    private static bool MeansDaysUnsaid(string? value) =>
        TimeSpan.TryParse(value, CultureInfo.InvariantCulture, out TimeSpan time)
        && time.Days != 0
        && !value.TrimStart().TrimStart([.. "-0123456789"]).StartsWith('.');
}
