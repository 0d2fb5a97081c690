using System.Buffers.Binary;
using System.Numerics;
using System.Text.Json;

namespace Fal.Observability.Client;

/// <summary>The names of the <see cref="AnalyticsExpand"/> flags on the wire, and what they measure.</summary>
public static class AnalyticsExpandExtensions
{
    private enum Kind
    {
        Structure,
        Count,
        Duration,
    }

    // The one list of names. It serves the query and the answer alike; the position of an entry is the bit of its flag,
    // and the order is that of the service's documentation, in which the values are sent.
    private static readonly (AnalyticsExpand Flag, JsonEncodedText Name, Kind Kind)[] Table =
    [
        Entry(AnalyticsExpand.TimeSeries, "time_series", Kind.Structure),
        Entry(AnalyticsExpand.Summary, "summary", Kind.Structure),
        Entry(AnalyticsExpand.RequestCount, "request_count", Kind.Count),
        Entry(AnalyticsExpand.SuccessCount, "success_count", Kind.Count),
        Entry(AnalyticsExpand.UserErrorCount, "user_error_count", Kind.Count),
        Entry(AnalyticsExpand.ErrorCount, "error_count", Kind.Count),
        Entry(AnalyticsExpand.StartupErrorCount, "startup_error_count", Kind.Count),
        Entry(AnalyticsExpand.ConnectionErrorCount, "connection_error_count", Kind.Count),
        Entry(AnalyticsExpand.TimeoutErrorCount, "timeout_error_count", Kind.Count),
        Entry(AnalyticsExpand.RuntimeErrorCount, "runtime_error_count", Kind.Count),
        Entry(AnalyticsExpand.P50PrepareDuration, "p50_prepare_duration", Kind.Duration),
        Entry(AnalyticsExpand.P75PrepareDuration, "p75_prepare_duration", Kind.Duration),
        Entry(AnalyticsExpand.P90PrepareDuration, "p90_prepare_duration", Kind.Duration),
        Entry(AnalyticsExpand.P95PrepareDuration, "p95_prepare_duration", Kind.Duration),
        Entry(AnalyticsExpand.P99PrepareDuration, "p99_prepare_duration", Kind.Duration),
        Entry(AnalyticsExpand.P25Duration, "p25_duration", Kind.Duration),
        Entry(AnalyticsExpand.P50Duration, "p50_duration", Kind.Duration),
        Entry(AnalyticsExpand.P75Duration, "p75_duration", Kind.Duration),
        Entry(AnalyticsExpand.P90Duration, "p90_duration", Kind.Duration),
        Entry(AnalyticsExpand.P95Duration, "p95_duration", Kind.Duration),
        Entry(AnalyticsExpand.P99Duration, "p99_duration", Kind.Duration),
        Entry(AnalyticsExpand.ColdBootCount, "cold_boot_count", Kind.Count),
        Entry(AnalyticsExpand.P50ColdBootDuration, "p50_cold_boot_duration", Kind.Duration),
        Entry(AnalyticsExpand.P75ColdBootDuration, "p75_cold_boot_duration", Kind.Duration),
        Entry(AnalyticsExpand.P90ColdBootDuration, "p90_cold_boot_duration", Kind.Duration),
        Entry(AnalyticsExpand.TotalBillableDuration, "total_billable_duration", Kind.Duration),
    ];

    // A page names a metric up to 1.7 million times, so a name is found by one hash and, as a rule, one comparison.
    // A slot holds the position in the table plus one; zero is free.
    private static readonly byte[] Slots = BuildSlots();

    /// <summary>How many values there are.</summary>
    internal const int FlagCount = 26;

    /// <summary>Every flag that this version knows.</summary>
    internal const AnalyticsExpand Known = AnalyticsExpand.Structure | AnalyticsExpand.AllMetrics;

    /// <summary>The single flags of a combination, in the order in which they are sent.</summary>
    /// <param name="expand">Any combination of flags.</param>
    /// <returns>One element for each flag that is set; empty for <see cref="AnalyticsExpand.None"/>.</returns>
    /// <example>
    /// <code>
    /// foreach (AnalyticsExpand metric in row.Metrics.GetFlags())
    ///     Console.WriteLine($"{metric.GetWireName()} = {row.GetValue(metric)}");
    /// </code>
    /// </example>
    /// <exception cref="ArgumentOutOfRangeException">The value has a bit that is not a flag of this version.</exception>
    public static IReadOnlyList<AnalyticsExpand> GetFlags(this AnalyticsExpand expand)
    {
        ThrowIfUnknown(expand, nameof(expand));
        var flags = new AnalyticsExpand[BitOperations.PopCount((ulong)expand)];
        for (int i = 0; i < flags.Length; i++)
        {
            flags[i] = expand & (AnalyticsExpand)(-(long)expand);
            expand ^= flags[i];
        }

        return flags;
    }

    /// <summary>The name of one value on the wire: in the <c>expand</c> parameter, and of the field that answers it.</summary>
    /// <param name="flag">Exactly one flag.</param>
    /// <returns>For example <c>p90_duration</c>.</returns>
    /// <exception cref="ArgumentException"><paramref name="flag"/> is not exactly one flag that this version knows.</exception>
    public static string GetWireName(this AnalyticsExpand flag) => Table[IndexOf(flag, nameof(flag))].Name.Value;

    /// <summary>Whether one metric is a duration in seconds. The other metrics are counts of requests.</summary>
    /// <param name="metric">Exactly one metric flag.</param>
    /// <exception cref="ArgumentException"><paramref name="metric"/> is not exactly one metric that this version knows.</exception>
    public static bool IsDuration(this AnalyticsExpand metric) => Table[IndexOfMetric(metric, nameof(metric))].Kind == Kind.Duration;

    /// <summary>The name as it is written into JSON and compared with it.</summary>
    internal static JsonEncodedText EncodedName(int index) => Table[index].Name;

    /// <summary>Whether the metric at this position of the table is a duration.</summary>
    internal static bool IsDurationAt(int index) => Table[index].Kind == Kind.Duration;

    /// <summary>The position of exactly one metric, which is also the bit of its flag.</summary>
    internal static int IndexOfMetric(AnalyticsExpand metric, string parameterName)
    {
        int index = IndexOf(metric, parameterName);
        return Table[index].Kind != Kind.Structure ? index : throw new ArgumentException(
            $"AnalyticsExpand.{metric} is not a metric. It selects the shape of the answer. Pass a metric, such as " +
                "AnalyticsExpand.RequestCount.",
            parameterName);
    }

    /// <summary>Finds a metric by its name on the wire; shapes are not metrics. -1 if there is none.</summary>
    internal static int FindMetric(ReadOnlySpan<byte> utf8Name)
    {
        if (utf8Name.Length < 3)
        {
            return -1;
        }

        for (int slot = Hash(utf8Name); Slots[slot] != 0; slot = (slot + 1) % Slots.Length)
        {
            int index = Slots[slot] - 1;
            if (utf8Name.SequenceEqual(Table[index].Name.EncodedUtf8Bytes))
            {
                return Table[index].Kind == Kind.Structure ? -1 : index;
            }
        }

        return -1;
    }

    /// <summary>The flag with this name on the wire, or <see cref="AnalyticsExpand.None"/>.</summary>
    internal static AnalyticsExpand Parse(string wireName) =>
        Array.Find(Table, entry => entry.Name.Value == wireName).Flag;

    /// <summary>Refuses bits that are not a flag, so that nothing unknown is silently left out of a request.</summary>
    internal static void ThrowIfUnknown(AnalyticsExpand expand, string parameterName)
    {
        if ((expand & ~Known) != 0)
        {
            throw new ArgumentOutOfRangeException(
                parameterName,
                expand,
                "The value has a bit that is not an AnalyticsExpand flag in this version. Combine named flags only. Send values that " +
                "this version does not know with AnalyticsQuery.AdditionalExpand.");
        }
    }

    private static int IndexOf(AnalyticsExpand flag, string parameterName)
    {
        ThrowIfUnknown(flag, parameterName);
        return BitOperations.IsPow2((long)flag) ? BitOperations.TrailingZeroCount((long)flag) : throw new ArgumentException(
            $"Pass exactly one flag here, not '{flag}'. GetFlags() splits a combination.",
            parameterName);
    }

    private static (AnalyticsExpand Flag, JsonEncodedText Name, Kind Kind) Entry(AnalyticsExpand flag, string name, Kind kind) =>
        (flag, JsonEncodedText.Encode(name), kind);

    private static byte[] BuildSlots()
    {
        byte[] slots = new byte[128];
        for (int i = 0; i < Table.Length; i++)
        {
            int slot = Hash(Table[i].Name.EncodedUtf8Bytes);
            while (slots[slot] != 0)
            {
                slot = (slot + 1) % slots.Length;
            }

            slots[slot] = (byte)(i + 1);
        }

        return slots;
    }

    // The second and third byte and the length tell all names apart.
    private static int Hash(ReadOnlySpan<byte> utf8Name) =>
        (int)(((uint)BinaryPrimitives.ReadUInt16LittleEndian(utf8Name[1..]) * 0x9E37u) + ((uint)utf8Name.Length * 0x85EBu)) >>> 9 & 127;
}
