using System.Globalization;
using System.Net;
using Xunit;

namespace Fal.Observability.Client.Tests;

public sealed class AnalyticsRefusedEndpointsTests
{
    private readonly FakeAnalyticsService _service = new();

    [Fact]
    public async Task By_default_a_refusal_is_the_result()
    {
        _service.Refused.Add("org/app-007");

        FalForbiddenException refusal = await Assert.ThrowsAsync<FalForbiddenException>(
            () => _service.Client.GetReportAsync(FakeAnalyticsService.Query(50, 2)));

        Assert.Equal("org/app-007 is not yours", refusal.Message);
    }

    [Fact]
    public async Task Skipped_endpoints_are_named_with_the_words_of_the_service_and_the_others_are_all_there()
    {
        _service.Refused.UnionWith(["org/app-003", "org/app-060", "org/app-061"]);
        _service.Options.BucketsPerWindow = 10;
        AnalyticsQuery query = Skip(FakeAnalyticsService.Query(130, 30));

        AnalyticsReport report = await _service.Client.GetReportAsync(query);

        Assert.Equal(["org/app-003", "org/app-060", "org/app-061"], report.RefusedEndpoints.Select(refused => refused.EndpointId));
        Assert.All(report.RefusedEndpoints, refused => Assert.Equal($"{refused.EndpointId} is not yours", refused.Message));
        Assert.All(report.RefusedEndpoints, refused => Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode));
        string[] others = [.. query.EndpointIds.Where(id => !_service.Refused.Contains(id))];
        Assert.Equal(30, report.TimeSeries.Count);
        Assert.All(report.TimeSeries, bucket => Assert.Equal(others, bucket.Rows.Select(row => row.EndpointId)));
        Assert.Equal(others, report.Summary.Select(row => row.EndpointId));
        Assert.Equal(7, _service.Log.LatestRecord.Id.Id);
    }

    // One window, one page: without a refusal it takes one call.
    [Fact]
    public async Task The_calls_stay_within_the_budget_for_any_number_of_refused_endpoints()
    {
        const int Seed = 20260315;
        var random = new Random(Seed);
        int compared = 0;
        for (int refused = 0; refused <= 50; refused++)
        {
            for (int round = 0; round < 12; round++)
            {
                int[] order = [.. Enumerable.Range(0, 50)];
                if (round >= 3)
                {
                    random.Shuffle(order);
                }

                int[] chosen = round switch
                {
                    1 => [.. order.TakeLast(refused)],
                    2 => [.. Enumerable.Range(0, refused).Select(i => i * 50 / refused)],
                    _ => order[..refused],
                };
                (int calls, AnalyticsReport? report) = await CountAsync(chosen);
                if (report is null)
                {
                    Assert.Equal(8, calls);
                    Assert.True(refused >= 7, $"seed {Seed}: gave up with {refused} refused");
                    continue;
                }

                compared++;
                Assert.Equal(chosen.Order().Select(i => FakeAnalyticsService.Ids(50)[i]), report.RefusedEndpoints.Select(endpoint => endpoint.EndpointId));
                Assert.Equal(50 - refused, report.TimeSeries[0].Rows.Count);
                Assert.True(calls <= Budget(refused), string.Create(CultureInfo.InvariantCulture,
                    $"seed {Seed}: {calls} calls for {refused} refused, round {round}"));
            }
        }

        Assert.True(compared > 400);
    }

    [Fact]
    public async Task A_key_that_nothing_is_accepted_for_ends_in_one_exception_after_eight_calls()
    {
        _service.Refused.UnionWith(FakeAnalyticsService.Ids(400));

        FalForbiddenException refusal = await Assert.ThrowsAsync<FalForbiddenException>(
            () => _service.Client.GetReportAsync(Skip(FakeAnalyticsService.Query(400, 48))));

        Assert.Equal(8, _service.Calls.Count);
        Assert.Contains("lacks a permission", refusal.Message, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.Forbidden, refusal.StatusCode);
    }

    [Fact]
    public async Task Once_an_endpoint_was_accepted_a_group_can_be_refused_to_the_last()
    {
        _service.Refused.UnionWith(FakeAnalyticsService.Ids(100)[50..]);

        AnalyticsReport report = await _service.Client.GetReportAsync(Skip(FakeAnalyticsService.Query(100, 2)));

        Assert.Equal(FakeAnalyticsService.Ids(100)[50..], report.RefusedEndpoints.Select(refused => refused.EndpointId));
        Assert.Equal(FakeAnalyticsService.Ids(50), report.TimeSeries[0].Rows.Select(row => row.EndpointId));
    }

    [Theory]
    [InlineData(HttpStatusCode.Forbidden, "text/html", FalForbiddenReason.EdgeChallenge)]
    [InlineData(HttpStatusCode.Forbidden, "text/plain", FalForbiddenReason.PermissionOrOwnership)]
    [InlineData(HttpStatusCode.NotFound, "text/html", null)]
    [InlineData(HttpStatusCode.BadRequest, "application/json", null)]
    public async Task What_is_no_statement_about_an_endpoint_is_not_searched_for_one(HttpStatusCode status, string contentType, FalForbiddenReason? reason)
    {
        FalApiException failure = reason is { } forbidden
            ? new FalForbiddenException("no") { StatusCode = status, ContentType = contentType, Reason = forbidden }
            : new FalApiException("no") { StatusCode = status, ContentType = contentType };
        _service.Before = _ => Task.FromException(failure);

        Assert.Same(failure, await Assert.ThrowsAnyAsync<FalApiException>(() => _service.Client.GetReportAsync(Skip(FakeAnalyticsService.Query(50, 2)))));
        Assert.Single(_service.Calls);
    }

    [Fact]
    public async Task An_endpoint_that_does_not_exist_is_skipped_like_one_of_others()
    {
        _service.Before = query => query.EndpointIds.Contains("org/app-031")
            ? Task.FromException(new FalApiException("gone") { StatusCode = HttpStatusCode.NotFound, ContentType = "application/json", ServiceMessage = "gone" })
            : Task.CompletedTask;

        AnalyticsReport report = await _service.Client.GetReportAsync(Skip(FakeAnalyticsService.Query(50, 2)));

        Assert.Equal(new AnalyticsRefusedEndpoint("org/app-031", HttpStatusCode.NotFound, "gone"), Assert.Single(report.RefusedEndpoints));
    }

    [Fact]
    public async Task An_endpoint_that_is_taken_away_in_the_middle_of_a_stream_doubles_and_loses_nothing_of_the_others()
    {
        _service.PageSize = 3;
        List<AnalyticsBucket> streamed = [];
        await foreach (AnalyticsBucket bucket in _service.Client.StreamTimeSeriesAsync(Skip(FakeAnalyticsService.Query(60, 20))))
        {
            streamed.Add(bucket);
            if (streamed.Count == 8)
            {
                _service.Refused.Add("org/app-002");
            }
        }

        Assert.Equal(Enumerable.Range(0, 20).Select(i => FakeAnalyticsService.Now.AddHours(i - 20)), streamed.Select(bucket => bucket.Start));
        Assert.All(streamed.Take(8), bucket => Assert.Equal(60, bucket.Rows.Count));
        Assert.Equal(59, streamed[^1].Rows.Count);
        Assert.All(streamed, bucket => Assert.Equal(bucket.Rows.Count, bucket.Rows.Select(row => row.EndpointId).Distinct().Count()));
    }

    [Fact]
    public async Task The_failure_on_cold_boot_percentiles_says_what_to_leave_out()
    {
        _service.Fragile.Add("org/app-001");
        AnalyticsQuery query = FakeAnalyticsService.Query(2, 2) with { AdditionalExpand = ["p50_cold_boot_duration"] };

        FalApiException fromReport = await Assert.ThrowsAsync<FalApiException>(() => _service.Client.GetReportAsync(query));
        FalApiException fromPage = await Assert.ThrowsAsync<FalApiException>(() => _service.Client.GetPageAsync(query));

        Assert.All([fromReport, fromPage], failure => Assert.Contains("leave out P50ColdBootDuration", failure.Message, StringComparison.Ordinal));
        Assert.Equal(HttpStatusCode.InternalServerError, fromPage.StatusCode);
        Assert.True(fromPage.IsTransient);
    }

    [Fact]
    public async Task Degraded_the_calls_go_on_without_them_and_the_report_says_for_whom()
    {
        _service.Fragile.Add("org/app-060");
        AnalyticsQuery query = FakeAnalyticsService.Query(70, 2) with
        {
            Expand = AnalyticsExpand.RequestCount | AnalyticsExpand.P50ColdBootDuration,
            DegradeOnServerError = true,
        };

        AnalyticsReport report = await _service.Client.GetReportAsync(query);

        Assert.Equal(query.EndpointIds.Skip(50), report.MissingMetrics.Select(missing => missing.EndpointId));
        Assert.All(report.MissingMetrics, missing => Assert.Equal(AnalyticsExpand.P50ColdBootDuration, missing.Metrics));
        Assert.All(report.TimeSeries[0].Rows.Take(50), row => Assert.NotNull(row.P50ColdBootDuration));
        Assert.All(report.TimeSeries[0].Rows.Skip(50), row => Assert.Equal((FakeAnalyticsService.Now.Hour - 1, null), (row.RequestCount, row.P50ColdBootDuration)));
        Assert.Equal(70, report.Summary.Count);
    }

    [Fact]
    public async Task Where_nothing_would_be_left_to_ask_for_the_failure_is_the_result()
    {
        _service.Fragile.Add("org/app-000");

        await Assert.ThrowsAsync<FalApiException>(() => _service.Client.GetReportAsync(
            FakeAnalyticsService.Query(1, 2) with { Expand = AnalyticsExpand.P50ColdBootDuration, DegradeOnServerError = true }));
    }

    private static AnalyticsQuery Skip(AnalyticsQuery query) => query with { RefusedEndpoints = RefusedEndpointPolicy.Skip };

    private static int Budget(int refused) => refused == 0 ? 1 : 1 + (refused * ((2 * (int)Math.Ceiling(Math.Log2(50.0 / refused))) + 2));

    private static async Task<(int Calls, AnalyticsReport? Report)> CountAsync(IEnumerable<int> refused)
    {
        var service = new FakeAnalyticsService();
        service.Refused.UnionWith(refused.Select(i => FakeAnalyticsService.Ids(50)[i]));
        AnalyticsQuery query = Skip(FakeAnalyticsService.Query(50, 2)) with { Expand = AnalyticsExpand.RequestCount | AnalyticsExpand.TimeSeries };
        try
        {
            AnalyticsReport report = await service.Client.GetReportAsync(query);
            return (service.Calls.Count, report);
        }
        catch (FalForbiddenException)
        {
            return (service.Calls.Count, null);
        }
    }
}
