using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Testing;
using Xunit;

namespace Fal.Observability.Client.Tests;

public sealed class FalAppsClientTests
{
    private static readonly DateTimeOffset Now = new(2026, 6, 17, 12, 34, 0, TimeSpan.Zero);

    [Theory]
    [InlineData(null, "null")]
    [InlineData("", "blank")]
    [InlineData("my-app", "owner and name with one slash")]
    [InlineData("/my-app", "owner and name with one slash")]
    [InlineData("my-org/", "owner and name with one slash")]
    [InlineData("/", "owner and name with one slash")]
    [InlineData("my-org//my-app", "owner and name with one slash")]
    [InlineData("my-org/..", "owner and name with one slash")]
    [InlineData("./my-app", "owner and name with one slash")]
    [InlineData("my-org/my-app/turbo", "\"my-org/my-app\"")]
    [InlineData("my-org/my-app/", "owner and name with one slash")]
    [InlineData("my org/my-app", "U+0020")]
    [InlineData("my-org/my-app\n", "U+000A")]
    [InlineData("my-org/a,b", "comma")]
    public async Task An_id_that_is_not_an_apps_is_refused_with_what_to_give_before_anything_is_sent(string? endpointId, string says)
    {
        var api = new FakeAppsApi();
        ArgumentException refusal = await Assert.ThrowsAnyAsync<ArgumentException>(() =>
            new FalAppsClient(api, new SteppedClock(Now), NullLogger.Instance).GetRunnerHistoryAsync(endpointId!));
        Assert.Contains(says, refusal.Message, StringComparison.OrdinalIgnoreCase);
        Assert.Equal("endpointId", refusal.ParamName);
        Assert.Empty(api.Calls);
    }

    [Fact]
    public async Task A_range_that_the_history_cannot_cover_is_refused_before_anything_is_sent()
    {
        var api = new FakeAppsApi();
        var client = new FalAppsClient(api, new SteppedClock(Now), NullLogger.Instance);
        AnalyticsTimeRange[] tooLong =
        [
            AnalyticsTimeRange.Last(TimeSpan.FromDays(90) + TimeSpan.FromTicks(1)),
            AnalyticsTimeRange.Days(new(2026, 1, 1), new(2026, 4, 1)),
            AnalyticsTimeRange.Between(Now.AddDays(-91), Now),
            AnalyticsTimeRange.Since(Now.AddDays(-91)),
        ];
        foreach (AnalyticsTimeRange range in tooLong)
        {
            Assert.Contains("90 days",
                (await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => client.GetRunnerHistoryAsync("o/n", range))).Message,
                    StringComparison.Ordinal);
        }

        await Assert.ThrowsAsync<ArgumentException>(() => client.GetRunnerHistoryAsync("o/n", AnalyticsTimeRange.Since(Now)));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => client.GetRunnerHistoryAsync("o/n", timeframe: (AnalyticsTimeframe)9));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() =>
            client.GetRunnerHistoryAsync("o/n", aggregation: (FalRunnerAggregation)9));
        Assert.Empty(api.Calls);

        await client.GetRunnerHistoryAsync("o/n", AnalyticsTimeRange.Last(TimeSpan.FromDays(90)));
        await client.GetRunnerHistoryAsync("o/n", AnalyticsTimeRange.Days(new(2026, 1, 1), new(2026, 3, 31)));
        Assert.Equal(2, api.Calls.Count);
    }

    [Fact]
    public async Task A_range_at_the_ends_of_the_calendar_is_asked_for_or_refused_as_an_argument()
    {
        AnalyticsTimeRange[] ranges =
        [
            AnalyticsTimeRange.Between(DateTimeOffset.MinValue, DateTimeOffset.MinValue.AddDays(90)),
            AnalyticsTimeRange.Between(DateTimeOffset.MaxValue.AddDays(-90), DateTimeOffset.MaxValue),
            AnalyticsTimeRange.Between(DateTimeOffset.MinValue, DateTimeOffset.MaxValue),
            AnalyticsTimeRange.Since(DateTimeOffset.MinValue),
            AnalyticsTimeRange.Since(DateTimeOffset.MaxValue),
            AnalyticsTimeRange.Days(DateOnly.MinValue, DateOnly.MinValue.AddDays(89)),
            AnalyticsTimeRange.Days(DateOnly.MinValue, DateOnly.MinValue.AddDays(90)),
        ];
        foreach (AnalyticsTimeRange range in ranges)
        {
            var api = new FakeAppsApi();
            Exception? refusal = await Record.ExceptionAsync(() =>
                new FalAppsClient(api, new SteppedClock(Now), NullLogger.Instance).GetRunnerHistoryAsync(
                    "o/n",
                    range,
                    AnalyticsTimeframe.Day
                )
            );
            Assert.True(refusal is ArgumentException ? api.Calls.Count == 0 : refusal is null, $"{range}: {refusal}");
        }
    }

    [Fact]
    public async Task Each_environment_is_a_call_and_the_result_names_those_that_were_asked()
    {
        var api = new FakeAppsApi();
        var client = new FalAppsClient(api, TimeProvider.System, NullLogger.Instance);

        FalAppList both = await client.ListAsync(new FalAppQuery("main", "staging", "main") { Search = "p" });
        FalAppList main = await client.ListAsync(CancellationToken.None);

        Assert.Equal(["main | names with p", "staging | names with p", "main"], api.Calls);
        Assert.Equal(["main", "staging"], both.Environments);
        Assert.Equal([FalEnvironments.Main], main.Environments);
        Assert.Equal([("o/shared", "main"), ("o/shared", "staging")], both.Apps.Select(app => (app.EndpointId, app.Environment!)));
    }

    [Fact]
    public async Task An_app_that_the_service_lists_for_two_environments_is_there_once_and_what_one_answer_repeats_is_kept()
    {
        var api = new FakeAppsApi { Environment = "main", Copies = 2 };
        FalAppList apps = await new FalAppsClient(api, TimeProvider.System, NullLogger.Instance).ListAsync(
            new FalAppQuery("main", "staging")
        );
        Assert.Equal([1, 1], apps.Apps.Select(app => app.MaxConcurrency));
        Assert.Equal(["o/shared"], apps.ToQuery().EndpointIds);
    }

    [Theory]
    [InlineData("""{"apps":[{"endpoint_id":"o/a"}],"has_more":true,"next_cursor":"Mg"}""", true)]
    [InlineData("""{"apps":[{"endpoint_id":"o/a"}],"next_cursor":"Mg"}""", true)]
    [InlineData("""{"apps":[{"endpoint_id":"o/a"}],"next_cursor":2}""", true)]
    [InlineData("""{"apps":[{"endpoint_id":"o/a"}],"has_more":"true"}""", true)]
    [InlineData("""{"apps":[{"endpoint_id":"o/a"}],"has_more":false,"next_cursor":null}""", false)]
    [InlineData("""{"apps":[{"endpoint_id":"o/a"}],"next_cursor":""}""", false)]
    [InlineData("""{"apps":[{"endpoint_id":"o/a"}]}""", false)]
    public async Task A_list_that_the_service_cuts_says_so_and_a_warning_names_the_environment(string json, bool isCut)
    {
        var log = new FakeLogger();
        var api = new FakeAppsApi { Answer = JsonSerializer.Deserialize<FalAppList>(json) };

        FalAppList apps = await new FalAppsClient(api, TimeProvider.System, log).ListAsync(new FalAppQuery("staging"));

        Assert.Equal("o/a", Assert.Single(apps.Apps).EndpointId);
        Assert.Equal(isCut, apps.HasMore);
        Assert.Equal(isCut, JsonSerializer.Deserialize<FalAppList>(JsonSerializer.Serialize(apps))!.HasMore);
        Assert.Equal(
            isCut ? 1 : 0,
            log.Collector.GetSnapshot()
                .Count(record =>
                    record.Message.StartsWith(
                        "The service sent 1 app(s) of the environment staging and announced more",
                        StringComparison.Ordinal
                    )
                )
        );
    }

    [Fact]
    public async Task An_app_without_an_environment_is_of_the_one_that_was_asked_for_and_none_is_lost()
    {
        var api = new FakeAppsApi { LeavesOutEnvironment = true };
        FalAppList apps = await new FalAppsClient(api, TimeProvider.System, NullLogger.Instance).ListAsync(
            new FalAppQuery("main", "staging")
        );
        Assert.Equal([1, 2], apps.Apps.Select(app => app.MaxConcurrency));
    }

    [Fact]
    public async Task Runners_after_the_end_of_the_range_are_skipped_and_a_warning_says_so()
    {
        var log = new FakeLogger();
        DateTimeOffset end = new(2026, 6, 17, 12, 0, 0, TimeSpan.Zero);
        var api = new FakeAppsApi
        {
            History =
            [
                new FalRunnerBucket { Start = end.AddHours(-1), Running = 3 }, new FalRunnerBucket { Start = end, Running = 7 },
                new FalRunnerBucket { Start = end.AddMinutes(30) },
            ],
        };

        FalRunnerHistory history = await new FalAppsClient(api, new SteppedClock(Now), log)
            .GetRunnerHistoryAsync("o/n", AnalyticsTimeRange.Between(end.AddHours(-2), end), AnalyticsTimeframe.Hour);

        Assert.Equal(3, history.PeakRunning);
        Assert.StartsWith(
            "The service sent 1 time bucket(s)", Assert.Single(log.Collector.GetSnapshot()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_the_service_leaves_out_of_a_history_is_filled_in_from_the_call()
    {
        FalRunnerHistory history = await new FalAppsClient(new FakeAppsApi(), new SteppedClock(Now), NullLogger.Instance)
            .GetRunnerHistoryAsync("o/n", AnalyticsTimeRange.Last(TimeSpan.FromHours(1)), aggregation: FalRunnerAggregation.Average);
        Assert.Equal(("o/n", "minute", "avg"), (history.EndpointId, history.Timeframe, history.Aggregation));
        Assert.Equal(AnalyticsTimeRange.Between(Now.AddHours(-1), Now), history.Query!.Range);
    }

    private sealed class FakeAppsApi : IFalAppsApi
    {
        public List<string> Calls { get; } = [];

        /// <summary>What the service says of every app; null for the environment that was asked for.</summary>
        public string? Environment { get; init; }

        public bool LeavesOutEnvironment { get; init; }

        public int Copies { get; init; } = 1;

        public IReadOnlyList<FalRunnerBucket> History { get; init; } = [];

        /// <summary>What the service sends; null for one app.</summary>
        public FalAppList? Answer { get; init; }

        public Task<FalAppList> ListAppsAsync(FalAppQuery? query = null, CancellationToken cancellationToken = default)
        {
            Calls.Add(query!.ToString());
            string asked = query.Environments.Count == 0 ? "main" : query.Environments[0];
            return Task.FromResult(Answer ?? new FalAppList
            {
                Apps =
                [
                    .. Enumerable.Repeat(new FalApp
                    {
                        EndpointId = "o/shared",
                        Environment = LeavesOutEnvironment ? null : Environment ?? asked,
                        MaxConcurrency = Calls.Count,
                    }, Copies),
                ],
            });
        }

        public Task<FalRunnerHistory> GetRunnerHistoryAsync(string owner, string name, FalRunnerHistoryQuery? query = null,
            CancellationToken cancellationToken = default)
        {
            Calls.Add($"{owner}/{name}");
            return Task.FromResult(new FalRunnerHistory { Buckets = History });
        }
    }
}
