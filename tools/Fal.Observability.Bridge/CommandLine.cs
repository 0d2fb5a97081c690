namespace Fal.Observability.Bridge;

/// <summary>The command line of the program: settings, or a command.</summary>
internal static class CommandLine
{
    /// <summary>Asks for simulated data.</summary>
    public const string Simulate = "--simulate";

    public const string Usage = $"""
        Usage: fal-bridge [settings]         serve /metrics, /health, /live and /ready, push by OTLP and remote write
               fal-bridge {Simulate}       the same with simulated data, without a key
               fal-bridge health [settings]  ask the bridge on this machine whether it is ready: exit code 0 or 1
        Pass settings as --Name=value, or as environment variables:
          --Fal:ApiKey=...                   the key of the account; prefer the variables FAL_KEY or FAL_KEY_FILE
          --Bridge:RemoteWrite:Url=...       a setting of the bridge
          --urls=http://+:9464               where it listens (default: {ListenAddresses.Default})
        Sections: Fal, Bridge, Logging, Kestrel. Others: --http_ports, --https_ports, --environment, and --OTEL_...
        """;

    private static readonly string[] Settings =
    [
        "Fal",
        "Bridge",
        "Logging",
        "Kestrel",
        "AllowedHosts",
        "urls",
        "http_ports",
        "https_ports",
        "environment",
    ];

    /// <summary>Whether help is asked for.</summary>
    public static bool AsksForHelp(string[] arguments) =>
        arguments.Any(argument => argument is "--help" or "-h" or "-?") || arguments is ["help"];

    /// <summary>What is wrong with the settings of a command line; null: nothing.</summary>
    public static string? FaultOf(string[] arguments)
    {
        for (int i = 0; i < arguments.Length; i++)
        {
            string argument = arguments[i];
            if (argument == Simulate)
            {
                continue;
            }

            int end = argument.IndexOf('=', StringComparison.Ordinal);
            string name = end < 0 ? argument : argument[..end];
            if (!NamesSetting(name))
            {
                return $"Unknown argument '{ShownText.Of(name)}'.";
            }

            // A value may also be the next word.
            if (end < 0 && ++i == arguments.Length)
            {
                return $"{name} needs a value.";
            }
        }

        return null;
    }

    /// <summary>Whether an argument is a setting of the configuration, such as <c>--Fal:MaxAttempts=2</c>.</summary>
    public static bool NamesSetting(string argument) =>
        argument.StartsWith("--", StringComparison.Ordinal) && IsSetting(argument[2..].Split(':', '=')[0]);

    private static bool IsSetting(string name) =>
        Settings.Contains(name, StringComparer.OrdinalIgnoreCase) || name.StartsWith("OTEL_", StringComparison.OrdinalIgnoreCase);
}
