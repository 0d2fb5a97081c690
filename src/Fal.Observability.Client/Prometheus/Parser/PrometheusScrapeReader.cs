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
    private readonly SeriesMemory? _memory;
    private readonly Action<PrometheusSkippedLine>? _onSkippedLine;
    private PrometheusTextReader _reader;

    // The values of the samples read ahead, and the place of the one that is shown.
    private ReadOnlySpan<double> _run;
    private int _shown;

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
    }

    /// <summary>The sample that <see cref="Read"/> found. It holds nothing of the input and may be kept.</summary>
    public readonly PrometheusSample Sample => _run.IsEmpty ? default : _memory!.SampleOfRun(_shown);

    /// <summary>The value of the sample.</summary>
    public readonly double Value => _run.IsEmpty ? 0 : _run[_shown];

    /// <summary>How many malformed lines were left out so far.</summary>
    public long SkippedLineCount { get; private set; }

    /// <summary>Reads the next sample.</summary>
    /// <returns>False at the end.</returns>
    /// <exception cref="PrometheusFormatException">A line breaks the format and the options do not skip such lines.</exception>
    public bool Read() => ++_shown < _run.Length || ReadRun();

    private bool ReadRun()
    {
        // The default value reads nothing.
        if (_memory is null)
        {
            return false;
        }

        bool isRead = _reader.TryReplay(_memory, skipOthers: true);
        while (!isRead && _reader.ReadUnexpected(_memory))
        {
            if (_reader.TokenType == PrometheusTokenType.Sample)
            {
                _memory.RunOne(_memory.Recognise(in _reader));
                isRead = true;
                continue;
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

            isRead = _reader.TryReplay(_memory, skipOthers: true);
        }

        if (!isRead)
        {
            _memory.End();
        }

        _run = isRead ? _memory.Run : [];
        _shown = 0;
        return isRead;
    }
}
