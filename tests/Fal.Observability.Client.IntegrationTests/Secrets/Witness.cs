using System.Collections;
using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging.Testing;

namespace Fal.Observability.Client.IntegrationTests;

/// <summary>
/// Everything that a program can show of what the client does: traces and metrics of every source, log records, exceptions, texts.
/// A listener to activities changes the requests of the whole process, since each then carries a trace context. So this one samples only
/// what its own test does.
/// </summary>
internal sealed class Witness : IDisposable
{
    private static readonly AsyncLocal<Witness?> s_ofThisTest = new();

    private readonly ConcurrentQueue<string> _seen = new();
    private readonly ActivityListener _activities;
    private readonly MeterListener _meters = new();

    public Witness()
    {
        s_ofThisTest.Value = this;
        _activities = new ActivityListener
        {
            ShouldListenTo = _ => true,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) =>
                s_ofThisTest.Value == this ? ActivitySamplingResult.AllDataAndRecorded : ActivitySamplingResult.None,
            ActivityStopped = Take,
        };
        ActivitySource.AddActivityListener(_activities);
        _meters.InstrumentPublished = (instrument, listener) => listener.EnableMeasurementEvents(instrument);
        _meters.SetMeasurementEventCallback<long>((instrument, _, tags, _) => Take(instrument, tags));
        _meters.SetMeasurementEventCallback<int>((instrument, _, tags, _) => Take(instrument, tags));
        _meters.SetMeasurementEventCallback<double>((instrument, _, tags, _) => Take(instrument, tags));
        _meters.Start();
    }

    /// <summary>All that was seen, in texts.</summary>
    public IReadOnlyList<string> Texts => [.. _seen];

    public void Take(string? text) => _seen.Enqueue(text ?? "");

    public void Take(FakeLogCollector log)
    {
        foreach (FakeLogRecord record in log.GetSnapshot())
        {
            Take($"{record.Category} {record.Id} {record.Message}");
            // .NET's own logger of HTTP requests passes the headers of a response to a structured log unchanged: what the far side says
            // back in its headers is not the client's to redact. The headers of the request are looked at.
            if (record.Id.Name is "ResponseHeader" or "RequestPipelineResponseHeader")
            {
                continue;
            }

            foreach (KeyValuePair<string, string?> pair in record.StructuredState ?? [])
            {
                Take($"{pair.Key}={pair.Value}");
            }

            foreach (object? scope in record.Scopes)
            {
                TakeScope(scope);
            }

            if (record.Exception is { } exception)
            {
                Take(exception);
            }
        }
    }

    /// <summary>An exception as a user can print it: whole, and each property of it and of its causes.</summary>
    public void Take(Exception exception)
    {
        Take(exception.ToString());
        for (Exception? e = exception; e is not null; e = e.InnerException)
        {
            Take(e.Message);
            foreach (DictionaryEntry entry in e.Data)
            {
                Take($"{entry.Key}={entry.Value}");
            }

            foreach (System.Reflection.PropertyInfo property in e.GetType().GetProperties())
            {
                Take($"{property.Name}={property.GetValue(e)}");
            }
        }
    }

    public void Dispose()
    {
        _activities.Dispose();
        _meters.Dispose();
    }

    private void Take(Activity activity)
    {
        Take($"{activity.Source.Name} {activity.OperationName} {activity.DisplayName} {activity.StatusDescription}");
        // .NET's own activity of an HTTP request records the text of its exception before any code of the client's runs. TROUBLESHOOTING.md
        // says so, and how to switch it off.
        IEnumerable<ActivityEvent> events = activity.Events.Where(@event =>
            activity.Source.Name != "System.Net.Http" || @event.Name != "exception"
        );
        foreach (KeyValuePair<string, object?> tag in activity.TagObjects.Concat(events.SelectMany(@event => @event.Tags)))
        {
            Take($"{tag.Key}={tag.Value}");
        }

        foreach (KeyValuePair<string, string?> item in activity.Baggage)
        {
            Take($"{item.Key}={item.Value}");
        }
    }

    private void Take(Instrument instrument, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        foreach (KeyValuePair<string, object?> tag in tags)
        {
            Take($"{instrument.Meter.Name} {instrument.Name} {tag.Key}={tag.Value}");
        }
    }

    private void TakeScope(object? scope)
    {
        Take(scope?.ToString());
        if (scope is IEnumerable<KeyValuePair<string, object?>> pairs)
        {
            foreach (KeyValuePair<string, object?> pair in pairs)
            {
                Take($"{pair.Key}={pair.Value}");
            }
        }
    }
}
