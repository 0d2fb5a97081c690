using Xunit;

namespace Fal.Observability.Client.Tests;

/// <summary>Reports and streams over a service in memory: what is asked, in how many calls, and what comes out.</summary>
public sealed class AnalyticsReportTests
{
    private readonly FakeAnalyticsService _service = new();

    [Fact]
    public async Task A_report_over_many_endpoints_and_windows_holds_every_bucket_once_with_every_row()
    {
        _service.Options.BucketsPerWindow = 24;
        _service.PageSize = 7;
        AnalyticsQuery query = FakeAnalyticsService.Query(endpoints: 120, hours: 100);

        AnalyticsReport report = await _service.Client.GetReportAsync(query);

        Assert.Equal(
            Enumerable.Range(0, 100).Select(i => FakeAnalyticsService.Now.AddHours(i - 100)),
            report.TimeSeries.Select(bucket => bucket.Start)
        );
        Assert.All(report.TimeSeries, bucket => Assert.Equal(query.EndpointIds, bucket.Rows.Select(row => row.EndpointId)));
        Assert.All(report.TimeSeries, bucket => Assert.All(bucket.Rows, row => Assert.Equal(bucket.Start.Hour + 1, row.RequestCount)));
        Assert.Equal(query.EndpointIds, report.Summary.Select(row => row.EndpointId));
        long total = report.TimeSeries.Sum(bucket => bucket.Rows[0].RequestCount!.Value);
        Assert.All(report.Summary, row => Assert.Equal(total, row.RequestCount));
        Assert.Equal(_service.Calls.Count, report.Calls);
        Assert.All(_service.Calls, call => Assert.InRange(call.EndpointIds.Count, 1, 50));
    }

    [Fact]
    public async Task The_summary_is_asked_for_once_over_the_whole_range_for_each_group()
    {
        _service.Options.BucketsPerWindow = 10;
        AnalyticsQuery query = FakeAnalyticsService.Query(endpoints: 101, hours: 40);

        await _service.Client.GetReportAsync(query);

        AnalyticsQuery[] summaries = [.. _service.Calls.Where(call => call.EffectiveExpand.HasFlag(AnalyticsExpand.Summary))];
        Assert.Equal([1, 50, 50], summaries.Select(call => call.EndpointIds.Count).Order());
        Assert.All(summaries, call => Assert.Equal(query.Range, call.Range));
        Assert.All(summaries, call => Assert.False(call.EffectiveExpand.HasFlag(AnalyticsExpand.TimeSeries)));
    }

    [Theory]
    [InlineData(AnalyticsExpand.TimeSeries, 4, 0)]
    [InlineData(AnalyticsExpand.Summary, 0, 1)]
    [InlineData(AnalyticsExpand.None, 4, 1)]
    public async Task A_report_has_the_shapes_that_the_query_names_or_both(AnalyticsExpand shape, int buckets, int rows)
    {
        AnalyticsReport report = await _service.Client.GetReportAsync(
            FakeAnalyticsService.Query(1, 4) with { Expand = AnalyticsExpand.RequestCount | shape });

        Assert.Equal((buckets, rows), (report.TimeSeries.Count, report.Summary.Count));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task No_more_calls_are_under_way_than_the_option_allows(int limit)
    {
        _service.Options.MaxConcurrentCalls = limit;
        _service.Options.BucketsPerWindow = 5;
        var waiting = new List<TaskCompletionSource>();
        _service.Before = async _ =>
        {
            // Each call waits until as many are under way as may be.
            TaskCompletionSource mine = new(TaskCreationOptions.RunContinuationsAsynchronously);
            lock (waiting)
            {
                waiting.Add(mine);
                if (waiting.Count == limit)
                {
                    waiting.ForEach(other => other.SetResult());
                    waiting.Clear();
                }
            }

            await mine.Task;
        };

        await _service.Client.GetReportAsync(
            FakeAnalyticsService.Query(100, 30) with
            {
                Expand = AnalyticsExpand.RequestCount | AnalyticsExpand.TimeSeries,
            }
        );

        Assert.Equal(limit, _service.MostUnderWay);
    }

    [Fact]
    public async Task Progress_counts_the_windows_and_the_rows()
    {
        _service.Options.BucketsPerWindow = 10;
        var progress = new Recorder();

        await _service.Client.GetReportAsync(FakeAnalyticsService.Query(2, 30), progress);

        Assert.Equal([1, 2, 3], progress.Seen.Select(step => step.WindowsDone));
        Assert.All(progress.Seen, step => Assert.Equal(3, step.Windows));
        Assert.Equal(60, progress.Seen[^1].Rows);
    }

    [Fact]
    public async Task A_stream_hands_on_the_first_bucket_after_one_page_of_each_group_and_reads_no_window_ahead()
    {
        _service.Options.BucketsPerWindow = 20;
        _service.PageSize = 5;
        await using IAsyncEnumerator<AnalyticsBucket> stream =
            _service.Client.StreamTimeSeriesAsync(FakeAnalyticsService.Query(100, 60)).GetAsyncEnumerator();

        Assert.True(await stream.MoveNextAsync());

        Assert.Equal(2, _service.Calls.Count);
        Assert.Equal(100, stream.Current.Rows.Count);
    }

    [Fact]
    public async Task Descending_pages_come_out_ascending()
    {
        _service.PageSize = 3;
        _service.Order = buckets => buckets.Reverse();

        List<AnalyticsBucket> streamed = await ListAsync(_service.Client.StreamTimeSeriesAsync(FakeAnalyticsService.Query(60, 20)));

        Assert.Equal(
            Enumerable.Range(0, 20).Select(i => FakeAnalyticsService.Now.AddHours(i - 20)),
            streamed.Select(bucket => bucket.Start)
        );
        Assert.All(streamed, bucket => Assert.Equal(60, bucket.Rows.Count));
    }

    [Fact]
    public async Task Sorting_a_window_is_refused_past_the_limit_with_what_to_do()
    {
        _service.Order = buckets => buckets.Reverse();
        _service.Options.MaxBufferedRows = 1000;

        FalResponseException failure = await Assert.ThrowsAsync<FalResponseException>(
            () => ListAsync(_service.Client.StreamTimeSeriesAsync(FakeAnalyticsService.Query(50, 21))));

        Assert.Contains("MaxBufferedRows", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Pages_that_turn_back_late_end_a_stream_and_do_not_disturb_a_report()
    {
        _service.PageSize = 5;
        _service.Order = buckets => buckets.Skip(10).Concat(buckets.Take(10));
        AnalyticsQuery query = FakeAnalyticsService.Query(1, 20);

        FalResponseException failure = await Assert.ThrowsAsync<FalResponseException>(() =>
            ListAsync(_service.Client.StreamTimeSeriesAsync(query))
        );
        AnalyticsReport report = await _service.Client.GetReportAsync(query);

        Assert.Contains("GetReportAsync", failure.Message, StringComparison.Ordinal);
        Assert.Equal(20, report.TimeSeries.Count);
        Assert.Equal(report.TimeSeries.Select(bucket => bucket.Start).Order(), report.TimeSeries.Select(bucket => bucket.Start));
    }

    [Fact]
    public async Task A_service_whose_buckets_begin_elsewhere_doubles_and_loses_nothing_at_the_cuts()
    {
        // Cuts lie on midnights, this service's buckets are seven hours long.
        _service.BucketLength = TimeSpan.FromHours(7);
        _service.Options.BucketsPerWindow = 1;

        AnalyticsReport report = await _service.Client.GetReportAsync(
            FakeAnalyticsService.Query(2, 170) with
            {
                Timeframe = AnalyticsTimeframe.Day,
            }
        );

        Assert.Equal(
            Enumerable.Range(0, report.TimeSeries.Count).Select(i => report.TimeSeries[0].Start.AddHours(7 * i)),
            report.TimeSeries.Select(bucket => bucket.Start)
        );
        Assert.All(report.TimeSeries, bucket => Assert.Equal(2, bucket.Rows.Count));
        Assert.True(report.TimeSeries[^1].Start.AddHours(7) >= FakeAnalyticsService.Now);
    }

    [Fact]
    public async Task Where_such_a_service_may_cut_buckets_the_report_is_refused_instead_of_wrong()
    {
        _service.BucketLength = TimeSpan.FromHours(7);
        _service.Options.BucketsPerWindow = 1;

        FalResponseException failure = await Assert.ThrowsAsync<FalResponseException>(
            () => _service.Client.GetReportAsync(
                FakeAnalyticsService.Query(2, 170) with { Timeframe = AnalyticsTimeframe.Day, BoundToTimeframe = false }));

        Assert.Contains("BoundToTimeframe", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_route_that_two_groups_answer_for_comes_once_and_stands_after_its_app()
    {
        string[] ids = ["org/app", .. FakeAnalyticsService.Ids(49), "org/app/turbo"];
        var api = new FakeAnalyticsService();
        AnalyticsReport report = await new FalAnalyticsClient(new WithRoutes(api), api.Options, api.Time, api.Log, () => 0)
            .GetReportAsync(FakeAnalyticsService.Query(1, 2) with { EndpointIds = ids });

        Assert.All(report.TimeSeries, bucket => Assert.Equal(52, bucket.Rows.Count));
        Assert.All(
            report.TimeSeries,
            bucket => Assert.Equal(["org/app", "org/app/fast"], bucket.Rows.Take(2).Select(row => row.EndpointId))
        );
        Assert.All(report.TimeSeries, bucket => Assert.Equal("org/app/turbo", bucket.Rows[^1].EndpointId));
        Assert.Equal(52, report.Summary.Count);
    }

    [Fact]
    public async Task A_query_that_points_at_a_page_is_refused_before_any_call()
    {
        AnalyticsQuery query = FakeAnalyticsService.Query(1, 2) with { Cursor = "2" };

        await Assert.ThrowsAsync<ArgumentException>(() => _service.Client.GetReportAsync(query));
        Assert.Throws<ArgumentException>(() => _service.Client.StreamTimeSeriesAsync(query));
        Assert.Empty(_service.Calls);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Without_a_calendar_the_range_goes_out_in_one_piece_as_it_was_given(bool unknownZone)
    {
        _service.Options.BucketsPerWindow = 1;
        AnalyticsQuery query = FakeAnalyticsService.Query(1, 20) with
        {
            Expand = AnalyticsExpand.RequestCount | AnalyticsExpand.TimeSeries,
        };
        query = unknownZone ? query with { TimeZone = "Mars/Olympus_Mons" } : query with { Timeframe = null };

        await _service.Client.GetReportAsync(query);

        Assert.Equal(query.Range, Assert.Single(_service.Calls).Range);
    }

    [Fact]
    public async Task A_service_that_never_stops_paging_is_left_at_the_limit()
    {
        _service.PageSize = 1;
        _service.Options.MaxPages = 5;

        FalResponseException failure = await Assert.ThrowsAsync<FalResponseException>(() =>
            _service.Client.GetReportAsync(FakeAnalyticsService.Query(1, 9))
        );

        Assert.Contains("MaxPages", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_failed_call_ends_the_report_with_its_own_exception()
    {
        _service.Options.BucketsPerWindow = 5;
        var down = new FalTransportException("down");
        _service.Before = query =>
            query.Range.Start == FakeAnalyticsService.Now.AddHours(-10) ? Task.FromException(down) : Task.CompletedTask;

        Assert.Same(
            down,
            await Assert.ThrowsAsync<FalTransportException>(() => _service.Client.GetReportAsync(FakeAnalyticsService.Query(100, 40)))
        );
    }

    [Fact]
    public async Task Buckets_that_are_open_or_young_are_marked_and_left_out_on_demand()
    {
        _service.Time.SetUtcNow(FakeAnalyticsService.Now.AddMinutes(4));
        AnalyticsQuery query = FakeAnalyticsService.Query(1, 3) with { Range = AnalyticsTimeRange.Last(TimeSpan.FromHours(3)) };

        AnalyticsReport report = await _service.Client.GetReportAsync(query);
        AnalyticsReport closed = await _service.Client.GetReportAsync(query with { ClosedOnly = true });

        Assert.Equal([false, false, true, true], report.TimeSeries.Select(bucket => bucket.IsProvisional));
        Assert.Equal([false, false, false, true], report.TimeSeries.Select(bucket => bucket.IsOpen));
        Assert.Equal(report.TimeSeries.Take(2).Select(bucket => bucket.Start), closed.TimeSeries.Select(bucket => bucket.Start));
    }

    [Theory]
    [InlineData(false, 5)]
    [InlineData(true, 5)]
    [InlineData(false, 1000)]
    [InlineData(true, 1000)]
    public async Task A_service_that_answers_with_the_end_included_doubles_nothing(bool descending, int pageSize)
    {
        _service.IncludesEnd = true;
        _service.PageSize = pageSize;
        _service.Options.BucketsPerWindow = 10;
        _service.Order = buckets => descending ? buckets.Reverse() : buckets;
        AnalyticsQuery query = FakeAnalyticsService.Query(endpoints: 60, hours: 30);
        DateTimeOffset[] hours = [.. Enumerable.Range(0, 30).Select(i => FakeAnalyticsService.Now.AddHours(i - 30))];

        AnalyticsReport report = await _service.Client.GetReportAsync(query);
        List<AnalyticsBucket> streamed = await ListAsync(_service.Client.StreamTimeSeriesAsync(query));
        var windows = new List<AnalyticsWindow>();
        await foreach (AnalyticsWindow window in _service.Client.StreamWindowsAsync(query))
        {
            windows.Add(window);
        }

        Assert.Equal(hours, report.TimeSeries.Select(bucket => bucket.Start));
        Assert.Equal(hours, streamed.Select(bucket => bucket.Start));
        Assert.Equal(hours, windows.SelectMany(window => window.TimeSeries).Select(bucket => bucket.Start));
        Assert.All(streamed.Concat(report.TimeSeries), bucket => Assert.Equal(60, bucket.Rows.Count));
        Assert.All(
            windows,
            window =>
                Assert.All(
                    window.TimeSeries,
                    bucket => Assert.InRange(bucket.Start, window.Range.Start!.Value, window.Range.End!.Value.AddTicks(-1))
                )
        );
    }

    [Fact]
    public async Task The_bucket_that_the_end_of_the_range_cuts_is_part_of_it()
    {
        _service.IncludesEnd = true;
        AnalyticsQuery query = FakeAnalyticsService.Query(1, 5);
        query = query with
        {
            Range = AnalyticsTimeRange.Between(query.Range.Start!.Value.AddMinutes(10), query.Range.End!.Value.AddMinutes(10)),
        };

        AnalyticsReport report = await _service.Client.GetReportAsync(query);

        Assert.Equal(
            Enumerable.Range(0, 6).Select(i => FakeAnalyticsService.Now.AddHours(i - 5)),
            report.TimeSeries.Select(bucket => bucket.Start)
        );
    }

    [Fact]
    public async Task A_whole_day_ends_before_the_midnight_after_it()
    {
        DateOnly day = new(2026, 3, 14);
        var api = new FixedAnswer(
            Enumerable
                .Range(0, 25)
                .Select(i => new AnalyticsBucket { Start = new DateTimeOffset(2026, 3, 13, 23, 0, 0, TimeSpan.Zero).AddHours(i) })
        );

        AnalyticsReport report = await new FalAnalyticsClient(api, _service.Options, _service.Time, _service.Log, () => 0).GetReportAsync(
            new AnalyticsQuery("org/app")
            {
                Range = AnalyticsTimeRange.Days(day, day),
                Timeframe = AnalyticsTimeframe.Hour,
                TimeZone = "Europe/Berlin",
                Expand = AnalyticsExpand.TimeSeries | AnalyticsExpand.RequestCount,
            }
        );

        Assert.Equal(24, report.TimeSeries.Count);
    }

    [Fact]
    public async Task A_row_that_a_bucket_holds_twice_comes_once_and_the_later_one_counts()
    {
        var api = new FixedAnswer(
        [
            new AnalyticsBucket
            {
                Start = FakeAnalyticsService.Now.AddHours(-1),
                Rows =
                [
                    new AnalyticsRow { EndpointId = "org/app", RequestCount = 5, ErrorCount = 1 },
                    new AnalyticsRow { EndpointId = "org/other", RequestCount = 9 },
                    new AnalyticsRow { EndpointId = "org/other", RequestCount = 9 },
                    new AnalyticsRow { EndpointId = "org/app", RequestCount = 6 },
                ],
            },
        ]);

        AnalyticsReport report = await new FalAnalyticsClient(api, _service.Options, _service.Time, _service.Log, () => 0).GetReportAsync(
            FakeAnalyticsService.Query(1, 1) with
            {
                EndpointIds = ["org/app", "org/other"],
                Expand = AnalyticsExpand.TimeSeries | AnalyticsExpand.Volume,
            }
        );

        Assert.Equal(
            [("org/app", 6L, 1L), ("org/other", 9L, null)],
            Assert.Single(report.TimeSeries).Rows.Select(row => (row.EndpointId, row.RequestCount, row.ErrorCount)));
    }

    [Theory]
    [InlineData("""{"time_series":[],"has_more":true,"next_cursor":null}""", "has_more")]
    [InlineData("""{"time_series":[],"next_cursor":"","has_more":true}""", "has_more")]
    [InlineData("""{"time_series":[],"has_more":"true"}""", "has_more")]
    [InlineData("""{"time_series":null,"has_more":false,"summary":[]}""", "time_series")]
    public async Task An_answer_that_cannot_be_whole_is_no_report(string json, string named)
    {
        var client = new FalAnalyticsClient(
            new FixedAnswer(() => Json.ReadPage(json)),
            _service.Options,
            _service.Time,
            _service.Log,
            () => 0
        );
        AnalyticsQuery query = FakeAnalyticsService.Query(1, 5) with { Expand = AnalyticsExpand.TimeSeries | AnalyticsExpand.RequestCount };

        FalResponseException failure = await Assert.ThrowsAsync<FalResponseException>(() => client.GetReportAsync(query));
        await Assert.ThrowsAsync<FalResponseException>(() => ListAsync(client.StreamTimeSeriesAsync(query)));

        Assert.Contains(named, failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"time_series":[],"has_more":null}""")]
    [InlineData("""{"time_series":[],"has_more":{"pages":2}}""")]
    [InlineData("""{"time_series":[]}""")]
    public async Task What_does_not_say_that_there_is_more_is_the_end(string json)
    {
        var client = new FalAnalyticsClient(
            new FixedAnswer(() => Json.ReadPage(json)),
            _service.Options,
            _service.Time,
            _service.Log,
            () => 0
        );

        Assert.Empty((await client.GetReportAsync(
            FakeAnalyticsService.Query(1, 5) with { Expand = AnalyticsExpand.TimeSeries | AnalyticsExpand.RequestCount })).TimeSeries);
    }

    [Fact]
    public async Task A_field_of_the_service_that_is_named_like_a_mark_of_the_client_marks_nothing()
    {
        var client = new FalAnalyticsClient(
            new FixedAnswer(() =>
                Json.ReadPage("""{"time_series":[{"bucket":"2026-03-15T07:00:00Z","isOpen":true,"isProvisional":true,"results":[]}]}""")
            ),
            _service.Options,
            _service.Time,
            _service.Log,
            () => 0);

        AnalyticsBucket bucket = Assert.Single((await client.GetReportAsync(
            FakeAnalyticsService.Query(1, 5) with { Expand = AnalyticsExpand.TimeSeries | AnalyticsExpand.RequestCount })).TimeSeries);

        Assert.Equal((false, false), (bucket.IsOpen, bucket.IsProvisional));
    }

    [Fact]
    public async Task A_token_alone_follows_the_query()
    {
        IFalAnalyticsClient client = _service.Client;
        using var canceled = new CancellationTokenSource();

        AnalyticsReport report = await client.GetReportAsync(FakeAnalyticsService.Query(1, 5), canceled.Token);
        int windows = 0;
        await foreach (AnalyticsWindow window in client.StreamWindowsAsync(FakeAnalyticsService.Query(1, 5), canceled.Token))
        {
            windows += window.TimeSeries.Count;
        }

        await canceled.CancelAsync();
        Assert.Equal((5, 5), (report.TimeSeries.Count, windows));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
            client.GetReportAsync(FakeAnalyticsService.Query(1, 5), canceled.Token)
        );
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
            await client.StreamWindowsAsync(FakeAnalyticsService.Query(1, 5), canceled.Token).GetAsyncEnumerator().MoveNextAsync()
        );
    }

    [Fact]
    public async Task A_report_and_its_progress_say_on_one_line_how_much_there_is()
    {
        var progress = new Recorder();

        AnalyticsReport report = await _service.Client.GetReportAsync(FakeAnalyticsService.Query(2, 5), progress);

        Assert.StartsWith(
            "5 buckets, 2 summary rows, 0 endpoints refused, 0 with missing metrics, 2 calls, 0 retries | org/app-000, org/app-001 |",
            report.ToString(),
            StringComparison.Ordinal
        );
        Assert.StartsWith("1 of 1 windows, 10 rows, ", progress.Seen[^1].ToString(), StringComparison.Ordinal);
        Assert.EndsWith(
            " calls, 0 retries, 0 endpoints refused, 0 with missing metrics",
            progress.Seen[^1].ToString(),
            StringComparison.Ordinal
        );
    }

    private static async Task<List<AnalyticsBucket>> ListAsync(IAsyncEnumerable<AnalyticsBucket> buckets)
    {
        var list = new List<AnalyticsBucket>();
        await foreach (AnalyticsBucket bucket in buckets)
        {
            list.Add(bucket);
        }

        return list;
    }

    private sealed class Recorder : IProgress<AnalyticsProgress>
    {
        public List<AnalyticsProgress> Seen { get; } = [];

        public void Report(AnalyticsProgress value) => Seen.Add(value);
    }

    /// <summary>A service with one answer to everything.</summary>
    private sealed class FixedAnswer(Func<AnalyticsPage> answer) : IFalAnalyticsApi
    {
        public FixedAnswer(IEnumerable<AnalyticsBucket> buckets)
            : this(() => new AnalyticsPage { TimeSeries = [.. buckets] })
        {
        }

        public Task<AnalyticsPage> GetServerlessAnalyticsAsync(AnalyticsQuery query, CancellationToken cancellationToken = default) =>
            Task.FromResult(answer());

        public Task<AnalyticsPage> GetModelsAnalyticsAsync(AnalyticsQuery query, CancellationToken cancellationToken = default) =>
            throw new NotSupportedException();
    }

    /// <summary>A service whose app answers for two routes too, in an order of its own.</summary>
    private sealed class WithRoutes(FakeAnalyticsService service) : IFalAnalyticsApi
    {
        public async Task<AnalyticsPage> GetServerlessAnalyticsAsync(AnalyticsQuery query, CancellationToken cancellationToken = default)
        {
            AnalyticsPage page = await service.GetServerlessAnalyticsAsync(query, cancellationToken);
            return new AnalyticsPage
            {
                NextCursor = page.NextCursor,
                TimeSeries =
                [
                    .. page.TimeSeries.Select(bucket => new AnalyticsBucket { Start = bucket.Start, Rows = WithRows(bucket.Rows) }),
                ],
                Summary = WithRows(page.Summary),
            };
        }

        public Task<AnalyticsPage> GetModelsAnalyticsAsync(AnalyticsQuery query, CancellationToken cancellationToken = default) =>
            throw new NotSupportedException();

        private static AnalyticsRow[] WithRows(IReadOnlyList<AnalyticsRow> rows) => rows.Any(row => row.EndpointId == "org/app")
            ?
            [
                new AnalyticsRow { EndpointId = "org/app/turbo", RequestCount = 7 },
                new AnalyticsRow { EndpointId = "org/app/fast", RequestCount = 7 },
                .. rows,
            ]
            : [.. rows];
    }
}
