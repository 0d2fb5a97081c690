using Polly;

namespace Fal.Observability.Client;

/// <summary>
/// Everything that can be set on the client. The defaults suit a service that polls its metrics and builds reports;
/// only <see cref="ApiKey"/> has to come from somewhere.
/// </summary>
/// <remarks>
/// With a container the values come, each layer over the one below, from code, from the configuration section
/// <c>Fal</c> (<c>Fal:Accounts:&lt;key&gt;</c> for a keyed registration), and, for <see cref="ApiKey"/> of the default
/// registration alone, from the environment. They are validated when the host starts and again before first use; a
/// value outside its range is an <see cref="Microsoft.Extensions.Options.OptionsValidationException"/> that names the
/// setting. The client reads them once: a change after the first call has no effect on it.
/// </remarks>
public sealed class FalObservabilityOptions
{
    /// <summary>The configuration section that a default registration reads.</summary>
    /// <value><c>Fal</c></value>
    public const string SectionName = "Fal";

    /// <summary>fal's public address of the platform API.</summary>
    internal static readonly Uri DefaultBaseAddress = new("https://api.fal.ai/v1");

    /// <summary>
    /// The key that authenticates every call, in the form <c>&lt;key_id&gt;:&lt;key_secret&gt;</c>. A leading
    /// <c>Key </c> (the scheme, as it stands in the header) is taken off. The value appears in no log, exception or trace.
    /// </summary>
    /// <value>
    /// If not set, a default registration and <see cref="FalObservabilityClient"/> take the environment variable
    /// <c>FAL_KEY</c>, else <c>FAL_KEY_ID</c> and <c>FAL_KEY_SECRET</c> joined by a colon, else the file that <c>FAL_KEY_FILE</c> names.
    /// </value>
    public string? ApiKey { get; set; }

    /// <summary>
    /// A file that holds the key, such as a secret of Docker or Kubernetes, instead of <see cref="ApiKey"/>. Blanks and line ends around
    /// the key are taken off. The file is read again before each call, so a new key is used once it is there; while the file is missing,
    /// empty or unreadable, the key that was read last stays in use and a warning is logged.
    /// </summary>
    /// <value>
    /// If not set, and there is no key either, a default registration and <see cref="FalObservabilityClient"/> take the environment
    /// variable
    /// <c>FAL_KEY_FILE</c>. At the start the file must be there.
    /// </value>
    public string? ApiKeyFile { get; set; }

    /// <summary>
    /// A callback that gives the key, instead of <see cref="ApiKey"/> and <see cref="ApiKeyFile"/>, for a key that changes while the
    /// program
    /// runs, such as one in a vault. It is set in code. It is called before each call, and once more when the service refuses the key with
    /// 401: keep the key in it for as long as you wish. It may be called by several threads at once. The time that it takes counts against
    /// <see cref="TotalTimeout"/>.
    /// </summary>
    /// <value>
    /// Null: the key does not come from a callback. When the callback throws, or gives no key that can be used, the last key stays in use
    /// and
    /// a warning is logged. If there is no key yet, the call throws a <see cref="FalTransportException"/> that is transient, or an
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

    /// <summary>Whether there is a configuration in which a setting can stand: a message then names the setting there.</summary>
    internal bool HasConfiguration { get; set; }

    /// <summary>Whether <see cref="ApiKey"/> was read from <see cref="ApiKeyFile"/>.</summary>
    internal bool IsApiKeyOfFile { get; private set; }

    /// <summary>Takes the key from where it is, if it is not set.</summary>
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
    /// The root of the API, including the version segment. It must be an absolute <c>https</c> address; <c>http</c> is
    /// accepted for a loopback host, or for any host when <see cref="AllowInsecureHttp"/> is set.
    /// </summary>
    /// <value><c>https://api.fal.ai/v1</c></value>
    public Uri? BaseAddress { get; set; } = DefaultBaseAddress;

    /// <summary>
    /// Whether <see cref="BaseAddress"/> may be plain <c>http</c> for a host that is not loopback. The key then crosses
    /// the network in clear: for a trusted proxy in the same pod or host network only.
    /// </summary>
    /// <value><see langword="false"/></value>
    public bool AllowInsecureHttp { get; set; }

    /// <summary>
    /// A product token, or several, that is appended to the <c>User-Agent</c> header, such as <c>my-service/1.4</c>.
    /// </summary>
    /// <value>If not set, the header is <c>Fal.Observability.Client/&lt;version&gt;</c> alone.</value>
    public string? UserAgentSuffix { get; set; }

    /// <summary>
    /// How many times one call may be sent in all, the first time included. <c>1</c> switches retries off.
    /// </summary>
    /// <value>4. Range 1 to 20.</value>
    public int MaxAttempts { get; set; } = FalObservabilityOptionTable.MaxAttempts.Default;

    /// <summary>
    /// The longest that one attempt may take: the connection, the response headers and, for a call that returns a whole
    /// result, the body. Must not exceed <see cref="TotalTimeout"/>.
    /// </summary>
    /// <value>30 seconds. Range 10 milliseconds to 1 hour.</value>
    public TimeSpan AttemptTimeout { get; set; } = FalObservabilityOptionTable.AttemptTimeout.Default;

    /// <summary>
    /// The longest that one call may take with all its attempts and the waits between them. For a streaming call it ends
    /// when the response headers are there; from then on <see cref="ReadIdleTimeout"/> holds.
    /// </summary>
    /// <value>100 seconds. Range 10 milliseconds to 1 day.</value>
    public TimeSpan TotalTimeout { get; set; } = FalObservabilityOptionTable.TotalTimeout.Default;

    /// <summary>
    /// How long a streaming call may wait for the body until it has 1,024 more bytes, counted after decompression, or the end. The
    /// call ends in a <see cref="FalTimeoutException"/> if the body is slower. Time the caller spends between two items does not
    /// count. Raise this for a service that sends fewer bytes in that time.
    /// </summary>
    /// <value>30 seconds. Range 10 milliseconds to 1 hour.</value>
    public TimeSpan ReadIdleTimeout { get; set; } = FalObservabilityOptionTable.ReadIdleTimeout.Default;

    /// <summary>
    /// The shortest wait before a retry, also where the server asks for none (<c>Retry-After: 0</c>).
    /// Must not exceed <see cref="MaxRetryDelay"/>.
    /// </summary>
    /// <value>200 milliseconds. Range 1 millisecond to 1 minute.</value>
    public TimeSpan MinRetryDelay { get; set; } = FalObservabilityOptionTable.MinRetryDelay.Default;

    /// <summary>
    /// The base of the exponential delay: the n-th retry waits between half of and all of this times 2 to the power n - 1,
    /// at least <see cref="MinRetryDelay"/>, at most <see cref="MaxRetryDelay"/>.
    /// </summary>
    /// <value>1 second. Range 1 millisecond to 1 minute.</value>
    public TimeSpan RetryBaseDelay { get; set; } = FalObservabilityOptionTable.RetryBaseDelay.Default;

    /// <summary>
    /// The longest wait before a retry. Where the server asks for more (<c>Retry-After</c>, <c>x-ratelimit-reset</c>), the
    /// call fails at once, with the wait that was asked for in <see cref="FalApiException.RetryAfter"/>.
    /// </summary>
    /// <value>30 seconds. Range 1 millisecond to 1 hour.</value>
    public TimeSpan MaxRetryDelay { get; set; } = FalObservabilityOptionTable.MaxRetryDelay.Default;

    /// <summary>
    /// The largest body that is accepted, in bytes, counted after decompression. The metrics of 10,000 apps are about
    /// 26 MB. The buffers for one body grow with what arrives, up to 1.5 times this value in all.
    /// </summary>
    /// <value>268,435,456 (256 MiB). Range 1 KiB to 1 GiB.</value>
    public long MaxResponseBytes { get; set; } = FalObservabilityOptionTable.MaxResponseBytes.Default;

    /// <summary>
    /// The most pages that an analytics report or stream follows for one group of endpoints in one window before it gives up with a
    /// <see cref="FalResponseException"/>: the guard against a service that never stops paging.
    /// </summary>
    /// <value>10,000. Range 1 to 1,000,000.</value>
    public int MaxPages { get; set; } = FalObservabilityOptionTable.MaxPages.Default;

    /// <summary>
    /// How many calls one analytics report or stream may have under way at a time. A stream over one group of at most 50 endpoints makes
    /// one call after another whatever this says.
    /// </summary>
    /// <value>4. Range 1 to 16.</value>
    public int MaxConcurrentCalls { get; set; } = FalObservabilityOptionTable.MaxConcurrentCalls.Default;

    /// <summary>
    /// About how many buckets of a long range are asked for at a time. A report or stream over more is cut into windows between
    /// buckets, of which each is retried alone.
    /// </summary>
    /// <value>720 (30 days of hours, 12 hours of minutes). Range 1 to 1,000,000.</value>
    public int BucketsPerWindow { get; set; } = FalObservabilityOptionTable.BucketsPerWindow.Default;

    /// <summary>
    /// The most rows that an analytics stream holds for each group of endpoints to sort a window whose buckets the service does not
    /// send in ascending order. More end in a <see cref="FalResponseException"/>. Nothing is held where they ascend.
    /// </summary>
    /// <value>1,000,000. Range 1,000 to 100,000,000.</value>
    public int MaxBufferedRows { get; set; } = FalObservabilityOptionTable.MaxBufferedRows.Default;

    /// <summary>
    /// How long after its end an analytics bucket counts as provisional, since the service's data lags: see
    /// <see cref="AnalyticsBucket.IsProvisional"/>.
    /// </summary>
    /// <value>5 minutes. Range 0 to 30 days.</value>
    public TimeSpan ProvisionalAge { get; set; } = FalObservabilityOptionTable.ProvisionalAge.Default;

    /// <summary>
    /// Whether one malformed line of the metrics makes the whole call fail. When not, the line is skipped, reported in
    /// <see cref="FalMetricsSnapshot.SkippedLines"/> and logged, and every other sample is kept.
    /// </summary>
    /// <value><see langword="false"/></value>
    public bool StrictMetrics { get; set; }

    /// <summary>
    /// How much the client may keep of the metrics that it read last, in bytes, the strings aside, so that a snapshot of the same
    /// series costs no string and a fraction of the time. Snapshots are the same with it and without. Beyond it, further series are
    /// read without being remembered. It is taken by one call at a time, the others do without; it is given back when the client is
    /// disposed or has read no snapshot for 10 minutes. A body in OpenMetrics is read without it.
    /// </summary>
    /// <value>134,217,728 (128 MiB), which holds well over 10,000 apps. Range 0 to 1 GiB; 0 remembers nothing.</value>
    public long MaxRememberedBytes { get; set; } = FalObservabilityOptionTable.MaxRememberedBytes.Default;

    /// <summary>
    /// The pipeline that the user put in place of ours, or null. A field, since the configuration binder takes properties.
    /// </summary>
    private ResiliencePipeline<HttpResponseMessage>? _resiliencePipeline;

    /// <summary>
    /// Replaces the retry pipeline by one of your own. It wraps the whole exchange of one attempt, so it sees the responses
    /// and, as <see cref="FalObservabilityException"/>, the failures of one attempt at a time;
    /// <see cref="AttemptTimeout"/> and <see cref="TotalTimeout"/> still hold, <see cref="MaxAttempts"/> and the delays
    /// no longer matter. <c>ResiliencePipeline&lt;HttpResponseMessage&gt;.Empty</c> switches retries off.
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
