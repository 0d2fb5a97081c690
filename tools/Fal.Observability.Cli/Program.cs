using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using Fal.Observability.Cli;
using Fal.Observability.Cli.Apps;
using Fal.Observability.Cli.Export;
using Fal.Observability.Cli.History;
using Fal.Observability.Cli.Report;
using Fal.Observability.Cli.Simulate;
using Fal.Observability.Cli.Top;

// fal-obs: one verb for each thing that people ask of their account.
using var output = new StandardOutput(Console.Out);
Console.SetOut(output);
using var errors = new StandardError(Console.Error);
Console.SetError(errors);
using var interruption = new Interruption();
var root = new RootCommand("Read the observability data of your fal apps.")
{
    AppsVerb.Create(),
    ExportVerb.Create(interruption),
    HistoryVerb.Create(),
    ReportVerb.Create(),
    SimulateVerb.Create(),
    TopVerb.Create(),
};
foreach (HelpOption help in root.Options.OfType<HelpOption>())
{
    help.Action = new HelpWithExitCodes((HelpAction)help.Action!);
}

ParseResult parsed = root.Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null, EnablePosixBundling = false });
if (parsed.Action is null or ParseErrorAction)
{
    return await Failure.ReportAsync(ExitCode.Usage, UsageError.Of(parsed));
}

try
{
    return await parsed.InvokeAsync(
        new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null }, interruption.Token);
}
catch (OperationCanceledException) when (interruption.Code != 0)
{
    return await Failure.ReportAsync(interruption.Code, "Stopped before it was finished.");
}
catch (Exception e) when (Failure.IsUsage(e))
{
    return await Failure.ReportAsync(ExitCode.Usage, $"{Failure.CauseOf(e)}.");
}
catch (Exception e) when (e is not OutOfMemoryException)
{
    return await Failure.ReportAsync(ExitCode.Failed, $"{Failure.CauseOf(e)}.");
}
