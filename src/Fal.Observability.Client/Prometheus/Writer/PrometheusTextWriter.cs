using System.Buffers;
using System.IO.Pipelines;
using System.Text;

namespace Fal.Observability.Client.Prometheus;

/// <summary>
/// Writes samples and families as Prometheus text (0.0.4) or OpenMetrics 1.0. It is the inverse of
/// <see cref="PrometheusTextParser"/>, for expositions that were relabelled, merged or filtered.
/// </summary>
/// <remarks>
/// <para>
/// If the format can express an exposition, parsing the output gives an equal exposition: families with type, help and unit;
/// samples with labels, finite values (bit by bit), timestamps and exemplars. Names that are not classic are quoted. In OpenMetrics,
/// the labels <c>le</c> of buckets and <c>quantile</c> of summaries have the canonical form: <c>1</c> becomes <c>1.0</c>.
/// </para>
/// <para>
/// Neither format can express everything that the other can. The writer never renames or omits a sample. In the text format, the
/// samples <c>_created</c>, <c>_gcount</c> and <c>_gsum</c> become separate gauges. An info or a state set becomes a gauge, and a gauge
/// histogram becomes a histogram. Units, exemplars, and leading spaces and trailing carriage returns of a help text are omitted.
/// </para>
/// <para>
/// In OpenMetrics, a family that the format does not allow is written with the type unknown, for instance a counter without
/// <c>_total</c>. Values and buckets are written as they are: a histogram without its last bucket remains one, and a strict OpenMetrics
/// reader rejects it.
/// </para>
/// <para>Thread-safe.</para>
/// </remarks>
public static class PrometheusTextWriter
{
    private const int FlushLength = 64 * 1024;

    /// <summary>Returns the <c>Content-Type</c> to send with the output.</summary>
    /// <param name="format">The format; <see cref="PrometheusFormat.Detect"/> is the text format.</param>
    /// <returns>The header's value, with version and character set.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The format is not one of the named values.</exception>
    public static string GetContentType(PrometheusFormat format) => IsOpenMetrics(format)
        ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
        : "text/plain; version=0.0.4; charset=utf-8";

    /// <summary>Writes families.</summary>
    /// <param name="output">The destination. It is neither flushed nor completed.</param>
    /// <param name="exposition">The families. Lines that were skipped while reading are not written.</param>
    /// <param name="format">The format; <see cref="PrometheusFormat.Detect"/> is the text format.</param>
    /// <exception cref="ArgumentNullException"><paramref name="output"/> or <paramref name="exposition"/> is null.</exception>
    /// <exception cref="ArgumentException">
    /// Two families have the same name, the type of a family does not allow the name of a sample, or OpenMetrics would contain a
    /// duplicate series; in these cases nothing is written. Also thrown if a label is named <c>__name__</c>, or if a text contains an
    /// unpaired surrogate, which UTF-8 cannot encode.
    /// </exception>
    /// <exception cref="ArgumentOutOfRangeException">The format is not one of the named values.</exception>
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
    /// <param name="output">The destination. It is neither flushed nor completed.</param>
    /// <param name="samples">
    /// The samples, in the order to write. OpenMetrics requires that the samples of a name are consecutive.
    /// </param>
    /// <param name="format">The format; <see cref="PrometheusFormat.Detect"/> is the text format.</param>
    /// <exception cref="ArgumentNullException"><paramref name="output"/> or <paramref name="samples"/> is null.</exception>
    /// <exception cref="ArgumentException">
    /// A sample is <c>default</c>, which has no name, or a text contains an unpaired surrogate, which UTF-8 cannot encode.
    /// </exception>
    /// <exception cref="ArgumentOutOfRangeException">The format is not one of the named values.</exception>
    public static void Write(
        IBufferWriter<byte> output, IEnumerable<PrometheusSample> samples, PrometheusFormat format = PrometheusFormat.Text)
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

    /// <summary>Writes families to a stream, block by block.</summary>
    /// <param name="output">The destination. It is flushed and stays open.</param>
    /// <param name="exposition">The families. Lines that were skipped while reading are not written.</param>
    /// <param name="format">The format; <see cref="PrometheusFormat.Detect"/> is the text format.</param>
    /// <param name="cancellationToken">Cancels the write.</param>
    /// <returns>A task that completes when everything is written.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="output"/> or <paramref name="exposition"/> is null.</exception>
    /// <exception cref="ArgumentException">
    /// Two families have the same name, the type of a family does not allow the name of a sample, or OpenMetrics would contain a
    /// duplicate series; in these cases nothing is written. Also thrown if a label is named <c>__name__</c>, or if a text contains an
    /// unpaired surrogate, which UTF-8 cannot encode.
    /// </exception>
    /// <exception cref="ArgumentOutOfRangeException">The format is not one of the named values.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public static Task WriteAsync(
        Stream output, PrometheusExposition exposition, PrometheusFormat format = PrometheusFormat.Text,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(output);
        ArgumentNullException.ThrowIfNull(exposition);
        bool openMetrics = IsOpenMetrics(format);
        return WriteAsync(output, WrittenFamily.Plan(exposition.Families, openMetrics), openMetrics, cancellationToken);
    }

    /// <summary>Returns families as UTF-8.</summary>
    /// <param name="exposition">The families. Lines that were skipped while reading are not written.</param>
    /// <param name="format">The format; <see cref="PrometheusFormat.Detect"/> is the text format.</param>
    /// <returns>The bytes, without a byte order mark.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="exposition"/> is null.</exception>
    /// <exception cref="ArgumentException">
    /// Two families have the same name, the type of a family does not allow the name of a sample, OpenMetrics would contain a
    /// duplicate series, a label is named <c>__name__</c>, or a text contains an unpaired surrogate, which UTF-8 cannot encode.
    /// </exception>
    /// <exception cref="ArgumentOutOfRangeException">The format is not one of the named values.</exception>
    public static byte[] ToUtf8(PrometheusExposition exposition, PrometheusFormat format = PrometheusFormat.Text)
    {
        var output = new ArrayBufferWriter<byte>(4096);
        Write(output, exposition, format);
        return output.WrittenSpan.ToArray();
    }

    /// <summary>Returns families as text, for a log or a test.</summary>
    /// <param name="exposition">The families. Lines that were skipped while reading are not written.</param>
    /// <param name="format">The format; <see cref="PrometheusFormat.Detect"/> is the text format.</param>
    /// <returns>The text.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="exposition"/> is null.</exception>
    /// <exception cref="ArgumentException">
    /// Two families have the same name, the type of a family does not allow the name of a sample, OpenMetrics would contain a
    /// duplicate series, a label is named <c>__name__</c>, or a text contains an unpaired surrogate, which UTF-8 cannot encode.
    /// </exception>
    /// <exception cref="ArgumentOutOfRangeException">The format is not one of the named values.</exception>
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
            // With the exception, the pipe discards its content. Otherwise it would send an incomplete line.
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
