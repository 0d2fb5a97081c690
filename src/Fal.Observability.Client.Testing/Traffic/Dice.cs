namespace Fal.Observability.Client.Testing;

/// <summary>
/// Random numbers that depend on a key and a position alone (SplitMix64), so that the traffic of any minute can be
/// computed without the minutes before it.
/// </summary>
internal struct Dice
{
    private ulong _state;

    public Dice(ulong key, long position) => _state = Mix(key ^ Mix((ulong)position + 0x9E3779B97F4A7C15UL));

    /// <summary>The next 64 random bits.</summary>
    public ulong Next()
    {
        _state += 0x9E3779B97F4A7C15UL;
        return Mix(_state);
    }

    /// <summary>The next number in [0, 1).</summary>
    public double Unit() => (Next() >> 11) * (1.0 / (1UL << 53));

    /// <summary>The next number in [low, high).</summary>
    public double Between(double low, double high) => low + ((high - low) * Unit());

    /// <summary>
    /// A whole number whose expectation is <paramref name="expected"/>: 2.3 becomes 3 in three of ten cases, else 2.
    /// </summary>
    public int Round(double expected) => (int)(expected + Unit());

    private static ulong Mix(ulong value)
    {
        value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9UL;
        value = (value ^ (value >> 27)) * 0x94D049BB133111EBUL;
        return value ^ (value >> 31);
    }
}
