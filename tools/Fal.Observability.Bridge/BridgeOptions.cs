using Fal.Observability.Client;

namespace Fal.Observability.Bridge;

/// <summary>What the bridge does, from the section <c>Bridge</c>. The accounts are configured in the section <c>Fal</c>.</summary>
internal sealed class BridgeOptions
{
    private static readonly string[] OtlpAddresses = ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT"];
    private static readonly string[] OtlpProtocols = ["OTEL_EXPORTER_OTLP_PROTOCOL", "OTEL_EXPORTER_OTLP_METRICS_PROTOCOL"];

    /// <summary>The setting that names a JSON file with additional settings.</summary>
    public const string SettingsFile = "Bridge:SettingsFile";

    /// <summary>The most series of one metric that are pushed by OTLP. Each reserves about 95 bytes in every metric.</summary>
    public int OtlpSeriesLimit { get; set; } = 20_000;

    /// <summary>Where analytics go by remote write.</summary>
    public RemoteWriteOptions RemoteWrite { get; set; } = new();

    /// <summary>The address to push to, from OpenTelemetry's own settings; null: nothing is pushed.</summary>
    public Uri? OtlpAddress { get; private set; }

    /// <summary>Reads the section.</summary>
    /// <exception cref="InvalidOperationException">
    /// A setting is misspelt, cannot be read, or contradicts another; the message says which.
    /// </exception>
    public static BridgeOptions From(IConfiguration configuration)
    {
        IConfigurationSection section = configuration.GetSection("Bridge");
        section.Allow(nameof(OtlpSeriesLimit), nameof(RemoteWrite), nameof(SettingsFile));
        var options = new BridgeOptions { RemoteWrite = RemoteWriteOptions.From(section.GetSection(nameof(RemoteWrite))) };
        options.OtlpSeriesLimit = section.ReadCount(nameof(OtlpSeriesLimit), options.OtlpSeriesLimit);
        foreach (string name in OtlpAddresses)
        {
            if (configuration[name] is { Length: > 0 } address)
            {
                // The exporter ignores an address that it cannot read, and would push to another one.
                options.OtlpAddress =
                    Uri.TryCreate(address, UriKind.Absolute, out Uri? uri) && IsHttp(uri) && uri.UserInfo.Length == 0
                        ? uri
                        // Not shown: whoever writes a user name writes a password.
                        : throw new InvalidOperationException(
                            $"{name} must be an address such as http://collector:4317, without a user name: credentials go into " +
                                $"OTEL_EXPORTER_OTLP_HEADERS."
                        );
            }
        }

        foreach (string name in OtlpProtocols)
        {
            if (configuration[name] is { Length: > 0 } protocol and not ("grpc" or "http/protobuf"))
            {
                // The exporter would take it for grpc.
                throw new InvalidOperationException($"{name} is '{protocol}'; it must be grpc or http/protobuf.");
            }
        }

        options.RemoteWrite.Check();
        return options;
    }

    public static bool IsHttp(Uri uri) => uri.IsAbsoluteUri && (uri.Scheme == Uri.UriSchemeHttp || uri.Scheme == Uri.UriSchemeHttps);
}

/// <summary>Where analytics go by Prometheus remote write, and which.</summary>
internal sealed class RemoteWriteOptions
{
    /// <summary>The receiver, for instance <c>http://prometheus:9090/api/v1/write</c>; null: nothing is sent.</summary>
    public Uri? Url { get; set; }

    /// <summary>Headers of each request, such as <c>Authorization</c> or Mimir's <c>X-Scope-OrgID</c>.</summary>
    public IDictionary<string, string> Headers { get; } = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);

    /// <summary>The most samples of one request.</summary>
    public int MaxSamplesPerRequest { get; set; } = 5000;

    /// <summary>The absolute path of the file that records the last accepted bucket, where a restart continues.</summary>
    public string StateFile { get; set; } = Path.GetFullPath("remote-write-state.json");

    /// <summary>What is sent.</summary>
    public IList<HistoryOptions> Histories { get; } = [];

    /// <summary>Reads the section.</summary>
    /// <exception cref="InvalidOperationException">A setting is misspelt or cannot be read; the message says which.</exception>
    public static RemoteWriteOptions From(IConfigurationSection section)
    {
        section.Allow(nameof(Url), nameof(Headers), nameof(MaxSamplesPerRequest), nameof(StateFile), nameof(Histories));
        var options = new RemoteWriteOptions();
        options.MaxSamplesPerRequest = section.ReadCount(nameof(MaxSamplesPerRequest), options.MaxSamplesPerRequest);
        options.Url = section[nameof(Url)] is { Length: > 0 } url ? new Uri(url, UriKind.RelativeOrAbsolute) : null;
        // Relative to the folder in which the bridge was started, as in a shell.
        options.StateFile = section[nameof(StateFile)] is { Length: > 0 } file ? Path.GetFullPath(file) : options.StateFile;
        foreach (IConfigurationSection header in section.GetSection(nameof(Headers)).GetChildren())
        {
            options.Headers[header.Key] = header.Value ?? "";
        }

        foreach (IConfigurationSection history in section.GetSection(nameof(Histories)).GetChildren())
        {
            options.Histories.Add(HistoryOptions.From(history));
        }

        return options;
    }

    /// <summary>Refuses what cannot work.</summary>
    /// <exception cref="InvalidOperationException">The message says what it is.</exception>
    public void Check()
    {
        Require(Url is null || BridgeOptions.IsHttp(Url), "Url must be an address such as http://prometheus:9090/api/v1/write.");
        Require(Url is not { UserInfo.Length: > 0 }, "Url contains a user name. Put credentials into Headers, as Authorization.");
        Require(Url is null == (Histories.Count == 0), "needs a Url and at least one entry in Histories. Set both or neither.");
        using var request = new HttpRequestMessage();
        foreach ((string name, string value) in Headers)
        {
            Require(
                request.Headers.TryAddWithoutValidation(name, value) && !value.AsSpan().ContainsAnyExceptInRange(' ', '~'),
                $"Headers:{name} is not a valid request header: its value must be visible ASCII characters and spaces, and its name " +
                    $"must not be that of a content header.");
        }

        foreach (HistoryOptions history in Histories)
        {
            history.Check();
        }

        // Two senders of one series could not keep it in order.
        foreach (
            IGrouping<(string?, AnalyticsTimeframe), HistoryOptions> alike in Histories.GroupBy(history =>
                (history.Account, history.Timeframe)
            )
        )
        {
            string[] endpoints = [.. alike.SelectMany(history => history.EndpointIds)];
            string? twice = endpoints.FirstOrDefault(endpoint =>
                endpoints.Count(other => $"{endpoint}/".StartsWith($"{other}/", StringComparison.Ordinal)) > 1
            );
            Require(
                twice is null,
                $"Histories names '{twice}' more than once for one timeframe. An endpoint covers its routes, and its series must come " +
                    $"from one entry."
            );
        }
    }

    private static void Require(bool isMet, string demand)
    {
        if (!isMet)
        {
            throw new InvalidOperationException($"Bridge:RemoteWrite: {demand}");
        }
    }
}

/// <summary>The analytics of some endpoints of one account.</summary>
internal sealed class HistoryOptions
{
    private static readonly AnalyticsTimeframe[] Timeframes = [AnalyticsTimeframe.Minute, AnalyticsTimeframe.Hour, AnalyticsTimeframe.Day];

    /// <summary>The section that it is read from.</summary>
    public required string Section { get; init; }

    /// <summary>The account's name in <c>Fal:Accounts</c>; null for the account of <c>Fal</c> itself.</summary>
    public string? Account { get; set; }

    /// <summary>The endpoints, as in <see cref="AnalyticsQuery.EndpointIds"/>.</summary>
    public IList<string> EndpointIds { get; } = [];

    /// <summary>The metrics that are sent.</summary>
    public AnalyticsExpand Metrics { get; set; } = AnalyticsExpand.Standard;

    /// <summary>Minute, hour or day, in UTC.</summary>
    public AnalyticsTimeframe Timeframe { get; set; } = AnalyticsTimeframe.Minute;

    /// <summary>How far the history goes back at the first start.</summary>
    public TimeSpan Since { get; set; } = TimeSpan.FromMinutes(30);

    /// <summary>The length of a bucket.</summary>
    public TimeSpan BucketLength => Timeframe.GetLengthInUtc();

    /// <summary>The name under which the progress is written down.</summary>
    public string Name => $"{Account ?? "default"} {Timeframe} {string.Join(',', EndpointIds.Order(StringComparer.Ordinal))}";

    /// <summary>Reads the section.</summary>
    /// <exception cref="InvalidOperationException">A setting is misspelt or cannot be read; the message says which.</exception>
    public static HistoryOptions From(IConfigurationSection section)
    {
        section.Allow(nameof(Account), nameof(EndpointIds), nameof(Metrics), nameof(Timeframe), nameof(Since));
        var options = new HistoryOptions { Section = section.Path, Account = section[nameof(Account)] };
        foreach (IConfigurationSection endpoint in section.GetSection(nameof(EndpointIds)).GetChildren())
        {
            options.EndpointIds.Add(endpoint.Value ?? "");
        }

        options.Metrics = section.Read(
            nameof(Metrics), options.Metrics,
            (string text, out AnalyticsExpand metrics) =>
                Enum.TryParse(text, ignoreCase: true, out metrics) && IsMetric(metrics),
            $"it must be one or more of {string.Join(", ", Enum.GetValues<AnalyticsExpand>().Where(IsMetric).Distinct())}, separated " +
                $"by commas");
        options.Timeframe = section.Read(nameof(Timeframe), options.Timeframe, TryParseTimeframe, "it must be Minute, Hour or Day");
        options.Since = section.ReadTime(nameof(Since), options.Since, TimeSpan.FromDays(36_500));
        return options;
    }

    /// <summary>Reads a timeframe that has buckets in UTC, in any case of letters.</summary>
    private static bool TryParseTimeframe(string text, out AnalyticsTimeframe timeframe) =>
        Enum.TryParse(text, ignoreCase: true, out timeframe) && Timeframes.Contains(timeframe);

    /// <summary>Refuses what cannot work.</summary>
    /// <exception cref="InvalidOperationException">The message says what it is.</exception>
    public void Check()
    {
        if (EndpointIds.Count == 0)
        {
            throw new InvalidOperationException(
                $"{Section}:{nameof(EndpointIds)} is missing: write the first as {Section}:{nameof(EndpointIds)}:0, such as my-org/my-app."
            );
        }

        try
        {
            _ = new AnalyticsQuery(EndpointIds);
        }
        catch (ArgumentException e)
        {
            throw new InvalidOperationException($"{Section}:{nameof(EndpointIds)} is invalid. {e.Message}", e);
        }
    }

    private static bool IsMetric(AnalyticsExpand value) => value != 0 && (value & ~AnalyticsExpand.AllMetrics) == 0;
}
