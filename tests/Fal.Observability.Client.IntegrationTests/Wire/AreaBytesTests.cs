using System.Globalization;
using Xunit;

namespace Fal.Observability.Client.IntegrationTests;

/// <summary>
/// The request line of each call about apps, runners and usage, byte for byte, as WireMock saw it and as it came over the socket.
/// </summary>
public sealed class AreaBytesTests
{
    private static readonly string[] Cultures = ["", "de-DE", "tr-TR", "ar-SA", "fa-IR", "th-TH"];

    private static readonly AnalyticsTimeRange FirstWeek =
        AnalyticsTimeRange.Between(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.FromHours(1)),
            new DateTimeOffset(2026, 1, 8, 0, 0, 0, 500, TimeSpan.Zero));

    private static readonly UsageQuery FullQuery = new()
    {
        Apps = ["painter-prod", "größe+1"],
        Search = "İp",
        Expand = UsageExpand.Summary | UsageExpand.TimeSeries,
        Range = FirstWeek,
        TimeZone = "America/Argentina/Buenos_Aires",
        Timeframe = AnalyticsTimeframe.Month,
        BoundToTimeframe = false,
        Limit = 1234567,
    };

    private static readonly Dictionary<string, (Func<FalAccount, Task> Call, string[] Lines)> Cases = new(StringComparer.Ordinal)
    {
        ["apps"] = (account => account.Apps.ListAsync(), ["/serverless/apps"]),
        ["apps of two environments by a part of their name, with routes"] = (
            account => account.Apps.ListAsync(new FalAppQuery("main", "stäging+2") { Search = "50%&x", WithEndpoints = true }),
            [
                "/serverless/apps?environment=main&search=50%25%26x&expand=endpoints",
                "/serverless/apps?environment=st%C3%A4ging%2B2&search=50%25%26x&expand=endpoints",
            ]),
        ["raw apps"] = (
            account => account.AppsApi.ListAppsAsync(new FalAppQuery("staging")), ["/serverless/apps?environment=staging"]),
        ["history of the last 24 hours, fixed by the client's clock"] = (
            account => account.Apps.GetRunnerHistoryAsync("my-org/my-app"),
            ["/serverless/apps/my-org/my-app/runners/history?start=2026-06-16T12%3A34%3A00Z&end=2026-06-17T12%3A34%3A00Z&aggregation=max"]),
        ["history of an app whose name means something in an address"] = (
            account => account.Apps.GetRunnerHistoryAsync(
                "ü-org/a+b?c#d%2F&e=f;g", FirstWeek, AnalyticsTimeframe.Hour, FalRunnerAggregation.Average),
            ["/serverless/apps/%C3%BC-org/a%2Bb%3Fc%23d%252F%26e%3Df%3Bg/runners/history?start=2025-12-31T23%3A00%3A00Z&end=2026-01-08T00%3A00%3A00.5000000Z&timeframe=hour&aggregation=avg"]),
        ["history of whole days"] = (
            account => account.Apps.GetRunnerHistoryAsync("my-org/my-app", AnalyticsTimeRange.Days(new(2026, 1, 31), new(2026, 2, 28)),
                AnalyticsTimeframe.Day),
            ["/serverless/apps/my-org/my-app/runners/history?start=2026-01-31&end=2026-03-01&timeframe=day&aggregation=max"]),
        ["raw history"] = (
            account => account.AppsApi.GetRunnerHistoryAsync("my-org", "my-app"), ["/serverless/apps/my-org/my-app/runners/history"]),
        ["raw history of a name with a slash"] = (
            account => account.AppsApi.GetRunnerHistoryAsync("my-org", "a/b"), ["/serverless/apps/my-org/a%2Fb/runners/history"]),
        ["usage"] = (
            account => account.Usage.GetReportAsync(),
            ["/serverless/usage?start=2026-06-16T12%3A34%3A00Z&end=2026-06-17T12%3A34%3A00Z&expand=time_series"]),
        ["usage with everything that can be set"] = (
            account => account.Usage.GetReportAsync(FullQuery),
            ["/serverless/usage?limit=1234567&start=2025-12-31T23%3A00%3A00Z&end=2026-01-08T00%3A00%3A00.5000000Z&timezone=America%2FArgentina%2FBuenos_Aires&timeframe=month&bound_to_timeframe=false&app=painter-prod&app=gr%C3%B6%C3%9Fe%2B1&search=%C4%B0p&expand=time_series&expand=summary"]),
        ["raw usage"] = (account => account.UsageApi.GetUsageAsync(), ["/serverless/usage"]),
        ["raw usage of a later page"] = (
            account => account.UsageApi.GetUsageAsync(new UsageQuery
            {
                Cursor = "Mg+/=",
                Range = AnalyticsTimeRange.Days(new(2026, 1, 1), new(2026, 1, 31))
            }),
            ["/serverless/usage?cursor=Mg%2B%2F%3D&start=2026-01-01&end=2026-02-01&expand=time_series"]),
    };

    public static TheoryData<string, string> CasesAndCultures =>
        [.. Cases.Keys.SelectMany(_ => Cultures, (name, culture) => (name, culture))];

    [Theory]
    [MemberData(nameof(CasesAndCultures))]
    public async Task No_culture_changes_a_byte(string name, string culture)
    {
        (Func<FalAccount, Task> call, string[] lines) = Cases[name];
        Thread.CurrentThread.CurrentCulture = CultureInfo.GetCultureInfo(culture);
        using var api = new WireMockApi(MockResponse.Json(200, """{"apps":[],"history":[],"time_series":[],"summary":[]}"""));
        await using var socket = RawServer.Start(
            RawServer.Answer(200, "application/json", """{"apps":[],"history":[],"time_series":[],"summary":[]}""")
        );
        foreach (Uri address in new[] { api.BaseAddress, socket.BaseAddress })
        {
            using var account = new FalAccount(address);
            await call(account);
        }

        Assert.Equal(lines.Select(line => $"GET /v1{line} HTTP/1.1"), socket.Heads.Select(head => head.Split("\r\n")[0]));
        Assert.All(socket.Heads, head => Assert.Contains("Accept: application/json\r\n", head, StringComparison.Ordinal));
        Assert.Equal(lines.Select(QueryOf), api.Requests.Select(request => ((WireMock.RequestMessage)request).RawQuery ?? ""));
    }

    [Fact]
    public async Task What_cannot_be_valid_is_refused_before_anything_is_sent()
    {
        using var api = new WireMockApi(MockResponse.Page());
        using var account = new FalAccount(api.BaseAddress);

        await Assert.ThrowsAsync<ArgumentException>(() => account.AppsApi.ListAppsAsync(new FalAppQuery("main", "staging")));
        foreach ((string owner, string name) in new[] { ("..", "my-app"), ("my-org", ".."), (".", "my-app"), ("", "my-app"), ("my-org", ""),
            (null!, "my-app"), ("my-org", null!) })
        {
            await Assert.ThrowsAnyAsync<ArgumentException>(() => account.AppsApi.GetRunnerHistoryAsync(owner, name));
        }

        await Assert.ThrowsAsync<ArgumentException>(() => account.Usage.GetReportAsync(new UsageQuery { Cursor = "Mg" }));
        Assert.Throws<ArgumentException>(() => account.Usage.StreamTimeSeriesAsync(new UsageQuery { Cursor = "Mg" }));
        await Assert.ThrowsAsync<ArgumentException>(() =>
            account.UsageApi.GetUsageAsync(new UsageQuery { Range = AnalyticsTimeRange.Last(TimeSpan.FromDays(2)) }));
        await Assert.ThrowsAsync<ArgumentException>(() =>
            account.Usage.GetReportAsync(AnalyticsTimeRange.Since(account.Clock.GetUtcNow()), TestContext.Current.CancellationToken));
        Assert.Throws<ArgumentException>(() => new FalAppQuery("a,b"));
        Assert.Throws<ArgumentException>(() => new FalAppQuery(" "));
        Assert.Throws<ArgumentException>(() => new FalAppQuery { Search = "a b" });
        Assert.Throws<ArgumentException>(() => new UsageQuery { Apps = ["a,b"] });
        Assert.Throws<ArgumentException>(() => new UsageQuery { Apps = [.. Enumerable.Range(0, 51).Select(i => $"a{i}")] });
        Assert.Throws<ArgumentException>(() => new UsageQuery { Search = "\ud800" });
        Assert.Throws<ArgumentOutOfRangeException>(() => new UsageQuery { Expand = UsageExpand.None });
        Assert.Throws<ArgumentOutOfRangeException>(() => new UsageQuery { Expand = (UsageExpand)4 });
        Assert.Throws<ArgumentOutOfRangeException>(() => new UsageQuery { Limit = 0 });
        Assert.Throws<ArgumentOutOfRangeException>(() => new UsageQuery { Timeframe = (AnalyticsTimeframe)(-1) });
        Assert.Throws<ArgumentException>(() => new UsageQuery { TimeZone = "" });

        Assert.Empty(api.Requests);
    }

    private static string QueryOf(string line) =>
        line.Contains('?', StringComparison.Ordinal) ? line[line.IndexOf('?', StringComparison.Ordinal)..] : "";
}
