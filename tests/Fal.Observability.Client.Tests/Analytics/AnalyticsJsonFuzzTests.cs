using System.Globalization;
using System.Text;
using System.Text.Json;
using Xunit;

namespace Fal.Observability.Client.Tests;

/// <summary>Random pages of everything that the service may send, read against what was put into them.</summary>
public sealed class AnalyticsJsonFuzzTests
{
    private static readonly string[] Blanks = ["", "", "", " ", "\n", "\t ", "\r\n    "];
    private static readonly string[] Unreadable = ["\"12\"", "true", "{\"a\":[1,{\"b\":null}]}", "[]", "[[],{}]", "\"\\u00e9\\n\""];

    [Theory]
    [InlineData("", 1)]
    [InlineData("de-DE", 2)]
    [InlineData("ar-SA", 3)]
    [InlineData("fa-IR", 4)]
    public async Task Random_pages_lose_nothing_on_the_way_in_and_back(string culture, int seed)
    {
        using var scope = new CultureScope(culture);
        var random = new Random(seed);
        for (int i = 0; i < 150; i++)
        {
            var expected = new List<(AnalyticsExpand Metric, string Text)>[random.Next(0, 30)];
            string json = RandomPage(random, expected);

            AnalyticsPage page = Json.ReadPage(json);
            AnalyticsPage inPieces = await Json.ReadPageInPiecesAsync(json, random.Next(1, 200));

            AssertHolds(expected, page, json);
            Assert.Equal(Json.Write(page), Json.Write(inPieces));
            Assert.Equal(Json.Write(page), Json.Write(Json.ReadPage(Json.Write(page))));
        }
    }

    [Fact]
    public void A_damaged_page_is_a_json_error_or_a_page_and_nothing_else()
    {
        var random = new Random(5);
        for (int i = 0; i < 3000; i++)
        {
            byte[] json = Encoding.UTF8.GetBytes(RandomPage(random, new List<(AnalyticsExpand, string)>[3]));
            for (int damage = random.Next(1, 4); damage > 0; damage--)
            {
                json[random.Next(json.Length)] = (byte)random.Next(256);
            }

            Exception? error = Record.Exception(() => JsonSerializer.Deserialize(
                json.AsSpan(0, random.Next(json.Length / 2, json.Length + 1)), AnalyticsJsonContext.Default.AnalyticsPage));

            Assert.True(error is null or JsonException, error?.ToString());
        }
    }

    private static void AssertHolds(List<(AnalyticsExpand Metric, string Text)>[] expected, AnalyticsPage page, string json)
    {
        AnalyticsRow[] rows = [.. page.TimeSeries.SelectMany(bucket => bucket.Rows)];
        Assert.Equal(expected.Length, rows.Length);
        for (int i = 0; i < rows.Length; i++)
        {
            Assert.Equal($"my-org/app-{i % 7}", rows[i].EndpointId);
            AnalyticsExpand readable = AnalyticsExpand.None;
            foreach ((AnalyticsExpand metric, string text) in expected[i])
            {
                if (Unreadable.Contains(text))
                {
                    Assert.Equal(text, rows[i].AdditionalMetrics[metric.GetWireName()].GetRawText());
                }
                else if (text != "null")
                {
                    readable |= metric;
                    Assert.True(double.Parse(text, CultureInfo.InvariantCulture).Equals(rows[i].GetValue(metric)), json);
                }
            }

            Assert.Equal(readable, rows[i].Metrics);
        }
    }

    private static string RandomPage(Random random, List<(AnalyticsExpand Metric, string Text)>[] rows)
    {
        var json = new StringBuilder();
        json.Append(Blank()).Append('{').Append(Blank());
        if (random.Next(2) == 0)
        {
            json.Append("\"has_more\":true,\"next_cursor\":").Append(random.Next(2) == 0 ? "null," : "\"Mg==\",");
        }

        json.Append("\"time_series\"").Append(Blank()).Append(':').Append(Blank()).Append('[');
        int bucketCount = 0;
        for (int i = 0; i < rows.Length || bucketCount == 0; bucketCount++)
        {
            if (bucketCount > 0)
            {
                json.Append(',').Append(Blank());
            }

            json.Append(
                CultureInfo.InvariantCulture,
                $"{{\"bucket\":\"2026-01-{1 + (bucketCount % 28):00}T00:00:00+01:00\",{Blank()}\"results\":["
            );
            int take = Math.Min(rows.Length - i, random.Next(0, 8));
            for (int end = i + take; i < end; i++)
            {
                rows[i] = [];
                AppendRow(i, rows[i]);
                json.Append(i + 1 < end ? "," : "").Append(Blank());
            }

            json.Append("]}");
        }

        return json.Append(']').Append(Blank()).Append('}').Append(Blank()).ToString();

        void AppendRow(int number, List<(AnalyticsExpand Metric, string Text)> row)
        {
            AnalyticsExpand[] metrics = [.. AnalyticsExpand.AllMetrics.GetFlags()];
            random.Shuffle(metrics);
            int idAt = random.Next(0, metrics.Length);
            json.Append('{');
            for (int i = 0; i < metrics.Length; i++)
            {
                if (i == idAt)
                {
                    json.Append(CultureInfo.InvariantCulture, $"\"endpoint_id\":{Blank()}\"my-org/app-{number % 7}\",");
                }

                if (random.Next(3) > 0)
                {
                    string text = random.Next(10) switch
                    {
                        0 => "null",
                        1 => Unreadable[random.Next(Unreadable.Length)],
                        _ when metrics[i].IsDuration() => (random.NextDouble() * Math.Pow(10, random.Next(-9, 9))).ToString(
                            "R",
                            CultureInfo.InvariantCulture
                        ),
                        2 => random.Next(1000).ToString(CultureInfo.InvariantCulture) + ".0",
                        _ => random.NextInt64(1L << random.Next(1, 63)).ToString(CultureInfo.InvariantCulture),
                    };
                    row.Add((metrics[i], text));
                    json.Append(CultureInfo.InvariantCulture, $"\"{metrics[i].GetWireName()}\"{Blank()}:{Blank()}{text},");
                }
            }

            json.Append("\"future_field\":{\"x\":[1,2]}").Append(Blank()).Append('}');
        }

        string Blank() => Blanks[random.Next(Blanks.Length)];
    }
}
