using System.ComponentModel;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Fal.Observability.Client;

/// <summary>
/// Reads and writes a <see cref="UsageRow"/> as the service's JSON. It hangs on the type, so that rows can be part of other types and of
/// other source-generated contexts; nobody needs to name it.
/// </summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public sealed class UsageRowJsonConverter : JsonConverter<UsageRow>
{
    /// <summary>An amount that no bill reaches, and below which the sum of any number of rows fits into a decimal.</summary>
    private const decimal Unbelievable = 1e18m;

    /// <inheritdoc/>
    /// <exception cref="JsonException">
    /// The JSON is not an object with a total and a currency, or an amount is not a number that money can be.
    /// </exception>
    public override UsageRow Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            throw new JsonException($"A row of usage must be an object, and here is a JSON value of the kind {reader.TokenType}.");
        }

        string? app = null;
        string? environment = null;
        string? machineType = null;
        string? unit = null;
        string? currency = null;
        decimal? quantity = null;
        decimal? unitPrice = null;
        decimal? percentDiscount = null;
        decimal? subtotal = null;
        decimal? discount = null;
        decimal? total = null;
        decimal? deprecatedTotal = null;
        bool isSurge = false;
        Dictionary<string, JsonElement>? additional = null;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            string name = reader.GetString()!;
            reader.Read();
            switch (name)
            {
                case "app":
                    app = ReadText(ref reader, name);
                    break;
                case "environment":
                    environment = ReadText(ref reader, name);
                    break;
                case "machine_type":
                    machineType = ReadText(ref reader, name);
                    break;
                case "unit":
                    unit = ReadText(ref reader, name);
                    break;
                case "currency":
                    currency = ReadText(ref reader, name);
                    break;
                case "quantity":
                    quantity = ReadAmount(ref reader, name);
                    break;
                case "unit_price":
                    unitPrice = ReadAmount(ref reader, name);
                    break;
                case "percent_discount":
                    percentDiscount = ReadAmount(ref reader, name);
                    break;
                case "cost_subtotal":
                    subtotal = ReadAmount(ref reader, name);
                    break;
                case "cost_discount":
                    discount = ReadAmount(ref reader, name);
                    break;
                case "cost_total":
                    total = ReadAmount(ref reader, name);
                    break;
                case "cost":
                    // The old name of cost_total, which the service still sends beside it.
                    deprecatedTotal = ReadAmount(ref reader, name);
                    break;
                case "is_surge":
                    isSurge = reader.TokenType == JsonTokenType.True;
                    reader.TrySkip();
                    break;
                default:
                    additional ??= new Dictionary<string, JsonElement>(StringComparer.Ordinal);
                    additional[name] = JsonElement.ParseValue(ref reader);
                    break;
            }
        }

        return new UsageRow
        {
            App = app,
            Environment = environment,
            MachineType = machineType,
            Unit = unit,
            Quantity = quantity,
            UnitPrice = unitPrice,
            PercentDiscount = percentDiscount,
            CostSubtotal = subtotal,
            CostDiscount = discount,
            CostTotal = total ?? deprecatedTotal ?? throw new JsonException("A row of usage has no 'cost_total', what was charged."),
            Currency = string.IsNullOrWhiteSpace(currency)
                ? throw new JsonException("A row of usage has no 'currency': its money can be added to nothing.")
                : currency,
            IsSurge = isSurge,
            AdditionalMembers = additional ?? UsageRow.NoMembers,
        };
    }

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, UsageRow value, JsonSerializerOptions options)
    {
        ArgumentNullException.ThrowIfNull(writer);
        ArgumentNullException.ThrowIfNull(value);
        writer.WriteStartObject();
        writer.WriteString("app"u8, value.App);
        writer.WriteString("environment"u8, value.Environment);
        writer.WriteString("machine_type"u8, value.MachineType);
        writer.WriteString("unit"u8, value.Unit);
        WriteAmount(writer, "quantity", value.Quantity);
        WriteAmount(writer, "unit_price", value.UnitPrice);
        WriteAmount(writer, "percent_discount", value.PercentDiscount);
        WriteAmount(writer, "cost_subtotal", value.CostSubtotal);
        WriteAmount(writer, "cost_discount", value.CostDiscount);
        WriteAmount(writer, "cost_total", value.CostTotal);
        writer.WriteString("currency"u8, value.Currency);
        writer.WriteBoolean("is_surge"u8, value.IsSurge);
        foreach ((string name, JsonElement member) in value.AdditionalMembers)
        {
            writer.WritePropertyName(name);
            member.WriteTo(writer);
        }

        writer.WriteEndObject();
    }

    // A name of another kind cannot be passed over: the row would be added to those without one.
    private static string? ReadText(ref Utf8JsonReader reader, string name) => reader.TokenType switch
    {
        JsonTokenType.Null => null,
        JsonTokenType.String => reader.GetString(),
        _ => throw new JsonException($"'{name}' of a row of usage must be a text, and is a JSON value of the kind {reader.TokenType}."),
    };

    private static decimal? ReadAmount(ref Utf8JsonReader reader, string name)
    {
        if (reader.TokenType == JsonTokenType.Null)
        {
            return null;
        }

        if (reader.TokenType != JsonTokenType.Number)
        {
            throw new JsonException($"'{name}' of a row of usage must be a number, and is a JSON value of the kind {reader.TokenType}.");
        }

        return reader.TryGetDecimal(out decimal amount) && Math.Abs(amount) < Unbelievable
            ? amount
            : throw new JsonException($"'{name}' of a row of usage is {ShownNumber(ref reader)}, which no bill reaches.");
    }

    private static string ShownNumber(ref Utf8JsonReader reader)
    {
        const int Longest = 40;
        string number = JsonElement.ParseValue(ref reader).GetRawText();
        return number.Length > Longest ? number[..Longest] + "..." : number;
    }

    private static void WriteAmount(Utf8JsonWriter writer, string name, decimal? amount)
    {
        if (amount is { } value)
        {
            writer.WriteNumber(name, value);
        }
        else
        {
            writer.WriteNull(name);
        }
    }
}
