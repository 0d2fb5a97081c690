using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text;
using Fal.Observability.Client.Prometheus;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Xunit;

namespace Fal.Observability.Client.Tests;

/// <summary>The publisher over a client and a clock of the test's own, seen through a listener to its meter.</summary>
public sealed class FalMetricsPublisherTests
{
    private const string Gauges = """
        # HELP fal_app_queue_size Current size of the fal app queue
        # TYPE fal_app_queue_size gauge
        fal_app_queue_size{application="my/app"} 7
        fal_app_queue_size{application="my/other"} 0
        # TYPE fal_app_request_latency gauge
        fal_app_request_latency{application="my/app",le="1.0"} 5
        fal_app_request_latency{application="my/app",le="+Inf"} 24

        """;

    private static readonly TimeSpan Refused = TimeSpan.FromMinutes(5);

    [Fact]
    public async Task Every_family_known_or_new_is_published_under_its_own_name_with_its_labels()
    {
        const string Everything = Gauges + """
            fal_requests_total{application="my/app"} 10
            # TYPE new_total counter
            new_total{a="x\"y\\z\n"} 3
            # TYPE new_seconds histogram
            new_seconds_bucket{le="0.5"} 1
            new_seconds_bucket{le="+Inf"} 2
            new_seconds_sum 1.25
            new_seconds_count 2
            # TYPE new_summary summary
            new_summary{quantile="0.9"} NaN
            new_summary_sum 4
            new_summary_count 0
            # TYPE new_infinite gauge
            new_infinite -Inf
            # TYPE new_empty gauge

            """;
        await using var host = new PublisherHost();
        host.Client.Answer(Everything);

        await host.StartAsync();
        await host.PauseAsync();

        IEnumerable<PrometheusSample> sent = FakeMetricsClient.SnapshotOf(Everything).Families.SelectMany(family => family.Samples);
        Assert.Equal(
            sent.Select(sample => sample.ToString()).Order(StringComparer.Ordinal),
            host.CollectFamilies().Select(sample => sample.ToString()).Order(StringComparer.Ordinal)
        );
        Assert.Equal(
            ["new_total"],
            host.Instruments.OfType<ObservableCounter<double>>()
                .Select(counter => counter.Name)
                .Where(name => name.StartsWith("new", StringComparison.Ordinal))
        );
        Assert.Equal(
            "Current size of the fal app queue",
            host.Instruments.Single(instrument => instrument.Name == "fal_app_queue_size").Description
        );
    }

    [Fact]
    public async Task A_family_that_comes_later_gets_an_instrument_and_a_series_that_goes_is_gone()
    {
        await using var host = new PublisherHost();
        host.Client.Answer("a{x=\"1\"} 1\na{x=\"2\"} 2\ngone 1\n");
        await host.StartAsync();
        TimeSpan pause = await host.PauseAsync();
        Assert.Equal(["a{x=\"1\"} 1", "a{x=\"2\"} 2", "gone 1"], host.CollectFamilies().Select(sample => sample.ToString()));

        host.Client.Answer("a{x=\"2\"} 3\nb 4\n");
        await host.NextPauseAsync(pause);

        Assert.Equal(["a{x=\"2\"} 3", "b 4"], host.CollectFamilies().Select(sample => sample.ToString()));
        Assert.Single(host.Instruments, instrument => instrument.Name == "a");
    }

    [Fact]
    public async Task The_last_good_snapshot_is_reported_through_failures_until_it_is_stale()
    {
        await using var host = new PublisherHost();
        host.Client.Answer(Gauges);
        await host.StartAsync();
        TimeSpan pause = await host.PauseAsync();
        Assert.Equal(1, Assert.Single(host.Collect("fal_up")).Value);
        host.Client.Fail(new FalTimeoutException("slow") { IsTransient = true });

        TimeSpan age = TimeSpan.Zero;
        while (age + pause <= TimeSpan.FromMinutes(2))
        {
            age += pause;
            pause = await host.NextPauseAsync(pause);
            Assert.Equal(4, host.CollectFamilies().Count);
            Assert.Equal(0, Assert.Single(host.Collect("fal_up")).Value);
            Assert.Equal(age.TotalSeconds, Assert.Single(host.Collect("fal_publisher_snapshot_age_seconds")).Value);
            Assert.False(host.Publisher.IsStale);
        }

        await host.NextPauseAsync(pause);
        Assert.Empty(host.CollectFamilies());
        Assert.True(host.Publisher.IsStale);
        Assert.Equal(0, Assert.Single(host.Collect("fal_up")).Value);
        Assert.NotNull(host.Publisher.State.Snapshot);
    }

    [Fact]
    public async Task Data_that_was_stale_is_back_with_the_next_read_that_succeeds()
    {
        await using var host = new PublisherHost();
        host.Client.Fail(new FalTransportException("down") { IsTransient = true });
        await host.StartAsync();
        TimeSpan pause = await host.PauseAsync();
        Assert.True(host.Publisher.IsStale);
        Assert.Null(host.Publisher.Age);
        Assert.Empty(host.Collect("fal_publisher_last_success_timestamp_seconds"));

        host.Client.Answer(Gauges);
        await host.NextPauseAsync(pause);

        Assert.Equal(4, host.CollectFamilies().Count);
        Assert.Equal(0, host.Publisher.State.FailuresInARow);
        Assert.Equal(host.Clock.GetUtcNow(), host.Publisher.State.LastSuccess);
        Assert.Single(host.Events(20));
        Assert.Single(host.Events(22));
    }

    [Fact]
    public async Task The_publisher_says_how_its_own_reads_go()
    {
        await using var host = new PublisherHost();
        host.Client.Answer(Gauges);
        await host.StartAsync();
        TimeSpan pause = await host.PauseAsync();
        DateTimeOffset read = host.Clock.GetUtcNow();
        host.Client.Fail(new FalForbiddenException("no") { });
        pause = await host.NextPauseAsync(pause);
        host.Client.Fail(new FalTimeoutException("slow") { IsTransient = true });
        await host.NextPauseAsync(pause);

        Assert.Equal(
            (read - DateTimeOffset.UnixEpoch).TotalSeconds,
            Assert.Single(host.Collect("fal_publisher_last_success_timestamp_seconds")).Value
        );
        Assert.Equal(4, Assert.Single(host.Collect("fal_publisher_scrape_samples")).Value);
        Assert.Equal(0, Assert.Single(host.Collect("fal_publisher_scrape_duration_seconds")).Value);
        Assert.Equal(
            ["forbidden=1", "timeout=1"],
            host.Collect("fal_publisher_scrape_failures_total")
                .Where(sample => sample.Value > 0)
                .Select(sample => $"{sample.Labels["kind"]}={sample.Value.ToString(CultureInfo.InvariantCulture)}")
        );
        Assert.Equal(8, host.Collect("fal_publisher_scrape_failures_total").Count);
    }

    [Fact]
    public async Task The_duration_of_a_read_is_measured()
    {
        await using var host = new PublisherHost();
        TaskCompletionSource<FalMetricsSnapshot> read = host.Client.Hold();
        await host.StartAsync();
        await host.Client.ArrivalAsync();
        Assert.Empty(host.Collect("fal_up"));

        host.Clock.Advance(TimeSpan.FromSeconds(2.5));
        read.SetResult(FakeMetricsClient.SnapshotOf(Gauges));
        await host.PauseAsync();

        Assert.Equal(2.5, Assert.Single(host.Collect("fal_publisher_scrape_duration_seconds")).Value);
        Assert.Equal(0, Assert.Single(host.Collect("fal_publisher_snapshot_age_seconds")).Value);
    }

    [Fact]
    public async Task No_callback_makes_a_call_and_none_waits_for_one()
    {
        await using var host = new PublisherHost();
        host.Client.Answer(Gauges);
        await host.StartAsync();
        TimeSpan pause = await host.PauseAsync();
        for (int i = 0; i < 10; i++)
        {
            Assert.Equal(4, host.CollectFamilies().Count);
        }

        Assert.Equal(1, host.Client.Calls);
        await host.Client.ArrivalAsync();
        host.Client.Hang();
        host.Clock.Advance(pause);
        await host.Client.ArrivalAsync();
        Assert.Equal(4, host.CollectFamilies().Count);
        Assert.Equal(2, host.Client.Calls);
    }

    [Fact]
    public async Task One_call_is_under_way_at_a_time_however_long_it_takes()
    {
        await using var host = new PublisherHost();
        host.Client.Hang();
        await host.StartAsync();
        await host.Client.ArrivalAsync();

        host.Clock.Advance(TimeSpan.FromHours(1));

        Assert.Equal(1, host.Client.Calls);
    }

    [Fact]
    public async Task Stopping_ends_a_call_that_is_under_way()
    {
        await using var host = new PublisherHost();
        host.Client.Hang();
        await host.StartAsync();
        await host.Client.ArrivalAsync();

        await host.Publisher.StopAsync(CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken);

        // Anything else would be logged as a failure by a host that is disposed without being stopped.
        Assert.True(host.Publisher.ExecuteTask!.IsCompletedSuccessfully);
        Assert.Null(host.Publisher.State.LastFailure);
    }

    [Fact]
    public async Task Pauses_are_the_interval_and_up_to_a_tenth_more()
    {
        await using var host = new PublisherHost(o => o.Interval = TimeSpan.FromSeconds(10));
        await host.StartAsync();
        var pauses = new List<TimeSpan> { await host.PauseAsync() };
        for (int i = 0; i < 30; i++)
        {
            pauses.Add(await host.NextPauseAsync(pauses[^1]));
        }

        Assert.All(pauses, pause => Assert.InRange(pause, TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(11)));
        Assert.True(pauses.Distinct().Count() > 20, "The pauses are not spread.");
    }

    public static TheoryData<Exception, TimeSpan> Failures => new()
    {
        { new FalAuthenticationException("401"), Refused },
        { new FalForbiddenException("403"), Refused },
        { new FalApiException("404"), Refused },
        { new FalRateLimitException("429") { IsTransient = true, RetryAfter = TimeSpan.FromMinutes(7) }, TimeSpan.FromMinutes(7) },
        { new FalRateLimitException("429") { IsTransient = true, RetryAfter = TimeSpan.FromSeconds(1) }, TimeSpan.FromSeconds(15) },
        { new FalRateLimitException("429") { IsTransient = true, RetryAfter = TimeSpan.FromHours(114) }, TimeSpan.FromDays(1) },
        { new FalApiException("503") { IsTransient = true }, TimeSpan.FromSeconds(15) },
        { new FalApiException("503") { IsTransient = true, RetryAfter = TimeSpan.FromMinutes(7) }, TimeSpan.FromMinutes(7) },
        { new FalResponseException("a web page"), TimeSpan.FromSeconds(15) },
        { new FalResponseException("HTML"), TimeSpan.FromSeconds(15) },
        { new InvalidOperationException("a handler of the user's own"), TimeSpan.FromSeconds(15) },
        { new OperationCanceledException("not by the host"), TimeSpan.FromSeconds(15) },
    };

    [Theory]
    [MemberData(nameof(Failures))]
    public async Task A_failure_shows_in_the_state_and_the_reads_go_on_at_its_pace(Exception failure, TimeSpan pace)
    {
        await using var host = new PublisherHost();
        host.Client.Fail(failure);
        await host.StartAsync();

        TimeSpan pause = await host.PauseAsync();

        Assert.InRange(pause, pace, 1.1 * pace);
        Assert.Same(failure, host.Publisher.State.LastFailure);
        await host.NextPauseAsync(pause);
        Assert.Equal(2, host.Publisher.State.FailuresInARow);
        Assert.Equal(2, host.Events(failure is FalObservabilityException ? 20 : 21).Count);
        Assert.False(host.Publisher.ExecuteTask!.IsCompleted);
    }

    [Fact]
    public async Task Accounts_share_the_instruments_and_each_point_bears_its_account()
    {
        await using var host = new PublisherHost(accounts: ["acme", "globex"]);
        host.Clients["acme"].Answer("a{account=\"theirs\"} 1\na{account=\"b\",exported_account=\"c\"} 3\n");
        host.Clients["globex"].Answer("a 2\n");

        await host.StartAsync();
        await host.PauseAsync();
        await host.PauseAsync();

        Assert.Equal(
            [
                "a{account=\"acme\",exported_account=\"theirs\"} 1",
                "a{account=\"acme\",exported_exported_account=\"b\",exported_account=\"c\"} 3",
                "a{account=\"globex\"} 2",
            ],
            host.CollectFamilies().Select(sample => sample.ToString()).Order(StringComparer.Ordinal));
        Assert.Equal(host.Instruments.Count, host.Instruments.Select(instrument => instrument.Name).Distinct().Count());
        Assert.Single(host.Instruments.Select(instrument => instrument.Meter).Distinct());
        Assert.Equal(["acme", "globex"], host.Collect("fal_up").Select(sample => sample.Labels["account"]).Order(StringComparer.Ordinal));
        Assert.Equal("acme", host.Services.GetRequiredKeyedService<FalMetricsPublisher>("acme").Account);
    }

    [Fact]
    public async Task The_default_account_bears_no_label_unless_it_is_given_one()
    {
        await using (var host = new PublisherHost())
        {
            host.Client.Answer("a{account=\"theirs\"} 1\n");
            await host.StartAsync();
            await host.PauseAsync();
            Assert.Equal("a{account=\"theirs\"} 1", Assert.Single(host.CollectFamilies()).ToString());
        }

        await using (var host = new PublisherHost(o => o.AccountLabel = "main"))
        {
            host.Client.Answer("a 1\n");
            await host.StartAsync();
            await host.PauseAsync();
            Assert.Equal("a{account=\"main\"} 1", Assert.Single(host.CollectFamilies()).ToString());
        }
    }

    [Fact]
    public async Task Two_accounts_under_one_label_stop_the_host_at_its_start()
    {
        await using var host = new PublisherHost(o => o.AccountLabel = "same", accounts: ["acme", "globex"]);
        OptionsValidationException failure = await Assert.ThrowsAsync<OptionsValidationException>(host.StartAsync);
        Assert.Contains("AccountLabel", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task More_series_than_OpenTelemetry_takes_are_logged_once_also_when_they_come_one_after_another()
    {
        await using var host = new PublisherHost();
        host.Client.Answer(Series("at_once", 0, 2001) + Series("in_turn", 0, 1500) + Series("within", 0, 2000));
        await host.StartAsync();
        TimeSpan pause = await host.PauseAsync();
        Assert.Contains("at_once", Assert.Single(host.Events(23)).Message, StringComparison.Ordinal);
        Assert.Contains("cardinality limit", host.Events(23)[0].Message, StringComparison.Ordinal);

        host.Client.Answer(Series("at_once", 0, 5000) + Series("in_turn", 1000, 1001) + Series("within", 0, 2000));
        await host.NextPauseAsync(await host.NextPauseAsync(pause));

        Assert.Equal(["at_once", "in_turn"], host.Events(23).Select(record => record.GetStructuredStateValue("Metric")));
    }

    [Fact]
    public async Task A_family_with_the_name_of_an_own_instrument_is_left_out_and_logged_once_for_each_name()
    {
        await using var host = new PublisherHost();
        host.Client.Answer("fal_up 42\nfal_publisher_scrape_samples 1\na 1\n");
        await host.StartAsync();
        await host.NextPauseAsync(await host.PauseAsync());

        Assert.Equal(1, Assert.Single(host.Collect("fal_up")).Value);
        Assert.Equal(1, Assert.Single(host.Collect("a")).Value);
        Assert.Equal(
            [
                "fal_up of account (default) is not published, because the publisher uses this name for a metric of its own.",
                "fal_publisher_scrape_samples of account (default) is not published, because the publisher uses this name for a metric " +
                    "of its own.",
            ],
            host.Events(24).Select(record => record.Message.Split(" Read")[0]));
    }

    [Theory]
    [InlineData(true, @" starts in \d+ s, or sooner if the key changes\. The last failure: refused$")]
    [InlineData(false, @" starts in \d+ s\. The last failure: refused$")]
    public async Task After_a_key_was_refused_the_log_says_whether_a_new_key_shortens_the_wait(bool isRotated, string wait)
    {
        await using var host = new PublisherHost(register: services =>
        {
            if (isRotated)
            {
                services.Configure<FalObservabilityOptions>(options =>
                {
                    options.ApiKey = null;
                    options.ApiKeyProvider = _ => ValueTask.FromResult("id:secret-value");
                });
            }
        });
        host.Client.Fail(new FalAuthenticationException("refused"));
        await host.StartAsync();
        await host.PauseAsync();

        Assert.Matches(wait, Assert.Single(host.Events(20)).Message);
    }

    [Fact]
    public async Task A_service_that_sends_ever_new_names_is_held_to_a_thousand_instruments()
    {
        await using var host = new PublisherHost();
        var names = new StringBuilder();
        for (int i = 0; i < 1500; i++)
        {
            names.Append(CultureInfo.InvariantCulture, $"name_{i} {i}\n");
        }

        host.Client.Answer(names.ToString());
        await host.StartAsync();
        await host.PauseAsync();

        Assert.Equal(1000, host.Instruments.Count);
        Assert.Single(host.Events(24));
    }

    [Fact]
    public async Task A_listener_that_throws_does_not_end_the_reads()
    {
        await using var host = new PublisherHost();
        IMeterFactory factory = host.Services.GetRequiredService<IMeterFactory>();
        using var broken = new MeterListener
        {
            InstrumentPublished = (instrument, _) =>
            {
                if (instrument.Meter.Scope == factory && instrument.Name == "a")
                {
                    throw new InvalidOperationException("a fault of the listener's own");
                }
            },
        };
        broken.Start();
        await host.StartAsync();
        TimeSpan pause = await host.PauseAsync();
        host.Client.Answer("a 1\n");

        await host.NextPauseAsync(await host.NextPauseAsync(pause));

        Assert.Single(host.Events(26));
        Assert.Equal(3, host.Client.Calls);
        Assert.Equal(1, Assert.Single(host.Collect("a")).Value);
    }

    [Fact]
    public async Task Registering_twice_makes_one_publisher_with_both_callbacks()
    {
        await using var host = new PublisherHost(
            o => o.Interval = TimeSpan.FromSeconds(20),
            services => services.AddFalObservability().AddMetricsPublisher(o => o.StaleAfter = TimeSpan.FromSeconds(40)));
        Assert.Single(host.Services.GetServices<IHostedService>());
        FalMetricsPublisherOptions options = host.Services.GetRequiredService<IOptions<FalMetricsPublisherOptions>>().Value;
        Assert.Equal(TimeSpan.FromSeconds(20), options.Interval);
        Assert.Equal(TimeSpan.FromSeconds(40), options.StaleAfter);
    }

    private static string Series(string name, int from, int count) =>
        string.Concat(Enumerable.Range(from, count).Select(i => string.Create(CultureInfo.InvariantCulture, $"{name}{{i=\"{i}\"}} {i}\n")));
}
