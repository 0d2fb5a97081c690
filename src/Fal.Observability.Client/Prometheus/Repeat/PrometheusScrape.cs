namespace Fal.Observability.Client.Prometheus;

/// <summary>
/// Parses consecutive scrapes of one source, and remembers the series of the last scrape. For a line that repeats, it only reads the
/// number and allocates no string. The results are the same as without the memory.
/// </summary>
/// <remarks>
/// <para>
/// The memory takes one to two times the bytes of one scrape, and contains the samples of the last scrape. If a scrape differs from the
/// last one only in its values, the two results share everything except the values. Otherwise, a line is parsed again if it is neither
/// in its expected place nor a few lines further.
/// </para>
/// <para>
/// Not thread-safe. Returned results do not change and can be shared between threads.
/// </para>
/// </remarks>
public sealed class PrometheusScrape
{
    /// <summary>The default limit of the memory, in bytes: 128 MiB.</summary>
    public const long DefaultMaxRememberedBytes = 128 * 1024 * 1024;

    /// <summary>
    /// The smallest number of bytes, parsed in one piece, for which turning equal label values into one string saves time.
    /// </summary>
    private const int LeastPooledBytes = 1024;

    private readonly PrometheusParserOptions _options;
    private readonly PrometheusParserOptions _textOptions;
    private readonly ScrapeMemory _memory;

    // The families of the last scrape, which the next scrape may repeat.
    private PrometheusExposition? _families;

    /// <summary>Creates the parser with an empty memory.</summary>
    /// <param name="options">The options. If null, <see cref="PrometheusParserOptions.Strict"/>.</param>
    /// <param name="maxRememberedBytes">
    /// The approximate limit of the memory in bytes, without strings. A larger scrape is read but not remembered. At least 0.
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
    /// <exception cref="PrometheusFormatException">A line is malformed, and the options do not skip malformed lines.</exception>
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
    /// <exception cref="PrometheusFormatException">A line is malformed, and the options do not skip malformed lines.</exception>
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

    /// <summary>Clears the memory. The next scrape is read like the first one.</summary>
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

    /// <summary>Reads such a scrape: expected lines with the memory, all others with the builder.</summary>
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
                // Unexpected lines are often consecutive. Double the number of bytes to parse before each additional search.
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

    /// <summary>Adds samples of expected lines. A family builder must know where the name changes.</summary>
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

    /// <summary>
    /// Whether the memory can be used. In OpenMetrics, the meaning of a line depends on the lines before it, so it cannot.
    /// </summary>
    private bool IsText(ReadOnlySpan<byte> utf8) => _options.Format switch
    {
        PrometheusFormat.Detect => !PrometheusTextReader.EndsLikeOpenMetrics(utf8),
        var format => format == PrometheusFormat.Text,
    };
}
