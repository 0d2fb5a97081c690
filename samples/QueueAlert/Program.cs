// Posts to a webhook when the queue of an app stays above a threshold, and once more when the queue is short again:
// QUEUE_ALERT_WEBHOOK=https://hooks.example.com/T0 dotnet run --project samples/QueueAlert -- my-org/my-app 100 60
using System.Globalization;
using System.Net.Http.Json;
using Fal.Observability.Client;
using Fal.Observability.Client.Testing;

string app = args.ElementAtOrDefault(0) ?? "simulated/my-app";
if (!int.TryParse(args.ElementAtOrDefault(1) ?? "100", NumberStyles.None, CultureInfo.InvariantCulture, out int threshold)
    || !int.TryParse(args.ElementAtOrDefault(2) ?? "10", NumberStyles.None, CultureInfo.InvariantCulture, out int seconds))
{
    Console.Error.WriteLine("Usage: QueueAlert [APP [THRESHOLD [SECONDS]]]: the last two are whole numbers.");
    return 2;
}

string[] keys = ["FAL_KEY", "FAL_KEY_ID", "FAL_KEY_FILE"];
await using FalSimulator? sim = keys.Any(key => Environment.GetEnvironmentVariable(key) is { Length: > 0 })
    ? null
    : await FalSimulator.StartAsync();
Console.WriteLine(sim is null ? "Press Ctrl+C to stop."
    : "SIMULATED DATA: no key is set. The alert fires and is resolved within a minute.");
sim?.App(app).Queue = threshold + 1;
using var fal = new FalObservabilityClient(options =>
    (options.ApiKey, options.BaseAddress) = sim is null ? (options.ApiKey, options.BaseAddress) : (sim.Key, sim.BaseAddress));
using var http = new HttpClient();
string? webhook = Environment.GetEnvironmentVariable("QUEUE_ALERT_WEBHOOK");
DateTimeOffset? longSince = null;
bool firing = false;
// The service refreshes its metrics every ten seconds.
await foreach (FalMetricsSnapshot now in fal.Metrics.WatchAsync(TimeSpan.FromSeconds(10)))
{
    double queue = now[app]?.QueueSize ?? 0;
    longSince = queue > threshold ? longSince ?? now.Timestamp : null;
    if (firing ? longSince is not null : !(now.Timestamp - longSince >= TimeSpan.FromSeconds(seconds)))
    {
        continue; // Nothing has changed.
    }

    string text = firing
        ? $"{app}: resolved, {queue:0} requests are waiting."
        : $"{app}: {queue:0} requests are waiting, more than {threshold} for {seconds} s.";
    Console.WriteLine(text);
    try
    {
        using HttpResponseMessage? answer = webhook is null ? null : await http.PostAsJsonAsync(webhook, new { text });
        answer?.EnsureSuccessStatusCode();
        firing = !firing;
        sim?.App(app).Queue = 0;
    }
    catch (Exception failure) when (failure is HttpRequestException or OperationCanceledException or InvalidOperationException)
    {
        Console.Error.WriteLine($"The webhook failed and will be called again after the next snapshot: {failure.Message}");
    }

    if (sim is not null && !firing)
    {
        break; // The simulated alert has come and gone.
    }
}

return 0;
