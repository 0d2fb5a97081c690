using Fal.Observability.Client.Prometheus;

namespace Fal.Observability.Client;

/// <summary>
/// What a client retains of the metrics that it read last, so that it parses only the numbers of series that it reads again. No call waits
/// for it: while one call parses with it, another one parses without it. It is released when the client is disposed, and when it has not
/// been used for <see cref="IdleTime"/>.
/// </summary>
internal sealed class FalMetricsMemory : IDisposable
{
    /// <summary>How long a client that reads nothing more retains its memory.</summary>
    public static readonly TimeSpan IdleTime = TimeSpan.FromMinutes(10);

    private readonly object _use = new();
    private readonly long _maxBytes;
    private readonly ITimer _idle;
    private PrometheusScrape? _scrape;
    private PrometheusParserOptions? _parsing;
    private volatile bool _isDisposed;

    public FalMetricsMemory(long maxBytes, TimeProvider time)
    {
        _maxBytes = maxBytes;
        _idle = time.CreateTimer(
            static memory => ((FalMetricsMemory)memory!).ReleaseUnlessInUse(),
            this,
            Timeout.InfiniteTimeSpan,
            Timeout.InfiniteTimeSpan
        );
    }

    /// <summary>Parses a body, with the memory if it is free and the body is in the text format; the result is the same.</summary>
    public PrometheusExposition Parse(ReadOnlySpan<byte> body, PrometheusParserOptions parsing)
    {
        if (_maxBytes == 0 || parsing.Format == PrometheusFormat.OpenMetrics || !Monitor.TryEnter(_use))
        {
            return PrometheusTextParser.ParseFamilies(body, parsing);
        }

        try
        {
            // The memory is valid only for the options under which it was read.
            if (_scrape is null || _parsing != parsing)
            {
                _scrape?.Forget();
                (_scrape, _parsing) = (new PrometheusScrape(parsing, _maxBytes), parsing);
            }

            return _scrape.ParseFamilies(body);
        }
        finally
        {
            _idle.Change(IdleTime, Timeout.InfiniteTimeSpan);
            Monitor.Exit(_use);
            if (_isDisposed)
            {
                ReleaseUnlessInUse();
            }
        }
    }

    public void Dispose()
    {
        _isDisposed = true;
        _idle.Dispose();
        ReleaseUnlessInUse();
    }

    /// <summary>The current user releases it afterwards: at once after a disposal, otherwise when the idle time has passed.</summary>
    private void ReleaseUnlessInUse()
    {
        if (Monitor.TryEnter(_use))
        {
            _scrape?.Forget();
            (_scrape, _parsing) = (null, null);
            Monitor.Exit(_use);
        }
    }
}
