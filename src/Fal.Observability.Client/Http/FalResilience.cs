using Microsoft.Extensions.Logging;
using Polly;
using Polly.Retry;
using Polly.Telemetry;

namespace Fal.Observability.Client;

/// <summary>The retry pipeline: which failures are retried, after which delay, and when a wait is pointless.</summary>
internal static class FalResilience
{
    /// <summary>The call, which knows how much of its total time is used.</summary>
    public static readonly ResiliencePropertyKey<FalCallProgress?> Progress = new("Fal.Observability.Progress");

    /// <summary>The method and path of the call, for the log.</summary>
    public static readonly ResiliencePropertyKey<string> Operation = new("Fal.Observability.Operation");

    private static readonly ResiliencePropertyKey<TimeSpan> NextDelay = new("Fal.Observability.NextDelay");

    public static ResiliencePipeline<HttpResponseMessage> Build(
        FalObservabilityOptions options, TimeProvider time, ILoggerFactory loggers, ILogger log, Func<double> random)
    {
        if (options.GetResiliencePipeline() is { } replacement)
        {
            return replacement;
        }

        if (options.MaxAttempts == 1)
        {
            return ResiliencePipeline<HttpResponseMessage>.Empty;
        }

        return new ResiliencePipelineBuilder<HttpResponseMessage> { Name = FalLog.Category, TimeProvider = time }
            .AddRetry(
                new RetryStrategyOptions<HttpResponseMessage>
                {
                    Name = "Retry",
                    MaxRetryAttempts = options.MaxAttempts - 1,
                    ShouldHandle = args => ValueTask.FromResult(ShouldRetry(args, options, time, log, random)),
                    DelayGenerator = args =>
                        ValueTask.FromResult<TimeSpan?>(args.Context.Properties.GetValue(NextDelay, options.MinRetryDelay)),
                    OnRetry = args =>
                    {
                        string operation = args.Context.Properties.GetValue(Operation, "");
                        string cause = Cause(args.Outcome);
                        // The message of an exception names the operation too.
                        string reason = args.Outcome.Exception?.Message ?? cause;
                        reason = reason.StartsWith($"{operation}: ", StringComparison.Ordinal) ? reason[(operation.Length + 2)..] : reason;
                        log.Retrying(operation, args.AttemptNumber + 1, reason.TrimEnd('.'), (long)args.RetryDelay.TotalMilliseconds);
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
    }

    /// <summary>
    /// Decides whether to retry and computes the delay, because the decision depends on it. A wait that exceeds the rest of the call's
    /// total time would only turn a clear refusal into a late time-out.
    /// </summary>
    private static bool ShouldRetry(
        RetryPredicateArguments<HttpResponseMessage> args,
        FalObservabilityOptions options,
        TimeProvider time,
        ILogger log,
        Func<double> random
    )
    {
        if (args.Context.CancellationToken.IsCancellationRequested || !IsTransient(args.Outcome))
        {
            return false;
        }

        TimeSpan? asked = args.Outcome.Result is { } response ? FalRetryDelay.AskedFor(response, time.GetUtcNow()) : null;
        TimeSpan delay = asked is { } wait
            ? (wait > options.MinRetryDelay ? wait : options.MinRetryDelay)
            : FalRetryDelay.Exponential(args.AttemptNumber, options, random());

        bool last = args.AttemptNumber >= options.MaxAttempts - 1;
        FalCallProgress? progress = args.Context.Properties.GetValue(Progress, null);
        TimeSpan left = options.TotalTimeout - (progress?.Elapsed ?? TimeSpan.Zero);
        if (delay > options.MaxRetryDelay || delay >= left)
        {
            if (asked is { } refused && !last)
            {
                log.RateLimitExceedsBudget(args.Context.Properties.GetValue(Operation, ""), refused.TotalSeconds);
                progress?.WhyNotRetried = delay > options.MaxRetryDelay
                    ? $"The client did not retry, because this wait is longer than {nameof(options.MaxRetryDelay)} " +
                        $"({options.MaxRetryDelay})."
                    : $"The client did not retry, because this wait does not fit into the rest of {nameof(options.TotalTimeout)} " +
                        $"({options.TotalTimeout}).";
            }

            return false;
        }

        if (asked is not null)
        {
            // Half of the remaining time is reserved for the attempt.
            TimeSpan tillLimit = options.MaxRetryDelay - delay;
            TimeSpan tillDeadline = (left - delay) / 2;
            delay = FalRetryDelay.Spread(delay, tillLimit < tillDeadline ? tillLimit : tillDeadline, random());
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
