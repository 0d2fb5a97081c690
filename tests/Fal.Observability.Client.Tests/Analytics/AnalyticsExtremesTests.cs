using System.Globalization;
using Xunit;

namespace Fal.Observability.Client.Tests;

/// <summary>
/// Years 1 and 9999, zones at both ends of the day, and numbers at the ends of their types: only documented exceptions escape.
/// </summary>
public sealed class AnalyticsExtremesTests
{
    private static readonly string?[] Zones =
    [
        null,
        "UTC",
        "Pacific/Kiritimati",
        "Pacific/Chatham",
        "Etc/GMT+12",
        "Pacific/Pago_Pago",
        "Europe/Berlin",
        "Australia/Lord_Howe",
        "Mars/Olympus_Mons",
    ];

    private static readonly DateTimeOffset[] Edges =
    [
        DateTimeOffset.MinValue, DateTimeOffset.MinValue.AddTicks(1), DateTimeOffset.MinValue.AddDays(1),
        DateTimeOffset.MinValue.AddDays(45),
        DateTimeOffset.MinValue.AddYears(1), DateTimeOffset.UnixEpoch, FakeAnalyticsService.Now, DateTimeOffset.MaxValue.AddYears(-1),
        DateTimeOffset.MaxValue.AddDays(-45), DateTimeOffset.MaxValue.AddDays(-30), DateTimeOffset.MaxValue.AddHours(-13),
        DateTimeOffset.MaxValue.AddMinutes(-1), DateTimeOffset.MaxValue,
    ];

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public async Task No_range_zone_or_bucket_raises_an_exception_that_is_not_documented(int seed)
    {
        var random = new Random(seed);
        for (int i = 0; i < 250; i++)
        {
            var service = new EdgeService(random);
            var time = new Microsoft.Extensions.Time.Testing.FakeTimeProvider(FakeAnalyticsService.Now);
            if (random.Next(4) == 0)
            {
                time = new(Edges[random.Next(Edges.Length - 1)]);
            }

            var client = new FalAnalyticsClient(
                service,
                new FalObservabilityOptions { ProvisionalAge = TimeSpan.FromDays(random.Next(31)) },
                time,
                new Microsoft.Extensions.Logging.Testing.FakeLogger(),
                () => 0
            );
            string what = "";
            Exception? failure = await Record.ExceptionAsync(async () =>
            {
                AnalyticsQuery query = RandomQuery(random);
                what = $"{query} at {time.GetUtcNow():O}";
                AnalyticsReport report = await CallAsync(client, query, time.GetUtcNow(), random.Next(5));
                var objective = new AvailabilityObjective(0.99, random.Next(2) == 0 ? TimeSpan.MaxValue : TimeSpan.FromDays(30));
                objective.Evaluate(report);
                objective.EvaluateByEndpoint(report);
                objective.Evaluate(report.TimeSeries, Edges[random.Next(Edges.Length)]).ToString();
            });

            Assert.True(
                failure is null or FalResponseException
                    || (failure is ArgumentException && failure is not ArgumentOutOfRangeException { ActualValue: null }),
                $"{what}: {failure}"
            );
        }
    }

    [Theory]
    [InlineData("9999-12-31T23:59:59Z")]
    [InlineData("9999-12-31T23:00:00+00:00")]
    [InlineData("0001-01-01T00:00:00Z")]
    public void An_objective_measures_buckets_at_the_ends_of_the_calendar(string start)
    {
        DateTimeOffset instant = DateTimeOffset.Parse(start, CultureInfo.InvariantCulture);
        AnalyticsBucket bucket = new()
        {
            Start = instant,
            Rows =
            [
                new AnalyticsRow
                {
                    EndpointId = "a/b",
                    RequestCount = long.MaxValue,
                    ErrorCount = 0,
                },
            ],
        };
        foreach (AnalyticsTimeframe timeframe in Enum.GetValues<AnalyticsTimeframe>())
        {
            var report = new AnalyticsReport
            {
                Query = new AnalyticsQuery("a/b") { Timeframe = timeframe, TimeZone = "Pacific/Kiritimati" },
                TimeSeries = [bucket, bucket],
            };

            AvailabilityStatus status = new AvailabilityObjective(0.999, TimeSpan.FromDays(60)).Evaluate(report);

            Assert.Equal((0, 2 * (double)long.MaxValue), (status.Errors, status.Requests));
        }
    }

    [Fact]
    public void A_total_beyond_a_count_is_told_by_name_and_the_others_stay_readable()
    {
        var totals = AnalyticsTotals.Of(
        [
            new AnalyticsRow { EndpointId = "a/b", RequestCount = long.MaxValue, SuccessCount = long.MaxValue - 1, ErrorCount = 1 },
            new AnalyticsRow { EndpointId = "a/b", RequestCount = 1, SuccessCount = 1, ErrorCount = 0 },
        ]);

        OverflowException failure = Assert.Throws<OverflowException>(() => totals.GetCount(AnalyticsExpand.RequestCount));

        Assert.Contains("request_count is 9223372036854775808", failure.Message, StringComparison.Ordinal);
        Assert.Equal(9223372036854775808d, totals.GetValue(AnalyticsExpand.RequestCount));
        Assert.Equal(long.MaxValue, totals.GetCount(AnalyticsExpand.SuccessCount));
        Assert.Equal(1, totals.GetCount(AnalyticsExpand.ErrorCount));
        Assert.Null(totals.GetCount(AnalyticsExpand.UserErrorCount));
        Assert.Throws<ArgumentException>(() => totals.GetCount(AnalyticsExpand.TotalBillableDuration));
        Assert.Throws<ArgumentException>(() => totals.GetCount(AnalyticsExpand.P50Duration));
    }

    [Fact]
    public void Counts_add_up_exactly_where_a_double_rounds()
    {
        AnalyticsRow[] rows = [.. Enumerable.Repeat(new AnalyticsRow { EndpointId = "a/b", RequestCount = (1L << 53) + 1 }, 3)];

        Assert.Equal(3 * ((1L << 53) + 1), AnalyticsTotals.Of(rows).GetCount(AnalyticsExpand.RequestCount));
    }

    [Fact]
    public void A_range_of_more_windows_than_anybody_can_ask_for_is_refused_before_any_call()
    {
        var service = new FakeAnalyticsService();
        AnalyticsQuery query = FakeAnalyticsService.Query(1, 1) with
        {
            Range = AnalyticsTimeRange.Between(FakeAnalyticsService.Now, FakeAnalyticsService.Now.AddYears(7900)),
            Timeframe = AnalyticsTimeframe.Minute,
        };

        ArgumentException failure = Assert.ThrowsAny<ArgumentException>(() => { _ = service.Client.StreamTimeSeriesAsync(query); });

        Assert.Contains("BucketsPerWindow", failure.Message, StringComparison.Ordinal);
        Assert.Empty(service.Calls);
    }

    [Theory]
    [InlineData(66_000)]
    [InlineData(2_000_000)]
    public async Task What_no_address_can_hold_is_refused_before_any_call(int length)
    {
        var service = new FakeAnalyticsService();
        AnalyticsQuery query = FakeAnalyticsService.Query(1, 1);
        AnalyticsQuery[] queries =
        [
            query with
            {
                Cursor = new string('c', length),
            },
            query with
            {
                EndpointIds = ["a/" + new string('b', length)],
            },
            query with
            {
                EndpointIds =
                [
                    .. Enumerable
                        .Range(0, 60)
                        .Select(i => string.Create(CultureInfo.InvariantCulture, $"a/{i}") + new string('\u00e9', length / 200)),
                ],
            },
            query with
            {
                AdditionalExpand = [new string('x', length)],
            },
            query with
            {
                TimeZone = new string('z', length),
            },
        ];

        foreach (AnalyticsQuery tooLong in queries)
        {
            Assert.Contains(
                "too long for a request URI",
                (
                    await Assert.ThrowsAsync<ArgumentException>(() =>
                        service.Client.GetPageAsync(tooLong with { EndpointIds = [.. tooLong.EndpointIds.Take(50)] })
                    )
                ).Message,
                StringComparison.Ordinal
            );
            await Assert.ThrowsAsync<ArgumentException>(() => service.Client.GetReportAsync(tooLong));
            Assert.Throws<ArgumentException>(() => { _ = service.Client.StreamTimeSeriesAsync(tooLong); });
        }

        Assert.Empty(service.Calls);
    }

    private static async Task<AnalyticsReport> CallAsync(FalAnalyticsClient client, AnalyticsQuery query, DateTimeOffset now, int how)
    {
        List<AnalyticsBucket> buckets = [];
        switch (how)
        {
            case 0:
                return await client.GetReportAsync(
                    query with
                    {
                        Expand = AnalyticsExpand.RequestCount | AnalyticsExpand.ErrorCount | AnalyticsExpand.TimeSeries,
                    }
                );
            case 1:
                AnalyticsPage page = await client.GetPageAsync(query);
                await client.GetNextPageAsync(page);
                return new AnalyticsReport { Query = page.Query!, TimeSeries = page.TimeSeries };
            case 2:
                await foreach (AnalyticsBucket bucket in client.StreamTimeSeriesAsync(query))
                {
                    buckets.Add(bucket);
                }

                break;
            case 3:
                await foreach (AnalyticsWindow window in client.StreamWindowsAsync(query))
                {
                    buckets.AddRange(window.TimeSeries);
                    Assert.Equal(window.Checkpoint.ToJson(), AnalyticsCheckpoint.FromJson(window.Checkpoint.ToJson()).ToJson());
                }

                break;
            default:
                if (query.Range.Duration is null || query.Timeframe is null)
                {
                    Assert.ThrowsAny<ArgumentException>(() => { _ = client.WatchAsync(query, TimeSpan.FromMinutes(1)); });
                    break;
                }

                var watch = new AnalyticsWatch(query);
                AnalyticsReport report = await client.GetReportAsync(
                    watch.QueryAt(now) with { Expand = AnalyticsExpand.RequestCount | AnalyticsExpand.TimeSeries });
                buckets.AddRange(watch.TakeNewBuckets(report));
                watch.QueryAt(now);
                break;
        }

        return new AnalyticsReport { Query = query, TimeSeries = buckets };
    }

    private static AnalyticsQuery RandomQuery(Random random)
    {
        DateTimeOffset start = Near(random);
        // Short enough for few windows.
        TimeSpan length = TimeSpan.FromTicks(random.NextInt64(1, TimeSpan.FromDays(Math.Pow(10, random.Next(0, 3))).Ticks));
        AnalyticsTimeRange range = random.Next(4) switch
        {
            0 => AnalyticsTimeRange.Days(
                DateOnly.FromDateTime(start.UtcDateTime),
                DateOnly.FromDateTime(AnalyticsCalendar.Add(start, length).UtcDateTime)
            ),
            1 => AnalyticsTimeRange.Last(length),
            2 => AnalyticsTimeRange.Since(start < FakeAnalyticsService.Now.AddDays(-99) ? FakeAnalyticsService.Now.AddDays(-99) : start),
            _ => AnalyticsTimeRange.Between(start, AnalyticsCalendar.Add(start, length)),
        };
        return new AnalyticsQuery("a/b")
        {
            Range = range,
            Timeframe = random.Next(4) == 0 ? null : (AnalyticsTimeframe)random.Next(5),
            TimeZone = Zones[random.Next(Zones.Length)],
            BoundToTimeframe = random.Next(3) switch { 0 => true, 1 => false, _ => null },
            ClosedOnly = random.Next(2) == 0,
        };
    }

    private static DateTimeOffset Near(Random random) =>
        AnalyticsCalendar.Add(Edges[random.Next(Edges.Length)], TimeSpan.FromHours(random.Next(-30, 30)));

    /// <summary>A service that answers whatever is asked with buckets near the ends of the range, or near those of the calendar.</summary>
    private sealed class EdgeService(Random random) : IFalAnalyticsApi
    {
        public Task<AnalyticsPage> GetServerlessAnalyticsAsync(AnalyticsQuery query, CancellationToken cancellationToken = default)
        {
            query.Range.ToWire();
            (DateTimeOffset after, DateTimeOffset until) = AnalyticsCalendar.StartsOf(query.Grid);
            IEnumerable<DateTimeOffset> starts = Enumerable.Range(0, random.Next(4)).Select(_ => random.Next(8) == 0
                ? Near(random)
                : new DateTimeOffset(random.NextInt64(Math.Min(after.UtcTicks + 1, until.UtcTicks), until.UtcTicks), TimeSpan.Zero));
            string[] buckets =
            [
                .. starts
                    .Order()
                    .Select(start =>
                    {
                        // With an offset as far as the calendar allows one, or without.
                        TimeSpan offset = TimeSpan.FromHours(random.Next(-12, 15));
                        string text =
                            random.Next(2) == 0 || AnalyticsCalendar.Add(start, offset) - start != offset
                                ? start.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fffffff", CultureInfo.InvariantCulture)
                                    + (random.Next(2) == 0 ? "Z" : "")
                                : start.ToOffset(offset).ToString("O", CultureInfo.InvariantCulture);
                        return $$"""{"bucket":"{{text}}","results":[{"endpoint_id":"a/b","request_count":9223372036854775807,"error_count":9223372036854775807}]}""";
                    }),
            ];
            return Task.FromResult(Json.ReadPage($$"""{"time_series":[{{string.Join(',', buckets)}}]}"""));
        }

        public Task<AnalyticsPage> GetModelsAnalyticsAsync(AnalyticsQuery query, CancellationToken cancellationToken = default) =>
            throw new NotSupportedException();
    }
}
