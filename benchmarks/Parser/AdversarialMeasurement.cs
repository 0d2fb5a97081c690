using System.Globalization;
using Fal.Observability.Client.Prometheus;

namespace Fal.Observability.Client.Benchmarks;

/// <summary>
/// Measures what <see cref="AdversarialInputs"/> cost at each level, as multiples of the time that a byte of a usual input
/// takes at that level. Everything is read leniently, with the limits lifted: a limit would only make an input cheaper.
/// </summary>
internal static class AdversarialMeasurement
{
    private static readonly (string Name, Func<byte[], PrometheusParserOptions, long> Read)[] Levels =
    [
        ("reader", ParseMeasurement.Read),
        ("samples", static (input, options) => PrometheusTextParser.ParseSamples(input, options).Count),
        ("families", static (input, options) => PrometheusTextParser.ParseFamilies(input, options).Families.Count),
    ];

    public static void Run(TextWriter output, string filter)
    {
        byte[] normal = AdversarialInputs.Normal;
        double[] units = new double[Levels.Length];
        // First of all, so that the code is compiled for what is usual, as it is in a program that meets the unusual.
        for (int level = 0; level < Levels.Length; level++)
        {
            units[level] = SecondsPerByte(normal, PrometheusFormat.Text, level, seconds: 1);
        }

        output.WriteLine("| input | " + string.Join(" | ", Levels.Select(level => level.Name)) + " |");
        output.WriteLine("|---|" + string.Concat(Levels.Select(_ => "---:|")));
        output.WriteLine(
            "| the unit, ns a byte | "
                + string.Join(" | ", units.Select(unit => (unit * 1e9).ToString("F2", CultureInfo.InvariantCulture)))
                + " |"
        );
        double[] worst = new double[Levels.Length];
        foreach ((string name, PrometheusFormat format, byte[] input) in AdversarialInputs.All())
        {
            if (!name.Contains(filter, StringComparison.OrdinalIgnoreCase))
            {
                continue;
            }

            double[] ratios = new double[Levels.Length];
            for (int level = 0; level < Levels.Length; level++)
            {
                ratios[level] = SecondsPerByte(input, format, level, seconds: 0.2) / units[level];
                worst[level] = Math.Max(worst[level], ratios[level]);
            }

            WriteRow(
                name.Contains('|', StringComparison.Ordinal) ? name.Replace("|", "\\|", StringComparison.Ordinal) : $"`{name}`",
                ratios
            );
        }

        WriteRow("the worst", worst);

        void WriteRow(string name, double[] ratios) =>
            output.WriteLine(
                $"| {name} | {string.Join(" | ", ratios.Select(ratio => ratio.ToString("F1", CultureInfo.InvariantCulture)))} |"
            );
    }

    private static double SecondsPerByte(byte[] input, PrometheusFormat format, int level, double seconds)
    {
        var options = new PrometheusParserOptions
        {
            Format = format,
            SkipMalformedLines = true,
            MaxLineLength = int.MaxValue,
            MaxLabels = int.MaxValue,
        };
        return ProcessorClock.Median(() => Levels[level].Read(input, options), seconds, input.Length) / input.Length;
    }
}
