using System.Text.Json;
using Xunit;

namespace Fal.Observability.Client.Tests;

public sealed class UsageRowTests
{
    [Fact]
    public void Every_documented_member_is_read_and_what_is_new_is_kept()
    {
        UsageRow row = Read("""
            {"app":"painter-prod","environment":"main","machine_type":"GPU-H100","unit":"second","quantity":1200.5,"unit_price":0.00099,"percent_discount":20,
            "cost_subtotal":1.188495,"cost_discount":0.237699,"cost_total":0.950796,"cost":0.950796,"currency":"USD","is_surge":true,"region":"eu"}
            """);
        Assert.Equal(("painter-prod", "main", "GPU-H100", "second"), (row.App, row.Environment, row.MachineType, row.Unit));
        Assert.Equal((1200.5m, 0.00099m, 20m), (row.Quantity, row.UnitPrice, row.PercentDiscount));
        Assert.Equal((1.188495m, 0.237699m, 0.950796m, "USD", true),
            (row.CostSubtotal, row.CostDiscount, row.Cost, row.Currency, row.IsSurge));
        Assert.Equal(1200.5m, row.MachineSeconds);
        Assert.Equal(["region"], row.AdditionalMembers.Keys);
    }

    [Theory]
    [InlineData("""{"cost_total":1,"currency":"USD"}""")]
    [InlineData("""{"app":null,"environment":null,"machine_type":null,"unit":null,"quantity":null,"unit_price":null,"percent_discount":null,"cost_subtotal":null,"cost_discount":null,"cost_total":1,"currency":"USD","is_surge":null}""")]
    public void What_may_be_missing_reads_as_not_known(string json)
    {
        UsageRow row = Read(json);
        Assert.Null(row.App);
        Assert.Null(row.Environment);
        Assert.Null(row.MachineType);
        Assert.Null(row.Quantity);
        Assert.Null(row.MachineSeconds);
        Assert.Null(row.UnitPrice);
        Assert.Null(row.PercentDiscount);
        Assert.Null(row.CostSubtotal);
        Assert.Null(row.CostDiscount);
        Assert.False(row.IsSurge);
        Assert.Empty(row.AdditionalMembers);
    }

    [Fact]
    public void The_old_name_of_the_total_stands_in_for_it() =>
        Assert.Equal(1.5m, Read("""{"cost":1.5,"cost_total":null,"currency":"USD"}""").Cost);

    [Theory]
    [InlineData("tr-TR")]
    [InlineData("")]
    public void A_currency_in_lower_case_is_the_same_currency(string culture)
    {
        using var scope = new CultureScope(culture);
        UsageReport report = new()
        {
            Query = new UsageQuery { Expand = UsageExpand.Summary },
            Summary = [Read("""{"cost_total":1,"currency":"inr"}"""), Read("""{"cost_total":2,"currency":"INR"}""")],
        };
        Assert.Equal([("INR", 3m)], report.Totals.Select(total => (total.Currency, total.Cost)));
    }

    [Fact]
    public void A_quantity_of_a_new_unit_is_no_machine_time()
    {
        UsageRow row = Read("""{"quantity":5,"unit":"token","cost_total":1,"currency":"USD"}""");
        Assert.Equal(5m, row.Quantity);
        Assert.Null(row.MachineSeconds);
    }

    [Theory]
    [InlineData("0.1", "0.1")]
    [InlineData("0.30000000000000004", "0.30000000000000004")]
    [InlineData("123456789012.1234567890123456", "123456789012.1234567890123456")]
    [InlineData("1e-7", "0.0000001")]
    [InlineData("1.188E0", "1.188")]
    [InlineData("-0.5", "-0.5")]
    [InlineData("9007199254740993", "9007199254740993")]
    public void Money_does_not_pass_through_a_double(string sent, string read)
    {
        decimal expected = decimal.Parse(read, System.Globalization.CultureInfo.InvariantCulture);
        Assert.Equal(expected, Read($$"""{"cost_total":{{sent}},"currency":"USD"}""").Cost);
    }

    [Theory]
    [InlineData("""{"currency":"USD"}""", "cost_total")]
    [InlineData("""{"cost_total":1}""", "currency")]
    [InlineData("""{"cost_total":1,"currency":" "}""", "currency")]
    [InlineData("""{"cost_total":"1.50","currency":"USD"}""", "cost_total")]
    [InlineData("""{"cost_total":1e18,"currency":"USD"}""", "1e18")]
    [InlineData("""{"cost_total":-1e300,"currency":"USD"}""", "cost_total")]
    [InlineData("""{"cost_total":1,"quantity":true,"currency":"USD"}""", "quantity")]
    [InlineData("""{"cost_total":1,"app":["a"],"currency":"USD"}""", "app")]
    [InlineData("""{"cost_total":1,"environment":1,"currency":"USD"}""", "environment")]
    [InlineData("""{"cost_total":1,"cost_total":2,"currency":"USD"}""", "'cost_total' twice")]
    [InlineData("""{"cost_total":1,"currency":"USD","is_surge":"true"}""", "is_surge")]
    [InlineData("""{"cost_total":1,"currency":"USD","is_surge":1}""", "is_surge")]
    [InlineData("""{"cost_total":1,"currency":null}""", "currency")]
    [InlineData("""{"cost_total":1,"currency":""}""", "currency")]
    [InlineData("7", "object")]
    public void A_row_that_no_bill_can_have_is_refused_by_name(string json, string says) =>
        Assert.Contains(says, Assert.Throws<JsonException>(() => Read(json)).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("app")]
    [InlineData("environment")]
    [InlineData("machine_type")]
    [InlineData("currency")]
    public void A_name_that_is_not_text_is_refused_because_another_could_read_the_same(string member)
    {
        string json = $$"""{"cost_total":1,"currency":"USD","{{member}}":"painter\ufffd"}""";
        json = member == "currency" ? """{"cost_total":1,"currency":"painter\ufffd"}""" : json;
        JsonException refusal = Assert.Throws<JsonException>(() => Read(json));
        Assert.Contains($"'{member}' is \"painter\uFFFD\"", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_page_is_the_same_when_it_is_written_and_read_again()
    {
        const string Page = """
            {"next_cursor":"Mg","has_more":true,"time_series":[{"bucket":"2026-01-15T00:00:00-05:00","results":[{"app":"a","cost_total":0.10,"currency":"EUR","new":{"x":[1, 2]}}]},{"bucket":"2026-01-16T00:00:00","results":[]}],"summary":[]}
            """;
        UsagePage page = JsonSerializer.Deserialize(Page, UsageJsonContext.Default.UsagePage)!;
        string written = JsonSerializer.Serialize(page, UsageJsonContext.Default.UsagePage);
        Assert.Equal(written, JsonSerializer.Serialize(JsonSerializer.Deserialize(written, UsageJsonContext.Default.UsagePage)!,
            UsageJsonContext.Default.UsagePage));
        Assert.Contains("\"cost_total\":0.10", written, StringComparison.Ordinal);
        Assert.Contains("\"2026-01-16T00:00:00\"", written, StringComparison.Ordinal);
        Assert.Contains("\"new\":{\"x\":[1,2]}", written.Replace(" ", "", StringComparison.Ordinal), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"time_series":[{"bucket":"2026-01-15T00:00:00Z"}]}""", "results")]
    [InlineData("""{"time_series":[{"bucket":"2026-01-15T00:00:00Z","results":null}]}""", "results")]
    [InlineData("""{"time_series":[{"results":[]}]}""", "bucket")]
    [InlineData("""{"time_series":[{"bucket":"soon","results":[]}]}""", "soon")]
    [InlineData("""{"time_series":[{"bucket":"2026-01-15T00:00:00Z","results":[null]}]}""", "object")]
    [InlineData("""{"time_series":[{"bucket":"2026-01-15T00:00:00Z","results":[],"results":[]}]}""", "'results' twice")]
    [InlineData("""{"time_series":[],"time_series":[]}""", "'time_series' twice")]
    [InlineData("""{"time_series":null}""", "time_series")]
    [InlineData("""{"summary":[],"summary":[]}""", "'summary' twice")]
    public void A_bucket_that_would_pass_for_a_time_that_cost_nothing_is_refused(string json, string says) =>
        Assert.Contains(says, Assert.Throws<JsonException>(() =>
            JsonSerializer.Deserialize(json, UsageJsonContext.Default.UsagePage)).Message, StringComparison.Ordinal);

    private static UsageRow Read(string json) => JsonSerializer.Deserialize<UsageRow>(json)!;
}
