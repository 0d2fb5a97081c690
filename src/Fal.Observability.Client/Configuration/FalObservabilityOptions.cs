using System.Text.Json.Serialization;
using Polly;

namespace Fal.Observability.Client;

/// <summary>
/// All settings of the client. The defaults suit a service that polls its metrics and builds reports. Only <see cref="ApiKey"/> must be
/// set.
/// </summary>
/// <remarks>
/// In a container, code overrides the configuration section <c>Fal</c> (<c>Fal:Accounts:&lt;key&gt;</c> for a named account). The
/// section overrides the environment, from which only the <see cref="ApiKey"/> of the default registration is read. The options are
/// validated when the host starts and again before first use. A value outside its range throws an
/// <see cref="Microsoft.Extensions.Options.OptionsValidationException"/> that names the setting. The client reads the options once: a
/// change after the first call has no effect.
/// </remarks>
public sealed class FalObservabilityOptions
{
    /// <summary>The configuration section that a default registration reads.</summary>
    /// <value><c>Fal</c></value>
    public const string SectionName = "Fal";

    /// <summary>The public address of fal's platform API.</summary>
    internal static readonly Uri DefaultBaseAddress = new("https://api.fal.ai/v1");

    private static readonly TimeSpan DefaultAttemptTimeout = FalObservabilityOptionTable.AttemptTimeout.Default;

    private TimeSpan? _attemptTimeout;

    /// <summary>
    /// The key that authenticates every call, in the form <c>&lt;key_id&gt;:&lt;key_secret&gt;</c>. A leading <c>Key </c> (the scheme in
    /// the header) is removed. The value appears in no log, exception or trace, and not in the options as JSON.
    /// </summary>
    /// <value>
    /// If not set, a default registration and <see cref="FalObservabilityClient"/> use the environment variable <c>FAL_KEY</c>, else
    /// <c>FAL_KEY_ID</c> and <c>FAL_KEY_SECRET</c> joined by a colon, else the file that <c>FAL_KEY_FILE</c> names.
    /// </value>
    [JsonIgnore]
    public string? ApiKey { get; set; }

    /// <summary>
    /// A file that holds the key, such as a secret of Docker or Kubernetes, instead of <see cref="ApiKey"/>. White space and line ends
    /// around the key are removed. The file is read again before each call, so a new key is used as soon as the file contains it. While the
    /// file is missing, empty or unreadable, the last valid key stays in use and a warning is logged.
    /// </summary>
    /// <value>
    /// If neither this nor a key is set, a default registration and <see cref="FalObservabilityClient"/> use the environment variable
    /// <c>FAL_KEY_FILE</c>. The file must exist when the client starts.
    /// </value>
    public string? ApiKeyFile { get; set; }

    /// <summary>
    /// A callback that returns the key, instead of <see cref="ApiKey"/> and <see cref="ApiKeyFile"/>. Use it for a key that changes while
    /// the program runs, such as one in a vault. It can be set only in code. The client invokes it before each call, and once more when the
    /// service refuses the key with 401, so the callback may cache the key. Several threads may invoke it at once. The time that it takes
    /// counts against <see cref="TotalTimeout"/>.
    /// </summary>
    /// <value>
    /// Null: the key does not come from a callback. When the callback throws or returns no usable key, the last valid key stays in use and
    /// a warning is logged. If there is no key yet, the call throws a transient <see cref="FalTransportException"/>, or an
    /// <see cref="Microsoft.Extensions.Options.OptionsValidationException"/>.
    /// </value>
    /// <example>
    /// <code>
    /// services.AddOptions&lt;FalObservabilityOptions&gt;()
    ///     .Configure&lt;IVault&gt;((options, vault) => options.ApiKeyProvider = token => vault.GetSecretAsync("fal-key", token));
    /// </code>
    /// </example>
    public Func<CancellationToken, ValueTask<string>>? ApiKeyProvider { get; set; }

    /// <summary>What was wrong with <see cref="ApiKeyFile"/> when it was first read.</summary>
    internal string? ApiKeyFileProblem { get; private set; }

    /// <summary>Whether there is a configuration that can contain a setting. If so, messages name the setting in it.</summary>
    internal bool HasConfiguration { get; set; }

    /// <summary>What was wrong with the configuration section itself: unknown settings, and values that cannot be read.</summary>
    internal IEnumerable<string> SectionFailures { get; set; } = [];

    /// <summary>Whether <see cref="ApiKey"/> was read from <see cref="ApiKeyFile"/>.</summary>
    internal bool IsApiKeyOfFile { get; private set; }

    /// <summary>The configuration section of an account; null or empty is the default one.</summary>
    internal static string SectionOf(string? account) => string.IsNullOrEmpty(account) ? SectionName : $"{SectionName}:Accounts:{account}";

    /// <summary>Reads the key from the file or the environment, if it is not set.</summary>
    internal void FindApiKey(bool inEnvironment)
    {
        if (ApiKeyFile is null && ApiKeyProvider is null && inEnvironment)
        {
            ApiKey ??= FalApiKey.FromEnvironment();
            ApiKeyFile = ApiKey is null ? FalApiKey.FileFromEnvironment() : null;
        }

        if (ApiKeyFile is not null)
        {
            (IsApiKeyOfFile, string? problem) = (ApiKey is null, null);
            ApiKey ??= FalKeyFile.Read(ApiKeyFile, out problem);
            ApiKeyFileProblem = problem;
        }
    }

    /// <summary>
    /// The root of the API, including the version segment. It must be an absolute <c>https</c> URI; <c>http</c> is accepted for a loopback
    /// host, or for any host when <see cref="AllowInsecureHttp"/> is set.
    /// </summary>
    /// <value><c>https://api.fal.ai/v1</c></value>
    public Uri? BaseAddress { get; set; } = DefaultBaseAddress;

    /// <summary>
    /// Whether <see cref="BaseAddress"/> may be plain <c>http</c> for a host that is not loopback. The key then crosses the network in
    /// clear text. Use it only for a trusted proxy in the same pod or host network.
    /// </summary>
    /// <value><see langword="false"/></value>
    public bool AllowInsecureHttp { get; set; }

    /// <summary>One or more product tokens that are appended to the <c>User-Agent</c> header, such as <c>my-service/1.4</c>.</summary>
    /// <value>If not set, the header is <c>Fal.Observability.Client/&lt;version&gt;</c> alone.</value>
    public string? UserAgentSuffix { get; set; }

    /// <summary>The maximum number of attempts of one call, including the first. <c>1</c> switches retries off.</summary>
    /// <value>4. Range 1 to 20.</value>
    public int MaxAttempts { get; set; } = FalObservabilityOptionTable.MaxAttempts.Default;

    /// <summary>
    /// The maximum duration of one attempt: the connection, the response headers and, for a call that returns a whole result, the body.
    /// Must not exceed <see cref="TotalTimeout"/>.
    /// </summary>
    /// <value>30 seconds, or <see cref="TotalTimeout"/> if that is shorter. Range 10 milliseconds to 1 hour.</value>
    public TimeSpan AttemptTimeout
    {
        get => _attemptTimeout ?? (TotalTimeout < DefaultAttemptTimeout ? TotalTimeout : DefaultAttemptTimeout);
        set => _attemptTimeout = value;
    }

    /// <summary>
    /// The maximum duration of one call, including all its attempts and the waits between them. For a streaming call, the limit applies
    /// until the response headers arrive. From then on <see cref="ReadIdleTimeout"/> applies.
    /// </summary>
    /// <value>100 seconds. Range 10 milliseconds to 1 day.</value>
    public TimeSpan TotalTimeout { get; set; } = FalObservabilityOptionTable.TotalTimeout.Default;

    /// <summary>
    /// While a streaming call waits for the body, it must receive 1,024 bytes (after decompression), or the end of the body, within each
    /// period of this length. Otherwise it throws a <see cref="FalTimeoutException"/>. The time that the caller spends between two items
    /// does not count. Raise this if the service is slower.
    /// </summary>
    /// <value>30 seconds. Range 10 milliseconds to 1 hour.</value>
    public TimeSpan ReadIdleTimeout { get; set; } = FalObservabilityOptionTable.ReadIdleTimeout.Default;

    /// <summary>
    /// The shortest wait before a retry, even if the server asks for none (<c>Retry-After: 0</c>). Must not exceed
    /// <see cref="MaxRetryDelay"/>.
    /// </summary>
    /// <value>200 milliseconds. Range 1 millisecond to 1 minute.</value>
    public TimeSpan MinRetryDelay { get; set; } = FalObservabilityOptionTable.MinRetryDelay.Default;

    /// <summary>
    /// The base of the exponential delay: the n-th retry waits between 50 % and 100 % of this value times 2 to the power n - 1, at least
    /// <see cref="MinRetryDelay"/>, at most <see cref="MaxRetryDelay"/>.
    /// </summary>
    /// <value>1 second. Range 1 millisecond to 1 minute.</value>
    public TimeSpan RetryBaseDelay { get; set; } = FalObservabilityOptionTable.RetryBaseDelay.Default;

    /// <summary>
    /// The longest wait before a retry. If the server asks for more (<c>Retry-After</c>, <c>x-ratelimit-reset</c>), the call fails at once.
    /// The requested wait is in <see cref="FalApiException.RetryAfter"/>.
    /// </summary>
    /// <value>30 seconds. Range 1 millisecond to 1 hour.</value>
    public TimeSpan MaxRetryDelay { get; set; } = FalObservabilityOptionTable.MaxRetryDelay.Default;

    /// <summary>
    /// The largest body that is accepted, in bytes, counted after decompression. The metrics of 10,000 apps are about 26 MB. The buffers
    /// for one body grow as data arrives, up to 1.5 times this value in total.
    /// </summary>
    /// <value>268,435,456 (256 MiB). Range 1 KiB to 1 GiB.</value>
    public long MaxResponseBytes { get; set; } = FalObservabilityOptionTable.MaxResponseBytes.Default;

    /// <summary>
    /// The most pages that an analytics report or stream follows for one group of endpoints in one window before it throws a
    /// <see cref="FalResponseException"/>. It guards against a service that never stops paging.
    /// </summary>
    /// <value>10,000. Range 1 to 1,000,000.</value>
    public int MaxPages { get; set; } = FalObservabilityOptionTable.MaxPages.Default;

    /// <summary>
    /// The maximum number of concurrent calls of one analytics report or stream. A stream over one group of at most 50 endpoints always
    /// makes one call at a time.
    /// </summary>
    /// <value>4. Range 1 to 16.</value>
    public int MaxConcurrentCalls { get; set; } = FalObservabilityOptionTable.MaxConcurrentCalls.Default;

    /// <summary>
    /// The approximate number of buckets of a long range that are requested at a time. A report or stream over a longer range is cut into
    /// windows at bucket boundaries. Each window is retried on its own.
    /// </summary>
    /// <value>720 (30 days of hours, 12 hours of minutes). Range 1 to 1,000,000.</value>
    public int BucketsPerWindow { get; set; } = FalObservabilityOptionTable.BucketsPerWindow.Default;

    /// <summary>
    /// The most rows that an analytics stream holds for each group of endpoints to sort a window whose buckets the service does not send in
    /// ascending order. More rows cause a <see cref="FalResponseException"/>. While the buckets ascend, no rows are held.
    /// </summary>
    /// <value>1,000,000. Range 1,000 to 100,000,000.</value>
    public int MaxBufferedRows { get; set; } = FalObservabilityOptionTable.MaxBufferedRows.Default;

    /// <summary>
    /// How long an analytics bucket counts as provisional after its end, because the service's data lags: see
    /// <see cref="AnalyticsBucket.IsProvisional"/>.
    /// </summary>
    /// <value>5 minutes. Range 0 to 30 days.</value>
    public TimeSpan ProvisionalAge { get; set; } = FalObservabilityOptionTable.ProvisionalAge.Default;

    /// <summary>
    /// Whether one malformed line of the metrics makes the whole call fail. If false, the line is skipped, reported in
    /// <see cref="FalMetricsSnapshot.SkippedLines"/> and logged, and every other sample is kept.
    /// </summary>
    /// <value><see langword="false"/></value>
    public bool StrictMetrics { get; set; }

    /// <summary>
    /// How many bytes the client may retain of the metrics that it read last, not counting strings. A snapshot of the same series then
    /// allocates no strings and takes a fraction of the time. Snapshots are the same with and without it. Series beyond the limit are read
    /// without being retained. One call uses the memory at a time; concurrent calls do without. It is released when the client is disposed
    /// or has read no snapshot for 10 minutes. It is not used for a body in OpenMetrics.
    /// </summary>
    /// <value>134,217,728 (128 MiB), which holds well over 10,000 apps. Range 0 to 1 GiB; 0 remembers nothing.</value>
    public long MaxRememberedBytes { get; set; } = FalObservabilityOptionTable.MaxRememberedBytes.Default;

    /// <summary>
    /// The pipeline that the user put in place of ours, or null. It is a field, because the configuration binder would bind a property.
    /// </summary>
    private ResiliencePipeline<HttpResponseMessage>? _resiliencePipeline;

    /// <summary>
    /// Replaces the retry pipeline with your own. It wraps the whole exchange of one attempt, so it sees the responses of one attempt at a
    /// time, and the failures as <see cref="FalObservabilityException"/>. <see cref="AttemptTimeout"/> and <see cref="TotalTimeout"/> still
    /// apply. <see cref="MaxAttempts"/> and the delays have no effect. <c>ResiliencePipeline&lt;HttpResponseMessage&gt;.Empty</c> switches
    /// retries off.
    /// </summary>
    /// <param name="pipeline">The pipeline, used by every call of this client, concurrently.</param>
    /// <exception cref="ArgumentNullException"><paramref name="pipeline"/> is null.</exception>
    public void UseResiliencePipeline(ResiliencePipeline<HttpResponseMessage> pipeline)
    {
        ArgumentNullException.ThrowIfNull(pipeline);
        _resiliencePipeline = pipeline;
    }

    /// <summary>What <see cref="UseResiliencePipeline"/> was given, or null.</summary>
    internal ResiliencePipeline<HttpResponseMessage>? GetResiliencePipeline() => _resiliencePipeline;

    /// <summary>Names the type and the address; never the key.</summary>
    /// <returns>A short text for a debugger or a log.</returns>
    public override string ToString() => $"{nameof(FalObservabilityOptions)} ({BaseAddress})";
}
