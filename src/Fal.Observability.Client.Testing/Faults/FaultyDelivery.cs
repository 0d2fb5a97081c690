using System.Globalization;
using System.IO.Compression;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace Fal.Observability.Client.Testing;

/// <summary>Makes a response that is wrong in itself, or sends a proper one badly.</summary>
internal static class FaultyDelivery
{
    private static readonly byte[] GatewayPage =
        "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1><p>simulated</p></body></html>"u8.ToArray();

    private static readonly byte[] ChallengePage =
        "<!DOCTYPE html><html><head><title>Just a moment...</title></head><body>Simulated: is it a browser?</body></html>"u8.ToArray();

    private static readonly byte[] HtmlPage =
        "<!DOCTYPE html><html><head><title>Welcome</title></head><body>Not what was asked for (simulated).</body></html>"u8.ToArray();

    /// <summary>The response that a fault puts in the place of the proper one; null: the proper one is sent, badly.</summary>
    public static Answer? Replacement(Fault fault, SimulatorRoute route, DateTimeOffset now, string? requestId)
    {
        string seconds = Seconds(fault.Wait);
        return fault.Kind switch
        {
            FaultKind.Status => Answer.Error(
                fault.Status, TypeOf(fault.Status),
                $"Simulated: the status {fault.Status.ToString(CultureInfo.InvariantCulture)} was ordered.", requestId,
                fault.RetryAfter is { } after ? [("Retry-After", Seconds(after))] : []),
            FaultKind.RateLimited => RateLimited(),
            FaultKind.RateLimitedSeconds => RateLimited(("Retry-After", seconds)),
            FaultKind.RateLimitedDate => RateLimited(("Retry-After", (now + fault.Wait).ToString("R", CultureInfo.InvariantCulture))),
            FaultKind.RateLimitedReset => RateLimited(("x-ratelimit-reset", seconds)),
            FaultKind.ServerError => Answer.Error(500, "server_error", "An unexpected error occurred", requestId),
            FaultKind.BadGateway => new Answer(502, Answer.Html, GatewayPage),
            FaultKind.ServiceUnavailable => new Answer(503, null, default),
            FaultKind.GatewayTimeout => new Answer(504, null, default),
            FaultKind.Challenge => new Answer(403, Answer.Html, ChallengePage) { Headers = [("cf-mitigated", "challenge")] },
            FaultKind.EmptyBody => new Answer(200, route == SimulatorRoute.Metrics ? Answer.Text : Answer.Json, default),
            FaultKind.HtmlBody => new Answer(200, Answer.Html, HtmlPage),
            FaultKind.WrongContent when route == SimulatorRoute.Metrics =>
                new Answer(200, Answer.Json, "{\"status\":\"simulated\"}"u8.ToArray()),
            FaultKind.WrongContent => new Answer(200, Answer.Text, "simulated_metric 1\n"u8.ToArray()),
            _ => null,
        };

        Answer RateLimited(params (string, string)[] hints) =>
            Answer.Error(429, "rate_limited", "Rate limit exceeded", requestId, hints);
    }

    private static string Seconds(TimeSpan time) => ((long)time.TotalSeconds).ToString(CultureInfo.InvariantCulture);

    /// <summary>The type that the API gives an error of a status.</summary>
    private static string TypeOf(int status) => status switch
    {
        401 or 403 => "authorization_error",
        404 => "not_found",
        429 => "rate_limited",
        501 => "not_implemented",
        >= 500 => "server_error",
        _ => "validation_error",
    };

    /// <summary>Sends the body of a response whose head is set, in the way the fault demands.</summary>
    /// <param name="response">Where to.</param>
    /// <param name="fault">A kind without a replacement.</param>
    /// <param name="body">The bytes that a healthy response would have.</param>
    /// <param name="time">The clock of the waits.</param>
    /// <param name="ended">The client went away, or the simulator stops.</param>
    public static async Task SendAsync(
        HttpResponse response, Fault fault, ReadOnlyMemory<byte> body, TimeProvider time, CancellationToken ended)
    {
        ReadOnlyMemory<byte> half = body[..(body.Length / 2)];
        switch (fault.Kind)
        {
            case FaultKind.TruncatedLength:
                // Kestrel closes the connection after a handler that wrote less than it promised.
                response.ContentLength = body.Length;
                await response.Body.WriteAsync(half, ended);
                break;

            case FaultKind.TruncatedChunked:
                await response.Body.WriteAsync(half, ended);
                await response.Body.FlushAsync(ended);
                // Kestrel closes the connection without the last chunk after a handler that failed.
                throw new IOException("Simulated: the connection is dropped.");

            case FaultKind.TruncatedGzip:
                response.ContentLength = half.Length;
                await response.Body.WriteAsync(half, ended);
                break;

            case FaultKind.StalledBody:
                response.ContentLength = body.Length;
                await response.Body.WriteAsync(half, ended);
                await response.Body.FlushAsync(ended);
                await Task.Delay(Timeout.InfiniteTimeSpan, time, ended);
                break;

            case FaultKind.SlowFirstByte:
                await Task.Delay(fault.Wait, time, ended);
                response.ContentLength = body.Length;
                await response.Body.WriteAsync(body, ended);
                break;
        }
    }

    /// <summary>
    /// Sends filling and then the body, compressed if the client accepts that: a small response may decompress to a huge one.
    /// </summary>
    public static async Task SendOversizedAsync(HttpResponse response, Fault fault, Answer answer, bool gzip, CancellationToken ended)
    {
        byte[] filling = answer.ContentType == Answer.Json
            ? [.. Enumerable.Repeat((byte)' ', 1 << 16)]
            : Encoding.ASCII.GetBytes($"#{new string('-', (1 << 16) - 2)}\n");

        if (gzip)
        {
            await using var compressed = new GZipStream(response.Body, CompressionLevel.Fastest, leaveOpen: true);
            await WriteAsync(compressed);
        }
        else
        {
            await WriteAsync(response.Body);
        }

        async Task WriteAsync(Stream body)
        {
            for (long left = fault.Padding; left > 0; left -= filling.Length)
            {
                await body.WriteAsync(filling, ended);
            }

            await body.WriteAsync(answer.Body, ended);
        }
    }
}
