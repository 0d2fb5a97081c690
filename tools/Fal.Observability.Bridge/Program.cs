using Fal.Observability.Bridge;
using Fal.Observability.Client;
using Fal.Observability.Client.Testing;
using Microsoft.Extensions.Options;

// Reads the metrics of one fal account or of many, serves them to Prometheus, and pushes them to the configured receivers.
bool isHealth = args is [HealthCommand.Name, ..];
string[] settings = [.. isHealth ? args[1..] : args];
try
{
    if (CommandLine.AsksForHelp(args))
    {
        Console.WriteLine(CommandLine.Usage);
        return 0;
    }

    if (CommandLine.FaultOf(settings) is { } fault)
    {
        await Console.Error.WriteLineAsync($"{fault} 'fal-bridge --help' lists the valid arguments.");
        return isHealth ? 1 : 2;
    }

    WebApplicationBuilder builder = WebApplication.CreateBuilder(new WebApplicationOptions
    {
        Args = [.. settings.Where(argument => argument != CommandLine.Simulate)],
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
            $"{CommandLine.Simulate} cannot be combined with an account, but the settings contain one. Remove one of the two.");
    }

    // Only for whoever asks for it: simulated figures among real ones would be worse than a bridge that does not start.
    if (!simulates && !namesAccount)
    {
        throw new InvalidOperationException(
            $"No fal account is configured. Set FAL_KEY or FAL_KEY_FILE, or add one to {BridgeApplication.AccountsSection}."
            + $" To try the bridge without a key, start it with {CommandLine.Simulate}.");
    }

    await using FalSimulator? simulator = simulates ? await FalSimulator.StartAsync(options => options.Seed = 1) : null;
    if (simulator is not null)
    {
        Console.WriteLine("SIMULATED DATA: every figure comes from the built-in simulator.");
        builder.Configuration["Fal:ApiKey"] = simulator.Key;
        builder.Configuration["Fal:BaseAddress"] = simulator.BaseAddress.ToString();
        builder.Configuration["Fal:Publisher:AccountLabel"] = "simulated";
    }

    // A failure of the start is reported below; the host would report it with a page of stack trace.
    builder.Logging.AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.Critical);
    // Not in appsettings.json, which would overrule ASPNETCORE_URLS.
    if (ListenAddresses.From(builder.Configuration).Count == 0)
    {
        builder.WebHost.UseUrls(ListenAddresses.Default);
    }

    builder.AddBridge();
    await using WebApplication app = builder.Build();
    app.MapBridge();
    if (await app.RunBridgeAsync() is not { } failure)
    {
        return 0;
    }

    await Console.Error.WriteLineAsync($"The bridge stopped because of an internal error. {failure}");
    return 1;
}
catch (Exception e) when (e is FalObservabilityException or OptionsValidationException or InvalidOperationException or IOException
    or InvalidDataException or FormatException or ArgumentException or UnauthorizedAccessException)
{
    // A setting that is wrong, a port that is taken, a full disk: the messages say which, a stack trace does not.
    string reason = e is InvalidDataException ? $"{e.Message} {e.GetBaseException().Message}" : e.Message;
    reason += e.InnerException is Microsoft.AspNetCore.Connections.AddressInUseException ? " Name another with --urls." : "";
    await Console.Error.WriteLineAsync($"{(isHealth ? "The bridge's readiness cannot be checked." : "The bridge cannot start.")} {reason}");
    return isHealth ? 1 : 2;
}
