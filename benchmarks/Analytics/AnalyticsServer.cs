using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Web;

namespace Fal.Observability.Client.Benchmarks;

/// <summary>
/// A loopback server in a process of its own that answers analytics calls with prepared bytes: so neither its memory nor the work of
/// making an answer is in a measurement.
/// </summary>
internal sealed class AnalyticsServer : IDisposable
{
    private readonly Process _process;

    private AnalyticsServer(Process process, Uri baseAddress)
    {
        _process = process;
        BaseAddress = baseAddress;
    }

    /// <summary>The base address for a client.</summary>
    public Uri BaseAddress { get; }

    public static AnalyticsServer Start()
    {
        Process process = Process.Start(new ProcessStartInfo("dotnet", [typeof(AnalyticsServer).Assembly.Location, "analytics", "serve"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        })!;
        return new AnalyticsServer(process, new Uri(process.StandardOutput.ReadLine()!));
    }

    /// <summary>Serves until its standard input ends, as it does with the process that has started it.</summary>
    public static void Serve()
    {
        var payload = new AnalyticsPayload(buckets: 1440, AnalyticsQuery.MaxEndpointIdsPerCall);
        var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        new Thread(() => Accept(listener, payload)) { IsBackground = true }.Start();
        Console.WriteLine($"http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}/v1");
        Console.In.ReadToEnd();
    }

    public void Dispose()
    {
        _process.StandardInput.Close();
        _process.WaitForExit();
        _process.Dispose();
    }

    private static void Accept(TcpListener listener, AnalyticsPayload payload)
    {
        while (true)
        {
            Socket socket = listener.AcceptSocket();
            socket.NoDelay = true;
            AnalyticsPayload own = payload.Copy();
            new Thread(() => Answer(socket, own)) { IsBackground = true }.Start();
        }
    }

    private static void Answer(Socket socket, AnalyticsPayload payload)
    {
        using (socket)
        {
            byte[] request = new byte[16 * 1024];
            int length = 0;
            while (true)
            {
                int read = socket.Receive(request.AsSpan(length));
                if (read == 0)
                {
                    return;
                }

                length += read;
                int end = request.AsSpan(0, length).IndexOf("\r\n\r\n"u8);
                if (end < 0)
                {
                    continue;
                }

                // One request at a time comes on a connection, so what follows its end is nothing.
                string target = Encoding.ASCII.GetString(request, 0, end).Split(' ')[1];
                length = 0;
                ReadOnlyMemory<byte>[] body = BodyOf(target, payload);
                socket.Send(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture,
                    $"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {body.Sum(part => part.Length)}\r\n\r\n")));
                foreach (ReadOnlyMemory<byte> part in body)
                {
                    socket.Send(part.Span);
                }
            }
        }
    }

    private static ReadOnlyMemory<byte>[] BodyOf(string target, AnalyticsPayload payload)
    {
        var query = HttpUtility.ParseQueryString(target[target.IndexOf('?', StringComparison.Ordinal)..]);
        int firstEndpoint = int.Parse(query.GetValues("endpoint_id")![0].AsSpan(^4..), CultureInfo.InvariantCulture);
        if (query.GetValues("expand")!.Contains("summary"))
        {
            return ["{\"next_cursor\":null,\"has_more\":false,\"summary\":"u8.ToArray(), payload.RowsOf(firstEndpoint), "}"u8.ToArray()];
        }

        TimeSpan length = query["timeframe"] == "minute" ? TimeSpan.FromMinutes(1) : TimeSpan.FromHours(1);
        DateTime start = Instant(query["cursor"] ?? query["start"]!);
        int left = (int)((Instant(query["end"]!) - start) / length);
        int count = Math.Min(left, query["limit"] is { } limit ? int.Parse(limit, CultureInfo.InvariantCulture) : payload.Buckets);
        string cursor =
            count == left ? "null" : string.Create(CultureInfo.InvariantCulture, $"\"{start + (count * length):yyyy-MM-ddTHH:mm:ssZ}\"");
        return
        [
            Encoding.ASCII.GetBytes($"{{\"next_cursor\":{cursor},\"has_more\":{(count == left ? "false" : "true")},\"time_series\":["),
            payload.BucketsFrom(start, length, count, firstEndpoint),
            "]}"u8.ToArray(),
        ];
    }

    private static DateTime Instant(string text) => DateTime.Parse(text, CultureInfo.InvariantCulture, DateTimeStyles.AdjustToUniversal);
}
