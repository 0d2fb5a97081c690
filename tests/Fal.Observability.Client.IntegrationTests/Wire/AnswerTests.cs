using Xunit;

namespace Fal.Observability.Client.IntegrationTests;

/// <summary>Where a successful answer came from, and answers that must not be read at a guess.</summary>
public sealed class AnswerTests
{
    private static readonly (string, string)[] EdgeId = [("x-vercel-id", "fra1::iad1::abcde-1")];
    private static readonly DateTimeOffset AsOf = new(2026, 1, 7, 23, 0, 0, TimeSpan.Zero);

    [Fact]
    public async Task Every_answer_names_its_request_and_the_time_of_its_arrival()
    {
        string body = MockResponse.Page().Body.Replace("\"apps\"", "\"as_of\":\"2026-01-07T23:00:00Z\",\"apps\"", StringComparison.Ordinal);
        using var api = new WireMockApi(MockResponse.Json(200, body) with { Headers = EdgeId });
        using var account = new FalAccount(api.BaseAddress);
        DateTimeOffset now = account.Clock.GetUtcNow();

        AnalyticsReport report = await account.Analytics.GetReportAsync(FalAccount.Query);
        UsageReport usage = await account.Usage.GetReportAsync();
        FalAppList apps = await account.Apps.ListAsync(new FalAppQuery("main", "staging"));
        FalAnswer[] answers =
        [
            (await account.Analytics.GetPageAsync(FalAccount.Query)).Answer,
            (await account.Apps.GetRunnerHistoryAsync("my-org/my-app")).Answer,
            .. report.Answers, .. usage.Answers, .. apps.Answers,
        ];

        Assert.Equal(2 + report.Calls + 1 + 2, answers.Length);
        Assert.All(
            answers,
            answer =>
                Assert.Equal(
                    new FalAnswer
                    {
                        RequestId = "fra1::iad1::abcde-1",
                        ReceivedAt = now,
                        AsOf = AsOf,
                    },
                    answer
                )
        );
    }

    [Fact]
    public async Task A_snapshot_names_its_request()
    {
        using var api = new WireMockApi(MockResponse.Metrics() with { Headers = EdgeId });
        using var account = new FalAccount(api.BaseAddress);
        Assert.Equal("fra1::iad1::abcde-1", (await account.Metrics.GetSnapshotAsync(TestContext.Current.CancellationToken)).RequestId);
    }

    [Fact]
    public async Task What_the_service_says_of_the_age_of_its_data_survives_the_way_to_json_and_back()
    {
        using var api = new WireMockApi(MockResponse.Json(200, """{"time_series":[],"as_of":"2026-01-07T23:00:00Z"}"""));
        using var account = new FalAccount(api.BaseAddress);
        AnalyticsPage page = await account.Analytics.GetPageAsync(FalAccount.Query, TestContext.Current.CancellationToken);
        string json = System.Text.Json.JsonSerializer.Serialize(page);
        Assert.Equal(AsOf, System.Text.Json.JsonSerializer.Deserialize<AnalyticsPage>(json)!.Answer.AsOf);

        using var odd = new WireMockApi(MockResponse.Json(200, """{"time_series":[],"as_of":{"clock":"soon"}}"""));
        using var other = new FalAccount(odd.BaseAddress);
        Assert.Null((await other.Analytics.GetPageAsync(FalAccount.Query, TestContext.Current.CancellationToken)).Answer.AsOf);
    }

    [Fact]
    public async Task A_query_that_lacks_counts_for_the_rates_is_told_which_to_add()
    {
        using var api = new WireMockApi(MockResponse.Page());
        using var account = new FalAccount(api.BaseAddress);

        await account.Analytics.GetReportAsync(FalAccount.Query with { Expand = AnalyticsExpand.ErrorCount });
        string told = Assert.Single(account.Events(13)).Message;
        Assert.Contains("AnalyticsExpand.RequestCount, AnalyticsExpand.SuccessCount", told, StringComparison.Ordinal);
        Assert.DoesNotContain("AnalyticsExpand.ErrorCount", told, StringComparison.Ordinal);

        await account.Analytics.GetReportAsync(FalAccount.Query with { Expand = AnalyticsExpand.Volume });
        await account.Analytics.GetReportAsync(FalAccount.Query with { Expand = AnalyticsExpand.P90Duration });
        Assert.Single(account.Events(13));
    }

    [Theory]
    [InlineData(FalCall.UsageReport, """{"time_series":[],"time_series":[]}""", "'time_series' twice")]
    [InlineData(
        FalCall.UsageReport,
        """{"time_series":[{"bucket":"2026-06-17T12:00:00Z","results":[],"results":[]}]}""",
        "'results' twice"
    )]
    [InlineData(
        FalCall.UsageReport,
        """{"time_series":[{"bucket":"2026-06-17T12:00:00Z","results":[{"cost_total":1,"cost_total":2,"currency":"USD"}]}]}""",
        "'cost_total' twice"
    )]
    [InlineData(FalCall.UsageReport, """{"time_series":[null]}""", "$.time_series[0]")]
    [InlineData(FalCall.UsageReport, """{"time_series":[],"summary":[null]}""", "$.summary[0]")]
    [InlineData(FalCall.UsageReport, """{"time_series":[{"bucket":"1970-01-01T00:00:00Z","results":[]}]}""", "outside the requested range")]
    [InlineData(FalCall.UsageReport, """{"time_series":[],"next_cursor":17}""", "next_cursor")]
    [InlineData(FalCall.AppList, """{"apps":[],"apps":[{"endpoint_id":"a/b"}]}""", "'apps' twice")]
    [InlineData(FalCall.AppList, """{"apps":[null]}""", "$.apps[0]")]
    [InlineData(
        FalCall.AppList,
        """{"apps":[{"endpoint_id":"a/b","environment":"main","environment":"staging"}]}""",
        "'environment' twice"
    )]
    [InlineData(FalCall.RunnerHistory, """{"history":[],"history":[]}""", "'history' twice")]
    [InlineData(FalCall.RunnerHistory, """{"history":[null]}""", "$.history[0]")]
    [InlineData(FalCall.RunnerHistory, """{"history":[{"timestamp":"1970-01-01T00:00:00Z"}]}""", "outside the requested range")]
    [InlineData(FalCall.RunnerHistory, """{"endpoint_id":"somebody/else","history":[]}""", "another app instead of my-org/my-app")]
    public async Task What_would_be_read_at_a_guess_is_refused_and_names_the_place_once(FalCall call, string body, string says)
    {
        using var api = new WireMockApi(MockResponse.Json(200, body));
        using var account = new FalAccount(api.BaseAddress);

        FalResponseException failure = await account.FailureOfAsync<FalResponseException>(call);

        Assert.Contains(says, failure.Message, StringComparison.Ordinal);
        string reason = failure.Message[
            ..(failure.Message.IndexOf("the body starts:", StringComparison.Ordinal) is var end and >= 0 ? end : failure.Message.Length)
        ];
        Assert.InRange(reason.Split("[0]").Length - 1, 0, reason.Contains("results[0]", StringComparison.Ordinal) ? 2 : 1);
    }
}
