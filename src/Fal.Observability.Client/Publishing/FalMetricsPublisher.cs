using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Fal.Observability.Client;

/// <summary>
/// Reads the metrics of one account in the background and publishes every family, known to this version or not, as observable instruments
/// of a <see cref="System.Diagnostics.Metrics.Meter"/> named <see cref="MeterName"/>, with the names and labels of the service.
/// </summary>
/// <remarks>
/// <para>
/// <c>AddFalObservability().AddMetricsPublisher()</c> registers it as a hosted service, and as a singleton of its own type from which the
/// state can be read (keyed if the account is keyed). The host starts and stops it. Thread-safe.
/// </para>
/// <para>
/// One call is in progress at a time. A failure never stops the host: the last good snapshot is reported until it is older than
/// <see cref="FalMetricsPublisherOptions.StaleAfter"/>, and the reads continue. After a transient failure, the next read starts after one
/// <see cref="FalMetricsPublisherOptions.Interval"/>. After a rate limit, it starts when the service allows it. After a refusal (401, 403
/// and similar), it starts after 5 minutes.
/// </para>
/// </remarks>
public sealed class FalMetricsPublisher : BackgroundService
{
    /// <summary>The name of the meter, for <c>AddMeter</c> of an OpenTelemetry pipeline or a listener of your own.</summary>
    public const string MeterName = "Fal.Observability.Publisher";

    private static readonly TimeSpan LongestAnalyticsJitter = TimeSpan.FromSeconds(30);

    private readonly PublishedAccount _account;
    private readonly PublishedMetrics _published;
    private readonly FalMetricsPublisherOptions _options;
    private readonly FalApiKeySource _source;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly Func<double> _random;

    internal FalMetricsPublisher(
        PublishedAccount account, PublishedMetrics published, FalMetricsPublisherOptions options, FalApiKeySource source, TimeProvider time,
        ILogger log,
        Func<double> random)
    {
        _account = account;
        _published = published;
        _options = options;
        _source = source;
        _time = time;
        _log = log;
        _random = random;
        published.Add(account);
    }

    /// <summary>The service key of the account's registration; null for the default one.</summary>
    public string? Account => _account.Readings.Account;

    /// <summary>The outcome of the reads so far.</summary>
    public FalMetricsState State => _account.Readings.State;

    /// <summary>How old the last good snapshot is; null if no read has succeeded yet.</summary>
    public TimeSpan? Age => _account.Readings.Age;

    /// <summary>
    /// Whether there is no snapshot, or the last one is older than <see cref="FalMetricsPublisherOptions.StaleAfter"/>. If so, no value of
    /// the service is reported.
    /// </summary>
    public bool IsStale => _account.IsStale;

    /// <summary>
    /// How many rows of the published analytics buckets were skipped because they had no readable endpoint id. A row counts once per
    /// bucket. 0 without analytics.
    /// </summary>
    public long AnalyticsRowsLeftOut => _account.Analytics.RowsLeftOut;

    /// <summary>
    /// How many values of the published analytics buckets were skipped because they were not finite numbers. A value counts once per
    /// bucket. 0 without analytics.
    /// </summary>
    public long AnalyticsValuesLeftOut => _account.Analytics.ValuesLeftOut;

    internal TimeSpan StaleAfter => _options.StaleAfter;

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            await (_options.AnalyticsEndpointIds.Count == 0
                ? PublishMetricsAsync(stoppingToken)
                : Task.WhenAll(PublishMetricsAsync(stoppingToken), PublishAnalyticsAsync(stoppingToken))).ConfigureAwait(false);
        }
        catch (Exception ended)
            when (stoppingToken.IsCancellationRequested && ended is OperationCanceledException or ObjectDisposedException)
        {
            // End normally here. Otherwise a host that is disposed without being stopped would log a failure.
        }
    }

    private async Task PublishMetricsAsync(CancellationToken stoppingToken)
    {
        string name = _account.Readings.Name;
        while (true)
        {
            int failuresBefore = State.FailuresInARow;
            await _account.Readings.ReadAsync(stoppingToken).ConfigureAwait(false);
            TimeSpan pause = Jittered(_account.Readings.PauseAfterLast(_options.Interval));
            FalMetricsState state = State;
            bool waitsForKey = state.LastFailure is FalAuthenticationException or FalForbiddenException && _source.IsRotated;
            if (state.LastFailure is { } failure)
            {
                if (failure is FalObservabilityException)
                {
                    _log.PublishReadFailed(
                        name,
                        state.FailuresInARow,
                        pause.TotalSeconds,
                        waitsForKey ? ", or sooner if the key changes" : "",
                        failure.Message
                    );
                }
                else
                {
                    _log.PublishReadBroke(failure, name, state.FailuresInARow, pause.TotalSeconds);
                }
            }
            else
            {
                Publish(() => _published.Publish(_account, state.Snapshot!));
                if (failuresBefore > 0)
                {
                    _log.PublishRecovered(name, failuresBefore);
                }
            }

            await PauseAsync(pause, waitsForKey, stoppingToken).ConfigureAwait(false);
        }
    }

    /// <summary>Waits. After the key was refused, the wait ends when there is another key.</summary>
    private async Task PauseAsync(TimeSpan pause, bool waitsForKey, CancellationToken stoppingToken)
    {
        string? refused = waitsForKey ? _source.Options.ApiKey : null;
        while (pause > TimeSpan.Zero && (refused is null || await _source.GetAsync(stoppingToken).ConfigureAwait(false) == refused))
        {
            TimeSpan step = refused is not null && pause > _options.Interval ? _options.Interval : pause;
            await Task.Delay(step, _time, stoppingToken).ConfigureAwait(false);
            pause -= step;
        }
    }

    private async Task PublishAnalyticsAsync(CancellationToken stoppingToken)
    {
        while (true)
        {
            TimeSpan pause = await _account.Analytics.ReadAsync(stoppingToken).ConfigureAwait(false);
            Publish(() => _published.PublishAnalytics(_account));
            // Use a short jitter after the bucket closes. A tenth of the pause could be hours.
            await Task.Delay(pause + (_random() * LongestAnalyticsJitter), _time, stoppingToken).ConfigureAwait(false);
        }
    }

    /// <summary>Listeners for new instruments run inside this call. A fault of a listener must not stop the host.</summary>
    private void Publish(Action publish)
    {
        try
        {
            publish();
        }
        catch (Exception failure) when (failure is not OutOfMemoryException)
        {
            _log.ListenerBroke(failure);
        }
    }

    private TimeSpan Jittered(TimeSpan pause) => pause * (1 + (0.1 * _random()));
}
