using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Net;
using Xunit;

namespace Fal.Observability.Client.Tests;

public sealed class FalTelemetryTests
{
    /// <summary>Set in the flow of the test alone: other tests record into the same instruments meanwhile.</summary>
    private static readonly AsyncLocal<bool> IsOurs = new();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_listener_that_registered_before_the_call_hears_of_the_call_and_of_its_retries(bool isLogged)
    {
        IsOurs.Value = true;
        List<string> heard = [];
        using var meters = new MeterListener
        {
            InstrumentPublished = static (instrument, all) =>
            {
                if (instrument.Meter.Name == FalTelemetry.MeterName)
                {
                    all.EnableMeasurementEvents(instrument);
                }
            },
        };
        meters.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Hear($"{instrument.Name} {value} {Text(tags)}"));
        meters.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Hear($"{instrument.Name} {value} {Text(tags)}"));
        meters.Start();
        using var activities = new ActivityListener
        {
            ShouldListenTo = static source => source.Name == FalTelemetry.ActivitySourceName,
            Sample = static (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = activity => Hear($"{activity.DisplayName} {activity.GetTagItem("fal.attempts")} {activity.Status}"),
        };
        ActivitySource.AddActivityListener(activities);
        int sent = 0;
        ScriptedHandler end = new((_, _) => Task.FromResult(ScriptedHandler.Response(
            ++sent < 3 ? HttpStatusCode.ServiceUnavailable : HttpStatusCode.OK,
            mediaType: "text/plain")));
        using var pipeline = new Pipeline(end, isLogged: isLogged);

        using HttpResponseMessage response = await pipeline.SendThroughWaitsAsync();

        Assert.Equal(
            [
                "fal.client.retries 1 fal.operation=GET /v1/serverless/metrics, fal.retry.cause=503",
                "fal.client.retries 1 fal.operation=GET /v1/serverless/metrics, fal.retry.cause=503",
                "fal.client.call.duration 3 fal.operation=GET /v1/serverless/metrics",
                "GET /v1/serverless/metrics 3 Unset",
            ],
            heard);

        void Hear(string what)
        {
            if (IsOurs.Value)
            {
                heard.Add(what);
            }
        }

        static string Text(ReadOnlySpan<KeyValuePair<string, object?>> tags) =>
            string.Join(", ", tags.ToArray().Select(tag => $"{tag.Key}={tag.Value}"));
    }
}
