using System.Runtime.InteropServices;
using Fal.Observability.Client.Testing;

if (!CommandLine.TryParse(args, out CommandLine? line, out string? error))
{
    await Console.Error.WriteLineAsync(error);
    return 2;
}
if (line.HelpWanted)
{
    Console.Write(CommandLine.Help);
    return 0;
}
if (line.TruthQuery is not null)
{
    var endpoint = new AnalyticsEndpoint(new TrafficModel(line.Options), line.Options);
    try
    {
        Console.WriteLine(new SimulatorTruth(endpoint, line.Options.TimeProvider).Analytics(line.TruthQuery).ToJson());
        return 0;
    }
    catch (ArgumentException wrong)
    {
        await Console.Error.WriteLineAsync($"--truth: {wrong.Message}");
        return 2;
    }
}

try
{
    await using SimulatorServer server = await SimulatorServer.StartAsync(line.Options);
    Console.WriteLine($"""
        SIMULATED DATA: a stand-in for the fal API. Nothing here comes from fal.
          base address   {server.BaseAddress}
          key            {server.Key}   ({server.KeyWithoutPermission} is answered 403, {server.KeyWithoutBilling} for usage)
          clock          {line.Clock}
          apps           {server.Apps.Count}, seed {line.Options.Seed}{(server.Apps.Count > 0 ? $", the first is {server.Apps[0]}" : "")}
          try            curl -H "Authorization: Key {server.Key}" {server.BaseAddress}/serverless/metrics
        Ctrl+C stops it.
        """);

    var stop = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
    using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
    using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
    await stop.Task;
    return 0;

    void Stop(PosixSignalContext signal)
    {
        // Without this the runtime ends the process before the server is disposed of.
        signal.Cancel = true;
        stop.TrySetResult();
    }
}
catch (IOException taken)
{
    await Console.Error.WriteLineAsync($"Cannot listen on {line.Options.Url}: {taken.Message} Choose another port with --urls.");
    return 1;
}
