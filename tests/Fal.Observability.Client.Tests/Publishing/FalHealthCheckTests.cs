using System.Globalization;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Testing;
using Microsoft.Extensions.Options;
using Xunit;

namespace Fal.Observability.Client.Tests;

/// <summary>The health check as the framework runs it, over clients and a clock of the test's own.</summary>
public sealed class FalHealthCheckTests
{
    private const string Healthy = """
        fal_app_queue_size{application="my/app"} 7
        fal_app_concurrent_requests{application="my/app"} 3
        fal_app_runners{application="my/app",state="running"} 2
        fal_app_runners{application="my/app",state="pending"} 1
        fal_app_queue_size{application="my/quiet"} 0

        """;

    private static readonly TimeSpan ShortTimeout = TimeSpan.FromSeconds(100);

    private readonly FakeMetricsClient _client = new();
    private readonly SteppedClock _clock = new(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));

    [Fact]
    public async Task The_publishers_last_read_is_judged_and_no_call_is_made()
    {
        await using var host = new PublisherHost(register: services => services.AddHealthChecks().AddFal());
        host.Client.Hang();
        await host.StartAsync();
        await host.Client.ArrivalAsync();
        HealthReportEntry starting = await EntryAsync(host.Services);
        Assert.Equal(HealthStatus.Degraded, starting.Status);
        Assert.Contains("first read", starting.Description, StringComparison.Ordinal);
        Assert.Equal(1, host.Client.Calls);
    }

    [Fact]
    public async Task Fresh_metrics_are_healthy_and_the_data_says_what_there_is()
    {
        await using var host = new PublisherHost(register: services => services.AddHealthChecks().AddFal());
        host.Client.Answer(Healthy);
        await host.StartAsync();
        TimeSpan pause = await host.PauseAsync();
        host.Client.Fail(new FalTransportException("connection refused") { IsTransient = true });
        await host.NextPauseAsync(pause);

        HealthReportEntry entry = await EntryAsync(host.Services);

        Assert.Equal(HealthStatus.Healthy, entry.Status);
        Assert.Equal(2, entry.Data["apps"]);
        Assert.Equal(7.0, entry.Data["requests_waiting"]);
        Assert.Equal(3.0, entry.Data["requests_in_progress"]);
        Assert.Equal(2.0, entry.Data["runners_up"]);
        Assert.Equal("2026-01-01T00:00:00Z", entry.Data["last_success"]);
        Assert.Equal(Math.Round(pause.TotalSeconds, 1), entry.Data["age_seconds"]);
        Assert.Equal(1, entry.Data["failures_in_a_row"]);
        Assert.Equal("connection refused", entry.Data["last_failure"]);
        Assert.Equal("transport", entry.Data["last_failure_kind"]);
        Assert.Equal(2, host.Client.Calls);
    }

    [Fact]
    public async Task Failures_make_the_status_degraded_once_the_data_is_stale_and_unhealthy_in_the_end()
    {
        await using var host = new PublisherHost(register: services =>
            services.AddHealthChecks().AddFal(configure: o => o.UnhealthyAfter = TimeSpan.FromMinutes(4))
        );
        host.Client.Answer(Healthy);
        await host.StartAsync();
        TimeSpan pause = await host.PauseAsync();
        host.Client.Fail(new FalTimeoutException("it took too long") { IsTransient = true });
        var seen = new List<HealthStatus>();
        for (TimeSpan age = pause; age < TimeSpan.FromMinutes(6); age += pause)
        {
            TimeSpan next = await host.NextPauseAsync(pause);
            HealthReportEntry entry = await EntryAsync(host.Services);
            seen.Add(entry.Status);
            Assert.Equal(
                age > TimeSpan.FromMinutes(4) ? HealthStatus.Unhealthy
                    : age > TimeSpan.FromMinutes(2) ? HealthStatus.Degraded
                    : HealthStatus.Healthy,
                entry.Status
            );
            Assert.True(entry.Status == HealthStatus.Healthy || entry.Description!.Contains("it took too long", StringComparison.Ordinal));
            // The pause that has just ended is the age that the next round adds.
            pause = next;
        }

        Assert.Equal(3, seen.Distinct().Count());
    }

    [Fact]
    public async Task No_data_from_the_start_is_unhealthy_after_the_same_time()
    {
        await using ServiceProvider services = Services();
        _client.Fail(new FalTransportException("down") { IsTransient = true });
        HealthReportEntry first = await EntryAsync(services);
        Assert.Equal(HealthStatus.Degraded, first.Status);
        Assert.Contains("No read of the metrics has succeeded yet. down", first.Description, StringComparison.Ordinal);

        _clock.Advance(TimeSpan.FromMinutes(10.1));

        HealthReportEntry later = await EntryAsync(services);
        Assert.Equal(HealthStatus.Unhealthy, later.Status);
        Assert.Contains("10 min", later.Description, StringComparison.Ordinal);
    }

    public static TheoryData<Exception> Refusals =>
        [new FalAuthenticationException("the key is not known"), new FalForbiddenException("the key is not known")];

    [Theory]
    [MemberData(nameof(Refusals))]
    public async Task A_refused_key_is_unhealthy_at_once_however_fresh_the_data(Exception refusal)
    {
        await using ServiceProvider services = Services();
        _client.Answer(Healthy);
        Assert.Equal(HealthStatus.Healthy, (await EntryAsync(services)).Status);
        _client.Fail(refusal);
        _clock.Advance(TimeSpan.FromSeconds(10));

        HealthReportEntry entry = await EntryAsync(services);

        Assert.Equal(HealthStatus.Unhealthy, entry.Status);
        Assert.Equal("the key is not known", entry.Description);
        Assert.Null(entry.Exception);

        // Asked again all the time, it makes the next call after five minutes.
        for (int i = 0; i < 29; i++)
        {
            _clock.Advance(TimeSpan.FromSeconds(10));
            Assert.Equal(HealthStatus.Unhealthy, (await EntryAsync(services)).Status);
        }

        Assert.Equal(2, _client.Calls);
        _client.Answer(Healthy);
        _clock.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal(HealthStatus.Healthy, (await EntryAsync(services)).Status);
    }

    [Fact]
    public async Task A_queue_over_the_limit_is_degraded_and_the_longest_are_named()
    {
        await using ServiceProvider services = Services(o => o.MaxQueueSize = 100);
        _client.Answer(string.Concat(Enumerable.Range(0, 9).Select(i => $"fal_app_queue_size{{application=\"my/app-{i}\"}} {98 + i}\nfal_app_runners{{application=\"my/app-{i}\",state=\"running\"}} 1\n")));

        HealthReportEntry entry = await EntryAsync(services);

        Assert.Equal(HealthStatus.Degraded, entry.Status);
        Assert.Equal(
            "More than 100 requests are waiting for my/app-8 (106), my/app-7 (105), my/app-6 (104), my/app-5 (103), my/app-4 (102), " +
                "and 1 more.",
            entry.Description
        );
        Assert.Equal(6, entry.Data["apps_over_queue_limit"]);
    }

    [Theory]
    [InlineData("fal_app_runners{application=\"my/app\",state=\"running\"} 1\n", HealthStatus.Healthy)]
    [InlineData("fal_app_runners{application=\"my/app\",state=\"idle\"} 1\n", HealthStatus.Healthy)]
    [InlineData("fal_app_runners{application=\"my/app\",state=\"pending\"} 1\n", HealthStatus.Degraded)]
    [InlineData("fal_app_runners{application=\"my/app\",state=\"running\"} 0\n", HealthStatus.Degraded)]
    [InlineData("fal_app_runners{application=\"my/app\",state=\"running\"} NaN\n", HealthStatus.Degraded)]
    [InlineData("", HealthStatus.Degraded)]
    public async Task Requests_that_wait_need_a_runner_that_is_up(string runners, HealthStatus expected)
    {
        await using (ServiceProvider services = Services())
        {
            _client.Answer("fal_app_queue_size{application=\"my/app\"} 3\n" + runners);
            HealthReportEntry entry = await EntryAsync(services);
            Assert.Equal(expected, entry.Status);
            Assert.Equal(
                expected == HealthStatus.Degraded,
                entry.Description!.Contains("Requests are waiting for my/app (3), and no runner is up.", StringComparison.Ordinal)
            );
        }

        await using (ServiceProvider services = Services(o => o.RequireRunners = false))
        {
            Assert.Equal(HealthStatus.Healthy, (await EntryAsync(services)).Status);
        }
    }

    [Fact]
    public async Task Without_a_publisher_one_call_is_made_in_ten_seconds_however_often_it_is_asked()
    {
        await using ServiceProvider services = Services();
        _client.Answer(Healthy);
        for (int i = 0; i < 5; i++)
        {
            Assert.Equal(HealthStatus.Healthy, (await EntryAsync(services)).Status);
            _clock.Advance(TimeSpan.FromSeconds(1.9));
        }

        Assert.Equal(1, _client.Calls);
        _clock.Advance(TimeSpan.FromSeconds(0.5));
        await EntryAsync(services);
        Assert.Equal(2, _client.Calls);
    }

    [Fact]
    public async Task Probes_at_the_same_time_share_one_call()
    {
        await using ServiceProvider services = Services();
        TaskCompletionSource<FalMetricsSnapshot> read = _client.Hold();
        Task<HealthReportEntry>[] probes = [.. Enumerable.Range(0, 10).Select(_ => EntryAsync(services))];
        await _client.ArrivalAsync();
        read.SetResult(FakeMetricsClient.SnapshotOf(Healthy));

        Assert.All(await Task.WhenAll(probes), entry => Assert.Equal(HealthStatus.Healthy, entry.Status));
        Assert.Equal(1, _client.Calls);
    }

    [Fact]
    public async Task A_read_that_its_probe_gave_up_is_a_failure_that_says_so_and_the_next_call_waits_its_time()
    {
        await using ServiceProvider services = Services();
        _client.Hang();
        using var gaveUp = new CancellationTokenSource();
        Task<HealthReport> probe = services.GetRequiredService<HealthCheckService>().CheckHealthAsync(gaveUp.Token);
        await _client.ArrivalAsync();
        await gaveUp.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => probe);

        _client.Answer(Healthy);
        HealthReportEntry between = await EntryAsync(services);
        Assert.Equal(HealthStatus.Degraded, between.Status);
        Assert.StartsWith(
            "No read of the metrics has succeeded yet. The last read did not finish within the health check's time-out, or the caller of " +
                "the check cancelled it.",
            between.Description,
            StringComparison.Ordinal
        );
        Assert.Equal(1, between.Data["failures_in_a_row"]);
        Assert.Equal("timeout", between.Data["last_failure_kind"]);
        Assert.Equal(1, _client.Calls);
        _clock.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal(HealthStatus.Healthy, (await EntryAsync(services)).Status);
    }

    [Fact]
    public async Task Reads_that_reach_the_time_out_of_the_check_are_counted_and_named_until_the_status_is_unhealthy()
    {
        await using ServiceProvider services = Services(register: checks =>
            checks.AddFal(name: "short", timeout: ShortTimeout));
        _client.Hang();
        const string Cause = "The last read did not finish within the health check's time-out (00:01:40)";
        foreach ((int failures, HealthStatus status) in new[] { (1, HealthStatus.Degraded), (2, HealthStatus.Unhealthy) })
        {
            HealthReportEntry late = await ReachTimeoutAsync(services);

            Assert.Equal(status, late.Status);
            Assert.Contains(Cause, late.Description, StringComparison.Ordinal);
            Assert.Contains(Cause, (string)late.Data["last_failure"], StringComparison.Ordinal);
            Assert.Equal(failures, late.Data["failures_in_a_row"]);
            Assert.Equal(failures, _client.Calls);
            _clock.Advance(TimeSpan.FromMinutes(11));
        }
    }

    [Fact]
    public async Task A_check_that_reaches_its_time_out_judges_the_data_that_it_has()
    {
        await using ServiceProvider services = Services(register: checks => checks.AddFal(name: "short", timeout: ShortTimeout));
        _client.Answer(Healthy);
        await EntryAsync(services);
        _clock.Advance(TimeSpan.FromSeconds(10));
        _client.Hang();

        HealthReportEntry late = await ReachTimeoutAsync(services);

        Assert.Equal(HealthStatus.Healthy, late.Status);
        Assert.Equal("2 app(s), metrics 100 s old.", late.Description);
        Assert.Equal(1, late.Data["failures_in_a_row"]);
    }

    [Theory]
    [InlineData("00:00:00")]
    [InlineData("-00:00:01")]
    [InlineData("24.00:00:00.001")]
    public void A_time_out_that_no_check_can_have_is_refused(string timeout)
    {
        IHealthChecksBuilder checks = new ServiceCollection().AddHealthChecks();
        ArgumentOutOfRangeException refused = Assert.Throws<ArgumentOutOfRangeException>(
            () => checks.AddFal(timeout: TimeSpan.Parse(timeout, CultureInfo.InvariantCulture)));
        Assert.Contains("more than zero and at most 24 days", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task A_probe_that_gives_up_leaves_the_read_to_the_probes_that_share_it(int impatient)
    {
        await using ServiceProvider services = Services();
        TaskCompletionSource<FalMetricsSnapshot> read = _client.Hold();
        using var gaveUp = new CancellationTokenSource();
        Task<HealthCheckResult>[] probes = [.. Enumerable.Range(0, 2).Select(i => CheckAsync(i == impatient ? gaveUp.Token : default))];

        await gaveUp.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => probes[impatient].OrHangs());
        read.SetResult(FakeMetricsClient.SnapshotOf(Healthy));

        HealthCheckResult other = await probes[1 - impatient].OrHangs();
        Assert.Equal(HealthStatus.Healthy, other.Status);
        Assert.Equal(0, other.Data["failures_in_a_row"]);
        Assert.Equal(1, _client.Calls);

        // The check itself, not the service of the framework: it waits for the read when it returns.
        Task<HealthCheckResult> CheckAsync(CancellationToken cancellationToken)
        {
            HealthCheckRegistration registration = Assert.Single(
                services.GetRequiredService<IOptions<HealthCheckServiceOptions>>().Value.Registrations);
            return registration.Factory(services).CheckHealthAsync(
                new HealthCheckContext { Registration = registration },
                cancellationToken);
        }
    }

    [Fact]
    public async Task Name_failure_status_and_tags_are_the_users()
    {
        await using ServiceProvider services = Services(register: checks =>
            checks.AddFal(name: "gpu-provider", failureStatus: HealthStatus.Degraded, tags: ["ready"]));
        _client.Fail(new FalAuthenticationException("no"));
        HealthReport report = await services
            .GetRequiredService<HealthCheckService>()
            .CheckHealthAsync(registration => registration.Tags.Contains("ready"), TestContext.Current.CancellationToken);
        Assert.Equal(HealthStatus.Degraded, Assert.Single(report.Entries, entry => entry.Key == "gpu-provider").Value.Status);
        Assert.Single(report.Entries);
    }

    [Fact]
    public async Task Accounts_are_checked_each_by_its_own_name()
    {
        var acme = new FakeMetricsClient();
        acme.Fail(new FalAuthenticationException("revoked"));
        await using ServiceProvider services = Services(
            register: checks => checks.AddFal("acme"),
            more: collection =>
            {
                collection.AddFalObservability("acme", o => o.ApiKey = "id:secret-value");
                collection.AddKeyedSingleton<IFalMetricsClient>("acme", acme);
            });
        _client.Answer(Healthy);

        HealthReport report = await services
            .GetRequiredService<HealthCheckService>()
            .CheckHealthAsync(TestContext.Current.CancellationToken);

        Assert.Equal(HealthStatus.Healthy, report.Entries["fal"].Status);
        Assert.Equal(HealthStatus.Unhealthy, report.Entries["fal-acme"].Status);
        Assert.Equal("acme", report.Entries["fal-acme"].Data["account"]);
        Assert.False(report.Entries["fal"].Data.ContainsKey("account"));
    }

    [Fact]
    public async Task A_check_of_an_account_that_is_not_there_stops_the_host_and_says_what_to_call()
    {
        await using ServiceProvider services = Services(register: checks => checks.AddFal("acme"));
        OptionsValidationException failure = Assert.Throws<OptionsValidationException>(
            services.GetRequiredService<IStartupValidator>().Validate
        );
        Assert.Contains("AddFalObservability(\"acme\")", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(-1.0, 10.0, "MaxQueueSize is -1")]
    [InlineData(double.NaN, 10.0, "MaxQueueSize is NaN")]
    [InlineData(null, 0.1, "UnhealthyAfter is 00:00:06")]
    public async Task An_option_out_of_its_range_stops_the_host(double? mostQueued, double minutes, string message)
    {
        await using ServiceProvider services = Services(o =>
        {
            o.MaxQueueSize = mostQueued;
            o.UnhealthyAfter = TimeSpan.FromMinutes(minutes);
        });
        OptionsValidationException failure = Assert.Throws<OptionsValidationException>(
            services.GetRequiredService<IStartupValidator>().Validate
        );
        Assert.Contains(message, failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(CultureScope.Names), MemberType = typeof(CultureScope))]
    public async Task Texts_are_the_same_in_every_culture(string culture)
    {
        using var scope = new CultureScope(culture);
        await using ServiceProvider services = Services(o => o.MaxQueueSize = 1.5);
        _client.Answer(
            "fal_app_queue_size{application=\"my/app\"} 1234567.25\nfal_app_runners{application=\"my/app\",state=\"running\"} 1\n"
        );
        HealthReportEntry entry = await EntryAsync(services);
        Assert.Equal("More than 1.5 requests are waiting for my/app (1234567.25).", entry.Description);
        Assert.Equal("2026-01-01T00:00:00Z", entry.Data["last_success"]);
    }

    private static async Task<HealthReportEntry> EntryAsync(IServiceProvider services) =>
        (await services.GetRequiredService<HealthCheckService>().CheckHealthAsync(TestContext.Current.CancellationToken)).Entries["fal"];

    /// <summary>Runs the check <c>short</c>, whose read hangs, until it gives up.</summary>
    private async Task<HealthReportEntry> ReachTimeoutAsync(ServiceProvider services)
    {
        Task<HealthReport> probe = services.GetRequiredService<HealthCheckService>().CheckHealthAsync(
            registration => registration.Name == "short",
            TestContext.Current.CancellationToken);
        TimeSpan patience = await _clock.TimerAsync(TimeSpan.FromSeconds(1), ShortTimeout - TimeSpan.FromSeconds(1));
        _clock.Advance(patience);
        return (await probe.OrHangs()).Entries["short"];
    }

    /// <summary>An application with a health check and no publisher.</summary>
    private ServiceProvider Services(
        Action<FalHealthCheckOptions>? configure = null,
        Action<IHealthChecksBuilder>? register = null,
        Action<IServiceCollection>? more = null
    )
    {
        var services = new ServiceCollection();
        services.AddSingleton<TimeProvider>(_clock);
        services.AddLogging(logging => logging.AddProvider(new FakeLoggerProvider()));
        services.AddFalObservability(o => o.ApiKey = "id:secret-value");
        services.AddSingleton<IFalMetricsClient>(_client);
        IHealthChecksBuilder checks = services.AddHealthChecks().AddFal(configure: configure);
        register?.Invoke(checks);
        more?.Invoke(services);
        return services.BuildServiceProvider();
    }
}
