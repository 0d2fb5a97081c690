using System.IO.Compression;

namespace Fal.Observability.Client;

/// <summary>
/// A decompressed gzip body: all its members (RFC 1952, section 2.2), which may be followed by zero bytes. A body that does not end after a
/// member throws an <see cref="EndOfStreamException"/>. Damaged data, and other data after a member, throw an
/// <see cref="InvalidDataException"/>.
/// </summary>
/// <remarks>
/// <see cref="GZipStream"/> reads several members and verifies the checksum and the length of each. But it reports a normal end
/// wherever its input ends, and at the first byte after a member that does not begin another one. How it requests input distinguishes
/// these ends: inside a member it asks for more, and at a byte that does not belong to a member it stops asking. So one zero byte is added
/// to the input. If the decompressor stops there, the body ended after a member. If it asks for more, the body was truncated. Runs of zero
/// bytes are handed over separately, so that a stop at one of them is padding.
/// </remarks>
internal sealed class FalGzipStream(Stream compressed) : FalForwardStream
{
    private readonly Feed _feed = new(compressed);
    private GZipStream? _members;

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (true)
        {
            _members ??= new GZipStream(_feed, CompressionMode.Decompress, leaveOpen: true);
            int count;
            try
            {
                count = await _members.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
            }
            catch (InvalidDataException e) when (_feed.HasEnded)
            {
                throw Truncated(e);
            }

            if (_feed.HasEnded)
            {
                // Output that results from the added byte is not content: only a truncated member consumes that byte.
                return count == 0 && !_feed.WasAskedForMore ? 0 : throw Truncated(null);
            }

            if (count > 0)
            {
                return count;
            }

            if (!_feed.GaveZeros)
            {
                throw new InvalidDataException("The data after a gzip member is neither another member nor zero bytes.");
            }

            await _members.DisposeAsync().ConfigureAwait(false);
            _members = null;
            if (!await _feed.SkipZerosAsync(cancellationToken).ConfigureAwait(false))
            {
                return 0;
            }
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _members?.Dispose();
            _feed.Dispose();
        }

        base.Dispose(disposing);
    }

    private static EndOfStreamException Truncated(Exception? cause) => new("The gzip data ends before its last member is complete.", cause);

    /// <summary>The compressed bytes as the decompressor gets them.</summary>
    private sealed class Feed(Stream compressed) : FalForwardStream
    {
        private readonly byte[] _buffer = new byte[16 * 1024];
        private int _start;
        private int _end;

        /// <summary>Whether the input has ended and the zero byte after it was handed over.</summary>
        public bool HasEnded { get; private set; }

        /// <summary>Whether the decompressor took the zero byte after the input and asked for more.</summary>
        public bool WasAskedForMore { get; private set; }

        /// <summary>Whether the bytes that were handed over last are zeros.</summary>
        public bool GaveZeros { get; private set; }

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (HasEnded)
            {
                WasAskedForMore = true;
                return 0;
            }

            if (_start == _end && !await FillAsync(cancellationToken).ConfigureAwait(false))
            {
                HasEnded = true;
                buffer.Span[0] = 0;
                return 1;
            }

            ReadOnlySpan<byte> waiting = _buffer.AsSpan(_start.._end);
            GaveZeros = waiting[0] == 0;
            int run = GaveZeros ? waiting.IndexOfAnyExcept((byte)0) : waiting.IndexOf((byte)0);
            int count = Math.Min(run < 0 ? waiting.Length : run, buffer.Length);
            waiting[..count].CopyTo(buffer.Span);
            _start += count;
            return count;
        }

        /// <summary>Skips zero bytes; false if the input ends with them.</summary>
        public async ValueTask<bool> SkipZerosAsync(CancellationToken cancellationToken)
        {
            while (true)
            {
                int other = _buffer.AsSpan(_start.._end).IndexOfAnyExcept((byte)0);
                if (other >= 0)
                {
                    _start += other;
                    return true;
                }

                if (!await FillAsync(cancellationToken).ConfigureAwait(false))
                {
                    return false;
                }
            }
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing)
            {
                compressed.Dispose();
            }

            base.Dispose(disposing);
        }

        private async ValueTask<bool> FillAsync(CancellationToken cancellationToken)
        {
            _start = 0;
            _end = 0;
            _end = await compressed.ReadAsync(_buffer, cancellationToken).ConfigureAwait(false);
            return _end > 0;
        }
    }
}
