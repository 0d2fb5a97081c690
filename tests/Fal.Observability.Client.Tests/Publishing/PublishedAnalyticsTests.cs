using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Fal.Observability.Client.Tests;

/// <summary>
/// The latest closed bucket as instruments: by the hour, from midnight on, with the client's five minutes until a bucket counts.
/// </summary>
public sealed class PublishedAnalyticsTests
{
    private readonly FakeAnalyticsService _service = new();

    [Fact]
    public async Task The_latest_closed_bucket_of_each_endpoint_is_published_by_metric()
    {
        await using PublisherHost host = HostOf(o =>
            o.AnalyticsMetrics = AnalyticsExpand.RequestCount | AnalyticsExpand.P50ColdBootDuration | AnalyticsExpand.P90Duration
        );
        await host.StartAsync();
        await FirstPauseAsync(host);

        // 22:00 to 23:00, in which every endpoint has 23 requests. No endpoint has a value for the other percentile.
        Assert.Equal(
            [
                "fal_analytics_bucket_start_timestamp_seconds 1767218400",
                "fal_analytics_p50_cold_boot_duration_seconds{endpoint_id=\"my/app\"} 2",
                "fal_analytics_p50_cold_boot_duration_seconds{endpoint_id=\"my/other\"} 2",
                "fal_analytics_request_count{endpoint_id=\"my/app\"} 23",
                "fal_analytics_request_count{endpoint_id=\"my/other\"} 23",
            ],
            Analytics(host));
        Assert.Equal("s", host.Instruments.Single(instrument => instrument.Name == "fal_analytics_p90_duration_seconds").Unit);
    }

    [Fact]
    public async Task One_call_is_made_for_each_bucket_soon_after_it_has_closed()
    {
        await using PublisherHost host = HostOf();
        await host.StartAsync();
        TimeSpan pause = await FirstPauseAsync(host);
        Assert.InRange(pause, TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(5.5));

        for (int hour = 24; hour < 30; hour++)
        {
            host.Clock.Advance(pause);
            pause = await host.PauseAsync(TimeSpan.FromMinutes(59), TimeSpan.FromMinutes(61));
            double expected = hour == 24 ? 24 : hour - 24;
            Assert.All(host.Collect("fal_analytics_request_count"), sample => Assert.Equal(expected, sample.Value));
            Assert.InRange(
                host.Clock.GetUtcNow().TimeOfDay - TimeSpan.FromHours(hour - 24),
                TimeSpan.FromMinutes(5),
                TimeSpan.FromMinutes(5.5)
            );
        }

        Assert.Equal(7, _service.Calls.Count);
    }

    [Fact]
    public async Task A_failure_is_logged_and_the_bucket_is_reported_until_it_no_longer_is_the_latest()
    {
        await using PublisherHost host = HostOf();
        await host.StartAsync();
        TimeSpan pause = await FirstPauseAsync(host);
        _service.Before = _ => throw new FalForbiddenException("no permission") { Reason = FalForbiddenReason.EdgeChallenge };
        DateTimeOffset read = host.Clock.GetUtcNow();
        while (host.Clock.GetUtcNow() + pause - read <= TimeSpan.FromMinutes(122))
        {
            host.Clock.Advance(pause);
            pause = await host.PauseAsync(TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(5.5));
            Assert.NotEmpty(Analytics(host));
        }

        host.Clock.Advance(pause);
        await host.PauseAsync(TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(5.5));

        Assert.Empty(Analytics(host));
        string logged = Assert.Single(host.Events(25)).Message;
        Assert.StartsWith("Publishing the analytics of account (default): a read failed.", logged, StringComparison.Ordinal);
        Assert.EndsWith("The failure: no permission", logged, StringComparison.Ordinal);
        Assert.Equal(1, Assert.Single(host.Collect("fal_up")).Value);
    }

    [Fact]
    public async Task Reads_that_succeed_again_are_logged_once()
    {
        await using PublisherHost host = HostOf();
        _service.Before = _ => throw new FalForbiddenException("no permission") { Reason = FalForbiddenReason.EdgeChallenge };
        await host.StartAsync();
        TimeSpan pause = await host.PauseAsync(TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(5.5));
        _service.Before = _ => Task.CompletedTask;
        Assert.Empty(host.Events(30));
        for (int i = 0; i < 2; i++)
        {
            host.Clock.Advance(pause);
            pause = await host.PauseAsync(TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(61));
        }

        Assert.Equal("Publishing the analytics of account (default): the reads succeed again", Assert.Single(host.Events(30)).Message);
    }

    [Fact]
    public async Task Rows_without_an_id_are_left_out_and_logged_once_with_the_account()
    {
        _service.Order = buckets => buckets.Select(bucket => new AnalyticsBucket
        {
            Start = bucket.Start,
            Rows = [bucket.Rows[0], new AnalyticsRow { EndpointId = "", RequestCount = 7 }],
        });
        await using PublisherHost host = HostOf();
        await host.StartAsync();
        TimeSpan pause = await FirstPauseAsync(host);
        host.Clock.Advance(pause);
        await host.PauseAsync(TimeSpan.FromMinutes(59), TimeSpan.FromMinutes(61));

        Assert.Equal("my/app", Assert.Single(host.Collect("fal_analytics_request_count")).Labels["endpoint_id"]);
        Assert.StartsWith(
            "Publishing the analytics of account (default): 1 row(s) of the latest bucket have no readable endpoint id",
            Assert.Single(host.Events(12)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_endpoint_that_is_refused_is_left_out_and_the_others_are_published()
    {
        _service.Refused.Add("my/other");
        await using PublisherHost host = HostOf();
        await host.StartAsync();
        await FirstPauseAsync(host);
        Assert.Equal("my/app", Assert.Single(host.Collect("fal_analytics_request_count")).Labels["endpoint_id"]);
    }

    [Fact]
    public async Task Without_endpoints_no_analytics_call_is_made()
    {
        await using var host = new PublisherHost(register: services => services.AddSingleton<IFalAnalyticsApi>(_service));
        await host.StartAsync();
        await host.PauseAsync();
        Assert.Empty(_service.Calls);
        Assert.DoesNotContain(host.Instruments, instrument => instrument.Name.StartsWith("fal_analytics_", StringComparison.Ordinal));
    }

    private PublisherHost HostOf(Action<FalMetricsPublisherOptions>? configure = null) => new(
        options =>
        {
            options.AnalyticsEndpointIds.Add("my/app");
            options.AnalyticsEndpointIds.Add("my/other");
            configure?.Invoke(options);
        },
        services => services.AddSingleton<IFalAnalyticsApi>(_service));

    private static Task<TimeSpan> FirstPauseAsync(PublisherHost host) => host.PauseAsync(TimeSpan.FromMinutes(4), TimeSpan.FromMinutes(6));

    private static IEnumerable<string> Analytics(PublisherHost host) =>
        host.Collect()
            .Where(sample => sample.Name.StartsWith("fal_analytics_", StringComparison.Ordinal))
            .Select(sample => sample.ToString())
            .Order(StringComparer.Ordinal);
}
