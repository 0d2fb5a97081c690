using Options = Fal.Observability.Client.FalHealthCheckOptions;

namespace Fal.Observability.Client;

/// <summary>The table of <see cref="FalHealthCheckOptions"/>.</summary>
internal static class FalHealthCheckOptionTable
{
    public static readonly OptionRange<TimeSpan> UnhealthyAfter = new(
        nameof(Options.UnhealthyAfter), TimeSpan.FromMinutes(10), TimeSpan.FromSeconds(20), TimeSpan.FromDays(7));

    /// <summary>Every option, in the order of the documentation.</summary>
    public static OptionRow[] Rows =>
    [
        new(nameof(Options.MaxQueueSize), OptionKind.InCode, "none", "at least 0"),
        new(nameof(Options.RequireRunners), OptionKind.InCode, "`true`", ""),
        UnhealthyAfter,
    ];
}
