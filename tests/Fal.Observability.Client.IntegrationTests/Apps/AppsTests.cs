using System.Globalization;
using System.Net;
using System.Text;
using Xunit;

namespace Fal.Observability.Client.IntegrationTests;

public sealed class AppsTests
{
    [Fact]
    public async Task A_report_over_everything_takes_two_lines_and_no_id()
    {
        using var api = new WireMockApi(
            MockResponse.Json(200, """{"apps":[{"endpoint_id":"o/a","environment":"main"},{"endpoint_id":"o/b","environment":"main"}]}"""),
            MockResponse.Json(200, """{"time_series":[{"bucket":"2026-06-17T10:00:00+00:00","results":[{"endpoint_id":"o/a/turbo","request_count":3}]}],"summary":[]}"""));
        using var account = new FalAccount(api.BaseAddress, options => options.MaxConcurrentCalls = 1);

        FalAppList apps = await account.Apps.ListAsync(TestContext.Current.CancellationToken);
        AnalyticsReport report = await account.Analytics.GetReportAsync(apps.ToQuery(), TestContext.Current.CancellationToken);

        Assert.All(api.Requests.Skip(1), request =>
            Assert.Contains("endpoint_id=o%2Fa&endpoint_id=o%2Fb", request.Url, StringComparison.Ordinal));
        Assert.Equal(3, apps.ByApp(report.TimeSeries)["o/a"].GetValue(AnalyticsExpand.RequestCount));
    }

    [Fact]
    public async Task Ninety_days_of_history_by_hour_come_in_order()
    {
        var first = new DateTimeOffset(2026, 3, 19, 13, 0, 0, TimeSpan.Zero);
        var body = new StringBuilder("""{"endpoint_id":"my-org/my-app","timeframe":"hour","aggregation":"max","history":[""");
        // The last bucket starts after the present, as the service's buckets do.
        for (int hour = 0; hour <= 90 * 24; hour++)
        {
            body.Append(CultureInfo.InvariantCulture, $$"""{{(hour == 0 ? "" : ",")}}{"timestamp":"{{first.AddHours(hour):yyyy-MM-dd'T'HH:mm:ss.fff'Z'}}","running":{{hour % 5}},"idle":1,"pending":0,"draining":0}""");
        }

        using var api = new WireMockApi(MockResponse.Json(200, body.Append("]}").ToString()));
        using var account = new FalAccount(api.BaseAddress);

        FalRunnerHistory history = await account.Apps.GetRunnerHistoryAsync(
            "my-org/my-app", AnalyticsTimeRange.Last(TimeSpan.FromDays(90)), AnalyticsTimeframe.Hour,
                cancellationToken: TestContext.Current.CancellationToken);

        Assert.Equal(Enumerable.Range(0, 90 * 24).Select(hour => first.AddHours(hour)), history.Buckets.Select(bucket => bucket.Start));
        Assert.Equal(4, history.PeakRunning);
        Assert.Single(api.Requests);
    }

    [Fact]
    public async Task An_unknown_app_is_a_404_that_says_where_the_ids_are()
    {
        using var api = new WireMockApi(MockResponse.Json(404, """{"error":{"type":"not_found","message":"No such application"}}"""));
        using var account = new FalAccount(api.BaseAddress);

        FalApiException failure = await account.FailureOfAsync<FalApiException>(FalCall.RunnerHistory);

        Assert.Equal(HttpStatusCode.NotFound, failure.StatusCode);
        Assert.Contains("my-org/my-app", failure.Message, StringComparison.Ordinal);
        Assert.Contains("Apps.ListAsync", failure.Message, StringComparison.Ordinal);
        Assert.Null(failure.RequestId);
    }

    [Fact]
    public async Task The_history_of_another_app_is_an_error_that_does_not_show_what_the_service_echoed()
    {
        using var api = new WireMockApi(MockResponse.Json(200, $$"""{"endpoint_id":"{{FalAccount.Key}}","history":[]}"""));
        using var account = new FalAccount(api.BaseAddress);

        FalResponseException failure = await account.FailureOfAsync<FalResponseException>(FalCall.RunnerHistory);

        Assert.Contains("another app instead of my-org/my-app", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("test-secret", failure.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"apps":[{"name":"x"}]}""", FalCall.AppList, "endpoint_id")]
    [InlineData("""{"apps":[{"endpoint_id":7}]}""", FalCall.AppList, "$.apps[0].endpoint_id")]
    [InlineData("""{"apps":null}""", FalCall.AppList, "'apps'")]
    [InlineData("""{"error":{"type":"server_error","message":"x"}}""", FalCall.AppList, "apps")]
    [InlineData("{}", FalCall.RawApps, "apps")]
    [InlineData("[]", FalCall.RawApps, "The list of apps must be an object")]
    [InlineData("""{"history":[{"timestamp":"2026-01-01T00:00:00Z","idle":-2}]}""", FalCall.RunnerHistory, "$.history[0].idle")]
    [InlineData("""{"history":null}""", FalCall.RawRunnerHistory, "'history'")]
    [InlineData("""{"endpoint_id":"o/n"}""", FalCall.RunnerHistory, "history")]
    public async Task An_answer_that_cannot_be_is_an_error_that_names_what_is_wrong_with_it(string body, FalCall call, string names)
    {
        using var api = new WireMockApi(MockResponse.Json(200, body));
        using var account = new FalAccount(api.BaseAddress);

        FalResponseException failure = await account.FailureOfAsync<FalResponseException>(call);

        Assert.Contains(names, failure.Message, StringComparison.Ordinal);
        Assert.Single(api.Requests);
    }
}
