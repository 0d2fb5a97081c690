using System.Text.RegularExpressions;

namespace Fal.Observability.Tools;

/// <summary>
/// Names as every Prometheus reads them: one before 3.0 does not read a page with a quoted name on it. Each character that they cannot hold
/// becomes an underscore, as in Prometheus' own escaping "underscores".
/// </summary>
internal static partial class ClassicName
{
    /// <summary>The name of a metric; the same object if it is classic already.</summary>
    public static string OfMetric(string name) => NotInMetrics.Replace(name, "_");

    /// <summary>The name of a label; the same object if it is classic already.</summary>
    public static string OfLabel(string name) => NotInLabels.Replace(name, "_");

    /// <summary>Whether a name is that of a label, and classic.</summary>
    public static bool IsLabel(string name) => !NotInLabels.IsMatch(name) && name != ClassicLabels.MetricName;

    [GeneratedRegex(@"[\uD800-\uDBFF][\uDC00-\uDFFF]|[^a-zA-Z0-9_:]|^[0-9]")]
    private static partial Regex NotInMetrics { get; }

    [GeneratedRegex(@"[\uD800-\uDBFF][\uDC00-\uDFFF]|[^a-zA-Z0-9_]|^[0-9]")]
    private static partial Regex NotInLabels { get; }
}
