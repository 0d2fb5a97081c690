using Polly;
using Polly.Retry;

namespace Fal.Observability.Bridge.RemoteWrite;

/// <summary>
/// The retry schedule for transient failures: after 1 s to 1 min, or when the other side asks for it, until the attempt succeeds.
/// </summary>
internal static class PatientRetry
{
    private static readonly TimeSpan ShortestPause = TimeSpan.FromSeconds(1);

    /// <summary>The longest pause that the other side can ask for.</summary>
    private static readonly TimeSpan LongestPause = TimeSpan.FromMinutes(5);

    /// <summary>Makes the pipeline.</summary>
    /// <param name="time">Its clock.</param>
    /// <param name="mayPass">Whether an outcome is worth another try.</param>
    /// <param name="askedFor">The pause that an outcome asks for; null if it does not.</param>
    /// <param name="onPause">Receives the outcome and the pause before each retry.</param>
    public static ResiliencePipeline<T> Build<T>(
        TimeProvider time, Predicate<Outcome<T>> mayPass, Func<Outcome<T>, TimeSpan?> askedFor, Action<Outcome<T>, TimeSpan> onPause) =>
        new ResiliencePipelineBuilder<T> { TimeProvider = time }
            .AddRetry(new RetryStrategyOptions<T>
            {
                ShouldHandle = arguments => ValueTask.FromResult(mayPass(arguments.Outcome)),
                MaxRetryAttempts = int.MaxValue,
                BackoffType = DelayBackoffType.Exponential,
                UseJitter = true,
                Delay = ShortestPause,
                MaxDelay = TimeSpan.FromMinutes(1),
                DelayGenerator = arguments =>
                {
                    TimeSpan? asked = askedFor(arguments.Outcome);
                    return ValueTask.FromResult(asked < ShortestPause ? ShortestPause : asked > LongestPause ? LongestPause : asked);
                },
                OnRetry = arguments =>
                {
                    onPause(arguments.Outcome, arguments.RetryDelay);
                    return ValueTask.CompletedTask;
                },
            })
            .Build();
}
