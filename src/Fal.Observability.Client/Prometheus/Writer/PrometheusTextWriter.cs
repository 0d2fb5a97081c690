using System.Buffers;
using System.IO.Pipelines;
using System.Text;

namespace Fal.Observability.Client.Prometheus;

/// <summary>
/// Writes samples and families as Prometheus text (0.0.4) or OpenMetrics 1.0: the way back of
/// <see cref="PrometheusTextParser"/>, for what was relabelled, merged or filtered in between.
/// </summary>
/// <remarks>
/// <para>
/// What one format can hold reads back equal from it: families with type, help and unit, samples with labels, the same bits of
/// each finite value, timestamps and exemplars. Names that are not classic are quoted. OpenMetrics spells the labels <c>le</c>
/// of buckets and <c>quantile</c> of summaries in its canonical form: <c>1</c> becomes <c>1.0</c>.
/// </para>
/// <para>
/// A format cannot carry everything that the other can. No sample changes its name and none is left out: in the text format,
/// samples that it does not know as part of a type (<c>_created</c>, <c>_gcount</c>, <c>_gsum</c>) become gauges of their own, an
/// info and a state set are gauges, a gauge histogram is a histogram, units and exemplars are left out, and blanks at the beginning and carriage returns at the end of a help text too. In
/// OpenMetrics a counter without <c>_total</c>, or another family that the format does not allow as it is, is written as unknown.
/// Values and buckets are not mended: a histogram without its last bucket stays one, which a strict reader of OpenMetrics refuses.
/// </para>
/// <para>Safe to use from any number of threads.</para>
/// </remarks>
public static class PrometheusTextWriter
{
    private const int FlushLength = 64 * 1024;

    /// <summary>The <c>Content-Type</c> to send with what was written.</summary>
    /// <param name="format">The format; <see cref="PrometheusFormat.Detect"/> is the text format.</param>
    /// <returns>The header's value, with version and character set.</returns>
    /// <exception cref="ArgumentOutOfRangeException">There is no such format.</exception>
    public static string GetContentType(PrometheusFormat format) => IsOpenMetrics(format)
        ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
        : "text/plain; version=0.0.4; charset=utf-8";

    /// <summary>Writes families.</summary>
    /// <param name="output">Where to. It is not flushed or completed.</param>
    /// <param name="exposition">The families. Lines that were skipped when it was read are not part of it.</param>
    /// <param name="format">The format; <see cref="PrometheusFormat.Detect"/> is the text format.</param>
    /// <exception cref="ArgumentNullException"><paramref name="output"/> or <paramref name="exposition"/> is null.</exception>
    /// <exception cref="ArgumentException">
    /// Two families have the same name, a sample bears a name that its family's type does not allow, or OpenMetrics would hold a
    /// series twice; nothing was written then.
    /// Or a label is named <c>__name__</c>, or a text holds half a surrogate pair, which UTF-8 cannot carry.
    /// </exception>
    /// <exception cref="ArgumentOutOfRangeException">There is no such format.</exception>
    public static void Write(IBufferWriter<byte> output, PrometheusExposition exposition, PrometheusFormat format = PrometheusFormat.Text)
    {
        ArgumentNullException.ThrowIfNull(output);
        ArgumentNullException.ThrowIfNull(exposition);
        bool openMetrics = IsOpenMetrics(format);
        List<WrittenFamily> families = WrittenFamily.Plan(exposition.Families, openMetrics);
        var writer = new ExpositionWriter(output, openMetrics);
        foreach (WrittenFamily family in families)
        {
            writer.WriteHead(family);
            for (int i = 0; i < family.Samples.Count; i++)
            {
                writer.WriteSample(family.Samples[i]);
            }
        }

        writer.WriteEnd();
    }

    /// <summary>Writes samples alone, without the lines that declare families.</summary>
    /// <param name="output">Where to. It is not flushed or completed.</param>
    /// <param name="samples">
    /// The samples, in their order. OpenMetrics wants the samples of a name to stand together.
    /// </param>
    /// <param name="format">The format; <see cref="PrometheusFormat.Detect"/> is the text format.</param>
    /// <exception cref="ArgumentNullException"><paramref name="output"/> or <paramref name="samples"/> is null.</exception>
    /// <exception cref="ArgumentException">
    /// A sample is the default value, which has no name, or a text holds half a surrogate pair, which UTF-8 cannot carry.
    /// </exception>
    /// <exception cref="ArgumentOutOfRangeException">There is no such format.</exception>
    public static void Write(IBufferWriter<byte> output, IEnumerable<PrometheusSample> samples, PrometheusFormat format = PrometheusFormat.Text)
    {
        ArgumentNullException.ThrowIfNull(output);
        ArgumentNullException.ThrowIfNull(samples);
        var writer = new ExpositionWriter(output, IsOpenMetrics(format));
        foreach (PrometheusSample sample in samples)
        {
            if (sample.Name.Length == 0)
            {
                throw new ArgumentException("A sample has no name. default(PrometheusSample) cannot be written.", nameof(samples));
            }

            writer.WriteSample(sample);
        }

        writer.WriteEnd();
    }

    /// <summary>Writes families to a stream, a block at a time.</summary>
    /// <param name="output">Where to. It is flushed and left open.</param>
    /// <param name="exposition">The families. Lines that were skipped when it was read are not part of it.</param>
    /// <param name="format">The format; <see cref="PrometheusFormat.Detect"/> is the text format.</param>
    /// <param name="cancellationToken">Ends the writing.</param>
    /// <returns>Completes when all is written.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="output"/> or <paramref name="exposition"/> is null.</exception>
    /// <exception cref="ArgumentException">
    /// Two families have the same name, a sample bears a name that its family's type does not allow, or OpenMetrics would hold a
    /// series twice; nothing was written then.
    /// Or a label is named <c>__name__</c>, or a text holds half a surrogate pair, which UTF-8 cannot carry.
    /// </exception>
    /// <exception cref="ArgumentOutOfRangeException">There is no such format.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public static Task WriteAsync(
        Stream output, PrometheusExposition exposition, PrometheusFormat format = PrometheusFormat.Text, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(output);
        ArgumentNullException.ThrowIfNull(exposition);
        bool openMetrics = IsOpenMetrics(format);
        return WriteAsync(output, WrittenFamily.Plan(exposition.Families, openMetrics), openMetrics, cancellationToken);
    }

    /// <summary>The families as UTF-8.</summary>
    /// <param name="exposition">The families. Lines that were skipped when it was read are not part of it.</param>
    /// <param name="format">The format; <see cref="PrometheusFormat.Detect"/> is the text format.</param>
    /// <returns>The bytes, without a byte order mark.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="exposition"/> is null.</exception>
    /// <exception cref="ArgumentException">
    /// Two families have the same name, a sample bears a name that its family's type does not allow, OpenMetrics would hold a series
    /// twice, a label is named <c>__name__</c>, or a text holds half a surrogate pair, which UTF-8 cannot carry.
    /// </exception>
    /// <exception cref="ArgumentOutOfRangeException">There is no such format.</exception>
    public static byte[] ToUtf8(PrometheusExposition exposition, PrometheusFormat format = PrometheusFormat.Text)
    {
        var output = new ArrayBufferWriter<byte>(4096);
        Write(output, exposition, format);
        return output.WrittenSpan.ToArray();
    }

    /// <summary>The families as text, for a log or a test.</summary>
    /// <param name="exposition">The families. Lines that were skipped when it was read are not part of it.</param>
    /// <param name="format">The format; <see cref="PrometheusFormat.Detect"/> is the text format.</param>
    /// <returns>The text.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="exposition"/> is null.</exception>
    /// <exception cref="ArgumentException">
    /// Two families have the same name, a sample bears a name that its family's type does not allow, OpenMetrics would hold a series
    /// twice, a label is named <c>__name__</c>, or a text holds half a surrogate pair, which UTF-8 cannot carry.
    /// </exception>
    /// <exception cref="ArgumentOutOfRangeException">There is no such format.</exception>
    public static string ToText(PrometheusExposition exposition, PrometheusFormat format = PrometheusFormat.Text)
    {
        var output = new ArrayBufferWriter<byte>(4096);
        Write(output, exposition, format);
        return Encoding.UTF8.GetString(output.WrittenSpan);
    }

    private static async Task WriteAsync(Stream output, List<WrittenFamily> families, bool openMetrics, CancellationToken cancellationToken)
    {
        PipeWriter pipe = PipeWriter.Create(output, new StreamPipeWriterOptions(minimumBufferSize: FlushLength, leaveOpen: true));
        Exception? failure = null;
        try
        {
            var writer = new ExpositionWriter(pipe, openMetrics);
            foreach (WrittenFamily family in families)
            {
                writer.WriteHead(family);
                for (int i = 0; i < family.Samples.Count; i++)
                {
                    writer.WriteSample(family.Samples[i]);
                    if (pipe.UnflushedBytes >= FlushLength)
                    {
                        await pipe.FlushAsync(cancellationToken).ConfigureAwait(false);
                    }
                }
            }

            writer.WriteEnd();
            await pipe.FlushAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            failure = e;
            throw;
        }
        finally
        {
            // With the failure, the pipe drops what it holds instead of sending the beginning of a line.
            await pipe.CompleteAsync(failure).ConfigureAwait(false);
        }
    }

    private static bool IsOpenMetrics(PrometheusFormat format) => format switch
    {
        PrometheusFormat.Detect or PrometheusFormat.Text => false,
        PrometheusFormat.OpenMetrics => true,
        _ => throw new ArgumentOutOfRangeException(nameof(format), format, "Unknown format. Use a named value of PrometheusFormat."),
    };
}
