using System.Globalization;
using CsCheck;
using Fal.Observability.Client.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Fal.Observability.Client.IntegrationTests;

/// <summary>
/// For any endpoints, range, zone, page size, cut, refusal and fault, what the client puts together over a socket is the truth that the
/// simulator prints in one piece. A failure names the seed of its case.
/// </summary>
public sealed class AnalyticsReportPropertyTests(ITestOutputHelper output)
{
    private const int Apps = 130;

    private static readonly string[] Zones =
    [
        "UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "Asia/Kathmandu", "America/Havana",
        "America/Santiago",
    ];

    private static readonly Dictionary<string, DateTimeOffset[]> Changes = Zones.ToDictionary(zone => zone, ChangesOf);

    private static readonly Gen<Case> Cases =
        from seed in Gen.Int[1, int.MaxValue]
        from kind in Gen.Int[0, 3]
        select Case.Of(new Random(seed), kind);

    /// <summary>The number of cases for each kind of traffic. <c>dotnet test</c> runs a part of the cases that .ci/run runs.</summary>
    private static int Count { get; } =
        int.TryParse(
            Environment.GetEnvironmentVariable("ANALYTICS_PROPERTY_CASES"), NumberStyles.None, CultureInfo.InvariantCulture, out int count)
            ? count
            : 150;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public async Task What_is_put_together_is_the_truth(int traffic)
    {
        var clock = new FakeTimeProvider(new DateTimeOffset(2028, 1, 1, 0, 0, 0, TimeSpan.Zero));
        var settings = new FalSimulatorOptions { TimeProvider = clock, Apps = Apps, Seed = traffic, Gzip = false };
        await using FalSimulator server = await FalSimulator.StartAsync(settings, TestContext.Current.CancellationToken);
        var clients = new Dictionary<(int, int), FalObservabilityClient>();
        int retried = 0, refused = 0, windows = 0;
        try
        {
            await Cases.SampleAsync(
                async test =>
                {
                    test.Apply(settings, server);
                    (int, int) key = (test.BucketsPerWindow, test.MaxConcurrentCalls);
                    if (!clients.TryGetValue(key, out FalObservabilityClient? client))
                    {
                        clients[key] = client = Client(server, clock, key);
                    }

                    AnalyticsQuery query = test.Query(server.Apps);
                    string[] accepted = [.. query.EndpointIds.Except(test.Refused(query), StringComparer.Ordinal)];
                    AnalyticsAnswer truth = AnalyticsReportTruth.Of(server, query, accepted);
                    if (test.Streams)
                    {
                        List<AnalyticsBucket> buckets = [];
                        await foreach (AnalyticsBucket bucket in client.Analytics.StreamTimeSeriesAsync(query))
                        {
                            buckets.Add(bucket);
                        }

                        AnalyticsReportTruth.AssertEqual(truth, query, buckets);
                        return;
                    }

                    AnalyticsReport report = await client.Analytics.GetReportAsync(query);
                    AnalyticsReportTruth.AssertEqual(truth, report);
                    Assert.Equal(test.Refused(query), report.RefusedEndpoints.Select(endpoint => endpoint.EndpointId));
                    retried += report.Retries > 0 ? 1 : 0;
                    refused += report.RefusedEndpoints.Count > 0 ? 1 : 0;
                    windows += report.Calls > 3 ? 1 : 0;
                },
                writeLine: output.WriteLine,
                iter: Count,
                threads: 1,
                print: test => test.ToString());
        }
        finally
        {
            foreach (FalObservabilityClient client in clients.Values)
            {
                client.Dispose();
            }
        }

        // The cases are of no use if they are all easy. How many are hard is left to chance, which a higher limit would fail now and then.
        Assert.True(
            retried > 0 && refused > 0 && windows > 0,
            $"of {Count}: retried {retried}, refused {refused}, many calls {windows}");
    }

    private static FalObservabilityClient Client(FalSimulator server, FakeTimeProvider clock, (int Buckets, int Calls) key) => new(
        options =>
        {
            options.ApiKey = server.Key;
            options.BaseAddress = server.BaseAddress;
            options.BucketsPerWindow = key.Buckets;
            options.MaxConcurrentCalls = key.Calls;
            options.MaxAttempts = 20;
            options.MinRetryDelay = TimeSpan.FromMilliseconds(1);
            options.RetryBaseDelay = TimeSpan.FromMilliseconds(1);
        },
        // The clock of the answers stands still; waits between attempts are real, and a millisecond long.
        builder => builder.Services.AddSingleton<TimeProvider>(new StillClock(clock.GetUtcNow())));

    private static DateTimeOffset[] ChangesOf(string zoneName)
    {
        TimeZoneInfo zone = TimeZoneInfo.FindSystemTimeZoneById(zoneName);
        var first = new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
        return
        [
            .. Enumerable.Range(1, 365 * 48).Select(half => first.AddMinutes(30 * half))
                .Where(instant => zone.GetUtcOffset(instant) != zone.GetUtcOffset(instant.AddMinutes(-30))),
        ];
    }

    /// <summary>One random situation.</summary>
    private sealed record Case
    {
        public required int[] Endpoints { get; init; }

        public required int[] RefusedOf { get; init; }

        public required DateTimeOffset Start { get; init; }

        public required TimeSpan Length { get; init; }

        public required AnalyticsTimeframe Timeframe { get; init; }

        public required string Zone { get; init; }

        public required bool? Bound { get; init; }

        public required int? Limit { get; init; }

        public required int PageSize { get; init; }

        public required LimitCounts LimitCounts { get; init; }

        public required SummaryOn SummaryOn { get; init; }

        public required MissingMetrics MissingMetrics { get; init; }

        public required BucketOrder BucketOrder { get; init; }

        public required BucketOffset BucketOffset { get; init; }

        public required int BucketsPerWindow { get; init; }

        public required int MaxConcurrentCalls { get; init; }

        public required int LimitedEvery { get; init; }

        public required int DroppedEvery { get; init; }

        public required bool Streams { get; init; }

        public static Case Of(Random random, int kind)
        {
            // The simulator works minute by minute: long buckets for few endpoints, many endpoints for short ones.
            var timeframe = (AnalyticsTimeframe)(random.Next(20) switch { < 8 => 0, < 16 => 1, < 18 => 2, < 19 => 3, _ => 4 });
            int endpoints = timeframe >= AnalyticsTimeframe.Week ? 1
                : timeframe == AnalyticsTimeframe.Minute && random.Next(3) == 0 ? random.Next(51, 60)
                : random.Next(1, 7);
            TimeSpan unit = timeframe switch
            {
                AnalyticsTimeframe.Minute => TimeSpan.FromMinutes(1),
                AnalyticsTimeframe.Hour => TimeSpan.FromHours(1),
                AnalyticsTimeframe.Day => TimeSpan.FromDays(1),
                AnalyticsTimeframe.Week => TimeSpan.FromDays(7),
                _ => TimeSpan.FromDays(30),
            };
            BucketOffset offset = (BucketOffset)random.Next(0, 3);
            // Without offsets the neighbours tell the two hours of a change of clocks apart: they must ascend, and come whole.
            bool plain = offset == BucketOffset.None;
            // Half of the cases lie round a change of clocks, where the zone has any.
            string zone = Zones[random.Next(Zones.Length)];
            DateTimeOffset[] changes = Changes[zone];
            DateTimeOffset around = changes.Length == 0 || random.Next(2) == 0
                ? new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero).AddMinutes(random.Next(365 * 24 * 60))
                : changes[random.Next(changes.Length)].AddMinutes(random.Next(-90, 90));
            int buckets = random.Next(1, timeframe >= AnalyticsTimeframe.Day ? 8 : 30);
            LimitCounts limitCounts = plain ? LimitCounts.Buckets : (LimitCounts)random.Next(0, 2);
            // A dozen pages are as good as thousands.
            int leastOnPage = 1 + ((limitCounts == LimitCounts.Rows ? endpoints * buckets : buckets) / 12);
            return new Case
            {
                Endpoints = [.. Enumerable.Range(0, Apps).OrderBy(_ => random.Next()).Take(endpoints)],
                RefusedOf =
                    kind == 0
                        ? [.. Enumerable.Range(0, endpoints).OrderBy(_ => random.Next()).Take(random.Next(0, Math.Min(endpoints, 5)))]
                        : [],
                Start = around - (unit * random.Next(0, buckets)),
                Length = (unit * buckets) + TimeSpan.FromMinutes(random.Next(0, 90)),
                Timeframe = timeframe,
                Zone = zone,
                Bound = random.Next(3) switch { 0 => true, 1 => false, _ => null },
                Limit = random.Next(2) == 0 ? null : random.Next(leastOnPage, leastOnPage + 30),
                PageSize = random.Next(leastOnPage + 3, leastOnPage + 60),
                LimitCounts = limitCounts,
                SummaryOn = (SummaryOn)random.Next(0, 2),
                MissingMetrics = (MissingMetrics)random.Next(0, 2),
                BucketOrder = plain ? BucketOrder.Ascending : (BucketOrder)random.Next(0, 2),
                BucketOffset = offset,
                BucketsPerWindow = new[] { 3, 8, 25 }[random.Next(3)],
                MaxConcurrentCalls = random.Next(1, 4),
                LimitedEvery = kind == 1 ? random.Next(3, 6) : 0,
                DroppedEvery = kind == 2 ? random.Next(3, 8) : 0,
                Streams = random.Next(3) == 0,
            };
        }

        public void Apply(FalSimulatorOptions settings, FalSimulator server)
        {
            settings.PageSize = PageSize;
            settings.LimitCounts = LimitCounts;
            settings.SummaryOn = SummaryOn;
            settings.MissingMetrics = MissingMetrics;
            settings.BucketOrder = BucketOrder;
            settings.BucketOffset = BucketOffset;
            server.Faults.Clear();
            foreach (string id in RefusedOf.Select(i => server.Apps[Endpoints[i]]))
            {
                server.Faults.RefuseEndpoint(id, 403 + (id.Length % 2));
            }

            if (LimitedEvery > 0)
            {
                server.Faults.Every(LimitedEvery, new Fault(FaultKind.RateLimited));
            }

            if (DroppedEvery > 0)
            {
                server.Faults.Every(DroppedEvery, new Fault(FaultKind.DroppedConnection));
            }
        }

        public AnalyticsQuery Query(IReadOnlyList<string> apps) => new(Endpoints.Select(i => apps[i]))
        {
            Expand = AnalyticsReportTruth.Metrics,
            Range = AnalyticsTimeRange.Between(Start, Start + Length),
            Timeframe = Timeframe,
            TimeZone = Zone,
            BoundToTimeframe = Bound,
            Limit = Limit,
            RefusedEndpoints = RefusedOf.Length > 0 ? RefusedEndpointPolicy.Skip : RefusedEndpointPolicy.Throw,
        };

        public string[] Refused(AnalyticsQuery query) => [.. query.EndpointIds.Where((_, i) => RefusedOf.Contains(i))];

        public override string ToString() => string.Create(CultureInfo.InvariantCulture,
            $"{Endpoints.Length} endpoints ({string.Join(',', Endpoints)}), refused [{string.Join(',', RefusedOf)}], {Start:u} " +
                $"+ {Length}, {Timeframe} in {Zone}, bound {Bound}, limit {Limit}, page {PageSize} {LimitCounts}, " +
                    $"summary {SummaryOn}, {MissingMetrics}, {BucketOrder}, offset {BucketOffset}, window {BucketsPerWindow}, " +
                        $"calls {MaxConcurrentCalls}, 429 {LimitedEvery}, drop {DroppedEvery}, streams {Streams}");
    }
}
