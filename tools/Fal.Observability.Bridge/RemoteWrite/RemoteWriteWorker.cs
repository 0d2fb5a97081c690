using System.Diagnostics.Metrics;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Fal.Observability.Bridge.RemoteWrite;

/// <summary>Runs the histories, and says how they do.</summary>
internal sealed class RemoteWriteWorker : BackgroundService, IHealthCheck
{
    /// <summary>The meter whose instruments say it.</summary>
    public const string MeterName = "Fal.Observability.Bridge";

    private readonly HistorySender[] _senders;
    private readonly Meter _meter;

    public RemoteWriteWorker(IEnumerable<HistorySender> senders, IMeterFactory meters)
    {
        _senders = [.. senders];
        _meter = meters.Create(MeterName);
        _meter.CreateObservableGauge(
            "fal_bridge_remote_write_up", () => Observe(sender => sender.Failure is null ? 1 : 0),
            description: "1 while nothing stops the history, 0 while fal cannot be read, the receiver does not take it, or the state file cannot be written.");
        _meter.CreateObservableGauge(
            "fal_bridge_remote_write_last_success_timestamp_seconds",
            () => Observe(sender => sender.LastSuccess).Where(measurement => measurement.Value > 0), "s",
            "When the receiver last had every final bucket of the history, in seconds since the Unix epoch.");
        _meter.CreateObservableCounter(
            "fal_bridge_remote_write_samples_total", () => Observe(sender => sender.AcceptedSamples), "{sample}", "How many samples the receiver has accepted.");
        _meter.CreateObservableCounter(
            "fal_bridge_remote_write_failures_total",
            () => _senders.SelectMany(sender => sender.Failures.Select(failure =>
                new Measurement<long>(failure.Count, LabelsOf(sender).Append(new("kind", failure.Kind))))),
            "{failure}",
            "How often something went wrong: fal could not be read, the receiver failed, the receiver refused, the state file could not be written.");
    }

    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        string? failure = _senders.Select(sender => sender.Failure).FirstOrDefault(failure => failure is not null);
        var accepted = _senders.ToDictionary(
            sender => sender.Name, sender => (object)(sender.AcceptedUntil is { } until ? $"accepted until {until:u}" : "nothing is accepted yet"));
        return Task.FromResult(failure is null
            ? HealthCheckResult.Healthy(data: accepted)
            : new HealthCheckResult(context.Registration.FailureStatus, failure, data: accepted));
    }

    public override void Dispose()
    {
        base.Dispose();
        _meter.Dispose();
        Array.ForEach(_senders, sender => sender.Dispose());
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.WhenAll(_senders.Select(sender => sender.RunAsync(stoppingToken)));

    private IEnumerable<Measurement<long>> Observe(Func<HistorySender, long> value) =>
        _senders.Select(sender => new Measurement<long>(value(sender), LabelsOf(sender)));

    private static KeyValuePair<string, object?>[] LabelsOf(HistorySender sender) => [new("account", sender.Account), new("history", sender.Name)];
}
