namespace Fal.Observability.Client.Prometheus;

/// <summary>The samples of a scrape as series that other scrapes share, and values of its own.</summary>
/// <param name="series">The series. New ones are added to them.</param>
/// <param name="repeated">The scrape that has the same series in the same order; null if none is known to have.</param>
internal sealed class RepeatedStore(SeriesList series, RepeatedStore? repeated = null) : SampleStore
{
    private const int ChunkShift = 10;
    private const int ChunkLength = 1 << ChunkShift;

    private readonly List<int[]> _places = repeated?._places ?? [];
    private readonly List<ValueChunk> _values = [];
    private int _count;

    public override int Count => _count;

    public override PrometheusSample this[int index]
    {
        get
        {
            ValueChunk values = GetValues(index, out int place);
            return series[_places[index >> ChunkShift][place]].With(values.Values[place], values.TimestampOf(place));
        }
    }

    /// <summary>The values that lie together with that of a sample.</summary>
    /// <param name="index">The sample.</param>
    /// <param name="place">The place of its value among them.</param>
    public ValueChunk GetValues(int index, out int place)
    {
        place = index & (ChunkLength - 1);
        return _values[index >> ChunkShift];
    }

    /// <summary>Room for the values of the next samples, which then are to be added.</summary>
    /// <param name="place">The place of the first value.</param>
    public ValueChunk GetRoom(out int place)
    {
        place = _count & (ChunkLength - 1);
        if (_count >> ChunkShift == _values.Count)
        {
            // How many samples there are is known in advance only where they repeat others.
            _values.Add(new ValueChunk(repeated is null ? ChunkLength : Math.Min(ChunkLength, repeated.Count - _count)));
            if (repeated is null)
            {
                _places.Add(new int[ChunkLength]);
            }
        }

        return _values[^1];
    }

    public override void Add(in PrometheusSample sample)
    {
        GetRoom(out int place).Set(place, sample.Value, sample.RawTimestamp);
        _places[^1][place] = series.Add(sample);
        _count++;
    }

    /// <summary>Adds samples of known series, whose values were put where there is room for them.</summary>
    public void Add(ReadOnlySpan<RememberedLine> lines)
    {
        Span<int> places = _places[^1].AsSpan(_count & (ChunkLength - 1), lines.Length);
        for (int i = 0; i < places.Length; i++)
        {
            places[i] = lines[i].Series;
        }

        _count += lines.Length;
    }

    /// <summary>Adds samples that repeat those of the other scrape, whose values were put where there is room for them.</summary>
    public void AddRepeated(int count) => _count += count;

    public override void End()
    {
    }
}

/// <summary>Some values in a row, with their timestamps.</summary>
internal sealed class ValueChunk(int length)
{
    public readonly double[] Values = GC.AllocateUninitializedArray<double>(length);

    // Few expositions have timestamps.
    private long[]? _timestamps;

    public long TimestampOf(int index) => _timestamps is null ? PrometheusSample.NoTimestamp : _timestamps[index];

    public void Set(int index, double value, long timestamp)
    {
        Values[index] = value;
        if (timestamp != PrometheusSample.NoTimestamp)
        {
            if (_timestamps is null)
            {
                _timestamps = new long[Values.Length];
                _timestamps.AsSpan().Fill(PrometheusSample.NoTimestamp);
            }

            _timestamps[index] = timestamp;
        }
    }
}

/// <summary>Series that are only ever added: one thread may add while others read what they know to be there.</summary>
internal sealed class SeriesList
{
    private const int ChunkShift = 8;
    private const int ChunkLength = 1 << ChunkShift;

    private PrometheusSample[][] _chunks = [];

    public int Count { get; private set; }

    public ref readonly PrometheusSample this[int place] => ref _chunks[place >> ChunkShift][place & (ChunkLength - 1)];

    /// <summary>Adds a series.</summary>
    /// <returns>Its place.</returns>
    public int Add(in PrometheusSample sample)
    {
        int chunk = Count >> ChunkShift;
        if (chunk == _chunks.Length)
        {
            Array.Resize(ref _chunks, Math.Max(4, 2 * chunk));
        }

        (_chunks[chunk] ??= new PrometheusSample[ChunkLength])[Count & (ChunkLength - 1)] = sample;
        return Count++;
    }
}
