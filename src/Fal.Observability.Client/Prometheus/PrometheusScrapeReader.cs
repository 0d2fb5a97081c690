namespace Fal.Observability.Client.Prometheus;

/// <summary>
/// Reads the samples of a scrape one by one with the memory of a <see cref="PrometheusScrape"/>: on a scrape that repeats
/// the one before, nothing is allocated.
/// </summary>
/// <remarks>
/// Text format only. While one of these reads, the <see cref="PrometheusScrape"/> must not be used otherwise. Pass it by
/// reference, like <see cref="PrometheusTextReader"/>.
/// </remarks>
public ref struct PrometheusScrapeReader
{
    private readonly SeriesMemory _memory;
    private readonly Action<PrometheusSkippedLine>? _onSkippedLine;
    private PrometheusTextReader _reader;

    // The entry of the sample in the memory; -1 for one that is not remembered.
    private int _entry;
    private PrometheusSample _unremembered;

    /// <summary>Begins to read a scrape.</summary>
    /// <param name="utf8">The exposition in the text format.</param>
    /// <param name="scrape">The memory, and how to read.</param>
    /// <exception cref="ArgumentNullException"><paramref name="scrape"/> is null.</exception>
    public PrometheusScrapeReader(ReadOnlySpan<byte> utf8, PrometheusScrape scrape)
    {
        ArgumentNullException.ThrowIfNull(scrape);
        _memory = scrape.Memory;
        _onSkippedLine = scrape.TextOptions.OnSkippedLine;
        _reader = new PrometheusTextReader(utf8, scrape.TextOptions);
        _memory.Begin();
        _entry = -1;
    }

    /// <summary>The sample that <see cref="Read"/> found. It holds nothing of the input and may be kept.</summary>
    public readonly PrometheusSample Sample =>
        _entry >= 0 ? _memory.CreateSample(_entry, _reader.Value, _reader.SampleTimestamp) : _unremembered;

    /// <summary>The value of the sample.</summary>
    public readonly double Value => _reader.Value;

    /// <summary>How many malformed lines were left out so far.</summary>
    public long SkippedLineCount { get; private set; }

    /// <summary>Reads the next sample.</summary>
    /// <returns>False at the end.</returns>
    /// <exception cref="PrometheusFormatException">A line breaks the format and the options do not skip such lines.</exception>
    public bool Read() => _reader.TryReplay(_memory, skipOthers: true, out _entry) || ReadUnexpected();

    private bool ReadUnexpected()
    {
        _entry = -1;
        while (_reader.ReadUnexpected(_memory))
        {
            if (_reader.TokenType == PrometheusTokenType.Sample)
            {
                _unremembered = _memory.Recognise(in _reader);
                return true;
            }

            if (_reader.TokenType == PrometheusTokenType.Malformed)
            {
                SkippedLineCount += _reader.LineWasLost ? 1 : 0;
                _onSkippedLine?.Invoke(_reader.GetSkippedLine());
            }
            else
            {
                _memory.RecogniseOther(in _reader);
                if (_reader.TryReplay(_memory, skipOthers: true, out _entry))
                {
                    return true;
                }

                _entry = -1;
            }
        }

        _unremembered = default;
        return false;
    }
}
