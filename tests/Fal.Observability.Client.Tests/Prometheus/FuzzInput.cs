using System.Globalization;
using System.Text;
using Fal.Observability.Client.Prometheus;

namespace Fal.Observability.Client.Tests.Prometheus;

/// <summary>Expositions made by chance: valid lines, repeated with small changes, with line ends of all kinds, and then damaged.</summary>
internal static class FuzzInput
{
    private static readonly string[] Seeds =
    [
        "# HELP fal_app_runners Number of fal app runners\n# TYPE fal_app_runners " +
            "gauge\nfal_app_runners{application=\"my/app\",machine_type=\"NVIDIA B200\",state=\"running\"} " +
                "21\nfal_app_runners{application=\"my/app\",machine_type=\"NVIDIA B200\",state=\"dead\"} " +
                    "0\nfal_app_queue_size{application=\"my/app\"} 7\nfal_app_queue_size{application=\"my/app2\"} 123456789\n",
        "# TYPE fal_app_request_latency gauge\nfal_app_request_latency{application=\"my/app\",le=\"1.0\"} " +
            "5\nfal_app_request_latency{application=\"my/app\",le=\"+Inf\"} 24 " +
                "1395066363000\nfal_app_request_latency{application=\"my/app\",le=\"+Inf\"} 2.5e-3 -5\n",
        "msdos_file_access_time_seconds{path=\"C:\\\\DIR\\\\FILE.TXT\",error=\"Cannot find file:\\n\\\"FILE.TXT\\\"\"} " +
            "1.458255915e9\n{\"utf8.näme\",\"läbel\"=\"välue\",plain=\"x\"} -Inf\nmetric_without_timestamp_and_labels 12.47\n",
        "# HELP a \\\\ and \\n and \"\n# TYPE a histogram\na_bucket { le = \"0.5\" , } 1\na_bucket{le=\"+Inf\",} " +
            "NaN\na_sum\t1e300\na_count 0\n\n# comment\n#\n# TYPE\n",
        "# TYPE a counter\n# UNIT a_seconds seconds\n# HELP a help\na_total{b=\"c\"} 17.0 1520879607.789 # {trace_id=\"x y\",s=\"\\\"\"} " +
            "0.5 1520879607\na_total 1 # {} 2\n# EOF\n",
        "# TYPE c counter\nc_total 1 # {id=\"characters_many_enough_that_a_few_more_of_them_are_more_than_the_128_that_the_format_allows_all_in_all_nearly__ä\",s=\"\\n\"} 0.5\nc_total 2 5 # {\"q.r\"=\"x\"} 1 1\nc_total 2 5\n",
        "x{a=\"1\",b=\"2\"} 1\ny{b=\"1\"} 1\ny{b=\"1\",c=\"2\"} 1\ny{c=\"1\",b=\"2\"} 1\nx{a=\"é\",b=\"\"} 00012\nx{a=\"\",b=\"😀\"} " +
            "99999999\n",
        "# TYPE h histogram\nh_bucket{le=\"1\"} 1 # {id=\"a\"} 0.5 1\nh_bucket{le=\"+Inf\"} 2\nh_sum 3\nh_count 2\n# TYPE s " +
            "stateset\ns{s=\"on\"} 1\ns{s=\"off\"} 0\n# TYPE i info\ni_info{v=\"1\"} 1\n# TYPE q summary\nq{quantile=\"0.5\"} 1\nq_sum 1 " +
                "1\nq_sum 1 1\nq_sum 2 2\n# TYPE g gauge\ng 1\ng 1\n",
    ];

    private static readonly string[] Pieces =
    [
        "\"", "\\", "\n", "{", "}", ",", "=", " ", "\t", "\r", "\r\n", "\r\r\n", "#", "# EOF\n", "\0", "\u00FF", "\u00C3",
        "\u00EF\u00BB\u00BF", "a", "_", ":", "1", "-", "+", ".", "e5", "NaN", "1e400", "__name__",
        "\\\"", "\\\\", "\",", "\"}", "=\"", " # {", "\n\n", "# HELP ", "# TYPE ", "# UNIT ", " gauge", "0x1", "99999999999999999999",
        "\",a=\"", "{\"q\"} ", "\u00C3\u00A9",
    ];

    private static readonly string[] MetricNames =
    [
        "a",
        "b:c",
        "fal_app_runners",
        "a_metric_name_that_is_longer_than_one_block_of_sixty_four_bytes_is",
    ];
    private static readonly string[] Values =
    [
        "",
        "x",
        "1.0",
        "NVIDIA B200",
        "\\\\",
        "\\\"",
        "\\n",
        "\u00C3\u00A9",
        "a value that is longer than one block of sixty-four bytes, which happens",
        "C:\\\\DIR\\\\FILE.TXT",
    ];
    private static readonly string[] Numbers =
    [
        "0",
        "1",
        "12345678",
        "123456789",
        "1.5",
        "-2e-7",
        "NaN",
        "+Inf",
        "1 1395066363000",
        "7 -5",
        "x",
        "",
        "1e400",
    ];

    /// <summary>An exposition of a format, as Latin-1 holds its bytes, damaged in a few places or in none.</summary>
    public static byte[] Make(Random random, PrometheusFormat format)
    {
        var text = new StringBuilder();
        // Now and then one that goes beyond what the reader indexes at a time.
        for (int parts = random.Next(200) == 0 ? 100 : random.Next(1, 5); parts > 0; parts--)
        {
            string part =
                random.Next(3) == 0
                    ? ManyLabels(random)
                    : Encoding.Latin1.GetString(Encoding.UTF8.GetBytes(Seeds[random.Next(Seeds.Length)]));
            if (format == PrometheusFormat.OpenMetrics)
            {
                part = part.Replace("# EOF\n", "", StringComparison.Ordinal).Replace("\n\n", "\n", StringComparison.Ordinal);
            }

            string[] lines = part.Split('\n', StringSplitOptions.None);
            for (int repeats = random.Next(1, 4); repeats > 0; repeats--)
            {
                text.Append(string.Join('\n', random.Next(2) == 0 ? lines : [.. lines.OrderBy(_ => random.Next())]))
                    .Append(part.EndsWith('\n') ? "" : "\n");
            }
        }

        if (format == PrometheusFormat.OpenMetrics && random.Next(5) > 0)
        {
            text.Append("# EOF\n");
        }

        string made = ChangeLineEnds(random, text.ToString());
        made = random.Next(16) == 0 ? "\u00EF\u00BB\u00BF" + made : made;
        made = random.Next(8) == 0 ? made.TrimEnd('\n') : made;
        return Mutate(random, Encoding.Latin1.GetBytes(made), random.Next(6));
    }

    /// <summary>The input with a number of damages.</summary>
    public static byte[] Mutate(Random random, byte[] input, int changes)
    {
        var bytes = new List<byte>(input);
        for (; changes > 0 && bytes.Count > 0; changes--)
        {
            int place = random.Next(bytes.Count);
            switch (random.Next(5))
            {
                case 0:
                    bytes.RemoveRange(place, Math.Min(random.Next(1, 9), bytes.Count - place));
                    break;
                case 1:
                    bytes[place] = (byte)random.Next(256);
                    break;
                case 2:
                    int from = random.Next(bytes.Count);
                    bytes.InsertRange(place, bytes.GetRange(from, Math.Min(random.Next(1, 120), bytes.Count - from)));
                    break;
                default:
                    bytes.InsertRange(place, Encoding.Latin1.GetBytes(Pieces[random.Next(Pieces.Length)]));
                    break;
            }
        }

        return [.. bytes];
    }

    /// <summary>The input with other digits at the beginning of its numbers.</summary>
    public static byte[] ChangeNumbers(Random random, byte[] input)
    {
        byte[] changed = [.. input];
        for (int i = 1; i < changed.Length; i++)
        {
            if (changed[i - 1] == ' ' && changed[i] is >= (byte)'0' and <= (byte)'9')
            {
                changed[i] = (byte)('0' + random.Next(10));
            }
        }

        return changed;
    }

    /// <summary>Where to cut an input of a length into a few blocks: the ends of all blocks.</summary>
    public static int[] Cuts(Random random, int length) =>
        [.. Enumerable.Range(0, random.Next(4)).Select(_ => random.Next(length + 1)).Append(length).Distinct().Order()];

    /// <summary>A series with up to a hundred labels, and lines that differ from it in little.</summary>
    private static string ManyLabels(Random random)
    {
        int count = random.Next(8) switch
        {
            0 => random.Next(100),
            < 4 => random.Next(14, 20),
            _ => random.Next(40),
        };
        string name = MetricNames[random.Next(MetricNames.Length)];
        bool isQuoted = random.Next(6) == 0;
        List<string> labels = [.. Enumerable.Range(0, count).Select(n => Label(random, n))];
        var text = new StringBuilder();
        for (int lines = random.Next(1, 6); lines > 0; lines--)
        {
            string inBraces = string.Join(',', isQuoted ? labels.Prepend($"\"{name}\"") : labels);
            text.Append(isQuoted ? "" : name).Append(inBraces.Length > 0 || random.Next(2) == 0 ? $"{{{inBraces}}}" : "").Append(' ')
                .Append(Numbers[random.Next(random.Next(3) == 0 ? Numbers.Length : 4)]).Append('\n');
            if (labels.Count > 0)
            {
                int changed = random.Next(labels.Count);
                switch (random.Next(6))
                {
                    case 0:
                        labels.RemoveAt(changed);
                        break;
                    case 1:
                        labels.Insert(changed, Label(random, labels.Count));
                        break;
                    case 2:
                        name = MetricNames[random.Next(MetricNames.Length)];
                        break;
                    default:
                        labels[changed] = Label(random, changed);
                        break;
                }
            }
        }

        return text.ToString();
    }

    private static string Label(Random random, int number)
    {
        string name = random.Next(20) switch
        {
            0 => string.Create(CultureInfo.InvariantCulture, $"\"l.{number}\""),
            1 => string.Create(CultureInfo.InvariantCulture, $"another_name_{number}"),
            _ => string.Create(CultureInfo.InvariantCulture, $"l{number}"),
        };
        return $"{name}=\"{Values[random.Next(random.Next(2) == 0 ? Values.Length : 4)]}\"";
    }

    private static string ChangeLineEnds(Random random, string text)
    {
        string end = random.Next(4) == 0 ? "\r\r\n" : random.Next(6) == 0 ? "\r" : "\r\n";
        switch (random.Next(8))
        {
            case 0:
                return text.Replace("\n", end, StringComparison.Ordinal);
            case 1:
                return string.Concat(text.Select(c => c == '\n' && random.Next(4) == 0 ? end : c.ToString()));
            case 2:
                int feed = text.IndexOf('\n', random.Next(text.Length));
                return feed < 0 ? text : text.Remove(feed, 1).Insert(feed, end);
            default:
                return text;
        }
    }
}
