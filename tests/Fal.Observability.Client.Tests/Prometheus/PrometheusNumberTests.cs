using System.Globalization;
using System.Text;
using Fal.Observability.Client.Prometheus;
using Xunit;

namespace Fal.Observability.Client.Tests.Prometheus;

public sealed class PrometheusNumberTests
{
    [Fact]
    public void A_value_has_the_bits_that_the_platform_gives_it()
    {
        var run = new FuzzRun(300_000, 1);
        long finite = 0;
        run.Go(random =>
        {
            string text = DecimalText(random);
            bool expected = TryParse(text, out double value);
            bool actual = PrometheusNumber.TryParseValue(Encoding.UTF8.GetBytes(text), out double read);

            Assert.True(expected == actual, text);
            if (expected)
            {
                finite++;
                Assert.True(BitConverter.DoubleToInt64Bits(value) == BitConverter.DoubleToInt64Bits(read), text);
            }
        });

        run.Report($"{finite} finite numbers, all with the same bits");
        Assert.True(finite > run.Rounds / 2);

        static bool TryParse(string text, out double value) =>
            double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out value) && double.IsFinite(value);
    }

    [Fact]
    public void A_short_integer_that_is_read_as_one_word_has_the_same_value()
    {
        var run = new FuzzRun(300_000, 2);
        byte[] line = new byte[200];
        long fewDigits = 0;
        run.Go(random =>
        {
            string text = random.Next(8) == 0 ? NearlyANumber(random) : DecimalText(random);
            random.NextBytes(line);
            int length = Encoding.UTF8.GetBytes(text, line);
            line[length] = (byte)'\n';
            bool isValue = PrometheusNumber.TryParseValue(line.AsSpan(0, length), out double value);
            if (PrometheusNumber.TryReadDigits(PrometheusNumber.ReadWord(ref line[0]), out int digits, out uint integer))
            {
                fewDigits++;
                Assert.True(isValue && digits == length && value.Equals(integer), text);
            }
        });

        run.Report($"{fewDigits} short integers, all with the same value");
        Assert.InRange(fewDigits, run.Rounds / 50, run.Rounds);
    }

    /// <summary>A number with one character that may not belong there.</summary>
    private static string NearlyANumber(Random random)
    {
        string text = DecimalText(random);
        return text.Insert(random.Next(text.Length + 1), "eE.+-:/ \t0x"[random.Next(11)].ToString());
    }

    /// <summary>Random numbers of every shape, with those that are hard to round among them.</summary>
    internal static string DecimalText(Random random)
    {
        string sign = random.Next(4) switch { 0 => "-", 1 => "+", _ => "" };
        switch (random.Next(8))
        {
            case 0: // any double, written to be read back
                double any = BitConverter.Int64BitsToDouble(random.NextInt64(long.MinValue, long.MaxValue));
                return double.IsFinite(any) ? any.ToString("R", CultureInfo.InvariantCulture) : "1";
            case 1: // any double with too many or too few digits
                double other = BitConverter.Int64BitsToDouble(random.NextInt64(long.MinValue, long.MaxValue));
                return double.IsFinite(other)
                    ? other.ToString("E" + random.Next(1, 25).ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture)
                    : "2";
            case 2: // halfway between two doubles, exactly or nearly
                double low = BitConverter.Int64BitsToDouble(
                    (random.NextInt64() & 0x000FFFFFFFFFFFFF) | ((long)random.Next(1023, 1023 + 80) << 52)
                );
                var exact = new System.Numerics.BigInteger(low) + new System.Numerics.BigInteger(Math.BitIncrement(low));
                return sign
                    + (exact / 2).ToString(CultureInfo.InvariantCulture)
                    + random.Next(3) switch
                    {
                        0 => "",
                        1 => ".0000000000000000001",
                        _ => "e0",
                    };
            case 3: // what gauges and counters look like
                return sign
                    + random.Next(1_000_000).ToString(CultureInfo.InvariantCulture)
                    + random.Next(3) switch
                    {
                        0 => "",
                        1 => "." + random.Next(1000).ToString(CultureInfo.InvariantCulture),
                        _ => "e+0" + random.Next(9).ToString(CultureInfo.InvariantCulture),
                    };
            case 4: // many digits
                var digits = new StringBuilder(sign);
                int count = random.Next(1, 40);
                int point = random.Next(-5, count);
                for (int i = 0; i < count; i++)
                {
                    if (i == point)
                    {
                        digits.Append('.');
                    }

                    digits.Append((char)('0' + random.Next(10)));
                }

                return digits.ToString();
            case 5: // as many digits as 64 bits hold, and every exponent for which these decide
                return sign
                    + random.NextInt64(1_000_000_000_000_000, long.MaxValue).ToString(CultureInfo.InvariantCulture)
                    + "e"
                    + random.Next(-40, 70).ToString(CultureInfo.InvariantCulture);
            case 6: // halfway between two doubles with a fraction, exactly or off by one in the last of many digits
                int fraction = random.Next(1, 90);
                System.Numerics.BigInteger odd = (random.NextInt64(1L << 52, 1L << 53) * 2) + 1;
                System.Numerics.BigInteger halfway = odd * System.Numerics.BigInteger.Pow(5, fraction) + random.Next(-1, 2);
                return sign + halfway.ToString(CultureInfo.InvariantCulture) + "e-" + fraction.ToString(CultureInfo.InvariantCulture);
            default: // near the ends of the range
                return sign
                    + random.Next(1, 100).ToString(CultureInfo.InvariantCulture)
                    + "."
                    + random.NextInt64(1, long.MaxValue).ToString(CultureInfo.InvariantCulture)
                    + "e"
                    + (random.Next(2) == 0 ? random.Next(-330, -300) : random.Next(300, 312)).ToString(CultureInfo.InvariantCulture);
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("+")]
    [InlineData(".")]
    [InlineData("e5")]
    [InlineData("1e")]
    [InlineData("1e+")]
    [InlineData("1.2.3")]
    [InlineData("1 ")]
    [InlineData(" 1")]
    [InlineData("1_000")]
    [InlineData("1,5")]
    [InlineData("0x10")]
    [InlineData("0b1")]
    [InlineData("1p3")]
    [InlineData("1d")]
    [InlineData("1f")]
    [InlineData("--1")]
    [InlineData("+-1")]
    [InlineData("1e5.5")]
    [InlineData("infinit")]
    [InlineData("nane")]
    [InlineData("∞")]
    [InlineData("٣")]
    [InlineData("1e309")]
    [InlineData("-1e309")]
    [InlineData("1e99999999999999999999")]
    [InlineData("179769313486231580793728971405301e277")]
    public void What_is_no_value_is_refused(string text) =>
        Assert.False(PrometheusNumber.TryParseValue(Encoding.UTF8.GetBytes(text), out _));

    [Theory]
    [InlineData("inf", double.PositiveInfinity)]
    [InlineData("+INF", double.PositiveInfinity)]
    [InlineData("-iNf", double.NegativeInfinity)]
    [InlineData("INFINITY", double.PositiveInfinity)]
    [InlineData("-Infinity", double.NegativeInfinity)]
    [InlineData("nan", double.NaN)]
    [InlineData("NAN", double.NaN)]
    [InlineData("+nan", double.NaN)]
    [InlineData("-NaN", double.NaN)]
    [InlineData("-0", -0.0)]
    [InlineData("0e999999999999", 0)]
    [InlineData("1e-999999999999", 0)]
    [InlineData("4.9e-324", 4.9e-324)]
    [InlineData("1.7976931348623157e308", double.MaxValue)]
    public void Special_values_and_ends_of_the_range_are_values(string text, double value)
    {
        Assert.True(PrometheusNumber.TryParseValue(Encoding.UTF8.GetBytes(text), out double read));
        Assert.Equal(value, read);
        Assert.Equal(double.IsNegative(value) && !double.IsNaN(value), double.IsNegative(read));
    }

    [Theory]
    [InlineData("0", 0L)]
    [InlineData("-0", 0L)]
    [InlineData("9223372036854775807", long.MaxValue)]
    [InlineData("-9223372036854775808", long.MinValue)]
    [InlineData("9223372036854775808", null)]
    [InlineData("-9223372036854775809", null)]
    [InlineData("92233720368547758070", null)]
    [InlineData("+1", null)]
    [InlineData("", null)]
    [InlineData("-", null)]
    [InlineData("1.0", null)]
    [InlineData("1e3", null)]
    public void Milliseconds_are_whole(string text, long? milliseconds)
    {
        bool isTimestamp = PrometheusNumber.TryParseMilliseconds(Encoding.UTF8.GetBytes(text), out long read);

        Assert.Equal(milliseconds, isTimestamp ? read : null);
    }

    [Theory]
    [InlineData("1.1", 1100L)]
    [InlineData("-1.1", -1100L)]
    [InlineData("1520879607.789", 1520879607789L)]
    [InlineData("1.0009999", 1000L)]
    [InlineData("1.5e3", 1500000L)]
    [InlineData("15e-4", 1L)]
    [InlineData("0.0000000001", 0L)]
    [InlineData("12345678901234567890.1234567890", long.MaxValue)]
    [InlineData("-12345678901234567890.1234567890", long.MinValue)]
    [InlineData("1e300", long.MaxValue)]
    public void Seconds_become_milliseconds_exactly(string text, long milliseconds)
    {
        Assert.True(PrometheusNumber.TryParseSeconds(Encoding.UTF8.GetBytes(text), out Int128 nanoseconds));
        Assert.Equal(milliseconds, PrometheusNumber.ToMilliseconds(nanoseconds));
    }

    [Fact]
    public void Seconds_keep_nanoseconds_beyond_what_a_double_holds()
    {
        Assert.True(PrometheusNumber.TryParseSeconds("1234567890.123456789"u8, out Int128 first));
        Assert.True(PrometheusNumber.TryParseSeconds("12345678901234567890.123456789"u8, out Int128 second));

        Assert.Equal((Int128)1234567890123456789, first);
        Assert.Equal(Int128.Parse("12345678901234567890123456789", CultureInfo.InvariantCulture), second);
    }
}
