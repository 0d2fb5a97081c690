namespace Fal.Observability.Client.Prometheus;

/// <summary>
/// Parses the scrapes of one source one after the other, and remembers the series of the last: a line that is there again
/// costs only the reading of its number, and no string. The results are the same as without the memory.
/// </summary>
/// <remarks>
/// <para>
/// The memory holds about twice the bytes of one scrape without its values, and the strings made of them. Series that disappear
/// are forgotten once they outnumber the others. Families of a scrape that differs from the last in its values only share all
/// but the values with it.
/// </para>
/// <para>
/// Not safe for use from several threads at a time. Results that were handed out do not change and may be shared.
/// </para>
/// </remarks>
public sealed class PrometheusScrape
{
    /// <summary>The default of the memory's limit: 128 MiB.</summary>
    public const long DefaultMaxRememberedBytes = 128 * 1024 * 1024;

    private readonly PrometheusParserOptions _options;

    // The layout of the families that were parsed last, if the next may have it too.
    private ExpositionLayout? _layout;

    /// <summary>Creates the parser with an empty memory.</summary>
    /// <param name="options">How to read. If null, <see cref="PrometheusParserOptions.Strict"/>.</param>
    /// <param name="maxRememberedBytes">
    /// How much the memory may hold, roughly, the strings aside. Beyond it, further series are read without being remembered.
    /// The default is <see cref="DefaultMaxRememberedBytes"/>; 0 remembers nothing.
    /// </param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="maxRememberedBytes"/> is negative.</exception>
    public PrometheusScrape(PrometheusParserOptions? options = null, long maxRememberedBytes = DefaultMaxRememberedBytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(maxRememberedBytes);
        _options = options ?? PrometheusParserOptions.Strict;
        TextOptions = _options.Format == PrometheusFormat.Text ? _options : _options with { Format = PrometheusFormat.Text };
        Memory = new SeriesMemory(maxRememberedBytes);
    }

    /// <summary>The number of lines remembered.</summary>
    public int RememberedLines => Memory.Count;

    internal SeriesMemory Memory { get; }

    internal PrometheusParserOptions TextOptions { get; }

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

        using var builder = new SampleListBuilder(TextOptions, Memory);
        Memory.Begin();
        builder.Append(utf8, isFinalBlock: true);
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

        if (_layout?.TryRead(utf8, Memory, TextOptions) is { } repeated)
        {
            return repeated;
        }

        using var builder = new TextFamilyBuilder(TextOptions, Memory);
        Memory.Begin();
        builder.Append(utf8, isFinalBlock: true);
        PrometheusExposition exposition = builder.Build();
        _layout = exposition.Layout as ExpositionLayout;
        return exposition;
    }

    /// <summary>Gives the memory back. The next scrape is read as the first was.</summary>
    public void Forget()
    {
        _layout = null;
        Memory.Clear();
    }

    /// <summary>OpenMetrics repeats as well, but its lines mean something in their context only: it is read without the memory.</summary>
    internal bool IsText(ReadOnlySpan<byte> utf8) => _options.Format switch
    {
        PrometheusFormat.Detect => !PrometheusTextReader.EndsLikeOpenMetrics(utf8),
        var format => format == PrometheusFormat.Text,
    };
}
