using System.Globalization;
using System.Text;
using Fal.Observability.Client.Prometheus;

namespace Fal.Observability.Client.Benchmarks;

/// <summary>
/// Inputs that nobody sends by accident: each aims at one thing that could cost more than the bytes it takes to ask for it.
/// </summary>
internal static class AdversarialInputs
{
    private const int Size = 2_000_000;

    /// <summary>The input whose time for each byte is the unit.</summary>
    public static byte[] Normal => ExpositionGenerator.Fal(100);

    public static IEnumerable<(string Name, PrometheusFormat Format, byte[] Input)> All() =>
    [
        .. TinyLines().Select(line => ($"lines {Show(line)}", PrometheusFormat.Text, Repeat(line))),
        .. Lines().Select(input => (input.Name, PrometheusFormat.Text, Concat(input.Line))),
        .. Whole().Select(input => (input.Name, PrometheusFormat.Text, Encoding.Latin1.GetBytes(input.Text))),
        .. OpenMetrics().Select(input => (input.Name, PrometheusFormat.OpenMetrics, Encoding.Latin1.GetBytes(input.Text + "# EOF\n"))),
        ("OpenMetrics: 2 MB after # EOF", PrometheusFormat.OpenMetrics, Encoding.Latin1.GetBytes("a 1\n# EOF\n" + Text(_ => "a 1\n"))),
    ];

    /// <summary>So little on a line that what a line costs is all there is: good ones, odd ones, and ones that are refused.</summary>
    private static string[] TinyLines() =>
    [
        "\n", " \n", "\r\n", "#\n", "a\n", "{\n", "a{\n", "a{}\n", "a 1\n", "a 1\r\n", "a 1 \n", " a 1\n", "a+1\n", "a x\n", "a 1.\n",
        "a .1e1\n", "a 1 1\n", "\"\n", "\\\n", "=\n", "\0\n", "\u00ff\n",
        "a{b\n", "a{b=\n", "a{b=\"\n", "a{b=\"\"\n", "a{b=\"\"}\n", "a{b=\"\"} 1\n", "a{b=\"\"}1\n", "a{b=\"\",} 1\n", "a{b=\"\\\\\"} 1\n",
        "a{b=\"\u00c3\u00a4\"} 1\n", "a{b=\"\u00ff\"} 1\n",
        "{\"a\"}1\n", "{\"a\"} 1\n", "{\"\\\\\"} 1\n", "{\"a\\n\"} 1\n", "a{\"\\\\\"=\"\"} 1\n", "a{a=\"\",a=\"\"} 1\n", "a NaN\n",
        "a +Inf\n", "# HELP a \n", "# TYPE a gauge\n", "# TYPE a x\n", "# TYPE\n",
    ];

    private static IEnumerable<(string Name, Func<int, string> Line)> Lines() =>
        [
            ("names that alternate", i => i % 2 == 0 ? "a 1\n" : "b 1\n"),
            ("names that are all different", i => $"a{i} 1\n"),
            ("families that alternate, with labels", i => i % 2 == 0 ? "a{b=\"\"} 1\n" : "c{b=\"\"} 1\n"),
            ("a thousand families that take turns", i => $"a{i % 1000} 1\n"),
            ("label names that alternate", i => i % 2 == 0 ? "a{b=\"\"} 1\n" : "a{c=\"\"} 1\n"),
            ("label names that are all different", i => $"a{{b{i}=\"\"}} 1\n"),
            ("label values that are all different", i => $"a{{b=\"{i}\"}} 1\n"),
            ("two values that are all different", i => $"a{{b=\"{i}\",c=\"{i + 1}\"}} 1\n"),
            ("escaped values that are all different", i => $"a{{b=\"\\\\{i}\"}} 1\n"),
            ("values of 300 bytes", i => $"a{{b=\"{i:D300}\"}} 1\n"),
            ("escaped names among others", i => i % 2 == 0 ? "a 1\n" : "{\"\\\\\"} 1\n"),
            ("good and bad lines in turn", i => i % 2 == 0 ? "a 1\n" : "a{\n"),
            ("a comment before each sample", i => i % 2 == 0 ? "#\n" : "a 1\n"),
            ("metadata of families that are all different", i => $"# TYPE a{i} gauge\n"),
            (
                "suffixes of an undeclared histogram",
                i =>
                    (i % 3) switch
                    {
                        0 => "a_sum 1\n",
                        1 => "a_count 1\n",
                        _ => "a_bucket 1\n",
                    }
            ),
            ("suffixes that are all different", i => $"a{i}_sum 1\n"),
            ("numbers of 17 digits", i => $"a 0.{(i * 7_919L % 1_000_000_007) + 10_000_000_000_000_000}\n"),
            ("numbers of 50 digits", i => $"a 0.{i:D25}{(i * 7_919L % 1_000_000_007):D25}\n"),
            ("numbers of 800 digits", i => $"a 1{i:D20}{new string('7', 780)}.5\n"),
            ("numbers halfway between two doubles", i => $"a {9_007_199_254_740_993 + 2 * i}.{new string('0', 60)}1\n"),
            ("numbers that are subnormal", i => $"a {i + 1}.7e-310\n"),
            ("numbers with exponents of many digits", i => $"a {i}e-00000000000000000001\n"),
            ("timestamps of 19 digits", i => $"a 1 {1_000_000_000_000_000_000 + i}\n"),
            ("1,000 labels on each line", i => $"a{{{Labels(1_000)}}} {i}\n"),
            ("10,000 labels on each line", i => $"a{{{Labels(10_000)}}} {i}\n"),
            (
                "10,000 escaped label names on each line",
                _ => $"a{{{string.Join(',', Enumerable.Range(0, 10_000).Select(n => $"\"\\\\{n}\"=\"\""))}}} 1\n"
            ),
            ("the last of 10,000 labels twice", _ => $"a{{{Labels(10_000)},a9999=\"\"}} 1\n"),
            ("20 labels, all names different", i => $"a{{{string.Join(',', Enumerable.Range(0, 20).Select(n => $"a{i}_{n}=\"\""))}}} 1\n"),
        ];

    private static IEnumerable<(string Name, string Text)> Whole() =>
    [
        ("all quotes", new string('"', Size)),
        ("all backslashes", new string('\\', Size)),
        ("all braces", new string('{', Size)),
        ("all blanks", new string(' ', Size)),
        ("all NUL", new string('\0', Size)),
        ("a value of backslashes", $"a{{b=\"{new string('\\', Size)}\"}} 1\n"),
        ("a value of backslashes and quotes", $"a{{b=\"{string.Concat(Enumerable.Repeat("\\\"", Size / 2))}\"}} 1\n"),
        ("one line of 100 MB: a value", $"a{{b=\"{new string('c', 100_000_000)}\"}} 1\n"),
        ("one line of 100 MB: a name", $"{new string('a', 100_000_000)} 1\n"),
        ("one line of 20 MB: labels", $"a{{{Labels(1_600_000)}}} 1\n"),
        ("one line of 20 MB: blanks", $"a{new string(' ', 20_000_000)}1\n"),
        ("one line of 20 MB: digits", $"a {new string('7', 20_000_000)}e-20000000\n"),
        ("random bytes", RandomText(256)),
        ("random bytes of the grammar", RandomText(0)),
    ];

    private static IEnumerable<(string Name, string Text)> OpenMetrics() =>
        [
            ("OpenMetrics: lines a 1 with timestamps", Text(i => $"a 1 {i}\n")),
            ("OpenMetrics: timestamps that repeat", Text(_ => "a 1 1\n")),
            ("OpenMetrics: lines a{ ", Text(_ => "a{\n")),
            ("OpenMetrics: exemplars", "# TYPE a counter\n" + Text(i => $"a_total 1 {i} # {{}} 1\n")),
            ("OpenMetrics: families that are all different", Text(i => $"a{i} 1\n")),
            ("OpenMetrics: label values that are all different", Text(i => $"a{{b=\"{i}\"}} 1\n")),
            (
                "OpenMetrics: a group of 50,000 samples, then groups of one",
                "# TYPE a histogram\n"
                    + Text(i =>
                        i < 50_000 ? $"a_bucket{{le=\"{i}\"}} 1\n"
                        : i == 50_000 ? "a_bucket{le=\"+Inf\"} 1\n"
                        : $"a_bucket{{b=\"{i}\",le=\"+Inf\"}} 1\n"
                    )
            ),
            ("OpenMetrics: a family of 50,000 groups, then families of one", Text(i => i < 50_000 ? $"a{{b=\"{i}\"}} 1\n" : $"a{i} 1\n")),
            ("OpenMetrics: 10,000 labels on each line", Text(i => $"a{{{Labels(10_000)}}} {i} {i}\n")),
            ("OpenMetrics: 10,000 labels in turned order", Text(i => $"a{{{Labels(10_000, i % 2 == 1)}}} 1 {i}\n")),
            ("OpenMetrics: states", "# TYPE a stateset\n" + Text(i => $"a{{a=\"{i}\"}} 1\n")),
            ("OpenMetrics: seconds of 40 digits", Text(i => $"a 1 {i}.{i:D40}\n")),
        ];

    private static string Labels(int count, bool turned = false) =>
        string.Join(',', (turned ? Enumerable.Range(0, count).Reverse() : Enumerable.Range(0, count)).Select(n => $"a{n}=\"\""));

    private static byte[] Repeat(string line) => Concat(_ => line);

    private static byte[] Concat(Func<int, string> line) => Encoding.Latin1.GetBytes(Text(line));

    private static string Text(Func<int, string> line)
    {
        var text = new StringBuilder();
        for (int i = 0; text.Length < Size; i++)
        {
            text.Append(line(i));
        }

        return text.ToString();
    }

    private static string RandomText(int values)
    {
        const string grammar = "ab{}=\",\\ \n#019.e";
        var random = new Random(1);
        return string.Create(Size, values, (span, values) =>
        {
            foreach (ref char c in span)
            {
                c = values > 0 ? (char)random.Next(values) : grammar[random.Next(grammar.Length)];
            }
        });
    }

    private static string Show(string line) => string.Concat(line.Select(c => c switch
    {
        '\n' => "",
        '\r' => "\\r",
        >= ' ' and < '\x7f' => c.ToString(),
        _ => string.Create(CultureInfo.InvariantCulture, $"<{(int)c:X2}>"),
    }));
}
