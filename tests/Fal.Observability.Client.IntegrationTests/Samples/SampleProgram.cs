using System.Diagnostics;

namespace Fal.Observability.Client.IntegrationTests.Samples;

/// <summary>A sample as a process, as a user starts it.</summary>
internal static class SampleProgram
{
    /// <param name="name">The name of its assembly.</param>
    /// <param name="key">What <c>FAL_KEY</c> is; null: not set.</param>
    /// <param name="environment">Further variables of the environment.</param>
    /// <param name="arguments">Its arguments.</param>
    public static Process Start(string name, string? key, IEnumerable<KeyValuePair<string, string>> environment, params string[] arguments)
    {
        string program = Path.Combine(AppContext.BaseDirectory, $"{name}.dll");
        var start = new ProcessStartInfo("dotnet", [program, .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true };
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

    public static async Task<(int ExitCode, string Output, string Errors)> EndAsync(this Process process)
    {
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> errors = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync().OrHangs();
        return (process.ExitCode, await output, await errors);
    }
}
