using System.Threading.Channels;
using Microsoft.Extensions.Time.Testing;

namespace Fal.Observability.Client.Tests.Shared;

/// <summary>A clock that stands still until a test moves it, and that tells when somebody begins to wait on it.</summary>
/// <param name="start">What the clock shows at first.</param>
internal sealed class SteppedClock(DateTimeOffset start) : FakeTimeProvider(start)
{
    /// <summary>What a clock shows at first if the test names no instant: a full minute.</summary>
    public static readonly DateTimeOffset FirstInstant = new(2026, 6, 17, 12, 34, 0, TimeSpan.Zero);

    private readonly Channel<TimeSpan> _timers = Channel.CreateUnbounded<TimeSpan>();

    public SteppedClock()
        : this(FirstInstant)
    {
    }

    /// <summary>By how much somebody has set the clock. The time that passes is not changed by it.</summary>
    public TimeSpan SetBy { get; set; }

    public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + SetBy;

    // The base would take it from the clock that is set.
    public override long GetTimestamp() => base.GetUtcNow().Ticks;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        ITimer timer = base.CreateTimer(callback, state, dueTime, period);
        _timers.Writer.TryWrite(dueTime);
        return timer;
    }

    /// <summary>Completes when a timer has been set that no earlier wait was told of, and gives its length.</summary>
    public Task<TimeSpan> TimerAsync() => _timers.Reader.ReadAsync().AsTask().OrHangs();

    /// <summary>Completes when a timer of this length has been set that no earlier wait was told of.</summary>
    public async Task TimerAsync(TimeSpan length)
    {
        while (await TimerAsync() != length)
        {
            // Another limit of the client's.
        }
    }

    /// <summary>
    /// Completes when a timer of a length in this range has been set that no earlier wait was told of, and gives its length.
    /// </summary>
    public async Task<TimeSpan> TimerAsync(TimeSpan least, TimeSpan most)
    {
        TimeSpan length;
        do
        {
            length = await TimerAsync();
        }
        while (length < least || length > most);

        return length;
    }

    /// <summary>The next timer that is shorter than a limit, once it is set; null if the task completes first.</summary>
    public async Task<TimeSpan?> NextWaitAsync(TimeSpan limit, Task orCompleted)
    {
        while (true)
        {
            Task<TimeSpan> timer = _timers.Reader.ReadAsync().AsTask();
            if (await Task.WhenAny(timer, orCompleted) == orCompleted)
            {
                return null;
            }

            if (await timer is var due && due > TimeSpan.Zero && due < limit)
            {
                return due;
            }
        }
    }

    /// <summary>Moves the clock over the next wait between two attempts, once it begins.</summary>
    public async Task StepOverWaitAsync(FalObservabilityOptions options)
    {
        TimeSpan due;
        do
        {
            due = await TimerAsync();
        }
        while (IsLimit(due, options));

        Advance(due);
    }

    /// <summary>
    /// Runs a call and moves the clock over each wait between its attempts as soon as the wait begins. A wait is told from the
    /// client's time limits by its length.
    /// </summary>
    /// <returns>The waits, in their order.</returns>
    public async Task<List<TimeSpan>> StepOverWaitsAsync(Task call, FalObservabilityOptions options)
    {
        List<TimeSpan> waits = [];
        while (!call.IsCompleted)
        {
            Task<bool> timerSet = _timers.Reader.WaitToReadAsync().AsTask();
            await Task.WhenAny(call, timerSet).OrHangs();
            while (_timers.Reader.TryRead(out TimeSpan due))
            {
                if (IsLimit(due, options))
                {
                    continue;
                }

                waits.Add(due);
                Advance(due);
            }
        }

        return waits;
    }

    private static bool IsLimit(TimeSpan due, FalObservabilityOptions options) =>
        due <= TimeSpan.Zero || due == options.AttemptTimeout || due == options.TotalTimeout || due == options.ReadIdleTimeout;
}
