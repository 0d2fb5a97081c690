using System.Text;
using System.Text.Json;
using Fal.Observability.Bridge;
using Fal.Observability.Bridge.RemoteWrite;
using Fal.Observability.Client.Prometheus;
using Fal.Observability.Tools;
using Google.Protobuf;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Testing;
using ProtoBuf;
using Xunit;

namespace Fal.Observability.Client.IntegrationTests.Samples;

/// <summary>What remote write sends, whatever the service sent: each series by the rules of the protocol, and each once.</summary>
/// <remarks>https://prometheus.io/docs/specs/prw/remote_write_spec/</remarks>
public sealed class WriteRequestTests : IDisposable
{
    private static readonly string[] Names =
        ["a", "b_c", "b.c", "b c", "_", "0", "\u00e9", "\U0001F600", "..name__", "account", "le", "Z", "z", "\uffff", "a:b"];

    private static readonly string[] Ids =
    [
        "",
        " ",
        "a/b",
        "A/b",
        "a/b ",
        "\u00e9",
        "\ud800",
        "\udfff",
        "\ufffd",
        "\U0001F600",
        "\0",
        "a\nb",
        "\"\\",
    ];

    private readonly FakeLogCollector _log = new();
    private readonly ServiceProvider _services;

    public WriteRequestTests() =>
        _services = new ServiceCollection()
            .AddMetrics()
            .AddLogging(logging => logging.AddProvider(new FakeLoggerProvider(_log)))
            .AddSingleton<LeftOut>()
            .BuildServiceProvider();

    private LeftOut LeftOut => _services.GetRequiredService<LeftOut>();

    public void Dispose() => _services.Dispose();

    [Fact]
    public void Every_series_of_any_samples_keeps_the_protocols_rules()
    {
        var random = new Random(11);
        for (int run = 0; run < 2000; run++)
        {
            PrometheusSample[] samples =
            [
                .. Enumerable
                    .Range(0, random.Next(1, 8))
                    .Select(_ => new PrometheusSample(
                        Names[random.Next(Names.Length)],
                        LabelSet.Create(
                            random
                                .GetItems(Names, random.Next(6))
                                .Distinct()
                                .Select(name => KeyValuePair.Create(name, Ids[random.Next(Ids.Length)]))
                        ),
                        random.NextDouble(),
                        random.Next()
                    )),
            ];

            List<SortedList<string, string>> series = AssertFollowsRules(WriteRequest.Of(samples));

            Assert.NotEmpty(series);
        }
    }

    [Fact]
    public void Every_bucket_of_any_rows_keeps_the_protocols_rules_and_holds_no_series_twice()
    {
        var random = new Random(12);
        for (int run = 0; run < 2000; run++)
        {
            string[] ids = random.GetItems(Ids, random.Next(1, 10));

            List<SortedList<string, string>> series = AssertFollowsRules(
                WriteRequest.Of(AnalyticsSamples.Of(Bucket(ids), "acme", AnalyticsTimeframe.Hour, LeftOut))
            );

            string[] texts = [.. series.Select(labels => string.Join('\u0001', labels))];
            Assert.Equal(texts.Distinct(), texts);
            Assert.Equal(
                ids.Where(id => id is not ("" or "\ufffd")).Select(id => Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(id))).Distinct(),
                series.Select(labels => labels["endpoint_id"]));
        }
    }

    [Fact]
    public void A_row_without_an_id_and_one_that_repeats_another_are_left_out_logged_once_and_counted()
    {
        PrometheusSample[] samples = [.. Enumerable.Range(0, 3).SelectMany(_ =>
            AnalyticsSamples.Of(Bucket("a/b", "", "a/b", "c/d"), "acme", AnalyticsTimeframe.Hour, LeftOut)).Take(2)];

        Assert.Equal([("a/b", 0), ("c/d", 3)], samples.Select(sample => (sample.Labels["endpoint_id"]!, sample.Value)));
        _ = AnalyticsSamples.Of(Bucket("a/b", "", "a/b"), "acme", AnalyticsTimeframe.Hour, LeftOut).Count();

        Assert.Equal(4, LeftOut.Total);
        Assert.Equal([11, 12], _log.GetSnapshot().Select(record => record.Id.Id));
        Assert.Contains("Account acme: an analytics row of one hour is left out.", _log.GetSnapshot()[0].Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_row_whose_id_cannot_be_read_is_left_out_as_one_without_an_id_is()
    {
        PrometheusSample sample = Assert.Single(
            AnalyticsSamples.Of(Bucket("a\ufffd", "", "b"), "acme", AnalyticsTimeframe.Minute, LeftOut)
        );

        Assert.Equal("b", sample.Labels["endpoint_id"]);
        Assert.Equal(2, LeftOut.Total);
    }

    [Fact]
    public void Of_two_ids_that_UTF_8_cannot_carry_the_log_shows_which_is_which()
    {
        Assert.Single(AnalyticsSamples.Of(Bucket("a\ud800", "a\udfff"), "acme", AnalyticsTimeframe.Minute, LeftOut));

        string message = Assert.Single(_log.GetSnapshot()).Message;
        Assert.Contains("""endpoint_id="a\uDFFF",timeframe="minute"} is left out.""", message, StringComparison.Ordinal);
        Assert.Contains("""endpoint_id="a\uD800",timeframe="minute"}, which comes first""", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("9223372036854775808", 9223372036854775808d)]
    [InlineData("-9223372036854775809", -9223372036854775808d)]
    [InlineData("1e30", 1e30)]
    [InlineData("1.5", 1.5)]
    [InlineData("\"12\"", null)]
    [InlineData("1e400", null)]
    [InlineData("true", null)]
    public void A_count_that_no_integer_holds_is_sent_as_a_double_and_a_value_that_is_no_number_is_counted_and_logged_once(
        string json,
        double? expected
    )
    {
        AnalyticsRow row = new()
        {
            EndpointId = "a/b",
            SuccessCount = 3,
            AdditionalMetrics = new Dictionary<string,
            JsonElement>
            { ["request_count"] = Parse(json) },
        };
        AnalyticsBucket bucket = new() { Start = DateTimeOffset.UnixEpoch, Rows = [row] };

        PrometheusSample[] samples = [.. AnalyticsSamples.Of(bucket, "acme", AnalyticsTimeframe.Hour, LeftOut)];
        _ = AnalyticsSamples.Of(bucket, "acme", AnalyticsTimeframe.Hour, LeftOut).Count();

        Assert.Equal(3, samples.Single(sample => sample.Name == "fal_analytics_success_count").Value);
        Assert.Equal(
            expected,
            samples.Where(sample => sample.Name == "fal_analytics_request_count").Select(sample => (double?)sample.Value).SingleOrDefault()
        );
        Assert.Equal(expected is null ? 2 : 0, LeftOut.Total);
        Assert.Equal(
            expected is null
                ? ["Account acme: the value of request_count for the endpoint a/b is left out, because it is not a finite number."]
                : [],
            _log.GetSnapshot().Select(record => record.Message.Split(" Further")[0])
        );
    }

    private static JsonElement Parse(string json)
    {
        using var document = JsonDocument.Parse(json);
        return document.RootElement.Clone();
    }

    private static AnalyticsBucket Bucket(params string[] ids) => new()
    {
        Start = DateTimeOffset.UnixEpoch,
        Rows = [.. ids.Select((id, i) => new AnalyticsRow { EndpointId = id, RequestCount = i })],
    };

    /// <summary>Takes a request apart without the code that made it.</summary>
    private static List<SortedList<string, string>> AssertFollowsRules(WriteRequest request)
    {
        using var message = new MemoryStream();
        Serializer.Serialize(message, request);
        List<SortedList<string, string>> all = [];
        foreach (byte[] series in Fields(message.ToArray(), 1))
        {
            string? last = null;
            var labels = new SortedList<string, string>(StringComparer.Ordinal);
            foreach (byte[] label in Fields(series, 1))
            {
                string name = Text(label, 1);
                string value = Text(label, 2);
                Assert.Matches("^[a-zA-Z_][a-zA-Z0-9_]*$", name);
                Assert.NotEmpty(value);
                Assert.True(
                    last is null || Encoding.UTF8.GetBytes(last).AsSpan().SequenceCompareTo(Encoding.UTF8.GetBytes(name)) < 0,
                    $"'{name}' stands after '{last}'."
                );
                labels.Add(last = name, value);
            }

            Assert.Matches("^[a-zA-Z_:][a-zA-Z0-9_:]*$", labels["__name__"]);
            Assert.NotEmpty(Fields(series, 2));
            all.Add(labels);
        }

        return all;
    }

    private static string Text(byte[] message, int field) =>
        new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(Fields(message, field).SingleOrDefault() ?? []);

    private static IEnumerable<byte[]> Fields(byte[] message, int field)
    {
        var input = new CodedInputStream(message);
        while (input.ReadTag() is not 0 and uint tag)
        {
            if (WireFormat.GetTagFieldNumber(tag) == field)
            {
                yield return input.ReadBytes().ToByteArray();
            }
            else
            {
                input.SkipLastField();
            }
        }
    }
}
