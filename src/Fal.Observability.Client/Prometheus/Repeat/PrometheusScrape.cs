namespace Fal.Observability.Client.Prometheus;

/// <summary>
/// Parses the scrapes of one source one after the other, and remembers the series of the last: a line that is there again
/// costs only the reading of its number, and no string. The results are the same as without the memory.
/// </summary>
/// <remarks>
/// <para>
/// The memory holds one to two times the bytes of one scrape, and the samples of the last scrape. A scrape that differs from the last
/// in its values only shares everything but the values with it. Of any other scrape, the lines that are not found in their place or a few
/// lines further are parsed anew.
/// </para>
/// <para>
/// Not safe for use from several threads at a time. Results that were handed out do not change and may be shared.
/// </para>
/// </remarks>
public sealed class PrometheusScrape
{
    /// <summary>The default of the memory's limit: 128 MiB.</summary>
    public const long DefaultMaxRememberedBytes = 128 * 1024 * 1024;

    /// <summary>From so many bytes on, that are parsed at a time, it pays to make equal label values one string.</summary>
    private const int LeastPooledBytes = 1024;

    private readonly PrometheusParserOptions _options;
    private readonly PrometheusParserOptions _textOptions;
    private readonly ScrapeMemory _memory;

    // The families that the next scrape may repeat.
    private PrometheusExposition? _families;

    /// <summary>Creates the parser with an empty memory.</summary>
    /// <param name="options">How to read. If null, <see cref="PrometheusParserOptions.Strict"/>.</param>
    /// <param name="maxRememberedBytes">
    /// How many bytes the memory may hold, roughly, strings aside. A scrape beyond it is read without being remembered.
    /// The default is <see cref="DefaultMaxRememberedBytes"/>; 0 remembers nothing.
    /// </param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="maxRememberedBytes"/> is negative.</exception>
    public PrometheusScrape(PrometheusParserOptions? options = null, long maxRememberedBytes = DefaultMaxRememberedBytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(maxRememberedBytes);
        _options = options ?? PrometheusParserOptions.Strict;
        _textOptions = _options.Format == PrometheusFormat.Text ? _options : _options with { Format = PrometheusFormat.Text };
        _memory = new ScrapeMemory(maxRememberedBytes, _options.MaxLineLength);
    }

    /// <summary>The number of lines remembered.</summary>
    public int RememberedLines => _memory.LineCount;

    /// <summary>Parses the samples of a scrape.</summary>
    /// <param name="utf8">The exposition.</param>
    /// <returns>The samples.</returns>
    /// <exception cref="PrometheusFormatException">A line breaks the format and the options do not skip such lines.</exception>
    public PrometheusSamples ParseSamples(ReadOnlySpan<byte> utf8)
    {
        if (!IsText(utf8))
        {
            return PrometheusTextParser.ParseSamples(utf8, _options);
        }

        if (_memory.TryRepeat(utf8) is { } repeated)
        {
            return new PrometheusSamples(new SampleRange(repeated, 0, repeated.Count), [], 0);
        }

        using var builder = new SampleListBuilder(_textOptions) { Lines = _memory, Samples = Begin() };
        Read(utf8, builder);
        _families = null;
        return builder.Build();
    }

    /// <summary>Parses the metric families of a scrape.</summary>
    /// <param name="utf8">The exposition.</param>
    /// <returns>The families.</returns>
    /// <exception cref="PrometheusFormatException">A line breaks the format and the options do not skip such lines.</exception>
    public PrometheusExposition ParseFamilies(ReadOnlySpan<byte> utf8)
    {
        if (!IsText(utf8))
        {
            return PrometheusTextParser.ParseFamilies(utf8, _options);
        }

        if (_families is not null && _memory.TryRepeat(utf8) is { } repeated)
        {
            return _families.Repeat(repeated);
        }

        using var builder = new TextFamilyBuilder(_textOptions) { Lines = _memory, Samples = Begin() };
        Read(utf8, builder);
        PrometheusExposition exposition = builder.Build();
        _families = _memory.RemembersAll && exposition.TryBeginLayout() ? exposition : null;
        return exposition;
    }

    /// <summary>Gives the memory back. The next scrape is read as the first was.</summary>
    public void Forget()
    {
        _families = null;
        _memory.Clear();
    }

    /// <summary>Begins a scrape that differs from the last one in more than its values.</summary>
    private RepeatedStore Begin()
    {
        _memory.Begin();
        return new RepeatedStore(_memory.Series);
    }

    /// <summary>Reads that scrape: expected lines with the memory, others with the builder.</summary>
    private void Read(ReadOnlySpan<byte> utf8, ExpositionBuilder builder)
    {
        var samples = (RepeatedStore)builder.Samples;
        int parsed = 0;
        while (_memory.Position < utf8.Length)
        {
            int start = _memory.Position;
            ReadOnlySpan<RememberedLine> lines = _memory.TakeExpected(utf8, samples);
            if (lines.Length > 0)
            {
                Add(lines, samples, builder as TextFamilyBuilder);
                builder.PassRepeated(lines.Length, _memory.Position - start);
                parsed = 0;
            }
            else if (!_memory.TryFindAhead(utf8))
            {
                // Lines that were not expected come in runs: each time, twice as many bytes are parsed before the place is looked for.
                parsed = _memory.LineCount == 0 ? utf8.Length : 2 * parsed + 1;
                int newline = parsed >= utf8.Length - start ? -1 : utf8[(start + parsed - 1)..].IndexOf((byte)'\n');
                int end = newline < 0 ? utf8.Length : start + parsed + newline;
                parsed = end - start;
                builder.Factory.PoolsValues = parsed >= LeastPooledBytes;
                builder.Append(utf8[start..end], isFinalBlock: end == utf8.Length);
                _memory.Position = end;
            }
        }

        _memory.End(samples, isWhole: !builder.HasReported);
    }

    /// <summary>Adds samples of expected lines. Families must know where another name begins.</summary>
    private void Add(ReadOnlySpan<RememberedLine> lines, RepeatedStore samples, TextFamilyBuilder? families)
    {
        for (int first = 0, next = lines.Length; first < lines.Length; first = next)
        {
            if (families is not null)
            {
                string name = _memory.Series[lines[first].Series].Name;
                for (next = first + 1; next < lines.Length && ReferenceEquals(_memory.Series[lines[next].Series].Name, name);)
                {
                    next++;
                }

                families.BeginName(name);
            }

            samples.Add(lines[first..next]);
        }
    }

    /// <summary>OpenMetrics repeats as well, but its lines mean something in their context only: it is read without the memory.</summary>
    private bool IsText(ReadOnlySpan<byte> utf8) => _options.Format switch
    {
        PrometheusFormat.Detect => !PrometheusTextReader.EndsLikeOpenMetrics(utf8),
        var format => format == PrometheusFormat.Text,
    };
}
