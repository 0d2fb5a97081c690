using System.CommandLine;
using System.Globalization;
using Fal.Observability.Client.Testing;

namespace Fal.Observability.Cli.Simulate;

/// <summary>Serves simulated data on a port of this machine until it is interrupted.</summary>
internal sealed class SimulateVerb
{
    private readonly VerbWithNotes _verb = new(
        "simulate", "Simulate the fal API on a local port. All data are simulated.", SimulatorWords.Notes);

    private readonly List<Action<ParseResult, FalSimulatorOptions>> _settings = [];

    private SimulateVerb()
    {
        Add(
            Words.Option("--urls", "URL", "Where to listen, loopback only (default: http://127.0.0.1:5080).", Address),
            (options, url) => options.Url = url
        );
        Add(
            Words.Option("--apps", "N", "How many apps the account owns (default: 12).", Words.Whole),
            (options, apps) => options.Apps = apps
        );
        Add(Words.Option("--seed", "N", "The seed of all traffic (default: 1).", Words.Whole), (options, seed) => options.Seed = seed);
        Add(
            Words.Option(
                "--key",
                "ID:SECRET",
                "The accepted key (default: simulated:key). ID:no-permission gets 403, and ID:no-billing gets 403 for usage.",
                text => text
            ),
            (options, key) => options.Key = key
        );
        Add(
            Words.Repeated(
                "--incident",
                "APP[,at=INSTANT][,minutes=N][,severity=1|2|3]",
                "Raise an app's queue, errors and latency (default: from the start, for 30 minutes, severity 3).",
                SimulatorWords.Incident
            ),
            (options, incidents) => Array.ForEach(incidents, options.Incidents.Add)
        );
        Add(
            Words.Choice(
                "--scale-to-zero", "Let every app go idle between bursts; its metrics are then absent or zero (default: half stay up).",
                ("absent", ScaledToZero.Absent), ("zeros", ScaledToZero.Zeros)),
            (options, zero) => options.ScaleToZero = zero);
        Add(
            Words.Choice("--gzip", "Compress for clients that accept it (default: on).", ("on", true), ("off", false)),
            (options, gzip) => options.Gzip = gzip);
        Add(
            Words.Option("--page-size", "N", "Default and highest limit of analytics and usage (default: 100).", Words.Whole),
            (options, size) => options.PageSize = size);
        Add(
            Words.Option("--lag", "MINUTES", "How far analytics, runner history and usage lag behind the clock (default: 0).", Words.Whole),
            (options, minutes) => options.AnalyticsLag = TimeSpan.FromMinutes(minutes)
        );
        Add(
            Words.Choice(
                "--limit-counts",
                "What the parameter limit counts (default: buckets).",
                ("buckets", LimitCounts.Buckets),
                ("rows", LimitCounts.Rows)
            ),
            (options, counts) => options.LimitCounts = counts
        );
        Add(
            Words.Choice(
                "--summary-on",
                "Which pages carry the summary (default: every-page).",
                ("every-page", SummaryOn.EveryPage),
                ("first-page", SummaryOn.FirstPage)
            ),
            (options, pages) => options.SummaryOn = pages
        );
        Add(
            Words.Choice(
                "--missing-metrics",
                "How a metric without a value is sent (default: null).",
                ("null", MissingMetrics.Null),
                ("absent", MissingMetrics.Absent)
            ),
            (options, missing) => options.MissingMetrics = missing
        );
        Add(
            Words.Choice(
                "--bucket-order",
                "The order of buckets (default: ascending).",
                ("ascending", BucketOrder.Ascending),
                ("descending", BucketOrder.Descending)
            ),
            (options, order) => options.BucketOrder = order
        );
        Add(
            Words.Choice(
                "--bucket-offset",
                "How a bucket writes its start time (default: zone).",
                ("zone", BucketOffset.Zone),
                ("utc", BucketOffset.Utc),
                ("none", BucketOffset.None)
            ),
            (options, offset) => options.BucketOffset = offset
        );
        Add(
            Words.Option("--refuse", "IDS", "Comma-separated endpoints that make the whole call fail with 403.", Words.List),
            (options, ids) => Array.ForEach(ids, id => options.Faults.RefuseEndpoint(id)));
        Add(
            Words.Option("--missing", "IDS", "Comma-separated endpoints that make the whole call fail with 404.", Words.List),
            (options, ids) => Array.ForEach(ids, id => options.Faults.RefuseEndpoint(id, 404)));
        Add(
            Words.Option("--cold-boot-500", "IDS", "Comma-separated endpoints whose cold-boot percentiles fail with 500.", Words.List),
            (options, ids) => Array.ForEach(ids, options.Faults.FailColdBootPercentiles));
        Add(
            Words.Repeated(
                "--fault", "KIND[,every=K|next=N][,on=ROUTE][,code=STATUS][,retry-after=SECONDS][,wait=SECONDS][,padding=BYTES]",
                "Make calls fail (default: every=1, all routes).", SimulatorWords.Fault),
            (options, faults) => Array.ForEach(faults, put => put(options.Faults)));

        Option<DateTimeOffset?> now = Words.Option<DateTimeOffset?>(
            "--now", "INSTANT", "Start the clock at an instant such as 2026-01-01T00:00:00Z and let it run (default: the system's clock).",
            text => SimulatorWords.Instant(text));
        var frozen = new Option<bool>("--frozen") { Description = "Stop the clock at --now, or at the start of the program." };
        Option<string?> truth = Words.Option<string?>(
            "--truth", "QUERY", "Print the complete answer to an analytics query string as JSON, and exit.", text => text);
        _verb.Add(now);
        _verb.Add(frozen);
        _verb.Add(truth);
        _verb.SetAction((parsed, cancellationToken) =>
        {
            var options = new FalSimulatorOptions { Seed = 1, Url = new Uri("http://127.0.0.1:5080") };
            _settings.ForEach(set => set(parsed, options));
            bool isFrozen = parsed.GetValue(frozen);
            string? query = parsed.GetValue(truth);
            if (parsed.GetValue(now) is not null || isFrozen)
            {
                // One answer is about one instant: the clock of --truth stands still.
                options.TimeProvider = new SimulatedClock(
                    parsed.GetValue(now) ?? TimeProvider.System.GetUtcNow(), isFrozen || query is not null);
            }

            options.Validate();
            return query is null ? ServeAsync(options, isFrozen, cancellationToken) : PrintTruthAsync(options, query);
        });
    }

    public static Command Create() => new SimulateVerb()._verb;

    private static async Task<int> ServeAsync(FalSimulatorOptions options, bool isFrozen, CancellationToken cancellationToken)
    {
        FalSimulator server;
        try
        {
            server = await FalSimulator.StartAsync(options, cancellationToken);
        }
        catch (IOException taken)
        {
            return await Failure.ReportAsync(
                ExitCode.Failed, $"Cannot listen on {options.Url}: {taken.Message} Choose another port with --urls.");
        }

        await using (server)
        {
            string clock = options.TimeProvider.GetUtcNow().UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
            Console.WriteLine($"""
                SIMULATED DATA: a stand-in for the fal API. Nothing here comes from fal.
                  base address   {server.BaseAddress}
                  key            {server.Key}   ({server.KeyWithoutPermission} is answered 403, {server.KeyWithoutBilling} for usage)
                  clock          {clock}, {(isFrozen ? "standing still" : "running")}
                  apps           {server.Apps.Count}, seed {options.Seed}{(server.Apps.Count > 0 ? $", the first is {server.Apps[0]}" : "")}
                  try            curl -H "Authorization: Key {server.Key}" {server.BaseAddress}/serverless/metrics
                Ctrl+C stops it.
                """
            );
            await Task.Delay(Timeout.InfiniteTimeSpan, options.TimeProvider, cancellationToken)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            // To be stopped is what it waits for.
            return ExitCode.Done;
        }
    }

    private static async Task<int> PrintTruthAsync(FalSimulatorOptions options, string query)
    {
        try
        {
            var endpoint = new AnalyticsEndpoint(new TrafficModel(options), options);
            Console.WriteLine(new SimulatorTruth(endpoint, options.TimeProvider).Analytics(query).ToJson());
            return ExitCode.Done;
        }
        catch (ArgumentException wrong)
        {
            return await Failure.ReportAsync(ExitCode.Usage, $"--truth: {wrong.Message}");
        }
    }

    private static Uri Address(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out Uri? address)
            ? address
            : throw Words.Expected("an address such as http://127.0.0.1:5080");

    private void Add<T>(Option<T> option, Action<FalSimulatorOptions, T> set)
    {
        _verb.Add(option);
        _settings.Add((parsed, options) =>
        {
            if (parsed.GetResult(option) is not null)
            {
                set(options, parsed.GetValue(option)!);
            }
        });
    }
}
