using Fal.Observability.Client;

namespace Fal.Observability.Cli.Top;

/// <summary>Something that happened between the client and the service.</summary>
internal sealed record TopEvent(DateTimeOffset At, Ink Ink, string Text);

/// <summary>What is known of an app beyond its live metrics, each part with the reason if it could not be read.</summary>
/// <param name="Name">The app by its id.</param>
/// <param name="End">The end of the hour that was read: the last minute that was over.</param>
/// <param name="Requests">Its requests by minute.</param>
/// <param name="RequestsProblem">Why there are none.</param>
/// <param name="Runners">Its runners by minute.</param>
/// <param name="RunnersProblem">Why there are none.</param>
internal sealed record AppDetails(
    string Name, DateTimeOffset End, AnalyticsReport? Requests, string? RequestsProblem, FalRunnerHistory? Runners, string? RunnersProblem)
{
    /// <summary>How much of the past was read.</summary>
    public static readonly TimeSpan Length = TimeSpan.FromHours(1);
}

/// <summary>Everything that the screen shows, made of what the service answered. It has no clock and reads nothing by itself.</summary>
/// <param name="service">Where the data come from.</param>
/// <param name="isSimulated">Whether the data are simulated.</param>
/// <param name="interval">The time from one read of the metrics to the next.</param>
/// <param name="start">When the program started.</param>
internal sealed class TopModel(string service, bool isSimulated, TimeSpan interval, DateTimeOffset start)
{
    private const int MostEvents = 100;

    private readonly Dictionary<string, TopApp> _apps = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _notices = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _failedParts = new(StringComparer.Ordinal);
    private readonly List<TopEvent> _events = [];
    private FalMetricsSnapshot? _live;
    private FalAppList? _list;
    private UsageReport? _usage;
    private int _number;

    public string Service => service;

    public bool IsSimulated => isSimulated;

    public TimeSpan Interval => interval;

    public DateTimeOffset Start => start;

    /// <summary>The last read that succeeded; null: there was none.</summary>
    public TopReading? Latest { get; private set; }

    /// <summary>The queue of the whole account.</summary>
    public Trend Queue { get; } = new();

    /// <summary>The requests in progress of the whole account.</summary>
    public Trend Busy { get; } = new();

    /// <summary>Why the last read failed; null: it succeeded.</summary>
    public string? Problem { get; private set; }

    /// <summary>What kind of failure it was, in two words.</summary>
    public string ProblemKind { get; private set; } = "";

    /// <summary>When the last answer came, or the program started.</summary>
    public DateTimeOffset LastAnswer => Latest?.Timestamp ?? start;

    /// <summary>How many reads have failed one after the other.</summary>
    public int FailedReads { get; private set; }

    public int Retries { get; private set; }

    public int RateLimits { get; private set; }

    /// <summary>The amounts charged today; null: not known.</summary>
    public IReadOnlyList<(decimal Cost, string Currency)>? CostToday { get; private set; }

    /// <summary>What of it belongs to no listed app; empty: nothing, or not known.</summary>
    public IReadOnlyList<(decimal Cost, string Currency)> Unattributed { get; private set; } = [];

    /// <summary>The page of one app; null: it has not been read.</summary>
    public AppDetails? Details { get; private set; }

    /// <summary>Whether the account has been listed, and has no app.</summary>
    public bool OwnsNoApp => Environments.Count == 0 && _list is { Apps.Count: 0 };

    /// <summary>The latest events, the newest first.</summary>
    public IEnumerable<TopEvent> Events => _events.AsEnumerable().Reverse();

    /// <summary>The environments whose apps are listed; empty: the service chooses.</summary>
    public IReadOnlyList<string> Environments { get; init; } = [];

    /// <summary>What stays as it is: what the key may not see, and environments that do not fit the metrics.</summary>
    public IEnumerable<string> Notices => _notices.Values;

    /// <summary>The read that a view shows.</summary>
    public TopReading? Shown(TopView view) => view.PausedAt ?? Latest;

    /// <summary>Whether the data are older than they should be.</summary>
    public bool IsStale(DateTimeOffset now) => Latest is { } latest && now - latest.Timestamp > 3 * interval;

    /// <summary>Takes in the metrics of every app.</summary>
    public void Take(FalMetricsSnapshot snapshot)
    {
        DateTimeOffset timestamp = snapshot.Timestamp;
        if (FailedReads > 0)
        {
            Add(timestamp, Ink.Good, $"The service answers again, after {Figures.Span(timestamp - LastAnswer)}.");
            // That goes for the parts as well, so that their own recovery is no news.
            _failedParts.Clear();
        }

        // A bar is an interval, so that the time in which reads failed is a gap.
        _number += Latest is null ? 1
            : (int)Math.Clamp(Math.Round((timestamp - LastAnswer) / interval, MidpointRounding.AwayFromZero), 1, Trend.Capacity);

        Problem = null;
        FailedReads = 0;
        _live = snapshot;
        foreach (FalAppMetrics app in snapshot.Apps)
        {
            TopApp known = AppOf(app.Name);
            known.Queue.Set(_number, app.QueueSize);
            known.Busy.Set(_number, app.ConcurrentRequests);
        }

        Refresh(snapshot);
        Queue.Set(_number, Latest!.Queue);
        Busy.Set(_number, Latest.Busy);
    }

    /// <summary>Takes in that the metrics could not be read.</summary>
    public void ReadFailed(Exception failure, DateTimeOffset now)
    {
        string cause = TextOf(failure);
        FailedReads++;
        if (Problem != cause)
        {
            // The line of the status has the rest.
            Add(now, Ink.Bad, cause.Split(". ")[0]);
        }

        Problem = cause;
        ProblemKind = failure switch
        {
            FalAuthenticationException => "KEY REFUSED",
            FalRateLimitException => "RATE LIMITED",
            _ when IsForbidden(failure) => "NOT ALLOWED",
            FalApiException or FalResponseException => "WRONG ANSWER",
            _ => "NO ANSWER",
        };
        CountIfRateLimited(failure);
    }

    /// <summary>Takes in the list of apps.</summary>
    public void Take(FalAppList list)
    {
        _list = list;
        foreach (TopApp app in _apps.Values)
        {
            app.Listed = null;
        }

        foreach (FalApp app in list.Apps)
        {
            AppOf(app.EndpointId).Listed = app;
        }

        AttributeCost();
        if (_live is { } live)
        {
            Refresh(live);
        }
    }

    /// <summary>Takes in what was charged today.</summary>
    public void Take(UsageReport usage)
    {
        _usage = usage;
        CostToday = Sums(usage.Totals);
        AttributeCost();
    }

    /// <summary>Takes in the page of one app.</summary>
    public void Take(AppDetails details) => Details = details;

    /// <summary>Takes in that a part of the account could not be read. It is said once.</summary>
    /// <param name="part">The part, which is also what the text starts with.</param>
    /// <param name="failure">Why it could not be read.</param>
    /// <param name="now">The current instant.</param>
    public void PartFailed(string part, Exception failure, DateTimeOffset now)
    {
        CountIfRateLimited(failure);
        string text = $"{part}: {TextOf(failure)}";
        if (IsForbidden(failure))
        {
            _notices[part] = $"{part}: this key may not read it";
        }
        else if (_failedParts.GetValueOrDefault(part) != text)
        {
            _failedParts[part] = text;
            Add(now, Ink.Warning, text);
        }
    }

    /// <summary>Takes in that a part of the account could be read.</summary>
    public void PartAnswered(string part, DateTimeOffset now)
    {
        if (_failedParts.Remove(part))
        {
            Add(now, Ink.Good, $"{part}: the service answers again");
        }
    }

    /// <summary>Takes in that the client sends a call again.</summary>
    public void Retried(string operation, string cause, DateTimeOffset now)
    {
        // The last part of the path says enough, and all of it would leave no room for the cause.
        string call = operation.Split("/serverless/")[^1];
        Retries++;
        RateLimits += cause == "429" ? 1 : 0;
        string reason = cause switch
        {
            "429" => "rate limited (429)",
            nameof(FalTransportException) => "no answer",
            nameof(FalTimeoutException) => "time-out",
            _ => cause,
        };
        Add(now, Ink.Warning, $"{call}: {reason}, trying again");
    }

    /// <summary>
    /// The message of a failure, as it may be written to a terminal. The client's messages end with the cause where they have one. Here it
    /// comes first, because a narrow screen cuts the end.
    /// </summary>
    public static string TextOf(Exception failure) =>
        ShownText.Of(Screen.OneLine(string.Join(". ", Failure.CauseOf(failure).Split(" The cause: ", 2).Reverse())));

    /// <summary>Whether the service, and not a proxy in front of it, says that the key lacks a permission.</summary>
    public static bool IsForbidden(Exception failure) =>
        failure is FalForbiddenException { Reason: FalForbiddenReason.PermissionOrOwnership };

    private void CountIfRateLimited(Exception failure) => RateLimits += failure is FalRateLimitException ? 1 : 0;

    private void Add(DateTimeOffset at, Ink ink, string text)
    {
        if (_events.Count == MostEvents)
        {
            _events.RemoveAt(0);
        }

        _events.Add(new TopEvent(at, ink, ShownText.Of(text)));
    }

    private TopApp AppOf(string name)
    {
        if (!_apps.TryGetValue(name, out TopApp? app))
        {
            _apps.Add(name, app = new TopApp(name));
        }

        return app;
    }

    /// <summary>The rows of the last read: what is measured, and what is listed or was measured before.</summary>
    private void Refresh(FalMetricsSnapshot live)
    {
        const string Mismatch = "environments";
        _notices.Remove(Mismatch);
        if (Environments.Count > 0 && _list is not null && live.Apps.Count > 0 && live.Apps.All(app => AppOf(app.Name).Listed is null))
        {
            string names = ShownText.Of(string.Join(", ", Environments));
            _notices[Mismatch] = $"No app with live metrics is in the environment {names}. Check --environments.";
        }

        var rows = new List<TopRow>(_apps.Count);
        foreach (FalAppMetrics app in live.Apps)
        {
            rows.Add(new TopRow(AppOf(app.Name), app, Trouble.Of(app)));
        }

        rows.AddRange(_apps.Values.Where(app => live[app.Name] is null).Select(app => new TopRow(app, null, Trouble.Of(null))));
        Latest = new TopReading(_number, live.Timestamp, [.. rows], live.SkippedLineCount);
    }

    private void AttributeCost()
    {
        if (_usage is null || _list is not { Apps.Count: > 0 })
        {
            return;
        }

        // The join of a bill with the list wants requests of the same range. None are needed for the amounts.
        var noRequests = new AnalyticsReport
        {
            Query = new AnalyticsQuery(_list.Apps.Select(app => app.EndpointId))
            {
                Range = _usage.Query.Range,
                Timeframe = _usage.Query.Timeframe,
            },
        };
        AppCostReport bill = _usage.ByApp(_list, noRequests);
        Unattributed = Sums(bill.Unattributed);
        ILookup<string, UsageTotals> costs = bill.Apps.Where(app => app.Usage is not null)
            .ToLookup(app => app.App.EndpointId, app => app.Usage!, StringComparer.Ordinal);
        foreach (TopApp app in _apps.Values)
        {
            app.Cost = Sums(costs[app.Name]);
        }
    }

    private static (decimal Cost, string Currency)[] Sums(IEnumerable<UsageTotals> totals) =>
        [.. totals.GroupBy(total => total.Currency, StringComparer.Ordinal).Select(same => (same.Sum(total => total.Cost), same.Key))];
}
