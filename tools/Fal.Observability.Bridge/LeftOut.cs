using System.Diagnostics.Metrics;
using Fal.Observability.Client.Prometheus;
using Fal.Observability.Bridge.RemoteWrite;

namespace Fal.Observability.Bridge;

/// <summary>Counts what the service sent and the bridge cannot pass on, and tells the log once of each case.</summary>
internal sealed partial class LeftOut : IDisposable
{
    /// <summary>The most cases that are told: a service that makes up names must not fill the memory or the log.</summary>
    private const int MostTold = 1000;

    private static readonly string[] Kinds = ["series", "label", "own_name", "row"];

    private readonly Lock _one = new();
    private readonly SortedDictionary<string, long[]> _counts = new(StringComparer.Ordinal);
    private readonly HashSet<(string Account, int Kind, string Case)> _told = [];
    private readonly ILogger _log;
    private readonly Meter _meter;

    public LeftOut(IMeterFactory meters, ILogger<LeftOut> log)
    {
        _log = log;
        _meter = meters.Create(RemoteWriteWorker.MeterName);
        _meter.CreateObservableCounter(
            "fal_bridge_left_out_total", Observe, "{item}",
            "How many samples, labels and rows the bridge left out: a series or a label whose classic name an earlier one has, a series with a "
            + "name of the bridge's own, an analytics row without an endpoint id.");
    }

    /// <summary>How many there were.</summary>
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

    /// <summary>Makes the counters of an account, at zero, so that their first increase is one.</summary>
    public void Begin(string account)
    {
        lock (_one)
        {
            _counts.TryAdd(account, new long[Kinds.Length]);
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

        string series = new SentSeries(sent.Name, sent.Labels).ToString();
        if (isSame)
        {
            LogTwice(account, series);
        }
        else
        {
            LogSeries(account, series, name, first.ToString());
        }
    }

    /// <summary>A sample of a histogram or a summary that cannot have all its parts.</summary>
    public void Whole(string account, SentSeries series, LostPart part)
    {
        if (part.To is not { } other)
        {
            OwnName(account, series, part.Name);
        }
        else if (IsNew(account, 0, $"{series.Name}\n{part.Name}\n{other.Name}"))
        {
            LogWhole(account, series.ToString(), part.Name, other.ToString());
        }
    }

    /// <summary>A label of a sample, as its classic name is that of an earlier label, or stands for the metric's name.</summary>
    public void Label(string account, in PrometheusSample sent, string label)
    {
        if (IsNew(account, 1, $"{sent.Name}\n{label}"))
        {
            LogLabel(account, label, new SentSeries(sent.Name, sent.Labels).ToString(), ClassicName.OfLabel(label));
        }
    }

    /// <summary>A sample, as its name, or that of a part of its series, is the bridge's own.</summary>
    public void OwnName(string account, SentSeries series, string name)
    {
        if (IsNew(account, 2, $"{series.Name}\n{name}"))
        {
            LogOwnName(account, series.ToString(), name);
        }
    }

    /// <summary>An analytics row, as it has no endpoint id.</summary>
    public void Row(string account, string timeframe)
    {
        if (IsNew(account, 3, timeframe))
        {
            LogRow(account, timeframe);
        }
    }

    /// <summary>Counts, and says whether it is to be told.</summary>
    private bool IsNew(string account, int kind, string what)
    {
        lock (_one)
        {
            Begin(account);
            _counts[account][kind]++;
            return _told.Count < MostTold && _told.Add((account, kind, what));
        }
    }

    private List<Measurement<long>> Observe()
    {
        lock (_one)
        {
            return [.. _counts.SelectMany(account => account.Value.Select((count, kind) =>
                new Measurement<long>(count, new("account", account.Key), new KeyValuePair<string, object?>("kind", Kinds[kind]))))];
        }
    }

    [LoggerMessage(8, LogLevel.Warning,
        "Account {Account}: the series {Series} is left out. Its classic name is {Name}, and the series {First} comes first and becomes the same "
        + "one. Give one of them another name or other labels. Further samples are counted in fal_bridge_left_out_total and not logged.")]
    private partial void LogSeries(string account, string series, string name, string first);

    [LoggerMessage(9, LogLevel.Warning,
        "Account {Account}: the label {Label} of the series {Series} is left out. Its classic name {Name} is taken in the same series, or "
        + "stands for the name of the metric. Give the label another name. Further ones are counted in fal_bridge_left_out_total and not logged.")]
    private partial void LogLabel(string account, string label, string series, string name);

    [LoggerMessage(10, LogLevel.Warning,
        "Account {Account}: the series {Series} is left out. The name {Name} is one of the bridge's own series. Give the metric another name. "
        + "Further samples are counted in fal_bridge_left_out_total and not logged.")]
    private partial void LogOwnName(string account, string series, string name);

    [LoggerMessage(11, LogLevel.Warning,
        "Account {Account}: an analytics row of one {Timeframe} is left out. The service sent it without an endpoint id, so it belongs to no "
        + "series. Further rows are counted in fal_bridge_left_out_total and not logged.")]
    private partial void LogRow(string account, string timeframe);

    [LoggerMessage(12, LogLevel.Warning,
        "Account {Account}: the service sends the series {Series} more than once. The first sample stays and the others are left out. Report it to "
        + "whoever exposes the metric. Further samples are counted in fal_bridge_left_out_total and not logged.")]
    private partial void LogTwice(string account, string series);

    [LoggerMessage(13, LogLevel.Warning,
        "Account {Account}: the series {Series} is left out with all its parts. The name {Name} of one of them belongs to the series {First}, and "
        + "a histogram or summary without a part would mislead. Give one of them another name or other labels. Further samples are counted in "
        + "fal_bridge_left_out_total and not logged.")]
    private partial void LogWhole(string account, string series, string name, string first);
}
