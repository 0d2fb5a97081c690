using System.Globalization;
using Fal.Observability.Client.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Fal.Observability.Client.IntegrationTests;

/// <summary>
/// For every clock change from 2024 to 2027, and for every timeframe that is split into windows, the merged report equals the true data.
/// </summary>
public sealed class AnalyticsReportCalendarTests
{
    [Theory]
    [InlineData("Europe/Berlin", 8)]
    [InlineData("America/New_York", 8)]
    [InlineData("Australia/Lord_Howe", 8)]
    // The zone has no clock change, so use the ends of the year.
    [InlineData("Asia/Kolkata", 0)]
    [InlineData("Asia/Kathmandu", 0)]
    [InlineData("Pacific/Chatham", 8)]
    public async Task Around_every_change_of_clocks_the_report_is_the_truth(string zoneName, int changes)
    {
        var clock = new FakeTimeProvider(new DateTimeOffset(2029, 1, 1, 0, 0, 0, TimeSpan.Zero));
        await using FalSimulator server = await FalSimulator.StartAsync(
            new FalSimulatorOptions { Seed = 1, TimeProvider = clock, PageSize = 9 }, TestContext.Current.CancellationToken);
        using var fal = new FalObservabilityClient(
            options =>
            {
                options.ApiKey = server.Key;
                options.BaseAddress = server.BaseAddress;
                options.BucketsPerWindow = 5;
            },
            builder => builder.Services.AddSingleton<TimeProvider>(clock));

        DateTimeOffset[] found = Changes(TimeZoneInfo.FindSystemTimeZoneById(zoneName));
        Assert.Equal(changes, found.Length);
        DateTimeOffset[] around =
            changes > 0 ? found : [.. Enumerable.Range(2024, 4).Select(year => new DateTimeOffset(year, 12, 31, 18, 0, 0, TimeSpan.Zero))];
        foreach (DateTimeOffset change in around)
        {
            foreach ((AnalyticsTimeframe timeframe, TimeSpan half) in new[]
            {
                (AnalyticsTimeframe.Hour, TimeSpan.FromHours(15)), (AnalyticsTimeframe.Day, TimeSpan.FromDays(12)),
                (AnalyticsTimeframe.Week, TimeSpan.FromDays(45)), (AnalyticsTimeframe.Month, TimeSpan.FromDays(170)),
            })
            {
                var query = new AnalyticsQuery(server.Apps[0])
                {
                    Expand = AnalyticsReportTruth.Metrics,
                    Range = AnalyticsTimeRange.Between(change - half, change + half),
                    Timeframe = timeframe,
                    TimeZone = zoneName,
                };

                AnalyticsReport report = await fal.Analytics.GetReportAsync(query);

                AnalyticsReportTruth.AssertEqual(AnalyticsReportTruth.Of(server, query), report);
                Assert.True(
                    report.Calls > 2,
                    string.Create(CultureInfo.InvariantCulture, $"{change:u} {timeframe}: {report.Calls} calls, so nothing was cut")
                );
            }
        }
    }

    private static DateTimeOffset[] Changes(TimeZoneInfo zone)
    {
        var changes = new List<DateTimeOffset>();
        var end = new DateTimeOffset(2028, 1, 1, 0, 0, 0, TimeSpan.Zero);
        for (DateTimeOffset hour = end.AddYears(-4); hour < end; hour = hour.AddMinutes(30))
        {
            if (zone.GetUtcOffset(hour) != zone.GetUtcOffset(hour.AddMinutes(-30)))
            {
                changes.Add(hour);
            }
        }

        return [.. changes];
    }
}
