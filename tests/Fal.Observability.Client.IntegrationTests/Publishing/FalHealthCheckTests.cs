using Fal.Observability.Client.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Xunit;

namespace Fal.Observability.Client.IntegrationTests;

/// <summary>The health check over real calls, with a publisher and without.</summary>
[Collection(nameof(ScrapedHost))]
public sealed class FalHealthCheckTests
{
    [Fact]
    public async Task A_check_beside_a_publisher_makes_no_call_of_its_own()
    {
        await using FalSimulator simulator = await FalSimulator.StartAsync(new FalSimulatorOptions { Seed = 1, Key = FalAccount.Key });
        await using ScrapedHost host = await ScrapedHost.StartAsync(
            simulator.BaseAddress, register: services => services.AddHealthChecks().AddFal(configure: o => o.RequireRunners = false));

        HealthReportEntry entry = await EntryAsync(host.Services);

        Assert.Equal(HealthStatus.Healthy, entry.Status);
        Assert.Equal(simulator.Apps.Count, entry.Data["apps"]);
        Assert.Single(simulator.Requests);
    }

    [Theory]
    [InlineData("wrong:key", "authentication")]
    [InlineData(null, "forbidden")]
    public async Task A_refused_key_is_unhealthy_with_the_services_words_and_asked_about_once(string? key, string kind)
    {
        await using FalSimulator simulator = await FalSimulator.StartAsync(new FalSimulatorOptions { Seed = 1, Key = FalAccount.Key });
        using var account = new FalAccount(
            simulator.BaseAddress, o => o.ApiKey = key ?? simulator.KeyWithoutPermission, fal => fal.Services.AddHealthChecks().AddFal());

        HealthReportEntry entry = await EntryAsync(account.Services);
        await EntryAsync(account.Services);

        Assert.Equal(HealthStatus.Unhealthy, entry.Status);
        Assert.Equal(kind, entry.Data["last_failure_kind"]);
        // The health check service would log it whole at every probe.
        Assert.Null(entry.Exception);
        Assert.Single(simulator.Requests);
    }

    [Theory]
    [InlineData(503, "text/plain")]
    [InlineData(200, "text/html")]
    [InlineData(422, "application/json")]
    public async Task The_key_is_in_nothing_that_is_published_checked_or_logged(int status, string contentType)
    {
        const string Secret = "test-secret-0123456789";
        Assert.EndsWith(Secret, FalAccount.Key, StringComparison.Ordinal);
        await using var server = RawServer.Start(RawServer.Answer(status, contentType, $$"""{"detail":"Key {{FalAccount.Key}}"}"""));
        await using ScrapedHost host = await ScrapedHost.StartAsync(
            server.BaseAddress, register: services => services.AddHealthChecks().AddFal(), pauseAtMost: TimeSpan.FromMinutes(6));

        HealthReportEntry entry = await EntryAsync(host.Services);
        string[] shown =
        [
            entry.Description!, .. entry.Data.Select(item => $"{item.Key}={item.Value}"),
            .. host.Log.GetSnapshot().Select(record => $"{record.Message} {record.Exception}"),
            .. (await host.ScrapeAsync()).Families.SelectMany(family => family.Samples).Select(sample => sample.ToString()),
        ];

        Assert.Contains(host.Log.GetSnapshot(), record => record.Id.Id == 20);
        Assert.All(shown, text => Assert.DoesNotContain(Secret, text, StringComparison.Ordinal));
    }

    private static async Task<HealthReportEntry> EntryAsync(IServiceProvider services) =>
        (await services.GetRequiredService<HealthCheckService>().CheckHealthAsync(TestContext.Current.CancellationToken)).Entries["fal"];
}
