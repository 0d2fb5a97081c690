using System.Globalization;
using Fal.Observability.Client.Testing;

namespace Fal.Observability.Cli.Simulate;

/// <summary>The values of the simulator's options that have parts: a fault, an incident.</summary>
internal static class SimulatorWords
{
    private static readonly (string Word, FaultKind Value)[] FaultKinds =
    [
        ("rate-limited", FaultKind.RateLimited),
        ("rate-limited-seconds", FaultKind.RateLimitedSeconds),
        ("rate-limited-date", FaultKind.RateLimitedDate),
        ("rate-limited-reset", FaultKind.RateLimitedReset),
        ("status", FaultKind.Status),
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
        ("silence", FaultKind.Silence),
        ("empty-body", FaultKind.EmptyBody),
        ("html-body", FaultKind.HtmlBody),
        ("wrong-content", FaultKind.WrongContent),
        ("oversized-body", FaultKind.OversizedBody),
    ];

    private static readonly (string Word, SimulatorRoute Value)[] Routes =
    [
        ("metrics", SimulatorRoute.Metrics),
        ("analytics", SimulatorRoute.ServerlessAnalytics),
        ("models", SimulatorRoute.ModelsAnalytics),
        ("apps", SimulatorRoute.Apps),
        ("history", SimulatorRoute.RunnerHistory),
        ("usage", SimulatorRoute.Usage),
    ];

    /// <summary>What the help says about the parts.</summary>
    public static string Notes => $"""
        KINDs of fault:
          {string.Join($"{Environment.NewLine}  ", FaultKinds.Select(kind => kind.Word))}

        ROUTEs: {string.Join(", ", Routes.Select(route => route.Word))}

        Examples:
          fal-obs simulate --apps 100 --fault rate-limited-seconds,every=3,wait=1 --fault stalled-body,next=2,on=metrics
          fal-obs simulate --now 2026-01-01T00:00:00Z --incident {DrawnApp.NameOf(0)},at=2026-01-01T00:10:00Z,minutes=20
        """;

    /// <summary>Reads <c>APP[,at=INSTANT][,minutes=N][,severity=N]</c>.</summary>
    public static SimulatedIncident Incident(string text)
    {
        string[] parts = text.Split(',');
        var incident = new SimulatedIncident(parts[0]);
        foreach (string part in parts.Skip(1))
        {
            incident = part.Split('=', 2) switch
            {
                ["at", string instant] => incident with { Start = Part(part, instant, Instant) },
                ["minutes", string minutes] => incident with { Duration = TimeSpan.FromMinutes(Part(part, minutes, AtLeastOne)) },
                ["severity", string severity] => incident with { Severity = Part(part, severity, Words.Whole) },
                _ => throw Words.Wrong($"'{part}' must be at=INSTANT, minutes=N or severity=1|2|3"),
            };
        }

        return incident;
    }

    /// <summary>Reads <c>KIND[,every=K|next=N][,on=ROUTE][,code=STATUS][,retry-after=SECONDS][,wait=SECONDS][,padding=BYTES]</c>.</summary>
    /// <returns>What puts the fault into the options.</returns>
    public static Action<SimulatorFaults> Fault(string text)
    {
        string[] parts = text.Split(',');
        var fault = new Fault(Words.OneOf(parts[0], FaultKinds));
        int? next = null;
        int? every = null;
        SimulatorRoute? on = null;
        foreach (string part in parts.Skip(1))
        {
            switch (part.Split('=', 2))
            {
                case ["next", string calls]:
                    next = Part(part, calls, AtLeastOne);
                    break;
                case ["every", string period]:
                    every = Part(part, period, AtLeastOne);
                    break;
                case ["on", string route]:
                    on = Part(part, route, text => Words.OneOf(text, Routes));
                    break;
                case ["code", string status]:
                    fault = Part(part, status, text => fault with { Status = Status(text) });
                    break;
                case ["retry-after", string seconds]:
                    fault = fault with { RetryAfter = TimeSpan.FromSeconds(Part(part, seconds, Words.Whole)) };
                    break;
                case ["wait", string seconds]:
                    fault = fault with { Wait = TimeSpan.FromSeconds(Part(part, seconds, Words.Whole)) };
                    break;
                case ["padding", string bytes]:
                    fault = fault with { Padding = Part(part, bytes, Words.Whole) };
                    break;
                default:
                    throw Words.Wrong(
                        $"'{part}' must be every=K, next=N, on=ROUTE, code=STATUS, retry-after=SECONDS, wait=SECONDS or padding=BYTES"
                    );
            }
        }

        return (next, every) switch
        {
            ({ }, { }) => throw Words.Wrong("every and next cannot be combined: give --fault twice"),
            ({ } calls, null) => faults => faults.Next(calls, fault, on),
            _ => faults => faults.Every(every ?? 1, fault, on),
        };
    }

    public static DateTimeOffset Instant(string text) =>
        DateTimeOffset.TryParseExact(
            text, "yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out DateTimeOffset instant)
            && instant.Year is >= 2000 and < 2200
            ? instant
            : throw Words.Expected("an instant such as 2026-01-01T00:00:00Z, in the years 2000 to 2199");

    private static T Part<T>(string part, string value, Func<string, T> read)
    {
        try
        {
            return read(value);
        }
        catch (FormatException wrong)
        {
            throw Words.Wrong($"in '{part}' {wrong.Message}");
        }
    }

    private static int Status(string text) =>
        Words.Whole(text) is int status and >= 300 and < 600 ? status : throw Words.Expected("a status from 300 to 599");

    private static int AtLeastOne(string text) =>
        Words.Whole(text) is int number and >= 1 ? number : throw Words.Expected("a whole number of at least 1");
}
