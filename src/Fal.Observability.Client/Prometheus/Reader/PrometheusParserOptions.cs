namespace Fal.Observability.Client.Prometheus;

/// <summary>How to read an exposition. Immutable; derive a variation with a <c>with</c> expression.</summary>
public sealed record PrometheusParserOptions
{
    private readonly PrometheusFormat _format;
    private readonly int _maxLineLength = 1024 * 1024;
    private readonly int _maxLabels = 1024;
    private readonly int _maxRecordedSkippedLines = 100;

    /// <summary>Options that throw at the first line that breaks the format. Used where no options are given.</summary>
    public static PrometheusParserOptions Strict { get; } = new();

    /// <summary>Options that skip and report a line that breaks the format and keep every other line.</summary>
    public static PrometheusParserOptions Lenient { get; } = new() { SkipMalformedLines = true };

    /// <summary>The format to read.</summary>
    /// <value>The default is <see cref="PrometheusFormat.Detect"/>.</value>
    /// <exception cref="ArgumentOutOfRangeException">The value is not one of the named formats.</exception>
    public PrometheusFormat Format
    {
        get => _format;
        init
        {
            if (value is < PrometheusFormat.Detect or > PrometheusFormat.OpenMetrics)
            {
                throw new ArgumentOutOfRangeException(nameof(value), value, "Unknown format. Use a named value of PrometheusFormat.");
            }

            _format = value;
        }
    }

    /// <summary>
    /// Whether a line that breaks the format is skipped and reported. If not, reading stops there with a
    /// <see cref="PrometheusFormatException"/>.
    /// </summary>
    /// <remarks>
    /// A carriage return before a line feed and a leading byte order mark break the format too, but lose nothing: they
    /// are ignored, and reported once each with <see cref="PrometheusSkippedLine.WasKept"/> set.
    /// </remarks>
    /// <value>The default is false.</value>
    public bool SkipMalformedLines { get; init; }

    /// <summary>The longest line accepted, in bytes without its line feed. A longer one counts as malformed.</summary>
    /// <value>At least 1. The default is 1,048,576. It bounds the memory that reading a stream needs.</value>
    /// <exception cref="ArgumentOutOfRangeException">The value is less than 1.</exception>
    public int MaxLineLength
    {
        get => _maxLineLength;
        init
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, 1);
            _maxLineLength = value;
        }
    }

    /// <summary>The most labels accepted on a sample or an exemplar. A sample with more counts as malformed.</summary>
    /// <value>At least 0. The default is 1,024.</value>
    /// <exception cref="ArgumentOutOfRangeException">The value is negative.</exception>
    public int MaxLabels
    {
        get => _maxLabels;
        init
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value);
            _maxLabels = value;
        }
    }

    /// <summary>
    /// How many skipped lines a result keeps to show, the first ones. Their number is counted without bound, and
    /// <see cref="OnSkippedLine"/> is told of every one.
    /// </summary>
    /// <value>At least 0. The default is 100.</value>
    /// <exception cref="ArgumentOutOfRangeException">The value is negative.</exception>
    public int MaxRecordedSkippedLines
    {
        get => _maxRecordedSkippedLines;
        init
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value);
            _maxRecordedSkippedLines = value;
        }
    }

    /// <summary>
    /// Called for each line that <see cref="SkipMalformedLines"/> skips or repairs, on the thread that reads, before the
    /// lines that follow. This is how the streaming methods report; the others report in their result as well.
    /// </summary>
    /// <value>The default is null: nobody is called.</value>
    public Action<PrometheusSkippedLine>? OnSkippedLine { get; init; }

    /// <summary>The same options, with the format that an HTTP response declares.</summary>
    /// <param name="contentType">
    /// The value of the <c>Content-Type</c> header. <c>application/openmetrics-text</c> means OpenMetrics,
    /// <c>text/plain</c>, another type or none means the text format. So does Prometheus 2. Prometheus 3 fails the scrape for
    /// another type or none, unless <c>fallback_scrape_protocol</c> names a format.
    /// </param>
    /// <returns>Options for that format.</returns>
    public PrometheusParserOptions WithContentType(string? contentType)
    {
        ReadOnlySpan<char> mediaType = contentType;
        int parameters = mediaType.IndexOf(';');
        if (parameters >= 0)
        {
            mediaType = mediaType[..parameters];
        }

        bool openMetrics = mediaType.Trim().Equals("application/openmetrics-text", StringComparison.OrdinalIgnoreCase);
        return this with { Format = openMetrics ? PrometheusFormat.OpenMetrics : PrometheusFormat.Text };
    }
}
