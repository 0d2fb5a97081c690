using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Fal.Observability.Client.Prometheus;

/// <summary>
/// Enumerates the labels of a sample or an exemplar. Use <c>foreach</c> over <see cref="PrometheusTextReader.Labels"/>.
/// Valid until the next <see cref="PrometheusTextReader.Read"/>. The default value has no labels.
/// </summary>
public ref struct PrometheusLabelEnumerator
{
    private readonly ReadOnlySpan<byte> _data;

    // For a line of the usual form: the positions of quotes and backslashes, starting at the opening quote of the next label. A null
    // reference means that the line must be read byte by byte.
    private ref readonly ushort _index;
    private readonly int _indexBase;

    private int _remaining;
    private int _nameStart;
    private int _nameEnd;
    private int _valueStart;
    private int _valueEnd;
    private bool _nameIsEscaped;
    private bool _valueIsEscaped;

    internal PrometheusLabelEnumerator(ReadOnlySpan<byte> data, ref readonly ushort index, int indexBase, int labelsStart, int count)
        : this(data, labelsStart, count)
    {
        _index = ref index;
        _indexBase = indexBase;
    }

    internal PrometheusLabelEnumerator(ReadOnlySpan<byte> data, int labelsStart, int count)
    {
        _data = data;
        // Pretend that a label ended two bytes earlier. Between two labels there are a quote and a comma.
        _valueEnd = labelsStart - 2;
        _remaining = count;
    }

    /// <summary>The current label.</summary>
    public readonly PrometheusLabel Current
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => new(Slice(_nameStart, _nameEnd), _nameIsEscaped, Slice(_valueStart, _valueEnd), _valueIsEscaped);
    }

    internal readonly int CurrentNameStart => _nameStart;

    /// <summary>Returns this enumerator, as <c>foreach</c> requires.</summary>
    /// <returns>A copy, which starts at the current label.</returns>
    public readonly PrometheusLabelEnumerator GetEnumerator() => this;

    /// <summary>Moves to the next label.</summary>
    /// <returns>False if there is none.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool MoveNext()
    {
        if (--_remaining < 0)
        {
            return false;
        }

        if (Unsafe.IsNullRef(in _index))
        {
            ReadNext();
        }
        else
        {
            TakeNextFromIndex();
        }

        return true;
    }

    /// <summary>Returns a part of the line without a bounds check, because the reader has checked the bounds.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private readonly ReadOnlySpan<byte> Slice(int start, int end) =>
        MemoryMarshal.CreateReadOnlySpan(ref Unsafe.Add(ref MemoryMarshal.GetReference(_data), start), end - start);

    /// <summary>Reads the usual form: name, '=', quote, value, quote, and one character before the next name.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void TakeNextFromIndex()
    {
        int open = _indexBase + _index;
        int close = _indexBase + IndexAhead(1);
        _nameStart = _valueEnd + 2;
        _nameEnd = open - 1;
        _valueStart = open + 1;
        _valueEnd = close;
        _valueIsEscaped = false;
        if (Unsafe.Add(ref MemoryMarshal.GetReference(_data), close) == '\\')
        {
            FindEndBehindEscapes();
        }

        _index = ref Unsafe.Add(ref Unsafe.AsRef(in _index), 2);
    }

    private readonly ushort IndexAhead(int places) => Unsafe.Add(ref Unsafe.AsRef(in _index), places);

    private void FindEndBehindEscapes()
    {
        _valueIsEscaped = true;
        int special = _valueEnd;
        while (_data[special] == '\\')
        {
            // A backslash escapes a quote or backslash directly after it.
            int places = _indexBase + IndexAhead(2) == special + 1 ? 2 : 1;
            _index = ref Unsafe.Add(ref Unsafe.AsRef(in _index), places);
            special = _indexBase + IndexAhead(1);
        }

        _valueEnd = special;
    }

    /// <summary>Reads any other form. The reader has checked it, so nothing can be missing.</summary>
    private void ReadNext()
    {
        int next = _valueEnd + 1;
        while (true)
        {
            while (_data[next] is (byte)'{' or (byte)',' or (byte)' ' or (byte)'\t')
            {
                next++;
            }

            if (_data[next] == '"')
            {
                TakeQuoted(ref next, out _nameStart, out _nameEnd, out _nameIsEscaped);
            }
            else
            {
                _nameIsEscaped = false;
                _nameStart = next;
                next += PrometheusName.LabelNameLength(_data[next..]);
                _nameEnd = next;
            }

            SkipBlanks(ref next);
            // Quoted text without '=' is the metric name, which may be anywhere among the labels.
            if (_data[next] == '=')
            {
                break;
            }
        }

        next++;
        SkipBlanks(ref next);
        TakeQuoted(ref next, out _valueStart, out _valueEnd, out _valueIsEscaped);
    }

    private readonly void SkipBlanks(ref int next)
    {
        while (_data[next] is (byte)' ' or (byte)'\t')
        {
            next++;
        }
    }

    private readonly void TakeQuoted(ref int next, out int start, out int end, out bool isEscaped)
    {
        isEscaped = false;
        start = ++next;
        while (true)
        {
            next += PrometheusEscaping.IndexOfQuoteOrBackslash(_data[next..]) + 1;
            if (_data[next - 1] == '"')
            {
                break;
            }

            isEscaped = true;
            next++;
        }

        end = next - 1;
    }
}
