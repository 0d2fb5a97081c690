using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Fal.Observability.Client.PrometheusTests;

/// <summary>A server of Debian's as a child process. Disposing ends it; a test process that is killed ends it too.</summary>
internal sealed class LeashedProcess : IAsyncDisposable
{
    // The shell waits on a pipe that only this process holds open, and ends the server when the pipe closes for whatever reason.
    private const string Leash = """
        "$0" "$@" & child=$!
        exec 3<&0
        (cat <&3; kill "$child") >/dev/null 2>&1 &
        wait "$child"
        """;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(50);

    private readonly ConcurrentQueue<string> _log = new();
    private readonly Process _process;
    private readonly string _program;
    private readonly Task _reading;

    public LeashedProcess(string program, IEnumerable<string> arguments)
    {
        _program = program;
        _process = new Process
        {
            StartInfo = new ProcessStartInfo("sh", ["-c", Leash, program, .. arguments])
            {
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            },
        };
        _process.Start();
        _reading = Task.WhenAll(ReadAsync(_process.StandardOutput), ReadAsync(_process.StandardError));
    }

    /// <summary>What it has logged so far.</summary>
    public string Log => string.Join('\n', _log);

    /// <summary>An address at which nothing listens.</summary>
    public static Uri FreeAddress()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return new Uri($"http://{listener.LocalEndpoint}/");
    }

    /// <summary>Waits for its end.</summary>
    /// <returns>The exit code.</returns>
    public async Task<int> WaitForExitAsync()
    {
        await _process.WaitForExitAsync();
        await _reading;
        return _process.ExitCode;
    }

    /// <summary>Asks an address again and again until it answers with success.</summary>
    public async Task WaitUntilReadyAsync(HttpClient http, Uri health)
    {
        long start = TimeProvider.System.GetTimestamp();
        while (true)
        {
            try
            {
                using HttpResponseMessage response = await http.GetAsync(health);
                if (response.IsSuccessStatusCode)
                {
                    return;
                }
            }
            catch (HttpRequestException)
            {
                // Not yet.
            }

            if (_process.HasExited || TimeProvider.System.GetElapsedTime(start) > Patience)
            {
                throw new InvalidOperationException(
                    $"{_program} did not start. It has to be installed, on Debian with apt-get install victoria-metrics prometheus-alertmanager. "
                    + $"It says:\n{Log}");
            }

            await Task.Delay(PollInterval, TimeProvider.System);
        }
    }

    public async ValueTask DisposeAsync()
    {
        _process.StandardInput.Close();
        try
        {
            await _process.WaitForExitAsync().WaitAsync(Patience);
        }
        catch (TimeoutException)
        {
            _process.Kill(entireProcessTree: true);
            throw;
        }
        finally
        {
            await _reading;
            _process.Dispose();
        }
    }

    private async Task ReadAsync(StreamReader lines)
    {
        while (await lines.ReadLineAsync() is string line)
        {
            _log.Enqueue(line);
        }
    }
}
