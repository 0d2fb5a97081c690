using System.Globalization;
using System.Text.Json.Nodes;
using Fal.Observability.Client.Testing;
using Xunit;

namespace Fal.Observability.Client.IntegrationTests.Simulator;

/// <summary>Incidents that were ordered, and apps that scale to zero.</summary>
public sealed class SimulatorTrafficTests
{
    private const string BusyApp = "simulated/text-to-image-00000";

    /// <summary>About one request in twenty minutes, and none outside office hours.</summary>
    private const string QuietApp = "simulated/voice-clone-00004";

    private static readonly DateTimeOffset IncidentStart = new(2026, 6, 17, 13, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData(BusyApp)]
    [InlineData(QuietApp)]
    public async Task An_incident_raises_queue_errors_and_latency_from_its_start_to_its_end(string app)
    {
        await using SimulatorSession session = await SimulatorSession.StartAsync(options => options.Incidents.Add(
            new SimulatedIncident(app) { Start = IncidentStart, Duration = TimeSpan.FromMinutes(20) }));
        await using SimulatorSession calm = await SimulatorSession.StartAsync();

        await AssertSameAsync(IncidentStart);
        var queues = new List<double>();
        for (int minute = 0; minute < 20; minute++)
        {
            // The exposition tells of the last whole minute.
            DateTimeOffset from = IncidentStart.AddMinutes(minute);
            session.Clock.SetUtcNow(from.AddMinutes(1));
            List<SimulatedSample> samples = await SamplesOfAsync(session, app);
            double completed = Sum(samples, "fal_app_requests_completed");
            double failed = Sum(
                samples.Where(sample => sample.Labels.GetValueOrDefault("status", "").StartsWith('5')), "fal_app_requests_completed");
            queues.Add(Sum(samples, "fal_app_queue_size"));

            Assert.InRange(completed, 10, double.PositiveInfinity);
            Assert.InRange(failed / completed, 0.2, 0.5);
            Assert.Contains(samples, sample => sample.Family == "fal_app_runners" && sample.Labels["state"] == "pending");
            JsonArray rows = await RowsAsync(session, app, from, from.AddMinutes(1));
            Assert.Equal(completed, rows.Sum(row => (long)row!["request_count"]!));
            Assert.Equal(failed, rows.Sum(row => (long)row!["error_count"]!));
        }

        Assert.Equal(queues.Take(12).Order(), queues.Take(12));
        Assert.InRange(queues[11], 30, double.PositiveInfinity);
        Assert.InRange(queues[19], 0, queues[11] / 4);

        await AssertSameAsync(IncidentStart.AddMinutes(22));

        // A whole day without the incident, as the quiet app has next to no request at the time of the incident.
        calm.Clock.SetUtcNow(IncidentStart.AddDays(1));
        double usual = (double)(await RowsAsync(calm, app, IncidentStart.AddDays(-1), IncidentStart))[0]!["p50_duration"]!;
        double slow = (double)(await RowsAsync(session, app, IncidentStart, IncidentStart.AddMinutes(20)))[0]!["p50_duration"]!;
        Assert.InRange(slow / usual, 3, 5);

        async Task AssertSameAsync(DateTimeOffset instant)
        {
            session.Clock.SetUtcNow(instant);
            calm.Clock.SetUtcNow(instant);
            Assert.Equal(await calm.GetTextAsync("/serverless/metrics"), await session.GetTextAsync("/serverless/metrics"));
        }
    }

    [Fact]
    public async Task An_incident_without_a_start_begins_with_the_simulator_and_strikes_its_app_alone()
    {
        await using SimulatorSession session =
            await SimulatorSession.StartAsync(options => options.Incidents.Add(new SimulatedIncident(BusyApp)));
        await using SimulatorSession calm = await SimulatorSession.StartAsync();

        session.Clock.Advance(TimeSpan.FromMinutes(10));
        calm.Clock.Advance(TimeSpan.FromMinutes(10));
        List<string> inIncident = LinesOfOtherApps(await session.GetTextAsync("/serverless/metrics"));
        List<string> without = LinesOfOtherApps(await calm.GetTextAsync("/serverless/metrics"));

        Assert.Equal(without, inIncident);
        Assert.InRange(
            Sum(await SamplesOfAsync(session, BusyApp), "fal_app_queue_size"),
            2 * Sum(await SamplesOfAsync(calm, BusyApp), "fal_app_queue_size"),
            double.PositiveInfinity);

        static List<string> LinesOfOtherApps(string text) =>
            [.. text.Split('\n').Where(line => !line.Contains(BusyApp, StringComparison.Ordinal))];
    }

    [Theory]
    [InlineData("simulated/no-such-app", 30.0, 3, "'simulated/no-such-app', which is not one of the account's 12 apps")]
    [InlineData(BusyApp, 0.0, 3, "must last more than zero and at most 30 days")]
    [InlineData(BusyApp, 50_000.0, 3, "must last more than zero and at most 30 days")]
    [InlineData(BusyApp, 30.0, 4, "severity 4: it must be 1, 2 or 3")]
    public async Task An_incident_that_cannot_be_is_refused(string app, double minutes, int severity, string message)
    {
        var incident = new SimulatedIncident(app) { Duration = TimeSpan.FromMinutes(minutes), Severity = severity };

        ArgumentException refusal =
            await Assert.ThrowsAsync<ArgumentException>(() => SimulatorSession.StartAsync(options => options.Incidents.Add(incident)));

        Assert.Contains(message, refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(ScaledToZero.Absent)]
    [InlineData(ScaledToZero.Zeros)]
    public async Task Every_app_that_scales_to_zero_goes_idle_and_comes_back_within_an_hour(ScaledToZero shown)
    {
        await using SimulatorSession session = await SimulatorSession.StartAsync(options => options.ScaleToZero = shown);
        string[] busyApps = [.. session.Server.Apps.Where((_, index) => index % 5 == 0)];
        var changes = new Dictionary<string, int>();
        var wasUp = new Dictionary<string, bool>();

        for (int minute = 0; minute < 60; minute++)
        {
            session.Clock.Advance(TimeSpan.FromMinutes(1));
            DateTimeOffset now = session.Clock.GetUtcNow();
            ILookup<string, SimulatedSample> apps =
                SimulatedSample.ReadAll(await session.GetTextAsync("/serverless/metrics")).ToLookup(sample => sample.App);
            foreach (string app in session.Server.Apps)
            {
                List<SimulatedSample> samples = [.. apps[app]];
                bool up = Sum(samples, "fal_app_runners") > 0;
                if (wasUp.TryGetValue(app, out bool before) && before != up)
                {
                    changes[app] = changes.GetValueOrDefault(app) + 1;
                }

                wasUp[app] = up;
                Assert.Equal(up, Sum(samples, "fal_app_runner_memory_usage_bytes") > 0);
                if (up)
                {
                    continue;
                }

                Assert.All(samples, sample => Assert.Equal(0, sample.Value));
                string[] zeros = ["fal_app_runners", "fal_app_queue_size", "fal_app_runner_memory_usage_bytes"];
                Assert.Equal(
                    shown == ScaledToZero.Zeros ? zeros : [],
                    zeros.Where(family => samples.Any(sample => sample.Family == family)));
                DateTimeOffset lastMinute = now.AddSeconds(-now.Second).AddMinutes(-1);
                Assert.Empty(await RowsAsync(session, app, lastMinute, lastMinute.AddMinutes(1)));
            }
        }

        // One burst in each half hour.
        Assert.All(busyApps, app => Assert.InRange(changes.GetValueOrDefault(app), 2, 6));
    }

    private static async Task<List<SimulatedSample>> SamplesOfAsync(SimulatorSession session, string app) =>
        [.. SimulatedSample.ReadAll(await session.GetTextAsync("/serverless/metrics")).Where(sample => sample.App == app)];

    private static double Sum(IEnumerable<SimulatedSample> samples, string family) =>
        samples.Where(sample => sample.Family == family).Sum(sample => sample.Value);

    private static async Task<JsonArray> RowsAsync(SimulatorSession session, string app, DateTimeOffset from, DateTimeOffset to)
    {
        string range = string.Create(
            CultureInfo.InvariantCulture, $"start={from.UtcDateTime:yyyy-MM-dd'T'HH:mm:ss}Z&end={to.UtcDateTime:yyyy-MM-dd'T'HH:mm:ss}Z");
        return (await session.GetAnalyticsAsync(
            $"endpoint_id={app}&expand=summary&expand=request_count&expand=error_count&expand=p50_duration&{range}"))["summary"]!.AsArray();
    }
}
