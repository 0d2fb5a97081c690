using Fal.Observability.Client;

namespace Fal.Observability.PrometheusBridge;

/// <summary>What the bridge does, from the section <c>Bridge</c>. The accounts themselves are configured in the section <c>Fal</c>.</summary>
internal sealed class BridgeOptions
{
    /// <summary>The keys of the accounts, each configured in <c>Fal:Accounts:KEY</c>. Empty: the one account of <c>Fal</c>.</summary>
    public IList<string> Accounts { get; } = [];

    /// <summary>Where to push by OTLP; null: nowhere. The environment's <c>OTEL_EXPORTER_OTLP_ENDPOINT</c> does the same.</summary>
    public Uri? OtlpEndpoint { get; set; }

    /// <summary>Where analytics go by remote write.</summary>
    public RemoteWriteOptions RemoteWrite { get; set; } = new();

    /// <summary>Reads the section.</summary>
    /// <exception cref="InvalidOperationException">A setting is misspelt, cannot be read, or contradicts another; the message says which.</exception>
    public static BridgeOptions From(IConfiguration configuration)
    {
        var options = new BridgeOptions();
        configuration.GetSection("Bridge").Bind(options, binder => binder.ErrorOnUnknownConfiguration = true);
        if (options.RemoteWrite.Url is { } url && (!url.IsAbsoluteUri || url.Scheme is not ("http" or "https")))
        {
            throw new InvalidOperationException($"Bridge:RemoteWrite:Url is '{url}'; it must be an address such as http://prometheus:9090/api/v1/write.");
        }

        if (options.RemoteWrite.Url is null != (options.RemoteWrite.Histories.Count == 0))
        {
            throw new InvalidOperationException("Bridge:RemoteWrite needs both a Url and at least one entry in Histories, or neither.");
        }

        if (options.RemoteWrite.MaxSamplesPerRequest < 1)
        {
            throw new InvalidOperationException($"Bridge:RemoteWrite:MaxSamplesPerRequest is {options.RemoteWrite.MaxSamplesPerRequest}; it must be at least 1.");
        }

        foreach (HistoryOptions history in options.RemoteWrite.Histories)
        {
            if (history.EndpointIds.Count == 0)
            {
                throw new InvalidOperationException("An entry of Bridge:RemoteWrite:Histories names no EndpointIds, such as my-org/my-app.");
            }

            if (history.Account is null ? options.Accounts.Count > 0 : !options.Accounts.Contains(history.Account))
            {
                throw new InvalidOperationException(
                    $"An entry of Bridge:RemoteWrite:Histories has the Account '{history.Account}', which is not one of Bridge:Accounts.");
            }

            if (history.Timeframe is not (AnalyticsTimeframe.Minute or AnalyticsTimeframe.Hour or AnalyticsTimeframe.Day))
            {
                throw new InvalidOperationException($"Bridge:RemoteWrite:Histories has the Timeframe {history.Timeframe}; it must be Minute, Hour or Day.");
            }
        }

        return options;
    }
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
}

/// <summary>The analytics of some endpoints of one account.</summary>
internal sealed class HistoryOptions
{
    /// <summary>The key of the account, one of <see cref="BridgeOptions.Accounts"/>; null for the default account.</summary>
    public string? Account { get; set; }

    /// <summary>The endpoints, as in <see cref="AnalyticsQuery.EndpointIds"/>.</summary>
    public IList<string> EndpointIds { get; } = [];

    /// <summary>The metrics that are sent.</summary>
    public AnalyticsExpand Metrics { get; set; } = AnalyticsExpand.Standard;

    /// <summary>Minute, hour or day, in UTC.</summary>
    public AnalyticsTimeframe Timeframe { get; set; } = AnalyticsTimeframe.Hour;

    /// <summary>How far the history goes back at the first start.</summary>
    public TimeSpan Since { get; set; } = TimeSpan.FromHours(1);

    /// <summary>The length of a bucket.</summary>
    public TimeSpan BucketLength => Timeframe switch
    {
        AnalyticsTimeframe.Minute => TimeSpan.FromMinutes(1),
        AnalyticsTimeframe.Hour => TimeSpan.FromHours(1),
        _ => TimeSpan.FromDays(1),
    };

    /// <summary>The name under which the progress is written down.</summary>
    public string Name => $"{Account ?? "default"} {Timeframe} {string.Join(',', EndpointIds.Order(StringComparer.Ordinal))}";
}
