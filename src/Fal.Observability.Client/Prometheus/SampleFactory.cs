using System.Buffers;

namespace Fal.Observability.Client.Prometheus;

/// <summary>Makes samples of what a reader shows, with each name and label value made a string once.</summary>
internal sealed class SampleFactory
{
    private const int RememberedLabels = 16;

    private readonly Utf8StringPool _names = new();
    private readonly Utf8StringPool _values = new();
    private readonly Dictionary<string, SampleShape> _shapes = new(StringComparer.Ordinal);

    // The last value of the first label, of the second, and so on, as the pool knows it.
    private readonly int[] _lastValues = new int[RememberedLabels];
    private SampleShape? _shape;

    /// <summary>The sample that the reader shows. Every sample of a block must come here, because it may be said to be like the last.</summary>
    internal PrometheusSample Create(scoped ref readonly PrometheusTextReader reader)
    {
        SampleShape? shape = _shape;
        if (shape is null || !reader.HasSameShape)
            _shape = shape = FindShape(in reader);

        string[] values = reader.LabelCount == 0 ? [] : new string[reader.LabelCount];
        int ordinal = 0;
        foreach (PrometheusLabel label in reader.Labels)
        {
            values[ordinal] = label.ValueIsEscaped ? GetUnescaped(_values, label.Value) : GetValue(label.Value, ordinal);
            ordinal++;
        }

        if (reader.HasExemplar)
            shape = new SampleShape(shape.Name, shape.LabelNames, CreateExemplar(in reader));
        return new PrometheusSample(shape, values, reader.Value, reader.SampleTimestamp);
    }

    /// <summary>The next sample is not to be taken for one like the last, because there were others between them.</summary>
    internal void ForgetShape() => _shape = null;

    /// <summary>A name that the reader shows, the same string as in the samples.</summary>
    internal string GetName(ReadOnlySpan<byte> utf8, bool isEscaped)
    {
        int last = 0;
        return isEscaped ? GetUnescaped(_names, utf8) : _names.Get(utf8, ref last);
    }

    private string GetValue(ReadOnlySpan<byte> utf8, int ordinal)
    {
        int last = 0;
        return _values.Get(utf8, ref ordinal < RememberedLabels ? ref _lastValues[ordinal] : ref last);
    }

    private static string GetUnescaped(Utf8StringPool pool, ReadOnlySpan<byte> escaped)
    {
        byte[]? rented = null;
        Span<byte> buffer = escaped.Length <= 256 ? stackalloc byte[256] : rented = ArrayPool<byte>.Shared.Rent(escaped.Length);
        int last = 0;
        string text = pool.Get(buffer[..PrometheusEscaping.Unescape(escaped, buffer, quotes: true)], ref last);
        if (rented is not null)
            ArrayPool<byte>.Shared.Return(rented);
        return text;
    }

    private SampleShape FindShape(scoped ref readonly PrometheusTextReader reader)
    {
        string name = GetName(reader.Name, reader.NameIsEscaped);
        _shapes.TryGetValue(name, out SampleShape? first);
        for (SampleShape? shape = first; shape is not null; shape = shape.Sibling)
        {
            if (HasLabelNames(shape.LabelNames, in reader))
                return shape;
        }

        // Names that never end must not fill the memory either; the samples made so far keep their shapes.
        if (_shapes.Count == 1 << 16)
        {
            _shapes.Clear();
            first = null;
        }

        var found = new SampleShape(name, reader.LabelCount == 0 ? [] : new string[reader.LabelCount]) { Sibling = first };
        int ordinal = 0;
        foreach (PrometheusLabel label in reader.Labels)
            found.LabelNames[ordinal++] = GetName(label.Name, label.NameIsEscaped);
        _shapes[name] = found;
        return found;
    }

    private bool HasLabelNames(string[] names, scoped ref readonly PrometheusTextReader reader)
    {
        if (names.Length != reader.LabelCount)
            return false;
        int ordinal = 0;
        foreach (PrometheusLabel label in reader.Labels)
        {
            if (!ReferenceEquals(names[ordinal], GetName(label.Name, label.NameIsEscaped)) && names[ordinal] != label.GetName())
                return false;
            ordinal++;
        }

        return true;
    }

    private static PrometheusExemplar CreateExemplar(scoped ref readonly PrometheusTextReader reader)
    {
        string[] names = reader.ExemplarLabelCount == 0 ? [] : new string[reader.ExemplarLabelCount];
        string[] values = reader.ExemplarLabelCount == 0 ? [] : new string[reader.ExemplarLabelCount];
        int ordinal = 0;
        foreach (PrometheusLabel label in reader.ExemplarLabels)
        {
            names[ordinal] = label.GetName();
            values[ordinal++] = label.GetValue();
        }

        return new PrometheusExemplar(
            new LabelSet(names, values), reader.ExemplarValue, reader.ExemplarHasTimestamp ? reader.ExemplarTimestampMilliseconds : null);
    }
}
