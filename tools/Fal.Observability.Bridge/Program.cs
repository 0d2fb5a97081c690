using Fal.Observability.Client;
using Fal.Observability.Bridge;
using Fal.Observability.Client.Testing;
using Microsoft.Extensions.Options;

// Reads the metrics of one fal account or of many, serves them to Prometheus, and pushes them on where it is told to.
bool isHistory = args is ["history", ..];
string usage = isHistory ? HistoryCommand.Usage : CommandLine.Usage;
HistoryCommand? history = null;
try
{
    if (CommandLine.AsksForHelp(args))
    {
        Console.WriteLine(usage);
        return 0;
    }

    string? fault = null;
    if (isHistory ? !HistoryCommand.TryParse(args[1..], out history, out fault) : (fault = CommandLine.FaultOf(args)) is not null)
    {
        await Console.Error.WriteLineAsync($"{fault}{Environment.NewLine}{usage}");
        return 2;
    }

    WebApplicationBuilder builder = WebApplication.CreateBuilder(new WebApplicationOptions
    {
        Args = history is null ? args : [.. history.Settings],
        // The settings lie beside the program, wherever it is started from.
        ContentRootPath = AppContext.BaseDirectory,
    });
    // Only for whoever tries it out: simulated figures among real ones would be worse than a bridge that does not start.
    bool simulates = builder.Environment.IsDevelopment() && !BridgeApplication.NamesAccount(builder.Configuration);
    await using FalSimulator? simulator = simulates ? await FalSimulator.StartAsync(options => options.Seed = 1) : null;
    if (simulator is not null)
    {
        Console.WriteLine("SIMULATED DATA: no fal key is configured, so every figure comes from the built-in simulator.");
        builder.Configuration["Fal:ApiKey"] = simulator.Key;
        builder.Configuration["Fal:BaseAddress"] = simulator.BaseAddress.ToString();
        builder.Configuration["Fal:Publisher:AccountLabel"] = "simulated";
    }

    // What stops the start is told below; the host would tell it with a page of stack trace.
    builder.Logging.AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.Critical);
    // Not in appsettings.json, which would overrule ASPNETCORE_URLS.
    if (!CommandLine.SaysWhereToListen(builder.Configuration))
    {
        builder.WebHost.UseUrls(CommandLine.DefaultUrl);
    }

    builder.AddBridge();
    await using WebApplication app = builder.Build();
    if (history is not null)
    {
        await history.RunAsync(app.Services, simulator?.Apps);
        return 0;
    }

    app.MapBridge();
    if (await app.RunBridgeAsync() is not { } failure)
    {
        return 0;
    }

    await Console.Error.WriteLineAsync($"The bridge has ended, as something in it broke. {failure}");
    return 1;
}
catch (Exception e) when (e is FalObservabilityException or OptionsValidationException or InvalidOperationException or IOException
    or InvalidDataException or FormatException or ArgumentException or UnauthorizedAccessException)
{
    // A setting that is wrong, a port that is taken, a full disk: the messages say which, a stack trace does not.
    string reason = e is InvalidDataException ? $"{e.Message} {e.GetBaseException().Message}" : e.Message;
    await Console.Error.WriteLineAsync($"{(history is null ? "The bridge cannot start." : "The history was not written.")} {reason}");
    return history is null ? 2 : 1;
}
