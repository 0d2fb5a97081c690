using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Fal.Observability.Client;

/// <summary>
/// Reads the metrics of one account in the background and publishes every family, known to this version or not, as observable instruments
/// of a <see cref="System.Diagnostics.Metrics.Meter"/> named <see cref="MeterName"/>, under the names and labels that the service gives
/// them.
/// </summary>
/// <remarks>
/// <para>
/// Registered by <c>AddFalObservability().AddMetricsPublisher()</c> as a hosted service and as a singleton of its own type (keyed as the
/// account is), from which the state can be read. The host starts and stops it. Thread-safe.
/// </para>
/// <para>
/// One call is under way at a time. A failure never ends the host: the last good snapshot is reported until it is older than
/// <see cref="FalMetricsPublisherOptions.StaleAfter"/>, and the reads go on, each <see cref="FalMetricsPublisherOptions.Interval"/> where
/// the
/// failure may pass, after the time that a rate limit asks for, and every 5 minutes where the call was refused (401, 403 and the like).
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

    /// <summary>What the reads have come to so far.</summary>
    public FalMetricsState State => _account.Readings.State;

    /// <summary>How old the last good snapshot is; null if no read has succeeded yet.</summary>
    public TimeSpan? Age => _account.Readings.Age;

    /// <summary>
    /// Whether there is no snapshot, or none that is younger than <see cref="FalMetricsPublisherOptions.StaleAfter"/>: no value of the
    /// service
    /// is then reported.
    /// </summary>
    public bool IsStale => _account.IsStale;

    /// <summary>
    /// How many rows have been left out of the published analytics buckets, because they had no endpoint id that can be read. A row counts
    /// once for each bucket. 0 without analytics.
    /// </summary>
    public long AnalyticsRowsLeftOut => _account.Analytics.RowsLeftOut;

    /// <summary>
    /// How many values have been left out of the published analytics buckets, because they were not finite numbers. A value counts once for
    /// each bucket. 0 without analytics.
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
            // Not a failure, as a host that is disposed without being stopped would log it.
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

    /// <summary>Waits; after a key was refused, only until there is another.</summary>
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
            // A little after the bucket closes, and not a tenth of a day.
            await Task.Delay(pause + (_random() * LongestAnalyticsJitter), _time, stoppingToken).ConfigureAwait(false);
        }
    }

    /// <summary>Whoever listens for new instruments runs inside, and must not end the host by a fault of its own.</summary>
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
