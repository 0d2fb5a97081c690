using System.Globalization;
using Fal.Observability.Client.Testing;
using Xunit;

namespace Fal.Observability.Client.IntegrationTests;

/// <summary>The typed analytics against the simulator, in every reading of what the contract leaves open.</summary>
public sealed class SimulatedAnalyticsTests
{
    private const int Apps = 3;

    /// <summary>Hours round the end of summer time in Berlin, on 2026-10-25.</summary>
    private static readonly AnalyticsTimeRange ClockChange = AnalyticsTimeRange.Between(
        new DateTimeOffset(2026, 10, 24, 20, 0, 0, TimeSpan.Zero), new DateTimeOffset(2026, 10, 25, 9, 0, 0, TimeSpan.Zero));

    public static TheoryData<LimitCounts, BucketOrder, BucketOffset, MissingMetrics, SummaryOn> Readings =>
    [
        .. from limit in Enum.GetValues<LimitCounts>()
           from order in Enum.GetValues<BucketOrder>()
           from offset in Enum.GetValues<BucketOffset>()
           from missing in Enum.GetValues<MissingMetrics>()
           from summary in Enum.GetValues<SummaryOn>()
           // Half of them: nulls and summaries do not meet.
           where (int)missing == (int)summary
           select (limit, order, offset, missing, summary),
    ];

    [Theory]
    [MemberData(nameof(Readings))]
    public async Task Pages_joined_are_the_truth_in_one_piece(
        LimitCounts limit,
        BucketOrder order,
        BucketOffset offset,
        MissingMetrics missing,
        SummaryOn summaryOn
    )
    {
        await using FalSimulator simulator = await FalSimulator.StartAsync(new FalSimulatorOptions
        {
            Apps = Apps,
            Seed = 5,
            TimeProvider = new Microsoft.Extensions.Time.Testing.FakeTimeProvider(new DateTimeOffset(2026, 11, 1, 0, 0, 0, TimeSpan.Zero)),
            LimitCounts = limit,
            BucketOrder = order,
            BucketOffset = offset,
            MissingMetrics = missing,
            SummaryOn = summaryOn,
        }, TestContext.Current.CancellationToken);
        using FalAccount account = AccountOf(simulator);

        // Local hours that occur twice cannot be distinguished if a page may also end within one.
        AnalyticsTimeRange range = (limit, offset) is (LimitCounts.Rows, BucketOffset.None)
            ? AnalyticsTimeRange.Between(
                new DateTimeOffset(2026, 10, 22, 20, 0, 0, TimeSpan.Zero),
                new DateTimeOffset(2026, 10, 23, 9, 0, 0, TimeSpan.Zero)
            )
            : ClockChange;
        foreach (int size in new[] { 1, 2, 5, 1000 })
        {
            var query = new AnalyticsQuery(simulator.Apps)
            {
                Expand = AnalyticsExpand.Structure | AnalyticsExpand.AllMetrics,
                Range = range,
                TimeZone = "Europe/Berlin",
                Timeframe = AnalyticsTimeframe.Hour,
                Limit = size,
            };
            AnalyticsAnswer truth = TruthOf(simulator, query);
            List<AnalyticsAnswerBucket> expected = [.. truth.TimeSeries!];
            if (order == BucketOrder.Descending)
            {
                expected.Reverse();
            }

            List<AnalyticsBucket> streamed = [];
            await foreach (AnalyticsBucket bucket in account.Analytics.StreamTimeSeriesAsync(query, TestContext.Current.CancellationToken))
            {
                streamed.Add(bucket);
            }

            // The pages come as the service orders them, the stream always ascends.
            AssertSameBuckets(query, truth.TimeSeries!, streamed);

            List<AnalyticsPage> pages = await PagesAsync(account, query);
            Assert.Equal(
                expected.Select(bucket => bucket.Start),
                pages.SelectMany(page => page.TimeSeries).Select(bucket => bucket.Start).Distinct()
            );
            AssertSameRows(
                query,
                expected.SelectMany(bucket => bucket.Rows),
                pages.SelectMany(page => page.TimeSeries).SelectMany(bucket => bucket.Rows)
            );
            for (int i = 0; i < pages.Count; i++)
            {
                AssertSameRows(query, i == 0 || summaryOn == SummaryOn.EveryPage ? truth.Summary! : [], pages[i].Summary);
                Assert.Equal(i < pages.Count - 1, pages[i].HasMore);
                Assert.InRange(pages[i].TimeSeries.Count, 1, size);
            }
        }

        // The comparison would prove nothing over buckets that are all alike.
        Assert.Contains(TruthRows(), row => row.GetValue("p90_cold_boot_duration") is null);
        Assert.Contains(TruthRows(), row => row.GetValue("p90_cold_boot_duration") > 0);

        IEnumerable<AnalyticsAnswerRow> TruthRows() => TruthOf(simulator, new AnalyticsQuery(simulator.Apps)
        {
            Expand = AnalyticsExpand.TimeSeries | AnalyticsExpand.AllMetrics,
            Range = range,
            Timeframe = AnalyticsTimeframe.Hour,
            TimeZone = "Europe/Berlin",
        }).TimeSeries!.SelectMany(bucket => bucket.Rows);
    }

    [Theory]
    [InlineData(BucketOffset.Zone, "02:00")]
    [InlineData(BucketOffset.Utc, "00:00")]
    [InlineData(BucketOffset.None, "02:00")]
    public async Task The_offset_of_a_bucket_is_kept_and_a_missing_one_is_the_zones(BucketOffset offset, string hours)
    {
        await using FalSimulator simulator = await FalSimulator.StartAsync(
            new FalSimulatorOptions
            {
                Seed = 1,
                TimeProvider = new SteppedClock(),
                BucketOffset = offset,
            },
            TestContext.Current.CancellationToken
        );
        using FalAccount account = AccountOf(simulator);
        var query = new AnalyticsQuery(simulator.Apps[0])
        {
            Range = AnalyticsTimeRange.Days(new DateOnly(2026, 6, 1), new DateOnly(2026, 6, 3)),
            TimeZone = "Europe/Berlin",
            Timeframe = AnalyticsTimeframe.Day,
        };

        AnalyticsPage page = await account.Analytics.GetPageAsync(query, TestContext.Current.CancellationToken);

        Assert.All(page.TimeSeries, bucket => Assert.Equal(TimeSpan.Parse(hours, CultureInfo.InvariantCulture), bucket.Start.Offset));
        Assert.Equal(
            [new DateTime(2026, 5, 31, 22, 0, 0), new DateTime(2026, 6, 1, 22, 0, 0), new DateTime(2026, 6, 2, 22, 0, 0)],
            page.TimeSeries.Select(bucket => bucket.Start.UtcDateTime));
    }

    [Fact]
    public async Task A_relative_range_does_not_drift_while_the_pages_are_read()
    {
        var clock = new SteppedClock();
        await using FalSimulator simulator = await FalSimulator.StartAsync(
            new FalSimulatorOptions { Seed = 1, TimeProvider = clock },
            TestContext.Current.CancellationToken
        );
        using FalAccount account = AccountOf(simulator);
        var query = new AnalyticsQuery(simulator.Apps)
        {
            Expand = AnalyticsExpand.RequestCount | AnalyticsExpand.P50Duration,
            Range = AnalyticsTimeRange.Last(TimeSpan.FromHours(6)),
            Timeframe = AnalyticsTimeframe.Hour,
            Limit = 1,
        };
        AnalyticsAnswer truth = TruthOf(simulator, query.Resolve(clock.GetUtcNow()));

        List<AnalyticsBucket> streamed = [];
        await foreach (AnalyticsBucket bucket in account.Analytics.StreamTimeSeriesAsync(query, TestContext.Current.CancellationToken))
        {
            streamed.Add(bucket);
            account.Clock.Advance(TimeSpan.FromMinutes(47));
        }

        AssertSameBuckets(query, truth.TimeSeries!, streamed);
        Assert.Equal(7, simulator.Requests.Count);
        Assert.Single(simulator.Requests.Select(request => request.RawQuery.Split("&cursor=")[0]).Distinct());
        Assert.Contains(
            "&start=2026-06-17T06%3A34%3A00Z&end=2026-06-17T12%3A34%3A00Z",
            simulator.Requests[0].RawQuery,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task The_next_page_is_asked_for_with_the_range_that_the_first_was()
    {
        var clock = new SteppedClock();
        await using FalSimulator simulator = await FalSimulator.StartAsync(
            new FalSimulatorOptions { Seed = 1, TimeProvider = clock },
            TestContext.Current.CancellationToken
        );
        using FalAccount account = AccountOf(simulator);

        AnalyticsPage first = await account.Analytics.GetPageAsync(
            new AnalyticsQuery(simulator.Apps[0]) { Limit = 10 },
            TestContext.Current.CancellationToken
        );
        account.Clock.Advance(TimeSpan.FromDays(3));
        AnalyticsPage second = (await account.Analytics.GetNextPageAsync(first, TestContext.Current.CancellationToken))!;

        Assert.Equal(AnalyticsTimeRange.Between(SteppedClock.FirstInstant.AddDays(-1), SteppedClock.FirstInstant), first.Query!.Range);
        Assert.Equal(first.Query with { Cursor = first.NextCursor }, second.Query);
        Assert.Equal($"{simulator.Requests[0].RawQuery}&cursor={Uri.EscapeDataString(first.NextCursor!)}", simulator.Requests[1].RawQuery);
        Assert.True(second.TimeSeries[0].Start > first.TimeSeries[^1].Start);
    }

    [Fact]
    public async Task The_calls_made_to_models_come_from_their_own_route()
    {
        await using FalSimulator simulator = await FalSimulator.StartAsync(
            new FalSimulatorOptions { Seed = 1, TimeProvider = new SteppedClock() },
            TestContext.Current.CancellationToken
        );
        using FalAccount account = AccountOf(simulator);
        var query = new AnalyticsQuery("fal-ai/flux/dev", "fal-ai/whisper")
        {
            Source = AnalyticsSource.Models,
            Expand = AnalyticsExpand.Standard,
            Limit = 7,
            Timeframe = AnalyticsTimeframe.Hour,
            Range = AnalyticsTimeRange.Between(SteppedClock.FirstInstant.AddDays(-1), SteppedClock.FirstInstant),
        };

        List<AnalyticsBucket> streamed = [];
        await foreach (AnalyticsBucket bucket in account.Analytics.StreamTimeSeriesAsync(query, TestContext.Current.CancellationToken))
        {
            streamed.Add(bucket);
        }

        AssertSameBuckets(query, TruthOf(simulator, query, SimulatorRoute.ModelsAnalytics).TimeSeries!, streamed);
        Assert.All(simulator.Requests, request => Assert.Equal("/v1/models/analytics", request.Path));
        Assert.Equal(4, simulator.Requests.Count);
        // The account may call these models and owns none of them.
        using FalAccount other = AccountOf(simulator);
        await Assert.ThrowsAsync<FalForbiddenException>(() =>
            other.Analytics.GetPageAsync(query with { Source = AnalyticsSource.Serverless })
        );
    }

    [Fact]
    public async Task An_app_answers_for_its_routes_and_one_endpoint_that_is_not_owned_spoils_the_call()
    {
        await using FalSimulator simulator = await FalSimulator.StartAsync(
            new FalSimulatorOptions { Seed = 1, TimeProvider = new SteppedClock() },
            TestContext.Current.CancellationToken
        );
        using FalAccount account = AccountOf(simulator);
        AnalyticsQuery query = new(simulator.Apps) { Expand = AnalyticsExpand.Summary | AnalyticsExpand.RequestCount };

        AnalyticsPage page = await account.Analytics.GetPageAsync(query, TestContext.Current.CancellationToken);
        Assert.Empty(page.TimeSeries);
        Assert.Contains(
            page.Summary,
            row =>
                !simulator.Apps.Contains(row.EndpointId)
                && simulator.Apps.Any(app => row.EndpointId.StartsWith($"{app}/", StringComparison.Ordinal))
        );

        FalForbiddenException refused = await Assert.ThrowsAsync<FalForbiddenException>(
            () => account.Analytics.GetPageAsync(query with { EndpointIds = [.. simulator.Apps, "somebody/elses-app"] }));
        Assert.Equal(FalForbiddenReason.PermissionOrOwnership, refused.Reason);
        Assert.Equal("authorization_error", refused.ErrorType);
    }

    [Fact]
    public async Task Faults_in_the_middle_of_the_pages_lose_nothing()
    {
        await using FalSimulator simulator = await FalSimulator.StartAsync(
            new FalSimulatorOptions { Seed = 1, TimeProvider = new SteppedClock() },
            TestContext.Current.CancellationToken
        );
        simulator.Faults.Every(3, new Fault(FaultKind.RateLimitedSeconds) { Wait = TimeSpan.FromSeconds(1) });
        simulator.Faults.Every(5, new Fault(FaultKind.TruncatedGzip));
        simulator.Faults.Every(7, new Fault(FaultKind.DroppedConnection));
        // All three can fall on the attempts of one call.
        using FalAccount account = AccountOf(simulator, options => options.MaxAttempts = 8);
        var query = new AnalyticsQuery(simulator.Apps)
        {
            Expand = AnalyticsExpand.Volume,
            Limit = 1,
            Timeframe = AnalyticsTimeframe.Hour,
            Range = AnalyticsTimeRange.Between(SteppedClock.FirstInstant.AddDays(-1), SteppedClock.FirstInstant),
        };

        List<AnalyticsBucket> streamed = [];
        Task reading = Task.Run(async () =>
        {
            await foreach (AnalyticsBucket bucket in account.Analytics.StreamTimeSeriesAsync(query))
            {
                streamed.Add(bucket);
            }
        });
        List<TimeSpan> waits = await account.Clock.StepOverWaitsAsync(reading, account.Options);
        await reading;

        AssertSameBuckets(query, TruthOf(simulator, query).TimeSeries!, streamed);
        Assert.NotEmpty(waits);
        Assert.Equal(streamed.Count + waits.Count, simulator.Requests.Count);
    }

    [Theory]
    [InlineData("Mars/Olympus_Mons")]
    [InlineData("Etc/Unknown+1")]
    public async Task A_zone_that_nobody_knows_is_the_services_to_refuse(string zone)
    {
        await using FalSimulator simulator = await FalSimulator.StartAsync(
            options => options.Seed = 1,
            TestContext.Current.CancellationToken
        );
        using FalAccount account = AccountOf(simulator);

        FalApiException failure = await Assert.ThrowsAsync<FalApiException>(
            () => account.Analytics.GetPageAsync(new AnalyticsQuery(simulator.Apps[0]) { TimeZone = zone }));

        Assert.Equal(400, (int)failure.StatusCode);
        Assert.Equal(FalErrorTypes.ValidationError, failure.ErrorType);
        Assert.Contains("timezone", failure.ServiceMessage, StringComparison.OrdinalIgnoreCase);
    }

    private static FalAccount AccountOf(FalSimulator simulator, Action<FalObservabilityOptions>? configure = null) =>
        new(simulator.BaseAddress, options =>
        {
            options.ApiKey = simulator.Key;
            configure?.Invoke(options);
        });

    private static async Task<List<AnalyticsPage>> PagesAsync(FalAccount account, AnalyticsQuery query)
    {
        List<AnalyticsPage> pages = [];
        for (
            AnalyticsPage? page = await account.Analytics.GetPageAsync(query);
            page is not null;
            page = await account.Analytics.GetNextPageAsync(page)
        )
        {
            pages.Add(page);
        }

        return pages;
    }

    /// <summary>The whole answer, from values that the test names and not from what the client sent.</summary>
    private static AnalyticsAnswer TruthOf(
        FalSimulator simulator,
        AnalyticsQuery query,
        SimulatorRoute route = SimulatorRoute.ServerlessAnalytics
    ) =>
        simulator.Truth.Analytics(
            new AnalyticsRequest
            {
                EndpointIds = query.EndpointIds,
                Metrics = [.. (query.Expand & AnalyticsExpand.AllMetrics).GetFlags().Select(metric => metric.GetWireName())],
                Summary = query.Expand.HasFlag(AnalyticsExpand.Summary),
                Time = new RequestedTime(
                    query.Range.Start!.Value, query.Range.End!.Value, Enum.Parse<BucketLength>(query.Timeframe!.Value.ToString()))
                {
                    Zone = TimeZoneInfo.FindSystemTimeZoneById(query.TimeZone ?? "UTC"),
                },
            },
            route);

    private static void AssertSameBuckets(AnalyticsQuery query, IReadOnlyList<AnalyticsAnswerBucket> expected, List<AnalyticsBucket> actual)
    {
        Assert.Equal(expected.Select(bucket => bucket.Start), actual.Select(bucket => bucket.Start));
        for (int i = 0; i < expected.Count; i++)
        {
            AssertSameRows(query, AnalyticsReportTruth.InOrder(expected[i].Rows, query), actual[i].Rows);
        }
    }

    private static void AssertSameRows(AnalyticsQuery query, IEnumerable<AnalyticsAnswerRow> expected, IEnumerable<AnalyticsRow> actual)
    {
        Assert.Equal(expected.Select(row => row.EndpointId), actual.Select(row => row.EndpointId));
        foreach ((AnalyticsAnswerRow truth, AnalyticsRow row) in expected.Zip(actual))
        {
            foreach (AnalyticsExpand metric in AnalyticsExpand.AllMetrics.GetFlags())
            {
                Assert.Equal(query.Expand.HasFlag(metric) ? truth.GetValue(metric.GetWireName()) : null, row.GetValue(metric));
            }

            Assert.Empty(row.AdditionalMetrics);
        }
    }
}
