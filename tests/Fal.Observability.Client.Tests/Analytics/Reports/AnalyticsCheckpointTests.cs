using System.Text.Json;
using Xunit;

namespace Fal.Observability.Client.Tests;

public sealed class AnalyticsCheckpointTests
{
    private readonly FakeAnalyticsService _service = new();

    [Theory]
    [InlineData(1, false)]
    [InlineData(2, false)]
    [InlineData(5, false)]
    [InlineData(6, true)]
    public async Task A_backfill_that_ends_after_any_window_goes_on_without_a_hole_or_a_double(int stop, bool complete)
    {
        _service.Options.BucketsPerWindow = 7;
        AnalyticsQuery query = FakeAnalyticsService.Query(60, 40) with { Range = AnalyticsTimeRange.Last(TimeSpan.FromHours(40)) };
        string whole = Show(await ReadAsync(query, null, int.MaxValue));
        List<AnalyticsWindow> before = await ReadAsync(query, null, stop);
        // Later the same relative range would be another one.
        _service.Time.Advance(TimeSpan.FromMinutes(90));

        List<AnalyticsWindow> after = await ReadAsync(query, AnalyticsCheckpoint.FromJson(before[^1].Checkpoint.ToJson()), int.MaxValue);

        Assert.Equal(complete, before[^1].Checkpoint.IsComplete);
        Assert.Equal(whole, Show([.. before, .. after]));
    }

    [Fact]
    public async Task What_was_refused_before_is_not_searched_for_again()
    {
        _service.Options.BucketsPerWindow = 10;
        _service.Refused.Add("org/app-011");
        AnalyticsQuery query = FakeAnalyticsService.Query(50, 30) with { RefusedEndpoints = RefusedEndpointPolicy.Skip };
        AnalyticsWindow first = (await ReadAsync(query, null, 1))[0];
        int calls = _service.Calls.Count;

        List<AnalyticsWindow> rest = await ReadAsync(query, AnalyticsCheckpoint.FromJson(first.Checkpoint.ToJson()), int.MaxValue);

        Assert.Equal(2, _service.Calls.Count - calls);
        Assert.All(rest, window => Assert.Equal("org/app-011", Assert.Single(window.RefusedEndpoints).EndpointId));
        Assert.All(rest, window => Assert.Equal("org/app-011 is not yours", window.RefusedEndpoints[0].Message));
    }

    [Fact]
    public async Task A_complete_checkpoint_gives_nothing_more()
    {
        AnalyticsQuery query = FakeAnalyticsService.Query(1, 5);
        AnalyticsWindow only = Assert.Single(await ReadAsync(query, null, int.MaxValue));

        Assert.True(only.Checkpoint.IsComplete);
        Assert.Empty(await ReadAsync(query, only.Checkpoint, int.MaxValue));
    }

    [Fact]
    public async Task A_checkpoint_made_by_hand_is_one_to_go_on_from()
    {
        AnalyticsQuery query = FakeAnalyticsService.Query(1, 5);
        DateTimeOffset from = FakeAnalyticsService.Now.AddHours(-2).ToOffset(TimeSpan.FromHours(1));

        AnalyticsCheckpoint checkpoint = AnalyticsCheckpoint.FromJson(
            AnalyticsCheckpoint.Create(query, from, FakeAnalyticsService.Now).ToJson()
        );

        Assert.False(checkpoint.IsComplete);
        Assert.Equal(TimeSpan.Zero, checkpoint.ContinuesAt!.Value.Offset);
        AnalyticsWindow rest = Assert.Single(await ReadAsync(query, checkpoint, int.MaxValue));
        Assert.Equal([from, from.AddHours(1)], rest.TimeSeries.Select(bucket => bucket.Start));
        Assert.True(AnalyticsCheckpoint.CreateComplete(query).IsComplete);
        Assert.Empty(await ReadAsync(query, AnalyticsCheckpoint.CreateComplete(query), int.MaxValue));
        Assert.Throws<ArgumentException>(() => AnalyticsCheckpoint.Create(query, from, from));
    }

    [Fact]
    public async Task A_checkpoint_of_another_query_is_refused()
    {
        AnalyticsQuery query = FakeAnalyticsService.Query(2, 5);
        AnalyticsCheckpoint checkpoint = (await ReadAsync(query, null, 1))[0].Checkpoint;

        AnalyticsQuery[] others =
        [
            FakeAnalyticsService.Query(3, 5), FakeAnalyticsService.Query(2, 6), query with { Expand = AnalyticsExpand.SuccessCount },
            query with { TimeZone = "Europe/Berlin" }, query with { Timeframe = AnalyticsTimeframe.Day }, query with { ClosedOnly = true },
            query with { AdditionalExpand = ["new_metric"] }, query with { BoundToTimeframe = false },
        ];

        Assert.All(others, other => Assert.Throws<ArgumentException>(() => _service.Client.StreamWindowsAsync(other, checkpoint)));
        Assert.Empty(await ReadAsync(query with { Limit = 5 }, checkpoint, int.MaxValue));
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("""{"version":1,"query":"00","next":"2026-01-02T00:00:00Z","end":"2026-01-01T00:00:00Z"}""")]
    [InlineData("""{"version":1,"query":"00","next":"2026-01-02T00:00:00Z"}""")]
    [InlineData("""{"version":2,"query":"00","next":null}""")]
    [InlineData("""{"version":1,"query":"00","next":"yesterday"}""")]
    public void What_is_no_checkpoint_is_a_format_error(string json) =>
        Assert.Throws<FormatException>(() => AnalyticsCheckpoint.FromJson(json));

    private async Task<List<AnalyticsWindow>> ReadAsync(AnalyticsQuery query, AnalyticsCheckpoint? from, int most)
    {
        var windows = new List<AnalyticsWindow>();
        await foreach (AnalyticsWindow window in _service.Client.StreamWindowsAsync(query, from))
        {
            windows.Add(window);
            if (windows.Count == most)
            {
                break;
            }
        }

        return windows;
    }

    private static string Show(IEnumerable<AnalyticsWindow> windows) => string.Join('\n', windows
        .SelectMany(window => window.TimeSeries)
        // What is provisional depends on when it was asked for.
        .Select(bucket => new AnalyticsBucket { Start = bucket.Start, Rows = bucket.Rows })
        .Select(bucket => JsonSerializer.Serialize(bucket, AnalyticsJsonContext.Default.AnalyticsBucket)));
}
