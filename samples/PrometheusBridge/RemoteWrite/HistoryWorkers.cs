using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Fal.Observability.PrometheusBridge.RemoteWrite;

/// <summary>Starts and stops the histories, and says how they do.</summary>
internal sealed class HistoryWorkers(IEnumerable<HistoryWorker> workers, RemoteWriteClient receiver) : IHostedService, IHealthCheck
{
    private readonly HistoryWorker[] _workers = [.. workers];

    public Task StartAsync(CancellationToken cancellationToken) => Task.WhenAll(_workers.Select(worker => worker.StartAsync(cancellationToken)));

    public Task StopAsync(CancellationToken cancellationToken) => Task.WhenAll(_workers.Select(worker => worker.StopAsync(cancellationToken)));

    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        string? failure = _workers.Select(worker => worker.Failure).FirstOrDefault(failure => failure is not null) ?? receiver.LastFailure;
        return Task.FromResult(failure is null ? HealthCheckResult.Healthy() : new HealthCheckResult(context.Registration.FailureStatus, failure));
    }
}
