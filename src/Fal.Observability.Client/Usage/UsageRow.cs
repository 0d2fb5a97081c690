using System.Collections.ObjectModel;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Fal.Observability.Client;

/// <summary>One line of the bill: the compute of one app on one machine type, within one time bucket or over the whole range.</summary>
/// <remarks>
/// <para>
/// Money and quantities are decimals. They are read digit by digit, without a binary fraction in between. A decimal holds 28 digits;
/// further digits are rounded. Machine time that was billed at another price, discount or surge has its own row.
/// </para>
/// <para>A row is immutable and safe to share between threads. A test can create it with an object initializer.</para>
/// </remarks>
[JsonConverter(typeof(FalJsonConverter<UsageRow>))]
public sealed class UsageRow : IFalJson<UsageRow>
{
    /// <summary>An amount that no bill reaches, and below which the sum of any number of rows fits into a decimal.</summary>
    private const decimal Unbelievable = 1e18m;

    /// <summary>
    /// The name that the app was billed under, without its owner. It can have a suffix for an environment or version, so it is not always
    /// the name of an app (<see cref="FalApp.Name"/>). Null for a line that belongs to no app.
    /// </summary>
    public string? App { get; init; }

    /// <summary>The environment of the app, such as <c>main</c>; null if the line of the bill names none.</summary>
    public string? Environment { get; init; }

    /// <summary>The machine type, such as <c>GPU-H100</c>; null if the service leaves it out.</summary>
    public string? MachineType { get; init; }

    /// <summary>The unit of <see cref="Quantity"/>: always <c>second</c> so far; null if the service leaves it out.</summary>
    public string? Unit { get; init; }

    /// <summary>How many units were used; null if the service leaves it out.</summary>
    public decimal? Quantity { get; init; }

    /// <summary>The price of one unit before discounts in percent; null if the service leaves it out.</summary>
    public decimal? UnitPrice { get; init; }

    /// <summary>The discount in percent, 20 for 20 %; null if there is none.</summary>
    public decimal? PercentDiscount { get; init; }

    /// <summary>The cost before discounts; null if the service leaves it out.</summary>
    public decimal? CostSubtotal { get; init; }

    /// <summary>The discounts as an amount of money; null if the service leaves it out.</summary>
    public decimal? CostDiscount { get; init; }

    /// <summary>
    /// The amount charged, after discounts, in <see cref="Currency"/>: <c>cost_total</c> on the wire. <see cref="UsageTotals.Cost"/> and
    /// <see cref="AppCost.Cost"/> are sums of it.
    /// </summary>
    public required decimal Cost { get; init; }

    /// <summary>
    /// The currency of every amount of the row: a code of ISO 4217, such as <c>USD</c>. It is converted to upper case, so that one currency
    /// never counts as two.
    /// </summary>
    public required string Currency
    {
        get;
        init
        {
            ArgumentException.ThrowIfNullOrWhiteSpace(value);
            field = value.ToUpperInvariant();
        }
    }

    /// <summary>Whether the machine time was billed at the surge price.</summary>
    public bool IsSurge { get; init; }

    /// <summary>The fields of the line that this version does not know, by their names on the wire.</summary>
    public IReadOnlyDictionary<string, JsonElement> AdditionalMembers
    {
        get;
        init => field = value ?? throw new ArgumentNullException(nameof(value));
    } = ReadOnlyDictionary<string, JsonElement>.Empty;

    /// <summary>The machine time in seconds; null where <see cref="Quantity"/> is missing or of another unit.</summary>
    public decimal? MachineSeconds => Unit is null or "second" ? Quantity : null;

    static UsageRow IFalJson<UsageRow>.ReadJson(ref Utf8JsonReader reader)
    {
        var row = new AnswerObject(ref reader, "A usage row");
        // The old name of cost_total, which the service still sends beside it.
        decimal? deprecatedTotal = Amount("cost");
        return new UsageRow
        {
            // A name of another type cannot be ignored, because the row would be added to those without a name.
            App = row.Text("app"),
            Environment = row.Text("environment"),
            MachineType = row.Text("machine_type"),
            Unit = row.Text("unit"),
            Quantity = Amount("quantity"),
            UnitPrice = Amount("unit_price"),
            PercentDiscount = Amount("percent_discount"),
            CostSubtotal = Amount("cost_subtotal"),
            CostDiscount = Amount("cost_discount"),
            Cost = Amount("cost_total") ?? deprecatedTotal
                ?? throw new JsonException("A usage row has no 'cost_total', the amount charged."),
            Currency = row.RequiredText("currency"),
            IsSurge = row.Flag("is_surge"),
            AdditionalMembers = row.Others,
        };

        decimal? Amount(string name) => row.Amount<decimal>(
            name, value => value.TryGetDecimal(out decimal amount) && Math.Abs(amount) < Unbelievable ? amount : null);
    }

    void IFalJson<UsageRow>.WriteJson(Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        writer.WriteString("app"u8, App);
        writer.WriteString("environment"u8, Environment);
        writer.WriteString("machine_type"u8, MachineType);
        writer.WriteString("unit"u8, Unit);
        AnswerJson.Write(writer, "quantity", Quantity);
        AnswerJson.Write(writer, "unit_price", UnitPrice);
        AnswerJson.Write(writer, "percent_discount", PercentDiscount);
        AnswerJson.Write(writer, "cost_subtotal", CostSubtotal);
        AnswerJson.Write(writer, "cost_discount", CostDiscount);
        AnswerJson.Write(writer, "cost_total", Cost);
        writer.WriteString("currency"u8, Currency);
        writer.WriteBoolean("is_surge"u8, IsSurge);
        AnswerJson.WriteOthers(writer, AdditionalMembers);
        writer.WriteEndObject();
    }

    /// <summary>The row on one line for a log.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"{App ?? "no app"} ({Environment ?? "no environment"}) on {MachineType ?? "unknown machine"}" +
        $"{(IsSurge ? ", surge" : "")}: {Quantity} {Unit}, {Cost} {Currency}");

    /// <summary>
    /// Whether two rows are the same line of the same bill, so that the second repeats the first and must not be added to it. Fields that
    /// are new on the wire can distinguish lines too.
    /// </summary>
    internal sealed class SameLine : IEqualityComparer<UsageRow>
    {
        public static readonly SameLine Comparer = new();

        public bool Equals(UsageRow? x, UsageRow? y) => x is null || y is null
            ? x == y
            : IdentityOf(x) == IdentityOf(y)
                && x.AdditionalMembers.Count == y.AdditionalMembers.Count
                && x.AdditionalMembers.All(member => y.AdditionalMembers.TryGetValue(member.Key, out JsonElement value)
                    && JsonMarshal.GetRawUtf8Value(member.Value).SequenceEqual(JsonMarshal.GetRawUtf8Value(value)));

        public int GetHashCode(UsageRow obj) => IdentityOf(obj).GetHashCode();

        private static (string?, string?, string?, string?, decimal?, decimal?, string, bool) IdentityOf(UsageRow row) => (
            row.App, row.Environment, row.MachineType, row.Unit, row.UnitPrice, row.PercentDiscount, row.Currency, row.IsSurge);
    }
}
