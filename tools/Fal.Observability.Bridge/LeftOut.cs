using System.Diagnostics.Metrics;
using Fal.Observability.Bridge.RemoteWrite;
using Fal.Observability.Client;
using Fal.Observability.Client.Prometheus;

namespace Fal.Observability.Bridge;

/// <summary>Counts what the service sent and the bridge cannot pass on, and logs each case once.</summary>
internal sealed partial class LeftOut : ILeftOut, IDisposable
{
    /// <summary>The most cases that are logged: a service that invents names must not fill the memory or the log.</summary>
    private const int MostTold = 1000;

    private static readonly string[] Kinds = ["series", "label", "own_name", "row", "prometheus_name", "value"];

    private readonly Lock _one = new();
    private readonly SortedDictionary<string, long[]> _counts = new(StringComparer.Ordinal);
    private readonly Dictionary<string, FalMetricsPublisher> _publishers = [];
    private readonly HashSet<(string Account, int Kind, string Case)> _told = [];
    private readonly ILogger _log;
    private readonly Meter _meter;

    public LeftOut(IMeterFactory meters, ILogger<LeftOut> log)
    {
        _log = log;
        _meter = meters.Create(RemoteWriteWorker.MeterName);
        _meter.CreateObservableCounter(
            "fal_bridge_left_out_total", Observe, "{item}",
            "How many samples, labels, analytics rows and analytics values the bridge left out. kind says why: series or label (an " +
                "earlier one has the same classic name), own_name (the bridge uses the name), prometheus_name (Prometheus uses the " +
                "name), row (no readable endpoint id), value (not a finite number).");
    }

    /// <summary>How many there were, without those of the publishers.</summary>
    public long Total
    {
        get
        {
            lock (_one)
            {
                return _counts.Values.Sum(counts => counts.Sum());
            }
        }
    }

    public void Dispose() => _meter.Dispose();

    /// <summary>Creates the counters of an account, at zero, so that their first increase is one.</summary>
    /// <param name="account">The value of the label <c>account</c>.</param>
    /// <param name="publisher">Makes the analytics of the page, and counts what it leaves out of them.</param>
    public void Begin(string account, FalMetricsPublisher publisher)
    {
        lock (_one)
        {
            _counts.TryAdd(account, new long[Kinds.Length]);
            _publishers[account] = publisher;
        }
    }

    /// <summary>A sample, as an earlier one has its classic name and labels.</summary>
    /// <param name="account">The value of the label <c>account</c>.</param>
    /// <param name="sent">The sample as it was sent.</param>
    /// <param name="name">Its classic name.</param>
    /// <param name="first">The series of the earlier one.</param>
    /// <param name="isSame">Whether it is the same series, sent twice.</param>
    public void Series(string account, in PrometheusSample sent, string name, SentSeries first, bool isSame)
    {
        if (!IsNew(account, 0, $"{sent.Name}\n{name}\n{first.Name}"))
        {
            return;
        }

        string series = ShownText.Of(new SentSeries(sent.Name, sent.Labels).ToString());
        if (isSame)
        {
            LogTwice(account, series);
        }
        else
        {
            LogSeries(account, series, name, ShownText.Of(first.ToString()));
        }
    }

    /// <summary>A sample of a histogram or a summary that cannot have all its parts.</summary>
    public void Whole(string account, SentSeries series, LostPart part)
    {
        if (part.To is not { } other)
        {
            ReservedName(account, series, part.Name);
        }
        else if (IsNew(account, 0, $"{series.Name}\n{part.Name}\n{other.Name}"))
        {
            LogWhole(account, ShownText.Of(series.ToString()), part.Name, ShownText.Of(other.ToString()));
        }
    }

    /// <summary>A label of a sample, as its classic name is that of an earlier label, or stands for the metric's name.</summary>
    public void Label(string account, in PrometheusSample sent, string label)
    {
        if (IsNew(account, 1, $"{sent.Name}\n{label}"))
        {
            LogLabel(
                account,
                ShownText.Of(label),
                ShownText.Of(new SentSeries(sent.Name, sent.Labels).ToString()),
                ClassicName.OfLabel(label)
            );
        }
    }

    /// <summary>A sample, as its name, or that of a part of its series, is the bridge's own or Prometheus' own.</summary>
    public void ReservedName(string account, SentSeries series, string name)
    {
        bool isPrometheus = PrometheusOwn.Contains(name);
        if (!IsNew(account, isPrometheus ? 4 : 2, $"{series.Name}\n{name}"))
        {
            return;
        }

        if (isPrometheus)
        {
            LogPrometheusName(account, ShownText.Of(series.ToString()), name);
        }
        else
        {
            LogOwnName(account, ShownText.Of(series.ToString()), name);
        }
    }

    /// <summary>A value of an analytics row, as it is no finite number.</summary>
    public void Value(string account, string endpoint, string metric)
    {
        if (IsNew(account, 5, metric))
        {
            LogValue(account, metric, ShownText.Of(endpoint));
        }
    }

    /// <summary>An analytics row, which has no readable endpoint id.</summary>
    public void Row(string account, string timeframe)
    {
        if (IsNew(account, 3, timeframe))
        {
            LogRow(account, timeframe);
        }
    }

    /// <summary>Counts, and returns whether to log it.</summary>
    private bool IsNew(string account, int kind, string what)
    {
        lock (_one)
        {
            _counts.TryAdd(account, new long[Kinds.Length]);
            _counts[account][kind]++;
            return _told.Count < MostTold && _told.Add((account, kind, what));
        }
    }

    private List<Measurement<long>> Observe()
    {
        lock (_one)
        {
            return [.. _counts.SelectMany(account => account.Value.Select((count, kind) =>
                new Measurement<long>(
                    count + OfPublisher(account.Key, Kinds[kind]),
                    new("account", account.Key), new KeyValuePair<string, object?>("kind", Kinds[kind]))))];
        }
    }

    private long OfPublisher(string account, string kind) => _publishers.GetValueOrDefault(account) is not { } publisher ? 0 : kind switch
    {
        "row" => publisher.AnalyticsRowsLeftOut,
        "value" => publisher.AnalyticsValuesLeftOut,
        _ => 0,
    };

    [LoggerMessage(8, LogLevel.Warning,
        "Account {Account}: the series {Series} is left out. Under its classic name {Name}, it is the same series as {First}, which " +
            "comes first. "
        + "Give one of them another name or other labels. Further samples are counted in fal_bridge_left_out_total and not logged.")]
    private partial void LogSeries(string account, string series, string name, string first);

    [LoggerMessage(9, LogLevel.Warning,
        "Account {Account}: the label {Label} of the series {Series} is left out. An earlier label of the series has the same classic "
        + "name {Name}, or that name is reserved for the name of the metric. Give the label another name. Further ones are counted in " +
            "fal_bridge_left_out_total and not logged.")]
    private partial void LogLabel(string account, string label, string series, string name);

    [LoggerMessage(10, LogLevel.Warning,
        "Account {Account}: the series {Series} is left out. The name {Name} is one of the bridge's own series. Give the metric another " +
            "name. Further samples are counted in fal_bridge_left_out_total and not logged.")]
    private partial void LogOwnName(string account, string series, string name);

    [LoggerMessage(11, LogLevel.Warning,
        "Account {Account}: an analytics row of one {Timeframe} is left out. The service sent it without a readable endpoint id, " +
            "so its endpoint is unknown. Further rows are counted in fal_bridge_left_out_total and not logged.")]
    private partial void LogRow(string account, string timeframe);

    [LoggerMessage(12, LogLevel.Warning,
        "Account {Account}: the service sends the series {Series} more than once. The first sample stays and the others are left out. " +
            "Report it to whoever exposes the metric. Further samples are counted in fal_bridge_left_out_total and not logged.")]
    private partial void LogTwice(string account, string series);

    [LoggerMessage(13, LogLevel.Warning,
        "Account {Account}: the series {Series} is left out with all its parts. One of these parts has the name {Name}, which the series " +
            "{First} already uses. A histogram or summary without one of its parts would be misleading. Give one of them another name " +
            "or other labels. Further samples are counted in fal_bridge_left_out_total and not logged.")]
    private partial void LogWhole(string account, string series, string name, string first);

    [LoggerMessage(14, LogLevel.Warning,
        "Account {Account}: the series {Series} is left out. Prometheus itself creates series with the name {Name}. Give the metric " +
            "another name. Further samples are counted in fal_bridge_left_out_total and not logged.")]
    private partial void LogPrometheusName(string account, string series, string name);

    [LoggerMessage(15, LogLevel.Warning,
        "Account {Account}: the value of {Metric} for the endpoint {Endpoint} is left out, because it is not a finite number. Further " +
            "values are counted in fal_bridge_left_out_total and not logged.")]
    private partial void LogValue(string account, string metric, string endpoint);
}
