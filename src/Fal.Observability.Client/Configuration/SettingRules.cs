using System.Globalization;
using Microsoft.Extensions.Options;

namespace Fal.Observability.Client;

/// <summary>The rules that settings have in common, each with the message for the one that breaks it.</summary>
internal static class SettingRules
{
    /// <summary>The result of the validation. For a named account, each message begins with that name.</summary>
    public static ValidateOptionsResult Verdict(string owner, string? name, List<string> failures) =>
        failures.Count == 0 ? ValidateOptionsResult.Success
        : string.IsNullOrEmpty(name) ? ValidateOptionsResult.Fail(failures)
        : ValidateOptionsResult.Fail(failures.Select(failure => $"{owner} '{name}': {failure}"));

    public static void NotOver(string setting, TimeSpan value, string limitName, TimeSpan limit, List<string> failures)
    {
        if (value > limit)
        {
            failures.Add(string.Create(CultureInfo.InvariantCulture,
                $"{setting} ({value}) must not exceed {limitName} ({limit}). Lower {setting}, or raise {limitName}."));
        }
    }
}
