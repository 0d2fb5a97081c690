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
                Assert.Equal(
                    chosen.Order().Select(i => FakeAnalyticsService.Ids(50)[i]),
                    report.RefusedEndpoints.Select(endpoint => endpoint.EndpointId)
                );
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
    public async Task Seven_refused_endpoints_that_stand_together_never_look_like_a_key_without_the_permission()
    {
        for (int first = 0; first <= 43; first++)
        {
            (int calls, AnalyticsReport? report) = await CountAsync(Enumerable.Range(first, 7));

            Assert.Equal(
                FakeAnalyticsService.Ids(50)[first..(first + 7)],
                report!.RefusedEndpoints.Select(endpoint => endpoint.EndpointId)
            );
            Assert.InRange(calls, 1, Budget(7));
        }
    }

    [Theory]
    [InlineData(2)]
    [InlineData(7)]
    [InlineData(10)]
    public async Task Endpoints_refused_in_a_regular_distance_never_look_like_it(int distance)
    {
        for (int first = 0; first < distance; first++)
        {
            int[] refused = [.. Enumerable.Range(0, 50).Where(i => i % distance == first)];
            (int calls, AnalyticsReport? report) = await CountAsync(refused);

            Assert.Equal(refused.Length, report!.RefusedEndpoints.Count);
            Assert.InRange(calls, 1, Budget(refused.Length));
        }
    }

    [Theory]
    [InlineData(60, 50)]
    [InlineData(100, 90)]
    [InlineData(400, 350)]
    public async Task Endpoints_refused_up_to_the_last_group_leave_its_data(int endpoints, int refused)
    {
        _service.Refused.UnionWith(FakeAnalyticsService.Ids(endpoints)[..refused]);
        AnalyticsQuery query = Skip(FakeAnalyticsService.Query(endpoints, 2)) with
        {
            Expand = AnalyticsExpand.RequestCount | AnalyticsExpand.TimeSeries,
        };

        AnalyticsReport report = await _service.Client.GetReportAsync(query);

        Assert.Equal(refused, report.RefusedEndpoints.Count);
        Assert.Equal(FakeAnalyticsService.Ids(endpoints)[refused..], report.TimeSeries[0].Rows.Select(row => row.EndpointId));
        TestContext.Current.TestOutputHelper?.WriteLine(
            string.Create(CultureInfo.InvariantCulture, $"{refused} of {endpoints} refused: {_service.Calls.Count} calls")
        );
    }

    [Fact]
    public async Task A_few_endpoints_of_an_own_among_many_of_another_owner_are_found()
    {
        string[] ids = [.. FakeAnalyticsService.Ids(48), "mine/a", "mine/b"];
        _service.Refused.UnionWith(ids[..48]);

        AnalyticsReport report = await _service.Client.GetReportAsync(Skip(FakeAnalyticsService.Query(1, 2) with { EndpointIds = ids }));

        Assert.Equal(ids[48..], report.Summary.Select(row => row.EndpointId));
    }

    // A key without the permission is answered the same for every endpoint.
    [Fact]
    public async Task Where_some_are_foreign_and_some_do_not_exist_the_key_has_the_permission()
    {
        string[] ids = FakeAnalyticsService.Ids(50);
        _service.Before = query =>
            query.EndpointIds.FirstOrDefault(id => id != ids[20] && string.CompareOrdinal(id, ids[25]) < 0) is not null
                ? Task.FromException(new FalApiException("gone") { StatusCode = HttpStatusCode.NotFound, ContentType = "application/json" })
                : Task.CompletedTask;
        _service.Refused.UnionWith(ids[25..]);

        AnalyticsReport report = await _service.Client.GetReportAsync(Skip(FakeAnalyticsService.Query(50, 2)));

        Assert.Equal(ids.Where(id => id != ids[20]), report.RefusedEndpoints.Select(endpoint => endpoint.EndpointId));
        Assert.Equal(ids[20], Assert.Single(report.Summary).EndpointId);
    }

    [Fact]
    public async Task Where_no_endpoint_exists_the_exception_speaks_of_ids_and_not_of_permissions()
    {
        _service.Before = _ =>
            Task.FromException(new FalApiException("gone") { StatusCode = HttpStatusCode.NotFound, ContentType = "application/json" });

        FalApiException failure = await Assert.ThrowsAsync<FalApiException>(() =>
            _service.Client.GetReportAsync(Skip(FakeAnalyticsService.Query(60, 2)))
        );

        Assert.Equal(HttpStatusCode.NotFound, failure.StatusCode);
        Assert.Contains("none of the endpoints exist", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("permission", failure.Message, StringComparison.Ordinal);
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
    public async Task What_is_no_statement_about_an_endpoint_is_not_searched_for_one(
        HttpStatusCode status,
        string contentType,
        FalForbiddenReason? reason
    )
    {
        FalApiException failure = reason is { } forbidden
            ? new FalForbiddenException("no") { StatusCode = status, ContentType = contentType, Reason = forbidden }
            : new FalApiException("no") { StatusCode = status, ContentType = contentType };
        _service.Before = _ => Task.FromException(failure);

        Assert.Same(
            failure,
            await Assert.ThrowsAnyAsync<FalApiException>(() => _service.Client.GetReportAsync(Skip(FakeAnalyticsService.Query(50, 2))))
        );
        Assert.Single(_service.Calls);
    }

    [Fact]
    public async Task An_endpoint_that_does_not_exist_is_skipped_like_one_of_others()
    {
        _service.Before = query =>
            query.EndpointIds.Contains("org/app-031")
                ? Task.FromException(
                    new FalApiException("gone")
                    {
                        StatusCode = HttpStatusCode.NotFound,
                        ContentType = "application/json",
                        ServiceMessage = "gone",
                    }
                )
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

        Assert.Equal(
            Enumerable.Range(0, 20).Select(i => FakeAnalyticsService.Now.AddHours(i - 20)),
            streamed.Select(bucket => bucket.Start)
        );
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

        Assert.All(
            [fromReport, fromPage],
            failure => Assert.Contains("Leave out P50ColdBootDuration", failure.Message, StringComparison.Ordinal)
        );
        Assert.Equal(HttpStatusCode.InternalServerError, fromPage.StatusCode);
        Assert.True(fromPage.IsTransient);
    }

    [Theory]
    [InlineData(1, 15)]
    [InlineData(2, 22)]
    [InlineData(3, 28)]
    public async Task Degraded_only_the_endpoints_that_the_service_fails_on_lack_the_percentiles(int fragile, int maxCalls)
    {
        _service.Fragile.UnionWith(new[] { "org/app-060", "org/app-077", "org/app-099" }.Take(fragile));
        _service.PageSize = 1;
        AnalyticsQuery query = Degrade(FakeAnalyticsService.Query(100, 2));

        AnalyticsReport report = await _service.Client.GetReportAsync(query with { Expand = query.Expand | AnalyticsExpand.TimeSeries });
        int calls = _service.Calls.Count;
        AnalyticsReport whole = await _service.Client.GetReportAsync(query);

        Assert.Equal(_service.Fragile.Order(StringComparer.Ordinal), report.MissingMetrics.Select(missing => missing.EndpointId));
        Assert.All(report.MissingMetrics, missing => Assert.Equal(AnalyticsExpand.P50ColdBootDuration, missing.Metrics));
        Assert.Equal(2, report.TimeSeries.Count);
        Assert.All([.. report.TimeSeries.Select(bucket => bucket.Rows), whole.Summary], rows =>
        {
            Assert.Equal(query.EndpointIds, rows.Select(row => row.EndpointId));
            Assert.All(rows, row => Assert.Equal(_service.Fragile.Contains(row.EndpointId), row.P50ColdBootDuration is null));
            Assert.All(rows, row => Assert.NotNull(row.RequestCount));
        });
        Assert.InRange(calls, 4, maxCalls);
        TestContext.Current.TestOutputHelper?.WriteLine(
            string.Create(CultureInfo.InvariantCulture, $"{fragile} of 100 fragile: {calls} calls, 4 without any")
        );
    }

    [Fact]
    public async Task Degrading_costs_no_more_calls_than_its_limit_however_many_endpoints_fail()
    {
        _service.Fragile.UnionWith(FakeAnalyticsService.Ids(50).Where((_, i) => i % 2 == 0));

        AnalyticsReport report = await _service.Client.GetReportAsync(
            Degrade(FakeAnalyticsService.Query(50, 2)) with
            {
                Expand = AnalyticsExpand.TimeSeries | AnalyticsExpand.RequestCount | AnalyticsExpand.P50ColdBootDuration,
            }
        );

        // The call that failed, the limit, and one call for each of both kinds of endpoints.
        Assert.InRange(_service.Calls.Count, 1, 1 + 31 + 2);
        Assert.Superset(_service.Fragile, report.MissingMetrics.Select(missing => missing.EndpointId).ToHashSet());
        Assert.All(report.TimeSeries, bucket => Assert.Equal(50, bucket.Rows.Count));
    }

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(50)]
    [InlineData(60)]
    public async Task A_refusal_that_passes_is_blamed_on_no_endpoint(int endpoints)
    {
        int calls = 0;
        _service.Before = _ =>
            Interlocked.Increment(ref calls) == 1 ? Task.FromException(FakeAnalyticsService.NotOwned()) : Task.CompletedTask;

        AnalyticsReport report = await _service.Client.GetReportAsync(Skip(FakeAnalyticsService.Query(endpoints, 2)));

        Assert.Empty(report.RefusedEndpoints);
        Assert.All(report.TimeSeries, bucket => Assert.Equal(endpoints, bucket.Rows.Count));
    }

    [Fact]
    public async Task A_refusal_of_each_page_that_passes_does_not_end_the_report()
    {
        _service.PageSize = 1;
        HashSet<string> refused = new(StringComparer.Ordinal);
        _service.Before = query => query.EndpointIds.Count == 2 && refused.Add(query.Cursor ?? "")
            ? Task.FromException(FakeAnalyticsService.NotOwned())
            : Task.CompletedTask;

        AnalyticsReport report = await _service.Client.GetReportAsync(Skip(FakeAnalyticsService.Query(2, 6)));

        Assert.Equal(6, report.TimeSeries.Count);
        Assert.Empty(report.RefusedEndpoints);
        Assert.InRange(refused.Count, 4, 7);
    }

    [Theory]
    [InlineData(2)]
    [InlineData(50)]
    public async Task A_failure_that_passes_costs_no_endpoint_its_percentiles(int endpoints)
    {
        int calls = 0;
        _service.Before = _ => Interlocked.Increment(ref calls) == 1
            ? Task.FromException(new FalApiException("down") { StatusCode = HttpStatusCode.InternalServerError, IsTransient = true })
            : Task.CompletedTask;

        AnalyticsReport report = await _service.Client.GetReportAsync(Degrade(FakeAnalyticsService.Query(endpoints, 2)));

        Assert.Empty(report.MissingMetrics);
        Assert.All(report.Summary, row => Assert.NotNull(row.P50ColdBootDuration));
    }

    [Fact]
    public async Task Endpoints_that_are_refused_only_together_end_in_the_refusal()
    {
        _service.Before = query => query.EndpointIds.Count > 1 ? Task.FromException(FakeAnalyticsService.NotOwned()) : Task.CompletedTask;

        await Assert.ThrowsAsync<FalForbiddenException>(() => _service.Client.GetReportAsync(Skip(FakeAnalyticsService.Query(2, 2))));

        Assert.InRange(_service.Calls.Count, 3, 12);
    }

    [Fact]
    public async Task A_service_that_fails_without_the_percentiles_too_is_not_searched_for_an_endpoint()
    {
        _service.Before = _ =>
            Task.FromException(new FalApiException("down") { StatusCode = HttpStatusCode.InternalServerError, IsTransient = true });

        await Assert.ThrowsAsync<FalApiException>(() => _service.Client.GetReportAsync(Degrade(FakeAnalyticsService.Query(50, 2))));

        Assert.Equal(2, _service.Calls.Count);
    }

    [Fact]
    public async Task An_endpoint_that_begins_to_fail_in_the_middle_of_a_stream_doubles_and_loses_nothing()
    {
        _service.PageSize = 3;
        List<AnalyticsBucket> streamed = [];
        await foreach (AnalyticsBucket bucket in _service.Client.StreamTimeSeriesAsync(Degrade(FakeAnalyticsService.Query(60, 20))))
        {
            streamed.Add(bucket);
            if (streamed.Count == 8)
            {
                _service.Fragile.Add("org/app-002");
            }
        }

        Assert.Equal(
            Enumerable.Range(0, 20).Select(i => FakeAnalyticsService.Now.AddHours(i - 20)),
            streamed.Select(bucket => bucket.Start)
        );
        Assert.All(streamed, bucket => Assert.Equal(FakeAnalyticsService.Ids(60), bucket.Rows.Select(row => row.EndpointId)));
        Assert.All(streamed.Take(8), bucket => Assert.NotNull(bucket.Rows[2].P50ColdBootDuration));
        Assert.Null(streamed[^1].Rows[2].P50ColdBootDuration);
        Assert.NotNull(streamed[^1].Rows[3].P50ColdBootDuration);
    }

    [Fact]
    public async Task A_stream_names_what_it_leaves_out_in_its_progress()
    {
        _service.Refused.Add("org/app-003");
        _service.Fragile.Add("org/app-007");
        _service.Options.BucketsPerWindow = 10;
        var progress = new Recorder();

        await foreach (
            AnalyticsBucket bucket in _service.Client.StreamTimeSeriesAsync(Skip(Degrade(FakeAnalyticsService.Query(20, 30))), progress)
        )
        {
            Assert.Equal(19, bucket.Rows.Count);
        }

        Assert.Equal([(1, 3, 190L), (2, 3, 380L), (3, 3, 570L)], progress.Seen.Select(step => (step.WindowsDone, step.Windows, step.Rows)));
        Assert.All(progress.Seen, step => Assert.Equal("org/app-003", Assert.Single(step.RefusedEndpoints).EndpointId));
        Assert.All(progress.Seen, step => Assert.Equal(
            new AnalyticsMissingMetrics("org/app-007", AnalyticsExpand.P50ColdBootDuration), Assert.Single(step.MissingMetrics)));
    }

    [Fact]
    public async Task Where_nothing_would_be_left_to_ask_for_the_failure_is_the_result()
    {
        _service.Fragile.Add("org/app-000");

        await Assert.ThrowsAsync<FalApiException>(() => _service.Client.GetReportAsync(
            FakeAnalyticsService.Query(1, 2) with { Expand = AnalyticsExpand.P50ColdBootDuration, DegradeOnServerError = true }));
    }

    private static AnalyticsQuery Degrade(AnalyticsQuery query) => query with
    {
        Expand = AnalyticsExpand.RequestCount | AnalyticsExpand.P50ColdBootDuration,
        DegradeOnServerError = true,
    };

    private static AnalyticsQuery Skip(AnalyticsQuery query) => query with { RefusedEndpoints = RefusedEndpointPolicy.Skip };

    private static int Budget(int refused) => refused == 0 ? 1 : 1 + (refused * ((2 * (int)Math.Ceiling(Math.Log2(50.0 / refused))) + 2));

    private static async Task<(int Calls, AnalyticsReport? Report)> CountAsync(IEnumerable<int> refused)
    {
        var service = new FakeAnalyticsService();
        service.Refused.UnionWith(refused.Select(i => FakeAnalyticsService.Ids(50)[i]));
        AnalyticsQuery query = Skip(FakeAnalyticsService.Query(50, 2)) with
        {
            Expand = AnalyticsExpand.RequestCount | AnalyticsExpand.TimeSeries,
        };
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

    private sealed class Recorder : IProgress<AnalyticsProgress>
    {
        public List<AnalyticsProgress> Seen { get; } = [];

        public void Report(AnalyticsProgress value) => Seen.Add(value);
    }
}
