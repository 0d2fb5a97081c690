using System.Globalization;
using System.Text;
using System.Text.Json.Serialization;

namespace Fal.Observability.Client.Prometheus;

/// <summary>One sample: a metric name, labels, a value, and optionally a timestamp and an exemplar.</summary>
/// <remarks>
/// A small immutable value of five words. The samples of one result share their strings and the arrays that contain them. Equality
/// compares all members, and values as <see cref="double.Equals(double)"/> does: NaN equals NaN.
/// </remarks>
[JsonNumberHandling(JsonNumberHandling.AllowNamedFloatingPointLiterals)]
public readonly struct PrometheusSample : IEquatable<PrometheusSample>
{
    /// <summary>Means that there is no timestamp. A timestamp of the input with this value is changed by one millisecond.</summary>
    internal const long NoTimestamp = long.MinValue;

    private readonly SampleShape? _shape;
    private readonly string[]? _labelValues;
    private readonly int _labelStart; // Many samples share an array of label values, because an array per sample costs more memory.
    private readonly long _timestamp;

    /// <summary>Creates a sample.</summary>
    /// <param name="name">The metric name.</param>
    /// <param name="labels">The labels.</param>
    /// <param name="value">The value.</param>
    /// <param name="timestampMilliseconds">The timestamp in milliseconds since the Unix epoch, or null for none.</param>
    /// <param name="exemplar">The exemplar, or null for none.</param>
    /// <exception cref="ArgumentException"><paramref name="name"/> is null or empty.</exception>
    public PrometheusSample(
        string name, LabelSet labels, double value, long? timestampMilliseconds = null, PrometheusExemplar? exemplar = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        _shape = new SampleShape(name, labels.Names, exemplar);
        _labelValues = labels.ValueArray;
        _labelStart = labels.Start;
        _timestamp = timestampMilliseconds is { } timestamp ? HeldTimestamp(timestamp) : NoTimestamp;
        Value = value;
    }

    /// <summary>Creates a sample whose label values, one for each name of its shape, are a part of an array.</summary>
    internal PrometheusSample(SampleShape shape, string[] labelValues, int labelStart, double value, long timestamp)
    {
        _shape = shape;
        _labelValues = labelValues;
        _labelStart = labelStart;
        _timestamp = timestamp;
        Value = value;
    }

    /// <summary>The metric name, including a suffix such as <c>_bucket</c>. Empty only in the default value.</summary>
    public string Name => _shape?.Name ?? "";

    /// <summary>The labels, in the order of the input.</summary>
    public LabelSet Labels =>
        _shape is null || _shape.LabelNames.Length == 0 ? default : new LabelSet(_shape.LabelNames, _labelValues!, _labelStart);

    /// <summary>The value, which may be NaN or infinite.</summary>
    public double Value { get; }

    /// <summary>The timestamp in milliseconds since the Unix epoch; null if none was written.</summary>
    public long? TimestampMilliseconds => _shape is null || _timestamp == NoTimestamp ? null : _timestamp;

    /// <summary>
    /// The timestamp as an instant in UTC; null if none was written, or if it lies outside the years 1 to 9999, where
    /// <see cref="TimestampMilliseconds"/> still has it.
    /// </summary>
    public DateTimeOffset? Timestamp => TimestampMilliseconds is >= -62_135_596_800_000 and <= 253_402_300_799_999 and { } milliseconds
        ? DateTimeOffset.FromUnixTimeMilliseconds(milliseconds)
        : null;

    /// <summary>The exemplar; null for none.</summary>
    public PrometheusExemplar? Exemplar => _shape?.Exemplar;

    internal SampleShape? Shape => _shape;

    /// <summary>The timestamp, or <see cref="NoTimestamp"/>.</summary>
    internal long RawTimestamp => _shape is null ? NoTimestamp : _timestamp;

    /// <summary>Converts a timestamp of the input to the representation in a sample.</summary>
    internal static long HeldTimestamp(long milliseconds) => Math.Max(milliseconds, NoTimestamp + 1);

    /// <summary>Creates a sample of the same series with another value and timestamp.</summary>
    internal PrometheusSample With(double value, long timestamp) => new(_shape!, _labelValues!, _labelStart, value, timestamp);

    /// <summary>Whether two samples are equal.</summary>
    /// <param name="left">One sample.</param>
    /// <param name="right">The other.</param>
    /// <returns>True if they are equal.</returns>
    public static bool operator ==(PrometheusSample left, PrometheusSample right) => left.Equals(right);

    /// <summary>Whether two samples differ.</summary>
    /// <param name="left">One sample.</param>
    /// <param name="right">The other.</param>
    /// <returns>True if they are not equal.</returns>
    public static bool operator !=(PrometheusSample left, PrometheusSample right) => !left.Equals(right);

    /// <inheritdoc/>
    public bool Equals(PrometheusSample other) =>
        Name == other.Name && Value.Equals(other.Value) && TimestampMilliseconds == other.TimestampMilliseconds
        && Labels == other.Labels && Equals(Exemplar, other.Exemplar);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is PrometheusSample other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Name, Labels, Value, TimestampMilliseconds);

    /// <summary>Returns the sample as a line of the text format, without its exemplar.</summary>
    /// <returns>The text, which parses to an equal sample.</returns>
    public override string ToString()
    {
        var builder = new StringBuilder();
        if (PrometheusName.IsClassicMetricName(Name))
        {
            builder.Append(Name);
            if (Labels.Count > 0)
            {
                Labels.AppendTo(builder);
            }
        }
        else
        {
            builder.Append('{');
            PrometheusEscaping.AppendQuoted(builder, Name);
            var labels = new StringBuilder();
            Labels.AppendTo(labels);
            builder.Append(Labels.Count > 0 ? "," : "").Append(labels, 1, labels.Length - 1);
        }

        builder.Append(' ').Append(Format(Value));
        if (TimestampMilliseconds is { } timestamp)
        {
            builder.Append(CultureInfo.InvariantCulture, $" {timestamp}");
        }

        return builder.ToString();
    }

    internal static string Format(double value) =>
        double.IsNaN(value) ? "NaN"
        : double.IsPositiveInfinity(value) ? "+Inf"
        : double.IsNegativeInfinity(value) ? "-Inf"
        : value.ToString("R", CultureInfo.InvariantCulture);
}

/// <summary>The parts that samples of a family share, so that each sample contains one reference instead of several.</summary>
/// <param name="name">The metric name.</param>
/// <param name="labelNames">The label names in their order.</param>
/// <param name="exemplar">
/// The exemplar; null for none. Exemplars are rare, so a sample with one has its own shape, and all other samples are a word smaller.
/// </param>
internal sealed class SampleShape(string name, string[] labelNames, PrometheusExemplar? exemplar = null)
{
    public string Name { get; } = name;

    public string[] LabelNames { get; } = labelNames;

    public PrometheusExemplar? Exemplar { get; } = exemplar;

    /// <summary>The next shape with the same name and other label names, for the lookup of shapes.</summary>
    public SampleShape? Sibling { get; set; }
}
