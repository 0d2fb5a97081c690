using System.Diagnostics;
using Xunit;

namespace Fal.Observability.Client.IntegrationTests.Samples;

/// <summary>A sample as a process, as a user starts it.</summary>
internal static class SampleProgram
{
    /// <param name="name">The name of its assembly.</param>
    /// <param name="key">What <c>FAL_KEY</c> is; null: not set.</param>
    /// <param name="environment">Further variables of the environment.</param>
    /// <param name="arguments">Its arguments.</param>
    public static Process Start(
        string name, string? key, IEnumerable<KeyValuePair<string, string>> environment, params string[] arguments) =>
        StartIn("", name, key, environment, arguments);

    /// <summary>Starts it in a folder; in that of this process if the folder is empty.</summary>
    public static Process StartIn(
        string folder,
        string name,
        string? key,
        IEnumerable<KeyValuePair<string, string>> environment,
        params string[] arguments
    )
    {
        // "dotnet test &" in a shell script ignores SIGINT, and each child inherits that. A program that a user starts does not.
        string[] command = OperatingSystem.IsLinux() ? ["env", "--default-signal=INT", "dotnet"] : ["dotnet"];
        string program = Path.Combine(AppContext.BaseDirectory, $"{name}.dll");
        var start = new ProcessStartInfo(command[0], [.. command[1..], program, .. arguments])
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (
            string variable in start
                .Environment.Keys.Where(variable =>
                    variable.StartsWith("FAL_", StringComparison.Ordinal) || variable.StartsWith("ASPNETCORE_", StringComparison.Ordinal)
                )
                .ToArray()
        )
        {
            start.Environment.Remove(variable);
        }

        foreach ((string variable, string value) in environment)
        {
            start.Environment[variable] = value;
        }

        if (key is not null)
        {
            start.Environment["FAL_KEY"] = key;
        }

        return Process.Start(start)!;
    }

    /// <summary>Reads the output of a server up to the line that says where it listens.</summary>
    public static async Task<(Uri Address, List<string> LinesBefore)> ListeningAsync(this Process server)
    {
        const string Listening = "Now listening on: ";
        List<string> lines = [];
        string? line;
        while ((line = await server.StandardOutput.ReadLineAsync().OrHangs())?.Contains(Listening, StringComparison.Ordinal) == false)
        {
            lines.Add(line);
        }

        Assert.NotNull(line);
        return (new Uri(line.Split(Listening)[1]), lines);
    }

    /// <summary>Asks the bridge until its first read has ended.</summary>
    public static async Task BridgeIsReadyAsync(Uri bridge)
    {
        using var http = new HttpClient();
        while (!(await http.GetAsync(new Uri(bridge, "ready")).OrHangs()).IsSuccessStatusCode)
        {
        }
    }

    public static async Task<(int ExitCode, string Output, string Errors)> EndAsync(this Process process)
    {
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> errors = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync().OrHangs();
        return (process.ExitCode, await output, await errors);
    }
}
