using System.Buffers;

namespace Fal.Observability.Client;

/// <summary>The rules that a <see cref="FalGuardedStream"/> enforces on a body.</summary>
internal sealed record FalBodyGuard(FalResponseInfo Info, long MaxBytes, string? ApiKey, TimeSpan IdleTimeout, TimeProvider Time)
{
    /// <summary>Whether the call requested text, which may be empty and does not mark its own end. If false, it requested JSON.</summary>
    public bool IsText { get; init; }

    /// <summary>Whether the framing or the compression distinguishes the end of the body from a lost connection.</summary>
    public bool EndIsProven { get; init; }
}

/// <summary>A decompressed response body that throws if it is truncated, exceeds its size limit or comes too slowly.</summary>
internal sealed class FalGuardedStream : FalForwardStream
{
    /// <summary>The number of bytes that a stream must deliver within each <see cref="FalBodyGuard.IdleTimeout"/> unless it ends.</summary>
    public const int MinBytesPerIdleTimeout = 1024;

    private const byte FirstByteOfGzip = 0x1f;

    private static readonly SearchValues<byte> WhiteSpace = SearchValues.Create(" \t\r\n"u8);

    private readonly FalBodyGuard _guard;
    private readonly Stream _source;
    private readonly byte[] _start = new byte[FalErrorReader.MaxBodyStartBytes];
    private readonly CancellationTokenSource _disposing = new();
    private readonly CancellationToken _disposed;
    private Task? _pending;
    private ulong _tail;
    private long _total;
    private bool _isBlank = true;
    private bool _ended;
    private long _readStarted;
    private TimeSpan _waited;
    private long _deliveredWhileWaiting;

    public FalGuardedStream(Stream body, bool gzip, FalBodyGuard guard)
    {
        _guard = guard;
        _disposed = _disposing.Token;
        var connection = new ConnectionStream(body, this);
        _source = gzip ? new FalGzipStream(connection) : connection;
    }

    /// <summary>The facts of the response.</summary>
    public FalResponseInfo Info => _guard.Info;

    private bool IsDisposed => _disposed.IsCancellationRequested;

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        ValueTask<int> read = ReadCheckedAsync(buffer, cancellationToken);
        if (read.IsCompleted)
        {
            return read;
        }

        Task<int> pending = read.AsTask();
        _pending = pending;
        return new ValueTask<int>(pending);
    }

    private async ValueTask<int> ReadCheckedAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(IsDisposed, this);
        if (buffer.IsEmpty || _ended)
        {
            return 0;
        }

        _readStarted = _guard.Time.GetTimestamp();
        int count;
        try
        {
            count = await _source.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception) when (IsDisposed)
        {
            throw DisposedWhileRead();
        }
        catch (EndOfStreamException e)
        {
            throw Fault("its gzip data ends early, so the body was truncated in transit; try again, and look for a faulty proxy if it " +
                "happens again", e, transient: true);
        }
        catch (InvalidDataException e)
        {
            throw Fault(
                "its gzip data is damaged, or other data follows it; try again, and look for a faulty proxy if it happens again",
                e,
                transient: true
            );
        }

        if (IsDisposed)
        {
            // A closed connection is not the end of the body.
            throw DisposedWhileRead();
        }

        if (count == 0)
        {
            _ended = true;
            return IncompleteEnd() is { } fault ? throw fault : 0;
        }

        Keep(buffer.Span[..count]);
        if (_total > _guard.MaxBytes)
        {
            throw Fault($"it is larger than {nameof(FalObservabilityOptions.MaxResponseBytes)} ({_guard.MaxBytes} bytes after " +
                $"decompression); raise the limit if a body of this size is expected", null, transient: false);
        }

        return _start[0] != FirstByteOfGzip
            ? count
            : throw Fault(
                "it is gzip data, or gzip inside gzip, and no Content-Encoding header declares that; look for a faulty proxy in between",
                null,
                transient: false
            );
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing && !IsDisposed)
        {
            // A read that nobody awaits any more fails now, and nobody observes its exception.
            _pending?.ContinueWith(
                static read => read.Exception,
                CancellationToken.None,
                TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously,
                TaskScheduler.Default);
            _disposing.Cancel();
            _source.Dispose();
            _disposing.Dispose();
        }

        base.Dispose(disposing);
    }

    /// <summary>The error for a body of the wrong kind, with its first bytes.</summary>
    public async Task<FalResponseException> RefuseAsync(string what, CancellationToken cancellationToken)
    {
        try
        {
            await this.ReadAtLeastAsync(new byte[_start.Length], _start.Length, throwOnEndOfStream: false, cancellationToken)
                .ConfigureAwait(false);
        }
        catch (FalObservabilityException)
        {
            // The part before the break is shown.
        }

        return Refuse(what, null);
    }

    /// <summary>The error for a body that its reader could not use, with its first bytes.</summary>
    public FalResponseException Refuse(string what, Exception? cause) => Fault(what, cause, transient: false);

    private FalResponseException Fault(string what, Exception? cause, bool transient) => FalErrorReader.BadBody(
        _guard.Info, what, _start.AsSpan(0, (int)Math.Min(_total, _start.Length)), _guard.ApiKey, cause, transient);

    /// <summary>Keeps the bytes that error messages and the check at the end need, and records that data arrived.</summary>
    private void Keep(ReadOnlySpan<byte> bytes)
    {
        if (_total < _start.Length)
        {
            bytes[..Math.Min(bytes.Length, _start.Length - (int)_total)].CopyTo(_start.AsSpan((int)_total));
        }

        _total += bytes.Length;
        _isBlank = _isBlank && bytes[0] <= ' ' && bytes.IndexOfAnyExcept(WhiteSpace) < 0;
        foreach (byte b in bytes[Math.Max(0, bytes.Length - sizeof(ulong))..])
        {
            _tail = (_tail << 8) | b;
        }

        _deliveredWhileWaiting += bytes.Length;
        _waited += _guard.Time.GetElapsedTime(_readStarted);
        if (_deliveredWhileWaiting >= MinBytesPerIdleTimeout)
        {
            _waited = TimeSpan.Zero;
            _deliveredWhileWaiting = 0;
        }
    }

    /// <summary>The error for a body that ends but cannot be complete, or null.</summary>
    private FalResponseException? IncompleteEnd()
    {
        if (_isBlank)
        {
            // White space contains no data, so it is treated like an empty body.
            string problem = _total == 0 ? "it is empty" : "it contains only white space";
            return !_guard.IsText ? Fault($"{problem}, but JSON was requested", null, transient: false)
                : !_guard.EndIsProven
                    ? Fault(
                        $"{problem}, and neither a Content-Length nor chunks prove its end, so it may be truncated; try again",
                        null,
                        transient: true
                    )
                : _guard.Info.DeclaresMetrics ? null
                : Fault($"{problem}, and the response has no content type that declares it as metrics", null, transient: false);
        }

        if (!_guard.IsText)
        {
            return null;
        }

        return _guard.EndIsProven || (byte)_tail == '\n' || (_guard.Info.DeclaresOpenMetrics && EndsWithMarker())
            ? null
            : Fault(
                "the connection ended within a line, and neither a Content-Length nor chunks prove the end of the body, so it is " +
                    "truncated; try again, and look for a faulty proxy if it happens again",
                null,
                transient: true
            );
    }

    /// <summary>Whether the last line is <c># EOF</c> without a line feed.</summary>
    private bool EndsWithMarker()
    {
        const ulong Marker = 0x23_20_45_4F_46;
        return (_tail & 0xFF_FF_FF_FF_FF) == Marker && (_total == 5 || (byte)(_tail >> 40) == '\n');
    }

    private static ObjectDisposedException DisposedWhileRead() =>
        new(nameof(Stream), "The response body was disposed while it was being read.");

    private TimeSpan TimeLeft() => _guard.IdleTimeout - _waited - _guard.Time.GetElapsedTime(_readStarted);

    private FalTimeoutException TooSlow() => new(
        $"{_guard.Info.Operation}: the body arrived too slowly. {_deliveredWhileWaiting} bytes (after decompression) arrived while the " +
            $"stream waited for {nameof(FalObservabilityOptions.ReadIdleTimeout)} ({_guard.IdleTimeout}). At least " +
            $"{MinBytesPerIdleTimeout} bytes, or the end of the body, must arrive within that time. Raise " +
            $"{nameof(FalObservabilityOptions.ReadIdleTimeout)} if the service is that slow.")
    {
        IsTransient = true,
        Timeout = _guard.IdleTimeout,
        Setting = nameof(FalObservabilityOptions.ReadIdleTimeout),
        Attempts = _guard.Info.Attempts,
        Elapsed = _guard.Info.Elapsed,
    };

    /// <summary>
    /// The bytes from the connection, where stalls and dropped connections are detected. A decompressor may read many times without any
    /// output, so each read checks the limits, the cancellation and the disposal.
    /// </summary>
    private sealed class ConnectionStream(Stream inner, FalGuardedStream owner) : FalForwardStream
    {
        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            cancellationToken.ThrowIfCancellationRequested();
            ObjectDisposedException.ThrowIf(owner.IsDisposed, owner);
            FalBodyGuard guard = owner._guard;
            bool isLimited = guard.IdleTimeout != Timeout.InfiniteTimeSpan;
            TimeSpan left = isLimited ? owner.TimeLeft() : Timeout.InfiniteTimeSpan;
            if (isLimited && left <= TimeSpan.Zero)
            {
                throw owner.TooSlow();
            }

            using CancellationTokenSource? idle = isLimited ? new CancellationTokenSource(left, guard.Time) : null;
            using CancellationTokenSource? either = idle is null
                ? null
                : CancellationTokenSource.CreateLinkedTokenSource(idle.Token, owner._disposed, cancellationToken);
            try
            {
                return await inner.ReadAsync(buffer, either?.Token ?? cancellationToken).ConfigureAwait(false);
            }
            catch (OperationCanceledException e) when (cancellationToken.IsCancellationRequested)
            {
                Exception cause = FalApiKey.Scrub(e, guard.ApiKey);
                throw new OperationCanceledException(cause.Message, cause, cancellationToken);
            }
            catch (OperationCanceledException) when (idle is { IsCancellationRequested: true } && !owner.IsDisposed)
            {
                throw owner.TooSlow();
            }
            catch (Exception e) when (e is IOException or HttpRequestException)
            {
                string what = e is HttpIOException { HttpRequestError: HttpRequestError.InvalidResponse }
                    ? "its chunks are malformed, so its end is unknown; look for a faulty proxy in between"
                    : "the connection ended before the body did, so it is truncated; try again, and look for a faulty proxy if it " +
                        "happens again";
                throw owner.Fault(what, e, transient: true);
            }
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing)
            {
                inner.Dispose();
            }

            base.Dispose(disposing);
        }
    }
}
