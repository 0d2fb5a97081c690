using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.IO.Compression;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;

namespace Fal.Observability.Client.Benchmarks;

/// <summary>
/// What the Prometheus bridge costs, as the processor time and memory of its process, beside those of a process that does no more than
/// fetch
/// the same bytes and send them on. This process is the service and the scraper of both.
/// </summary>
internal static class BridgeMeasurement
{
    private const int WarmUps = 4;
    private const int Polls = 6;
    private const int Scrapes = 20;
    private const string Listening = "Now listening on: ";

    /// <summary>Runs both processes and compares them.</summary>
    /// <param name="apps">How many applications the account has.</param>
    /// <returns>One line of JSON; times are those of the processor, in milliseconds.</returns>
    public static async Task<string> RunAsync(int apps)
    {
        byte[] first = ExpositionGenerator.Fal(apps);
        byte[][] bodies = [.. Enumerable.Range(0, 4).Select(i => Gzip(ScrapeVariations.WithOtherValues(first, i)))];
        var polls = new BlockingCollection<bool>();
        await using WebApplication service = await ServeAsync(bodies, polls);
        string address = $"{service.Urls.First()}/v1";

        (double poll, double scrape, long memory) = await MeasureAsync(
            "Fal.Observability.Bridge.dll",
            [
                $"--Fal:BaseAddress={address}",
                "--Fal:ApiKey=simulated:key",
                "--Fal:Publisher:Interval=00:00:10",
                "--Urls=http://127.0.0.1:0",
            ],
            "metrics",
            "metrics",
            polls);
        (double barePoll, double bareScrape, long bareMemory) = await MeasureAsync(
            "Fal.Observability.Client.Benchmarks.dll",
            ["relay", $"{address}/serverless/metrics"],
            "fetched",
            "held",
            polls: null
        );
        return string.Create(
            CultureInfo.InvariantCulture,
            $$"""
            {"apps":{{apps}},"bytes":{{first.Length}},"poll_and_scrape_ms":{{poll:0.0}},"scrape_ms":{{scrape:0.0}},"mb":{{memory
                >> 20}},"bare_fetch_and_send_ms":{{barePoll:0.0}},"bare_send_ms":{{bareScrape:0.0}},"bare_mb":{{bareMemory
                >> 20}},"poll_ratio":{{poll / barePoll:0.00}},"scrape_ratio":{{scrape / bareScrape:0.00}}}
            """
        );
    }

    /// <summary>
    /// The least that anything between service and scraper does: <c>/fetched</c> fetches and sends, <c>/held</c> sends what was fetched
    /// last.
    /// </summary>
    public static async Task RelayAsync(string source)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        using var http = new HttpClient(new SocketsHttpHandler { AutomaticDecompression = System.Net.DecompressionMethods.GZip });
        byte[] held = [];
        WebApplication relay = builder.Build();
        relay.MapGet("/fetched", async context =>
        {
            held = await http.GetByteArrayAsync(new Uri(source));
            await SendAsync(context, held);
        });
        relay.MapGet("/held", context => SendAsync(context, held));
        await relay.RunAsync();
    }

    private static async Task<(double Poll, double Scrape, long Memory)> MeasureAsync(
        string program, string[] arguments, string afterPoll, string alone, BlockingCollection<bool>? polls)
    {
        using var http = new HttpClient();
        using var process = Process.Start(new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, program), .. arguments])
        {
            RedirectStandardOutput = true,
            // With a poll in ten seconds it would take minutes until the compiler has left off, and its work would be what is measured.
            Environment = { ["DOTNET_TieredCompilation"] = "0" },
        })!;
        try
        {
            string? line;
            while ((line = await process.StandardOutput.ReadLineAsync()) is not null && !line.Contains(Listening, StringComparison.Ordinal))
            {
                // Until it says where it is.
            }

            string address = line!.Split(Listening)[1];
            await PollAsync(WarmUps);
            TimeSpan before = ProcessorTime();
            await PollAsync(Polls);
            double poll = (ProcessorTime() - before).TotalMilliseconds / Polls;
            await ScrapeAsync(alone, Scrapes);
            before = ProcessorTime();
            await ScrapeAsync(alone, Scrapes);
            double scrape = (ProcessorTime() - before).TotalMilliseconds / Scrapes;
            return (poll, scrape, process.PeakWorkingSet64);

            async Task PollAsync(int times)
            {
                for (int i = 0; i < times; i++)
                {
                    if (polls is not null)
                    {
                        polls.Take();
                        // Until it has been read; the next one is due in ten seconds.
                        await Task.Delay(TimeSpan.FromSeconds(3), TimeProvider.System);
                    }

                    await ScrapeAsync(afterPoll, 1);
                }
            }

            async Task ScrapeAsync(string path, int times)
            {
                for (int i = 0; i < times; i++)
                {
                    await using Stream page = await http.GetStreamAsync(new Uri($"{address}/{path}"));
                    await page.CopyToAsync(Stream.Null);
                }
            }
        }
        finally
        {
            process.Kill();
            await process.WaitForExitAsync();
        }

        TimeSpan ProcessorTime()
        {
            process.Refresh();
            return process.TotalProcessorTime;
        }
    }

    private static async Task<WebApplication> ServeAsync(byte[][] bodies, BlockingCollection<bool> polls)
    {
        int turn = 0;
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
        WebApplication service = builder.Build();
        service.Run(async context =>
        {
            byte[] body = bodies[turn++ % bodies.Length];
            context.Response.Headers.ContentEncoding = "gzip";
            await SendAsync(context, body);
            polls.Add(true);
        });
        await service.StartAsync();
        return service;
    }

    private static async Task SendAsync(HttpContext context, byte[] body)
    {
        context.Response.ContentType = "text/plain";
        context.Response.ContentLength = body.Length;
        await context.Response.Body.WriteAsync(body);
    }

    private static byte[] Gzip(byte[] body)
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Optimal))
        {
            gzip.Write(body);
        }

        return packed.ToArray();
    }
}
