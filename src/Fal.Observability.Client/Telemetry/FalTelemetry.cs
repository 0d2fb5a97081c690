using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Fal.Observability.Client;

/// <summary>
/// The names under which the client reports on itself. Add them to an OpenTelemetry pipeline with
/// <c>AddSource</c> and <c>AddMeter</c>. Requests on the wire are already covered by .NET's own <c>System.Net.Http</c>
/// instruments and are not counted again here. One call of this client can be several requests.
/// </summary>
public static class FalTelemetry
{
    /// <summary>The name of the <see cref="ActivitySource"/>: one activity for each call, its retries included.</summary>
    public const string ActivitySourceName = "Fal.Observability.Client";

    /// <summary>
    /// The name of the <see cref="Meter"/>, with the instruments <c>fal.client.call.duration</c> (histogram, seconds,
    /// by <c>fal.operation</c> and <c>error.type</c>) and <c>fal.client.retries</c> (counter, by <c>fal.operation</c> and
    /// <c>fal.retry.cause</c>).
    /// </summary>
    public const string MeterName = "Fal.Observability.Client";

    internal const string OperationTag = "fal.operation";
    internal const string AttemptsTag = "fal.attempts";
    internal const string StatusTag = "http.response.status_code";
    internal const string ErrorTag = "error.type";
    internal const string CauseTag = "fal.retry.cause";

    private static readonly string? Version = typeof(FalTelemetry).Assembly.GetName().Version?.ToString(3);

    internal static readonly ActivitySource Activities = new(ActivitySourceName, Version);

    private static readonly Meter Meter = new(MeterName, Version);

    internal static readonly Histogram<double> CallDuration = Meter.CreateHistogram<double>(
        "fal.client.call.duration", "s", "The duration of a call, including its retries and, unless it streams, its body.");

    /// <summary>Made by the first retry. A listener hears of it then, before its first measurement.</summary>
    internal static Counter<long> Retries => RetryInstrument.Counter;

    private static class RetryInstrument
    {
        public static readonly Counter<long> Counter = Meter.CreateCounter<long>(
            "fal.client.retries", "{retry}", "How many times a call was sent again.");
    }
}
