using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using System.Text.Unicode;

namespace Fal.Observability.Client.Prometheus;

/// <summary>
/// Parses Prometheus text (0.0.4) and OpenMetrics 1.0 from a string, bytes, a stream or a pipe. Returns samples or metric families.
/// Strict options throw at the first malformed line. Lenient options skip malformed lines and report them.
/// </summary>
/// <remarks>
/// All methods are thread-safe. None of them disposes its stream or completes its pipe.
/// <see cref="PrometheusTextReader"/> is faster and needs less memory.
/// </remarks>
public static class PrometheusTextParser
{
    private const int BlockLength = 64 * 1024;

    /// <summary>Parses samples from UTF-8.</summary>
    /// <param name="utf8">The exposition.</param>
    /// <param name="options">The options. If null, <see cref="PrometheusParserOptions.Strict"/>.</param>
    /// <returns>The samples.</returns>
    /// <exception cref="PrometheusFormatException">A line is malformed, and the options do not skip malformed lines.</exception>
    public static PrometheusSamples ParseSamples(ReadOnlySpan<byte> utf8, PrometheusParserOptions? options = null)
    {
        using var builder = new SampleListBuilder(options);
        builder.Append(utf8, isFinalBlock: true);
        return builder.Build();
    }

    /// <summary>Parses samples from a string.</summary>
    /// <param name="text">The exposition. An unpaired surrogate is treated as invalid UTF-8.</param>
    /// <param name="options">The options. If null, <see cref="PrometheusParserOptions.Strict"/>.</param>
    /// <returns>The samples.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="text"/> is null.</exception>
    /// <exception cref="PrometheusFormatException">A line is malformed, and the options do not skip malformed lines.</exception>
    public static PrometheusSamples ParseSamples(string text, PrometheusParserOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(text);
        using var builder = new SampleListBuilder(Detect(options, text));
        Append(builder, text);
        return builder.Build();
    }

    /// <summary>Parses samples from UTF-8 in several memory segments.</summary>
    /// <param name="utf8">The exposition.</param>
    /// <param name="options">The options. If null, <see cref="PrometheusParserOptions.Strict"/>.</param>
    /// <returns>The samples.</returns>
    /// <exception cref="PrometheusFormatException">A line is malformed, and the options do not skip malformed lines.</exception>
    public static PrometheusSamples ParseSamples(in ReadOnlySequence<byte> utf8, PrometheusParserOptions? options = null)
    {
        using var builder = new SampleListBuilder(Detect(options, utf8));
        Append(builder, utf8);
        return builder.Build();
    }

    /// <summary>Parses all samples of a stream.</summary>
    /// <param name="utf8">The exposition.</param>
    /// <param name="options">The options. If null, <see cref="PrometheusParserOptions.Strict"/>.</param>
    /// <param name="cancellationToken">Cancels the read.</param>
    /// <returns>The samples.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="utf8"/> is null.</exception>
    /// <exception cref="PrometheusFormatException">A line is malformed, and the options do not skip malformed lines.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public static async Task<PrometheusSamples> ParseSamplesAsync(
        Stream utf8, PrometheusParserOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(utf8);
        using var builder = new SampleListBuilder(options);
        await AppendAsync(builder, ReadBlocksAsync(utf8, cancellationToken)).ConfigureAwait(false);
        return builder.Build();
    }

    /// <summary>Parses all samples of a pipe.</summary>
    /// <param name="utf8">The exposition.</param>
    /// <param name="options">The options. If null, <see cref="PrometheusParserOptions.Strict"/>.</param>
    /// <param name="cancellationToken">Cancels the read.</param>
    /// <returns>The samples.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="utf8"/> is null.</exception>
    /// <exception cref="PrometheusFormatException">A line is malformed, and the options do not skip malformed lines.</exception>
    /// <exception cref="OperationCanceledException">The token or the pending read of the pipe was cancelled.</exception>
    public static async Task<PrometheusSamples> ParseSamplesAsync(
        PipeReader utf8, PrometheusParserOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(utf8);
        using var builder = new SampleListBuilder(options);
        await AppendAsync(builder, ReadBlocksAsync(utf8, cancellationToken)).ConfigureAwait(false);
        return builder.Build();
    }

    /// <summary>Parses the samples of a stream as they arrive, in constant memory.</summary>
    /// <param name="utf8">The exposition.</param>
    /// <param name="options">
    /// The options. If null, <see cref="PrometheusParserOptions.Strict"/>. Skipped lines are reported to
    /// <see cref="PrometheusParserOptions.OnSkippedLine"/>.
    /// </param>
    /// <param name="cancellationToken">Cancels the read.</param>
    /// <returns>The samples, in their order. Samples before a malformed line are returned before the exception is thrown.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="utf8"/> is null.</exception>
    /// <exception cref="PrometheusFormatException">A line is malformed, and the options do not skip malformed lines.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public static IAsyncEnumerable<PrometheusSample> StreamSamplesAsync(
        Stream utf8, PrometheusParserOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(utf8);
        return StreamAsync(ReadBlocksAsync(utf8, cancellationToken), options, cancellationToken);
    }

    /// <summary>Parses the samples of a pipe as they arrive, in constant memory.</summary>
    /// <param name="utf8">The exposition.</param>
    /// <param name="options">
    /// The options. If null, <see cref="PrometheusParserOptions.Strict"/>. Skipped lines are reported to
    /// <see cref="PrometheusParserOptions.OnSkippedLine"/>.
    /// </param>
    /// <param name="cancellationToken">Cancels the read.</param>
    /// <returns>The samples, in their order. Samples before a malformed line are returned before the exception is thrown.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="utf8"/> is null.</exception>
    /// <exception cref="PrometheusFormatException">A line is malformed, and the options do not skip malformed lines.</exception>
    /// <exception cref="OperationCanceledException">The token or the pending read of the pipe was cancelled.</exception>
    public static IAsyncEnumerable<PrometheusSample> StreamSamplesAsync(
        PipeReader utf8, PrometheusParserOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(utf8);
        return StreamAsync(ReadBlocksAsync(utf8, cancellationToken), options, cancellationToken);
    }

    /// <summary>Parses metric families from UTF-8.</summary>
    /// <param name="utf8">The exposition.</param>
    /// <param name="options">The options. If null, <see cref="PrometheusParserOptions.Strict"/>.</param>
    /// <returns>The families.</returns>
    /// <exception cref="PrometheusFormatException">A line is malformed, and the options do not skip malformed lines.</exception>
    public static PrometheusExposition ParseFamilies(ReadOnlySpan<byte> utf8, PrometheusParserOptions? options = null)
    {
        using FamilyBuilder builder = FamilyBuilder.Create(Settle(options, PrometheusTextReader.EndsLikeOpenMetrics(utf8)));
        builder.Append(utf8, isFinalBlock: true);
        return builder.Build();
    }

    /// <summary>Parses metric families from a string.</summary>
    /// <param name="text">The exposition. An unpaired surrogate is treated as invalid UTF-8.</param>
    /// <param name="options">The options. If null, <see cref="PrometheusParserOptions.Strict"/>.</param>
    /// <returns>The families.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="text"/> is null.</exception>
    /// <exception cref="PrometheusFormatException">A line is malformed, and the options do not skip malformed lines.</exception>
    public static PrometheusExposition ParseFamilies(string text, PrometheusParserOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(text);
        using FamilyBuilder builder = FamilyBuilder.Create(Detect(options, text));
        Append(builder, text);
        return builder.Build();
    }

    /// <summary>Parses metric families from UTF-8 in several memory segments.</summary>
    /// <param name="utf8">The exposition.</param>
    /// <param name="options">The options. If null, <see cref="PrometheusParserOptions.Strict"/>.</param>
    /// <returns>The families.</returns>
    /// <exception cref="PrometheusFormatException">A line is malformed, and the options do not skip malformed lines.</exception>
    public static PrometheusExposition ParseFamilies(in ReadOnlySequence<byte> utf8, PrometheusParserOptions? options = null)
    {
        using FamilyBuilder builder = FamilyBuilder.Create(Detect(options, utf8));
        Append(builder, utf8);
        return builder.Build();
    }

    /// <summary>Parses the metric families of a stream.</summary>
    /// <param name="utf8">The exposition.</param>
    /// <param name="options">The options. If null, <see cref="PrometheusParserOptions.Strict"/>.</param>
    /// <param name="cancellationToken">Cancels the read.</param>
    /// <returns>The families.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="utf8"/> is null.</exception>
    /// <exception cref="PrometheusFormatException">A line is malformed, and the options do not skip malformed lines.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public static async Task<PrometheusExposition> ParseFamiliesAsync(
        Stream utf8, PrometheusParserOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(utf8);
        using FamilyBuilder builder = FamilyBuilder.Create(Settle(options, isOpenMetrics: false));
        await AppendAsync(builder, ReadBlocksAsync(utf8, cancellationToken)).ConfigureAwait(false);
        return builder.Build();
    }

    /// <summary>Parses the metric families of a pipe.</summary>
    /// <param name="utf8">The exposition.</param>
    /// <param name="options">The options. If null, <see cref="PrometheusParserOptions.Strict"/>.</param>
    /// <param name="cancellationToken">Cancels the read.</param>
    /// <returns>The families.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="utf8"/> is null.</exception>
    /// <exception cref="PrometheusFormatException">A line is malformed, and the options do not skip malformed lines.</exception>
    /// <exception cref="OperationCanceledException">The token or the pending read of the pipe was cancelled.</exception>
    public static async Task<PrometheusExposition> ParseFamiliesAsync(
        PipeReader utf8, PrometheusParserOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(utf8);
        using FamilyBuilder builder = FamilyBuilder.Create(Settle(options, isOpenMetrics: false));
        await AppendAsync(builder, ReadBlocksAsync(utf8, cancellationToken)).ConfigureAwait(false);
        return builder.Build();
    }

    private static async IAsyncEnumerable<PrometheusSample> StreamAsync(
        IAsyncEnumerable<ReadOnlyMemory<byte>> blocks,
        PrometheusParserOptions? options,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var samples = new SampleBuffer();
        using var builder = new SampleListBuilder(options) { Samples = samples };
        PrometheusFormatException? fault = null;
        await foreach (ReadOnlyMemory<byte> block in blocks.WithCancellation(cancellationToken).ConfigureAwait(false))
        {
            // The samples before a malformed line are valid. The caller expects them before the exception.
            try
            {
                builder.Append(block.Span, isFinalBlock: block.IsEmpty);
            }
            catch (PrometheusFormatException exception)
            {
                fault = exception;
            }

            for (int i = 0; i < samples.Count; i++)
            {
                yield return samples[i];
            }

            samples.Clear();
            if (fault is not null)
            {
                System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(fault);
            }
        }
    }

    private static async Task AppendAsync(ExpositionBuilder builder, IAsyncEnumerable<ReadOnlyMemory<byte>> blocks)
    {
        await foreach (ReadOnlyMemory<byte> block in blocks.ConfigureAwait(false))
        {
            builder.Append(block.Span, isFinalBlock: block.IsEmpty);
        }
    }

    /// <summary>Reads the blocks of a stream, and an empty block at its end. A block is valid until the next one is requested.</summary>
    private static async IAsyncEnumerable<ReadOnlyMemory<byte>> ReadBlocksAsync(
        Stream stream, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(BlockLength);
        try
        {
            int read;
            do
            {
                // A stream that already has its bytes in memory may never check the token.
                cancellationToken.ThrowIfCancellationRequested();
                read = await stream.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
                yield return buffer.AsMemory(0, read);
            }
            while (read > 0);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>Reads the blocks of a pipe, and an empty block at its end. A block is valid until the next one is requested.</summary>
    private static async IAsyncEnumerable<ReadOnlyMemory<byte>> ReadBlocksAsync(
        PipeReader pipe, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        ReadResult result;
        do
        {
            result = await pipe.ReadAsync(cancellationToken).ConfigureAwait(false);
            if (result.IsCanceled)
            {
                throw new OperationCanceledException("The pending read of the pipe was cancelled before the exposition ended.");
            }

            foreach (ReadOnlyMemory<byte> block in result.Buffer)
            {
                if (!block.IsEmpty)
                {
                    yield return block;
                }
            }

            pipe.AdvanceTo(result.Buffer.End);
        }
        while (!result.IsCompleted);
        yield return ReadOnlyMemory<byte>.Empty;
    }

    private static void Append(ExpositionBuilder builder, in ReadOnlySequence<byte> utf8)
    {
        foreach (ReadOnlyMemory<byte> block in utf8)
        {
            builder.Append(block.Span, isFinalBlock: false);
        }

        builder.Append([], isFinalBlock: true);
    }

    private static void Append(ExpositionBuilder builder, string text)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(BlockLength);
        try
        {
            ReadOnlySpan<char> rest = text;
            while (!rest.IsEmpty)
            {
                OperationStatus status = Utf8.FromUtf16(rest, buffer, out int read, out int written, replaceInvalidSequences: false);
                rest = rest[read..];
                builder.Append(buffer.AsSpan(0, written), isFinalBlock: false);
                if (status is OperationStatus.InvalidData or OperationStatus.NeedMoreData)
                {
                    // An unpaired surrogate has no UTF-8 form. An invalid byte in its place makes the reader report the position.
                    builder.Append([0xFF], isFinalBlock: false);
                    rest = rest[1..];
                }
            }

            builder.Append([], isFinalBlock: true);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>Detects the format of an input in several pieces. The reader cannot, because it sees only one block at a time.</summary>
    private static PrometheusParserOptions Detect(PrometheusParserOptions? options, string text)
    {
        ReadOnlySpan<char> end = text.EndsWith('\n') ? text.AsSpan(0, text.Length - 1) : text;
        return Settle(options, end.EndsWith("\n# EOF", StringComparison.Ordinal) || end.Equals("# EOF", StringComparison.Ordinal));
    }

    private static PrometheusParserOptions Detect(PrometheusParserOptions? options, in ReadOnlySequence<byte> utf8)
    {
        ReadOnlySequence<byte> end = utf8.Slice(Math.Max(0, utf8.Length - 7));
        return Settle(options, PrometheusTextReader.EndsLikeOpenMetrics(end.ToArray()));
    }

    private static PrometheusParserOptions Settle(PrometheusParserOptions? options, bool isOpenMetrics)
    {
        options ??= PrometheusParserOptions.Strict;
        return options.Format != PrometheusFormat.Detect ? options
            : options with { Format = isOpenMetrics ? PrometheusFormat.OpenMetrics : PrometheusFormat.Text };
    }
}
