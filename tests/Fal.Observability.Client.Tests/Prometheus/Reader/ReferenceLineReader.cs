using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Fal.Observability.Client.Tests.Prometheus;

/// <summary>
/// The grammar of both formats a second time, as plainly as it can be said: regular expressions, strings and lists. Slow,
/// and written to be compared with, not to be used.
/// </summary>
internal sealed partial class ReferenceLineReader(bool openMetrics)
{
    private bool _exemplarIsRefused;

    private const string Name = "(?>[a-zA-Z_:][a-zA-Z0-9_:]*)";
    private const string Quoted = "(?>\"(?:\\\\.|[^\"\\\\])*\")";
    private const string LabelName = "(?>[a-zA-Z_][a-zA-Z0-9_]*)";
    private const string Blanks = "[ \\t]*";
    private const string TextItem = $"(?:(?:{LabelName}|{Quoted}){Blanks}={Blanks}{Quoted}|{Quoted})";
    private const string TextLabels = $"\\{{{Blanks}(?:{TextItem}{Blanks}(?:,{Blanks}{TextItem}{Blanks})*(?:,{Blanks})?)?\\}}";
    private const string OpenMetricsItem = $"(?:(?:{LabelName}|{Quoted})={Quoted}|{Quoted})";
    private const string OpenMetricsLabels = $"\\{{(?:{OpenMetricsItem}(?:,{Blanks}{OpenMetricsItem})*)?\\}}";

    /// <summary>What the lines of an input say, one text each, as <see cref="Describe"/> has it; blank lines have none.</summary>
    public List<string> Read(byte[] input)
    {
        var lines = new List<string>();
        string text = Encoding.Latin1.GetString(input);
        bool hasMark = text.StartsWith("\u00EF\u00BB\u00BF", StringComparison.Ordinal);
        if (hasMark)
        {
            lines.Add("1 kept");
            text = text[3..];
        }

        string[] parts = text.Split('\n');
        int count = parts[^1].Length == 0 ? parts.Length - 1 : parts.Length;
        bool isEnded = false;
        bool isReturnReported = false;
        for (int i = 0; i < count; i++)
        {
            string number = (i + 1).ToString(CultureInfo.InvariantCulture);
            if (isEnded)
            {
                lines.Add(number + " malformed");
                return lines;
            }

            string line = parts[i];
            if (line.EndsWith('\r'))
            {
                line = line[..^1];
                if (!isReturnReported)
                {
                    lines.Add(number + " kept");
                }

                isReturnReported = true;
            }

            // A last line without its line feed may have been cut anywhere, unless it is the one that ends the exposition.
            bool isCut = openMetrics && i == parts.Length - 1 && line != "# EOF";
            _exemplarIsRefused = false;
            string? said = isCut ? null : ReadLine(line);
            if (_exemplarIsRefused)
            {
                lines.Add(number + " kept");
            }

            if (said is null)
            {
                lines.Add(number + " malformed");
            }
            else if (said.Length > 0)
            {
                lines.Add(number + " " + said);
            }

            isEnded = openMetrics && line == "# EOF";
        }

        if (openMetrics && !isEnded)
        {
            lines.Add((count + 1).ToString(CultureInfo.InvariantCulture) + " kept");
        }

        return lines;
    }

    public static string Describe(
        string name,
        IEnumerable<(string Name, string Value)> labels,
        double value,
        long? timestamp,
        string exemplar
    ) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"sample {name}|{string.Join('|', labels)}|{BitConverter.DoubleToInt64Bits(value)}|{timestamp}|{exemplar}"
        );

    private string? ReadLine(string line)
    {
        if (openMetrics)
        {
            return line.StartsWith('#') ? ReadOpenMetricsComment(line) : ReadOpenMetricsSample(line);
        }

        string trimmed = line.TrimStart(' ', '\t');
        return trimmed.Length == 0 ? "" : trimmed[0] == '#' ? ReadComment(trimmed[1..]) : ReadTextSample(trimmed);
    }

    private static string? ReadComment(string afterHash)
    {
        Match keyword = KeywordPattern().Match(afterHash);
        if (!keyword.Success)
        {
            return "comment";
        }

        Match metadata = MetadataPattern().Match(keyword.Groups["rest"].Value);
        if (!metadata.Success || ReadName(metadata.Groups["name"].Value) is not { } name)
        {
            return null;
        }

        string text = metadata.Groups["text"].Value.TrimStart(' ', '\t');
        if (keyword.Groups["word"].Value == "HELP")
        {
            return Decode(text) is null ? null : $"help {name}";
        }

        return text is "gauge" or "counter" or "histogram" or "summary" or "gaugehistogram" or "untyped" ? $"type {name} {text}" : null;
    }

    private static string? ReadOpenMetricsComment(string line)
    {
        if (line == "# EOF")
        {
            return "end";
        }

        Match match = OpenMetricsMetadataPattern().Match(line);
        if (!match.Success || ReadName(match.Groups["name"].Value) is not { } name)
        {
            return null;
        }

        string text = match.Groups["text"].Value;
        string rawName = match.Groups["name"].Value.Trim('"');
        return match.Groups["word"].Value switch
        {
            "HELP" => Decode(text) is null ? null : $"help {name}",
            "UNIT" => Decode(text) is not null
            && (
                text.Length == 0
                || (match.Groups["name"].Value.Trim('"').EndsWith("_" + text, StringComparison.Ordinal) && rawName.Length > text.Length)
            )
                ? $"unit {name} {Decode(text)}"
                : null,
            _ => text is "gauge" or "counter" or "histogram" or "summary" or "gaugehistogram" or "unknown" or "info" or "stateset"
                ? $"type {name} {text}"
                : null,
        };
    }

    private static string? ReadTextSample(string line)
    {
        Match match = TextSamplePattern().Match(line);
        if (!match.Success || !TryReadSeries(match, "labels", out string name, out List<(string, string)> labels)
            || !TryReadNumber(match.Groups["value"].Value, out double value))
        {
            return null;
        }

        string timestamp = match.Groups["timestamp"].Value;
        long milliseconds = 0;
        if (timestamp.Length > 0 && (!WholePattern().IsMatch(timestamp)
            || !long.TryParse(timestamp, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out milliseconds)))
        {
            return null;
        }

        return Describe(name, labels, value, timestamp.Length > 0 ? milliseconds : null, "");
    }

    private string? ReadOpenMetricsSample(string line)
    {
        Match match = OpenMetricsSamplePattern().Match(line);
        if (
            !match.Success
            || !TryReadSeries(match, "labels", out string name, out List<(string, string)> labels)
            || !TryReadNumber(match.Groups["value"].Value, out double value)
            || !TryReadSeconds(match.Groups["timestamp"], out long? timestamp)
        )
        {
            return null;
        }

        string exemplar = match.Groups["exemplar"].Success ? ReadExemplar(match.Groups["exemplar"].Value) ?? "" : "";
        _exemplarIsRefused = match.Groups["exemplar"].Success && exemplar.Length == 0;
        return Describe(name, labels, value, timestamp, exemplar);
    }

    private static string? ReadExemplar(string text)
    {
        Match match = ExemplarPattern().Match(text);
        const int longest = 128;
        return
            match.Success
            && TryReadLabels(match.Groups["labels"].Value, out string? name, out List<(string Name, string Value)> labels)
            && name is null
            && labels.Sum(label => label.Name.EnumerateRunes().Count() + label.Value.EnumerateRunes().Count()) <= longest
            && TryReadNumber(match.Groups["value"].Value, out double value)
            && TryReadSeconds(match.Groups["timestamp"], out long? timestamp)
            ? Describe("", labels, value, timestamp, "")
            : null;
    }

    private static bool TryReadSeries(Match match, string group, out string name, out List<(string, string)> labels)
    {
        name = match.Groups["name"].Value;
        if (!TryReadLabels(match.Groups[group].Value, out string? quotedName, out labels))
        {
            return false;
        }

        if ((name.Length > 0) == (quotedName is not null))
        {
            return false;
        }

        name = quotedName ?? name;
        return true;
    }

    private static bool TryReadLabels(string braces, out string? name, out List<(string, string)> labels)
    {
        name = null;
        labels = [];
        foreach (Match item in ItemPattern().Matches(braces))
        {
            if (ReadName(item.Groups["name"].Value) is not { } itemName)
            {
                return false;
            }

            if (!item.Groups["value"].Success)
            {
                if (name is not null)
                {
                    return false;
                }

                name = itemName;
                continue;
            }

            string raw = item.Groups["name"].Value;
            if (raw is "__name__" or "\"__name__\"" || Decode(Unescape(item.Groups["value"].Value[1..^1])) is not { } value
                || labels.Any(label => label.Item1 == itemName))
            {
                return false;
            }

            labels.Add((itemName, value));
        }

        return true;
    }

    /// <summary>A name with or without quotes; null if it is empty or not UTF-8.</summary>
    private static string? ReadName(string name)
    {
        if (name.StartsWith('"'))
        {
            name = Unescape(name[1..^1]);
        }

        return name.Length == 0 ? null : Decode(name);
    }

    private static string Unescape(string text) => EscapePattern().Replace(text, match => match.Value switch
    {
        "\\n" => "\n",
        "\\\\" => "\\",
        "\\\"" => "\"",
        var other => other,
    });

    private static string? Decode(string latin1)
    {
        try
        {
            return new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(Encoding.Latin1.GetBytes(latin1));
        }
        catch (DecoderFallbackException)
        {
            return null;
        }
    }

    private static bool TryReadNumber(string text, out double value)
    {
        value = 0;
        if (NumberPattern().IsMatch(text))
        {
            return double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out value) && double.IsFinite(value);
        }

        string word = text.TrimStart('+', '-').ToUpperInvariant();
        if (text.Length - word.Length > 1)
        {
            return false;
        }

        value = word switch
        {
            "INF" or "INFINITY" => text[0] == '-' ? double.NegativeInfinity : double.PositiveInfinity,
            "NAN" => BitConverter.Int64BitsToDouble(0x7ff8000000000001),
            _ => 0,
        };
        return value != 0;
    }

    private static bool TryReadSeconds(Group group, out long? milliseconds)
    {
        milliseconds = null;
        if (!group.Success)
        {
            return true;
        }

        if (!NumberPattern().IsMatch(group.Value) || !double.IsFinite(double.Parse(group.Value, CultureInfo.InvariantCulture)))
        {
            return false;
        }

        ToMilliseconds(group.Value, out milliseconds);
        return true;
    }

    /// <summary>Exact, with integers of any size: nanoseconds, cut, then milliseconds, cut.</summary>
    private static void ToMilliseconds(string text, out long? milliseconds)
    {
        string[] parts = text.ToUpperInvariant().Split('E');
        string mantissa = parts[0];
        int exponent =
            parts.Length == 1
                ? 0
                : (int)
                    System.Numerics.BigInteger.Max(
                        -100_000,
                        System.Numerics.BigInteger.Min(100_000, System.Numerics.BigInteger.Parse(parts[1], CultureInfo.InvariantCulture))
                    );
        int point = mantissa.IndexOf('.', StringComparison.Ordinal);
        if (point >= 0)
        {
            exponent -= mantissa.Length - point - 1;
            mantissa = mantissa.Remove(point, 1);
        }

        var number = System.Numerics.BigInteger.Parse(mantissa, CultureInfo.InvariantCulture);
        exponent += 3;
        number =
            exponent >= 0
                ? number * System.Numerics.BigInteger.Pow(10, Math.Min(exponent, 500))
                : number / System.Numerics.BigInteger.Pow(10, Math.Min(-exponent, 500));
        milliseconds =
            number > long.MaxValue ? long.MaxValue
            : number < long.MinValue ? long.MinValue
            : (long)number;
    }

    [GeneratedRegex("^[ \\t]+(?<word>HELP|TYPE)[ \\t]+(?<rest>[^ \\t].*)$", RegexOptions.Singleline)]
    private static partial Regex KeywordPattern();

    [GeneratedRegex($"^(?<name>{Name}|{Quoted})(?<text>$|[ \\t].*$)", RegexOptions.Singleline)]
    private static partial Regex MetadataPattern();

    [GeneratedRegex($"^# (?<word>HELP|TYPE|UNIT) (?<name>{Name}|{Quoted}) (?<text>.*)$", RegexOptions.Singleline)]
    private static partial Regex OpenMetricsMetadataPattern();

    [GeneratedRegex(
        $"^(?<name>{Name})?{Blanks}(?<labels>{TextLabels})?{Blanks}(?<value>[^ \\t]+)(?:[ \\t]+(?<timestamp>[^ \\t]+))?{Blanks}$",
        RegexOptions.Singleline
    )]
    private static partial Regex TextSamplePattern();

    [GeneratedRegex(
        $"^(?<name>{Name})?(?<labels>{OpenMetricsLabels})? (?<value>[^ ]+)(?: (?<timestamp>[^ #][^ ]*))?(?<exemplar> #.*)?$",
        RegexOptions.Singleline
    )]
    private static partial Regex OpenMetricsSamplePattern();

    [GeneratedRegex($"^ # (?<labels>{OpenMetricsLabels}) (?<value>[^ ]+)(?: (?<timestamp>[^ ]+))?$", RegexOptions.Singleline)]
    private static partial Regex ExemplarPattern();

    [GeneratedRegex($"(?<name>{LabelName}|{Quoted})(?:{Blanks}={Blanks}(?<value>{Quoted}))?", RegexOptions.Singleline)]
    private static partial Regex ItemPattern();

    [GeneratedRegex("\\\\.", RegexOptions.Singleline)]
    private static partial Regex EscapePattern();

    [GeneratedRegex("^[+-]?(?:[0-9]+\\.?[0-9]*|\\.[0-9]+)(?:[eE][+-]?[0-9]+)?\\z")]
    private static partial Regex NumberPattern();

    [GeneratedRegex("^-?[0-9]+\\z")]
    private static partial Regex WholePattern();
}
