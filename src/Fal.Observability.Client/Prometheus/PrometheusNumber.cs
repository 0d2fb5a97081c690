using System.Globalization;

namespace Fal.Observability.Client.Prometheus;

/// <summary>
/// The numbers of the exposition formats: values, and timestamps in milliseconds (text) or seconds (OpenMetrics).
/// </summary>
/// <remarks>
/// A value is a decimal number with an optional sign, fraction and exponent, or in any case <c>inf</c>, <c>infinity</c>
/// or <c>nan</c>, with an optional sign. No blanks, no hexadecimal, no digit separators; what is too large for a double
/// is an error.
/// </remarks>
internal static class PrometheusNumber
{
    /// <summary>The NaN that Prometheus stores for a NaN it reads; its staleness marker is another one.</summary>
    private static readonly double CanonicalNaN = BitConverter.UInt64BitsToDouble(0x7ff8000000000001);

    /// <summary>Integers to this bound, and the powers of ten below, are exact doubles, so that one rounding remains.</summary>
    private const ulong MaxExactInteger = 1UL << 53;

    private static readonly double[] ExactPowersOfTen =
    [
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
    ];

    internal static bool TryParseValue(ReadOnlySpan<byte> text, out double value) =>
        TryParseShort(text, out value) || TryParseAny(text, out value);

    /// <summary>
    /// The numbers that metrics mostly have: so few digits that they fit into 64 bits without looking, and so small an
    /// exponent that the result is exact but for one rounding.
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

        if (digits == 0 || (i < text.Length && !Decimal.TryScanExponent(text[i..], ref exponent))
            || significand > MaxExactInteger || exponent is < -22 or > 22)
        {
            return false;
        }

        double magnitude = significand;
        if (exponent != 0)
        {
            magnitude = exponent < 0 ? magnitude / ExactPowersOfTen[-exponent] : magnitude * ExactPowersOfTen[exponent];
        }

        value = text[0] == '-' ? -magnitude : magnitude;
        return true;
    }

    private static bool TryParseAny(ReadOnlySpan<byte> text, out double value)
    {
        value = 0;
        if (text.IsEmpty || (text[0] > '9' && (text[0] | 0x20) is not ('i' or 'n')))
        {
            return false;
        }

        if (!Decimal.TryScan(text, out Decimal number))
        {
            return TryParseSpecial(text, out value);
        }

        if (number.Significand == 0)
        {
            value = number.IsNegative ? -0.0 : 0.0;
            return true;
        }

        if (number.Exponent is >= EiselLemire.MinExponent and <= EiselLemire.MaxExponent)
        {
            value = EiselLemire.Round(number.Significand, number.Exponent);
            // With digits left out, the number lies between this significand and the next: if both round alike, so does it.
            if (!number.IsTruncated || value.Equals(EiselLemire.Round(number.Significand + 1, number.Exponent)))
            {
                value = number.IsNegative ? -value : value;
                return true;
            }
        }

        return double.TryParse(text, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent,
            CultureInfo.InvariantCulture, out value) && double.IsFinite(value);
    }

    private static bool TryParseSpecial(ReadOnlySpan<byte> text, out double value)
    {
        bool negative = false;
        if (text.Length > 0 && text[0] is (byte)'+' or (byte)'-')
        {
            negative = text[0] == '-';
            text = text[1..];
        }

        if (Is(text, "inf"u8) || Is(text, "infinity"u8))
        {
            value = negative ? double.NegativeInfinity : double.PositiveInfinity;
            return true;
        }

        value = CanonicalNaN;
        return Is(text, "nan"u8);

        static bool Is(ReadOnlySpan<byte> text, ReadOnlySpan<byte> lowerCase)
        {
            if (text.Length != lowerCase.Length)
            {
                return false;
            }

            for (int i = 0; i < text.Length; i++)
            {
                if ((text[i] | 0x20) != lowerCase[i])
                {
                    return false;
                }
            }

            return true;
        }
    }

    /// <summary>A whole number of milliseconds, perhaps negative.</summary>
    internal static bool TryParseMilliseconds(ReadOnlySpan<byte> text, out long milliseconds)
    {
        milliseconds = 0;
        bool negative = text.Length > 0 && text[0] == '-';
        if (negative)
        {
            text = text[1..];
        }

        if (text.IsEmpty)
        {
            return false;
        }

        if (text.Length < 19)
        {
            // Cannot overflow.
            foreach (byte b in text)
            {
                uint digit = (uint)(b - '0');
                if (digit > 9)
                {
                    return false;
                }

                milliseconds = milliseconds * 10 + digit;
            }

            milliseconds = negative ? -milliseconds : milliseconds;
            return true;
        }

        // Gathered below zero, because long.MinValue has no positive counterpart.
        foreach (byte b in text)
        {
            uint digit = (uint)(b - '0');
            if (digit > 9 || milliseconds < long.MinValue / 10 || milliseconds * 10 < long.MinValue + digit)
            {
                return false;
            }

            milliseconds = milliseconds * 10 - digit;
        }

        if (negative)
        {
            return true;
        }

        milliseconds = -milliseconds;
        return milliseconds >= 0;
    }

    /// <summary>
    /// Decimal seconds as whole nanoseconds, what is finer cut off. Beyond what fits, the nearest that fits.
    /// </summary>
    internal static bool TryParseSeconds(ReadOnlySpan<byte> text, out Int128 nanoseconds)
    {
        nanoseconds = 0;
        if (!Decimal.TryScan(text, out Decimal number))
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

        // Nineteen digits are all the significand holds; the digits of a longer number are read again at full width.
        UInt128 magnitude = number.Significand;
        int exponent = number.Exponent;
        if (number.IsTruncated)
        {
            (magnitude, exponent) = Decimal.ScanWide(text);
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

    /// <summary>The powers of ten below this fit into 64 bits, and a number of so many digits times one of them into 127.</summary>
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

    /// <summary>Nanoseconds as milliseconds, cut towards zero; beyond what fits, the nearest that fits.</summary>
    internal static long ToMilliseconds(Int128 nanoseconds)
    {
        if (nanoseconds >= long.MinValue && nanoseconds <= long.MaxValue)
        {
            return (long)nanoseconds / 1_000_000;
        }

        Int128 milliseconds = nanoseconds / 1_000_000;
        return milliseconds > long.MaxValue ? long.MaxValue : milliseconds < long.MinValue ? long.MinValue : (long)milliseconds;
    }

    /// <summary>A decimal number taken apart: significand times ten to the exponent.</summary>
    private struct Decimal
    {
        /// <summary>Every number of this many digits fits into 64 bits.</summary>
        private const int MaxDigits = 19;

        /// <summary>An exponent beyond this is out of range for every purpose, whatever the digits.</summary>
        private const int ExponentLimit = 1_000_000_000;

        internal ulong Significand;
        internal int Exponent;
        internal bool IsNegative;

        /// <summary>Whether digits that are not zero did not fit into the significand.</summary>
        internal bool IsTruncated;

        internal static bool TryScan(ReadOnlySpan<byte> text, out Decimal number)
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

        internal static bool TryScanExponent(ReadOnlySpan<byte> text, ref int exponent)
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

        /// <summary>The digits of a number already known to be one, as far as 128 bits surely hold them: in two words.</summary>
        internal static (UInt128 Significand, int Exponent) ScanWide(ReadOnlySpan<byte> text)
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
