using Fal.Observability.Bridge.RemoteWrite;
using Fal.Observability.Client.Prometheus;
using Fal.Observability.Client.PrometheusTests;
using Fal.Observability.Client.Testing;
using Microsoft.Extensions.Logging.Testing;
using Xunit;

namespace Fal.Observability.Client.IntegrationTests.Samples;

/// <summary>
/// The bridge's remote write before a receiver that fails in every way: nothing accepted is lost, and every series stays in order.
/// </summary>
[Collection(nameof(ScrapedHost))]
public sealed class RemoteWriteTests : IDisposable
{
    private const int Minutes = 4;

    private readonly SteppedClock _clock = new();
    private readonly FakeLogCollector _log = new();
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("fal-bridge-");

    private string StateFile => Path.Combine(_folder.FullName, "state.json");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task History_arrives_at_its_own_times_and_then_each_minute_as_it_becomes_final()
    {
        await using FalSimulator simulator = await StartSimulatorAsync();
        await using WriteReceiver receiver = await WriteReceiver.StartAsync();
        await using BridgeHost bridge = await StartAsync(simulator, receiver.Url);
        await NothingMoreToSendAsync();
        AssertReceived(await ReportAsync(simulator, Minutes), receiver);

        _clock.Advance(TimeSpan.FromMinutes(1));
        await NothingMoreToSendAsync();

        AssertReceived(await ReportAsync(simulator, Minutes + 1), receiver);
    }

    [Fact]
    public async Task A_receiver_that_fails_gets_the_same_request_until_it_takes_it()
    {
        await using FalSimulator simulator = await StartSimulatorAsync();
        await using WriteReceiver receiver = await WriteReceiver.StartAsync(
            new(204),
            new(500),
            new(503, RetryAfter: "7"),
            new(429, "slow\r\n down\n", RetryAfter: "20"),
            new(502, RetryAfter: "0"),
            new(429, RetryAfter: "99999999999")
        );
        await using BridgeHost bridge = await StartAsync(simulator, receiver.Url);

        List<TimeSpan> pauses = [await StepOverPauseAsync(), await StepOverPauseAsync(), await PauseAsync()];
        string health = await bridge.GetHealthAsync();
        _clock.Advance(pauses[^1]);
        pauses.AddRange([await StepOverPauseAsync(), await StepOverPauseAsync()]);
        await NothingMoreToSendAsync();

        Assert.Equal([TimeSpan.FromSeconds(7), TimeSpan.FromSeconds(20), TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(5)], pauses.Skip(1));
        Assert.Contains("remote write: Degraded, 429 Too Many Requests: slow down\n", health, StringComparison.Ordinal);
        Assert.Contains(
            _log.GetSnapshot(),
            record => record.Message.Contains("(429 Too Many Requests: slow down)", StringComparison.Ordinal)
        );
        Assert.All(receiver.Bodies.Skip(2).Take(5), body => Assert.Equal(receiver.Bodies[1], body));
        // This also includes the minutes that passed in the meantime.
        AssertReceived(await ReportAsync(simulator, Minutes + 5), receiver);
        Assert.Equal(
            5,
            _log.GetSnapshot()
                .Count(record => record.Id.Id == 1 && record.Message.Contains("sends them again in", StringComparison.Ordinal))
        );
        Assert.Contains("remote write: Healthy", await bridge.GetHealthAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_receiver_that_cannot_be_reached_gets_everything_once_it_can()
    {
        await using FalSimulator simulator = await StartSimulatorAsync();
        Uri url;
        await using (WriteReceiver gone = await WriteReceiver.StartAsync())
        {
            url = gone.Url;
        }

        await using BridgeHost bridge = await StartAsync(simulator, url);
        TimeSpan pause = await PauseAsync();
        string health = await bridge.GetHealthAsync();
        await using WriteReceiver receiver = await WriteReceiver.StartOnAsync(url.Port);
        _clock.Advance(pause);
        await NothingMoreToSendAsync();

        Assert.Contains("remote write: Degraded, Connection refused", health, StringComparison.Ordinal);
        AssertReceived(await ReportAsync(simulator, Minutes), receiver);
    }

    [Theory]
    [InlineData(400, "out of order sample", "out_of_order_time_window", "history FILE")]
    [InlineData(400, "out of bounds", "out_of_order_time_window", "400: out of bounds. The samples")]
    [InlineData(500, "too old sample\n", "out_of_order_time_window", "500: too old sample. The samples")]
    [InlineData(409, "err-mimir-sample-out-of-order", "out_of_order_time_window", "history FILE")]
    [InlineData(400, "duplicate sample for timestamp", "other values", "duplicate sample")]
    [InlineData(401, "no", "Bridge:RemoteWrite:Headers", "401: no")]
    [InlineData(404, "page not found", "--web.enable-remote-write-receiver", "/api/v1/write")]
    [InlineData(405, "Method Not Allowed", "--web.enable-remote-write-receiver", "/api/v1/write")]
    [InlineData(413, "too much", "MaxSamplesPerRequest", "413")]
    [InlineData(422, "who knows", "422: who knows", "look into the receiver's log")]
    [InlineData(302, "", "redirects. The bridge does not follow redirects", "Set Bridge:RemoteWrite:Url to the final address")]
    [InlineData(400, "bad", "400: bad. The receiver does not accept the request.", "remote write 1.0")]
    [InlineData(415, "", "does not read remote write 1.0", "Set Bridge:RemoteWrite:Url")]
    public async Task A_refusal_stops_the_history_there_says_why_and_loses_nothing(int status, string body, string advice, string more)
    {
        await using FalSimulator simulator = await StartSimulatorAsync();
        await using WriteReceiver receiver = await WriteReceiver.StartAsync(new(204), new(status, body));
        await using BridgeHost bridge = await StartAsync(simulator, receiver.Url);
        await _clock.TimerAsync(TimeSpan.FromMinutes(5));

        string health = await bridge.GetHealthAsync();
        int sent = receiver.Bodies.Count;
        _clock.Advance(TimeSpan.FromMinutes(5));
        await NothingMoreToSendAsync();

        Assert.Equal(2, sent);
        Assert.Contains("remote write: Degraded, The remote write was refused with", health, StringComparison.Ordinal);
        Assert.All([advice, more], words => Assert.Contains(words, health, StringComparison.Ordinal));
        Assert.Contains(_log.GetSnapshot(), record => record.Id.Id == 4 && record.Message.Contains(advice, StringComparison.Ordinal));
        AssertReceived(await ReportAsync(simulator, Minutes + 5), receiver);
    }

    [Fact]
    public async Task A_restart_goes_on_where_the_receiver_has_last_accepted()
    {
        await using FalSimulator simulator = await StartSimulatorAsync();
        await using WriteReceiver receiver = await WriteReceiver.StartAsync();
        await using (await StartAsync(simulator, receiver.Url))
        {
            await NothingMoreToSendAsync();
        }

        _clock.Advance(TimeSpan.FromMinutes(10));
        await using BridgeHost bridge = await StartAsync(simulator, receiver.Url);
        await NothingMoreToSendAsync();

        AssertReceived(await ReportAsync(simulator, Minutes + 10), receiver);
    }

    [Fact]
    public async Task An_outage_of_fal_is_over_within_a_minute_of_its_end_and_a_refused_key_is_tried_every_5_minutes()
    {
        var options = new FalSimulatorOptions { Seed = 1, Key = FalAccount.Key, Apps = 3, TimeProvider = _clock };
        options.Faults.Next(4, new Fault(FaultKind.ServiceUnavailable), SimulatorRoute.ServerlessAnalytics);
        options.Faults.Next(1, new Fault(FaultKind.Challenge), SimulatorRoute.ServerlessAnalytics);
        await using FalSimulator simulator = await FalSimulator.StartAsync(options);
        await using WriteReceiver receiver = await WriteReceiver.StartAsync();
        await using BridgeHost bridge = await StartAsync(simulator, receiver.Url);

        TimeSpan first = await PauseAsync();
        string health = await bridge.GetHealthAsync();
        _clock.Advance(first);
        List<TimeSpan> pauses = [first, await StepOverPauseAsync(), await StepOverPauseAsync(), await StepOverPauseAsync()];
        TimeSpan refused = await StepOverPauseAsync();
        await NothingMoreToSendAsync();

        Assert.All(pauses, pause => Assert.InRange(pause, TimeSpan.FromTicks(1), TimeSpan.FromMinutes(1)));
        Assert.Equal(TimeSpan.FromMinutes(5), refused);
        Assert.Contains("remote write: Degraded, ", health, StringComparison.Ordinal);
        Assert.Contains("503", health, StringComparison.Ordinal);
        Assert.Contains("nothing is accepted yet", health, StringComparison.Ordinal);
        Assert.Contains("remote write: Healthy", await bridge.GetHealthAsync(), StringComparison.Ordinal);
        Assert.NotEmpty(receiver.Accepted);
    }

    [Fact]
    public async Task The_page_says_how_the_history_does()
    {
        await using FalSimulator simulator = await StartSimulatorAsync();
        await using WriteReceiver receiver = await WriteReceiver.StartAsync(new(204), new(503), new(422, "who knows"));
        await using BridgeHost bridge = await StartAsync(simulator, receiver.Url);
        await StepOverPauseAsync();
        await _clock.TimerAsync(TimeSpan.FromMinutes(5));
        int acceptedBefore = receiver.Accepted.Count;
        Dictionary<string, double> stopped = await OwnSeriesAsync(bridge);
        _clock.Advance(TimeSpan.FromMinutes(5));
        await NothingMoreToSendAsync();
        Dictionary<string, double> recovered = await OwnSeriesAsync(bridge);

        Assert.Equal(
            new Dictionary<string, double>
            {
                ["up"] = 0,
                ["samples_total"] = acceptedBefore,
                ["failures_total fal"] = 0,
                ["failures_total receiver"] = 1,
                ["failures_total refused"] = 1,
                ["failures_total state_file"] = 0,
            },
            stopped);
        Assert.Equal(1, recovered["up"]);
        Assert.Equal(receiver.Accepted.Count, recovered["samples_total"]);
        Assert.Equal(_clock.GetUtcNow().ToUnixTimeSeconds(), recovered["last_success_timestamp_seconds"]);

        async Task<Dictionary<string, double>> OwnSeriesAsync(BridgeHost host)
        {
            const string Prefix = "fal_bridge_remote_write_";
            PrometheusExposition page = PrometheusTextParser.ParseFamilies(await host.GetAsync("metrics"), PrometheusParserOptions.Strict);
            PrometheusSample[] samples =
            [
                .. page
                    .Families.SelectMany(family => family.Samples)
                    .Where(sample => sample.Name.StartsWith(Prefix, StringComparison.Ordinal)),
            ];
            string history = $"default Minute {string.Join(',', simulator.Apps.Order(StringComparer.Ordinal))}";
            Assert.All(samples, sample => Assert.Equal(("default", history), (sample.Labels["account"], sample.Labels["history"])));
            return samples.ToDictionary(
                sample => $"{sample.Name[Prefix.Length..]} {sample.Labels["kind"]}".TrimEnd(),
                sample => sample.Value
            );
        }
    }

    [Theory]
    [InlineData("no-such-folder/state.json")]
    [InlineData("")]
    public async Task A_state_file_that_cannot_be_written_stops_the_start_and_is_named(string path)
    {
        await using FalSimulator simulator = await StartSimulatorAsync();
        await using WriteReceiver receiver = await WriteReceiver.StartAsync();
        string file = Path.Combine(_folder.FullName, path);

        IOException failure = await Assert.ThrowsAsync<IOException>(() => StartAsync(simulator, receiver.Url, stateFile: file));

        Assert.Contains($"{file} cannot be written", failure.Message, StringComparison.Ordinal);
        Assert.Contains("Bridge:RemoteWrite:StateFile", failure.Message, StringComparison.Ordinal);
        Assert.Empty(receiver.Bodies);
    }

    [Fact]
    public async Task A_disk_that_is_full_in_between_stops_the_sending_after_one_bucket_and_neither_loses_nor_repeats_it()
    {
        await using FalSimulator simulator = await StartSimulatorAsync();
        await using WriteReceiver receiver = await WriteReceiver.StartAsync();
        int requests = 0;
        receiver.OnRequest = _ =>
        {
            if (++requests == 2)
            {
                File.Delete(StateFile);
                Directory.CreateDirectory(StateFile);
            }
        };
        await using BridgeHost bridge = await StartAsync(simulator, receiver.Url);
        await _clock.TimerAsync(TimeSpan.FromMinutes(5));
        _clock.Advance(TimeSpan.FromMinutes(5));
        await _clock.TimerAsync(TimeSpan.FromMinutes(5));
        Assert.Equal(2, receiver.Bodies.Count);

        Directory.Delete(StateFile);
        _clock.Advance(TimeSpan.FromMinutes(5));
        await NothingMoreToSendAsync();

        AssertReceived(await ReportAsync(simulator, Minutes + 10), receiver);
    }

    [Fact]
    public async Task A_state_file_that_cannot_be_read_stops_the_start_and_says_what_to_do()
    {
        await using FalSimulator simulator = await StartSimulatorAsync();
        await File.WriteAllTextAsync(StateFile, "{ half");

        IOException failure = await Assert.ThrowsAsync<IOException>(() => StartAsync(simulator, new Uri("http://127.0.0.1:9/write")));

        Assert.Contains($"{StateFile} is not a state file of the bridge. Remove it", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_outage_of_weeks_ends_like_a_short_one()
    {
        await using FalSimulator simulator = await StartSimulatorAsync();
        await using WriteReceiver receiver = await WriteReceiver.StartAsync(Enumerable.Repeat(new WriteAnswer(503), 1200));
        await using BridgeHost bridge = await StartAsync(simulator, receiver.Url);
        for (int i = 0; i < 1200; i++)
        {
            Assert.InRange(await StepOverPauseAsync(), TimeSpan.Zero, TimeSpan.FromMinutes(1));
        }

        await NothingMoreToSendAsync();

        Assert.All(receiver.Bodies.Skip(1).Take(1200), body => Assert.Equal(receiver.Bodies[0], body));
        Assert.NotEmpty(receiver.Accepted);
    }

    [Fact]
    public async Task Headers_are_sent_and_shown_nowhere()
    {
        const string Secret = "Bearer test-token-0123456789";
        await using FalSimulator simulator = await StartSimulatorAsync();
        await using WriteReceiver receiver = await WriteReceiver.StartAsync(
            new(500, $"denied\tfor {Secret}"),
            new(401, $"denied for {Secret} (test-token-0123456789)")
        );
        string? sent = null;
        receiver.OnRequest = request => sent = request.Headers.Authorization;
        await using BridgeHost bridge = await StartAsync(simulator, receiver.Url, authorization: Secret);
        await StepOverPauseAsync();
        await _clock.TimerAsync(TimeSpan.FromMinutes(5));
        string health = await bridge.GetHealthAsync();

        Assert.Equal(Secret, sent);
        Assert.DoesNotContain("test-token", health + string.Join('\n', _log.GetSnapshot()), StringComparison.Ordinal);
        Assert.Contains("refused with 401: denied for *** (***). Put the credentials into", health, StringComparison.Ordinal);
        Assert.Contains(
            _log.GetSnapshot(),
            record => record.Message.Contains("(500 Internal Server Error: denied for ***)", StringComparison.Ordinal)
        );
    }

    [Fact]
    public async Task An_endpoint_that_is_refused_for_a_while_is_named_and_none_of_its_buckets_is_skipped()
    {
        await using FalSimulator simulator = await StartSimulatorAsync();
        simulator.Faults.RefuseEndpoint(simulator.Apps[1]);
        await using WriteReceiver receiver = await WriteReceiver.StartAsync();
        await using BridgeHost bridge = await StartAsync(simulator, receiver.Url);
        await _clock.TimerAsync(TimeSpan.FromMinutes(5));
        string health = await bridge.GetHealthAsync();
        simulator.Faults.Clear();
        _clock.Advance(TimeSpan.FromMinutes(5));
        await NothingMoreToSendAsync();

        Assert.Contains($"remote write: Degraded, fal refuses '{simulator.Apps[1]}' (", health, StringComparison.Ordinal);
        AssertReceived(await ReportAsync(simulator, Minutes + 5), receiver);
    }

    [Fact]
    public async Task A_metric_that_the_service_fails_on_for_a_while_is_not_skipped()
    {
        const AnalyticsExpand metrics = AnalyticsExpand.RequestCount | AnalyticsExpand.P75ColdBootDuration;
        await using FalSimulator simulator = await StartSimulatorAsync();
        simulator.Faults.FailColdBootPercentiles(simulator.Apps[1]);
        await using WriteReceiver receiver = await WriteReceiver.StartAsync();
        await using BridgeHost bridge = await StartAsync(simulator, receiver.Url, metrics: metrics);
        TimeSpan pause = await PauseAsync();
        string health = await bridge.GetHealthAsync();
        simulator.Faults.Clear();
        _clock.Advance(pause);
        await NothingMoreToSendAsync();

        Assert.Contains("remote write: Degraded, GET /v1/serverless/analytics answered 500", health, StringComparison.Ordinal);
        AssertReceived(await ReportAsync(simulator, Minutes, metrics: metrics), receiver);
    }

    [Fact]
    public async Task Buckets_that_the_service_has_only_after_they_are_final_are_sent_when_it_has_them()
    {
        var options = new FalSimulatorOptions
        {
            Seed = 1,
            Key = FalAccount.Key,
            Apps = 3,
            TimeProvider = _clock,
            AnalyticsLag = TimeSpan.FromMinutes(12),
        };
        await using FalSimulator simulator = await FalSimulator.StartAsync(options);
        await using WriteReceiver receiver = await WriteReceiver.StartAsync();
        await using BridgeHost bridge = await StartAsync(simulator, receiver.Url);
        for (int i = 0; i < 20; i++)
        {
            await NothingMoreToSendAsync();
            _clock.Advance(TimeSpan.FromMinutes(1));
        }

        await NothingMoreToSendAsync();
        options.AnalyticsLag = TimeSpan.Zero;
        _clock.Advance(TimeSpan.FromMinutes(1));
        await NothingMoreToSendAsync();

        AssertReceived(await ReportAsync(simulator, Minutes + 21), receiver);
    }

    [Fact]
    public async Task Minutes_that_stay_empty_for_an_hour_are_waited_for_no_longer()
    {
        var options = new FalSimulatorOptions
        {
            Seed = 1,
            Key = FalAccount.Key,
            Apps = 3,
            TimeProvider = _clock,
            AnalyticsLag = TimeSpan.FromDays(1),
        };
        await using FalSimulator simulator = await FalSimulator.StartAsync(options);
        await using WriteReceiver receiver = await WriteReceiver.StartAsync();
        await using BridgeHost bridge = await StartAsync(simulator, receiver.Url);
        await NothingMoreToSendAsync();
        string first = await bridge.GetHealthAsync();
        _clock.Advance(TimeSpan.FromHours(2));
        await NothingMoreToSendAsync();

        Assert.Contains("accepted until 2026-06-17 12:25:00Z", first, StringComparison.Ordinal);
        Assert.Contains("accepted until 2026-06-17 13:29:00Z", await bridge.GetHealthAsync(), StringComparison.Ordinal);
        Assert.Empty(receiver.Accepted);
    }

    [Theory]
    [InlineData(10)]
    [InlineData(60)]
    public async Task A_state_that_is_ahead_of_the_clock_is_reported_and_affects_nothing_else(int days)
    {
        await using FalSimulator simulator = await StartSimulatorAsync();
        await using WriteReceiver receiver = await WriteReceiver.StartAsync();
        string history = $"default Minute {string.Join(',', simulator.Apps.Order(StringComparer.Ordinal))}";
        await File.WriteAllTextAsync(StateFile, $"{{\"{history}\":\"{SteppedClock.FirstInstant.AddDays(days):O}\"}}");
        await using BridgeHost bridge = await StartAsync(simulator, receiver.Url);
        await _clock.TimerAsync(TimeSpan.FromMinutes(5));

        string health = await bridge.GetHealthAsync();
        Assert.Contains(
            $"remote write: Degraded, {StateFile} says that '{history}' is accepted until 2026-",
            health,
            StringComparison.Ordinal
        );
        Assert.Contains("remove the entry from the file", health, StringComparison.Ordinal);
        Assert.Contains("fal_up", await bridge.GetAsync("metrics"), StringComparison.Ordinal);
        Assert.Empty(receiver.Bodies);
    }

    [Fact]
    public async Task Only_the_beginning_of_an_endless_refusal_is_read()
    {
        await using FalSimulator simulator = await StartSimulatorAsync();
        await using WriteReceiver receiver = await WriteReceiver.StartAsync(new WriteAnswer(400, "no and ", Rest: async context =>
        {
            while (!context.RequestAborted.IsCancellationRequested)
            {
                await context.Response.Body.WriteAsync(new byte[100_000]);
            }
        }));
        await using BridgeHost bridge = await StartAsync(simulator, receiver.Url);
        await _clock.TimerAsync(TimeSpan.FromMinutes(5));

        string health = await bridge.GetHealthAsync();

        Assert.Contains("refused with 400: no and", health, StringComparison.Ordinal);
        Assert.InRange(health.Length, 1, 2000);
    }

    [Fact]
    public async Task A_refusal_that_stalls_is_one_after_the_time_of_an_answer()
    {
        var sent = new SemaphoreSlim(0);
        await using FalSimulator simulator = await StartSimulatorAsync();
        await using WriteReceiver receiver = await WriteReceiver.StartAsync(Enumerable.Repeat(
            new WriteAnswer(400, "no", Rest: async context =>
            {
                await context.Response.Body.FlushAsync();
                sent.Release();
                await new TaskCompletionSource().Task.WaitAsync(context.RequestAborted);
            }),
            1000));
        await using BridgeHost bridge = await StartAsync(simulator, receiver.Url);

        // A status that arrives after the time limit does not count as an answer, and the bridge repeats the request. It does the same if
        // the connection breaks.
        Task<TimeSpan> next = NextPauseAsync();
        Task arrival = sent.WaitAsync();
        TimeSpan timer;
        while ((timer = await next) != TimeSpan.FromMinutes(5))
        {
            next = NextPauseAsync();
            if (timer == RemoteWriteClient.AnswerLimit && await Task.WhenAny(arrival, next) == arrival)
            {
                arrival = sent.WaitAsync();
            }

            _clock.Advance(timer);
        }

        Assert.Contains("refused with 400: ", await bridge.GetHealthAsync(), StringComparison.Ordinal);

        Task<TimeSpan> NextPauseAsync() => _clock.TimerAsync(TimeSpan.FromTicks(1), TimeSpan.FromMinutes(5));
    }

    /// <summary>Each sample once, and those of a series in ascending order.</summary>
    private static void AssertReceived(string[] expected, WriteReceiver receiver)
    {
        IReadOnlyList<ReceivedSample> accepted = receiver.Accepted;
        Assert.Equal(expected, accepted.Select(sample => sample.ToString()).Order(StringComparer.Ordinal));
        Assert.All(
            accepted.GroupBy(sample => sample.Series),
            series => Assert.Equal(series.Select(sample => sample.Timestamp).Order(), series.Select(sample => sample.Timestamp)));
    }

    private Task<FalSimulator> StartSimulatorAsync() =>
        FalSimulator.StartAsync(new FalSimulatorOptions { Seed = 1, Key = FalAccount.Key, Apps = 3, TimeProvider = _clock });

    /// <summary>The final minutes of a report, as the receiver is to hold them.</summary>
    private static async Task<string[]> ReportAsync(
        FalSimulator simulator,
        int minutes,
        int before = 0,
        AnalyticsExpand metrics = AnalyticsExpand.Standard
    )
    {
        using var fal = new FalObservabilityClient(o => (o.ApiKey, o.BaseAddress) = (FalAccount.Key, simulator.BaseAddress));
        DateTimeOffset end = SteppedClock.FirstInstant.AddMinutes(before - 5 + minutes - Minutes);
        AnalyticsReport report = await fal.Analytics.GetReportAsync(new AnalyticsQuery(simulator.Apps)
        {
            Expand = AnalyticsExpand.TimeSeries | metrics,
            Range = AnalyticsTimeRange.Between(end.AddMinutes(-minutes), end),
            Timeframe = AnalyticsTimeframe.Minute,
        });
        string[] samples =
        [
            .. (from bucket in report.TimeSeries
                from row in bucket.Rows
                from metric in row.Metrics.GetFlags()
                let name = $"fal_analytics_{metric.GetWireName()}{(metric.IsDuration() ? "_seconds" : "")}"
                let series = $"__name__={name},account=default,endpoint_id={row.EndpointId},timeframe=minute"
                select new ReceivedSample(series, bucket.Start.ToUnixTimeMilliseconds(), row.GetValue(metric)!.Value).ToString())
            .Order(StringComparer.Ordinal),
        ];
        Assert.NotEmpty(samples);
        return samples;
    }

    private Task<BridgeHost> StartAsync(
        FalSimulator simulator,
        Uri receiver,
        string authorization = "none",
        string? stateFile = null,
        AnalyticsExpand metrics = AnalyticsExpand.Standard
    ) =>
        BridgeHost.StartAsync(
            new Dictionary<string, string?>
            {
                ["Fal:ApiKey"] = FalAccount.Key,
                ["Fal:BaseAddress"] = simulator.BaseAddress.ToString(),
                ["Fal:MaxAttempts"] = "1",
                ["Fal:Publisher:Interval"] = "1:00:00",
                ["Fal:Publisher:StaleAfter"] = "3:00:00",
                // Longer than any pause of the sender, so that the pauses can be recognised among the clock's timers.
                ["Fal:AttemptTimeout"] = "00:09:00",
                ["Fal:TotalTimeout"] = "00:09:00",
                ["Bridge:RemoteWrite:Url"] = receiver.ToString(),
                ["Bridge:RemoteWrite:Headers:Authorization"] = authorization,
                ["Bridge:RemoteWrite:StateFile"] = stateFile ?? StateFile,
                ["Bridge:RemoteWrite:Histories:0:Metrics"] = metrics.ToString(),
                ["Bridge:RemoteWrite:Histories:0:Since"] = TimeSpan.FromMinutes(Minutes).ToString(),
                ["Bridge:RemoteWrite:Histories:0:EndpointIds:0"] = simulator.Apps[0],
                ["Bridge:RemoteWrite:Histories:0:EndpointIds:1"] = simulator.Apps[1],
                ["Bridge:RemoteWrite:Histories:0:EndpointIds:2"] = simulator.Apps[2],
            },
            _clock,
            new FakeLoggerProvider(_log)
        );

    /// <summary>Completes when the sender has nothing more to send and waits for the next minute.</summary>
    private Task<TimeSpan> NothingMoreToSendAsync() => PauseAsync(TimeSpan.FromMinutes(1));

    private Task<TimeSpan> PauseAsync() => PauseAsync(TimeSpan.FromMinutes(5));

    /// <summary>The length of a timer distinguishes the time limit of an answer from a pause.</summary>
    private async Task<TimeSpan> PauseAsync(TimeSpan longest)
    {
        TimeSpan pause;
        do
        {
            pause = await _clock.TimerAsync(TimeSpan.FromTicks(1), longest);
        }
        while (pause == RemoteWriteClient.AnswerLimit);

        return pause;
    }

    private async Task<TimeSpan> StepOverPauseAsync()
    {
        TimeSpan pause = await PauseAsync();
        _clock.Advance(pause);
        return pause;
    }
}
