namespace Fal.Observability.Client.Prometheus;

/// <summary>The options of the parser. Immutable; use a <c>with</c> expression to create a variation.</summary>
public sealed record PrometheusParserOptions
{
    private readonly PrometheusFormat _format;
    private readonly int _maxLineLength = 1024 * 1024;
    private readonly int _maxLabels = 1024;
    private readonly int _maxRecordedSkippedLines = 100;

    /// <summary>Options that throw at the first malformed line. The default of all methods.</summary>
    public static PrometheusParserOptions Strict { get; } = new();

    /// <summary>Options that skip and report malformed lines, and keep all other lines.</summary>
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
    /// Whether to skip and report malformed lines. If false, the first malformed line throws a
    /// <see cref="PrometheusFormatException"/>.
    /// </summary>
    /// <remarks>
    /// A carriage return before a line feed and a leading byte order mark are malformed too, but nothing is lost. They are ignored,
    /// and each is reported once, with <see cref="PrometheusSkippedLine.WasKept"/> set.
    /// </remarks>
    /// <value>The default is false.</value>
    public bool SkipMalformedLines { get; init; }

    /// <summary>The longest accepted line, in bytes without its line feed. A longer line is malformed.</summary>
    /// <value>At least 1. The default is 1,048,576. It limits the memory that reading a stream needs.</value>
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

    /// <summary>The largest accepted number of labels of a sample or an exemplar. A sample with more is malformed.</summary>
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
    /// The number of skipped lines that a result describes, starting with the first. The total number is not limited, and
    /// <see cref="OnSkippedLine"/> is called for every one.
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
    /// Called for each line that is skipped or repaired (<see cref="SkipMalformedLines"/>), on the reading thread, before later lines
    /// are read. Streaming methods report only here. The other methods also report in their result.
    /// </summary>
    /// <value>The default is null: no callback.</value>
    public Action<PrometheusSkippedLine>? OnSkippedLine { get; init; }

    /// <summary>Returns a copy of the options with the format that an HTTP response declares.</summary>
    /// <param name="contentType">
    /// The value of the <c>Content-Type</c> header. <c>application/openmetrics-text</c> means OpenMetrics. <c>text/plain</c>, any other
    /// type, or no type means the text format, as in Prometheus 2. In Prometheus 3, a scrape with another type or no type fails unless
    /// <c>fallback_scrape_protocol</c> names a format.
    /// </param>
    /// <returns>The options for that format.</returns>
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
