using System.Buffers;
using System.Text;

namespace Fal.Observability.Client.Prometheus;

/// <summary>Classic names, which need no quotes: letters, digits and <c>_</c>, and <c>:</c> for metrics.</summary>
internal static class PrometheusName
{
    private const byte LabelKind = 1;
    private const byte MetricKind = 2;
    private const int ShortLength = 8;
    private const string Letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz";

    private static readonly SearchValues<byte> LabelBytes = SearchValues.Create(Encoding.ASCII.GetBytes(Letters + "0123456789"));
    private static readonly SearchValues<byte> MetricBytes = SearchValues.Create(Encoding.ASCII.GetBytes(Letters + "0123456789:"));
    private static readonly SearchValues<char> LabelChars = SearchValues.Create(Letters + "0123456789");
    private static readonly SearchValues<char> MetricChars = SearchValues.Create(Letters + "0123456789:");

    private static readonly byte[] Kinds = KindsOfBytes();

    private static byte[] KindsOfBytes()
    {
        var kinds = new byte[256];
        for (int b = 0; b < kinds.Length; b++)
        {
            kinds[b] = (byte)((LabelBytes.Contains((byte)b) ? LabelKind : 0) | (MetricBytes.Contains((byte)b) ? MetricKind : 0));
        }

        return kinds;
    }

    /// <summary>The length of the classic metric name at the start of <paramref name="text"/>; 0 if there is none.</summary>
    public static int MetricNameLength(ReadOnlySpan<byte> text) => Length(text, MetricBytes, MetricKind);

    /// <summary>The length of the classic label name at the start of <paramref name="text"/>; 0 if there is none.</summary>
    public static int LabelNameLength(ReadOnlySpan<byte> text) => Length(text, LabelBytes, LabelKind);

    /// <summary>Checks the first bytes one by one, because most names are short and a search with a set costs more.</summary>
    private static int Length(ReadOnlySpan<byte> text, SearchValues<byte> allowed, byte kind)
    {
        if (text.IsEmpty || (uint)(text[0] - '0') <= 9)
        {
            return 0;
        }

        int length = 0;
        while ((Kinds[text[length]] & kind) != 0)
        {
            if (++length == text.Length)
            {
                return length;
            }

            if (length == ShortLength)
            {
                int end = text[ShortLength..].IndexOfAnyExcept(allowed);
                return end < 0 ? text.Length : ShortLength + end;
            }
        }

        return length;
    }

    public static bool IsClassicMetricName(string name) =>
        name.Length > 0 && !char.IsAsciiDigit(name[0]) && name.AsSpan().IndexOfAnyExcept(MetricChars) < 0;

    public static bool IsClassicLabelName(string name) =>
        name.Length > 0 && !char.IsAsciiDigit(name[0]) && name.AsSpan().IndexOfAnyExcept(LabelChars) < 0;
}
