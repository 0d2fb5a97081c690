using System.ComponentModel;
using System.Diagnostics;

namespace Fal.Observability.Client.PrometheusTests;

/// <summary>Prometheus' own checker.</summary>
internal static class Promtool
{
    /// <summary>Runs it to its end.</summary>
    /// <param name="input">What it reads from standard input.</param>
    /// <param name="arguments">Its arguments.</param>
    /// <returns>The exit code, and both outputs one after the other.</returns>
    public static async Task<(int ExitCode, string Output)> RunAsync(string input, params IEnumerable<string> arguments)
    {
        using var process = new Process
        {
            StartInfo = new ProcessStartInfo("promtool", arguments)
            {
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            },
        };
        try
        {
            process.Start();
        }
        catch (Win32Exception missing)
        {
            throw new InvalidOperationException(
                "promtool did not start. It comes with Prometheus: on Debian apt-get install prometheus.",
                missing
            );
        }

        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> errors = process.StandardError.ReadToEndAsync();
        await process.StandardInput.WriteAsync(input);
        process.StandardInput.Close();
        await process.WaitForExitAsync();
        return (process.ExitCode, await output + await errors);
    }
}
