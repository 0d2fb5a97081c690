using Fal.Observability.Client.Testing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Testing;
using Microsoft.Extensions.Options;
using Xunit;

namespace Fal.Observability.Client.IntegrationTests;

/// <summary>Several accounts in one container.</summary>
public sealed class AccountsTests
{
    [Fact]
    public async Task Each_account_talks_with_its_own_key_to_its_own_address_at_the_same_time()
    {
        await using FalSimulator acme = await FalSimulator.StartAsync(
            new FalSimulatorOptions
            {
                Seed = 1,
                Key = "acme:acme-secret",
                Apps = 3,
            },
            TestContext.Current.CancellationToken
        );
        await using FalSimulator initech = await FalSimulator.StartAsync(
            new FalSimulatorOptions
            {
                Seed = 1,
                Key = "initech:initech-secret",
                Apps = 7,
            },
            TestContext.Current.CancellationToken
        );
        await using FalSimulator own = await FalSimulator.StartAsync(
            new FalSimulatorOptions
            {
                Seed = 1,
                Key = "own:own-secret",
                Apps = 5,
            },
            TestContext.Current.CancellationToken
        );
        var services = new ServiceCollection();
        services.AddFalObservability(options => Point(options, own));
        services.AddFalObservability("acme", options => Point(options, acme));
        services.AddFalObservability("initech", options => Point(options, initech));
        await using ServiceProvider provider = services.BuildServiceProvider();
        (IServiceProvider, string?, FalSimulator)[] accounts =
        [
            (provider, null, own),
            (provider, "acme", acme),
            (provider, "initech", initech),
        ];

        await Task.WhenAll(
            Enumerable
                .Range(0, 20)
                .SelectMany(_ => accounts)
                .Select(async account =>
                {
                    (IServiceProvider from, string? key, FalSimulator simulator) = account;
                    IFalObservabilityClient client = from.GetRequiredKeyedService<IFalObservabilityClient>(key);
                    FalMetricsSnapshot snapshot = await client.Metrics.GetSnapshotAsync();
                    Assert.Equal(simulator.Apps.Count, snapshot.Apps.Count);
                    AnalyticsPage page = await client.Analytics.GetPageAsync(
                        new AnalyticsQuery(simulator.Apps) { Expand = AnalyticsExpand.Summary | AnalyticsExpand.RequestCount }
                    );
                    Assert.NotNull(page.Query);
                    using var body = await from.GetRequiredKeyedService<IFalMetricsApi>(key).GetMetricsAsync();
                    await from.GetRequiredKeyedService<IFalAnalyticsApi>(key)
                        .GetServerlessAnalyticsAsync(new AnalyticsQuery(simulator.Apps[0]).Resolve(TimeProvider.System.GetUtcNow()));
                })
        );

        Assert.All(accounts, account => Assert.Equal(80, account.Item3.Requests.Count));
        Assert.All(accounts.SelectMany(account => account.Item3.Requests), request => Assert.Equal(200, request.Status));

        static void Point(FalObservabilityOptions options, FalSimulator simulator) =>
            (options.ApiKey, options.BaseAddress) = (simulator.Key, simulator.BaseAddress);
    }

    [Fact]
    public async Task An_account_is_configured_by_its_own_section()
    {
        await using var server = RawServer.Start(RawServer.Answer(200, "text/plain", "a 1\n"));
        var services = new ServiceCollection();
        services.AddSingleton<IConfiguration>(new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Fal:Accounts:acme:ApiKey"] = "acme:from-its-section",
            ["Fal:Accounts:acme:BaseAddress"] = server.BaseAddress.ToString(),
            ["Fal:Accounts:acme:UserAgentSuffix"] = "acme-dashboard/2.0",
        }).Build());
        services.AddFalObservability("acme");
        await using ServiceProvider provider = services.BuildServiceProvider();

        await provider.GetRequiredKeyedService<IFalMetricsClient>("acme").GetSnapshotAsync(TestContext.Current.CancellationToken);

        string head = Assert.Single(server.Heads);
        Assert.Contains("Authorization: Key acme:from-its-section\r\n", head, StringComparison.Ordinal);
        Assert.Contains(" acme-dashboard/2.0\r\n", head, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_log_category_names_the_account()
    {
        await using var server = RawServer.Start(RawServer.Answer(200, "text/plain", "a 1\n!\n"));
        var log = new FakeLogCollector();
        var services = new ServiceCollection();
        services.AddLogging(logging => logging.AddProvider(new FakeLoggerProvider(log)));
        services.AddFalObservability(options => (options.ApiKey, options.BaseAddress) = ("own:own-secret", server.BaseAddress));
        services.AddFalObservability("acme", options => (options.ApiKey, options.BaseAddress) = ("acme:acme-secret", server.BaseAddress));
        await using ServiceProvider provider = services.BuildServiceProvider();

        await provider.GetRequiredService<IFalMetricsClient>().GetSnapshotAsync(TestContext.Current.CancellationToken);
        await provider.GetRequiredKeyedService<IFalMetricsClient>("acme").GetSnapshotAsync(TestContext.Current.CancellationToken);

        Assert.Equal(
            ["Fal.Observability.Client", "Fal.Observability.Client.acme"],
            log.GetSnapshot().Where(record => record.Id.Id == 5).Select(record => record.Category));
    }

    [Fact]
    public async Task A_host_does_not_start_with_an_account_that_cannot_work()
    {
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddFalObservability("acme", options =>
        {
            options.ApiKey = "acme:acme-secret";
            options.AttemptTimeout = TimeSpan.FromMinutes(5);
        });
        using IHost host = builder.Build();

        OptionsValidationException refused = await Assert.ThrowsAsync<OptionsValidationException>(() =>
            host.StartAsync(TestContext.Current.CancellationToken)
        );

        Assert.Contains(nameof(FalObservabilityOptions.AttemptTimeout), refused.Message, StringComparison.Ordinal);
        Assert.Contains(nameof(FalObservabilityOptions.TotalTimeout), refused.Message, StringComparison.Ordinal);
    }
}
