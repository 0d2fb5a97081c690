using Xunit;

namespace Fal.Observability.Client.Testing.Tests;

/// <summary>A script that cannot be is refused where it is written, with a message that names the value and the rule.</summary>
public sealed class BadScriptTests
{
    [Theory]
    [InlineData("")]
    [InlineData("my-app")]
    [InlineData("my-org/")]
    [InlineData("/my-app")]
    [InlineData("my-org/my-app/turbo")]
    [InlineData("my org/my-app")]
    [InlineData("my-org/my-app\n")]
    [InlineData("my-org/\"")]
    public async Task An_id_that_is_no_app_id_is_refused(string id)
    {
        await using FalSimulator simulator = await FalSimulator.StartAsync();

        ArgumentException refused = Assert.Throws<ArgumentException>(() => simulator.App(id));

        Assert.StartsWith($"'{id}' is not an app id", refused.Message, StringComparison.Ordinal);
        Assert.Empty(simulator.Apps);
    }

    [Fact]
    public async Task Values_out_of_their_range_are_refused_and_change_nothing()
    {
        await using FalSimulator simulator = await FalSimulator.StartAsync();
        SimulatedApp app = simulator.App("my-org/my-app");
        app.Queue = 3;

        Refused("Queue is -1: it must be 0 or more.", () => app.Queue = -1);
        Refused("ConcurrentRequests is -2", () => app.ConcurrentRequests = -2);
        Refused("ReceivedPerMinute is -1", () => app.ReceivedPerMinute = -1);
        Refused("ColdBootsPerMinute is -1", () => app.ColdBootsPerMinute = -1);
        Refused("GpuCount is -1", () => app.GpuCount = -1);
        Refused("RequestsPerMinute[200] is -1", () => app.RequestsPerMinute[200] = -1);
        Refused("The status is 199", () => app.RequestsPerMinute[199] = 1);
        Refused("The status is 302", () => app.RequestsPerMinute[302] = 1);
        Refused("The status is 600", () => app.RequestsPerMinute[600] = 1);
        Refused("Runners[\"running\"] is -1", () => app.Runners["running"] = -1);
        Refused("Runners[\"running\", \"L\"] is -1", () => app.Runners["running", "L"] = -1);
        Refused("The value cannot be an empty string", () => app.Runners[""] = 1);
        Refused("The value cannot be an empty string", () => app.Runners["running", ""] = 1);
        Refused("CpuPercent is NaN: it must be a finite number of 0 or more.", () => app.CpuPercent = double.NaN);
        Refused("MemoryBytes is -1", () => app.MemoryBytes = -1);
        Refused("GpuPercent is ", () => app.GpuPercent = double.PositiveInfinity);
        Refused("VramPercent is -0.5", () => app.VramPercent = -0.5);
        Refused("KeepAlive is -00:00:01", () => app.KeepAlive = TimeSpan.FromSeconds(-1));
        Refused("PricePerSecond is -0.1", () => app.PricePerSecond = -0.1m);
        Refused("PercentDiscount is 101", () => app.PercentDiscount = 101);
        Refused("minConcurrency is -1", () => app.SetScaling(-1, 1));
        Refused("maxConcurrency is 1: it must be at least minConcurrency, which is 2", () => app.SetScaling(2, 1));
        Refused("The value cannot be an empty string", () => app.Environment = "");
        Refused("The value cannot be an empty string", () => app.MachineType = "");
        Refused("duration", () => app.Latency = TimeSpan.FromSeconds(-1));
        Refused("p90 is 00:00:01: p90 must not be less than p50.", () => app.Latency = new SimulatedLatency(
            TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(3)));
        Refused("end is", () => app.During(Account.Hour(10), Account.Hour(10)));
        Refused("start is", () => app.During(default, Account.Hour(10)));

        Assert.Equal(3, app.Queue);
        Assert.Equal((0, 10), (app.MinConcurrency, app.MaxConcurrency));
        Assert.Equal("main", app.Environment);
    }

    [Fact]
    public void Faults_out_of_their_range_are_refused()
    {
        var faults = new SimulatorFaults();

        Refused("Status is 200", () => Fault.WithStatus(200));
        Refused("Status is 600", () => Fault.WithStatus(600));
        Refused("RetryAfter is -00:00:01", () => Fault.WithStatus(503, TimeSpan.FromSeconds(-1)));
        Refused("Wait is -00:00:01", () => _ = new Fault(FaultKind.SlowFirstByte) { Wait = TimeSpan.FromSeconds(-1) });
        Refused("Padding is -1", () => _ = new Fault(FaultKind.OversizedBody) { Padding = -1 });
        Refused("calls", () => faults.Next(0, Fault.WithStatus(500)));
        Refused("after", () => faults.Next(1, Fault.WithStatus(500), after: -1));
        Refused("period", () => faults.Every(0, Fault.WithStatus(500)));
        Refused("FaultKind", () => faults.Next(1, new Fault((FaultKind)999)));
        Refused("FaultKind", () => faults.Every(1, new Fault((FaultKind)999)));
        Refused("SimulatorRoute", () => faults.Next(1, Fault.WithStatus(500), (SimulatorRoute)9));
    }

    [Fact]
    public async Task Options_that_are_null_are_named()
    {
        (string Name, Action<FalSimulatorOptions> Set)[] options =
        [
            ("Url", options => options.Url = null!), ("Key", options => options.Key = null!),
            ("TimeProvider", options => options.TimeProvider = null!), ("Faults", options => options.Faults = null!),
        ];
        foreach ((string name, Action<FalSimulatorOptions> set) in options)
        {
            ArgumentException refused = await Assert.ThrowsAsync<ArgumentException>(() => FalSimulator.StartAsync(set));
            Assert.StartsWith($"{name} is null", refused.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Options_that_are_out_of_range_are_named_with_their_range()
    {
        (string Message, Action<FalSimulatorOptions> Set)[] options =
        [
            ("AnalyticsLag is -00:00:01: it must be from zero to 30 days.", options => options.AnalyticsLag = TimeSpan.FromSeconds(-1)),
            ("AnalyticsLag is 10675199.02:48:05.4775807: it must be", options => options.AnalyticsLag = TimeSpan.MaxValue),
            ("ScaleToZero is 9: it must be one of ", options => options.ScaleToZero = (ScaledToZero)9),
            ("ErrorBodies is 9: it must be one of ", options => options.ErrorBodies = (ErrorBodies)9),
            ("BucketOrder is 9: it must be one of ", options => options.BucketOrder = (BucketOrder)9),
        ];
        foreach ((string message, Action<FalSimulatorOptions> set) in options)
        {
            ArgumentException refused = await Assert.ThrowsAsync<ArgumentException>(() => FalSimulator.StartAsync(set));
            Assert.StartsWith(message, refused.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_disposed_simulator_takes_no_script()
    {
        FalSimulator simulator = await FalSimulator.StartAsync(cancellationToken: TestContext.Current.CancellationToken);
        Assert.Throws<ArgumentNullException>(() => simulator.RemoveApp(null!));
        await simulator.DisposeAsync();
        Assert.Throws<ObjectDisposedException>(() => simulator.App("my-org/my-app"));
    }

    [Fact]
    public async Task Options_that_draw_need_a_seed()
    {
        ArgumentException apps = await Assert.ThrowsAsync<ArgumentException>(() => FalSimulator.StartAsync(options => options.Apps = 5));
        ArgumentException incidents = await Assert.ThrowsAsync<ArgumentException>(
            () => FalSimulator.StartAsync(options => options.Incidents.Add(new SimulatedIncident("my-org/my-app"))));

        Assert.Equal("Apps is set, but Seed is not: set Seed to draw apps, or script apps with App.", apps.Message);
        Assert.StartsWith("Incidents is set, but Seed is not", incidents.Message, StringComparison.Ordinal);
    }

    private static void Refused(string message, Action action) =>
        Assert.Contains(message, Assert.ThrowsAny<ArgumentException>(action).Message, StringComparison.Ordinal);
}
