using System.Globalization;
using System.Text;
using System.Text.Json.Serialization;

namespace Fal.Observability.Client.Prometheus;

/// <summary>One sample: a metric name, labels, a value, perhaps a timestamp and an exemplar.</summary>
/// <remarks>
/// A small immutable value of five words. The samples of one result share their strings, and the arrays these stand in. Equality compares everything,
/// values as <see cref="double.Equals(double)"/> does: NaN equals NaN.
/// </remarks>
[JsonNumberHandling(JsonNumberHandling.AllowNamedFloatingPointLiterals)]
public readonly struct PrometheusSample : IEquatable<PrometheusSample>
{
    /// <summary>Stands for no timestamp. Timestamps from the input are kept apart from it by a millisecond.</summary>
    internal const long NoTimestamp = long.MinValue;

    private readonly SampleShape? _shape;
    private readonly string[]? _labelValues;
    private readonly int _labelStart; // Many samples share an array of label values: an array of its own costs more than the strings' places.
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

    internal PrometheusSample(SampleShape shape, string[] labelValues, double value, long timestamp)
        : this(shape, labelValues, 0, value, timestamp)
    {
    }

    /// <summary>A sample whose label values, as many as its shape has names, begin somewhere in an array.</summary>
    internal PrometheusSample(SampleShape shape, string[] labelValues, int labelStart, double value, long timestamp)
    {
        _shape = shape;
        _labelValues = labelValues;
        _labelStart = labelStart;
        _timestamp = timestamp;
        Value = value;
    }

    /// <summary>The metric name; for a histogram's bucket with its suffix. Empty in the default value only.</summary>
    public string Name => _shape?.Name ?? "";

    /// <summary>The labels, in the order in which they were written.</summary>
    public LabelSet Labels => _shape is null || _shape.LabelNames.Length == 0 ? default : new LabelSet(_shape.LabelNames, _labelValues!, _labelStart);

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

    /// <summary>The exemplar; null if none was written.</summary>
    public PrometheusExemplar? Exemplar => _shape?.Exemplar;

    internal SampleShape? Shape => _shape;

    /// <summary>The timestamp, or <see cref="NoTimestamp"/>.</summary>
    internal long RawTimestamp => _shape is null ? NoTimestamp : _timestamp;

    /// <summary>A timestamp as samples hold it.</summary>
    internal static long HeldTimestamp(long milliseconds) => Math.Max(milliseconds, NoTimestamp + 1);

    /// <summary>A sample of the same series.</summary>
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

    /// <summary>The sample as it stands in an exposition of the text format, without its exemplar.</summary>
    /// <returns>The text, which reads back to the same value.</returns>
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

/// <summary>What the samples of a family have in common, so that each holds one reference for it.</summary>
/// <param name="name">The metric name.</param>
/// <param name="labelNames">The label names in their order.</param>
/// <param name="exemplar">
/// Exemplars are rare: a sample that has one has a shape of its own, and every other sample is a word smaller.
/// </param>
internal sealed class SampleShape(string name, string[] labelNames, PrometheusExemplar? exemplar = null)
{
    public string Name { get; } = name;

    public string[] LabelNames { get; } = labelNames;

    public PrometheusExemplar? Exemplar { get; } = exemplar;

    /// <summary>The next shape with this name and other labels, where shapes are looked up.</summary>
    public SampleShape? Sibling { get; set; }
}
