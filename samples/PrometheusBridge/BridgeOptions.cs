using Fal.Observability.Client;

namespace Fal.Observability.PrometheusBridge;

/// <summary>What the bridge does, from the section <c>Bridge</c>. The accounts are configured in the section <c>Fal</c>.</summary>
internal sealed class BridgeOptions
{
    private static readonly string[] OtlpAddresses = ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT"];

    /// <summary>The most series of one metric that are pushed by OTLP. Each reserves about 95 bytes in every metric.</summary>
    public int OtlpSeriesLimit { get; set; } = 20_000;

    /// <summary>Where analytics go by remote write.</summary>
    public RemoteWriteOptions RemoteWrite { get; set; } = new();

    /// <summary>Whether one of OpenTelemetry's own settings names an address to push to.</summary>
    public bool IsOtlpWanted { get; private set; }

    /// <summary>Reads the section.</summary>
    /// <exception cref="InvalidOperationException">A setting is misspelt, cannot be read, or contradicts another; the message says which.</exception>
    public static BridgeOptions From(IConfiguration configuration)
    {
        var options = new BridgeOptions();
        try
        {
            configuration.GetSection("Bridge").Bind(options, binder => binder.ErrorOnUnknownConfiguration = true);
        }
        catch (InvalidOperationException e)
        {
            // The innermost exception names the setting; those around it only say that there is one.
            throw new InvalidOperationException($"The section Bridge holds a setting that is not known or cannot be read. {Innermost(e)}", e);
        }

        if (options.OtlpSeriesLimit < 1)
        {
            throw new InvalidOperationException($"Bridge:OtlpSeriesLimit is {options.OtlpSeriesLimit}; it must be at least 1.");
        }

        foreach (string name in OtlpAddresses)
        {
            if (configuration[name] is { Length: > 0 } address)
            {
                // The exporter passes over an address that it cannot read, and would push to another.
                options.IsOtlpWanted = Uri.TryCreate(address, UriKind.Absolute, out Uri? uri) && IsHttp(uri) ? true
                    : throw new InvalidOperationException($"{name} is '{address}'; it must be an address such as http://collector:4317.");
            }
        }

        options.RemoteWrite.Check();
        return options;
    }

    private static string Innermost(InvalidOperationException e)
    {
        Exception cause = e;
        while (cause.InnerException is InvalidOperationException inner)
        {
            cause = inner;
        }

        return cause.Message;
    }

    internal static bool IsHttp(Uri uri) => uri.IsAbsoluteUri && (uri.Scheme == Uri.UriSchemeHttp || uri.Scheme == Uri.UriSchemeHttps);
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

    /// <summary>Where it is written down how far the receiver has accepted, so that a restart goes on there.</summary>
    public string StateFile { get; set; } = "remote-write-state.json";

    /// <summary>What is sent.</summary>
    public IList<HistoryOptions> Histories { get; } = [];

    /// <summary>Refuses what cannot work.</summary>
    /// <exception cref="InvalidOperationException">The message says what it is.</exception>
    public void Check()
    {
        Require(Url is null || BridgeOptions.IsHttp(Url), "Url must be an address such as http://prometheus:9090/api/v1/write.");
        Require(Url is not { UserInfo.Length: > 0 }, "Url holds a user name. Put credentials into Headers, as Authorization.");
        Require(Url is null == (Histories.Count == 0), "needs both a Url and at least one entry in Histories, or neither.");
        Require(MaxSamplesPerRequest >= 1, $"MaxSamplesPerRequest is {MaxSamplesPerRequest}; it must be at least 1.");
        Require(StateFile.Length > 0, "StateFile is empty; it must be the path of a file.");
        using var request = new HttpRequestMessage();
        foreach ((string name, string value) in Headers)
        {
            Require(
                request.Headers.TryAddWithoutValidation(name, value) && !value.AsSpan().ContainsAny('\r', '\n'),
                $"Headers:{name} cannot be a header of a request.");
        }

        foreach (HistoryOptions history in Histories)
        {
            history.Check(Require);
        }

        // Two senders of one series could not keep it in order.
        foreach (IGrouping<(string?, AnalyticsTimeframe), HistoryOptions> alike in Histories.GroupBy(history => (history.Account, history.Timeframe)))
        {
            string[] endpoints = [.. alike.SelectMany(history => history.EndpointIds)];
            string? twice = endpoints.FirstOrDefault(endpoint => endpoints.Count(other => $"{endpoint}/".StartsWith($"{other}/", StringComparison.Ordinal)) > 1);
            Require(twice is null, $"Histories holds '{twice}' twice for the same timeframe: an endpoint covers its routes, and its series must come from one entry.");
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
    public TimeSpan BucketLength => Timeframe switch
    {
        AnalyticsTimeframe.Minute => TimeSpan.FromMinutes(1),
        AnalyticsTimeframe.Hour => TimeSpan.FromHours(1),
        _ => TimeSpan.FromDays(1),
    };

    /// <summary>The name under which the progress is written down.</summary>
    public string Name => $"{Account ?? "default"} {Timeframe} {string.Join(',', EndpointIds.Order(StringComparer.Ordinal))}";

    /// <summary>Refuses what cannot work.</summary>
    public void Check(Action<bool, string> require)
    {
        require(EndpointIds.Count > 0, "an entry of Histories names no EndpointIds, such as my-org/my-app.");
        require(Since >= TimeSpan.Zero && Since <= TimeSpan.FromDays(36_500), $"Histories has the Since {Since}; it must be 0 to 36500 days, such as 7.00:00:00.");
        require(
            Timeframe is AnalyticsTimeframe.Minute or AnalyticsTimeframe.Hour or AnalyticsTimeframe.Day,
            $"Histories has the Timeframe {Timeframe}; it must be Minute, Hour or Day.");
        require((Metrics & ~AnalyticsExpand.AllMetrics) == 0 && Metrics != 0, $"Histories has the Metrics {Metrics}; they must be metrics, such as RequestCount, P90Duration.");
        try
        {
            _ = new AnalyticsQuery(EndpointIds);
        }
        catch (ArgumentException e)
        {
            require(false, $"Histories has EndpointIds that cannot be asked for. {e.Message}");
        }
    }
}
