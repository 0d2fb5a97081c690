using System.Diagnostics.Metrics;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Fal.Observability.Bridge.RemoteWrite;

/// <summary>Runs the histories, and says how they do.</summary>
internal sealed class RemoteWriteWorker : BackgroundService, IHealthCheck
{
    /// <summary>The meter whose instruments say it.</summary>
    public const string MeterName = "Fal.Observability.Bridge";

    private const string Up = "fal_bridge_remote_write_up";
    private const string LastSuccess = "fal_bridge_remote_write_last_success_timestamp_seconds";
    private const string Samples = "fal_bridge_remote_write_samples_total";
    private const string Failures = "fal_bridge_remote_write_failures_total";

    /// <summary>The names of its instruments. They stay the bridge's own where no remote write is configured.</summary>
    public static readonly string[] Names = [Up, LastSuccess, Samples, Failures];

    private readonly HistorySender[] _senders;
    private readonly Meter _meter;

    public RemoteWriteWorker(IEnumerable<HistorySender> senders, IMeterFactory meters)
    {
        _senders = [.. senders];
        _meter = meters.Create(MeterName);
        _meter.CreateObservableGauge(
            Up, () => Observe(sender => sender.Failure is null ? 1 : 0),
            description: "1 while the history is being sent, 0 while fal cannot be read, the receiver rejects it, or the state " +
                "file cannot be written.");
        _meter.CreateObservableGauge(
            LastSuccess,
            () => Observe(sender => sender.LastSuccess).Where(measurement => measurement.Value > 0), "s",
            "When the receiver last had every final bucket of the history, in seconds since the Unix epoch.");
        _meter.CreateObservableCounter(
            Samples, () => Observe(sender => sender.AcceptedSamples), "{sample}", "How many samples the receiver has accepted.");
        _meter.CreateObservableCounter(
            Failures,
            () => _senders.SelectMany(sender => sender.Failures.Select(failure =>
                new Measurement<long>(failure.Count, LabelsOf(sender).Append(new("kind", failure.Kind))))),
            "{failure}",
            "The number of failures: the bridge could not read fal, the receiver failed, the receiver refused, or the state file could " +
                "not be written.");
    }

    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        string? failure = _senders.Select(sender => sender.Failure).FirstOrDefault(failure => failure is not null);
        // Of several histories, one may stop while the others continue.
        var histories = _senders.ToDictionary(
            sender => sender.Name,
            sender => (object)((sender.AcceptedUntil is { } until ? $"accepted until {until:u}" : "nothing is accepted yet")
                + (sender.Failure is { } reason ? $"; stopped by: {reason}" : "")));
        return Task.FromResult(failure is null
            ? HealthCheckResult.Healthy(data: histories)
            : new HealthCheckResult(context.Registration.FailureStatus, failure, data: histories));
    }

    public override void Dispose()
    {
        base.Dispose();
        _meter.Dispose();
        Array.ForEach(_senders, sender => sender.Dispose());
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        Task.WhenAll(_senders.Select(sender => sender.RunAsync(stoppingToken)));

    private IEnumerable<Measurement<long>> Observe(Func<HistorySender, long> value) =>
        _senders.Select(sender => new Measurement<long>(value(sender), LabelsOf(sender)));

    private static KeyValuePair<string, object?>[] LabelsOf(HistorySender sender) =>
        [new("account", sender.Account), new("history", sender.Name)];
}
