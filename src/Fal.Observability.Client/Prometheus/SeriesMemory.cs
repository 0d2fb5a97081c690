using System.Numerics;

namespace Fal.Observability.Client.Prometheus;

/// <summary>
/// The lines of the last scrape up to their values, in their order, with what was made of them. One scrape is mostly the
/// one before with other values: then each line is the one that is expected, and only its number is read.
/// </summary>
/// <remarks>
/// <para>
/// The expected line is recognised by all its bytes, so nothing can be mistaken. Where another one stands, the lines just
/// after the expected one are tried, in case it is gone; else the line is read as ever and looked up by a hash of its
/// bytes, the bytes compared; else it is new and remembered. From there on its successor is expected.
/// </para>
/// <para>A line is remembered for what its bytes mean under one set of options, so a memory serves one set only.</para>
/// </remarks>
internal sealed class SeriesMemory(long maxBytes)
{
    /// <summary>How many lines may be gone before the next is looked up instead of tried.</summary>
    internal const int Lookahead = 2;

    /// <summary>So many bytes may be read behind any place in <see cref="Text"/>.</summary>
    private const int Slack = 64;

    private const int BytesPerEntry = 64;

    private readonly SampleFactory _factory = new();
    private int[] _buckets = [];
    private uint[] _hashes = [];
    private int[] _bucketNext = [];
    private int _textLength;
    private int _first = -1;

    // Fields, because the replay of a line has few cycles to spend.
    internal byte[] Text = new byte[Slack];
    internal Entry[] Entries = [];
    internal int Expected = -1; // The entry that should come next; -1 if nothing is expected.
    private int _last = -1;
    private int _misses;
    private long _linesAtLastMiss;

    /// <summary>A remembered line. Without a shape it is no sample but a comment or a blank line, with its line feed.</summary>
    internal struct Entry
    {
        internal int TextStart;
        internal int TextLength;
        internal int Next;
        internal SampleShape? Shape;
        internal string[] LabelValues;
    }

    internal int Count { get; private set; }

    /// <summary>Whether the last lines were not the expected ones, so that reading them in bulk pays.</summary>
    internal bool IsLost => _misses > 8;

    internal SampleFactory Factory => _factory;

    /// <summary>A new scrape begins.</summary>
    internal void Begin()
    {
        // What disappeared stays until it outweighs what is there: to forget all and learn anew is simpler than to sort it out.
        // The last miss of a scrape is its end.
        if (Count > 2 * _linesAtLastMiss + 1024)
        {
            Clear();
        }

        _linesAtLastMiss = 0;
        _misses = Count == 0 ? int.MaxValue / 2 : 0;
        _last = -1;
        Expected = _first;
    }

    internal void Clear()
    {
        Text = new byte[Slack];
        Entries = [];
        _buckets = [];
        _hashes = [];
        _bucketNext = [];
        Count = _textLength = 0;
        _first = _last = Expected = -1;
    }

    /// <summary>The expected line has come, or one close after it.</summary>
    internal void Advance(int entry)
    {
        if (entry != Expected)
        {
            Link(entry);
        }

        AdvanceTo(entry, Entries[entry].Next);
    }

    internal void AdvanceTo(int entry, int next)
    {
        _last = entry;
        Expected = next;
    }

    /// <summary>The line that stands here is not the expected one, after so many lines of this scrape.</summary>
    internal void NoteMiss(long linesRead)
    {
        if (linesRead > _linesAtLastMiss + 1)
        {
            _misses = 0;
        }

        _linesAtLastMiss = linesRead;
    }

    internal PrometheusSample CreateSample(int entry, double value, long timestamp) =>
        new(Entries[entry].Shape!, Entries[entry].LabelValues, value, timestamp);

    /// <summary>The sample of a line that was not expected.</summary>
    internal PrometheusSample Recognise(scoped ref readonly PrometheusTextReader reader)
    {
        ReadOnlySpan<byte> series = reader.SeriesBytes;
        // With an exemplar, the shape belongs to the sample alone; without a bound, the next byte could belong to the name.
        if (reader.HasExemplar || series.IsEmpty || series[^1] is not ((byte)' ' or (byte)'\t' or (byte)'}'))
        {
            _misses++;
            return _factory.Create(in reader);
        }

        int entry = Find(series, out uint hash);
        if (entry >= 0)
        {
            // The factory did not see this sample, so it must not take the next for one like it.
            _factory.ForgetShape();
            Come(entry);
            return CreateSample(entry, reader.Value, reader.SampleTimestamp);
        }

        PrometheusSample sample = _factory.Create(in reader);
        Learn(series, hash, sample.Shape, sample.LabelValues!);
        return sample;
    }

    /// <summary>Takes note of a line that is no sample.</summary>
    internal void RecogniseOther(scoped ref readonly PrometheusTextReader reader)
    {
        // The end of an exposition changes what may follow, and a line without its line feed may not be the whole line.
        ReadOnlySpan<byte> lineWithFeed = reader.LineWithFeed;
        if (reader.TokenType == PrometheusTokenType.EndOfExposition || !lineWithFeed.EndsWith("\n"u8) || lineWithFeed.EndsWith("\r\n"u8))
        {
            return;
        }

        int entry = Find(lineWithFeed, out uint hash);
        if (entry >= 0)
        {
            Come(entry);
        }
        else
        {
            Learn(lineWithFeed, hash, null, []);
        }
    }

    private void Come(int entry)
    {
        _misses = entry == Expected ? 0 : _misses + 1;
        Advance(entry);
    }

    private void Link(int entry)
    {
        if (_last >= 0)
        {
            Entries[_last].Next = entry;
        }
        else
        {
            _first = entry;
        }
    }

    /// <summary>The entry of a line up to its value; -1 if it is not remembered.</summary>
    internal int Find(ReadOnlySpan<byte> bytes, out uint hash)
    {
        hash = Utf8Hash.Compute(bytes);
        if (Count == 0)
        {
            return -1;
        }

        int entry = _buckets[hash & (uint)(_buckets.Length - 1)] - 1;
        while (entry >= 0 && (_hashes[entry] != hash || !Text.AsSpan(Entries[entry].TextStart, Entries[entry].TextLength).SequenceEqual(bytes)))
        {
            entry = _bucketNext[entry];
        }

        return entry;
    }

    private void Learn(ReadOnlySpan<byte> bytes, uint hash, SampleShape? shape, string[] labelValues)
    {
        _misses++;
        if ((long)_textLength + bytes.Length + (long)Count * BytesPerEntry > maxBytes)
        {
            return;
        }

        if (Count == Entries.Length)
        {
            Grow();
        }

        if (_textLength + bytes.Length + Slack > Text.Length)
        {
            var larger = new byte[Math.Max(_textLength + bytes.Length + Slack, (int)Math.Min(Array.MaxLength, Text.Length * 2L))];
            Text.AsSpan(0, _textLength).CopyTo(larger);
            Text = larger;
        }

        int entry = Count++;
        bytes.CopyTo(Text.AsSpan(_textLength));
        Entries[entry] = new Entry { TextStart = _textLength, TextLength = bytes.Length, Next = Expected, Shape = shape, LabelValues = labelValues };
        _hashes[entry] = hash;
        _textLength += bytes.Length;
        Chain(entry);
        Link(entry);
        _last = entry;
    }

    private void Grow()
    {
        int capacity = Math.Max(256, Entries.Length * 2);
        Array.Resize(ref Entries, capacity);
        Array.Resize(ref _hashes, capacity);
        Array.Resize(ref _bucketNext, capacity);
        _buckets = new int[BitOperations.RoundUpToPowerOf2((uint)capacity)];
        for (int i = 0; i < Count; i++)
        {
            Chain(i);
        }
    }

    private void Chain(int entry)
    {
        ref int bucket = ref _buckets[_hashes[entry] & (uint)(_buckets.Length - 1)];
        _bucketNext[entry] = bucket - 1;
        bucket = entry + 1;
    }
}
