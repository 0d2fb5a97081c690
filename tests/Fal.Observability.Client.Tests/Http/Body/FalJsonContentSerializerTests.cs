using System.Buffers;
using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using Xunit;

namespace Fal.Observability.Client.Tests;

public sealed class FalJsonContentSerializerTests
{
    [Theory]
    [InlineData("{}")]
    [InlineData("{\"error\":{\"type\":\"server_error\",\"message\":\"boom\"}}")]
    [InlineData("{\"timeSeries\":[{\"bucket\":1}],\"nextCursor\":\"abc\"}")]
    [InlineData("{\"has_more\":false}")]
    [InlineData("null")]
    public async Task Json_of_another_shape_is_refused_and_not_read_as_a_time_without_traffic(string json) =>
        await Assert.ThrowsAsync<JsonException>(() => ReadAsync(json));

    [Theory]
    [InlineData("{\"time_series\":[]}")]
    [InlineData("{\"something\":{\"new\":[1,2]},\"has_more\":false,\"summary\":[]}")]
    [InlineData("{\"\\ud800\":\"\\udc00\",\"\\udc00\":1,\"time_series\":[]}")]
    [InlineData("\uFEFF{\"next_cursor\":null,\"has_more\":false,\"summary\":[]}")]
    public async Task A_page_is_read_with_fields_that_are_new_and_with_a_byte_order_mark(string json) =>
        Assert.Empty((await ReadAsync(json)).TimeSeries);

    [Theory]
    [InlineData("{{\"new\":{0},\"time_series\":[{{\"bucket\":\"2026-01-01T00:00:00Z\",\"results\":[{{\"endpoint_id\":\"a/b\"}}]}}]}}")]
    [InlineData("{{\"time_series\":[{{\"new\":{0},\"bucket\":\"2026-01-01T00:00:00Z\",\"results\":[{{\"endpoint_id\":\"a/b\"}}]}}]}}")]
    [InlineData("{{\"time_series\":[{{\"bucket\":\"2026-01-01T00:00:00Z\",\"results\":[{{\"new\":{0},\"endpoint_id\":\"a/b\"}}]}}]}}")]
    public async Task A_new_field_may_nest_deeply_wherever_it_stands(string format)
    {
        string nested = new string('[', 500) + new string(']', 500);

        AnalyticsPage page = await ReadAsync(string.Format(CultureInfo.InvariantCulture, format, nested));

        AnalyticsRow row = Assert.Single(Assert.Single(page.TimeSeries).Rows);
        Assert.Equal("a/b", row.EndpointId);
        if (row.AdditionalMetrics.TryGetValue("new", out JsonElement value))
        {
            Assert.Equal(nested, value.GetRawText());
            Assert.Equal($"a/b: new={nested}", row.ToString());
            Assert.Contains(nested, Json.Write(page), StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("\\ud800", "\uFFFD")]
    [InlineData("x\\uDC00y", "x\uFFFDy")]
    [InlineData("\\ud83d\\ude00", "\U0001F600")]
    [InlineData("\\ud83d\\ud83d\\ude00", "\uFFFD\U0001F600")]
    [InlineData("\\\\ud800", "\\ud800")]
    [InlineData("\u00ff", "\uFFFD")]
    [InlineData("a\u00c3", "a\uFFFD")]
    public async Task A_new_field_that_is_not_text_can_be_read_shown_and_written(string sent, string text)
    {
        // Each character of the string is one byte of the body.
        byte[] json = Encoding.Latin1.GetBytes(
            $"{{\"summary\":[{{\"endpoint_id\":\"a/b\",\"n{sent}\":\"{sent}\",\"list\":[\"{sent}\"]}}]}}");

        AnalyticsRow row = Assert.Single((await ReadAsync(json)).Summary);

        Assert.Equal(["n" + text, "list"], row.AdditionalMetrics.Keys);
        Assert.Equal(text, row.AdditionalMetrics["n" + text].GetString());
        Assert.Equal(text, row.AdditionalMetrics["list"][0].ToString());
        Assert.StartsWith("a/b: n", row.ToString(), StringComparison.Ordinal);
        Assert.Equal(text, Json.ReadRow(Json.Write(row)).AdditionalMetrics["n" + text].GetString());
    }

    [Theory]
    [InlineData("\\ud800")]
    [InlineData("\u00ff")]
    public async Task An_endpoint_id_that_is_not_text_is_shown_as_far_as_it_goes(string sent)
    {
        byte[] json = Encoding.Latin1.GetBytes($"{{\"summary\":[{{\"endpoint_id\":\"a/b\"}},{{\"endpoint_id\":\"a/{sent}\"}}]}}");

        AnalyticsPage page = await ReadAsync(json);

        Assert.Equal(["a/b", "a/\uFFFD"], page.Summary.Select(row => row.EndpointId));
    }

    private static Task<AnalyticsPage> ReadAsync(string json) => ReadAsync(Encoding.UTF8.GetBytes(json));

    private static async Task<AnalyticsPage> ReadAsync(byte[] json)
    {
        byte[] rented = ArrayPool<byte>.Shared.Rent(4096);
        int length = json.Length;
        json.CopyTo(rented, 0);
        using var original = new ByteArrayContent([]);
        using var body = new FalBufferedContent(
            rented,
            length,
            new FalBodyBuffers(4096),
            original,
            new FalResponseInfo(HttpStatusCode.OK, "application/json", null, "GET /x")
        );
        return (
            await new FalJsonContentSerializer(() => AnalyticsJsonContext.Default, TimeProvider.System).FromHttpContentAsync<AnalyticsPage>(
                body
            )
        )!;
    }
}
