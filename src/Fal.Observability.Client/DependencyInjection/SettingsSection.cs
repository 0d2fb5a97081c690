using Fal.Observability.Client;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>The way from a configuration section to options, which refuses what is misspelt in it.</summary>
/// <param name="settings">The names that may stand in the section.</param>
internal sealed class SettingsSection(string[] settings)
{
    /// <summary>Reads the section of a registration, or one inside it, where there is a configuration.</summary>
    /// <typeparam name="T">The options, for the exception.</typeparam>
    /// <param name="provider">Where the configuration may be.</param>
    /// <param name="key">The key of the registration.</param>
    /// <param name="inner">The section inside that of the registration; null for that one itself.</param>
    /// <param name="bind">Binds the section to the options. Binding is generated where their type is named, which is not here.</param>
    /// <exception cref="OptionsValidationException">A name is no setting, or a value cannot be read.</exception>
    public void Bind<T>(IServiceProvider provider, string? key, string? inner, Action<IConfigurationSection> bind)
    {
        if (provider.GetService<IConfiguration>() is not { } configuration)
        {
            return;
        }

        string path = key is null ? FalObservabilityOptions.SectionName : $"{FalObservabilityOptions.SectionName}:Accounts:{key}";
        IConfigurationSection section = configuration.GetSection(inner is null ? path : $"{path}:{inner}");
        string[] unknown =
        [
            .. section.GetChildren().Select(child => child.Key)
                .Where(name => !settings.Contains(name, StringComparer.OrdinalIgnoreCase) && !(inner is null && IsSection(name, key)))
                .Select(name => $"{section.Path}:{name} is no setting. The settings are {string.Join(", ", settings)}."),
        ];
        if (unknown.Length > 0)
        {
            throw new OptionsValidationException(key ?? Options.Options.DefaultName, typeof(T), unknown);
        }

        try
        {
            bind(section);
        }
        catch (InvalidOperationException e)
        {
            // The binder's message quotes the value, which may be a key in the wrong place; the path is enough.
            string[] unreadable = [.. section.GetChildren().Where(child => e.Message.Contains($"'{child.Path}'", StringComparison.OrdinalIgnoreCase)).Select(child => child.Path)];
            throw new OptionsValidationException(
                key ?? Options.Options.DefaultName,
                typeof(T),
                [$"The value of {(unreadable.Length == 0 ? section.Path : string.Join(", ", unreadable))} cannot be read: numbers are written 4, times 00:00:30, switches true or false, addresses https://host/v1."]);
        }
    }

    /// <summary>Whether the section of a registration has a section of this name in it that others read.</summary>
    private static bool IsSection(string name, string? key) =>
        name.Equals(FalMetricsPublisherOptions.SectionName, StringComparison.OrdinalIgnoreCase)
        || (key is null && name.Equals("Accounts", StringComparison.OrdinalIgnoreCase));
}
