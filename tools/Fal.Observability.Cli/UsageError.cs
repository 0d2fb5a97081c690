using System.CommandLine;

namespace Fal.Observability.Cli;

/// <summary>What is wrong with a command line.</summary>
internal static class UsageError
{
    /// <summary>One line: the first error, and where the words are listed.</summary>
    public static string Of(ParseResult parsed)
    {
        Command command = parsed.CommandResult.Command;
        string error = parsed.UnmatchedTokens is [{ } unknown, ..] ? OfWord(command, unknown)
            : parsed.Errors is [{ } first, ..] && command.Subcommands.Count == 0 ? first.Message
            : $"Name a command: {string.Join(", ", command.Subcommands.Select(verb => verb.Name))}.";
        return $"{error} '{NameOf(parsed.CommandResult)} --help' shows the usage.";
    }

    private static string OfWord(Command command, string word) =>
        command.Arguments is [{ } argument, ..] && !word.StartsWith('-') ? $"Unexpected argument '{word}': give only one {argument.Name}."
        : $"Unknown argument '{word}'.";

    private static string NameOf(System.CommandLine.Parsing.CommandResult command) =>
        command.Parent is System.CommandLine.Parsing.CommandResult ? $"fal-obs {command.Command.Name}" : "fal-obs";
}
