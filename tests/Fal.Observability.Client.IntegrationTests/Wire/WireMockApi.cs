using System.Collections.Concurrent;
using System.Text;
using WireMock;
using WireMock.RequestBuilders;
using WireMock.ResponseBuilders;
using WireMock.Server;
using WireMock.Types;
using WireMock.Util;

namespace Fal.Observability.Client.IntegrationTests;

/// <summary>A response as a test writes it down.</summary>
internal sealed record MockResponse(int Status, string? ContentType = null, string Body = "")
{
    public IReadOnlyList<(string Name, string Value)> Headers { get; init; } = [];

    public static MockResponse Json(int status, string body) => new(status, "application/json", body);

    public static MockResponse Metrics(string body = "fal_app_queue_size{application=\"my-org/my-app\"} 7\n") =>
        new(200, "text/plain; charset=utf-8", body);

    /// <summary>An answer that each of the JSON endpoints could give, without data.</summary>
    public static MockResponse Page(string? cursor = null) =>
        Json(200, $$"""{"next_cursor":{{(cursor is null ? "null" : $"\"{cursor}\"")}},"has_more":{{(cursor is null ? "false" : "true")}},"time_series":[],"summary":[],"apps":[],"history":[]}""");
}

/// <summary>
/// WireMock in the place of the fal API: each request gets the next of a list of responses, the last one again and again.
/// </summary>
internal sealed class WireMockApi : IDisposable
{
    private readonly WireMockServer _server = WireMockServer.Start();
    private readonly Func<int, MockResponse> _answer;
    private int _requests;

    public WireMockApi(params MockResponse[] responses)
        : this(number => responses[Math.Min(number, responses.Length) - 1])
    {
    }

    /// <summary>Answers by the number of the request; the first is 1.</summary>
    public WireMockApi(Func<int, MockResponse> answer)
    {
        _answer = answer;
        _server
            .Given(Request.Create().UsingAnyMethod())
            .RespondWith(Response.Create().WithCallback(request => Respond(request)));
    }

    public Uri BaseAddress => new($"{_server.Url}/v1");

    /// <summary>The requests in the order of their arrival.</summary>
    public ConcurrentQueue<IRequestMessage> Requests { get; } = new();

    public void Dispose()
    {
        _server.Stop();
        _server.Dispose();
    }

    private ResponseMessage Respond(IRequestMessage request)
    {
        MockResponse answer = _answer(Interlocked.Increment(ref _requests));
        Requests.Enqueue(request);
        var response = new ResponseMessage { StatusCode = answer.Status, Headers = new Dictionary<string, WireMockList<string>>() };
        if (answer.ContentType is not null)
        {
            response.Headers["Content-Type"] = new(answer.ContentType);
        }

        foreach ((string name, string value) in answer.Headers)
        {
            response.Headers[name] = new(value);
        }

        if (answer.Body.Length > 0)
        {
            response.BodyData = new BodyData { DetectedBodyType = BodyType.Bytes, BodyAsBytes = Encoding.UTF8.GetBytes(answer.Body) };
        }

        return response;
    }
}
