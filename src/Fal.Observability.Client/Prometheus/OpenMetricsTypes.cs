using System.Globalization;

namespace Fal.Observability.Client.Prometheus;

/// <summary>The rules of OpenMetrics 1.0 for metric types: the names of their samples, and the exemplars that they allow.</summary>
internal static class OpenMetricsTypes
{
    /// <summary>The largest length of the labels of an exemplar, names and values together, in characters.</summary>
    public const int MaxExemplarLength = 128;

    private static readonly string[] NoSuffix = [""];
    private static readonly string[] CounterSuffixes = ["", "_total", "_created"];
    private static readonly string[] SummarySuffixes = ["", "_count", "_sum", "_created"];
    private static readonly string[] HistogramSuffixes = ["", "_count", "_sum", "_bucket", "_created"];
    private static readonly string[] GaugeHistogramSuffixes = ["", "_gcount", "_gsum", "_bucket"];
    private static readonly string[] InfoSuffixes = ["", "_info"];

    /// <summary>The suffixes that, appended to the name of a family, give the names that the family occupies.</summary>
    public static ReadOnlySpan<string> TakenSuffixes(PrometheusMetricType? type) => type switch
    {
        PrometheusMetricType.Counter => CounterSuffixes,
        PrometheusMetricType.Summary => SummarySuffixes,
        PrometheusMetricType.Histogram => HistogramSuffixes,
        PrometheusMetricType.GaugeHistogram => GaugeHistogramSuffixes,
        PrometheusMetricType.Info => InfoSuffixes,
        _ => NoSuffix,
    };

    /// <summary>Whether samples of a type may have the name of the family with this suffix.</summary>
    public static bool IsSampleSuffix(PrometheusMetricType? type, ReadOnlySpan<char> suffix) => type switch
    {
        PrometheusMetricType.Counter => suffix is "_total" or "_created",
        PrometheusMetricType.Summary => suffix is "" or "_count" or "_sum" or "_created",
        PrometheusMetricType.Histogram => suffix is "_count" or "_sum" or "_bucket" or "_created",
        PrometheusMetricType.GaugeHistogram => suffix is "_gcount" or "_gsum" or "_bucket",
        PrometheusMetricType.Info => suffix is "_info",
        _ => suffix is "",
    };

    /// <summary>Whether a sample of a type may have an exemplar.</summary>
    public static bool AllowsExemplar(PrometheusMetricType? type, ReadOnlySpan<char> suffix) => type switch
    {
        PrometheusMetricType.Counter => suffix is "_total",
        PrometheusMetricType.Histogram or PrometheusMetricType.GaugeHistogram => suffix is "_bucket",
        _ => false,
    };

    public static bool AllowsLength(PrometheusExemplar exemplar)
    {
        int length = 0;
        foreach ((string name, string value) in exemplar.Labels)
        {
            length += name.EnumerateRunes().Count() + value.EnumerateRunes().Count();
        }

        return length <= MaxExemplarLength;
    }

    /// <summary>
    /// Parses a bound or quantile. Infinity must be written <c>+Inf</c>, so that the last bucket is the same series everywhere.
    /// </summary>
    public static bool TryReadBound(string? text, out double bound) =>
        ReservedLabels.TryParseBound(text, out bound) && (!double.IsPositiveInfinity(bound) || text == "+Inf");

    /// <summary>
    /// Formats a bound or quantile as the section "Canonical Numbers" of OpenMetrics requires and Prometheus' own library does: 1.0,
    /// 0.001, 1e+06. It uses the shortest digits that parse to the same number.
    /// </summary>
    public static string FormatBound(double bound)
    {
        double size = Math.Abs(bound);
        if (size is 0 or >= 1e-4 and < 1e6 || !double.IsFinite(bound))
        {
            string text = PrometheusSample.Format(size == 0 ? 0 : bound);
            return double.IsInteger(bound) ? text + ".0" : text;
        }

        int digits = 0;
        string scientific;
        do
        {
            scientific = bound.ToString(string.Create(CultureInfo.InvariantCulture, $"e{digits++}"), CultureInfo.InvariantCulture);
        }
        while (double.Parse(scientific, CultureInfo.InvariantCulture) != bound);

        int exponent = scientific.IndexOf('e', StringComparison.Ordinal) + 1;
        return string.Create(CultureInfo.InvariantCulture,
            $"{scientific.AsSpan(0, exponent + 1)}{int.Parse(scientific.AsSpan(exponent + 1), CultureInfo.InvariantCulture):00}");
    }

    /// <summary>Whether the reserved label of a sample has a value that its type allows.</summary>
    public static bool HasReservedLabel(PrometheusMetricType type, string family, in PrometheusSample sample)
    {
        string? reserved = ReservedLabels.Of(type, family, sample.Name.AsSpan(family.Length));
        string? text = reserved is null ? null : sample.Labels[reserved];
        return reserved switch
        {
            null => true,
            ReservedLabels.Bucket when type != PrometheusMetricType.StateSet => TryReadBound(text, out _),
            ReservedLabels.Quantile when type == PrometheusMetricType.Summary => TryReadBound(text, out double quantile)
                && quantile is >= 0 and <= 1,
            _ => text is not null,
        };
    }
}
