using System.Collections.ObjectModel;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Numerics;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Fal.Observability.Client;

/// <summary>The metrics of one endpoint, within one time bucket or over the whole range.</summary>
/// <remarks>
/// <para>
/// A metric is null if the query did not request it, or if the service has no value for it. For example, a bucket without traffic has no
/// percentiles. A duration is rounded to 100 ns. <see cref="GetValue"/> returns the number as it was sent.
/// </para>
/// <para>
/// A field that this version does not know does not make a row unreadable. Neither does a known field whose value is not a number of its
/// kind, such as text, or a count with a fraction. <see cref="AdditionalMetrics"/> contains such fields as they were sent.
/// </para>
/// <para>
/// A row is immutable and safe to share between threads. A test can create it with an object initializer. It keeps all its values when it
/// is written as JSON and read again.
/// </para>
/// </remarks>
[JsonConverter(typeof(FalJsonConverter<AnalyticsRow>))]
public sealed class AnalyticsRow : IFalJson<AnalyticsRow>
{
    // The existing values, without gaps, in the order of their flags. A count is stored as it is, a duration as the bits of its seconds.
    // This saves memory: one page can contain 72,000 rows, most of them with few of the metrics.
    private long[] _values;
    private ReadOnlyDictionary<string, JsonElement>? _additional;

    /// <summary>A row without metrics, for an object initializer.</summary>
    public AnalyticsRow() => _values = [];

    /// <summary>A row as it was read. The row uses the arguments without copying them.</summary>
    [SetsRequiredMembers]
    internal AnalyticsRow(string endpointId, AnalyticsExpand metrics, long[] values, Dictionary<string, JsonElement>? additional)
    {
        EndpointId = endpointId;
        Metrics = metrics;
        _values = values;
        _additional = additional is null ? null : new ReadOnlyDictionary<string, JsonElement>(additional);
    }

    /// <summary>
    /// The id that the requests were recorded under: an id of the query, or one of its routes (<c>owner/name/route</c>). It is empty if the
    /// service sent none. U+FFFD replaces invalid text in it. In both cases the row is kept, because its numbers are part of the traffic.
    /// Within a bucket, such a row is never merged with another.
    /// </summary>
    public required string EndpointId { get; init => field = value ?? throw new ArgumentNullException(nameof(value)); }

    /// <summary>
    /// Whether <see cref="EndpointId"/> identifies the endpoint of the row. False if the id is missing or was not valid text. Two rows with
    /// such an id may be about different endpoints.
    /// </summary>
    public bool IsIdentified => EndpointId.Length > 0 && !EndpointId.Contains(FalJsonText.Replacement, StringComparison.Ordinal);

    /// <summary>The metrics that have a value in this row: those for which <see cref="GetValue"/> is not null.</summary>
    public AnalyticsExpand Metrics { get; private set; }

    /// <summary>All requests (<c>request_count</c>).</summary>
    public long? RequestCount
    {
        get => Count(AnalyticsExpand.RequestCount);
        init => Set(AnalyticsExpand.RequestCount, value);
    }

    /// <summary>Requests answered with a 2xx status (<c>success_count</c>).</summary>
    public long? SuccessCount
    {
        get => Count(AnalyticsExpand.SuccessCount);
        init => Set(AnalyticsExpand.SuccessCount, value);
    }

    /// <summary>Requests answered with a 4xx status, the caller's errors (<c>user_error_count</c>).</summary>
    public long? UserErrorCount
    {
        get => Count(AnalyticsExpand.UserErrorCount);
        init => Set(AnalyticsExpand.UserErrorCount, value);
    }

    /// <summary>Requests answered with a 5xx status, the server's errors (<c>error_count</c>).</summary>
    public long? ErrorCount
    {
        get => Count(AnalyticsExpand.ErrorCount);
        init => Set(AnalyticsExpand.ErrorCount, value);
    }

    /// <summary>Errors because a runner did not start in time or could not be scheduled (<c>startup_error_count</c>).</summary>
    public long? StartupErrorCount
    {
        get => Count(AnalyticsExpand.StartupErrorCount);
        init => Set(AnalyticsExpand.StartupErrorCount, value);
    }

    /// <summary>Errors because a connection timed out, was refused or broke (<c>connection_error_count</c>).</summary>
    public long? ConnectionErrorCount
    {
        get => Count(AnalyticsExpand.ConnectionErrorCount);
        init => Set(AnalyticsExpand.ConnectionErrorCount, value);
    }

    /// <summary>Requests that exceeded their time limit (<c>timeout_error_count</c>).</summary>
    public long? TimeoutErrorCount
    {
        get => Count(AnalyticsExpand.TimeoutErrorCount);
        init => Set(AnalyticsExpand.TimeoutErrorCount, value);
    }

    /// <summary>Requests that failed inside the app (<c>runtime_error_count</c>).</summary>
    public long? RuntimeErrorCount
    {
        get => Count(AnalyticsExpand.RuntimeErrorCount);
        init => Set(AnalyticsExpand.RuntimeErrorCount, value);
    }

    /// <summary>Median time from submission until execution starts (<c>p50_prepare_duration</c>).</summary>
    public TimeSpan? P50PrepareDuration
    {
        get => Duration(AnalyticsExpand.P50PrepareDuration);
        init => Set(AnalyticsExpand.P50PrepareDuration, value);
    }

    /// <summary>75th percentile of the time from submission until execution starts (<c>p75_prepare_duration</c>).</summary>
    public TimeSpan? P75PrepareDuration
    {
        get => Duration(AnalyticsExpand.P75PrepareDuration);
        init => Set(AnalyticsExpand.P75PrepareDuration, value);
    }

    /// <summary>90th percentile of the time from submission until execution starts (<c>p90_prepare_duration</c>).</summary>
    public TimeSpan? P90PrepareDuration
    {
        get => Duration(AnalyticsExpand.P90PrepareDuration);
        init => Set(AnalyticsExpand.P90PrepareDuration, value);
    }

    /// <summary>95th percentile of the time from submission until execution starts (<c>p95_prepare_duration</c>).</summary>
    public TimeSpan? P95PrepareDuration
    {
        get => Duration(AnalyticsExpand.P95PrepareDuration);
        init => Set(AnalyticsExpand.P95PrepareDuration, value);
    }

    /// <summary>99th percentile of the time from submission until execution starts (<c>p99_prepare_duration</c>).</summary>
    public TimeSpan? P99PrepareDuration
    {
        get => Duration(AnalyticsExpand.P99PrepareDuration);
        init => Set(AnalyticsExpand.P99PrepareDuration, value);
    }

    /// <summary>25th percentile of the execution time (<c>p25_duration</c>).</summary>
    public TimeSpan? P25Duration
    {
        get => Duration(AnalyticsExpand.P25Duration);
        init => Set(AnalyticsExpand.P25Duration, value);
    }

    /// <summary>Median execution time (<c>p50_duration</c>).</summary>
    public TimeSpan? P50Duration
    {
        get => Duration(AnalyticsExpand.P50Duration);
        init => Set(AnalyticsExpand.P50Duration, value);
    }

    /// <summary>75th percentile of the execution time (<c>p75_duration</c>).</summary>
    public TimeSpan? P75Duration
    {
        get => Duration(AnalyticsExpand.P75Duration);
        init => Set(AnalyticsExpand.P75Duration, value);
    }

    /// <summary>90th percentile of the execution time (<c>p90_duration</c>).</summary>
    public TimeSpan? P90Duration
    {
        get => Duration(AnalyticsExpand.P90Duration);
        init => Set(AnalyticsExpand.P90Duration, value);
    }

    /// <summary>95th percentile of the execution time (<c>p95_duration</c>).</summary>
    public TimeSpan? P95Duration
    {
        get => Duration(AnalyticsExpand.P95Duration);
        init => Set(AnalyticsExpand.P95Duration, value);
    }

    /// <summary>99th percentile of the execution time (<c>p99_duration</c>).</summary>
    public TimeSpan? P99Duration
    {
        get => Duration(AnalyticsExpand.P99Duration);
        init => Set(AnalyticsExpand.P99Duration, value);
    }

    /// <summary>Requests that waited more than one second for a runner to start (<c>cold_boot_count</c>).</summary>
    public long? ColdBootCount
    {
        get => Count(AnalyticsExpand.ColdBootCount);
        init => Set(AnalyticsExpand.ColdBootCount, value);
    }

    /// <summary>Median start-up time of cold boots (<c>p50_cold_boot_duration</c>).</summary>
    public TimeSpan? P50ColdBootDuration
    {
        get => Duration(AnalyticsExpand.P50ColdBootDuration);
        init => Set(AnalyticsExpand.P50ColdBootDuration, value);
    }

    /// <summary>75th percentile of the start-up time of cold boots (<c>p75_cold_boot_duration</c>).</summary>
    public TimeSpan? P75ColdBootDuration
    {
        get => Duration(AnalyticsExpand.P75ColdBootDuration);
        init => Set(AnalyticsExpand.P75ColdBootDuration, value);
    }

    /// <summary>90th percentile of the start-up time of cold boots (<c>p90_cold_boot_duration</c>).</summary>
    public TimeSpan? P90ColdBootDuration
    {
        get => Duration(AnalyticsExpand.P90ColdBootDuration);
        init => Set(AnalyticsExpand.P90ColdBootDuration, value);
    }

    /// <summary>The sum of the execution time that is billed (<c>total_billable_duration</c>).</summary>
    public TimeSpan? TotalBillableDuration
    {
        get => Duration(AnalyticsExpand.TotalBillableDuration);
        init => Set(AnalyticsExpand.TotalBillableDuration, value);
    }

    /// <summary>
    /// Other fields of the row, by their names in the JSON. They are fields that this version does not know, even if null, and known
    /// fields whose value is not a number of the expected type. Usually empty.
    /// </summary>
    public IReadOnlyDictionary<string, JsonElement> AdditionalMetrics
    {
        get => _additional ?? ReadOnlyDictionary<string, JsonElement>.Empty;
        init
        {
            ArgumentNullException.ThrowIfNull(value);
            _additional = value.Count == 0 ? null : new ReadOnlyDictionary<string, JsonElement>(
                value.ToDictionary(pair => pair.Key, pair => pair.Value.Clone(), StringComparer.Ordinal));
        }
    }

    /// <summary>
    /// The share of successful requests, usually from 0 to 1. Null if it is not known: a count is missing, or there was no request.
    /// </summary>
    public double? SuccessRate => ShareOfRequests(AnalyticsExpand.SuccessCount);

    /// <summary>
    /// The share of requests that ended in a server error (5xx), usually from 0 to 1. Availability objectives use it. Null if it is not
    /// known: a count is missing, or there was no request.
    /// </summary>
    public double? ErrorRate => ShareOfRequests(AnalyticsExpand.ErrorCount);

    /// <summary>
    /// The share of requests that ended in an error of the caller (4xx), usually from 0 to 1. Null if it is not known: a count is missing,
    /// or there was no request.
    /// </summary>
    public double? UserErrorRate => ShareOfRequests(AnalyticsExpand.UserErrorCount);

    /// <summary>
    /// The share of requests that waited for a cold boot, usually from 0 to 1. Null if it is not known: a count is missing, or there was no
    /// request.
    /// </summary>
    public double? ColdBootRate => ShareOfRequests(AnalyticsExpand.ColdBootCount);

    /// <summary>The values in the order of the flags of <see cref="Metrics"/>. A duration is stored as the bits of its seconds.</summary>
    internal ReadOnlySpan<long> PackedValues => _values;

    /// <summary>The number of one metric as it was sent: a count, or a duration in seconds.</summary>
    /// <param name="metric">Exactly one metric flag.</param>
    /// <returns>
    /// The number, or null if the row has none. A count above 2^53 is rounded. <see cref="GetCount"/> returns it exactly.
    /// </returns>
    /// <exception cref="ArgumentException"><paramref name="metric"/> is not exactly one metric that this version knows.</exception>
    public double? GetValue(AnalyticsExpand metric)
    {
        int index = AnalyticsExpandExtensions.IndexOfMetric(metric, nameof(metric));
        return Find(metric) is not { } bits ? null
            : AnalyticsExpandExtensions.IsDurationAt(index) ? BitConverter.Int64BitsToDouble(bits)
            : bits;
    }

    /// <summary>
    /// The number of one metric for a chart or a time series. It returns what <see cref="GetValue"/> returns, and also a count that does
    /// not fit into a <see cref="long"/>, such as 2^63 or 1.5.
    /// </summary>
    /// <param name="metric">Exactly one metric flag.</param>
    /// <returns>The count, or the duration in seconds. Null if the row has no number, or if the number is not finite.</returns>
    /// <exception cref="ArgumentException"><paramref name="metric"/> is not exactly one metric that this version knows.</exception>
    public double? GetNumber(AnalyticsExpand metric) =>
        GetValue(metric)
        ?? (
            _additional is not null
            && _additional.TryGetValue(metric.GetWireName(), out JsonElement sent)
            && sent.ValueKind == JsonValueKind.Number
            && sent.TryGetDouble(out double number)
            && double.IsFinite(number)
                ? number
                : null
        );

    /// <summary>A count exactly as it was sent, over the whole range of a <see cref="long"/>.</summary>
    /// <param name="metric">Exactly one metric flag of a count: <see cref="AnalyticsExpandExtensions.IsDuration"/> is false for it.</param>
    /// <returns>The count, or null if the row has none.</returns>
    /// <exception cref="ArgumentException">
    /// <paramref name="metric"/> is not exactly one count that this version knows.
    /// </exception>
    public long? GetCount(AnalyticsExpand metric) =>
        !AnalyticsExpandExtensions.IsDurationAt(AnalyticsExpandExtensions.IndexOfMetric(metric, nameof(metric)))
            ? Count(metric)
            : throw new ArgumentException(
                $"AnalyticsExpand.{metric} is a duration, not a count. Read its seconds with GetValue.", nameof(metric));

    /// <summary>
    /// The endpoint and the metrics that have a value, for a log line: <c>my-org/my-app: request_count=12, p90_duration=1.5</c>.
    /// </summary>
    public override string ToString()
    {
        IEnumerable<string> known = Metrics.GetFlags().Select(metric => metric.IsDuration()
            ? string.Create(CultureInfo.InvariantCulture, $"{metric.GetWireName()}={GetValue(metric):R}")
            : string.Create(CultureInfo.InvariantCulture, $"{metric.GetWireName()}={GetCount(metric)}"));
        // Copy the bytes as they arrived, because the framework's conversions to text throw if a value is not valid text.
        IEnumerable<string> additional = AdditionalMetrics.Select(pair =>
            $"{pair.Key}={Encoding.UTF8.GetString(JsonMarshal.GetRawUtf8Value(pair.Value))}");
        return new StringBuilder(EndpointId).Append(": ").AppendJoin(", ", known.Concat(additional)).ToString();
    }

    /// <summary>This row, updated with a later row of the same endpoint. If both have a value, the later one is used.</summary>
    internal AnalyticsRow MergeWith(AnalyticsRow later)
    {
        var merged = new AnalyticsRow { EndpointId = EndpointId, Metrics = Metrics, _values = _values, _additional = _additional };
        foreach (AnalyticsExpand metric in later.Metrics.GetFlags())
        {
            merged.Set(metric, later.Find(metric));
        }

        if (later._additional is not null)
        {
            var additional = new Dictionary<string, JsonElement>(AdditionalMetrics, StringComparer.Ordinal);
            foreach ((string name, JsonElement value) in later._additional)
            {
                additional[name] = value;
            }

            merged._additional = new ReadOnlyDictionary<string, JsonElement>(additional);
        }

        return merged;
    }

    static AnalyticsRow IFalJson<AnalyticsRow>.ReadJson(ref Utf8JsonReader reader) => AnalyticsRowJson.Read(ref reader);

    void IFalJson<AnalyticsRow>.WriteJson(Utf8JsonWriter writer) => AnalyticsRowJson.Write(writer, this);

    private long? Count(AnalyticsExpand metric) => Find(metric);

    private TimeSpan? Duration(AnalyticsExpand metric) =>
        Find(metric) is { } bits ? AnswerJson.ToTimeSpan(BitConverter.Int64BitsToDouble(bits)) : null;

    private double? ShareOfRequests(AnalyticsExpand count) =>
        Find(count) is { } part && Find(AnalyticsExpand.RequestCount) is > 0 and { } all ? (double)part / all : null;

    private long? Find(AnalyticsExpand metric) => (Metrics & metric) != 0 ? _values[Position(metric)] : null;

    private int Position(AnalyticsExpand metric) => BitOperations.PopCount((ulong)Metrics & ((ulong)metric - 1));

    private void Set(AnalyticsExpand metric, TimeSpan? duration) => Set(
        metric,
        duration is { } value ? BitConverter.DoubleToInt64Bits((double)value.Ticks / TimeSpan.TicksPerSecond) : (long?)null);

    // Runs only while the row is being created. Always creates a new array, because a merged row starts with the array of an earlier row.
    private void Set(AnalyticsExpand metric, long? bits)
    {
        List<long> values = [.. _values];
        int position = Position(metric);
        if ((Metrics & metric) != 0)
        {
            values.RemoveAt(position);
        }

        if (bits is { } value)
        {
            values.Insert(position, value);
        }

        Metrics = bits is null ? Metrics & ~metric : Metrics | metric;
        _values = [.. values];
    }
}
