namespace Fal.Observability.Cli;

/// <summary>What the program ends with. A signal ends it with 128 and the signal's number.</summary>
internal static class ExitCode
{
    public const int Done = 0;

    /// <summary>Something stopped the work: the service, the network, the disk.</summary>
    public const int Failed = 1;

    /// <summary>The command line or the settings are wrong. Nothing was read or written.</summary>
    public const int Usage = 2;

    /// <summary>The codes as the help lists them.</summary>
    public const string Help = """
        Exit codes:
          0    done; what the service refused of it is named and left out
          1    the work stopped: the service refuses the key or everything that was
               asked for, it cannot be reached, a file or the standard output cannot
               be written, the disk is full, another export uses the folder
          2    the command line or a setting is wrong, nothing was done
          130  ended by Ctrl+C (143: by SIGTERM); what was complete stays;
               simulate ends with 0

        Settings, from the environment:
          FAL_KEY       the key; else FAL_KEY_ID and FAL_KEY_SECRET
          FAL_KEY_FILE  a file that holds the key
          NO_COLOR      no colours
        Without a key and without --base-address all data are simulated.
        """;
}
