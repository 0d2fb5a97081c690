using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;

namespace Fal.Observability.Client.Benchmarks;

/// <summary>
/// What the first snapshot costs a program that makes one call, with a client of its own or a registered one, beside a program that
/// fetches the same text with a bare <see cref="HttpClient"/>. All run as whole processes, in turn. This process is the service.
/// </summary>
internal static partial class StartMeasurement
{
    private const int Pairs = 15;
    private const int NativePairs = 51;

    /// <summary>The programs that use the client, by the names of their projects.</summary>
    private static readonly Dictionary<string, string> Clients = new() { ["client"] = "Snapshot", ["registered"] = "Registered" };

    private static readonly Dictionary<string, string[]> PublishOptions = new()
    {
        ["jit"] = [],
        ["readytorun"] = ["-p:PublishReadyToRun=true"],
        ["native"] = ["-p:PublishAot=true"],
    };

    public static IEnumerable<string> Modes => [.. PublishOptions.Keys, "calls"];

    /// <summary>Publishes the programs, runs them and writes one line of JSON for each program and mode.</summary>
    /// <param name="modes">Which of <see cref="Modes"/> to measure.</param>
    /// <param name="runs">How many times to measure each mode.</param>
    /// <param name="against">Another checkout, whose clients are measured as <c>-before</c> in the same run; null for none.</param>
    /// <param name="lists">A folder that keeps the names of the methods that were compiled; null if they are not needed.</param>
    /// <param name="output">Where the lines go.</param>
    public static async Task RunAsync(IReadOnlyList<string> modes, int runs, string? against, string? lists, TextWriter output)
    {
        string folder = Directory.CreateTempSubdirectory("fal-start-").FullName;
        try
        {
            await using WebApplication service = await ServeAsync();
            string address = service.Urls.First();
            foreach (string mode in modes)
            {
                string built = mode == "calls" ? "jit" : mode;
                for (int run = 0; run < runs; run++)
                {
                    List<StartProgram> programs = [Publish(folder, "bare", "Bare", built, null)];
                    foreach ((string name, string project) in Clients)
                    {
                        programs.Add(Publish(folder, name, project, built, null));
                        if (against is not null)
                        {
                            programs.Add(Publish(folder, $"{name}-before", project, built, Path.GetFullPath(against)));
                        }
                    }

                    foreach (string line in mode == "calls" ? Calls(programs, address) : Starts(mode, programs, address, lists ?? folder))
                    {
                        output.WriteLine(line);
                    }
                }
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static IEnumerable<string> Starts(string mode, List<StartProgram> programs, string address, string lists)
    {
        int pairs = mode == "native" ? NativePairs : Pairs;
        foreach (StartProgram program in programs)
        {
            // The first process finds its files outside the page cache.
            program.Run(address);
            program.CountMethods(address, lists);
            program.MeasurePeak(address);
        }

        for (int pair = 0; pair < pairs; pair++)
        {
            foreach (StartProgram program in programs)
            {
                double processor = ProcessorSecondsOfChildren();
                long start = Stopwatch.GetTimestamp();
                program.Run(address);
                program.Wall.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
                program.Processor.Add(1000 * (ProcessorSecondsOfChildren() - processor));
            }
        }

        StartProgram bare = programs[0];
        return programs.Select(program => new JsonObject
        {
            ["mode"] = mode,
            ["program"] = program.Name,
            ["pairs"] = pairs,
            ["wall_ms"] = Math.Round(Median(program.Wall), 1),
            ["wall_ratio"] = Math.Round(Ratio(program.Wall, bare.Wall), 2),
            ["processor_ms"] = Math.Round(Median(program.Processor), 1),
            ["processor_ratio"] = Math.Round(Ratio(program.Processor, bare.Processor), 2),
            ["methods"] = program.Methods,
            ["peak_bytes"] = program.PeakBytes,
            ["disk_bytes"] = program.DiskBytes,
        }.ToJsonString());
    }

    private static IEnumerable<string> Calls(List<StartProgram> programs, string address)
    {
        for (int pair = 0; pair < Pairs; pair++)
        {
            foreach (StartProgram program in programs)
            {
                string[] figures = program.Run(address, "calls").Split(' ');
                program.Wall.Add(double.Parse(figures[0], CultureInfo.InvariantCulture));
                program.Allocated.Add(double.Parse(figures[1], CultureInfo.InvariantCulture));
            }
        }

        StartProgram bare = programs[0];
        return programs.Select(program => new JsonObject
        {
            ["mode"] = "calls",
            ["program"] = program.Name,
            ["pairs"] = Pairs,
            ["call_us"] = Math.Round(Median(program.Wall), 1),
            ["added_us"] = Math.Round(Median(program.Wall.Zip(bare.Wall, (own, least) => own - least)), 1),
            ["allocated_bytes"] = Median(program.Allocated),
            ["added_bytes"] = Median(program.Allocated) - Median(bare.Allocated),
        }.ToJsonString());
    }

    private static StartProgram Publish(string folder, string name, string project, string mode, string? checkout)
    {
        string output = Path.Combine(folder, $"{name}-{mode}");
        if (!Directory.Exists(output))
        {
            var start = new ProcessStartInfo(
                "dotnet",
                [
                    "publish", Path.Combine(Sources(), project), "-c", "Release", "--use-current-runtime",
                    "--self-contained", mode == "native" ? "true" : "false", "-o", output,
                    "--artifacts-path", Path.Combine(folder, "build", name, mode), "-v", "quiet", "-m:1",
                    "-p:RunAnalyzersDuringBuild=false", .. PublishOptions[mode],
                    .. checkout is null ? Array.Empty<string>() : [$"-p:ClientCheckout={checkout}"],
                ])
            {
                RedirectStandardOutput = true,
                Environment = { ["MSBUILDDISABLENODEREUSE"] = "1" },
            };
            using Process process = Process.Start(start)!;
            string printed = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            if (process.ExitCode != 0)
            {
                throw new InvalidOperationException($"Publishing {project} failed.\n{printed}");
            }
        }

        return new StartProgram(name, output);
    }

    /// <summary>The folder of the programs, beside this source: they are projects, and no part of this program's output.</summary>
    private static string Sources([System.Runtime.CompilerServices.CallerFilePath] string path = "") =>
        Path.Combine(Path.GetDirectoryName(path)!, "Programs");

    private static async Task<WebApplication> ServeAsync()
    {
        byte[] body = ExpositionGenerator.Fal(1);
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
        WebApplication service = builder.Build();
        service.Run(async context =>
        {
            context.Response.ContentType = "text/plain; version=0.0.4; charset=utf-8";
            context.Response.ContentLength = body.Length;
            await context.Response.Body.WriteAsync(body);
        });
        await service.StartAsync();
        return service;
    }

    private static double Median(IEnumerable<double> values) => ProcessorClock.Median([.. values]);

    private static double Ratio(List<double> values, List<double> bare) => Median(values.Zip(bare, (own, least) => own / least));

    /// <summary>The processor time of every process that this one started and that has ended.</summary>
    private static double ProcessorSecondsOfChildren()
    {
        const int Children = -1;
        // struct rusage of 64-bit Linux: two times of two words each, then counts.
        Span<long> usage = stackalloc long[18];
        return GetResourceUsage(Children, ref usage[0]) == 0
            ? usage[0] + usage[2] + ((usage[1] + usage[3]) / 1e6)
            : throw new InvalidOperationException($"getrusage failed with {Marshal.GetLastPInvokeError()}.");
    }

    [LibraryImport("libc", EntryPoint = "getrusage", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int GetResourceUsage(int who, ref long usage);

    /// <summary>One published program and what was measured of it.</summary>
    private sealed partial class StartProgram(string name, string folder)
    {
        public string Name => name;

        public List<double> Wall { get; } = [];

        public List<double> Processor { get; } = [];

        public List<double> Allocated { get; } = [];

        /// <summary>The methods that the JIT compiled. What it compiled again in the background is not counted.</summary>
        public int Methods { get; private set; }

        public long PeakBytes { get; private set; }

        public long DiskBytes { get; } = new DirectoryInfo(folder).EnumerateFiles("*", SearchOption.AllDirectories)
            .Where(file => file.Extension is not (".pdb" or ".dbg" or ".xml")).Sum(file => file.Length);

        /// <summary>Runs the program to its end.</summary>
        /// <returns>The line that it printed.</returns>
        public string Run(string address, string? task = null)
        {
            using Process process = Start(address, task, null);
            string line = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            return process.ExitCode == 0
                ? line
                : throw Ended(process);
        }

        public void CountMethods(string address, string lists)
        {
            const int SegmentationFault = 139;
            const int Attempts = 5;
            string file = Path.Combine(lists, Path.GetFileName(folder) + ".txt");
            var environment = new Dictionary<string, string> { ["DOTNET_JitStdOutFile"] = file, ["DOTNET_JitDisasmSummary"] = "1" };
            for (int attempt = 1; ; attempt++)
            {
                File.WriteAllText(file, "");
                using Process process = Start(address, null, environment);
                process.StandardOutput.ReadToEnd();
                process.WaitForExit();
                if (process.ExitCode == 0)
                {
                    break;
                }

                // The runtime sometimes closes the list at its end while a thread of it still writes, and crashes.
                if (process.ExitCode != SegmentationFault || attempt == Attempts)
                {
                    throw Ended(process);
                }
            }

            Methods = File.ReadLines(file).Count(line => CompiledLine().IsMatch(line));
        }

        public void MeasurePeak(string address)
        {
            using Process process = Start(address, "stay", null);
            try
            {
                process.StandardOutput.ReadLine();
                process.Refresh();
                PeakBytes = process.PeakWorkingSet64;
            }
            finally
            {
                process.Kill();
                process.WaitForExit();
            }
        }

        private InvalidOperationException Ended(Process process) => new($"{folder} ended with exit code {process.ExitCode}.");

        private Process Start(string address, string? task, Dictionary<string, string>? environment)
        {
            var start = new ProcessStartInfo(Path.Combine(folder, "program"), task is null ? [address] : [address, task])
            {
                RedirectStandardOutput = true,
            };
            foreach ((string variable, string value) in environment ?? [])
            {
                start.Environment[variable] = value;
            }

            return Process.Start(start)!;
        }

        [GeneratedRegex(@"^\s*\d+: JIT compiled (?!.*\[Tier1)")]
        private static partial Regex CompiledLine();
    }
}
