// Fails a build pipeline when an SLO is not kept: exit code 0 if it is kept, 1 with one line why if it is not, 2 if that cannot be told.
// dotnet run --project samples/SlaCheck -- my-org/my-app 99.5 24
using System.Globalization;
using Fal.Observability.Client;
using Fal.Observability.Client.Testing;

string app = args.ElementAtOrDefault(0) ?? "simulated/my-app";
if (
    !double.TryParse(args.ElementAtOrDefault(1) ?? "99.5", CultureInfo.InvariantCulture, out double percent)
    || percent is not (> 0 and < 100)
    || !double.TryParse(args.ElementAtOrDefault(2) ?? "24", CultureInfo.InvariantCulture, out double hours)
    || hours is not (>= 6 and <= 2160)
)
{
    Console.Error.WriteLine("Usage: SlaCheck [APP [PERCENT [HOURS]]], with PERCENT between 0 and 100 and HOURS from 6 to 2160.");
    return 2;
}

string[] keys = ["FAL_KEY", "FAL_KEY_ID", "FAL_KEY_FILE"];
await using FalSimulator? sim = keys.Any(key => Environment.GetEnvironmentVariable(key) is { Length: > 0 })
    ? null
    : await FalSimulator.StartAsync();
try
{
    if (sim is not null)
    {
        Console.WriteLine("SIMULATED DATA: no key is set. Of 1,000 simulated requests 3 fail.");
        sim.App(app).RequestsPerMinute[200] = 997;
        sim.App(app).RequestsPerMinute[500] = 3;
    }

    var objective = new AvailabilityObjective(percent / 100, TimeSpan.FromHours(hours));
    using var fal = new FalObservabilityClient(options =>
        (options.ApiKey, options.BaseAddress) = sim is null ? (options.ApiKey, options.BaseAddress) : (sim.Key, sim.BaseAddress));
    AnalyticsReport report = await fal.Analytics.GetReportAsync(new AnalyticsQuery(app)
    {
        Expand = AnalyticsExpand.RequestCount | AnalyticsExpand.ErrorCount,
        // An hour more: the newest bucket is not closed yet.
        Range = AnalyticsTimeRange.Last(objective.Window + TimeSpan.FromHours(1)),
        Timeframe = AnalyticsTimeframe.Hour,
        ClosedOnly = true,
    });
    AvailabilityStatus status = objective.Evaluate(report);
    if (status.IsMet is not { } isMet)
    {
        Console.Error.WriteLine($"{app}: there were no requests in that time, so the SLO cannot be evaluated.");
        return 2;
    }

    Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
        $"{app}: SLO {(isMet ? "kept" : "missed")}: {status.Errors:#,0} of {status.Requests:#,0} requests failed in {hours} h, "
        + $"which is {status.ErrorBudgetConsumed:0 %} of the error budget of {percent} %."));
    return isMet ? 0 : 1;
}
catch (Exception failure) when (failure is FalObservabilityException or ArgumentException
    or Microsoft.Extensions.Options.OptionsValidationException)
{
    Console.Error.WriteLine(failure.Message);
    return 2;
}
