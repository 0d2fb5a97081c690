using System.Text.Json;
using Fal.Observability.Backfill;
using Fal.Observability.Client.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Fal.Observability.Client.IntegrationTests.Samples;

/// <summary>The backfill of the sample over several days, against the simulator.</summary>
public sealed class BackfillTests : IDisposable
{
    private static readonly DateTimeOffset Now = new(2026, 6, 17, 12, 34, 0, TimeSpan.Zero);

    private readonly string _folder = Directory.CreateTempSubdirectory("backfill").FullName;
    private readonly FakeTimeProvider _time = new(Now);
    private readonly List<string> _said = [];

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_second_run_on_the_next_day_adds_the_hours_that_are_new(bool named)
    {
        await using FalSimulator simulator = await StartAsync();
        (DateOnly, DateOnly)? days = named ? (new DateOnly(2026, 6, 10), new DateOnly(2026, 6, 30)) : null;

        await RunAsync(simulator, days);
        string[] first = Hours();
        _time.Advance(TimeSpan.FromDays(1));
        await RunAsync(simulator, days);
        string[] second = Hours();

        Assert.Equal(named ? "2026-06-10T00" : "2026-05-18T00", first[0]);
        Assert.Equal("2026-06-17T11", first[^1]);
        Assert.Equal("2026-06-18T11", second[^1]);
        Assert.Equal(first, second[..first.Length]);
        Assert.Equal(24, second.Length - first.Length);
        Assert.Equal(second.Distinct(), second);
    }

    [Fact]
    public async Task Each_file_is_a_day_and_the_run_says_so()
    {
        await using FalSimulator simulator = await StartAsync();

        await RunAsync(simulator, (new DateOnly(2026, 6, 15), new DateOnly(2026, 6, 17)));

        Assert.Equal(["20260615T0000Z.jsonl", "20260616T0000Z.jsonl", "20260617T0000Z.jsonl"], Files().Select(Path.GetFileName));
        string said = string.Join('\n', _said);
        Assert.Contains($"{_folder} holds 3 files", said, StringComparison.Ordinal);
        Assert.Contains("a line of JSON", said, StringComparison.Ordinal);
        Assert.Contains("Run the same command again later", said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Hours_that_were_late_at_midnight_are_in_the_files_of_the_next_run()
    {
        await using FalSimulator simulator = await StartAsync();
        // The last hour of the day is provisional, and the new day has none yet.
        _time.SetUtcNow(new DateTimeOffset(2026, 6, 18, 0, 3, 0, TimeSpan.Zero));
        await RunAsync(simulator, days: null);
        Assert.Equal("2026-06-17T22", Hours()[^1]);

        _time.SetUtcNow(new DateTimeOffset(2026, 6, 20, 1, 30, 0, TimeSpan.Zero));
        await RunAsync(simulator, days: null);

        Assert.Equal("2026-06-20T00", Hours()[^1]);
        Assert.Equal((32 * 24) + 1, Hours().Length);
        Assert.Equal(Hours().Distinct(), Hours());
    }

    [Fact]
    public async Task One_day_alone_is_a_range_too()
    {
        await using FalSimulator simulator = await StartAsync();

        await RunAsync(simulator, (new DateOnly(2026, 6, 10), new DateOnly(2026, 6, 10)));
        await RunAsync(simulator, (new DateOnly(2026, 6, 10), new DateOnly(2026, 6, 10)));

        Assert.Equal(24, Hours().Length);
    }

    private string[] Files() => [.. Directory.GetFiles(_folder, "*.jsonl").Order(StringComparer.Ordinal)];

    /// <summary>The hours of all files, in the order of their lines.</summary>
    private string[] Hours() =>
        [
            .. Files()
                .SelectMany(File.ReadAllLines)
                .Select(line =>
                {
                    using JsonDocument bucket = JsonDocument.Parse(line);
                    return bucket
                        .RootElement.GetProperty("bucket")
                        .GetDateTimeOffset()
                        .UtcDateTime.ToString("yyyy-MM-dd'T'HH", System.Globalization.CultureInfo.InvariantCulture);
                }),
        ];

    private Task<FalSimulator> StartAsync() =>
        FalSimulator.StartAsync(
            new FalSimulatorOptions
            {
                Seed = 1,
                Apps = 2,
                TimeProvider = _time,
            }
        );

    private async Task RunAsync(FalSimulator simulator, (DateOnly, DateOnly)? days)
    {
        using var fal = new FalObservabilityClient(
            options =>
            {
                options.BucketsPerWindow = 24;
                options.ApiKey = simulator.Key;
                options.BaseAddress = simulator.BaseAddress;
            },
            account => account.Services.AddSingleton<TimeProvider>(_time));
        await new BackfillRun(fal.Analytics, _folder, _time, _said.Add).RunAsync(simulator.Apps, days);
    }
}
