using System.Globalization;

namespace Fal.Observability.Client.Testing;

/// <summary>A route of the API.</summary>
public enum SimulatorRoute
{
    /// <summary><c>GET /v1/serverless/metrics</c>.</summary>
    Metrics,

    /// <summary><c>GET /v1/serverless/analytics</c>.</summary>
    ServerlessAnalytics,

    /// <summary><c>GET /v1/models/analytics</c>.</summary>
    ModelsAnalytics,

    /// <summary><c>GET /v1/serverless/apps</c>.</summary>
    Apps,

    /// <summary><c>GET /v1/serverless/apps/{owner}/{name}/runners/history</c>.</summary>
    RunnerHistory,

    /// <summary><c>GET /v1/serverless/usage</c>.</summary>
    Usage,
}

/// <summary>What the <c>limit</c> of a time series counts; the service does not document it.</summary>
public enum LimitCounts
{
    /// <summary>Buckets: each comes whole.</summary>
    Buckets,

    /// <summary>Rows: a bucket may be split over two pages. A bucket without rows counts as one.</summary>
    Rows,
}

/// <summary>Which pages carry the summary; the service does not document it.</summary>
public enum SummaryOn
{
    /// <summary>It repeats on every page.</summary>
    EveryPage,

    /// <summary>Later pages leave it out.</summary>
    FirstPage,
}

/// <summary>How a metric without a value is sent.</summary>
public enum MissingMetrics
{
    /// <summary>As <c>null</c>.</summary>
    Null,

    /// <summary>Not at all.</summary>
    Absent,
}

/// <summary>The order of buckets within and across pages; the service does not document it.</summary>
public enum BucketOrder
{
    /// <summary>Oldest first.</summary>
    Ascending,

    /// <summary>Newest first.</summary>
    Descending,
}

/// <summary>How a bucket names its instant; the service's documentation contradicts itself.</summary>
public enum BucketOffset
{
    /// <summary>Local time with the offset of the requested zone.</summary>
    Zone,

    /// <summary>UTC with a <c>Z</c>.</summary>
    Utc,

    /// <summary>Local time without an offset. The two hours of a clock change then look alike.</summary>
    None,
}

/// <summary>What the metrics show of an app that has scaled to zero.</summary>
public enum ScaledToZero
{
    /// <summary>Nothing: its series are gone until it is called again.</summary>
    Absent,

    /// <summary>Its gauges, with the value 0.</summary>
    Zeros,
}

/// <summary>What an error body says. The service has been observed to say less than its documentation promises.</summary>
public enum ErrorBodies
{
    /// <summary>
    /// The type and the message, as the live service sends them. The id of the request is in the header <c>x-vercel-id</c>.
    /// </summary>
    AsSeen,

    /// <summary>
    /// As documented: <c>request_id</c> and <c>docs_url</c> too, and the header <c>x-fal-request-id</c> on every response.
    /// </summary>
    AsDocumented,
}

/// <summary>How a simulator behaves.</summary>
public sealed class FalSimulatorOptions
{
    /// <summary>The most apps that can be drawn from a seed.</summary>
    internal const int MostApps = 100_000;

    private const int DefaultApps = 12;

    private static readonly TimeSpan LongestIncident = TimeSpan.FromDays(30);
    private static readonly TimeSpan LongestLag = TimeSpan.FromDays(30);

    /// <summary>
    /// Where to listen: http, a loopback address, a port (0: a free one) and no path. Default <c>http://127.0.0.1:0</c>.
    /// </summary>
    public Uri Url { get; set; } = new("http://127.0.0.1:0");

    /// <summary>
    /// Draws an account with traffic from this number: the same number gives the same traffic. Default null: the account has the apps
    /// that a script names, and no others.
    /// </summary>
    public int? Seed { get; set; }

    /// <summary>
    /// How many apps are drawn from the seed, 0 to 100,000. Default null: 12 if there is a seed. Not allowed without one.
    /// </summary>
    public int? Apps { get; set; }

    /// <summary>The key that may do everything, <c>id:secret</c>. Default <c>simulated:key</c>.</summary>
    public string Key { get; set; } = "simulated:key";

    /// <summary>
    /// All apps scale to zero. An app that is drawn from the seed has at most one burst in every half hour, usually of 6 to 16 minutes,
    /// and no runner outside it. An app with little traffic has shorter bursts, or none. The value says what the metrics show of an app
    /// without runners, requests and queue. Default null: every second app that is drawn keeps a runner, its traffic follows the day, and
    /// the metrics show every scripted app.
    /// </summary>
    public ScaledToZero? ScaleToZero { get; set; }

    /// <summary>
    /// Incidents of drawn apps at given times, besides those that the seed brings. Read when the simulator starts. Default none. An app
    /// whose
    /// traffic is too thin to show its incident has 30 requests a minute at each of its endpoints meanwhile.
    /// </summary>
    public IList<SimulatedIncident> Incidents { get; } = [];

    /// <summary>The clock of all data, caches and waits. Default: the system's.</summary>
    public TimeProvider TimeProvider { get; set; } = TimeProvider.System;

    /// <summary>What goes wrong. Default: nothing. May be changed while the simulator runs.</summary>
    public SimulatorFaults Faults { get; set; } = new();

    /// <summary>Responses are compressed for clients that accept gzip. Default true.</summary>
    public bool Gzip { get; set; } = true;

    /// <summary>What an error body says. The default is what the live service has been observed to send.</summary>
    public ErrorBodies ErrorBodies { get; set; }

    /// <summary>The <c>limit</c> of a call that names none, and the highest one in force, at least 1. Default 100.</summary>
    public int PageSize { get; set; } = 100;

    /// <summary>
    /// How long analytics, runner history and usage lag behind the clock; later minutes look quiet until then. From zero to 30 days.
    /// Default zero.
    /// </summary>
    public TimeSpan AnalyticsLag { get; set; }

    /// <summary>What <c>limit</c> counts. Default buckets.</summary>
    public LimitCounts LimitCounts { get; set; }

    /// <summary>Which pages carry the summary. Default every page.</summary>
    public SummaryOn SummaryOn { get; set; }

    /// <summary>How a metric without a value is sent. Default null.</summary>
    public MissingMetrics MissingMetrics { get; set; }

    /// <summary>The order of buckets. Default ascending.</summary>
    public BucketOrder BucketOrder { get; set; }

    /// <summary>How a bucket names its instant. Default with the offset of the zone.</summary>
    public BucketOffset BucketOffset { get; set; }

    /// <summary>Checks every value.</summary>
    /// <exception cref="ArgumentException">A value is out of its range; the message names it and says what is allowed.</exception>
    internal void Validate()
    {
        (string Name, object? Value)[] required =
            [(nameof(Url), Url), (nameof(Key), Key), (nameof(TimeProvider), TimeProvider), (nameof(Faults), Faults)];
        if (Array.Find(required, one => one.Value is null).Name is { } missing)
        {
            throw new ArgumentException($"{missing} is null: leave it at its default, or set it.");
        }

        if (!Url.IsAbsoluteUri || Url.Scheme != Uri.UriSchemeHttp || !Url.IsLoopback || Url.PathAndQuery != "/")
        {
            throw new ArgumentException(
                $"Url is '{Url}': it must be an http address of this machine without a path, such as http://127.0.0.1:5080.");
        }

        if (Apps is < 0 or > MostApps)
        {
            throw new ArgumentException(
                string.Create(CultureInfo.InvariantCulture, $"Apps is {Apps}: it must be between 0 and {MostApps}.")
            );
        }

        if (Seed is null && (Apps is not null || Incidents.Count > 0))
        {
            throw new ArgumentException(
                $"{(Apps is null ? nameof(Incidents) : nameof(Apps))} is set, but Seed is not: set Seed to draw apps, or script apps " +
                    $"with App.");
        }

        if (PageSize < 1)
        {
            throw new ArgumentException(string.Create(CultureInfo.InvariantCulture, $"PageSize is {PageSize}: it must be at least 1."));
        }

        if (AnalyticsLag < TimeSpan.Zero || AnalyticsLag > LongestLag)
        {
            throw new ArgumentException($"AnalyticsLag is {AnalyticsLag}: it must be from zero to 30 days.");
        }

        Named(nameof(ScaleToZero), ScaleToZero ?? default);
        Named(nameof(ErrorBodies), ErrorBodies);
        Named(nameof(LimitCounts), LimitCounts);
        Named(nameof(SummaryOn), SummaryOn);
        Named(nameof(MissingMetrics), MissingMetrics);
        Named(nameof(BucketOrder), BucketOrder);
        Named(nameof(BucketOffset), BucketOffset);

        foreach (SimulatedIncident incident in Incidents)
        {
            Validate(incident);
        }

        if (Key.Split(':') is not [{ Length: > 0 }, { Length: > 0 }] || Key.Any(character => character is <= ' ' or > '~'))
        {
            throw new ArgumentException("Key must have the form id:secret, in visible ASCII characters.");
        }

        (string Key, string What)[] refused =
        [
            (KeyWithoutBilling, "key that lacks the permission for billing data"),
            (KeyWithoutServerless, "key whose account has no access to Serverless"),
            (KeyWithoutPermission, "key that lacks the permission"),
        ];
        if (Array.Find(refused, one => one.Key == Key).What is { } what)
        {
            throw new ArgumentException($"Key must not end in '{Key[KeyId.Length..]}': that is the secret of the {what}.");
        }
    }

    private static void Named<T>(string option, T value)
        where T : struct, Enum
    {
        if (!Enum.IsDefined(value))
        {
            throw new ArgumentException($"{option} is {value}: it must be one of {string.Join(", ", Enum.GetNames<T>())}.");
        }
    }

    private void Validate(SimulatedIncident incident)
    {
        if (!Enumerable.Range(0, DrawnApps).Any(index => DrawnApp.NameOf(index) == incident.App))
        {
            throw new ArgumentException(string.Create(CultureInfo.InvariantCulture,
                $"Incidents names '{incident.App}', which is not one of the account's {DrawnApps} apps: give an app id such as " +
                $"{DrawnApp.NameOf(0)}."));
        }

        if (incident.Duration <= TimeSpan.Zero || incident.Duration > LongestIncident)
        {
            throw new ArgumentException(
                $"Incidents names {incident.App} with a duration of {incident.Duration}: it must last more than zero and at most 30 days.");
        }

        if (incident.Start is { Year: < 2000 or >= 2200 })
        {
            throw new ArgumentException(
                $"Incidents names {incident.App} with the start {incident.Start:O}: it must start in the years 2000 to 2199.");
        }

        if (incident.Severity is < 1 or > 3)
        {
            throw new ArgumentException($"Incidents names {incident.App} with the severity {incident.Severity}: it must be 1, 2 or 3.");
        }
    }

    /// <summary>How many apps are drawn.</summary>
    internal int DrawnApps => Seed is null ? 0 : Apps ?? DefaultApps;

    /// <summary>Where the data come from, in words.</summary>
    internal string Source => Seed is { } seed ? string.Create(CultureInfo.InvariantCulture, $"seed={seed}") : "scripted";

    /// <summary>What the key has before its colon.</summary>
    internal string KeyId => Key[..Key.IndexOf(':', StringComparison.Ordinal)];

    internal string KeyWithoutBilling => $"{KeyId}:no-billing";

    internal string KeyWithoutServerless => $"{KeyId}:no-serverless";

    internal string KeyWithoutPermission => $"{KeyId}:no-permission";

    /// <summary>The first minute, counted from the Unix epoch, that is not in the warehouse yet.</summary>
    internal int VisibleEnd() => (int)((TimeProvider.GetUtcNow() - AnalyticsLag).ToUnixTimeSeconds() / 60);
}
