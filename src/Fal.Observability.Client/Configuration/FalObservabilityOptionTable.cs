using Options = Fal.Observability.Client.FalObservabilityOptions;

namespace Fal.Observability.Client;

/// <summary>The table of <see cref="FalObservabilityOptions"/>.</summary>
internal static class FalObservabilityOptionTable
{
    private const string FromEnvironment = "from the environment";

    public static readonly OptionRange<int> MaxAttempts = new(nameof(Options.MaxAttempts), 4, 1, 20);

    public static readonly OptionRange<TimeSpan> AttemptTimeout = new(
        nameof(Options.AttemptTimeout), TimeSpan.FromSeconds(30), TimeSpan.FromMilliseconds(10), TimeSpan.FromHours(1),
        also: "at most `TotalTimeout`");

    public static readonly OptionRange<TimeSpan> TotalTimeout = new(
        nameof(Options.TotalTimeout), TimeSpan.FromSeconds(100), TimeSpan.FromMilliseconds(10), TimeSpan.FromDays(1));

    public static readonly OptionRange<TimeSpan> ReadIdleTimeout = new(
        nameof(Options.ReadIdleTimeout), TimeSpan.FromSeconds(30), TimeSpan.FromMilliseconds(10), TimeSpan.FromHours(1));

    public static readonly OptionRange<TimeSpan> MinRetryDelay = new(
        nameof(Options.MinRetryDelay), TimeSpan.FromMilliseconds(200), TimeSpan.FromMilliseconds(1), TimeSpan.FromMinutes(1),
        also: "at most `MaxRetryDelay`");

    public static readonly OptionRange<TimeSpan> RetryBaseDelay = new(
        nameof(Options.RetryBaseDelay), TimeSpan.FromSeconds(1), TimeSpan.FromMilliseconds(1), TimeSpan.FromMinutes(1));

    public static readonly OptionRange<TimeSpan> MaxRetryDelay = new(
        nameof(Options.MaxRetryDelay), TimeSpan.FromSeconds(30), TimeSpan.FromMilliseconds(1), TimeSpan.FromHours(1));

    public static readonly OptionRange<long> MaxResponseBytes = new(
        nameof(Options.MaxResponseBytes), 256L * 1024 * 1024, 1024, 1024L * 1024 * 1024, "bytes");

    public static readonly OptionRange<int> MaxPages = new(nameof(Options.MaxPages), 10_000, 1, 1_000_000);

    public static readonly OptionRange<int> MaxConcurrentCalls = new(nameof(Options.MaxConcurrentCalls), 4, 1, 16);

    public static readonly OptionRange<int> BucketsPerWindow = new(nameof(Options.BucketsPerWindow), 720, 1, 1_000_000);

    public static readonly OptionRange<int> MaxBufferedRows = new(nameof(Options.MaxBufferedRows), 1_000_000, 1000, 100_000_000);

    public static readonly OptionRange<TimeSpan> ProvisionalAge = new(
        nameof(Options.ProvisionalAge), TimeSpan.FromMinutes(5), TimeSpan.Zero, TimeSpan.FromDays(30));

    public static readonly OptionRange<long> MaxRememberedBytes = new(
        nameof(Options.MaxRememberedBytes), 128L * 1024 * 1024, 0, 1024L * 1024 * 1024, "bytes");

    /// <summary>Every option, in the order of the documentation.</summary>
    public static OptionRow[] Rows =>
    [
        new(nameof(Options.ApiKey), OptionKind.Text, FromEnvironment, "`<key_id>:<key_secret>`"),
        new(nameof(Options.ApiKeyFile), OptionKind.Text, FromEnvironment, "a file"),
        new(nameof(Options.ApiKeyProvider), OptionKind.InCode, "none", "a callback, in code"),
        new(nameof(Options.BaseAddress), OptionKind.Address, "`https://api.fal.ai/v1`", "absolute https URI; http for loopback"),
        new(nameof(Options.AllowInsecureHttp), OptionKind.Switch, "`false`", ""),
        new(nameof(Options.UserAgentSuffix), OptionKind.Text, "none", "product tokens"),
        MaxAttempts,
        AttemptTimeout,
        TotalTimeout,
        ReadIdleTimeout,
        MinRetryDelay,
        RetryBaseDelay,
        MaxRetryDelay,
        MaxResponseBytes,
        MaxPages,
        MaxConcurrentCalls,
        BucketsPerWindow,
        MaxBufferedRows,
        ProvisionalAge,
        MaxRememberedBytes,
        new(nameof(Options.StrictMetrics), OptionKind.Switch, "`false`", ""),
    ];
}
