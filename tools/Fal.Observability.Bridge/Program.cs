using Fal.Observability.Client;
using Fal.Observability.Bridge;
using Fal.Observability.Client.Testing;
using Microsoft.Extensions.Options;

// Reads the metrics of one fal account or of many, serves them to Prometheus, and pushes them on where it is told to.
bool isHistory = args is ["history", ..];
bool isHealth = args is [HealthCommand.Name, ..];
string usage = isHistory ? HistoryCommand.Usage : CommandLine.Usage;
string[] settings = [.. isHealth ? args[1..] : args];
HistoryCommand? history = null;
try
{
    if (CommandLine.AsksForHelp(args))
    {
        Console.WriteLine(usage);
        return 0;
    }

    string? fault = null;
    if (isHistory ? !HistoryCommand.TryParse(args[1..], out history, out fault) : (fault = CommandLine.FaultOf(settings)) is not null)
    {
        await Console.Error.WriteLineAsync(isHistory ? $"{fault}{Environment.NewLine}{usage}" : $"{fault} 'fal-bridge --help' lists what is.");
        return isHealth ? 1 : 2;
    }

    WebApplicationBuilder builder = WebApplication.CreateBuilder(new WebApplicationOptions
    {
        Args = history is null ? [.. settings.Where(argument => argument != CommandLine.Simulate)] : [.. history.Settings],
        // The settings lie beside the program, wherever it is started from.
        ContentRootPath = AppContext.BaseDirectory,
    });
    BridgeApplication.ReadSettingsFile(builder.Configuration);
    if (isHealth)
    {
        return await HealthCommand.RunAsync(builder.Configuration);
    }

    bool namesAccount = BridgeApplication.NamesAccount(builder.Configuration);
    bool simulates = settings.Contains(CommandLine.Simulate);
    if (simulates && namesAccount)
    {
        throw new InvalidOperationException(
            $"{CommandLine.Simulate} is for a start without an account, and the settings name one. Leave one of the two out.");
    }

    // Only for whoever asks for it: simulated figures among real ones would be worse than a bridge that does not start.
    simulates |= isHistory && !namesAccount && builder.Environment.IsDevelopment();
    if (!simulates && !namesAccount)
    {
        throw new InvalidOperationException(
            $"No fal account is set. Set FAL_KEY or FAL_KEY_FILE, or one of {BridgeApplication.AccountsSection}."
            + $" To try the bridge without a key, start it with {CommandLine.Simulate}.");
    }

    await using SimulatorServer? simulator = simulates ? await SimulatorServer.StartAsync() : null;
    if (simulator is not null)
    {
        Console.WriteLine("SIMULATED DATA: every figure comes from the built-in simulator.");
        builder.Configuration["Fal:ApiKey"] = simulator.Key;
        builder.Configuration["Fal:BaseAddress"] = simulator.BaseAddress.ToString();
        builder.Configuration["Fal:Publisher:AccountLabel"] = "simulated";
    }

    // What stops the start is told below; the host would tell it with a page of stack trace.
    builder.Logging.AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.Critical);
    // Not in appsettings.json, which would overrule ASPNETCORE_URLS.
    if (ListenAddresses.From(builder.Configuration).Count == 0)
    {
        builder.WebHost.UseUrls(ListenAddresses.Default);
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
    string what = isHealth ? "The bridge cannot be asked." : history is null ? "The bridge cannot start." : "The history was not written.";
    await Console.Error.WriteLineAsync($"{what} {reason}");
    return history is null && !isHealth ? 2 : 1;
}
