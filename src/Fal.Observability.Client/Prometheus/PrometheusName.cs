using System.Buffers;
using System.Text;

namespace Fal.Observability.Client.Prometheus;

/// <summary>The classic names, which may stand without quotes: letters, digits and <c>_</c>, for metrics <c>:</c> too.</summary>
internal static class PrometheusName
{
    private const string Letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz";

    private static readonly SearchValues<byte> LabelBytes = SearchValues.Create(Encoding.ASCII.GetBytes(Letters + "0123456789"));
    private static readonly SearchValues<byte> MetricBytes = SearchValues.Create(Encoding.ASCII.GetBytes(Letters + "0123456789:"));
    private static readonly SearchValues<char> LabelChars = SearchValues.Create(Letters + "0123456789");
    private static readonly SearchValues<char> MetricChars = SearchValues.Create(Letters + "0123456789:");

    /// <summary>The length of the classic metric name that <paramref name="text"/> begins with; 0 if with none.</summary>
    internal static int MetricNameLength(ReadOnlySpan<byte> text) => Length(text, MetricBytes);

    /// <summary>The length of the classic label name that <paramref name="text"/> begins with; 0 if with none.</summary>
    internal static int LabelNameLength(ReadOnlySpan<byte> text) => Length(text, LabelBytes);

    private static int Length(ReadOnlySpan<byte> text, SearchValues<byte> allowed)
    {
        if (text.IsEmpty || (uint)(text[0] - '0') <= 9)
        {
            return 0;
        }

        int end = text.IndexOfAnyExcept(allowed);
        return end < 0 ? text.Length : end;
    }

    internal static bool IsClassicMetricName(string name) =>
        name.Length > 0 && !char.IsAsciiDigit(name[0]) && name.AsSpan().IndexOfAnyExcept(MetricChars) < 0;

    internal static bool IsClassicLabelName(string name) =>
        name.Length > 0 && !char.IsAsciiDigit(name[0]) && name.AsSpan().IndexOfAnyExcept(LabelChars) < 0;
}
