using System.Runtime.InteropServices;

namespace Fal.Observability.Cli;

/// <summary>
/// Ctrl+C and SIGTERM. The first one asks the work to end and leaves it the time it needs. A second one ends the process.
/// </summary>
internal sealed class Interruption : IDisposable
{
    private readonly CancellationTokenSource _requested = new();
    private readonly PosixSignalRegistration _interrupt;
    private readonly PosixSignalRegistration _terminate;

    public Interruption()
    {
        _interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, signal => Request(signal, 128 + 2));
        _terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, signal => Request(signal, 128 + 15));
    }

    public CancellationToken Token => _requested.Token;

    /// <summary>What the program ends with if it was interrupted.</summary>
    public int Code { get; private set; }

    public void Dispose()
    {
        _interrupt.Dispose();
        _terminate.Dispose();
        _requested.Dispose();
    }

    private void Request(PosixSignalContext signal, int code)
    {
        if (_requested.IsCancellationRequested)
        {
            return;
        }

        signal.Cancel = true;
        Code = code;
        _requested.Cancel();
    }
}
