using System.Text;
using System.Text.Json;
using Xunit;

namespace Fal.Observability.Client.Tests;

/// <summary>Answers about apps, runners and usage, damaged at random, and read under hostile cultures.</summary>
public sealed class AccountJsonFuzzTests
{
    private const string Apps = """
        {"apps":[{"endpoint_id":"o/painter","name":"painter","owner":"o","environment":"main","machine_type":"GPU-H100","auth_mode":"private","keep_alive":60.5,"min_concurrency":0,"max_concurrency":4,"request_timeout":3600,"startup_timeout":600,"valid_regions":["us","eu"],"updated_at":"2026-07-01T10:00:00.123Z","endpoints":["o/painter/turbo"],"new":{"a":[1.5]}}],"as_of":"2026-07-01T10:00:00Z"}
        """;

    private const string History = """
        {"endpoint_id":"o/painter","timeframe":"hour","aggregation":"avg","history":[{"timestamp":"2026-07-01T10:00:00Z","running":1.25,"idle":0.75,"pending":2,"draining":0},{"timestamp":"2026-07-01T11:00:00+00:00","running":null}]}
        """;

    private const string Usage = """
        {"next_cursor":"Mg","has_more":true,"time_series":[{"bucket":"2026-07-01T00:00:00+00:00","results":[{"app":"painter","environment":"main","machine_type":"GPU-H100","unit":"second","quantity":1234.5,"unit_price":0.00099,"percent_discount":12.5,"cost_subtotal":1.222155,"cost_discount":0.152769375,"cost_total":-1.069385625,"cost":-1.069385625,"currency":"USD","is_surge":false,"new":"x"}]}],"summary":[{"app":null,"cost_total":1e-7,"currency":"EUR"}]}
        """;

    private static readonly Dictionary<string, (string Json, Func<byte[], object?> Read, Func<object, string> Write)> Answers = new(
        StringComparer.Ordinal
    )
    {
        ["apps"] = (Apps, json => Deserialize<FalAppList>(json), list => JsonSerializer.Serialize((FalAppList)list)),
        ["history"] = (
            History,
            json => Deserialize<FalRunnerHistory>(json),
            history => JsonSerializer.Serialize((FalRunnerHistory)history)
        ),
        ["usage"] = (Usage, json => Deserialize<UsagePage>(json), page => JsonSerializer.Serialize((UsagePage)page)),
    };

    public static TheoryData<string> Names => [.. Answers.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void A_damaged_answer_is_a_json_error_or_an_answer_and_nothing_else(string name)
    {
        (string whole, Func<byte[], object?> read, Func<object, string> write) = Answers[name];
        var random = new Random(14);
        int answered = 0;
        for (int i = 0; i < 5000; i++)
        {
            byte[] json = Encoding.UTF8.GetBytes(whole);
            for (int damage = random.Next(1, 4); damage > 0; damage--)
            {
                json[random.Next(json.Length)] = (byte)random.Next(256);
            }

            Exception? error = Record.Exception(() => read(json) is { } answer ? write(answer) + answer : "");

            Assert.True(error is null or JsonException, error?.ToString());
            answered += error is null ? 1 : 0;
        }

        Assert.InRange(answered, 100, 4900);
    }

    [Theory]
    [InlineData("tr-TR")]
    [InlineData("ar-SA")]
    [InlineData("fa-IR")]
    [InlineData("th-TH")]
    [InlineData("de-DE")]
    public void No_culture_changes_what_is_answeredor_printed(string culture)
    {
        string expected = Everything();
        using var scope = new CultureScope(culture);
        Assert.Equal(expected, Everything());
    }

    /// <summary>Everything that the answers print: their JSON, their lines for a log, their totals, and messages about them.</summary>
    private static string Everything()
    {
        var text = new StringBuilder();
        foreach ((string json, Func<byte[], object?> read, Func<object, string> write) in Answers.Values)
        {
            object answer = read(Encoding.UTF8.GetBytes(json))!;
            text.AppendLine(write(answer)).Append(answer).AppendLine();
        }

        var apps = (FalAppList)Answers["apps"].Read(Encoding.UTF8.GetBytes(Apps))!;
        var page = (UsagePage)Answers["usage"].Read(Encoding.UTF8.GetBytes(Usage))!;
        var usage = new UsageReport
        {
            Query = new UsageQuery
            {
                Range = AnalyticsTimeRange.Days(new(2026, 7, 1), new(2026, 7, 31)),
                Timeframe = AnalyticsTimeframe.Day,
                Limit = 1234567,
            },
            TimeSeries = page.TimeSeries,
        };
        var requests = new AnalyticsReport
        {
            Query = apps.ToQuery() with { Range = usage.Query.Range, Timeframe = AnalyticsTimeframe.Day },
        };
        AppCostReport costs = usage.ByApp(apps, requests);
        var history = (FalRunnerHistory)Answers["history"].Read(Encoding.UTF8.GetBytes(History))!;
        object?[] printed =
        [
            usage, usage.Query, usage.AnsweredRange, .. usage.TimeSeries, .. usage.TimeSeries.SelectMany(bucket => bucket.Rows),
            .. usage.Totals,
            .. usage.ByApp(),
            .. usage.ByDay(),
            .. usage.ByMachineType(),
            .. costs.Apps,
            .. apps.Apps,
            .. history.Buckets,
            Assert
                .Throws<ArgumentException>(() =>
                    usage.ByApp(
                        apps,
                        new AnalyticsReport
                        {
                            Query = apps.ToQuery() with
                            {
                                Range = AnalyticsTimeRange.Last(TimeSpan.FromHours(36.5)).Resolve(DateTimeOffset.UnixEpoch.AddYears(56)),
                            },
                        }
                    )
                )
                .Message,
            Assert
                .Throws<ArgumentOutOfRangeException>(() =>
                    new FalRunnerHistoryQuery { Range = AnalyticsTimeRange.Last(TimeSpan.FromDays(90.5)) }
                )
                .Message,
            Assert.Throws<JsonException>(() => JsonSerializer.Deserialize<UsageRow>("""{"cost_total":1.5e300,"currency":"USD"}""")).Message,
        ];
        foreach (object? one in printed)
        {
            text.Append(one).AppendLine();
        }

        return text.ToString();
    }

    private static T? Deserialize<T>(byte[] json) => JsonSerializer.Deserialize<T>(FalJsonText.Readable(json));
}
