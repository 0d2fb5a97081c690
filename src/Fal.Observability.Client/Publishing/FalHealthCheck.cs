using System.Globalization;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Fal.Observability.Client;

/// <summary>
/// Judges the last read of an account's metrics. If the account has a publisher, it makes the reads. Otherwise the check reads by itself,
/// at most once per lifetime of the service's cache, however often it runs.
/// </summary>
internal sealed class FalHealthCheck(MetricsReadings readings, FalMetricsPublisher? publisher, FalHealthCheckOptions options) : IHealthCheck
{
    /// <summary>How many apps a description names.</summary>
    private const int MostNamed = 5;

    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        if (publisher is null)
        {
            await readings.ReadIfDueAsync(context.Registration.Timeout, cancellationToken).ConfigureAwait(false);
        }

        FalMetricsState state = readings.State;
        Dictionary<string, object> data = DataOf(state);
        if (state.LastFailure is FalAuthenticationException or FalForbiddenException
            || state is { Snapshot: null, LastFailure: FalApiException { IsTransient: false } })
        {
            return Unhealthy(state.LastFailure.Message);
        }

        if (readings.WithoutData is var gap && gap > options.UnhealthyAfter)
        {
            return Unhealthy(Because($"There have been no metrics for {Text(gap)}."));
        }

        if (state.Snapshot is null)
        {
            return Degraded(
                state.LastFailure is null
                    ? "The first read of the metrics has not ended yet."
                    : Because("No read of the metrics has succeeded yet.")
            );
        }

        if (gap > (publisher?.StaleAfter ?? FalMetricsPublisherOptionTable.StaleAfter.Default))
        {
            return Degraded(Because($"The metrics are stale: {Text(gap)} old."));
        }

        string problems = string.Join(' ', ProblemsOf(state.Snapshot, data));
        return problems.Length > 0
            ? Degraded(problems)
            : HealthCheckResult.Healthy(
                string.Create(CultureInfo.InvariantCulture, $"{state.Snapshot.Apps.Count} app(s), metrics {Text(gap)} old."),
                data
            );

        // Without the exception, because the health check service would log it in full at every probe, long after the failed read was
        // logged.
        HealthCheckResult Unhealthy(string description) => new(context.Registration.FailureStatus, description, exception: null, data);

        HealthCheckResult Degraded(string description) => HealthCheckResult.Degraded(description, exception: null, data);

        string Because(string what) => state.LastFailure is { } failure ? $"{what} {failure.Message}" : what;
    }

    private IEnumerable<string> ProblemsOf(FalMetricsSnapshot snapshot, Dictionary<string, object> data)
    {
        if (options.MaxQueueSize is { } most)
        {
            FalAppMetrics[] tooLong = [.. snapshot.Apps.Where(app => app.QueueSize > most)];
            data["apps_over_queue_limit"] = tooLong.Length;
            if (tooLong.Length > 0)
            {
                yield return string.Create(CultureInfo.InvariantCulture, $"More than {most} requests are waiting for {Named(tooLong)}.");
            }
        }

        if (options.RequireRunners)
        {
            FalAppMetrics[] without = [.. snapshot.Apps.Where(app => app.QueueSize > 0 && !(RunnersUp(app) > 0))];
            data["apps_waiting_without_runner"] = without.Length;
            if (without.Length > 0)
            {
                yield return $"Requests are waiting for {Named(without)}, and no runner is up.";
            }
        }
    }

    private Dictionary<string, object> DataOf(FalMetricsState state)
    {
        var data = new Dictionary<string, object> { ["failures_in_a_row"] = state.FailuresInARow };
        if (readings.Account is { } account)
        {
            data["account"] = account;
        }

        if (state.LastFailure is { } failure)
        {
            data["last_failure"] = failure.Message;
            data["last_failure_kind"] = MetricsReadings.KindOf(failure);
        }

        if (state is { Snapshot: { } snapshot, LastSuccess: { } success })
        {
            data["last_success"] = success.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
            data["age_seconds"] = Math.Round(readings.WithoutData.TotalSeconds, 1);
            data["apps"] = snapshot.Apps.Count;
            data["requests_waiting"] = snapshot.Apps.Sum(app => Number(app.QueueSize));
            data["requests_in_progress"] = snapshot.Apps.Sum(app => Number(app.ConcurrentRequests));
            data["runners_up"] = snapshot.Apps.Sum(app => Number(RunnersUp(app)));
        }

        return data;
    }

    /// <summary>The runners that can take a request. The service has used both names.</summary>
    private static double? RunnersUp(FalAppMetrics app) =>
        app.RunnersInState(FalRunnerStates.Running) + app.RunnersInState(FalRunnerStates.Idle);

    private static double Number(double? value) => value is > 0 and < double.PositiveInfinity ? value.Value : 0;

    private static string Named(FalAppMetrics[] apps) => string.Join(
        ", ",
        apps.OrderByDescending(app => app.QueueSize).Take(MostNamed)
            .Select(app => string.Create(CultureInfo.InvariantCulture, $"{app.Name} ({app.QueueSize})"))
            .Concat(apps.Length > MostNamed ? [string.Create(CultureInfo.InvariantCulture, $"and {apps.Length - MostNamed} more")] : []));

    private static string Text(TimeSpan age) => age < TimeSpan.FromMinutes(2)
        ? string.Create(CultureInfo.InvariantCulture, $"{age.TotalSeconds:0} s")
        : string.Create(CultureInfo.InvariantCulture, $"{age.TotalMinutes:0} min");
}
