using System.Text.Json;
using Xunit;

namespace Fal.Observability.Client.Tests;

public sealed class FalAppListTests
{
    private const string OneApp = """
        {"apps":[{"endpoint_id":"my-org/painter","name":"painter","owner":"my-org","environment":"main","machine_type":"GPU-H100","auth_mode":"private",
        "keep_alive":0.043,"min_concurrency":1,"max_concurrency":4.0,"request_timeout":600,"startup_timeout":300.5,"valid_regions":["us","eu"],
        "updated_at":"2026-07-01T12:00:00Z","endpoints":["my-org/painter","my-org/painter/turbo"],"tier":{"name":"new"}}]}
        """;

    [Fact]
    public void Every_documented_member_is_read_and_what_is_new_is_kept()
    {
        FalApp app = Assert.Single(Read(OneApp).Apps);
        Assert.Equal(("my-org/painter", "painter", "my-org", "main"), (app.EndpointId, app.Name, app.Owner, app.Environment));
        Assert.Equal(("GPU-H100", FalAuthModes.Private), (app.MachineType, app.AuthMode));
        Assert.Equal((1, 4), (app.MinConcurrency, app.MaxConcurrency));
        Assert.Equal(TimeSpan.FromTicks(430_000), app.KeepAlive);
        Assert.Equal(TimeSpan.FromMinutes(10), app.RequestTimeout);
        Assert.Equal(TimeSpan.FromSeconds(300.5), app.StartupTimeout);
        Assert.Equal(["us", "eu"], app.ValidRegions);
        Assert.Equal(new DateTimeOffset(2026, 7, 1, 12, 0, 0, TimeSpan.Zero), app.UpdatedAt);
        Assert.Equal(["my-org/painter", "my-org/painter/turbo"], app.Endpoints!);
        Assert.Equal("""{"name":"new"}""", Assert.Single(app.AdditionalMembers).Value.GetRawText());
        Assert.Equal("my-org/painter (main, GPU-H100)", app.ToString());
    }

    [Fact]
    public void What_was_read_is_the_same_when_it_is_written_and_read_again()
    {
        string written = JsonSerializer.Serialize(Read(OneApp), FalAppsJsonContext.Default.FalAppList);
        Assert.Equal(written, JsonSerializer.Serialize(Read(written), FalAppsJsonContext.Default.FalAppList));
        Assert.Contains("\"keep_alive\":0.043", written, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"apps":[{"endpoint_id":"o/n"}]}""")]
    [InlineData("""{"apps":[{"endpoint_id":"o/n","name":null,"owner":null,"environment":null,"machine_type":null,"auth_mode":null,"keep_alive":null,"min_concurrency":null,"max_concurrency":null,"request_timeout":null,"startup_timeout":null,"valid_regions":null,"updated_at":null,"endpoints":null}]}""")]
    [InlineData("""{"apps":[{"endpoint_id":"o/n","name":1,"owner":[],"environment":{"a":1},"machine_type":true,"auth_mode":2,"keep_alive":"300","min_concurrency":1.5,"max_concurrency":1e99,"request_timeout":-1,"startup_timeout":{},"valid_regions":"us","updated_at":"soon","endpoints":7}]}""")]
    public void What_is_missing_or_of_another_kind_reads_as_not_known(string json)
    {
        FalApp app = Assert.Single(Read(json).Apps);
        Assert.Equal(("o", "n"), (app.Owner, app.Name));
        Assert.Null(app.Environment);
        Assert.Null(app.MachineType);
        Assert.Null(app.AuthMode);
        Assert.Null(app.KeepAlive);
        Assert.Null(app.MinConcurrency);
        Assert.Null(app.MaxConcurrency);
        Assert.Null(app.RequestTimeout);
        Assert.Null(app.StartupTimeout);
        Assert.Empty(app.ValidRegions);
        Assert.Null(app.UpdatedAt);
        Assert.Null(app.Endpoints);
    }

    [Fact]
    public void A_time_without_an_offset_is_utc_and_one_of_many_years_is_the_longest_there_is()
    {
        FalApp app = Assert.Single(Read("""{"apps":[{"endpoint_id":"o/n","updated_at":"2026-07-01T12:00:00","keep_alive":1e300}]}""").Apps);
        Assert.Equal(TimeSpan.Zero, app.UpdatedAt!.Value.Offset);
        Assert.Equal(12, app.UpdatedAt.Value.Hour);
        Assert.Equal(TimeSpan.MaxValue, app.KeepAlive);
    }

    [Theory]
    [InlineData("""{"apps":[{"name":"n"}]}""", "endpoint_id")]
    [InlineData("""{"apps":[{"endpoint_id":null}]}""", "$.apps[0].endpoint_id")]
    [InlineData("""{"apps":[{"endpoint_id":" "}]}""", "$.apps[0].endpoint_id")]
    [InlineData("""{"apps":[{"endpoint_id":7}]}""", "$.apps[0].endpoint_id")]
    [InlineData("""{"apps":7}""", "$.apps")]
    [InlineData("""{"apps":null}""", "$.apps")]
    [InlineData("""{"apps":[null,{"endpoint_id":"o/n"}]}""", "$.apps[0]")]
    [InlineData("""{"apps":[],"apps":[{"endpoint_id":"o/n"}]}""", "'apps' twice")]
    [InlineData("""{}""", "'apps'")]
    [InlineData("""{"apps":[{"endpoint_id":"o/n","endpoint_id":"o/m"}]}""", "'endpoint_id' twice")]
    public void An_answer_that_names_no_app_where_one_should_be_is_refused_with_the_place(string json, string place)
    {
        JsonException refusal = Assert.Throws<JsonException>(() => Read(json));
        Assert.Contains(place, $"{refusal.Message} {refusal.Path}", StringComparison.Ordinal);
    }


    [Theory]
    [InlineData("my-org/painter", "my-org/painter")]
    [InlineData("my-org/painter/turbo", "my-org/painter")]
    [InlineData("my-org/painter/a/b", "my-org/painter")]
    [InlineData("my-org/painter2", null)]
    [InlineData("my-org/paint", null)]
    [InlineData("elsewhere/route", "my-org/writer")]
    [InlineData("other/painter/turbo", null)]
    [InlineData("my-org", null)]
    [InlineData("", null)]
    public void A_route_belongs_to_the_app_that_lists_it_or_whose_id_it_begins_with(string endpointId, string? app)
    {
        var apps = new FalAppList
        {
            Apps =
            [
                new FalApp { EndpointId = "my-org/painter", Endpoints = ["my-org/painter/turbo", "my-org/writer"] },
                new FalApp { EndpointId = "my-org/writer", Endpoints = ["elsewhere/route"] },
            ],
        };
        Assert.Equal(app, apps.AppOf(endpointId)?.EndpointId);
        Assert.Equal("my-org/writer", apps.AppOf("my-org/writer")!.EndpointId);
    }

    [Fact]
    public void Rows_of_routes_are_added_to_their_app_and_those_of_no_app_stay_visible()
    {
        var apps = new FalAppList { Apps = [new FalApp { EndpointId = "o/a" }, new FalApp { EndpointId = "o/b" }] };
        AnalyticsBucket[] buckets =
        [
            Bucket(0, ("o/a", 1), ("o/a/turbo", 2), ("o/ab", 4)),
            Bucket(1, ("o/a/turbo/x", 8), ("p/c/y", 16)),
        ];

        IReadOnlyDictionary<string, AnalyticsTotals> totals = apps.ByApp(buckets);

        Assert.Equal(
            [("o/a", 11.0), ("o/ab", 4), ("p/c", 16)],
            totals.OrderBy(total => total.Key, StringComparer.Ordinal)
                .Select(total => (total.Key, total.Value.GetValue(AnalyticsExpand.RequestCount)!.Value)));
    }

    [Fact]
    public void A_query_is_about_each_app_once_and_none_is_no_query()
    {
        var apps = new FalAppList
        {
            Apps = [new FalApp { EndpointId = "o/b", Environment = "main" }, new FalApp { EndpointId = "o/a" },
                new FalApp { EndpointId = "o/b", Environment = "staging" }],
        };
        Assert.Equal(["o/b", "o/a"], apps.ToQuery().EndpointIds);
        Assert.Equal(AnalyticsExpand.Volume, apps.ToQuery().Expand);

        var odd = new FalAppList { Apps = [.. apps.Apps, new FalApp { EndpointId = "o/a,b" }, new FalApp { EndpointId = "o/a b" }] };
        Assert.Equal(["o/b", "o/a"], odd.ToQuery().EndpointIds);

        var none = new FalAppList { Apps = [], Environments = ["staging"] };
        Assert.Contains("staging", Assert.Throws<InvalidOperationException>(() => none.ToQuery()).Message, StringComparison.Ordinal);
    }

    private static AnalyticsBucket Bucket(int hour, params (string Id, long Count)[] rows) => new()
    {
        Start = new DateTimeOffset(2026, 1, 1, hour, 0, 0, TimeSpan.Zero),
        Rows = [.. rows.Select(row => new AnalyticsRow { EndpointId = row.Id, RequestCount = row.Count })],
    };

    private static FalAppList Read(string json) => JsonSerializer.Deserialize(json, FalAppsJsonContext.Default.FalAppList)!;
}
