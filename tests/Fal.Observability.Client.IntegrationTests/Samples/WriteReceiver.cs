using System.Collections.Concurrent;
using System.Globalization;
using Google.Protobuf;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Snappier;

namespace Fal.Observability.Client.IntegrationTests.Samples;

/// <summary>What a receiver of remote writes answers.</summary>
/// <param name="Status">The status.</param>
/// <param name="Body">The body; its declared character set is one that nobody knows.</param>
/// <param name="RetryAfter">The header.</param>
/// <param name="Rest">What follows the body, once that is sent.</param>
internal sealed record WriteAnswer(int Status, string Body = "", string? RetryAfter = null, Func<HttpContext, Task>? Rest = null);

/// <summary>
/// A receiver of Prometheus remote writes that takes each request apart by the specification, and answers by a script. It keeps the
/// samples of those that it has accepted.
/// </summary>
internal sealed class WriteReceiver : IAsyncDisposable
{
    private readonly WebApplication _application;
    private readonly ConcurrentQueue<WriteAnswer> _script;
    private readonly ConcurrentQueue<byte[]> _bodies = new();
    private readonly ConcurrentQueue<ReceivedSample> _accepted = new();

    private WriteReceiver(WebApplication application, IEnumerable<WriteAnswer> script)
    {
        _application = application;
        _script = new(script);
    }

    public Uri Url => new($"{_application.Urls.First()}/api/v1/write");

    /// <summary>The bodies of all requests, accepted or not.</summary>
    public IReadOnlyList<byte[]> Bodies => [.. _bodies];

    /// <summary>The samples of the requests that were accepted, in the order of their arrival.</summary>
    public IReadOnlyList<ReceivedSample> Accepted => [.. _accepted];

    /// <summary>Is called before a request is answered.</summary>
    public Action<HttpRequest> OnRequest { get; set; } = _ => { };

    /// <summary>Starts a receiver that answers each request with the next line of a script, and accepts all after that.</summary>
    public static Task<WriteReceiver> StartAsync(params IEnumerable<WriteAnswer> script) => StartOnAsync(0, script);

    /// <summary>Starts it on a port.</summary>
    public static async Task<WriteReceiver> StartOnAsync(int port, params IEnumerable<WriteAnswer> script)
    {
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseUrls($"http://127.0.0.1:{port}");
        WebApplication application = builder.Build();
        var receiver = new WriteReceiver(application, script);
        application.Run(receiver.AnswerAsync);
        await application.StartAsync();
        return receiver;
    }

    public async ValueTask DisposeAsync()
    {
        await _application.StopAsync();
        await _application.DisposeAsync();
    }

    private async Task AnswerAsync(HttpContext context)
    {
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body);
        OnRequest(context.Request);
        bool isRemoteWrite = context.Request is
        {
            Method: "POST", Path.Value: "/api/v1/write", ContentType: "application/x-protobuf",
            Headers: { ContentEncoding: ["snappy"] } headers
        } && headers["X-Prometheus-Remote-Write-Version"] == "0.1.0" && headers.UserAgent.Count == 1;
        _bodies.Enqueue(body.ToArray());
        if (!_script.TryDequeue(out WriteAnswer? answer))
        {
            answer = new WriteAnswer(isRemoteWrite ? 204 : 415);
        }

        if (answer.Status < 300)
        {
            foreach (ReceivedSample sample in Parse(Snappy.DecompressToArray(body.ToArray())))
            {
                _accepted.Enqueue(sample);
            }
        }

        context.Response.StatusCode = answer.Status;
        context.Response.Headers.RetryAfter = answer.RetryAfter;
        if (answer.Body.Length > 0)
        {
            context.Response.ContentType = "text/plain; charset=klingon";
            await context.Response.WriteAsync(answer.Body);
        }

        if (answer.Rest is not null)
        {
            await answer.Rest(context);
        }
    }

    /// <summary>The fields of prometheus.WriteRequest that carry samples.</summary>
    private static IEnumerable<ReceivedSample> Parse(byte[] message)
    {
        foreach (CodedInputStream series in Parts(message, 1))
        {
            byte[] bytes = series.ReadBytes().ToByteArray();
            string[] labels = [.. Parts(bytes, 1).Select(label => string.Join('=', Texts(label.ReadBytes().ToByteArray())))];
            if (!labels.SequenceEqual(labels.Order(StringComparer.Ordinal)))
            {
                throw new FormatException($"The labels are not sorted: {string.Join(',', labels)}");
            }

            foreach (CodedInputStream sample in Parts(bytes, 2))
            {
                yield return ParseSample(string.Join(',', labels), sample.ReadBytes().ToByteArray());
            }
        }
    }

    private static ReceivedSample ParseSample(string series, byte[] message)
    {
        double value = 0;
        long timestamp = 0;
        var input = new CodedInputStream(message);
        while (input.ReadTag() is not 0 and uint tag)
        {
            switch (WireFormat.GetTagFieldNumber(tag))
            {
                case 1:
                    value = input.ReadDouble();
                    break;
                case 2:
                    timestamp = input.ReadInt64();
                    break;
                default:
                    throw new FormatException("A sample has two fields.");
            }
        }

        return new ReceivedSample(series, timestamp, value);
    }

    private static IEnumerable<string> Texts(byte[] message)
    {
        foreach (int field in new[] { 1, 2 })
        {
            yield return Parts(message, field).Select(text => text.ReadString()).SingleOrDefault("");
        }
    }

    /// <summary>Positions the reader before each field with the given number.</summary>
    private static IEnumerable<CodedInputStream> Parts(byte[] message, int field)
    {
        var input = new CodedInputStream(message);
        while (input.ReadTag() is not 0 and uint tag)
        {
            if (WireFormat.GetTagFieldNumber(tag) == field)
            {
                yield return input;
            }
            else
            {
                input.SkipLastField();
            }
        }
    }
}

/// <summary>A sample as it was sent.</summary>
/// <param name="Series">Its labels, the name among them.</param>
/// <param name="Timestamp">In milliseconds since the Unix epoch.</param>
/// <param name="Value">Its value.</param>
internal readonly record struct ReceivedSample(string Series, long Timestamp, double Value)
{
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Timestamp} {Series} {Value:R}");
}
