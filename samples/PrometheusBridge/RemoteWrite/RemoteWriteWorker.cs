using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Fal.Observability.PrometheusBridge.RemoteWrite;

/// <summary>Runs the histories, and says how they do.</summary>
internal sealed class RemoteWriteWorker(IEnumerable<HistorySender> senders, RemoteWriteClient receiver) : BackgroundService, IHealthCheck
{
    private readonly HistorySender[] _senders = [.. senders];

    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        string? failure = _senders.Select(sender => sender.Failure).FirstOrDefault(failure => failure is not null) ?? receiver.LastFailure;
        var accepted = _senders.ToDictionary(sender => sender.Name, sender => (object)$"accepted until {sender.AcceptedUntil:u}");
        return Task.FromResult(failure is null
            ? HealthCheckResult.Healthy(data: accepted)
            : new HealthCheckResult(context.Registration.FailureStatus, failure, data: accepted));
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.WhenAll(_senders.Select(sender => sender.RunAsync(stoppingToken)));
}
