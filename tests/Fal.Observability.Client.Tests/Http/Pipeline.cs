using System.Globalization;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Testing;
using Microsoft.Extensions.Time.Testing;

namespace Fal.Observability.Client.Tests;

/// <summary>The client's own handlers over a scripted end, with a clock that a test moves.</summary>
internal sealed class Pipeline : IDisposable
{
    public const string ApiKey = "test-id:test-secret-0123456789";

    private readonly HttpMessageInvoker _invoker;

    /// <summary>The clock of the machine, which a test can set.</summary>
    public SettableClock Clock { get; }

    /// <param name="end">What stands for the socket.</param>
    /// <param name="configure">Sets the options.</param>
    /// <param name="random">The random number of each delay.</param>
    /// <param name="isLogged">
    /// Whether Polly logs each attempt, as in a container. Without a container, it runs after a failure only.
    /// </param>
    public Pipeline(
        HttpMessageHandler end,
        Action<FalObservabilityOptions>? configure = null,
        double random = 1,
        bool isLogged = false
    )
    {
        Clock = new SettableClock(Time);
        Options = new FalObservabilityOptions { ApiKey = ApiKey };
        configure?.Invoke(Options);
        var key = new FalApiKeyHandler(Options) { InnerHandler = end };
        using var loggers = new LoggerFactory([new FakeLoggerProvider(Log)]);
        ILogger log = loggers.CreateLogger(FalLog.Category);
        var body = new FalBodyHandler(Options, Clock, log) { InnerHandler = key };
        var source = new FalApiKeySource(Options, () => null, null, log);
        var call = new FalCallHandler(source, new FalResilience(Options, Clock, isLogged ? loggers : null, log, () => random), Clock, log)
        {
            InnerHandler = body,
        };
        _invoker = new HttpMessageInvoker(call);
    }

    public SteppedTimeProvider Time { get; } = new(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));

    public FalObservabilityOptions Options { get; }

    public FakeLogCollector Log { get; } = new();

    /// <summary>The waits between the attempts, in milliseconds, as the log tells them.</summary>
    public IEnumerable<long> Waits => Log.GetSnapshot()
        .Where(record => record.Category == FalLog.Category && record.Id.Id == 2)
        .Select(record => long.Parse(record.GetStructuredStateValue("DelayMilliseconds")!, CultureInfo.InvariantCulture));

    public Task<HttpResponseMessage> SendAsync(
        bool streaming = false,
        string accept = "text/plain",
        CancellationToken cancellationToken = default
    )
    {
        var request = new HttpRequestMessage(HttpMethod.Get, "https://api.example/v1/serverless/metrics");
        request.Headers.Accept.ParseAdd(accept);
        request.Options.Set(FalRequestOptions.Streaming, streaming);
        return _invoker.SendAsync(request, cancellationToken);
    }

    /// <summary>Sends, and moves the clock over each wait between attempts as soon as it begins.</summary>
    public async Task<HttpResponseMessage> SendThroughWaitsAsync()
    {
        Task<HttpResponseMessage> call = SendAsync();
        await StepOverWaitsAsync(call);
        return await call;
    }

    public async Task StepOverWaitsAsync(Task call)
    {
        while (await Time.NextWaitAsync(Options.AttemptTimeout, call) is { } wait)
        {
            Time.Advance(wait);
        }
    }

    public void Dispose() => _invoker.Dispose();
}

/// <summary>A clock that somebody can set: the time that has passed is not changed by it.</summary>
internal sealed class SettableClock(TimeProvider inner) : TimeProvider
{
    /// <summary>By how much the clock was set.</summary>
    public TimeSpan SetBy { get; set; }

    public override long TimestampFrequency => inner.TimestampFrequency;

    public override DateTimeOffset GetUtcNow() => inner.GetUtcNow() + SetBy;

    public override long GetTimestamp() => inner.GetTimestamp();

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        inner.CreateTimer(callback, state, dueTime, period);
}

/// <summary>A clock that stands still until a test moves it, and tells the test when somebody begins to wait on it.</summary>
internal sealed class SteppedTimeProvider(DateTimeOffset start) : FakeTimeProvider(start)
{
    private readonly Channel<TimeSpan> _timers = Channel.CreateUnbounded<TimeSpan>();

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        ITimer timer = base.CreateTimer(callback, state, dueTime, period);
        _timers.Writer.TryWrite(dueTime);
        return timer;
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
}
