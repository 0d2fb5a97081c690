using System.Globalization;
using System.Text;

namespace Fal.Observability.Client.Benchmarks;

/// <summary>What the next scrapes of a source look like.</summary>
internal static class ScrapeVariations
{
    /// <summary>The same series with other values, where they are integers.</summary>
    public static byte[] WithOtherValues(byte[] exposition, int seed)
    {
        var random = new Random(seed);
        return ChangeLines(
            exposition,
            line =>
            {
                int value = line.LastIndexOf(' ') + 1;
                return line[value..].All(char.IsAsciiDigit)
                    ? string.Create(
                        CultureInfo.InvariantCulture,
                        $"{line.AsSpan(0, value)}{random.Next((int)Math.Pow(10, Math.Min(9, line.Length - value)))}"
                    )
                    : line;
            }
        );
    }

    /// <summary>One series in a hundred is another one.</summary>
    public static byte[] WithOtherSeries(byte[] exposition, int seed)
    {
        var random = new Random(seed);
        return ChangeLines(
            exposition,
            line =>
                random.Next(100) == 0
                    ? line.Replace(
                        "=\"",
                        string.Create(CultureInfo.InvariantCulture, $"=\"{(char)('a' + random.Next(26))}{random.Next(1_000_000)}-"),
                        StringComparison.Ordinal
                    )
                    : line
        );
    }

    private static byte[] ChangeLines(byte[] exposition, Func<string, string> change) => Encoding.UTF8.GetBytes(string.Join('\n',
        Encoding.UTF8.GetString(exposition).Split('\n').Select(line => line.Length == 0 || line[0] == '#' ? line : change(line))));
}
