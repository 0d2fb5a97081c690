using System.Data.Common;
using Fal.Observability.Client;
using Microsoft.Extensions.Options;

namespace Fal.Observability.Cli;

/// <summary>What went wrong, for a person: one line on the error output, the cause first.</summary>
internal static class Failure
{
    /// <summary>Whether an exception is about a setting, such as a key without a colon.</summary>
    public static bool IsUsage(Exception e) => e is OptionsValidationException or ArgumentException;

    /// <summary>The cause, without the full stop at its end.</summary>
    public static string CauseOf(Exception e)
    {
        // One that nobody has foreseen says what it is.
        bool isForeseen = IsUsage(e)
            || e is FalObservabilityException or FormatException or IOException or UnauthorizedAccessException or DbException;
        // The user has written neither parameters nor the statement that a database quotes below its message.
        string message = e.Message.Split(" (Parameter")[0];
        message = e is DbException ? message.Split('\n')[0].Split(" Error: ", 2)[^1] : message;
        return $"{(isForeseen ? "" : $"Unexpected {e.GetType().Name}: ")}{message}".TrimEnd('.');
    }

    /// <summary>Says why the program ends, and gives the code that it ends with.</summary>
    public static async Task<int> ReportAsync(int code, string message)
    {
        await Console.Error.WriteLineAsync(Screen.OneLine(message));
        return code;
    }
}
