using System.Threading.Channels;
using Fal.Observability.Client.Prometheus;

namespace Fal.Observability.Client.Tests;

/// <summary>
/// A metrics client that answers what a test says: the last answer again and again, each read waiting if the test holds it.
/// </summary>
internal sealed class FakeMetricsClient : IFalMetricsClient
{
    private readonly Channel<int> _arrivals = Channel.CreateUnbounded<int>();
    private Func<CancellationToken, Task<FalMetricsSnapshot>> _answer = _ => Task.FromResult(SnapshotOf(""));
    private int _calls;

    public int Calls => Volatile.Read(ref _calls);

    public static FalMetricsSnapshot SnapshotOf(string exposition) =>
        FalMetricsSnapshot.Create(PrometheusTextParser.ParseFamilies(exposition), DateTimeOffset.UnixEpoch);

    public void Answer(string exposition) => _answer = _ => Task.FromResult(SnapshotOf(exposition));

    public void Fail(Exception failure) => _answer = _ => Task.FromException<FalMetricsSnapshot>(failure);

    /// <summary>Lets calls hang until they are cancelled.</summary>
    public void Hang() => _answer = async cancellationToken =>
    {
        await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
        throw new InvalidOperationException("not reached");
    };

    /// <summary>Lets calls wait for what the test gives them.</summary>
    public TaskCompletionSource<FalMetricsSnapshot> Hold()
    {
        var held = new TaskCompletionSource<FalMetricsSnapshot>(TaskCreationOptions.RunContinuationsAsynchronously);
        _answer = held.Task.WaitAsync;
        return held;
    }

    /// <summary>Completes when the next call that nobody has waited for has arrived.</summary>
    public Task ArrivalAsync() => _arrivals.Reader.ReadAsync().AsTask().OrHangs();

    public Task<FalMetricsSnapshot> GetSnapshotAsync(CancellationToken cancellationToken = default)
    {
        _arrivals.Writer.TryWrite(Interlocked.Increment(ref _calls));
        return _answer(cancellationToken);
    }

    public Task<PrometheusExposition> GetFamiliesAsync(CancellationToken cancellationToken = default) => throw new NotSupportedException();

    public IAsyncEnumerable<PrometheusSample> StreamSamplesAsync(CancellationToken cancellationToken = default) =>
        throw new NotSupportedException();

    public IAsyncEnumerable<FalMetricsSnapshot> WatchAsync(TimeSpan interval, CancellationToken cancellationToken = default) =>
        throw new NotSupportedException();
}
