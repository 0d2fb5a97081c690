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

    // The sample, if it is not one that the memory shows.
    private bool _isUnremembered;
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
        _isUnremembered = true;
    }

    /// <summary>The sample that <see cref="Read"/> found. It holds nothing of the input and may be kept.</summary>
    public readonly PrometheusSample Sample => _isUnremembered ? _unremembered : _memory.Shown;

    /// <summary>The value of the sample.</summary>
    public readonly double Value => _isUnremembered ? _unremembered.Value : _memory.ShownValue;

    /// <summary>How many malformed lines were left out so far.</summary>
    public long SkippedLineCount { get; private set; }

    /// <summary>Reads the next sample.</summary>
    /// <returns>False at the end.</returns>
    /// <exception cref="PrometheusFormatException">A line breaks the format and the options do not skip such lines.</exception>
    public bool Read()
    {
        if (_reader.TryReplay(_memory, skipOthers: true))
        {
            _isUnremembered = false;
            return true;
        }

        return ReadUnexpected();
    }

    private bool ReadUnexpected()
    {
        _isUnremembered = true;
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
            }

            if (_reader.TryReplay(_memory, skipOthers: true))
            {
                _isUnremembered = false;
                return true;
            }
        }

        _unremembered = default;
        _memory.End();
        return false;
    }
}
