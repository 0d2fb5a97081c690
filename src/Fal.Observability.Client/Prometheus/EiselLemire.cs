using System.Numerics;

namespace Fal.Observability.Client.Prometheus;

/// <summary>
/// The double nearest to <c>significand * 10^exponent</c>, for exponents of everyday size: the method of Eisel and Lemire
/// (D. Lemire, "Number Parsing at a Gigabyte per Second", 2021).
/// </summary>
/// <remarks>
/// The significand times a power of five to 128 bits gives more bits than a double has, nearly always enough of them to
/// see which way to round; the power of two that makes ten of five only counts in the exponent. For these exponents the
/// paper shows that the product is always enough. Nothing here is less than the smallest normal double or beyond the largest.
/// </remarks>
internal static class EiselLemire
{
    /// <summary>Five to the power of this fits into 64 bits, so that its reciprocal is exact to the last of 128.</summary>
    internal const int MinExponent = -27;

    /// <summary>Five to the power of this fits into 128 bits.</summary>
    internal const int MaxExponent = 55;

    private const int FractionBits = 52;

    /// <summary>The powers of five or their reciprocals, shifted so far to the left that their highest bit is set.</summary>
    private static readonly UInt128[] Powers = MakePowers();

    private static UInt128[] MakePowers()
    {
        var powers = new UInt128[MaxExponent - MinExponent + 1];
        UInt128 power = 1;
        for (int exponent = 0; exponent <= MaxExponent; exponent++, power *= 5)
        {
            powers[exponent - MinExponent] = power << (int)UInt128.LeadingZeroCount(power);
            if (exponent is > 0 and <= -MinExponent)
            {
                powers[-exponent - MinExponent] = Reciprocal(power);
            }
        }

        return powers;
    }

    /// <summary>2^(127+n) / power, rounded up, where n is the number of bits of the power: 128 bits, in two steps of a long division.</summary>
    private static UInt128 Reciprocal(UInt128 power)
    {
        int bits = 128 - (int)UInt128.LeadingZeroCount(power);
        (UInt128 quotient, UInt128 remainder) = UInt128.DivRem(UInt128.One << 127, power);
        return (quotient << bits) + ((remainder << bits) / power) + 1;
    }

    /// <summary>The nearest double.</summary>
    /// <param name="significand">Not 0.</param>
    /// <param name="exponent">From <see cref="MinExponent"/> to <see cref="MaxExponent"/>.</param>
    internal static double Round(ulong significand, int exponent)
    {
        int shift = BitOperations.LeadingZeroCount(significand);
        significand <<= shift;
        UInt128 power = Powers[exponent - MinExponent];
        ulong high = Math.BigMul(significand, (ulong)(power >> 64), out ulong low);
        const ulong bitsBelowDouble = ulong.MaxValue >> (FractionBits + 3);
        if ((high & bitsBelowDouble) == bitsBelowDouble)
        {
            // What the lower half of the power adds could carry to the bits that count.
            ulong carry = Math.BigMul(significand, (ulong)power, out _);
            low += carry;
            high += low < carry ? 1UL : 0;
        }

        // The product of two numbers with their highest bit set has its own there or one below.
        int top = (int)(high >> 63);
        int dropped = top + 64 - FractionBits - 3;
        ulong fraction = high >> dropped;
        // Of two doubles that are equally near the even one is taken. A product that is exactly between is one of few powers.
        if (low <= 1 && exponent is >= -4 and <= 23 && (fraction & 3) == 1 && fraction << dropped == high)
        {
            fraction &= ~1UL;
        }

        fraction = (fraction + (fraction & 1)) >> 1;
        int binaryExponent = BinaryExponentOf(exponent) + top - shift + 1023;
        if (fraction == 2UL << FractionBits)
        {
            fraction = 1UL << FractionBits;
            binaryExponent++;
        }

        return BitConverter.UInt64BitsToDouble((fraction & ~(1UL << FractionBits)) | ((ulong)binaryExponent << FractionBits));
    }

    /// <summary>The exponent of two of ten to a power, rounded down, and 63 for the place of the significand's highest bit.</summary>
    private static int BinaryExponentOf(int exponent) => ((217_706 * exponent) >> 16) + 63;
}
