using System.Net;
using Refit;
using Xunit;

namespace Fal.Observability.Client.Tests;

public sealed class AnalyticsQueryConverterTests
{
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    internal interface IAnyAnalyticsApi
    {
        [Get("/serverless/analytics")]
        Task<string> GetAsync([QueryConverter(typeof(AnalyticsQueryConverter))] AnalyticsQuery query);
    }

    [Theory]
    [MemberData(nameof(CultureScope.Names), MemberType = typeof(CultureScope))]
    public async Task The_documented_request_goes_out_byte_for_byte_under_any_culture(string culture)
    {
        using var scope = new CultureScope(culture);
        var query = new AnalyticsQuery("my-org/my-app", "my-org/other")
        {
            Expand = AnalyticsExpand.P90Duration | AnalyticsExpand.RequestCount,
            Range = AnalyticsTimeRange.Between(Start, Start.AddDays(7)),
            TimeZone = "Europe/Berlin",
            Timeframe = AnalyticsTimeframe.Hour,
            BoundToTimeframe = true,
        };

        Assert.Equal(
            "https://api.fal.ai/v1/serverless/analytics?endpoint_id=my-org%2Fmy-app&endpoint_id=my-org%2Fother&expand=time_series&expand=request_count&expand=p90_duration&start=2026-01-01T00%3A00%3A00Z&end=2026-01-08T00%3A00%3A00Z&timezone=Europe%2FBerlin&timeframe=hour&bound_to_timeframe=true",
            await SentAsync(query));
    }

    [Theory]
    [MemberData(nameof(CultureScope.Names), MemberType = typeof(CultureScope))]
    public async Task Every_parameter_is_sent_in_the_documented_order_under_any_culture(string culture)
    {
        using var scope = new CultureScope(culture);
        var query = new AnalyticsQuery("my-org/my-app")
        {
            Cursor = "Mg==",
            Limit = 1234567,
            BoundToTimeframe = false,
            Timeframe = AnalyticsTimeframe.Minute,
            TimeZone = "America/Argentina/Buenos_Aires",
            Range = AnalyticsTimeRange.Between(Start.AddTicks(1), Start.AddTicks(5_000_000)),
            AdditionalExpand = ["p99_9_duration"],
            Expand = AnalyticsExpand.TotalBillableDuration | AnalyticsExpand.Summary,
        };

        Assert.Equal(
            "endpoint_id=my-org%2Fmy-app&expand=summary&expand=total_billable_duration&expand=p99_9_duration" +
            "&start=2026-01-01T00%3A00%3A00.0000001Z&end=2026-01-01T00%3A00%3A00.5000000Z&timezone=America%2FArgentina%2FBuenos_Aires" +
            "&timeframe=minute&bound_to_timeframe=false&limit=1234567&cursor=Mg%3D%3D",
            await SentQueryAsync(query));
    }

    [Fact]
    public async Task All_values_are_sent_as_repeated_pairs_in_the_documented_order() => Assert.Equal(
        "endpoint_id=a%2Fb&" + string.Join('&', AnalyticsExpandTests.Documented.Select(value => "expand=" + value.Name)),
        await SentQueryAsync(new AnalyticsQuery("a/b") { Expand = AnalyticsExpand.Structure | AnalyticsExpand.AllMetrics }));

    [Fact]
    public async Task A_bare_query_leaves_to_the_service_what_it_does_by_itself() => Assert.Equal(
        "endpoint_id=my-org%2Fmy-app&expand=time_series&expand=request_count",
        await SentQueryAsync(new AnalyticsQuery("my-org/my-app")));

    [Fact]
    public async Task Instants_go_out_in_utc_whatever_offset_they_came_with() => Assert.Contains(
        "&start=2025-12-31T18%3A30%3A00Z&end=2026-01-01T08%3A00%3A00Z",
        await SentQueryAsync(new AnalyticsQuery("a/b")
        {
            Range = AnalyticsTimeRange.Between(
                new DateTimeOffset(2026, 1, 1, 0, 0, 0, new TimeSpan(5, 30, 0)),
                new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.FromHours(-8))),
        }),
        StringComparison.Ordinal);

    [Theory]
    [MemberData(nameof(CultureScope.Names), MemberType = typeof(CultureScope))]
    public async Task Whole_days_stay_dates_and_the_end_is_the_day_after_the_last(string culture)
    {
        using var scope = new CultureScope(culture);

        Assert.EndsWith(
            "&start=2026-01-30&end=2026-02-01",
            await SentQueryAsync(new AnalyticsQuery("a/b") { Range = AnalyticsTimeRange.Days(new(2026, 1, 30), new(2026, 1, 31)) }),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_open_end_is_left_to_the_service() => Assert.EndsWith(
        "&expand=request_count&start=2026-01-01T00%3A00%3A00Z",
        await SentQueryAsync(new AnalyticsQuery("a/b") { Range = AnalyticsTimeRange.Since(Start) }),
        StringComparison.Ordinal);

    [Fact]
    public async Task A_range_that_needs_a_clock_is_refused_with_the_way_to_fix_it()
    {
        var query = new AnalyticsQuery("a/b") { Range = AnalyticsTimeRange.Last(TimeSpan.FromDays(7)) };

        var error = await Assert.ThrowsAsync<ArgumentException>(() => SentAsync(query));

        Assert.Contains("Resolve", error.Message, StringComparison.Ordinal);
        Assert.EndsWith(
            "&start=2025-12-25T00%3A00%3A00Z&end=2026-01-01T00%3A00%3A00Z",
            await SentQueryAsync(query.Resolve(Start)),
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData("my-org/a+b", "my-org%2Fa%2Bb")]
    [InlineData("my-org/a&b=c", "my-org%2Fa%26b%3Dc")]
    [InlineData("my-org/100%", "my-org%2F100%25")]
    [InlineData("my-org/#1?", "my-org%2F%231%3F")]
    [InlineData("my-org/Größe", "my-org%2FGr%C3%B6%C3%9Fe")]
    [InlineData("my-org/😀", "my-org%2F%F0%9F%98%80")]
    [InlineData("my-org/a-b_c.d~e", "my-org%2Fa-b_c.d~e")]
    [InlineData("my-org/'(x)*!", "my-org%2F%27%28x%29%2A%21")]
    public async Task An_id_is_percent_encoded_so_that_the_service_reads_what_was_given(string id, string encoded) =>
        Assert.StartsWith($"endpoint_id={encoded}&", await SentQueryAsync(new AnalyticsQuery(id)), StringComparison.Ordinal);

    [Fact]
    public async Task A_known_name_among_the_additional_ones_is_sent_once_and_in_its_place() => Assert.Equal(
        "endpoint_id=a%2Fb&expand=summary&expand=request_count&expand=error_count&expand=brand_new",
        await SentQueryAsync(new AnalyticsQuery("a/b")
        {
            Expand = AnalyticsExpand.RequestCount,
            AdditionalExpand = ["brand_new", "request_count", "error_count", "summary"],
        }));

    [Fact]
    public async Task A_metric_that_only_the_caller_knows_is_enough() => Assert.Equal(
        "endpoint_id=a%2Fb&expand=time_series&expand=brand_new",
        await SentQueryAsync(new AnalyticsQuery("a/b") { Expand = AnalyticsExpand.None, AdditionalExpand = ["brand_new"] }));

    [Fact]
    public async Task A_query_without_a_metric_never_reaches_the_wire()
    {
        var error = await Assert.ThrowsAsync<ArgumentException>(() =>
            SentAsync(new AnalyticsQuery("a/b") { Expand = AnalyticsExpand.Structure })
        );

        Assert.Contains("AnalyticsExpand.RequestCount", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Fifty_endpoints_go_out_in_one_call_and_fifty_one_are_refused_by_the_name_of_the_limit()
    {
        string[] ids = [.. Enumerable.Range(0, 51).Select(i => $"my-org/app-{i}")];

        string sent = await SentQueryAsync(new AnalyticsQuery(ids.Take(50)));
        var error = await Assert.ThrowsAsync<ArgumentException>(() => SentAsync(new AnalyticsQuery(ids)));

        Assert.Equal(50, sent.Split('&').Count(pair => pair.StartsWith("endpoint_id=", StringComparison.Ordinal)));
        Assert.Contains("51 endpoints", error.Message, StringComparison.Ordinal);
        Assert.Contains("at most 50", error.Message, StringComparison.Ordinal);
    }

    private static async Task<string> SentQueryAsync(AnalyticsQuery query) => (await SentAsync(query)).Split('?', 2)[1];

    // The request as the socket would get it: AbsoluteUri is what the request line is made of.
    private static async Task<string> SentAsync(AnalyticsQuery query)
    {
        using var wire = new Wire();
        using var http = new HttpClient(wire) { BaseAddress = new Uri("https://api.fal.ai/v1") };
        await RestService.ForGenerated<IAnyAnalyticsApi>(http).GetAsync(query);
        return Assert.Single(wire.Uris);
    }

    private sealed class Wire : HttpMessageHandler
    {
        public List<string> Uris { get; } = [];

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            Uris.Add(request.RequestUri!.AbsoluteUri);
            return Task.FromResult(new HttpResponseMessage(HttpStatusCode.OK) { Content = new StringContent("{}") });
        }
    }
}
