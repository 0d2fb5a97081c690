using System.Globalization;
using Fal.Observability.Client.Prometheus;

namespace Fal.Observability.Client.PrometheusTests;

/// <summary>An alert of an objective in one minute.</summary>
internal readonly record struct BudgetAlert(DateTimeOffset Time, string Name, string Severity, string App)
{
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Time:HH:mm:ss} {Name} {Severity} {App}");
}

/// <summary>
/// Which alerts of the two objectives are true, counted from the snapshots alone: bad requests per request over pairs of windows, as the
/// Site Reliability Workbook has it, without a rule or an engine.
/// </summary>
internal sealed class BudgetBurnByHand
{
    private const double ErrorBudget = 1 - 0.995;
    private const double LatencyBudget = 1 - 0.95;
    private const double FewestBad = 5;

    /// <summary>The windows in minutes, and how many times faster than allowed the budget burns in both.</summary>
    private static readonly (string Severity, int Long, int Short, double Factor)[] Burns =
        [("critical", 60, 5, 14.4), ("critical", 360, 30, 6), ("warning", 1440, 120, 3), ("warning", 4320, 360, 1)];

    private readonly Dictionary<string, List<Minute>> _failed = [];
    private readonly Dictionary<string, List<Minute>> _slow = [];
    private readonly HashSet<BudgetAlert> _alerts = [];

    /// <summary>The alerts that were true when a snapshot was added.</summary>
    public IReadOnlyCollection<BudgetAlert> Alerts => _alerts;

    /// <summary>Counts the minute that a snapshot tells of. The minutes come in their order.</summary>
    public void Add(DateTimeOffset time, FalMetricsSnapshot snapshot)
    {
        foreach (FalAppMetrics app in snapshot.Apps)
        {
            Add(_failed, app.Name, new Minute(
                time, app.RequestsCompletedByStatus.Where(requests => requests.Status!.StartsWith('5')).Sum(requests => requests.Count),
                app.RequestsCompleted ?? 0));
            PrometheusSample[] buckets =
            [
                .. snapshot.Families.Where(family => family.Name == FalMetricNames.RequestLatency).SelectMany(family => family.Samples)
                    .Where(sample => sample.Labels["application"] == app.Name),
            ];
            if (buckets.Length > 0)
            {
                double timed = buckets.Single(bucket => bucket.Labels["le"] == "+Inf").Value;
                Add(_slow, app.Name, new Minute(time, timed - buckets.Single(bucket => bucket.Labels["le"] == "10.0").Value, timed));
            }
        }

        Judge("FalErrorBudgetBurn", _failed, ErrorBudget, time);
        Judge("FalLatencyBudgetBurn", _slow, LatencyBudget, time);
    }

    private static void Add(Dictionary<string, List<Minute>> minutes, string app, Minute minute)
    {
        minutes.TryAdd(app, []);
        minutes[app].Add(minute);
    }

    private void Judge(string name, Dictionary<string, List<Minute>> minutes, double budget, DateTimeOffset time)
    {
        foreach ((string app, List<Minute> of) in minutes)
        {
            foreach ((string severity, int longWindow, int shortWindow, double factor) in Burns)
            {
                if (BadIn(longWindow) >= FewestBad && RatioIn(longWindow) > factor * budget && RatioIn(shortWindow) > factor * budget)
                {
                    _alerts.Add(new BudgetAlert(time, name, severity, app));
                }
            }

            double BadIn(int window) => In(window).Sum(minute => minute.Bad);

            double RatioIn(int window) => BadIn(window) / In(window).Sum(minute => minute.All);

            IEnumerable<Minute> In(int window) => of.Where(minute => minute.Time > time.AddMinutes(-window));
        }
    }

    /// <summary>The requests of one app in the minute before a time.</summary>
    private readonly record struct Minute(DateTimeOffset Time, double Bad, double All);
}
