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
    public void Reading_a_repeated_scrape_allocates_nothing()
    {
        var scrape = new PrometheusScrape();
        byte[][] scrapes = [Scrape(500, 1), Scrape(500, 12345), Scrape(500, 7)];
        foreach (byte[] input in scrapes)
        {
            Sum(input, scrape);
        }

        long before = GC.GetAllocatedBytesForCurrentThread();
        double sum = Sum(scrapes[1], scrape);
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;

        Assert.Equal(500 * 12345 + 500 * 499 / 2, sum);
        Assert.Equal(0, allocated);

        static double Sum(byte[] input, PrometheusScrape scrape)
        {
            double sum = 0;
            var reader = new PrometheusScrapeReader(input, scrape);
            while (reader.Read())
            {
                sum += reader.Sample.Value;
            }

            return sum;
        }
    }

    [Fact]
    public void Series_that_are_gone_are_forgotten_in_time()
    {
        var scrape = new PrometheusScrape();
        for (int round = 0; round < 50; round++)
        {
            Assert.Equal(1000, scrape.ParseSamples(Encoding.UTF8.GetBytes(string.Concat(Enumerable.Range(round * 1000, 1000).Select(i => $"a{{b=\"{i}\"}} 1\n")))).Count);
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
        string bad = Encoding.UTF8.GetString(Scrape(100, 1)).Replace("my/app-0050\",le=\"0.0\"} 51", "my/app-0050\",le=\"0.0\"} x", StringComparison.Ordinal);

        PrometheusFormatException exception = Assert.Throws<PrometheusFormatException>(() => scrape.ParseSamples(Encoding.UTF8.GetBytes(bad)));

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
