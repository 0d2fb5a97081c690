namespace Fal.Observability.Client.Prometheus;

/// <summary>
/// Enumerates the labels of a sample or an exemplar, with <c>foreach</c> over <see cref="PrometheusTextReader.Labels"/>.
/// It ends with the next <see cref="PrometheusTextReader.Read"/>. The default value has no labels.
/// </summary>
public ref struct PrometheusLabelEnumerator
{
    private readonly ReadOnlySpan<byte> _data;

    // The places of quotes and backslashes, for a line in the usual form. Empty for a line to be read byte by byte.
    private readonly ReadOnlySpan<ushort> _index;
    private readonly int _indexBase;
    private int _cursor;

    private int _remaining;
    private int _next;
    private int _nameStart;
    private int _nameLength;
    private int _valueStart;
    private int _valueLength;
    private bool _nameIsEscaped;
    private bool _valueIsEscaped;

    internal PrometheusLabelEnumerator(ReadOnlySpan<byte> data, ReadOnlySpan<ushort> index, int indexBase, int labelsStart, int cursor, int count)
    {
        _data = data;
        _index = index;
        _indexBase = indexBase;
        _next = labelsStart;
        _cursor = cursor;
        _remaining = count;
    }

    internal PrometheusLabelEnumerator(ReadOnlySpan<byte> data, int labelsStart, int count)
    {
        _data = data;
        _next = labelsStart;
        _remaining = count;
    }

    /// <summary>The current label.</summary>
    public readonly PrometheusLabel Current => new(
        _data.Slice(_nameStart, _nameLength), _nameIsEscaped, _data.Slice(_valueStart, _valueLength), _valueIsEscaped);

    internal readonly int CurrentNameStart => _nameStart;

    /// <summary>This enumerator, so that <c>foreach</c> takes it.</summary>
    /// <returns>A copy, which starts where this one is.</returns>
    public readonly PrometheusLabelEnumerator GetEnumerator() => this;

    /// <summary>Goes to the next label.</summary>
    /// <returns>False when there is none.</returns>
    public bool MoveNext()
    {
        if (_remaining == 0)
            return false;
        _remaining--;
        if (_index.IsEmpty)
            ReadNext();
        else
            TakeNextFromIndex();
        return true;
    }

    /// <summary>The usual form: name, '=', quote, value, quote, and one character before the next name.</summary>
    private void TakeNextFromIndex()
    {
        int open = _indexBase + _index[_cursor++];
        _nameStart = _next;
        _nameLength = open - 1 - _next;
        _valueStart = open + 1;
        _valueIsEscaped = false;
        int special = _indexBase + _index[_cursor++];
        while (_data[special] == '\\')
        {
            _valueIsEscaped = true;
            int following = _indexBase + _index[_cursor];
            // A quote or backslash right after a backslash is escaped by it.
            if (following == special + 1)
                following = _indexBase + _index[++_cursor];
            _cursor++;
            special = following;
        }

        _valueLength = special - _valueStart;
        _next = special + 2;
    }

    /// <summary>Any form. The reader has checked it, so that nothing can be missing.</summary>
    private void ReadNext()
    {
        while (true)
        {
            SkipSeparators();
            if (_data[_next] == '"')
            {
                TakeQuoted(out _nameStart, out _nameLength, out _nameIsEscaped);
            }
            else
            {
                _nameIsEscaped = false;
                _nameStart = _next;
                _nameLength = PrometheusName.LabelNameLength(_data[_next..]);
                _next += _nameLength;
            }

            SkipBlanks();
            // Quoted text without '=' is the metric name, which may stand among the labels.
            if (_data[_next] == '=')
                break;
        }

        _next++;
        SkipBlanks();
        TakeQuoted(out _valueStart, out _valueLength, out _valueIsEscaped);
    }

    private void SkipSeparators()
    {
        while (_data[_next] is (byte)' ' or (byte)'\t' or (byte)',')
            _next++;
    }

    private void SkipBlanks()
    {
        while (_data[_next] is (byte)' ' or (byte)'\t')
            _next++;
    }

    private void TakeQuoted(out int start, out int length, out bool isEscaped)
    {
        isEscaped = false;
        start = ++_next;
        while (true)
        {
            _next += _data[_next..].IndexOfAny((byte)'"', (byte)'\\') + 1;
            if (_data[_next - 1] == '"')
                break;
            isEscaped = true;
            _next++;
        }

        length = _next - 1 - start;
    }
}
