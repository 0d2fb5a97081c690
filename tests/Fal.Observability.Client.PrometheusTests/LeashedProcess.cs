using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Xunit;

namespace Fal.Observability.Client.PrometheusTests;

/// <summary>A program of Debian's as a child process. Disposing ends it; a test process that is killed ends it too.</summary>
internal sealed class LeashedProcess : IAsyncDisposable
{
    // The shell waits on a pipe that only this process holds open, and ends the server when the pipe closes for whatever reason.
    private const string Leash = """
        "$0" "$@" & child=$!
        exec 3<&0
        (cat <&3; kill "$child") >/dev/null 2>&1 & watcher=$!
        wait "$child"; code=$?
        kill "$watcher" 2>/dev/null
        exit "$code"
        """;

    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(50);

    private readonly ConcurrentQueue<string> _log = new();
    private readonly Action<string>? _onLine;
    private readonly Process _process;
    private readonly string _program;
    private readonly Task _reading;

    /// <param name="program">Its name.</param>
    /// <param name="arguments">Its arguments.</param>
    /// <param name="onLine">Gets each line that it writes. Both outputs call it, at times at once.</param>
    public LeashedProcess(string program, IEnumerable<string> arguments, Action<string>? onLine = null)
    {
        _program = program;
        _onLine = onLine;
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

    /// <summary>How long a test waits for anything.</summary>
    public static TimeSpan Patience { get; } = TimeSpan.FromSeconds(60);

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

    /// <summary>Asks again and again until the answer is yes.</summary>
    /// <param name="condition">What is asked.</param>
    /// <param name="failure">What is wrong if the answer stays no.</param>
    public async Task WaitUntilAsync(Func<Task<bool>> condition, string failure)
    {
        long start = TimeProvider.System.GetTimestamp();
        while (!await condition())
        {
            Assert.True(TimeProvider.System.GetElapsedTime(start) < Patience, $"After {Patience} {failure}. {_program} says:\n{Log}");
            await Task.Delay(PollInterval, TimeProvider.System);
        }
    }

    /// <summary>Asks an address again and again until it answers with success.</summary>
    public Task WaitUntilReadyAsync(HttpClient http, Uri health) => WaitUntilAsync(
        async () =>
        {
            if (_process.HasExited)
            {
                throw DidNotStart();
            }

            try
            {
                using HttpResponseMessage response = await http.GetAsync(health);
                return response.IsSuccessStatusCode;
            }
            catch (HttpRequestException)
            {
                // Not yet.
                return false;
            }
        },
        $"{health} did not answer with success");

    /// <summary>The failure of a program that ended before it was ready.</summary>
    public InvalidOperationException DidNotStart() => new(
        $"{_program} did not start. It has to be installed, on Debian with apt-get install prometheus victoria-metrics "
        + $"prometheus-alertmanager. It says:\n{Log}");

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
            _onLine?.Invoke(line);
        }
    }
}
