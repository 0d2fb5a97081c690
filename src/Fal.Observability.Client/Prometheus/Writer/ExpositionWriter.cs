using System.Buffers;
using System.Buffers.Text;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Unicode;

namespace Fal.Observability.Client.Prometheus;

/// <summary>Writes the lines of an exposition. Reserves room for a whole line, or for its exemplar, before writing it.</summary>
/// <remarks>
/// Consecutive samples usually have the same shape, which is their metric name and label names. The writer therefore encodes the text
/// around the label values only when the shape changes. Each sample costs a copy of these pieces of text, its values and its number.
/// </remarks>
internal sealed class ExpositionWriter(IBufferWriter<byte> output, bool openMetrics)
{
    /// <summary>An upper limit, in bytes, for a value, a timestamp and the text between them.</summary>
    private const int NumbersLength = 96;

    private static readonly SearchValues<char> Escaped = SearchValues.Create("\\\"\n");

    private SampleShape? _shape;
    private byte[][] _pieces = [];
    private int _piecesLength;

    // The current family, which decides what OpenMetrics allows; null if samples are written without families.
    private WrittenFamily? _family;

    public void WriteHead(WrittenFamily family)
    {
        _family = family;
        string type = Encoding.ASCII.GetString(MetricTypeWord.Of(family.Type, openMetrics));
        if (openMetrics)
        {
            WriteMetadata("# TYPE ", family.Name, type);
            if (family.Unit is not null)
            {
                WriteMetadata("# UNIT ", family.Name, family.Unit);
            }

            if (family.Help is not null)
            {
                // No escape can express a carriage return at the end of a help text.
                WriteMetadata("# HELP ", family.Name, family.Help.TrimEnd('\r'));
            }
        }
        else
        {
            if (family.Help is not null)
            {
                // In the text format, no escape can express spaces at the start of a help text either.
                WriteMetadata("# HELP ", family.Name, family.Help.TrimStart(' ', '\t').TrimEnd('\r'));
            }

            WriteMetadata("# TYPE ", family.Name, type);
        }
    }

    public void WriteSample(in PrometheusSample sample)
    {
        SampleShape shape = sample.Shape!;
        if (!ReferenceEquals(shape, _shape))
        {
            BeginShape(shape);
        }

        ReadOnlySpan<string> values = sample.Labels.Values;
        int longest = _piecesLength + NumbersLength;
        for (int i = 0; i < _pieces.Length - 1; i++)
        {
            longest += LongestUtf8(values[i]);
        }

        var line = new Line(output.GetSpan(longest));
        line.Append(_pieces[0]);
        for (int i = 1; i < _pieces.Length; i++)
        {
            line.AppendEscaped(values[i - 1]);
            line.Append(_pieces[i]);
        }

        line.AppendNumber(sample.Value);
        if (sample.TimestampMilliseconds is { } timestamp)
        {
            line.AppendTimestamp(timestamp, openMetrics);
        }

        if (openMetrics && shape.Exemplar is { } exemplar)
        {
            output.Advance(line.Length);
            WriteExemplar(exemplar, sample.Name);
            line = new Line(output.GetSpan(1));
        }

        line.Append((byte)'\n');
        output.Advance(line.Length);
    }

    public void WriteEnd()
    {
        if (openMetrics)
        {
            output.Write("# EOF\n"u8);
        }
    }

    private void WriteMetadata(string keyword, string name, string text)
    {
        var line = new Line(output.GetSpan(keyword.Length + LongestUtf8(name) + LongestUtf8(text) + 4));
        line.AppendEscaped(keyword);
        line.AppendName(name, PrometheusName.IsClassicMetricName(name));
        line.Append((byte)' ');
        // The text format has no escape for quotes in a help text.
        line.AppendEscaped(text, escapeQuotes: openMetrics);
        line.Append((byte)'\n');
        output.Advance(line.Length);
    }

    /// <summary>
    /// Encodes the pieces of text around the label values: before the first value, between two values, and from the last value to the
    /// number.
    /// </summary>
    private void BeginShape(SampleShape shape)
    {
        bool isClassic = PrometheusName.IsClassicMetricName(shape.Name);
        string[] names = shape.LabelNames;
        _pieces = new byte[names.Length + 1][];
        _piecesLength = 0;
        for (int i = 0; i <= names.Length; i++)
        {
            string? labelName = i < names.Length ? names[i] : null;
            if (labelName == ReservedLabels.MetricName)
            {
                throw new ArgumentException(
                    $"A sample of '{shape.Name}' has the label __name__, which is reserved for the metric name: "
                    + "set the name of the sample instead.");
            }

            var piece = new Line(new byte[(i == 0 ? LongestUtf8(shape.Name) : 0) + (labelName is null ? 0 : LongestUtf8(labelName)) + 16]);
            if (i > 0)
            {
                piece.Append((byte)'"');
            }
            else if (isClassic)
            {
                piece.AppendName(shape.Name, isClassic: true);
            }
            else
            {
                piece.Append((byte)'{');
                piece.AppendName(shape.Name, isClassic: false);
            }

            if (labelName is not null)
            {
                piece.Append(i == 0 && isClassic ? (byte)'{' : (byte)',');
                piece.AppendName(labelName, PrometheusName.IsClassicLabelName(labelName));
                piece.Append("=\""u8);
            }
            else
            {
                piece.Append(names.Length > 0 || !isClassic ? "} "u8 : " "u8);
            }

            _pieces[i] = piece.ToArray();
            _piecesLength += piece.Length;
        }

        _shape = shape;
    }

    private void WriteExemplar(PrometheusExemplar exemplar, string sampleName)
    {
        if (_family is { } family && !OpenMetricsTypes.AllowsExemplar(family.Type, sampleName.AsSpan(family.Name.Length)))
        {
            throw new ArgumentException(
                $"The sample '{sampleName}' has an exemplar, but OpenMetrics allows exemplars only on buckets and on the totals of "
                + "counters: remove the exemplar.");
        }

        if (!OpenMetricsTypes.AllowsLength(exemplar))
        {
            throw new ArgumentException(
                $"The labels of the exemplar of the sample '{sampleName}' have more than {OpenMetricsTypes.MaxExemplarLength} characters, "
                + "the limit of OpenMetrics: shorten or remove them.");
        }

        int longest = NumbersLength;
        foreach ((string name, string value) in exemplar.Labels)
        {
            longest += LongestUtf8(name) + LongestUtf8(value) + 8;
        }

        var line = new Line(output.GetSpan(longest));
        line.Append(" # {"u8);
        bool isFirst = true;
        foreach ((string name, string value) in exemplar.Labels)
        {
            line.Append(isFirst ? default : ","u8);
            isFirst = false;
            line.AppendName(name, PrometheusName.IsClassicLabelName(name));
            line.Append("=\""u8);
            line.AppendEscaped(value);
            line.Append((byte)'"');
        }

        line.Append("} "u8);
        line.AppendNumber(exemplar.Value);
        if (exemplar.TimestampMilliseconds is { } timestamp)
        {
            line.AppendTimestamp(timestamp, openMetrics: true);
        }

        output.Advance(line.Length);
    }

    /// <summary>
    /// An upper limit, in bytes, for a text with escapes and two quotes. A UTF-16 code unit takes at most three bytes. An escaped character
    /// takes two.
    /// </summary>
    private static int LongestUtf8(string text) => checked(3 * text.Length + 2);

    /// <summary>Bytes that are written one after the other. The caller has reserved room for all of them.</summary>
    private ref struct Line(Span<byte> room)
    {
        private readonly Span<byte> _room = room;

        public int Length { get; private set; }

        public readonly byte[] ToArray() => _room[..Length].ToArray();

        public void Append(byte value) => _room[Length++] = value;

        public void Append(ReadOnlySpan<byte> bytes)
        {
            bytes.CopyTo(_room[Length..]);
            Length += bytes.Length;
        }

        public void AppendName(string name, bool isClassic)
        {
            if (isClassic)
            {
                AppendUtf8(name);
                return;
            }

            Append((byte)'"');
            AppendEscaped(name);
            Append((byte)'"');
        }

        public void AppendEscaped(ReadOnlySpan<char> text, bool escapeQuotes = true)
        {
            int special;
            while ((special = text.IndexOfAny(Escaped)) >= 0)
            {
                AppendUtf8(text[..special]);
                Append(text[special] switch
                {
                    '\\' => "\\\\"u8,
                    '\n' => "\\n"u8,
                    _ => escapeQuotes ? "\\\""u8 : "\""u8,
                });
                text = text[(special + 1)..];
            }

            AppendUtf8(text);
        }

        /// <summary>
        /// Appends a text that parses to the same number: bit by bit for a finite value, and as the same NaN for any NaN.
        /// </summary>
        public void AppendNumber(double value)
        {
            if (double.IsInteger(value) && Math.Abs(value) < 1e15 && !(value == 0 && double.IsNegative(value)))
            {
                AppendInteger((long)value);
            }
            else if (double.IsFinite(value))
            {
                bool fits = value.TryFormat(_room[Length..], out int written, default, CultureInfo.InvariantCulture);
                Debug.Assert(fits);
                Length += written;
            }
            else
            {
                Append(double.IsNaN(value) ? "NaN"u8 : value > 0 ? "+Inf"u8 : "-Inf"u8);
            }
        }

        /// <summary>Appends a timestamp: in milliseconds for the text format, in seconds for OpenMetrics.</summary>
        public void AppendTimestamp(long milliseconds, bool openMetrics)
        {
            Append((byte)' ');
            if (!openMetrics)
            {
                AppendInteger(milliseconds);
                return;
            }

            if (milliseconds < 0)
            {
                Append((byte)'-');
            }

            (long seconds, long fraction) = Math.DivRem(milliseconds, 1000);
            AppendInteger(Math.Abs(seconds));
            if (fraction != 0)
            {
                Append((byte)'.');
                bool fits = Utf8Formatter.TryFormat(Math.Abs(fraction), _room[Length..], out int written, new StandardFormat('D', 3));
                Debug.Assert(fits);
                Length += written;
            }
        }

        private void AppendInteger(long value)
        {
            bool fits = Utf8Formatter.TryFormat(value, _room[Length..], out int written);
            Debug.Assert(fits);
            Length += written;
        }

        private void AppendUtf8(ReadOnlySpan<char> text)
        {
            if (Utf8.FromUtf16(text, _room[Length..], out _, out int written, replaceInvalidSequences: false) != OperationStatus.Done)
            {
                throw new ArgumentException(
                    "A name, a label value or a help text contains an unpaired surrogate, which UTF-8 cannot encode: "
                    + "remove or replace it.");
            }

            Length += written;
        }
    }
}
