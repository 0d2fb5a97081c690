namespace Fal.Observability.Client.Prometheus;

/// <summary>The samples of a scrape: series that it shares with other scrapes, and its own values.</summary>
/// <param name="series">The shared series. New series are added.</param>
/// <param name="repeated">A scrape with the same series in the same order; null if none is known.</param>
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

    /// <summary>Returns the chunk that contains the value of a sample.</summary>
    /// <param name="index">The index of the sample.</param>
    /// <param name="place">The index of its value in the chunk.</param>
    public ValueChunk GetValues(int index, out int place)
    {
        place = index & (ChunkLength - 1);
        return _values[index >> ChunkShift];
    }

    /// <summary>Returns the chunk for the values of the next samples. The caller writes the values, then adds the samples.</summary>
    /// <param name="place">The index of the first value in the chunk.</param>
    public ValueChunk GetRoom(out int place)
    {
        place = _count & (ChunkLength - 1);
        if (_count >> ChunkShift == _values.Count)
        {
            // The number of samples is known in advance only if they repeat those of another scrape.
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

    /// <summary>Adds samples of known series. Their values are already in the chunk of <see cref="GetRoom"/>.</summary>
    public void Add(ReadOnlySpan<RememberedLine> lines)
    {
        Span<int> places = _places[^1].AsSpan(_count & (ChunkLength - 1), lines.Length);
        for (int i = 0; i < places.Length; i++)
        {
            places[i] = lines[i].Series;
        }

        _count += lines.Length;
    }

    /// <summary>Adds samples that repeat the other scrape. Their values are already in the chunk of <see cref="GetRoom"/>.</summary>
    public void AddRepeated(int count) => _count += count;

    public override void End()
    {
    }
}

/// <summary>Consecutive values and their timestamps.</summary>
internal sealed class ValueChunk(int length)
{
    public readonly double[] Values = GC.AllocateUninitializedArray<double>(length);

    // Created with the first timestamp, because few expositions have any.
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

/// <summary>A list of series that only grows. One thread may add series while other threads read existing ones.</summary>
internal sealed class SeriesList
{
    private const int ChunkShift = 8;
    private const int ChunkLength = 1 << ChunkShift;

    private PrometheusSample[][] _chunks = [];

    public int Count { get; private set; }

    public ref readonly PrometheusSample this[int place] => ref _chunks[place >> ChunkShift][place & (ChunkLength - 1)];

    /// <summary>Adds a series.</summary>
    /// <returns>Its index.</returns>
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
