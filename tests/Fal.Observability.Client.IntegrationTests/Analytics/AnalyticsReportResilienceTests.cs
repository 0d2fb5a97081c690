using System.Diagnostics;
using System.Globalization;
using Fal.Observability.Client.Testing;
using Xunit;

namespace Fal.Observability.Client.IntegrationTests;

public sealed class AnalyticsReportResilienceTests
{
    private static readonly DateTimeOffset End = new(2026, 6, 1, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public async Task A_server_that_limits_every_third_call_and_drops_every_tenth_gives_the_whole_report_with_the_retries_counted()
    {
        await using FalSimulator server = await FalSimulator.StartAsync(
            new FalSimulatorOptions { Seed = 1, Apps = 120, PageSize = 20 }, TestContext.Current.CancellationToken);
        server.Faults.Every(10, new Fault(FaultKind.DroppedConnection));
        server.Faults.Every(3, new Fault(FaultKind.RateLimited));
        using FalObservabilityClient fal = Client(server);
        var query = new AnalyticsQuery(server.Apps)
        {
            Expand = AnalyticsReportTruth.Metrics,
            Range = AnalyticsTimeRange.Between(End.AddDays(-5), End),
            Timeframe = AnalyticsTimeframe.Hour,
        };

        AnalyticsReport report = await fal.Analytics.GetReportAsync(query);

        AnalyticsReportTruth.AssertEqual(AnalyticsReportTruth.Of(server, query), report);
        Assert.Equal(server.Requests.Count, report.Calls + report.Retries);
        Assert.Equal(server.Requests.Count(request => request.Fault is not null), report.Retries);
        Assert.True(report.Retries >= 10);
    }

    // One window of one page, without a summary: a healthy call is one call for each 50 endpoints.
    [Theory]
    [InlineData(50, 0, false, 1)]
    [InlineData(50, 1, false, 15)]
    [InlineData(50, 2, false, 25)]
    [InlineData(50, 5, false, 51)]
    [InlineData(50, 7, true, 57)]
    [InlineData(50, 25, false, 101)]
    [InlineData(60, 50, true, 102)]
    public async Task Refused_endpoints_cost_no_more_calls_than_the_budget(int endpoints, int refused, bool together, int budget)
    {
        await using FalSimulator server = await FalSimulator.StartAsync(
            new FalSimulatorOptions { Seed = 1, Apps = endpoints },
            TestContext.Current.CancellationToken
        );
        string[] foreign =
        [
            .. server.Apps.Where((_, i) => together ? i < refused : ((i + 1) * refused / endpoints) > (i * refused / endpoints)),
        ];
        Assert.Equal(refused, foreign.Length);
        foreach (string id in foreign)
        {
            server.Faults.RefuseEndpoint(id);
        }

        using FalObservabilityClient fal = Client(server);
        AnalyticsQuery query = OneCall(server);

        AnalyticsReport report = await fal.Analytics.GetReportAsync(query);

        Assert.Equal(foreign, report.RefusedEndpoints.Select(endpoint => endpoint.EndpointId));
        AnalyticsReportTruth.AssertEqual(
            AnalyticsReportTruth.Of(server, query, query.EndpointIds.Except(foreign)),
            query,
            report.TimeSeries
        );
        TestContext.Current.TestOutputHelper?.WriteLine(
            string.Create(CultureInfo.InvariantCulture, $"{refused} of {endpoints} refused: {server.Requests.Count} calls, budget {budget}")
        );
        Assert.InRange(server.Requests.Count, 1, budget);
        Assert.Equal(server.Requests.Count, report.Calls);
    }

    [Fact]
    public async Task A_key_without_the_permission_is_one_exception_after_eight_calls()
    {
        await using FalSimulator server = await FalSimulator.StartAsync(
            new FalSimulatorOptions { Seed = 1, Apps = 50 }, TestContext.Current.CancellationToken);
        using var fal = new FalObservabilityClient(options =>
        {
            options.ApiKey = server.KeyWithoutPermission;
            options.BaseAddress = server.BaseAddress;
        });

        FalForbiddenException refusal = await Assert.ThrowsAsync<FalForbiddenException>(() =>
            fal.Analytics.GetReportAsync(OneCall(server))
        );

        Assert.Equal(8, server.Requests.Count);
        Assert.Equal("Access denied: the key lacks the permission for this call.", refusal.ServiceMessage);
    }

    [Fact]
    public async Task If_no_endpoint_of_the_list_is_accepted_the_same_exception_comes_after_eight_calls()
    {
        await using FalSimulator server = await FalSimulator.StartAsync(
            new FalSimulatorOptions { Seed = 1, Apps = 50 }, TestContext.Current.CancellationToken);
        foreach (string id in server.Apps)
        {
            server.Faults.RefuseEndpoint(id);
        }

        using FalObservabilityClient fal = Client(server);

        FalForbiddenException refusal = await Assert.ThrowsAsync<FalForbiddenException>(() =>
            fal.Analytics.GetReportAsync(OneCall(server))
        );

        Assert.Equal(8, server.Requests.Count);
        Assert.Contains("the key's account owns almost none of the endpoints", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_challenge_page_is_not_searched_for_an_endpoint()
    {
        await using FalSimulator server = await FalSimulator.StartAsync(
            new FalSimulatorOptions { Seed = 1, Apps = 50 }, TestContext.Current.CancellationToken);
        server.Faults.Every(1, new Fault(FaultKind.Challenge));
        using FalObservabilityClient fal = Client(server);

        FalForbiddenException refusal = await Assert.ThrowsAsync<FalForbiddenException>(() =>
            fal.Analytics.GetReportAsync(OneCall(server))
        );

        Assert.Equal(FalForbiddenReason.EdgeChallenge, refusal.Reason);
        Assert.Single(server.Requests);
    }

    [Fact]
    public async Task Cold_boot_percentiles_that_fail_are_left_out_and_named()
    {
        await using FalSimulator server = await FalSimulator.StartAsync(
            new FalSimulatorOptions { Seed = 1, Apps = 60 }, TestContext.Current.CancellationToken);
        server.Faults.FailColdBootPercentiles(server.Apps[55]);
        using FalObservabilityClient fal = Client(server, maxAttempts: 2);
        AnalyticsQuery query = OneCall(server) with { Expand = AnalyticsExpand.AllMetrics, DegradeOnServerError = true };

        AnalyticsReport report = await fal.Analytics.GetReportAsync(query);

        Assert.Equal(
            new AnalyticsMissingMetrics(server.Apps[55], AnalyticsExpand.ColdBoot & ~AnalyticsExpand.ColdBootCount),
            Assert.Single(report.MissingMetrics)
        );
        AnalyticsQuery without = query with { Expand = AnalyticsExpand.Standard };
        AnalyticsReportTruth.AssertEqual(AnalyticsReportTruth.Of(server, without), without, report.TimeSeries);
        server.Faults.Clear();
        AnalyticsQuery others = query with { EndpointIds = [.. server.Apps.Where((_, i) => i != 55)] };
        AnalyticsReportTruth.AssertEqual(
            AnalyticsReportTruth.Of(server, others),
            others,
            report.TimeSeries.Select(bucket => new AnalyticsBucket
            {
                Start = bucket.Start,
                Rows =
                [
                    .. bucket.Rows.Where(row =>
                        row.EndpointId != server.Apps[55] && !row.EndpointId.StartsWith($"{server.Apps[55]}/", StringComparison.Ordinal)
                    ),
                ],
            })
        );
    }

    [Fact]
    public async Task A_backfill_whose_process_is_killed_goes_on_to_the_same_bytes()
    {
        CancellationToken cancellationToken = TestContext.Current.CancellationToken;
        await using FalSimulator server = await FalSimulator.StartAsync(new FalSimulatorOptions { Seed = 1, Apps = 60 }, cancellationToken);
        DirectoryInfo folder = Directory.CreateTempSubdirectory("fal-backfill-");
        try
        {
            string whole = Path.Combine(folder.FullName, "whole");
            string killed = Path.Combine(folder.FullName, "killed");
            using (Process undisturbed = Start(server, whole))
            {
                await undisturbed.WaitForExitAsync(cancellationToken);
                Assert.Equal(0, undisturbed.ExitCode);
            }

            // The ninth call hangs, so the process is in the middle of a window when it is killed.
            server.Faults.Every(9, new Fault(FaultKind.SlowFirstByte) { Wait = TimeSpan.FromHours(1) });
            using (Process process = Start(server, killed))
            {
                for (int window = 0; window < 3; window++)
                {
                    Assert.NotNull(await process.StandardOutput.ReadLineAsync(cancellationToken));
                }

                process.Kill();
                await process.WaitForExitAsync(cancellationToken);
                Assert.NotEqual(0, process.ExitCode);
            }

            server.Faults.Clear();
            Assert.InRange(Windows(killed).Length, 3, Windows(whole).Length - 1);
            using (Process resumed = Start(server, killed))
            {
                string output = await resumed.StandardOutput.ReadToEndAsync(cancellationToken);
                await resumed.WaitForExitAsync(cancellationToken);
                Assert.Equal(0, resumed.ExitCode);
                Assert.StartsWith("Continues", output, StringComparison.Ordinal);
            }

            Assert.Equal(240, Windows(whole).Sum(file => File.ReadAllLines(file).Length));
            Assert.Equal(Windows(whole).Select(Path.GetFileName), Windows(killed).Select(Path.GetFileName));
            Assert.All(
                Windows(whole).Zip(Windows(killed)),
                pair => Assert.Equal(File.ReadAllBytes(pair.First), File.ReadAllBytes(pair.Second))
            );
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static string[] Windows(string folder) => [.. Directory.GetFiles(folder, "*.jsonl").Order(StringComparer.Ordinal)];

    private static Process Start(FalSimulator server, string folder)
    {
        string program = Path.Combine(AppContext.BaseDirectory, "Fal.Observability.Backfill.dll");
        var start = new ProcessStartInfo(
            "dotnet",
            [
                program,
                folder,
                "--first",
                "2026-05-01",
                "--last",
                "2026-05-10",
                "--endpoints",
                string.Join(',', server.Apps),
                "--base-address",
                server.BaseAddress.ToString(),
            ]
        )
        {
            RedirectStandardOutput = true,
        };
        start.Environment["FAL_KEY"] = server.Key;
        return Process.Start(start)!;
    }

    private static AnalyticsQuery OneCall(FalSimulator server) => new(server.Apps)
    {
        Expand = AnalyticsReportTruth.Metrics | AnalyticsExpand.TimeSeries,
        Range = AnalyticsTimeRange.Between(End.AddHours(-3), End),
        Timeframe = AnalyticsTimeframe.Hour,
        RefusedEndpoints = RefusedEndpointPolicy.Skip,
    };

    private static FalObservabilityClient Client(FalSimulator server, int maxAttempts = 20) => new(options =>
    {
        options.ApiKey = server.Key;
        options.BaseAddress = server.BaseAddress;
        options.BucketsPerWindow = 48;
        options.MaxAttempts = maxAttempts;
        options.MinRetryDelay = TimeSpan.FromMilliseconds(1);
        options.RetryBaseDelay = TimeSpan.FromMilliseconds(1);
    });
}
