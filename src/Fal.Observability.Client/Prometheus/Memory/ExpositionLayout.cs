using System.Collections;

namespace Fal.Observability.Client.Prometheus;

/// <summary>
/// All that expositions have in common whose lines differ in their values only. Whoever works something out from the families
/// and series of one may keep it for as long as the layout stays the same object.
/// </summary>
internal sealed class ExpositionLayout
{
    private readonly Family[] _families;
    private readonly Dictionary<string, int> _places;
    private readonly int _version;
    private SampleSeries[][]? _series;

    /// <summary>Creates the layout of the scrape that a memory has read last.</summary>
    /// <param name="families">The families in their order, each with its place in the samples of the script.</param>
    /// <param name="memory">The memory.</param>
    internal ExpositionLayout(Family[] families, SeriesMemory memory)
    {
        _families = families;
        _version = memory.Version;
        _places = PrometheusExposition.PlacesOf(families.Select(family => family.Name));
    }

    /// <summary>A family without its samples, which are so many in a row.</summary>
    internal readonly record struct Family(string Name, MetricType Type, string? Help, int FirstSample, int SampleCount);

    /// <summary>Reads an exposition that has this layout, the last that was read having had it too.</summary>
    /// <returns>The exposition; null if it is another one.</returns>
    internal PrometheusExposition? TryRead(ReadOnlySpan<byte> utf8, SeriesMemory memory, PrometheusParserOptions options)
    {
        if (_version != memory.Version)
        {
            return null;
        }

        var values = new SampleValues(memory.Script.SampleCount);
        var reader = new PrometheusTextReader(utf8, options);
        memory.Begin();
        if (!reader.TryRepeat(memory, values))
        {
            return null;
        }

        _series ??= memory.GetSeries();
        var families = new MetricFamily[_families.Length];
        for (int i = 0; i < families.Length; i++)
        {
            Family family = _families[i];
            families[i] = new MetricFamily(family.Name, family.Type,
                family.SampleCount == 0 ? [] : new Samples(_series, values, family.FirstSample, family.SampleCount), family.Help);
        }

        return Expose(families);
    }

    /// <summary>An exposition that has this layout, in which no line was skipped.</summary>
    internal PrometheusExposition Expose(MetricFamily[] families) => new(families, this, _places);

    /// <summary>The samples of a family: series of the layout, values of one exposition.</summary>
    internal sealed class Samples(SampleSeries[][] series, SampleValues values, int first, int count) : IReadOnlyList<PrometheusSample>
    {
        public int Count => count;

        public PrometheusSample this[int index]
        {
            get
            {
                ArgumentOutOfRangeException.ThrowIfNegative(index);
                ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, count);
                int sample = first + index;
                int place = SampleValues.PlaceInChunk(sample);
                (SampleShape shape, string[] labelValues) = series[sample >> SampleValues.ChunkShift][place];
                ValueChunk chunk = values.ChunkOf(sample);
                return new PrometheusSample(shape, labelValues, chunk.Values[place], chunk.TimestampOf(place));
            }
        }

        /// <summary>The values and timestamps from a sample on, as many as lie together.</summary>
        /// <param name="index">The sample.</param>
        /// <param name="chunk">Where they lie, with their timestamps.</param>
        /// <param name="place">The place of the sample there.</param>
        /// <returns>How many there are.</returns>
        internal int GetValues(int index, out ValueChunk chunk, out int place)
        {
            chunk = values.ChunkOf(first + index);
            place = SampleValues.PlaceInChunk(first + index);
            return Math.Min(count - index, chunk.Values.Length - place);
        }

        public IEnumerator<PrometheusSample> GetEnumerator()
        {
            for (int i = 0; i < count; i++)
            {
                yield return this[i];
            }
        }

        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
    }
}
