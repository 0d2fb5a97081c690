using Xunit;

namespace Fal.Observability.Client.Tests;

public sealed class AnalyticsQueryTests
{
    private static readonly DateTimeOffset Now = new(2026, 3, 1, 12, 30, 0, TimeSpan.Zero);

    public static TheoryData<string> NotAToken =>
        ["", " ", "\t", "a,b", ",", "a b", "a\nb", "a\0b", "a\u0085b", "a\u00A0b", "a\uD800", "\uDC00b"];

    public static TheoryData<AnalyticsQuery> Changes
    {
        get
        {
            var query = new AnalyticsQuery("a/b", "c/d");
            return
            [
                query with { EndpointIds = ["c/d", "a/b"] },
                query with { EndpointIds = ["a/b"] },
                query with { Expand = AnalyticsExpand.ErrorCount },
                query with { AdditionalExpand = ["brand_new"] },
                query with { Range = AnalyticsTimeRange.Since(Now) },
                query with { TimeZone = "UTC" },
                query with { Timeframe = AnalyticsTimeframe.Minute },
                query with { BoundToTimeframe = true },
                query with { Limit = 1 },
                query with { Cursor = "Mg==" },
                query with { Source = AnalyticsSource.Models },
                query with { RefusedEndpoints = RefusedEndpointPolicy.Skip },
                query with { DegradeOnServerError = true },
                query with { ClosedOnly = true },
            ];
        }
    }

    [Fact]
    public void What_is_refused_is_named_by_its_property()
    {
        Assert.Equal("EndpointIds", Assert.Throws<ArgumentException>(() => new AnalyticsQuery("a,b")).ParamName);
        Assert.Equal("EndpointIds", Assert.Throws<ArgumentException>(() => new AnalyticsQuery(Array.Empty<string>())).ParamName);
        Assert.Equal(
            "AdditionalExpand",
            Assert.Throws<ArgumentException>(() => new AnalyticsQuery("a/b") { AdditionalExpand = [" "] }).ParamName
        );
        Assert.Equal("TimeZone", Assert.Throws<ArgumentException>(() => new AnalyticsQuery("a/b") { TimeZone = "" }).ParamName);
    }

    [Fact]
    public void A_query_can_be_made_from_one_id_from_several_and_from_any_list()
    {
        Assert.Equal(["a/b"], new AnalyticsQuery("a/b").EndpointIds);
        Assert.Equal(["a/b", "c/d", "e/f"], new AnalyticsQuery("a/b", "c/d", "e/f").EndpointIds);
        Assert.Equal(["a/b", "c/d"], new AnalyticsQuery(["a/b", "c/d"]).EndpointIds);
        Assert.Equal(["a/b"], new AnalyticsQuery(Enumerable.Repeat("a/b", 1)).EndpointIds);
    }

    [Fact]
    public void The_defaults_are_the_documented_ones()
    {
        var query = new AnalyticsQuery("a/b");

        Assert.Equal(AnalyticsExpand.RequestCount, query.Expand);
        Assert.Equal(AnalyticsTimeRange.Last(TimeSpan.FromHours(24)), query.Range);
        Assert.Equal(AnalyticsSource.Serverless, query.Source);
        Assert.Empty(query.AdditionalExpand);
        Assert.Null(query.TimeZone);
        Assert.Null(query.Timeframe);
        Assert.Null(query.BoundToTimeframe);
        Assert.Null(query.Limit);
        Assert.Null(query.Cursor);
        query.Validate();
    }

    [Fact]
    public void The_list_is_copied_and_an_id_counts_once_in_its_first_place()
    {
        var ids = new List<string> { "c/d", "a/b", "c/d", "A/B" };

        var query = new AnalyticsQuery(ids);
        ids.Clear();

        Assert.Equal(["c/d", "a/b", "A/B"], query.EndpointIds);
        Assert.Throws<NotSupportedException>(() => ((IList<string>)query.EndpointIds)[0] = "x/y");
    }

    [Fact]
    public void A_query_holds_any_number_of_endpoints() =>
        Assert.Equal(400, new AnalyticsQuery(Enumerable.Range(0, 400).Select(i => $"my-org/app-{i}")).EndpointIds.Count);

    [Fact]
    public void No_endpoint_is_refused_with_an_example()
    {
        var error = Assert.Throws<ArgumentException>(() => new AnalyticsQuery([]));

        Assert.Contains("my-org/my-app", error.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => new AnalyticsQuery("a/b") with { EndpointIds = [] });
        Assert.Throws<ArgumentNullException>(() => new AnalyticsQuery((IEnumerable<string>)null!));
        Assert.Throws<ArgumentException>(() => new AnalyticsQuery((string)null!));
    }

    [Theory]
    [MemberData(nameof(NotAToken))]
    public void What_the_service_would_split_or_misread_is_refused_wherever_it_stands(string text)
    {
        var query = new AnalyticsQuery("a/b");

        Assert.Throws<ArgumentException>(() => new AnalyticsQuery(text));
        Assert.Throws<ArgumentException>(() => new AnalyticsQuery("a/b", text));
        Assert.Throws<ArgumentException>(() => query with { AdditionalExpand = ["brand_new", text] });
        Assert.Throws<ArgumentException>(() => query with { TimeZone = text });
    }

    [Fact]
    public void A_refusal_names_the_comma_the_character_or_the_way_to_utc()
    {
        Assert.Contains("comma", Assert.Throws<ArgumentException>(() => new AnalyticsQuery("a/b,c/d")).Message, StringComparison.Ordinal);
        Assert.Contains("U+000A", Assert.Throws<ArgumentException>(() => new AnalyticsQuery("a/b\n")).Message, StringComparison.Ordinal);
        Assert.Contains(
            "null for UTC",
            Assert.Throws<ArgumentException>(() => new AnalyticsQuery("a/b") { TimeZone = "" }).Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void A_zone_that_this_machine_does_not_know_is_left_to_the_service() =>
        Assert.Equal("Mars/Olympus_Mons", new AnalyticsQuery("a/b") { TimeZone = "Mars/Olympus_Mons" }.TimeZone);

    [Fact]
    public void Values_outside_their_range_are_refused()
    {
        var query = new AnalyticsQuery("a/b");

        Assert.Throws<ArgumentOutOfRangeException>(() => query with { Limit = 0 });
        Assert.Throws<ArgumentOutOfRangeException>(() => query with { Limit = -1 });
        Assert.Throws<ArgumentOutOfRangeException>(() => query with { Timeframe = (AnalyticsTimeframe)5 });
        Assert.Throws<ArgumentOutOfRangeException>(() => query with { Timeframe = (AnalyticsTimeframe)(-1) });
        Assert.Throws<ArgumentOutOfRangeException>(() => query with { Source = (AnalyticsSource)2 });
        Assert.Throws<ArgumentOutOfRangeException>(() => query with { RefusedEndpoints = (RefusedEndpointPolicy)2 });
        Assert.Throws<ArgumentOutOfRangeException>(() => query with { Expand = (AnalyticsExpand)(1L << 26) });
        Assert.Throws<ArgumentNullException>(() => query with { AdditionalExpand = null! });
    }

    [Theory]
    [InlineData(AnalyticsExpand.None)]
    [InlineData(AnalyticsExpand.TimeSeries)]
    [InlineData(AnalyticsExpand.Structure)]
    public void A_query_without_a_metric_is_not_valid(AnalyticsExpand expand)
    {
        var query = new AnalyticsQuery("a/b") { Expand = expand };

        Assert.Throws<ArgumentException>(query.Validate);
        Assert.Throws<ArgumentException>((query with { AdditionalExpand = ["summary"] }).Validate);
        (query with { AdditionalExpand = ["brand_new"] }).Validate();
        (query with { AdditionalExpand = ["request_count"] }).Validate();
    }

    [Fact]
    public void An_empty_cursor_is_the_first_page() => Assert.Null(new AnalyticsQuery("a/b") { Cursor = "" }.Cursor);

    [Fact]
    public void Resolving_fixes_the_range_once_and_changes_nothing_else()
    {
        var query = new AnalyticsQuery("a/b") { Expand = AnalyticsExpand.Volume, TimeZone = "Europe/Berlin", Limit = 5 };

        AnalyticsQuery resolved = query.Resolve(Now);

        Assert.Equal(query with { Range = AnalyticsTimeRange.Between(Now.AddDays(-1), Now) }, resolved);
        Assert.Same(resolved, resolved.Resolve(Now.AddDays(1)));
    }

    [Fact]
    public void Queries_with_the_same_values_are_equal()
    {
        AnalyticsQuery one = Make();
        AnalyticsQuery other = Make();

        Assert.Equal(one, other);
        Assert.True(one == other);
        Assert.Equal(one.GetHashCode(), other.GetHashCode());

        static AnalyticsQuery Make() => new("a/b", "c/d")
        {
            AdditionalExpand = ["brand_new"],
            Range = AnalyticsTimeRange.Since(Now),
            TimeZone = "Europe/Berlin",
        };
    }

    [Theory]
    [MemberData(nameof(Changes))]
    public void A_change_of_any_value_makes_another_query(AnalyticsQuery changed)
    {
        Assert.NotEqual(new AnalyticsQuery("a/b", "c/d"), changed);
        Assert.Equal(changed, changed with { });
    }

    [Theory]
    [MemberData(nameof(CultureScope.Names), MemberType = typeof(CultureScope))]
    public void A_log_line_shows_the_query_the_same_way_in_every_culture(string culture)
    {
        using var scope = new CultureScope(culture);

        Assert.Equal("a/b | time_series, request_count | last 1.00:00:00", new AnalyticsQuery("a/b").ToString());
        Assert.Equal(
            "a/b, c/d, e/f and 2 more | summary, error_count, brand_new | 2026-01-01..2026-01-31 | by day | Europe/Berlin | not bound to " +
                "timeframe | limit 1200 | cursor Mg== | own calls to models | skips refused endpoints | degrades on server error | " +
                    "closed buckets only",
            new AnalyticsQuery("a/b", "c/d", "e/f", "g/h", "i/j")
            {
                Expand = AnalyticsExpand.Summary | AnalyticsExpand.ErrorCount,
                AdditionalExpand = ["brand_new", "error_count"],
                Range = AnalyticsTimeRange.Days(new(2026, 1, 1), new(2026, 1, 31)),
                Timeframe = AnalyticsTimeframe.Day,
                TimeZone = "Europe/Berlin",
                BoundToTimeframe = false,
                Limit = 1200,
                Cursor = "Mg==",
                Source = AnalyticsSource.Models,
                RefusedEndpoints = RefusedEndpointPolicy.Skip,
                DegradeOnServerError = true,
                ClosedOnly = true,
            }.ToString());
    }
}
