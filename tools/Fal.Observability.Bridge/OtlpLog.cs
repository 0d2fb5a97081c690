using System.Diagnostics.Tracing;
using System.Globalization;

namespace Fal.Observability.Bridge;

/// <summary>
/// Brings into the log what the OTLP exporter has to complain of, such as a collector that cannot be reached: by itself it tells only
/// an event source.
/// </summary>
internal sealed partial class OtlpLog(ILogger<OtlpLog> log) : IHostedService, IDisposable
{
    private Listener? _listener;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        _listener = new Listener(LogComplaint);
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose() => _listener?.Dispose();

    [LoggerMessage(5, LogLevel.Warning, "OTLP: {Complaint}")]
    private partial void LogComplaint(string complaint);

    private sealed class Listener : EventListener
    {
        // The base class reports event sources before this is set.
        private readonly Action<string>? _complain;

        public Listener(Action<string> complain) => _complain = complain;

        protected override void OnEventSourceCreated(EventSource eventSource)
        {
            if (eventSource.Name.StartsWith("OpenTelemetry-Exporter", StringComparison.Ordinal))
            {
                EnableEvents(eventSource, EventLevel.Warning);
            }
        }

        protected override void OnEventWritten(EventWrittenEventArgs eventData)
        {
            string complaint = string.Format(
                CultureInfo.InvariantCulture,
                eventData.Message ?? eventData.EventName ?? "",
                [.. eventData.Payload ?? []]
            );
            // Below the first line is a stack trace, the same with every export.
            _complain?.Invoke(complaint.Split('\n', 2)[0].TrimEnd());
        }
    }
}
