using System.Text;
using Fal.Observability.Client.Prometheus;
using Xunit;

namespace Fal.Observability.Client.Tests.Prometheus;

/// <summary>That a memory changes nothing is shown by chance in <see cref="DifferentialTests"/>; here is what it is for.</summary>
public sealed class PrometheusScrapeTests
{
    private static byte[] Scrape(int series, int value) => Encoding.UTF8.GetBytes("# HELP a help\n# TYPE a gauge\n"
        + string.Concat(Enumerable.Range(0, series).Select(i => $"a{{application=\"my/app-{i:D4}\",le=\"0.{i % 10}\"}} {value + i}\n")));

    [Fact]
    public void A_repeated_scrape_makes_no_strings_and_the_result_before_stays_as_it_was()
    {
        var scrape = new PrometheusScrape();
        PrometheusSamples first = scrape.ParseSamples(Scrape(100, 1));
        PrometheusSamples second = scrape.ParseSamples(Scrape(100, 50));

        Assert.Equal(100, second.Count);
        for (int i = 0; i < 100; i++)
        {
            Assert.Equal((1.0 + i, 50.0 + i), (first[i].Value, second[i].Value));
            Assert.Same(first[i].Name, second[i].Name);
            Assert.Same(first[i].Labels["application"], second[i].Labels["application"]);
        }
    }

    [Fact]
    public void Repeated_samples_cost_their_values()
    {
        var scrape = new PrometheusScrape();
        byte[][] scrapes = [Scrape(500, 1), Scrape(500, 12345), Scrape(500, 7)];
        foreach (byte[] input in scrapes)
        {
            scrape.ParseSamples(input);
        }

        long before = GC.GetAllocatedBytesForCurrentThread();
        PrometheusSamples samples = scrape.ParseSamples(scrapes[1]);
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;

        Assert.Equal(500 * 12345 + 500 * 499 / 2, samples.Sum(sample => sample.Value));
        Assert.InRange(allocated, 500 * sizeof(double), 500 * sizeof(double) + 300);
    }

    [Fact]
    public void Repeated_families_cost_their_values_and_share_everything_else()
    {
        var scrape = new PrometheusScrape();
        PrometheusExposition first = scrape.ParseFamilies(Scrape(5000, 1));
        byte[] input = Scrape(5000, 70_000);
        PrometheusExposition second = scrape.ParseFamilies(input);
        long before = GC.GetAllocatedBytesForCurrentThread();
        PrometheusExposition third = scrape.ParseFamilies(input);
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;

        Assert.InRange(allocated, 5000 * sizeof(double), 5000 * sizeof(double) + 2000);
        Assert.Same(first.Families[0].Help, third.Families[0].Help);
        Assert.Equal([1.0, 70_000, 70_000], new[] { first, second, third }.Select(exposition => exposition["a"]!.Samples[0].Value));
        Assert.Equal([5000.0, 74_999, 74_999], new[] { first, second, third }.Select(exposition => exposition["a"]!.Samples[4999].Value));
        Assert.Same(first["a"]!.Samples[4999].Labels["application"], third["a"]!.Samples[4999].Labels["application"]);
        Assert.Equal(third["a"]!.Samples, PrometheusTextParser.ParseFamilies(input)["a"]!.Samples);
        Assert.Throws<ArgumentOutOfRangeException>(() => third["a"]!.Samples[5000]);
    }

    [Theory]
    [InlineData("# HELP a help")]
    [InlineData("# HELP a help\r\n")]
    public void What_cannot_be_remembered_is_not_expected_to_come_again(string last)
    {
        var scrape = new PrometheusScrape(PrometheusParserOptions.Lenient);
        string samples = string.Concat(Enumerable.Range(0, 20).Select(i => $"a{{b=\"{i}\"}} 1\n"));

        Assert.Equal("help", scrape.ParseFamilies(Encoding.UTF8.GetBytes(samples + last))["a"]!.Help);
        Assert.Null(scrape.ParseFamilies(Encoding.UTF8.GetBytes(samples))["a"]!.Help);
    }

    [Theory]
    [InlineData(6, 5)]
    [InlineData(40, 20)]
    [InlineData(63, 63)]
    [InlineData(64, 64)]
    [InlineData(65, 17)]
    [InlineData(100, 63)]
    [InlineData(127, 63)]
    [InlineData(127, 64)]
    [InlineData(128, 16)]
    [InlineData(129, 129)]
    [InlineData(300, 8)]
    public void A_byte_that_is_another_is_noticed_wherever_it_stands(int shared, int own)
    {
        // Neighbours share the beginning, and each has an end of its own.
        string beginning = $"a{new string('b', shared - 5)}{{c=\"";
        string[] lines =
        [
            .. Enumerable.Range(0, 12).Select(i => $"{beginning}{(char)('A' + i)}{new string((char)('a' + i), own - 4)}\"}} {i}\n"),
        ];
        string padding = string.Concat(Enumerable.Repeat("# comment\n", 60));
        byte[] input = Encoding.UTF8.GetBytes(string.Concat(lines) + padding);
        int line = 5 * lines[0].Length;
        for (int place = line; place < line + lines[0].Length; place++)
        {
            var scrape = new PrometheusScrape(PrometheusParserOptions.Lenient);
            scrape.ParseSamples(input);
            byte[] changed = [.. input];
            changed[place] = (byte)'z';

            Assert.Equal(PrometheusTextParser.ParseSamples(changed, PrometheusParserOptions.Lenient), scrape.ParseSamples(changed));
            Assert.Equal(PrometheusTextParser.ParseSamples(input), scrape.ParseSamples(input));
        }
    }

    [Fact]
    public void Lines_and_numbers_of_every_length_are_followed()
    {
        var random = new Random(7);
        string[] series = [.. Enumerable.Range(0, 400).Select(i => random.Next(6) switch
        {
            0 => $"# HELP h{i} {new string('h', random.Next(300))}\n",
            1 => $"a{{b=\"{new string('x', random.Next(300))}\",c=\"{i}\"}} ",
            2 => "\n",
            _ => $"a{{b=\"{i}\",c=\"{new string('x', random.Next(100))}\"}} ",
        })];
        var scrape = new PrometheusScrape();
        for (int round = 0; round < 200; round++)
        {
            byte[] input = Encoding.UTF8.GetBytes(
                string.Concat(
                    series.Select(text => text.EndsWith('\n') ? text : $"{text}{Value()}{(random.Next(20) == 0 ? " 1700000000000" : "")}\n")
                )
            );
            Assert.Equal(PrometheusTextParser.ParseSamples(input), scrape.ParseSamples(input));
        }

        string Value()
        {
            string text = PrometheusNumberTests.DecimalText(random);
            return PrometheusNumber.TryParseValue(Encoding.UTF8.GetBytes(text), out _) ? text : "+Inf";
        }
    }

    [Fact]
    public void A_series_that_is_gone_before_a_comment_shifts_nothing_behind_it()
    {
        var scrape = new PrometheusScrape();
        string rest = string.Concat(Enumerable.Range(0, 40).Select(i => $"b{{c=\"{i}\"}} {i}\n"));
        scrape.ParseSamples(Encoding.UTF8.GetBytes("a{c=\"1\"} 1\na{c=\"2\"} 2\n# TYPE b gauge\n" + rest));
        byte[] without = Encoding.UTF8.GetBytes("a{c=\"1\"} 1\n# TYPE b gauge\n" + rest);

        Assert.Equal(PrometheusTextParser.ParseSamples(without), scrape.ParseSamples(without));
    }

    [Fact]
    public void After_any_change_the_next_repetition_is_followed_from_line_to_line_again()
    {
        var scrape = new PrometheusScrape();
        List<string> lines = [.. Enumerable.Range(0, 6000).Select(i => $"a{{application=\"my/app-{i:D4}\"}} {i}\n")];
        scrape.ParseFamilies(Utf8(lines));
        lines.RemoveRange(4500, 1000);
        lines.RemoveRange(100, 14);
        lines.InsertRange(2000, Enumerable.Range(0, 20).Select(i => $"a{{application=\"new/app-{i}\"}} 1\n"));
        (lines[7], lines[3000]) = (lines[3000], lines[7]);
        byte[] changed = Utf8(lines);
        Assert.Equal(PrometheusTextParser.ParseFamilies(changed)["a"]!.Samples, scrape.ParseFamilies(changed)["a"]!.Samples);

        long before = GC.GetAllocatedBytesForCurrentThread();
        PrometheusExposition repeated = scrape.ParseFamilies(changed);
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;

        Assert.Equal(PrometheusTextParser.ParseFamilies(changed)["a"]!.Samples, repeated["a"]!.Samples);
        // The list of the series in their new order is made once.
        Assert.InRange(allocated, 0, lines.Count * (sizeof(double) + 16) + 4000);

        static byte[] Utf8(List<string> lines) => Encoding.UTF8.GetBytes(string.Concat(lines));
    }

    [Fact]
    public void Series_that_are_gone_are_forgotten_in_time()
    {
        var scrape = new PrometheusScrape();
        for (int round = 0; round < 50; round++)
        {
            Assert.Equal(
                1000,
                scrape
                    .ParseSamples(
                        Encoding.UTF8.GetBytes(string.Concat(Enumerable.Range(round * 1000, 1000).Select(i => $"a{{b=\"{i}\"}} 1\n")))
                    )
                    .Count
            );
        }

        Assert.InRange(scrape.RememberedLines, 1000, 5000);
    }

    [Fact]
    public void The_memory_has_a_limit_and_can_be_given_back()
    {
        var none = new PrometheusScrape(maxRememberedBytes: 0);
        Assert.Equal(100, none.ParseSamples(Scrape(100, 1)).Count);
        Assert.Equal(0, none.RememberedLines);

        var scrape = new PrometheusScrape();
        scrape.ParseSamples(Scrape(100, 1));
        Assert.Equal(102, scrape.RememberedLines);
        scrape.Forget();
        Assert.Equal(0, scrape.RememberedLines);
        Assert.Equal(100, scrape.ParseSamples(Scrape(100, 1)).Count);
        Assert.Throws<ArgumentOutOfRangeException>(() => new PrometheusScrape(maxRememberedBytes: -1));
    }

    [Fact]
    public void A_name_that_begins_like_a_remembered_one_is_another_name()
    {
        // "a" with the value +1: if just the name were remembered, the next line would be read as "a" with value 1 and timestamp 5.
        var scrape = new PrometheusScrape();
        Assert.Equal(("a", 1.0), (scrape.ParseSamples("a+1\n"u8)[0].Name, scrape.ParseSamples("a+1\n"u8)[0].Value));
        string padding = string.Concat(Enumerable.Repeat("# comment\n", 30));

        PrometheusSample sample = Assert.Single(scrape.ParseSamples(Encoding.UTF8.GetBytes("a1 5\n" + padding)));

        Assert.Equal(("a1", 5.0, null), (sample.Name, sample.Value, sample.TimestampMilliseconds));
    }

    [Fact]
    public void A_bad_line_among_remembered_ones_is_refused_at_its_place()
    {
        var scrape = new PrometheusScrape();
        scrape.ParseSamples(Scrape(100, 1));
        string bad = Encoding
            .UTF8.GetString(Scrape(100, 1))
            .Replace("my/app-0050\",le=\"0.0\"} 51", "my/app-0050\",le=\"0.0\"} x", StringComparison.Ordinal);

        PrometheusFormatException exception = Assert.Throws<PrometheusFormatException>(() =>
            scrape.ParseSamples(Encoding.UTF8.GetBytes(bad))
        );

        Assert.Equal((53L, 39), (exception.Line, exception.Column));
        Assert.Equal(100, scrape.ParseSamples(Scrape(100, 1)).Count);
    }

    [Fact]
    public void OpenMetrics_is_read_without_the_memory()
    {
        var scrape = new PrometheusScrape();

        Assert.Equal(1500, Assert.Single(scrape.ParseSamples("a 1 1.5\n# EOF\n"u8)).TimestampMilliseconds);
        Assert.Equal("a", Assert.Single(scrape.ParseFamilies("# TYPE a counter\na_total 1\n# EOF\n"u8).Families).Name);
        Assert.Equal(0, scrape.RememberedLines);
    }
}
