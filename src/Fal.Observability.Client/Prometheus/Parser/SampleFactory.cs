using System.Buffers;
using System.Text;

namespace Fal.Observability.Client.Prometheus;

/// <summary>Creates samples from the tokens of a reader. Equal names and label values become the same string.</summary>
internal sealed class SampleFactory
{
    private const int RememberedLabels = 16;

    private const int FirstBlockLength = 32;
    private const int MaxBlockLength = 1024;

    /// <summary>The number of shapes with one name that are searched. Beyond it, samples no longer share shapes.</summary>
    private const int RememberedSiblings = 8;

    private readonly Utf8StringPool _names = new(keepsHeads: false);
    private readonly Utf8StringPool _values = new(keepsHeads: true);

    // For the first label, the second, and so on: the pool's entry of its last value.
    private readonly int[] _lastValues = new int[RememberedLabels];
    private SampleShape? _shape;

    // The array that receives the label values of the next samples. The first arrays are small, because the exposition may be small.
    private string[] _block = [];
    private int _blockUsed;

    /// <summary>Whether equal label values become one string. For few lines, a search costs more than a new string.</summary>
    public bool PoolsValues { get; set; } = true;

    /// <summary>Returns the rented tables. Existing samples stay valid, but no more can be created.</summary>
    public void ReturnTables()
    {
        _names.ReturnTables();
        _values.ReturnTables();
    }

    /// <summary>
    /// Creates the current sample. Call it for every sample of a block, because a shape may be known only as "like the last one".
    /// </summary>
    public PrometheusSample Create(scoped ref readonly PrometheusTextReader reader)
    {
        SampleShape? shape = _shape;
        if (shape is null || !reader.HasSameShape)
        {
            _shape = shape = FindShape(in reader);
        }

        int count = reader.LabelCount;
        if (_block.Length - _blockUsed < count)
        {
            _block = new string[Math.Max(count, Math.Clamp(_block.Length * 2, FirstBlockLength, MaxBlockLength))];
            _blockUsed = 0;
        }

        int start = _blockUsed;
        Span<string> values = _block.AsSpan(start, count);
        if (PoolsValues && count <= RememberedLabels && reader.HasPlainValues)
        {
            for (int ordinal = 0; ordinal < values.Length; ordinal++)
            {
                values[ordinal] = _values.Get(reader.PlainValue(ordinal), ref _lastValues[ordinal], isPadded: true);
            }
        }
        else
        {
            int ordinal = 0;
            foreach (PrometheusLabel label in reader.Labels)
            {
                values[ordinal] = !PoolsValues ? label.GetValue() : label.ValueIsEscaped || ordinal >= RememberedLabels
                    ? GetUncommonValue(label)
                    : _values.Get(label.Value, ref _lastValues[ordinal]);
                ordinal++;
            }
        }

        if (reader.HasExemplar)
        {
            shape = new SampleShape(shape.Name, shape.LabelNames, CreateExemplar(in reader));
        }

        _blockUsed = start + count;
        return new PrometheusSample(shape, _block, start, reader.Value, reader.SampleTimestamp);
    }

    /// <summary>Returns a name of the reader as the string that the samples share.</summary>
    public string GetName(ReadOnlySpan<byte> utf8, bool isEscaped) => GetName(utf8, isEscaped, out _);

    private string GetName(ReadOnlySpan<byte> utf8, bool isEscaped, out int index)
    {
        if (!isEscaped)
        {
            return _names.GetName(utf8, out index);
        }

        byte[]? rented = null;
        Span<byte> buffer = utf8.Length <= 256 ? stackalloc byte[256] : rented = ArrayPool<byte>.Shared.Rent(utf8.Length);
        string name = _names.GetName(buffer[..PrometheusEscaping.Unescape(utf8, buffer, quotes: true)], out index);
        if (rented is not null)
        {
            ArrayPool<byte>.Shared.Return(rented);
        }

        return name;
    }

    private string GetUncommonValue(PrometheusLabel label)
    {
        int last = 0;
        if (!label.ValueIsEscaped)
        {
            return _values.Get(label.Value, ref last);
        }

        byte[]? rented = null;
        int length = label.Value.Length;
        Span<byte> buffer = length <= 256 ? stackalloc byte[256] : rented = ArrayPool<byte>.Shared.Rent(length);
        string text = _values.Get(buffer[..label.CopyValue(buffer)], ref last);
        if (rented is not null)
        {
            ArrayPool<byte>.Shared.Return(rented);
        }

        return text;
    }

    private SampleShape FindShape(scoped ref readonly PrometheusTextReader reader)
    {
        string name = GetName(reader.Name, reader.NameIsEscaped, out int index);
        SampleShape? first = index == 0 ? null : _names.ShapeOf(index);
        int siblings = 0;
        for (SampleShape? shape = first; shape is not null; shape = shape.Sibling)
        {
            if (HasLabelNames(shape.LabelNames, in reader))
            {
                return shape;
            }

            siblings++;
        }

        string[] labelNames = reader.LabelCount == 0 ? [] : new string[reader.LabelCount];
        int ordinal = 0;
        foreach (PrometheusLabel label in reader.Labels)
        {
            labelNames[ordinal++] = GetName(label.Name, label.NameIsEscaped);
        }

        var found = new SampleShape(name, labelNames) { Sibling = siblings < RememberedSiblings ? first : null };
        // The label names may have filled the pool so that it started again. The index may now belong to another text.
        if (index != 0 && _names.IsAt(index, name))
        {
            _names.ShapeOf(index) = found;
        }

        return found;
    }

    private bool HasLabelNames(string[] names, scoped ref readonly PrometheusTextReader reader)
    {
        if (names.Length != reader.LabelCount)
        {
            return false;
        }

        int ordinal = 0;
        foreach (PrometheusLabel label in reader.Labels)
        {
            string name = names[ordinal++];
            bool isSame = label.NameIsEscaped || !Ascii.IsValid(label.Name)
                ? name == GetName(label.Name, label.NameIsEscaped)
                : Ascii.Equals(label.Name, name);
            if (!isSame)
            {
                return false;
            }
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
