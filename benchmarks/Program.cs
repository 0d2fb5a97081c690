using System.Globalization;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Running;
using Fal.Observability.Client.Benchmarks;

const string usage = """
    dotnet run -c Release --project benchmarks -- parse FILE [--mode reader|samples|families|replay|churn|replay-families|snapshot] [--seconds 3]
    dotnet run -c Release --project benchmarks -- json FILE [--seconds 3]
    dotnet run -c Release --project benchmarks -- adversarial [FILTER]
    dotnet run -c Release --project benchmarks -- linearity [--seconds 3]
    dotnet run -c Release --project benchmarks -- stream MEGABYTES
    dotnet run -c Release --project benchmarks -- generate fal APPS FILE
    dotnet run -c Release --project benchmarks -- generate histograms COUNT FILE
    dotnet run -c Release --project benchmarks -- analytics decode|page|report|stream [--rounds 9]
    dotnet run -c Release --project benchmarks -- bridge APPS
    dotnet run -c Release --project benchmarks -- start [jit|readytorun|native|calls]... [--runs 1] [--against CHECKOUT] [--lists FOLDER]
    dotnet run -c Release --project benchmarks -- benchmark [BenchmarkDotNet options]
    """;

switch (args)
{
    case ["parse", string file, .. string[] rest] when TryReadOptions(rest, out string mode, out double seconds):
        if (!File.Exists(file))
        {
            return Fail($"There is no file '{file}'.");
        }

        Console.WriteLine(ParseMeasurement.Run(file, mode, seconds));
        return 0;
    case ["json", string file, .. string[] rest] when File.Exists(file) && TryReadOptions(rest, out _, out double seconds):
        foreach (string line in JsonPeer.Run(file, seconds))
        {
            Console.WriteLine(line);
        }

        return 0;
    case ["linearity", .. string[] rest] when TryReadOptions(rest, out _, out double seconds):
        ScaleMeasurement.Linearity(Console.Out, seconds);
        return 0;
    case ["stream", string number] when int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out int megabytes):
        Console.WriteLine(await ScaleMeasurement.StreamAsync(megabytes));
        return 0;
    case ["adversarial", .. string[] filter] when filter.Length < 2:
        AdversarialMeasurement.Run(Console.Out, string.Concat(filter));
        return 0;
    case ["generate", "fal" or "histograms", string number, string file]
        when int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out int count):
        File.WriteAllBytes(file, args[1] == "fal" ? ExpositionGenerator.Fal(count) : ExpositionGenerator.Histograms(count));
        return 0;
    case ["analytics", "serve"]:
        AnalyticsServer.Serve();
        return 0;
    case ["analytics", string mode, .. string[] rest] when AnalyticsMeasurement.Modes.Contains(mode) && TryReadRounds(rest, out int rounds):
        AnalyticsMeasurement.Run(mode, rounds);
        return 0;
    case ["bridge", string number] when int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out int apps):
        Console.WriteLine(await BridgeMeasurement.RunAsync(apps));
        return 0;
    case ["relay", string source]:
        await BridgeMeasurement.RelayAsync(source);
        return 0;
    case ["start", .. string[] rest] when TryReadStart(rest, out string[] modes, out int runs, out string? against, out string? lists):
        await StartMeasurement.RunAsync(modes, runs, against, lists, Console.Out);
        return 0;
    case ["benchmark", .. string[] rest]:
        // It builds a program of its own, with all analyzers: on a busy machine that takes longer than it waits by itself.
        BenchmarkRunner.Run<ParserBenchmarks>(ManualConfig.Create(DefaultConfig.Instance).WithBuildTimeout(TimeSpan.FromMinutes(15)), rest);
        return 0;
    default:
        return Fail("Not understood.");
}

static bool TryReadOptions(ReadOnlySpan<string> options, out string mode, out double seconds)
{
    mode = "reader";
    seconds = 3;
    for (; options.Length >= 2; options = options[2..])
    {
        if (options[0] == "--mode" && ParseMeasurement.Modes.Contains(options[1]))
        {
            mode = options[1];
        }
        else if (
            options[0] != "--seconds"
            || !double.TryParse(options[1], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out seconds)
        )
        {
            return false;
        }
    }

    return options.IsEmpty;
}

static bool TryReadRounds(ReadOnlySpan<string> options, out int rounds)
{
    rounds = 9;
    return options.IsEmpty
        || (
            options is ["--rounds", string number]
            && int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out rounds)
            && rounds > 0
        );
}

static bool TryReadStart(string[] options, out string[] modes, out int runs, out string? against, out string? lists)
{
    lists = Take("--lists");
    against = Take("--against");
    string times = Take("--runs") ?? "1";
    modes = options.Length == 0 ? [.. StartMeasurement.Modes] : options;
    return int.TryParse(times, NumberStyles.None, CultureInfo.InvariantCulture, out runs) && modes.All(StartMeasurement.Modes.Contains);

    string? Take(string name)
    {
        int place = Array.IndexOf(options, name);
        string? value = place < 0 ? null : options.ElementAtOrDefault(place + 1);
        options = value is null ? options : [.. options[..place], .. options[(place + 2)..]];
        return value;
    }
}

static int Fail(string message)
{
    Console.Error.WriteLine(message);
    Console.Error.WriteLine(usage);
    return 2;
}
