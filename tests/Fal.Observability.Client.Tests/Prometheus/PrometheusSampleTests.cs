using Fal.Observability.Client.Prometheus;
using Xunit;

namespace Fal.Observability.Client.Tests.Prometheus;

public sealed class PrometheusSampleTests
{
    [Fact]
    public void Equality_compares_everything()
    {
        var sample = new PrometheusSample("a", [new("b", "c"), new("d", "e")], double.NaN, 5);

        Assert.Equal(sample, new PrometheusSample("a", [new("d", "e"), new("b", "c")], double.NaN, 5));
        Assert.Equal(sample.GetHashCode(), new PrometheusSample("a", [new("d", "e"), new("b", "c")], double.NaN, 5).GetHashCode());
        Assert.True(sample != new PrometheusSample("x", sample.Labels, double.NaN, 5));
        Assert.True(sample != new PrometheusSample("a", [new("b", "c")], double.NaN, 5));
        Assert.True(sample != new PrometheusSample("a", sample.Labels, 1, 5));
        Assert.True(sample != new PrometheusSample("a", sample.Labels, double.NaN, 6));
        Assert.True(sample != new PrometheusSample("a", sample.Labels, double.NaN));
        Assert.True(sample != new PrometheusSample("a", sample.Labels, double.NaN, 5, new PrometheusExemplar([], 1)));
        Assert.Equal(
            new PrometheusSample("a", [], 1, 5, new PrometheusExemplar([new("t", "1")], 1)),
            new PrometheusSample("a", [], 1, 5, new PrometheusExemplar([new("t", "1")], 1))
        );
    }

    [Fact]
    public void The_default_value_is_harmless()
    {
        PrometheusSample sample = default;

        Assert.Equal(
            ("", 0, 0.0, null, null),
            (sample.Name, sample.Labels.Count, sample.Value, sample.TimestampMilliseconds, sample.Exemplar)
        );
        Assert.Throws<ArgumentException>(() => new PrometheusSample("", [], 1));
    }

    [Fact]
    public void A_timestamp_is_an_instant_where_an_instant_can_hold_it()
    {
        Assert.Equal(
            new DateTimeOffset(2014, 3, 17, 14, 26, 3, 1, TimeSpan.Zero),
            new PrometheusSample("a", [], 1, 1395066363001).Timestamp
        );
        Assert.Equal(DateTimeOffset.MinValue, new PrometheusSample("a", [], 1, -62_135_596_800_000).Timestamp);
        Assert.Null(new PrometheusSample("a", [], 1, long.MaxValue).Timestamp);
        Assert.Equal(long.MaxValue, new PrometheusSample("a", [], 1, long.MaxValue).TimestampMilliseconds);
        Assert.Null(new PrometheusSample("a", [], 1).Timestamp);
    }

    [Theory]
    [InlineData("a 1")]
    [InlineData("a{b=\"c\"} 0.1 5")]
    [InlineData("a +Inf")]
    [InlineData("a -Inf")]
    [InlineData("a NaN")]
    [InlineData("{\"a.b\"} 1E+20")]
    [InlineData("{\"a.b\",c=\"d\"} -0 -7")]
    public void Text_reads_back(string text)
    {
        PrometheusSample sample = Assert.Single(PrometheusTextParser.ParseSamples(text));

        Assert.Equal(text, sample.ToString());
    }

    [Theory]
    [MemberData(nameof(CultureScope.Names), MemberType = typeof(CultureScope))]
    public void No_culture_changes_what_is_shown(string culture)
    {
        using var scope = new CultureScope(culture);

        Assert.Equal("# {trace_id=\"a\"} -0.5 -1.5", new PrometheusExemplar([new("trace_id", "a")], -0.5, -1500).ToString());
        Assert.Equal("# {} NaN", new PrometheusExemplar([], double.NaN).ToString());
        Assert.Equal("# {} 1 1520879607.789", new PrometheusExemplar([], 1, 1520879607789).ToString());
        Assert.Equal("# {} 1 -9223372036854775.808", new PrometheusExemplar([], 1, long.MinValue).ToString());
        Assert.Equal(
            "Line 1234567, column 2: it is odd. The line reads: a\\x09b",
            new PrometheusSkippedLine(1234567, 2, 3, "it is odd", "a\tb").ToString()
        );
    }

    [Fact]
    public void Nothing_in_a_message_hides_or_turns_round_what_is_beside_it()
    {
        PrometheusFormatException fault = Assert.Throws<PrometheusFormatException>(() =>
            PrometheusTextParser.ParseFamilies(
                "# TYPE \"a\u202eb\" histogram\n{\"a\u202eb_bucket\",le=\"1\"} 1\n# EOF\n",
                new PrometheusParserOptions { Format = PrometheusFormat.OpenMetrics }
            )
        );

        Assert.Contains("metric family a\\u202eb,", fault.Message, StringComparison.Ordinal);
        Assert.Contains(
            "a\\u2028b\\x1b[2J",
            new PrometheusSkippedLine(1, 1, 0, "it is odd", "a\u2028b\u001b[2J").ToString(),
            StringComparison.Ordinal
        );
    }
}
