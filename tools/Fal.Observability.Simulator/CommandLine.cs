using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;

namespace Fal.Observability.Client.Testing;

/// <summary>The switches of the program: one table that is parsed by and printed as help.</summary>
internal sealed class CommandLine
{
    private static readonly (string Name, FaultKind Kind)[] FaultKinds =
    [
        ("rate-limited", FaultKind.RateLimited),
        ("rate-limited-seconds", FaultKind.RateLimitedSeconds),
        ("rate-limited-date", FaultKind.RateLimitedDate),
        ("rate-limited-reset", FaultKind.RateLimitedReset),
        ("server-error", FaultKind.ServerError),
        ("bad-gateway", FaultKind.BadGateway),
        ("service-unavailable", FaultKind.ServiceUnavailable),
        ("gateway-timeout", FaultKind.GatewayTimeout),
        ("challenge", FaultKind.Challenge),
        ("dropped-connection", FaultKind.DroppedConnection),
        ("truncated-length", FaultKind.TruncatedLength),
        ("truncated-chunked", FaultKind.TruncatedChunked),
        ("truncated-gzip", FaultKind.TruncatedGzip),
        ("stalled-body", FaultKind.StalledBody),
        ("slow-first-byte", FaultKind.SlowFirstByte),
        ("empty-body", FaultKind.EmptyBody),
        ("html-body", FaultKind.HtmlBody),
        ("wrong-content", FaultKind.WrongContent),
        ("oversized-body", FaultKind.OversizedBody),
    ];

    private static readonly (string Name, SimulatorRoute Route)[] Routes =
    [
        ("metrics", SimulatorRoute.Metrics),
        ("analytics", SimulatorRoute.ServerlessAnalytics),
        ("models", SimulatorRoute.ModelsAnalytics),
        ("apps", SimulatorRoute.Apps),
        ("history", SimulatorRoute.RunnerHistory),
        ("usage", SimulatorRoute.Usage),
    ];

    private static readonly Switch[] Switches =
    [
        new("--urls", "URL", "where to listen, loopback only (default http://127.0.0.1:5080)",
            (line, value) => line.Options.Url = Address(value)),
        new("--apps", "N", "how many apps the account owns (default 12)", (line, value) => line.Options.Apps = Whole(value)),
        new("--seed", "N", "decides all traffic (default 1)", (line, value) => line.Options.Seed = Whole(value)),
        new("--key", "ID:SECRET", "the key that is accepted (default simulated:key); ID:no-permission is answered 403, and ID:no-billing for usage",
            (line, value) => line.Options.Key = value),
        new("--now", "INSTANT", "start the clock at an instant such as 2026-01-01T00:00:00Z and let it run (default the system's clock)",
            (line, value) => line._now = Instant(value)),
        new("--frozen", null, "stop the clock at --now, or at the start of the program", (line, _) => line._frozen = true),
        new("--incident", "APP[,at=INSTANT][,minutes=N][,severity=1|2|3]",
            "let an app's queue, errors and latency rise; may be repeated (default from the start, for 30 minutes, severity 3)",
            AddIncident),
        new("--scale-to-zero", "absent|zeros",
            "let every app be idle between bursts of traffic, and its metrics be absent or zero meanwhile (default: half of them stay up)",
            (line, value) =>
                line.Options.ScaleToZero = OneOf(value, ("absent", ScaledToZero.Absent), ("zeros", ScaledToZero.Zeros))),
        new("--gzip", "on|off", "compress for clients that accept it (default on)", (line, value) =>
            line.Options.Gzip = OneOf(value, ("on", true), ("off", false))),
        new("--page-size", "N", "default and highest limit of analytics and usage (default 100)", (line, value) =>
            line.Options.PageSize = Whole(value)),
        new("--lag", "MINUTES", "how far analytics, runner history and usage lag behind the clock (default 0)", (line, value) =>
            line.Options.AnalyticsLag = TimeSpan.FromMinutes(Whole(value))),
        new("--limit-counts", "buckets|rows", "what limit counts (default buckets)",
            (line, value) => line.Options.LimitCounts = OneOf(value, ("buckets", LimitCounts.Buckets), ("rows", LimitCounts.Rows))),
        new("--summary-on", "every-page|first-page", "which pages carry the summary (default every-page)",
            (line, value) =>
                line.Options.SummaryOn = OneOf(value, ("every-page", SummaryOn.EveryPage), ("first-page", SummaryOn.FirstPage))),
        new("--missing-metrics", "null|absent", "how a metric without a value is sent (default null)",
            (line, value) => line.Options.MissingMetrics = OneOf(value, ("null", MissingMetrics.Null), ("absent", MissingMetrics.Absent))),
        new("--bucket-order", "ascending|descending", "the order of buckets (default ascending)",
            (line, value) =>
                line.Options.BucketOrder = OneOf(value, ("ascending", BucketOrder.Ascending), ("descending", BucketOrder.Descending))),
        new("--bucket-offset", "zone|utc|none", "how a bucket names its instant (default zone)",
            (line, value) => line.Options.BucketOffset =
                OneOf(value, ("zone", BucketOffset.Zone), ("utc", BucketOffset.Utc), ("none", BucketOffset.None))),
        new("--refuse", "IDS", "endpoints, comma-separated, for which a whole call is answered 403", (line, value) =>
            ForEach(value, id => line.Options.Faults.RefuseEndpoint(id))),
        new("--missing", "IDS", "endpoints for which a whole call is answered 404", (line, value) =>
            ForEach(value, id => line.Options.Faults.RefuseEndpoint(id, 404))),
        new("--cold-boot-500", "IDS", "endpoints for which cold-boot percentiles are answered 500", (line, value) =>
            ForEach(value, line.Options.Faults.FailColdBootPercentiles)),
        new("--fault", "KIND[,every=K|next=N][,on=ROUTE][,wait=SECONDS][,padding=BYTES]",
            "make calls go wrong; may be repeated (default every=1, all routes)", AddFault),
        new("--truth", "QUERY", "print the whole answer to an analytics query string as JSON, without serving, and exit", (line, value) =>
            line.TruthQuery = value),
        new("--help", null, "print this and exit", (line, _) => line.HelpWanted = true),
    ];

    private DateTimeOffset? _now;
    private bool _frozen;

    private CommandLine()
    {
        Options = new SimulatorOptions { Url = new Uri("http://127.0.0.1:5080") };
    }

    public SimulatorOptions Options { get; }

    /// <summary>The query whose whole answer is to be printed; null: serve.</summary>
    public string? TruthQuery { get; private set; }

    public bool HelpWanted { get; private set; }

    /// <summary>What the clock does, in words.</summary>
    public string Clock =>
        $"{Options.TimeProvider.GetUtcNow().UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture)}"
        + (_frozen ? ", standing still" : ", running");

    /// <summary>Every switch, a line each.</summary>
    public static string Help
    {
        get
        {
            var help = new StringBuilder("A stand-in for the fal API on a loopback port. All its data is simulated.\n\nSwitches:\n");
            foreach (Switch one in Switches)
            {
                help.Append(CultureInfo.InvariantCulture, $"  {$"{one.Name} {one.Value}".TrimEnd()}\n      {one.Description}\n");
            }

            help.Append(
                CultureInfo.InvariantCulture,
                $"\nKINDs of fault:\n  {string.Join("\n  ", FaultKinds.Select(kind => kind.Name))}\n");
            help.Append(CultureInfo.InvariantCulture, $"\nROUTEs: {string.Join(", ", Routes.Select(route => route.Name))}\n");
            help.Append("\nExamples: --apps 100 --fault rate-limited-seconds,every=3,wait=1 --fault stalled-body,next=2,on=metrics\n");
            help.Append(
                CultureInfo.InvariantCulture,
                $"          --now 2026-01-01T00:00:00Z --incident {SimulatedApp.NameOf(0)},at=2026-01-01T00:10:00Z,minutes=20\n");
            return help.ToString();
        }
    }

    /// <summary>Reads the arguments. False: <paramref name="error"/> says what is wrong with them.</summary>
    public static bool TryParse(
        IReadOnlyList<string> arguments, [NotNullWhen(true)] out CommandLine? line, [NotNullWhen(false)] out string? error)
    {
        line = new CommandLine();
        try
        {
            for (int i = 0; i < arguments.Count; i++)
            {
                string name = arguments[i];
                Switch one = Array.Find(Switches, candidate => candidate.Name == name)
                    ?? throw new FormatException($"'{name}' is not a switch; --help lists them all.");
                if (one.Value is not null && ++i == arguments.Count)
                {
                    throw new FormatException($"{name} needs a value: {one.Value}.");
                }

                try
                {
                    one.Apply(line, arguments[i]);
                }
                catch (FormatException wrong)
                {
                    throw new FormatException($"{name}: {wrong.Message}", wrong);
                }
            }
            line.SetClock();
            line.Options.Validate();
            error = null;
            return true;
        }
        catch (Exception wrong) when (wrong is FormatException or ArgumentException)
        {
            error = wrong.Message;
            line = null;
            return false;
        }
    }

    // One answer is about one instant: the clock of --truth stands still.
    private void SetClock()
    {
        if (_now is not null || _frozen)
        {
            Options.TimeProvider = new ProgramClock(_now ?? TimeProvider.System.GetUtcNow(), _frozen || TruthQuery is not null);
        }
    }

    private static void AddIncident(CommandLine line, string value)
    {
        string[] parts = value.Split(',');
        var incident = new SimulatedIncident(parts[0]);
        foreach (string part in parts.Skip(1))
        {
            incident = part.Split('=', 2) switch
            {
                ["at", string instant] => incident with { Start = Instant(instant) },
                ["minutes", string minutes] => incident with { Duration = TimeSpan.FromMinutes(AtLeastOne(minutes)) },
                ["severity", string severity] => incident with { Severity = Whole(severity) },
                _ => throw Bad(part, "at=INSTANT, minutes=N or severity=1|2|3"),
            };
        }
        line.Options.Incidents.Add(incident);
    }

    private static void AddFault(CommandLine line, string value)
    {
        string[] parts = value.Split(',');
        var fault = new Fault(OneOf(parts[0], FaultKinds));
        int? next = null;
        int? every = null;
        SimulatorRoute? on = null;
        foreach (string part in parts.Skip(1))
        {
            string[] pair = part.Split('=', 2);
            switch (pair)
            {
                case ["next", string calls]:
                    next = AtLeastOne(calls);
                    break;
                case ["every", string period]:
                    every = AtLeastOne(period);
                    break;
                case ["on", string route]:
                    on = OneOf(route, Routes);
                    break;
                case ["wait", string seconds]:
                    fault = fault with { Wait = TimeSpan.FromSeconds(Whole(seconds)) };
                    break;
                case ["padding", string bytes]:
                    fault = fault with { Padding = Whole(bytes) };
                    break;
                default:
                    throw Bad(part, "every=K, next=N, on=ROUTE, wait=SECONDS or padding=BYTES");
            }
        }
        if (next is not null && every is not null)
        {
            throw new FormatException("every and next exclude each other: give two --fault switches.");
        }

        if (next is not null)
        {
            line.Options.Faults.Next(next.Value, fault, on);
        }
        else
        {
            line.Options.Faults.Every(every ?? 1, fault, on);
        }
    }

    private static Uri Address(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out Uri? address) ? address : throw Bad(text, "an address such as http://127.0.0.1:5080");

    private static int AtLeastOne(string text) =>
        Whole(text) is int number and >= 1 ? number : throw Bad(text, "a whole number of at least 1");

    private static int Whole(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number) ? number : throw Bad(text, "a whole number");

    private static DateTimeOffset Instant(string text) =>
        DateTimeOffset.TryParseExact(
            text, "yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out DateTimeOffset instant)
            && instant.Year is >= 2000 and < 2200
            ? instant
            : throw Bad(text, "an instant such as 2026-01-01T00:00:00Z, in the years 2000 to 2199");

    private static T OneOf<T>(string text, params (string Name, T Value)[] choices)
    {
        foreach ((string name, T value) in choices)
        {
            if (name == text)
            {
                return value;
            }
        }
        throw Bad(text, $"one of {string.Join(", ", choices.Select(choice => choice.Name))}");
    }

    private static FormatException Bad(string text, string expected) => new($"'{text}' is not {expected}.");

    private static void ForEach(string ids, Action<string> apply)
    {
        foreach (string id in ids.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            apply(id);
        }
    }

    private sealed record Switch(string Name, string? Value, string Description, Action<CommandLine, string> Apply);
}
