using System.Runtime.InteropServices;
using System.Text;

namespace Fal.Observability.Cli.Top;

/// <summary>
/// The terminal while a live view has it: its second screen, without a cursor. The first screen comes back in whatever way the program
/// ends, but for SIGKILL.
/// </summary>
internal sealed class LiveTerminal : IDisposable
{
    private const string Enter = "\e[?1049h\e[?25l\e[?7l\e[2J";
    private const string Leave = "\e[0m\e[?7h\e[?25h\e[?1049l" + StandardOutput.KeypadOff;

    private readonly Lock _writing = new();
    private readonly List<PosixSignalRegistration> _signals = [];
    private readonly bool _hasColours;
    private string[] _shown = [];
    private (int Width, int Height) _size;
    private bool _isEntered;

    /// <summary>Takes the terminal.</summary>
    /// <param name="hasColours">Whether colours may be used.</param>
    /// <param name="redraw">Asks for a new drawing: the size has changed, or the program was stopped and goes on.</param>
    /// <param name="end">Asks the program to end: the terminal is gone.</param>
    public LiveTerminal(bool hasColours, Action redraw, Action end)
    {
        _hasColours = hasColours;
        AppDomain.CurrentDomain.ProcessExit += OnExit;
        AppDomain.CurrentDomain.UnhandledException += OnExit;
        Begin();
        _signals.Add(PosixSignalRegistration.Create(PosixSignal.SIGHUP, signal =>
        {
            signal.Cancel = true;
            end();
        }));
        _signals.Add(PosixSignalRegistration.Create(PosixSignal.SIGQUIT, _ => End()));
        if (!OperatingSystem.IsWindows())
        {
            _signals.Add(PosixSignalRegistration.Create(PosixSignal.SIGWINCH, _ => redraw()));
            // The runtime does not stop a program whose SIGTSTP it handles, and without a handler the shell would be on the second screen.
            _signals.Add(PosixSignalRegistration.Create(PosixSignal.SIGTSTP, signal => signal.Cancel = true));
            // Whoever stopped the program with SIGSTOP may have written to the screen.
            _signals.Add(PosixSignalRegistration.Create(PosixSignal.SIGCONT, _ =>
            {
                Begin();
                redraw();
            }));
        }
    }

    /// <summary>Whether somebody can look at the output and press keys.</summary>
    public static bool IsThere => !Console.IsOutputRedirected && !Console.IsInputRedirected
        && !string.Equals(Environment.GetEnvironmentVariable("TERM"), "dumb", StringComparison.Ordinal);

    /// <summary>Whether the encoding of the output has the characters of bars.</summary>
    public static bool HasUnicode => Console.OutputEncoding.CodePage == Encoding.UTF8.CodePage;

    /// <summary>The columns and lines.</summary>
    public static (int Width, int Height) Size => (Math.Max(1, Console.WindowWidth), Math.Max(1, Console.WindowHeight));

    /// <summary>Shows lines. Only those that have changed are written.</summary>
    public void Show(IReadOnlyList<TopLine> lines, (int Width, int Height) size)
    {
        lock (_writing)
        {
            if (!_isEntered)
            {
                return;
            }

            var output = new StringBuilder();
            if (size != _size || _shown.Length != lines.Count)
            {
                output.Append("\e[2J");
                _size = size;
                _shown = new string[lines.Count];
            }

            var line = new StringBuilder();
            for (int i = 0; i < Math.Min(lines.Count, size.Height); i++)
            {
                line.Clear();
                lines[i].Write(line, _hasColours);
                string text = line.ToString();
                if (text != _shown[i])
                {
                    _shown[i] = text;
                    output.Append(System.Globalization.CultureInfo.InvariantCulture, $"\e[{i + 1};1H{text}");
                }
            }

            if (output.Length > 0)
            {
                Console.Out.Write(output.ToString());
            }
        }
    }

    public void Dispose()
    {
        _signals.ForEach(signal => signal.Dispose());
        AppDomain.CurrentDomain.ProcessExit -= OnExit;
        AppDomain.CurrentDomain.UnhandledException -= OnExit;
        End();
    }

    private void OnExit(object? sender, EventArgs e) => End();

    private void Begin()
    {
        lock (_writing)
        {
            _isEntered = true;
            _shown = [];
            Console.Out.Write(Enter);
        }
    }

    private void End()
    {
        lock (_writing)
        {
            if (!_isEntered)
            {
                return;
            }

            _isEntered = false;
            try
            {
                Console.Out.Write(Leave);
            }
            catch (IOException)
            {
                // The terminal is gone, and with it what there was to restore.
            }
        }
    }
}
