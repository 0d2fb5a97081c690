using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace Fal.Observability.Cli;

/// <summary>The help of the library, the notes of a verb, and what each exit code and setting means.</summary>
internal sealed class HelpWithExitCodes(HelpAction help) : SynchronousCommandLineAction
{
    public override bool ClearsParseErrors => true;

    public override int Invoke(ParseResult parseResult)
    {
        int code = help.Invoke(parseResult);
        TextWriter output = parseResult.InvocationConfiguration.Output;
        if (parseResult.CommandResult.Command is VerbWithNotes { Notes: { } notes })
        {
            output.WriteLine($"{notes}{Environment.NewLine}");
        }

        output.WriteLine(ExitCode.Help);
        return code;
    }
}

/// <summary>A verb whose values need more explanation than a line.</summary>
internal sealed class VerbWithNotes(string name, string description, string notes) : Command(name, description)
{
    public string Notes { get; } = notes;
}
