using System.Buffers.Binary;
using System.Buffers.Text;
using System.Globalization;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Text;

namespace Fal.Observability.Client.Prometheus;

/// <summary>
/// The numbers of the exposition formats: values, and timestamps in milliseconds (text) or seconds (OpenMetrics).
/// </summary>
/// <remarks>
/// A value is a decimal number with an optional sign, fraction and exponent. It can also be <c>inf</c>, <c>infinity</c> or
/// <c>nan</c>, in upper or lower case, with an optional sign. Spaces, hexadecimal digits and digit separators are errors. A number
/// that is too large for a double is also an error.
/// </remarks>
internal static class PrometheusNumber
{
    /// <summary>The NaN that Prometheus stores when it reads NaN. Its staleness marker has other bits.</summary>
    private static readonly double CanonicalNaN = BitConverter.UInt64BitsToDouble(0x7ff8000000000001);

    /// <summary>
    /// Integers up to this bound are exact doubles. So are the powers of ten in the table below.
    /// </summary>
    private const ulong MaxExactInteger = 1UL << 53;

    private static readonly double[] ExactPowersOfTen =
    [
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
    ];

    /// <summary>A number with this many digits always fits into 64 bits.</summary>
    private const int MaxDigits = 19;

    /// <summary>The digit zero in each byte of a word.</summary>
    private const ulong Zeros = 0x3030303030303030;

    /// <summary>Reads eight bytes as a little-endian word.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong ReadWord(ref byte text)
    {
        ulong word = Unsafe.ReadUnaligned<ulong>(ref text);
        return BitConverter.IsLittleEndian ? word : BinaryPrimitives.ReverseEndianness(word);
    }

    public static bool TryParseValue(ReadOnlySpan<byte> text, out double value) =>
        TryParseShort(text, out value) || TryParseAny(text, out value);

    /// <summary>
    /// Parses the number in a label value such as that of <c>le</c>. Fails for null, which means that the label is missing.
    /// </summary>
    public static bool TryParseValue(string? text, out double value)
    {
        const int usual = 64;
        Span<byte> utf8 = text is not { Length: > usual }
            ? stackalloc byte[3 * usual]
            : new byte[Encoding.UTF8.GetMaxByteCount(text.Length)];
        return TryParseValue(utf8[..Encoding.UTF8.GetBytes(text, utf8)], out value);
    }

    /// <summary>Reads up to seven digits and the line feed after them, all at once as one word.</summary>
    /// <param name="text">The word, the first digit in its lowest byte.</param>
    /// <param name="length">The number of digits.</param>
    /// <param name="value">The number.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryReadDigits(ulong text, out int length, out uint value)
    {
        // XOR turns each line feed into a zero byte. The subtraction and the masks set the highest bit of the first zero byte.
        ulong feeds = text ^ 0x0A0A0A0A0A0A0A0A;
        feeds = (feeds - 0x0101010101010101) & ~feeds & 0x8080808080808080;
        int bits = BitOperations.TrailingZeroCount(feeds);
        length = bits >> 3;
        // The shift removes the line feed and everything after it, and fills in leading zeros.
        ulong digits = (text ^ Zeros) << (7 - bits);
        value = Join(digits);
        return (uint)(length - 1) < 7 && (((digits + 0x7676767676767676) | digits) & 0x8080808080808080) == 0;
    }

    /// <summary>
    /// Converts eight digits, one per byte. Combines adjacent digits into pairs, pairs into groups of four, and these into the number.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Join(ulong digits)
    {
        digits = digits * 10 + (digits >> 8);
        const ulong pairs = 0x000000FF000000FF;
        return (uint)(((digits & pairs) * 0x000F424000000064 + ((digits >> 16) & pairs) * 0x0000271000000001) >> 32);
    }

    /// <summary>
    /// Computes the double nearest to significand times ten to the power of exponent, if both factors are exact doubles. A single
    /// multiplication or division then rounds only once, and therefore correctly. The framework parses all other numbers.
    /// </summary>
    private static bool TryRound(ulong significand, int exponent, bool isNegative, out double value)
    {
        value = 0;
        if (significand > MaxExactInteger || exponent is < -22 or > 22)
        {
            return false;
        }

        value = significand;
        value = exponent < 0 ? value / ExactPowersOfTen[-exponent] : value * ExactPowersOfTen[exponent];
        value = isNegative ? -value : value;
        return true;
    }

    /// <summary>
    /// Parses a number of at most 19 characters, as most metrics have. Its digits always fit into 64 bits, so they need no overflow check.
    /// </summary>
    private static bool TryParseShort(ReadOnlySpan<byte> text, out double value)
    {
        value = 0;
        if (text.Length is 0 or > 19)
        {
            return false;
        }

        int i = text[0] is (byte)'-' or (byte)'+' ? 1 : 0;
        int start = i;
        ulong significand = 0;
        uint digit;
        for (; i < text.Length && (digit = (uint)(text[i] - '0')) <= 9; i++)
        {
            significand = significand * 10 + digit;
        }

        int digits = i - start;
        int exponent = 0;
        if (i < text.Length && text[i] == '.')
        {
            int fraction = ++i;
            for (; i < text.Length && (digit = (uint)(text[i] - '0')) <= 9; i++)
            {
                significand = significand * 10 + digit;
            }

            exponent = fraction - i;
            digits -= exponent;
        }

        return digits > 0 && (i == text.Length || ScannedNumber.TryScanExponent(text[i..], ref exponent))
            && TryRound(significand, exponent, text[0] == '-', out value);
    }

    private static bool TryParseAny(ReadOnlySpan<byte> text, out double value)
    {
        value = 0;
        if (text.IsEmpty || (text[0] > '9' && (text[0] | 0x20) is not ('i' or 'n')))
        {
            return false;
        }

        if (!ScannedNumber.TryScan(text, out ScannedNumber number))
        {
            return TryParseSpecial(text, out value);
        }

        if (number.Significand == 0)
        {
            value = number.IsNegative ? -0.0 : 0.0;
            return true;
        }

        // TryRound fails if not all digits fit into the significand, because a truncated one is always greater than MaxExactInteger.
        return TryRound(number.Significand, number.Exponent, number.IsNegative, out value)
            || (double.TryParse(text, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent,
                CultureInfo.InvariantCulture, out value) && double.IsFinite(value));
    }

    private static bool TryParseSpecial(ReadOnlySpan<byte> text, out double value)
    {
        bool negative = false;
        if (text.Length > 0 && text[0] is (byte)'+' or (byte)'-')
        {
            negative = text[0] == '-';
            text = text[1..];
        }

        if (Ascii.EqualsIgnoreCase(text, "inf"u8) || Ascii.EqualsIgnoreCase(text, "infinity"u8))
        {
            value = negative ? double.NegativeInfinity : double.PositiveInfinity;
            return true;
        }

        value = CanonicalNaN;
        return Ascii.EqualsIgnoreCase(text, "nan"u8);
    }

    /// <summary>Parses a whole number of milliseconds, which may be negative.</summary>
    public static bool TryParseMilliseconds(ReadOnlySpan<byte> text, out long milliseconds)
    {
        milliseconds = 0;
        bool negative = text.Length > 0 && text[0] == '-';
        ReadOnlySpan<byte> digits = negative ? text[1..] : text;
        if (digits.Length > 18)
        {
            // Up to 18 digits cannot overflow. The framework checks longer numbers, but it also accepts a plus sign.
            return text[0] != '+' && Utf8Parser.TryParse(text, out milliseconds, out int read) && read == text.Length;
        }

        long magnitude = 0;
        foreach (byte b in digits)
        {
            uint digit = (uint)(b - '0');
            if (digit > 9)
            {
                return false;
            }

            magnitude = magnitude * 10 + digit;
        }

        milliseconds = negative ? -magnitude : magnitude;
        return !digits.IsEmpty;
    }

    /// <summary>
    /// Parses decimal seconds to whole nanoseconds. Truncates smaller fractions, and limits the result to the range of the type.
    /// </summary>
    public static bool TryParseSeconds(ReadOnlySpan<byte> text, out Int128 nanoseconds)
    {
        nanoseconds = 0;
        if (!ScannedNumber.TryScan(text, out ScannedNumber number))
        {
            return false;
        }

        int power = number.Exponent + 9;
        if (!number.IsTruncated && power is > -PowersOfTenInWord and < PowersOfTenInWord)
        {
            Int128 whole = power < 0 ? number.Significand / PowerOfTen(-power) : (Int128)number.Significand * PowerOfTen(power);
            nanoseconds = number.IsNegative ? -whole : whole;
            return true;
        }

        // The significand holds nineteen digits. Read the digits of a longer number again with 128 bits.
        UInt128 magnitude = number.Significand;
        int exponent = number.Exponent;
        if (number.IsTruncated)
        {
            (magnitude, exponent) = ScannedNumber.ScanWide(text);
        }

        exponent += 9;
        UInt128 limit = (UInt128)Int128.MaxValue;
        for (; exponent < 0 && magnitude != 0; exponent++)
        {
            magnitude /= 10;
        }

        for (; exponent > 0 && magnitude != 0 && magnitude != limit; exponent--)
        {
            magnitude = magnitude > limit / 10 ? limit : magnitude * 10;
        }

        magnitude = UInt128.Min(magnitude, limit);
        nanoseconds = number.IsNegative ? -(Int128)magnitude : (Int128)magnitude;
        return true;
    }

    /// <summary>
    /// For every n below this constant, ten to the power of n fits into 64 bits. The product of such a power and a significand, which has
    /// at most 19 digits, fits into 127 bits.
    /// </summary>
    private const int PowersOfTenInWord = 20;

    private static ulong PowerOfTen(int exponent)
    {
        ulong power = 1;
        for (; exponent > 0; exponent--)
        {
            power *= 10;
        }

        return power;
    }

    /// <summary>Converts nanoseconds to milliseconds. Truncates towards zero, and limits the result to the range of the type.</summary>
    public static long ToMilliseconds(Int128 nanoseconds) =>
        (long)Int128.Clamp(nanoseconds / 1_000_000, long.MinValue, long.MaxValue);

    /// <summary>The parts of a decimal number: significand times ten to the power of exponent.</summary>
    private struct ScannedNumber
    {
        /// <summary>Larger exponents are not read exactly, because they are out of range for every use, whatever the digits are.</summary>
        private const int ExponentLimit = 1_000_000_000;

        public ulong Significand;
        public int Exponent;
        public bool IsNegative;

        /// <summary>Whether the significand lacks digits other than zero, because they did not fit.</summary>
        public bool IsTruncated;

        public static bool TryScan(ReadOnlySpan<byte> text, out ScannedNumber number)
        {
            number = default;
            int i = 0;
            if (text.Length > 0 && text[0] is (byte)'+' or (byte)'-')
            {
                number.IsNegative = text[0] == '-';
                i = 1;
            }

            ulong significand = 0;
            int kept = 0;
            int exponent = 0;
            int digits = 0;
            bool fraction = false;
            for (; i < text.Length; i++)
            {
                uint digit = (uint)(text[i] - '0');
                if (digit <= 9)
                {
                    digits++;
                    if (kept < MaxDigits)
                    {
                        significand = significand * 10 + digit;
                        if (significand != 0)
                        {
                            kept++;
                        }

                        if (fraction)
                        {
                            exponent--;
                        }
                    }
                    else
                    {
                        number.IsTruncated |= digit != 0;
                        if (!fraction)
                        {
                            exponent++;
                        }
                    }
                }
                else if (text[i] == '.' && !fraction)
                {
                    fraction = true;
                }
                else
                {
                    break;
                }
            }

            number.Significand = significand;
            number.Exponent = exponent;
            if (digits == 0)
            {
                return false;
            }

            return i == text.Length || TryScanExponent(text[i..], ref number.Exponent);
        }

        public static bool TryScanExponent(ReadOnlySpan<byte> text, ref int exponent)
        {
            if ((text[0] | 0x20) != 'e')
            {
                return false;
            }

            int i = 1;
            bool negative = false;
            if (i < text.Length && text[i] is (byte)'+' or (byte)'-')
            {
                negative = text[i++] == '-';
            }

            if (i == text.Length)
            {
                return false;
            }

            int written = 0;
            for (; i < text.Length; i++)
            {
                uint digit = (uint)(text[i] - '0');
                if (digit > 9)
                {
                    return false;
                }

                if (written < ExponentLimit / 10)
                {
                    written = written * 10 + (int)digit;
                }
            }

            exponent += negative ? -written : written;
            return true;
        }

        /// <summary>
        /// Reads a valid number again with up to 38 digits, which always fit into 128 bits. Each of two 64-bit words holds 19 of them.
        /// </summary>
        public static (UInt128 Significand, int Exponent) ScanWide(ReadOnlySpan<byte> text)
        {
            ulong high = 0;
            ulong low = 0;
            int kept = 0;
            int exponent = 0;
            bool fraction = false;
            for (int i = 0; i < text.Length; i++)
            {
                uint digit = (uint)(text[i] - '0');
                if (digit <= 9)
                {
                    if (kept < MaxDigits)
                    {
                        high = high * 10 + digit;
                        kept += high != 0 ? 1 : 0;
                        exponent -= fraction ? 1 : 0;
                    }
                    else if (kept < 2 * MaxDigits)
                    {
                        low = low * 10 + digit;
                        kept++;
                        exponent -= fraction ? 1 : 0;
                    }
                    else if (!fraction)
                    {
                        exponent++;
                    }
                }
                else if (text[i] == '.')
                {
                    fraction = true;
                }
                else if ((text[i] | 0x20) == 'e')
                {
                    TryScanExponent(text[i..], ref exponent);
                    break;
                }
            }

            return kept <= MaxDigits ? (high, exponent) : ((UInt128)high * PowerOfTen(kept - MaxDigits) + low, exponent);
        }
    }
}
