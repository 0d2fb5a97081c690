using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Polly;
using Polly.Retry;
using Polly.Telemetry;

namespace Fal.Observability.Client;

/// <summary>The retry pipeline: which failures are retried, after which delay, and when a wait is pointless.</summary>
internal sealed class FalResilience
{
    /// <summary>The call, which knows how much of its total time is used.</summary>
    public static readonly ResiliencePropertyKey<FalCallProgress?> Progress = new("Fal.Observability.Progress");

    /// <summary>The method and path of the call, for the log.</summary>
    public static readonly ResiliencePropertyKey<string> Operation = new("Fal.Observability.Operation");

    private static readonly ResiliencePropertyKey<TimeSpan> NextDelay = new("Fal.Observability.NextDelay");

    private readonly FalObservabilityOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly Func<double> _random;
    private ResiliencePipeline<HttpResponseMessage>? _pipeline;

    /// <summary>Creates the pipeline, or what it is built of when it is first needed.</summary>
    /// <param name="options">The options of the account.</param>
    /// <param name="time">The clock.</param>
    /// <param name="loggers">Makes the logger of Polly's own events. Null if the program has no logging.</param>
    /// <param name="log">The logger of the account.</param>
    /// <param name="random">Random numbers from 0 to 1, for the delays.</param>
    public FalResilience(
        FalObservabilityOptions options, TimeProvider time, ILoggerFactory? loggers, ILogger log, Func<double> random)
    {
        (_options, _time, _log, _random) = (options, time, log, random);
        _pipeline = options.GetResiliencePipeline() ?? (loggers is null ? null : Build(loggers));
        SeesEveryAttempt = _pipeline is not null;
    }

    /// <summary>
    /// Whether the pipeline runs each attempt: it is the user's own, or it logs each. Otherwise a call needs it only after a first attempt
    /// that may be retried, and most programs never build it.
    /// </summary>
    public bool SeesEveryAttempt { get; }

    /// <summary>The pipeline. It has no state, so calls that build it at the same time may each use their own.</summary>
    public ResiliencePipeline<HttpResponseMessage> Pipeline => _pipeline ??= Build(NullLoggerFactory.Instance);

    /// <summary>Whether an attempt that has ended may be retried.</summary>
    public static bool IsTransient(Task<HttpResponseMessage> attempt) => attempt.IsCompletedSuccessfully
        ? FalApiException.IsTransientStatus(attempt.Result.StatusCode)
        : attempt.Exception?.InnerException is FalObservabilityException { IsTransient: true };

    private ResiliencePipeline<HttpResponseMessage> Build(ILoggerFactory loggers) => _options.MaxAttempts == 1
        ? ResiliencePipeline<HttpResponseMessage>.Empty
        : new ResiliencePipelineBuilder<HttpResponseMessage> { Name = FalLog.Category, TimeProvider = _time }
            .AddRetry(
                new RetryStrategyOptions<HttpResponseMessage>
                {
                    Name = "Retry",
                    MaxRetryAttempts = _options.MaxAttempts - 1,
                    ShouldHandle = args => ValueTask.FromResult(ShouldRetry(args)),
                    DelayGenerator = args =>
                        ValueTask.FromResult<TimeSpan?>(args.Context.Properties.GetValue(NextDelay, _options.MinRetryDelay)),
                    OnRetry = args =>
                    {
                        string operation = args.Context.Properties.GetValue(Operation, "");
                        string cause = Cause(args.Outcome);
                        // The message of an exception names the operation too.
                        string reason = args.Outcome.Exception?.Message ?? cause;
                        reason = reason.StartsWith($"{operation}: ", StringComparison.Ordinal) ? reason[(operation.Length + 2)..] : reason;
                        _log.Retrying(operation, args.AttemptNumber + 1, reason.TrimEnd('.'), (long)args.RetryDelay.TotalMilliseconds);
                        FalTelemetry.Retries.Add(1, new(FalTelemetry.OperationTag, operation), new(FalTelemetry.CauseTag, cause));
                        return default;
                    },
                }
            )
            .ConfigureTelemetry(
                new TelemetryOptions
                {
                    LoggerFactory = loggers,
                    // Our own events say the same in terms of the API. A healthy call logs nothing above Debug.
                    SeverityProvider = _ => ResilienceEventSeverity.Debug,
                }
            )
            .Build();

    /// <summary>
    /// Decides whether to retry and computes the delay, because the decision depends on it. A wait that exceeds the rest of the call's
    /// total time would only turn a clear refusal into a late time-out.
    /// </summary>
    private bool ShouldRetry(RetryPredicateArguments<HttpResponseMessage> args)
    {
        if (args.Context.CancellationToken.IsCancellationRequested || !IsTransient(args.Outcome))
        {
            return false;
        }

        TimeSpan? asked = args.Outcome.Result is { } response ? FalRetryDelay.AskedFor(response, _time.GetUtcNow()) : null;
        TimeSpan delay = asked is { } wait
            ? (wait > _options.MinRetryDelay ? wait : _options.MinRetryDelay)
            : FalRetryDelay.Exponential(args.AttemptNumber, _options, _random());

        bool last = args.AttemptNumber >= _options.MaxAttempts - 1;
        FalCallProgress? progress = args.Context.Properties.GetValue(Progress, null);
        TimeSpan left = _options.TotalTimeout - (progress?.Elapsed ?? TimeSpan.Zero);
        if (delay > _options.MaxRetryDelay || delay >= left)
        {
            if (asked is { } refused && !last)
            {
                _log.RateLimitExceedsBudget(args.Context.Properties.GetValue(Operation, ""), refused.TotalSeconds);
                progress?.WhyNotRetried = delay > _options.MaxRetryDelay
                    ? $"The client did not retry, because this wait is longer than {nameof(FalObservabilityOptions.MaxRetryDelay)} " +
                        $"({_options.MaxRetryDelay})."
                    : $"The client did not retry, because this wait does not fit into the rest of " +
                        $"{nameof(FalObservabilityOptions.TotalTimeout)} ({_options.TotalTimeout}).";
            }

            return false;
        }

        if (asked is not null)
        {
            // Half of the remaining time is reserved for the attempt.
            TimeSpan tillLimit = _options.MaxRetryDelay - delay;
            TimeSpan tillDeadline = (left - delay) / 2;
            delay = FalRetryDelay.Spread(delay, tillLimit < tillDeadline ? tillLimit : tillDeadline, _random());
        }

        args.Context.Properties.Set(NextDelay, delay);
        return true;
    }

    private static bool IsTransient(Outcome<HttpResponseMessage> outcome) => outcome switch
    {
        { Result: { } response } => FalApiException.IsTransientStatus(response.StatusCode),
        { Exception: FalObservabilityException failure } => failure.IsTransient,
        _ => false,
    };

    private static string Cause(Outcome<HttpResponseMessage> outcome) => outcome switch
    {
        { Result: { } response } => ((int)response.StatusCode).ToString(System.Globalization.CultureInfo.InvariantCulture),
        { Exception: { } failure } => failure.GetType().Name,
        _ => "",
    };
}
