using System.Globalization;
using Xunit;

namespace Fal.Observability.Client.IntegrationTests;

/// <summary>
/// The request line, byte for byte: what WireMock saw, and beside it what came over the socket. Runs under several cultures here,
/// and as a whole in several machine time zones from <see cref="MachineTimeZoneTests"/>.
/// </summary>
public sealed class QueryBytesTests
{
    /// <summary>Names the instant that local midnight of 2026-01-01 must be, where the machine's zone is known beforehand.</summary>
    public const string ExpectedLocalMidnight = "FAL_TESTS_LOCAL_MIDNIGHT";

    private static readonly string[] Cultures = ["", "de-DE", "tr-TR", "ar-SA", "fa-IR"];

    private static readonly AnalyticsTimeRange FirstWeek = AnalyticsTimeRange.Between(
        new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero),
        new DateTimeOffset(2026, 1, 8, 0, 0, 0, TimeSpan.Zero)
    );

    private static readonly Dictionary<string, (AnalyticsQuery Query, string Bytes)> Cases = new(StringComparer.Ordinal)
    {
        ["the example of the contract"] = (
            new AnalyticsQuery("my-org/my-app", "my-org/other")
            {
                Expand = AnalyticsExpand.TimeSeries | AnalyticsExpand.RequestCount | AnalyticsExpand.P90Duration,
                Range = FirstWeek,
                TimeZone = "Europe/Berlin",
                Timeframe = AnalyticsTimeframe.Hour,
                BoundToTimeframe = true,
            },
            "?endpoint_id=my-org%2Fmy-app&endpoint_id=my-org%2Fother&expand=time_series&expand=request_count&expand=p90_duration&start=2026-01-01T00%3A00%3A00Z&end=2026-01-08T00%3A00%3A00Z&timezone=Europe%2FBerlin&timeframe=hour&bound_to_timeframe=true"),
        ["two endpoints, five expand values, range, zone and timeframe"] = (
            new AnalyticsQuery("my-org/my-app", "my-org/my-app/turbo")
            {
                // In another order than they are sent in.
                Expand =
                    AnalyticsExpand.P25Duration
                    | AnalyticsExpand.Summary
                    | AnalyticsExpand.P99PrepareDuration
                    | AnalyticsExpand.TimeSeries
                    | AnalyticsExpand.UserErrorCount,
                Range = AnalyticsTimeRange.Between(
                    new DateTimeOffset(2026, 3, 29, 1, 59, 59, 999, TimeSpan.FromHours(5.75)),
                    new DateTimeOffset(2026, 3, 29, 4, 0, 0, TimeSpan.FromHours(-3.5))
                ),
                TimeZone = "America/Argentina/Buenos_Aires",
                Timeframe = AnalyticsTimeframe.Minute,
                BoundToTimeframe = false,
                Limit = 1234567,
            },
            "?endpoint_id=my-org%2Fmy-app&endpoint_id=my-org%2Fmy-app%2Fturbo&expand=time_series&expand=summary&expand=user_error_count&expand=p99_prepare_duration&expand=p25_duration&start=2026-03-28T20%3A14%3A59.9990000Z&end=2026-03-29T07%3A30%3A00Z&timezone=America%2FArgentina%2FBuenos_Aires&timeframe=minute&bound_to_timeframe=false&limit=1234567"),
        ["whole days"] = (
            new AnalyticsQuery("my-org/my-app")
            {
                Range = AnalyticsTimeRange.Days(new(2026, 1, 31), new(2026, 2, 28)),
                Timeframe = AnalyticsTimeframe.Week,
            },
            "?endpoint_id=my-org%2Fmy-app&expand=time_series&expand=request_count&start=2026-01-31&end=2026-03-01&timeframe=week"
        ),
        ["the last 24 hours, fixed by the client's clock"] = (
            new AnalyticsQuery("my-org/my-app"),
            "?endpoint_id=my-org%2Fmy-app&expand=time_series&expand=request_count&start=2026-06-16T12%3A34%3A00Z&end=2026-06-17T12%3A34%3A00Z"),
        ["the last 90 seconds"] = (
            new AnalyticsQuery("my-org/my-app") { Range = AnalyticsTimeRange.Last(TimeSpan.FromSeconds(90.5)) },
            "?endpoint_id=my-org%2Fmy-app&expand=time_series&expand=request_count&start=2026-06-17T12%3A32%3A29.5000000Z&end=2026-06-17T12%3A34%3A00Z"),
        ["values that this version does not know"] = (
            new AnalyticsQuery("my-org/my-app")
            {
                Expand = AnalyticsExpand.None,
                AdditionalExpand = ["p999_duration", "error_count", "größe+1"],
                Range = FirstWeek,
                Cursor = "cGFnZT0y+/==",
            },
            "?endpoint_id=my-org%2Fmy-app&expand=time_series&expand=error_count&expand=p999_duration&expand=gr%C3%B6%C3%9Fe%2B1&start=2026-01-01T00%3A00%3A00Z&end=2026-01-08T00%3A00%3A00Z&cursor=cGFnZT0y%2B%2F%3D%3D"),
        ["every character that means something in an address"] = (
            new AnalyticsQuery(
                "my-org/a+b",
                "my-org/ü",
                "my-org/50%",
                "my-org/a&b=c",
                "my-org/a#b",
                "my-org/a?b;c:d@e!f$g'h(i)j*k",
                "my-org/\"<>\\^`{|}~-._",
                "my-org/😀",
                "my-org/%2F",
                "my-org/İIıi"
            )
            {
                Range = FirstWeek,
                TimeZone = "Etc/GMT+5",
            },
            "?endpoint_id=my-org%2Fa%2Bb&endpoint_id=my-org%2F%C3%BC&endpoint_id=my-org%2F50%25&endpoint_id=my-org%2Fa%26b%3Dc&endpoint_id=my-org%2Fa%23b&endpoint_id=my-org%2Fa%3Fb%3Bc%3Ad%40e%21f%24g%27h%28i%29j%2Ak&endpoint_id=my-org%2F%22%3C%3E%5C%5E%60%7B%7C%7D~-._&endpoint_id=my-org%2F%F0%9F%98%80&endpoint_id=my-org%2F%252F&endpoint_id=my-org%2F%C4%B0I%C4%B1i&expand=time_series&expand=request_count&start=2026-01-01T00%3A00%3A00Z&end=2026-01-08T00%3A00%3A00Z&timezone=Etc%2FGMT%2B5"),
    };

    public static TheoryData<string, string> CasesAndCultures =>
        [.. Cases.Keys.SelectMany(_ => Cultures, (name, culture) => (name, culture))];

    [Theory]
    [MemberData(nameof(CasesAndCultures))]
    public async Task No_culture_changes_a_byte_of_the_query(string name, string culture)
    {
        (AnalyticsQuery query, string bytes) = Cases[name];
        Thread.CurrentThread.CurrentCulture = CultureInfo.GetCultureInfo(culture);
        using var api = new WireMockApi(MockResponse.Page());
        await using var socket = RawServer.Start(RawServer.Answer(200, "application/json", """{"time_series":[],"summary":[]}"""));

        foreach (Uri address in new[] { api.BaseAddress, socket.BaseAddress })
        {
            using var account = new FalAccount(address);
            await account.Analytics.GetPageAsync(query, TestContext.Current.CancellationToken);
            await account.Analytics.GetPageAsync(query with { Source = AnalyticsSource.Models }, TestContext.Current.CancellationToken);
        }

        Assert.Equal([bytes, bytes], api.Requests.Select(request => ((WireMock.RequestMessage)request).RawQuery));
        Assert.Equal(["/v1/serverless/analytics", "/v1/models/analytics"], api.Requests.Select(request => request.Path));
        Assert.Equal(
            [$"GET /v1/serverless/analytics{bytes} HTTP/1.1", $"GET /v1/models/analytics{bytes} HTTP/1.1"],
            socket.Heads.Select(head => head.Split("\r\n")[0]));
    }

    [Fact]
    public async Task A_local_time_is_sent_as_the_instant_it_is_on_this_machine()
    {
        var midnight = new DateTime(2026, 1, 1, 0, 0, 0, DateTimeKind.Local);
        string expected = Environment.GetEnvironmentVariable(ExpectedLocalMidnight)
            ?? TimeZoneInfo.ConvertTimeToUtc(midnight).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
        using var api = new WireMockApi(MockResponse.Page());
        using var account = new FalAccount(api.BaseAddress);

        await account.Analytics.GetPageAsync(
            new AnalyticsQuery("my-org/my-app") { Range = AnalyticsTimeRange.Between(midnight, midnight.AddDays(1)) },
            TestContext.Current.CancellationToken
        );

        Assert.Contains(
            $"&start={Uri.EscapeDataString(expected)}&",
            Assert.Single(api.Requests).AbsoluteUrl.Replace(":00:00Z", "%3A00%3A00Z", StringComparison.Ordinal),
            StringComparison.Ordinal
        );
    }

    [Theory]
    [MemberData(nameof(CultureNames))]
    public async Task The_request_says_who_asks_for_what_and_nothing_else(string culture)
    {
        Thread.CurrentThread.CurrentCulture = CultureInfo.GetCultureInfo(culture);
        await using var server = RawServer.Start(
            RawServer.Answer(200, "text/plain", "a 1\n"),
            RawServer.Answer(200, "text/plain", "a 1\n"),
            RawServer.Answer(200, "application/json", """{"time_series":[],"summary":[]}""")
        );
        using var account = new FalAccount(server.BaseAddress, options => options.UserAgentSuffix = "my-service/1.4 (linux)");

        await account.RunAsync(FalCall.Snapshot, TestContext.Current.CancellationToken);
        await account.RunAsync(FalCall.Samples, TestContext.Current.CancellationToken);
        await account.RunAsync(FalCall.Page, TestContext.Current.CancellationToken);

        string version = typeof(FalObservabilityClient).Assembly.GetName().Version!.ToString(3);
        string[] common =
        [
            $"Authorization: Key {FalAccount.Key}",
            $"Host: 127.0.0.1:{server.BaseAddress.Port}",
            $"User-Agent: Fal.Observability.Client/{version} my-service/1.4 (linux)",
        ];
        string[] text = ["Accept-Encoding: gzip", "Accept: text/plain", .. common];
        string[] json = ["Accept-Encoding: gzip", "Accept: application/json", .. common];
        string[][] headers = [.. server.Heads.Select(head => head.Split("\r\n")[1..^2].Order(StringComparer.Ordinal).ToArray())];
        Assert.Equal([text, text, json], headers);
        Assert.StartsWith("GET /v1/serverless/metrics HTTP/1.1\r\n", server.Heads[0], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/v1")]
    [InlineData("/v1/")]
    [InlineData("/")]
    [InlineData("/proxy/fal/v1/")]
    public async Task The_path_of_the_base_address_is_kept_with_or_without_a_slash_at_its_end(string path)
    {
        await using var server = RawServer.Start(RawServer.Answer(200, "text/plain", "a 1\n"));
        using var account = new FalAccount(new Uri(server.BaseAddress, path));

        await account.RunAsync(FalCall.Snapshot, TestContext.Current.CancellationToken);

        Assert.StartsWith(
            $"GET {path.TrimEnd('/')}/serverless/metrics HTTP/1.1\r\n",
            Assert.Single(server.Heads),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task What_cannot_be_valid_is_refused_before_anything_is_sent()
    {
        await using var server = RawServer.Start(RawServer.Answer(200, "application/json", """{"time_series":[],"summary":[]}"""));
        using var account = new FalAccount(server.BaseAddress);
        AnalyticsQuery query = FalAccount.Query;

        foreach (string id in new[] { "", " ", "my org/app", "a,b", "a\tb", "a\u0000b", "a\u00a0b", "\ud800" })
        {
            Assert.ThrowsAny<ArgumentException>(() => new AnalyticsQuery(id));
        }

        Assert.ThrowsAny<ArgumentException>(() => query with { TimeZone = "" });
        await Assert.ThrowsAnyAsync<ArgumentException>(() =>
            account.Analytics.GetPageAsync(query with { Expand = AnalyticsExpand.Summary })
        );
        await Assert.ThrowsAnyAsync<ArgumentException>(() =>
            account.Analytics.GetPageAsync(query with { EndpointIds = [.. Enumerable.Range(0, 51).Select(i => $"my-org/{i}")] })
        );
        Assert.ThrowsAny<ArgumentException>(() => account.Analytics.StreamTimeSeriesAsync(query with { Expand = AnalyticsExpand.Summary }));
        await Assert.ThrowsAnyAsync<ArgumentException>(() =>
            account.AnalyticsApi.GetServerlessAnalyticsAsync(query with { Range = AnalyticsTimeRange.Last(TimeSpan.FromHours(1)) })
        );
        await Assert.ThrowsAnyAsync<ArgumentException>(() =>
            account.AnalyticsApi.GetModelsAnalyticsAsync(query with { Expand = AnalyticsExpand.None })
        );
        Assert.Empty(server.Heads);
        Assert.Equal(0, server.Connections);
    }

    public static TheoryData<string> CultureNames => [.. Cultures];
}
