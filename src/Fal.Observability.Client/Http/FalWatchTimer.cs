namespace Fal.Observability.Client;

/// <summary>The waits of a watch between its reads. They end when the watch is cancelled, and when its client is disposed.</summary>
/// <param name="interval">The time from one read to the next.</param>
/// <param name="time">The clock.</param>
/// <param name="random">A number from 0 to 1.</param>
/// <param name="closed">Cancelled when the client is disposed.</param>
/// <param name="cancellationToken">Cancels the watch.</param>
internal sealed class FalWatchTimer(
    TimeSpan interval, TimeProvider time, Func<double> random, CancellationToken closed, CancellationToken cancellationToken) : IDisposable
{
    // The timer keeps at most one pending tick: additional ticks that fall due in the meantime are skipped.
    private readonly PeriodicTimer _timer = new(interval, time);
    private readonly CancellationTokenSource _either = CancellationTokenSource.CreateLinkedTokenSource(closed, cancellationToken);

    /// <summary>Waits until the next read is due.</summary>
    /// <param name="asked">
    /// How long the service asked to wait; null if it did not. If this is longer than the interval, the watch waits that long, and the tick
    /// that falls due meanwhile starts the next read.
    /// </param>
    public async Task WaitAsync(TimeSpan? asked)
    {
        try
        {
            if (asked is { } wait)
            {
                await Task.Delay(FalRetryDelay.ForWatch(wait, random()), time, _either.Token).ConfigureAwait(false);
            }

            await _timer.WaitForNextTickAsync(_either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw FalCallHandler.Disposed();
        }
        catch (OperationCanceledException e)
        {
            throw new OperationCanceledException(e.Message, e, cancellationToken);
        }
    }

    public void Dispose()
    {
        _timer.Dispose();
        _either.Dispose();
    }
}
