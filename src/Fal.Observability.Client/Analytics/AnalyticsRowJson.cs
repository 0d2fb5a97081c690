using System.Buffers;
using System.Buffers.Binary;
using System.Buffers.Text;
using System.Numerics;
using System.Text;
using System.Text.Json;

namespace Fal.Observability.Client;

/// <summary>Reads and writes an <see cref="AnalyticsRow"/> as the service's JSON.</summary>
internal static class AnalyticsRowJson
{
    private const int LongestRememberedText = 128;
    private const int LongestShortNumber = 15;

    private static readonly double[] PowersOfTen = [1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];

    // A page repeats the same few endpoint ids in every bucket. The last id is kept in a slot that its bytes select. It is compared before
    // it is used again, so a lost race or a collision costs one more string but never returns a wrong one.
    private static readonly string?[] RecentTexts = new string?[1024];

    public static AnalyticsRow Read(ref Utf8JsonReader reader)
    {
        AnswerJson.ThrowIfNotObject(ref reader, "An analytics row");
        string? endpointId = null;
        var named = AnalyticsExpand.None;
        var metrics = AnalyticsExpand.None;
        Dictionary<string, JsonElement>? additional = null;
        Span<long> values = stackalloc long[AnalyticsExpandExtensions.FlagCount];
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            ReadOnlySpan<byte> name = reader.HasValueSequence || reader.ValueIsEscaped
                ? Encoding.UTF8.GetBytes(reader.GetString()!)
                : reader.ValueSpan;
            int index = AnalyticsExpandExtensions.FindMetric(name);
            reader.Read();
            if (index >= 0)
            {
                var metric = (AnalyticsExpand)(1L << index);
                if ((named & metric) != 0)
                {
                    throw Twice(metric.GetWireName());
                }

                named |= metric;
                if (reader.TokenType == JsonTokenType.Null)
                {
                    continue;
                }

                if (TryReadNumber(ref reader, AnalyticsExpandExtensions.IsDurationAt(index), out values[index]))
                {
                    metrics |= metric;
                    continue;
                }
            }
            else if (reader.TokenType == JsonTokenType.String && name.SequenceEqual("endpoint_id"u8))
            {
                if (endpointId is not null)
                {
                    throw Twice("endpoint_id");
                }

                endpointId = reader.HasValueSequence || reader.ValueIsEscaped ? reader.GetString()! : ToText(reader.ValueSpan);
                continue;
            }

            additional ??= new Dictionary<string, JsonElement>(StringComparer.Ordinal);
            additional[ToText(name)] = JsonElement.ParseValue(ref reader);
        }

        long[] packed = new long[BitOperations.PopCount((ulong)metrics)];
        ulong rest = (ulong)metrics;
        for (int i = 0; i < packed.Length; i++)
        {
            packed[i] = values[BitOperations.TrailingZeroCount(rest)];
            rest &= rest - 1;
        }

        return new AnalyticsRow(endpointId ?? "", metrics, packed, additional);
    }

    private static JsonException Twice(string name) => AnswerJson.Twice("The row", name);

    public static void Write(Utf8JsonWriter writer, AnalyticsRow row)
    {
        writer.WriteStartObject();
        writer.WriteString("endpoint_id"u8, row.EndpointId);
        ulong rest = (ulong)row.Metrics;
        foreach (long bits in row.PackedValues)
        {
            int index = BitOperations.TrailingZeroCount(rest);
            rest &= rest - 1;
            if (AnalyticsExpandExtensions.IsDurationAt(index))
            {
                writer.WriteNumber(AnalyticsExpandExtensions.EncodedName(index), BitConverter.Int64BitsToDouble(bits));
            }
            else
            {
                writer.WriteNumber(AnalyticsExpandExtensions.EncodedName(index), bits);
            }
        }

        AnswerJson.WriteOthers(writer, row.AdditionalMetrics);
        writer.WriteEndObject();
    }

    // The bits that the row stores. A number that does not fit the metric's type is not stored here. It is kept as it was sent.
    private static bool TryReadNumber(ref Utf8JsonReader reader, bool isDuration, out long bits)
    {
        bits = 0;
        if (reader.TokenType != JsonTokenType.Number)
        {
            return false;
        }

        if (!reader.HasValueSequence && TryReadShort(reader.ValueSpan, out long digits, out int decimals))
        {
            // The quotient of two numbers that a double holds exactly is the double nearest to what was sent.
            bits = isDuration ? BitConverter.DoubleToInt64Bits(digits / PowersOfTen[decimals]) : digits;
            if (isDuration || decimals == 0)
            {
                return true;
            }
        }

        if (!isDuration)
        {
            return reader.TryGetInt64(out bits)
                || TryReadWhole(reader.HasValueSequence ? reader.ValueSequence.ToArray() : reader.ValueSpan, out bits);
        }

        if (!reader.TryGetDouble(out double seconds) || !double.IsFinite(seconds))
        {
            return false;
        }

        bits = BitConverter.DoubleToInt64Bits(seconds);
        return true;
    }

    // Reads the usual form of a number: not negative and at most fifteen digits. The framework's general methods take several times as
    // long. The text is a number by the JSON grammar.
    private static bool TryReadShort(ReadOnlySpan<byte> number, out long digits, out int decimals)
    {
        digits = 0;
        decimals = 0;
        if (number.Length > LongestShortNumber)
        {
            return false;
        }

        int step = 0;
        foreach (byte b in number)
        {
            uint digit = b - (uint)'0';
            if (digit <= 9)
            {
                digits = (digits * 10) + digit;
                decimals += step;
            }
            else if (b == '.')
            {
                step = 1;
            }
            else
            {
                return false;
            }
        }

        return true;
    }

    // Reads a whole number in another form, such as 12.0 or 1.2e1, digit by digit. A double or a decimal would round a count, or treat
    // 1e-40 as zero. The text is a number by the JSON grammar.
    private static bool TryReadWhole(ReadOnlySpan<byte> number, out long value)
    {
        value = 0;
        bool negative = number[0] == '-';
        int exponentAt = number.IndexOfAny((byte)'e', (byte)'E');
        int exponent = 0;
        if (exponentAt >= 0 && !Utf8Parser.TryParse(number[(exponentAt + 1)..], out exponent, out _))
        {
            return false;
        }

        ReadOnlySpan<byte> digits = number[(negative ? 1 : 0)..(exponentAt < 0 ? number.Length : exponentAt)];
        int pointAt = digits.IndexOf((byte)'.');

        // How many digits of the whole part are still to come; those that are not written are zeros.
        long wholeDigits = (long)(pointAt < 0 ? digits.Length : pointAt) + exponent;
        Int128 magnitude = 0;
        foreach (byte digit in digits)
        {
            if (digit == '.')
            {
                continue;
            }

            if (--wholeDigits >= 0)
            {
                magnitude = (magnitude * 10) + (digit - '0');
            }
            else if (digit != '0')
            {
                return false;
            }

            if (magnitude > ulong.MaxValue)
            {
                return false;
            }
        }

        for (; magnitude != 0 && wholeDigits > 0 && magnitude <= ulong.MaxValue; wholeDigits--)
        {
            magnitude *= 10;
        }

        Int128 signed = negative ? -magnitude : magnitude;
        value = signed >= long.MinValue && signed <= long.MaxValue ? (long)signed : 0;
        return value == signed;
    }

    private static string ToText(ReadOnlySpan<byte> utf8)
    {
        if (utf8.Length > LongestRememberedText)
        {
            return Encoding.UTF8.GetString(utf8);
        }

        ulong hash = (ulong)utf8.Length;
        ReadOnlySpan<byte> rest = utf8;
        for (; rest.Length >= sizeof(ulong); rest = rest[sizeof(ulong)..])
        {
            hash = BitOperations.RotateLeft(hash ^ BinaryPrimitives.ReadUInt64LittleEndian(rest), 29) * 0x9E3779B97F4A7C15;
        }

        foreach (byte b in rest)
        {
            hash = (hash ^ b) * 0x9E3779B97F4A7C15;
        }

        ref string? slot = ref RecentTexts[hash >> 54];
        string? recent = slot;
        return recent is not null && Ascii.Equals(utf8, recent) ? recent : slot = Encoding.UTF8.GetString(utf8);
    }
}
