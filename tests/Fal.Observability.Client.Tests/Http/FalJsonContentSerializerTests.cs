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
    [InlineData("null")]
    public async Task Json_of_another_shape_is_refused_and_not_read_as_a_time_without_traffic(string json) =>
        await Assert.ThrowsAsync<JsonException>(() => ReadAsync(json));

    [Theory]
    [InlineData("{\"time_series\":[]}")]
    [InlineData("{\"something\":{\"new\":[1,2]},\"has_more\":false}")]
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

    private static async Task<AnalyticsPage> ReadAsync(string json)
    {
        byte[] rented = ArrayPool<byte>.Shared.Rent(4096);
        int length = Encoding.UTF8.GetBytes(json, rented);
        using var original = new ByteArrayContent([]);
        using var body = new FalBufferedContent(rented, length, new FalBodyBuffers(4096), original, new FalResponseInfo(HttpStatusCode.OK, "application/json", null, "GET /x"));
        return (await new FalJsonContentSerializer(AnalyticsJsonContext.Default).FromHttpContentAsync<AnalyticsPage>(body))!;
    }
}
