using System.Buffers.Binary;
using System.IO.Compression;

namespace Fal.Observability.Client;

/// <summary>What a <see cref="FalGuardedStream"/> holds a body to.</summary>
internal sealed record FalBodyGuard(FalResponseInfo Info, long MaxBytes, string? ApiKey, TimeSpan IdleTimeout, TimeProvider Time);

/// <summary>
/// A response body, decompressed, that ends in an error of ours where it is cut short, grows over its limit or stalls.
/// </summary>
/// <remarks>
/// .NET's own decompression reads a gzip body that is cut in the middle as a shorter, complete one. A gzip member ends in
/// the length of what it holds (RFC 1952, section 2.3.1: ISIZE), so the last four bytes that came are compared with the
/// number of bytes that went out: a body that was cut does not carry its own length at the point of the cut. The checksum
/// beside it is verified by the decompressor once it gets there.
/// </remarks>
internal sealed class FalGuardedStream : FalForwardStream
{
    private readonly FalBodyGuard _guard;
    private readonly SocketStream _socket;
    private readonly Stream _source;
    private readonly bool _gzip;
    private readonly byte[] _start = new byte[FalErrorReader.MaxBodyStartBytes];
    private long _total;
    private bool _ended;

    public FalGuardedStream(Stream body, bool gzip, FalBodyGuard guard)
    {
        _guard = guard;
        _gzip = gzip;
        _socket = new SocketStream(body, this);
        _source = gzip ? new GZipStream(_socket, CompressionMode.Decompress) : _socket;
    }

    /// <summary>The facts of the response.</summary>
    public FalResponseInfo Info => _guard.Info;

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (buffer.IsEmpty || _ended)
        {
            return 0;
        }

        int count;
        try
        {
            count = await _source.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
        }
        catch (InvalidDataException e)
        {
            throw Fault("its gzip data is damaged", e, transient: true);
        }

        if (count == 0)
        {
            _ended = true;
            if (_gzip && !_socket.EndsWithLength(_total))
            {
                throw Fault("its gzip data ends early: the body was truncated on the way", null, transient: true);
            }

            return 0;
        }

        if (_total < _start.Length)
        {
            buffer.Span[..Math.Min(count, _start.Length - (int)_total)].CopyTo(_start.AsSpan((int)_total));
        }

        _total += count;
        return _total <= _guard.MaxBytes
            ? count
            : throw Fault($"it is larger than {nameof(FalObservabilityOptions.MaxResponseBytes)} ({_guard.MaxBytes} bytes after decompression); raise the limit if a body of this size is expected", null, transient: false);
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _source.Dispose();
            _socket.Dispose();
        }

        base.Dispose(disposing);
    }

    /// <summary>The error for a body of the wrong kind, with its first bytes.</summary>
    public async Task<FalResponseException> RefuseAsync(string what, CancellationToken cancellationToken)
    {
        try
        {
            await this.ReadAtLeastAsync(new byte[_start.Length], _start.Length, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false);
        }
        catch (FalObservabilityException)
        {
            // What came before the break is shown.
        }

        return Refuse(what, null);
    }

    /// <summary>The error for a body that its reader could not use, with its first bytes.</summary>
    public FalResponseException Refuse(string what, Exception? cause) => Fault(what, cause, transient: false);

    private FalResponseException Fault(string what, Exception? cause, bool transient) => FalErrorReader.BadBody(
        _guard.Info, what, _start.AsSpan(0, (int)Math.Min(_total, _start.Length)), _guard.ApiKey, cause, transient);

    /// <summary>The bytes as they come from the connection: where a stall and a dropped connection show.</summary>
    private sealed class SocketStream(Stream inner, FalGuardedStream owner) : FalForwardStream
    {
        /// <summary>The last bytes that came, the newest in the lowest byte.</summary>
        private uint _tail;
        private long _received;

        /// <summary>Whether the last four bytes are a gzip trailer that names this length. 18 bytes are a header and a trailer.</summary>
        public bool EndsWithLength(long total) =>
            _received >= 18 && BinaryPrimitives.ReverseEndianness(_tail) == unchecked((uint)total);

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            FalBodyGuard guard = owner._guard;
            int count;
            using CancellationTokenSource? idle = guard.IdleTimeout == Timeout.InfiniteTimeSpan
                ? null
                : new CancellationTokenSource(guard.IdleTimeout, guard.Time);
            using CancellationTokenSource? either = idle is null
                ? null
                : CancellationTokenSource.CreateLinkedTokenSource(idle.Token, cancellationToken);
            try
            {
                count = await inner.ReadAsync(buffer, either?.Token ?? cancellationToken).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (idle is { IsCancellationRequested: true } && !cancellationToken.IsCancellationRequested)
            {
                throw new FalTimeoutException(
                    $"{guard.Info.Operation}: the body stalled; no byte came for {nameof(FalObservabilityOptions.ReadIdleTimeout)} ({guard.IdleTimeout}).")
                {
                    IsTransient = true,
                    Timeout = guard.IdleTimeout,
                    Setting = nameof(FalObservabilityOptions.ReadIdleTimeout),
                    Attempts = guard.Info.Attempts,
                    Elapsed = guard.Info.Elapsed,
                };
            }
            catch (OperationCanceledException e) when (cancellationToken.IsCancellationRequested)
            {
                Exception cause = FalApiKey.Scrub(e, guard.ApiKey);
                throw new OperationCanceledException(cause.Message, cause, cancellationToken);
            }
            catch (Exception e) when (e is IOException or HttpRequestException)
            {
                throw owner.Fault("the connection ended before the body did: it is truncated", e, transient: true);
            }

            _received += count;
            foreach (byte b in buffer.Span[Math.Max(0, count - 4)..count])
            {
                _tail = (_tail << 8) | b;
            }

            return count;
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
