using System.Globalization;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Testing;

namespace Fal.Observability.Client.Tests;

/// <summary>The client's own handlers over a scripted end, with a clock that a test moves.</summary>
internal sealed class Pipeline : IDisposable
{
    public const string ApiKey = "test-id:test-secret-0123456789";

    private readonly HttpMessageInvoker _invoker;

    /// <param name="end">What stands for the socket.</param>
    /// <param name="configure">Sets the options.</param>
    /// <param name="random">The random number of each delay.</param>
    /// <param name="isLogged">
    /// Whether Polly logs each attempt, as in a container. Without a container, it runs after a failure only.
    /// </param>
    /// <param name="closed">Cancelled when the client is disposed.</param>
    public Pipeline(
        HttpMessageHandler end,
        Action<FalObservabilityOptions>? configure = null,
        double random = 1,
        bool isLogged = false,
        CancellationToken closed = default
    )
    {
        Options = new FalObservabilityOptions { ApiKey = ApiKey };
        configure?.Invoke(Options);
        var key = new FalApiKeyHandler(Options) { InnerHandler = end };
        using var loggers = new LoggerFactory([new FakeLoggerProvider(Log)]);
        ILogger log = loggers.CreateLogger(FalLog.Category);
        var body = new FalBodyHandler(Options, Time, log) { InnerHandler = key };
        var source = new FalApiKeySource(Options, () => null, null, log);
        var resilience = new FalResilience(Options, Time, isLogged ? loggers : null, log, () => random);
        var call = new FalCallHandler(source, resilience, Time, log, closed) { InnerHandler = body };
        _invoker = new HttpMessageInvoker(call);
    }

    public SteppedClock Time { get; } = new(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));

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
