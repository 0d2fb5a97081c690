using System.Globalization;
using Microsoft.Extensions.Options;

namespace Fal.Observability.Client;

/// <summary>Reports every health check setting that is out of range, with its allowed values.</summary>
internal sealed class FalHealthCheckOptionsValidator : IValidateOptions<FalHealthCheckOptions>
{
    public ValidateOptionsResult Validate(string? name, FalHealthCheckOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        var failures = new List<string>();
        FalHealthCheckOptionTable.UnhealthyAfter.Check(options.UnhealthyAfter, failures);
        if (options.MaxQueueSize is { } most && !(most >= 0))
        {
            failures.Add(
                string.Create(CultureInfo.InvariantCulture, $"{nameof(options.MaxQueueSize)} is {most}; it must be at least 0, or not set.")
            );
        }

        return SettingRules.Verdict("Health check", name, failures);
    }
}
