using System.Text;

namespace Fal.Observability.Cli;

/// <summary>The standard output. A failure to write to it says so, since nobody could tell it from a failure of another file.</summary>
internal sealed class StandardOutput(TextWriter output) : TextWriter
{
    /// <summary>
    /// Takes the keypad and the arrow keys of a terminal out of their application mode. .NET turns this mode on as soon as a program writes
    /// to a terminal, and never turns it off.
    /// </summary>
    public const string KeypadOff = "\e[?1l\e>";

    public override Encoding Encoding => output.Encoding;

    public override void Write(char value) => Guard(() => output.Write(value));

    public override void Write(char[] buffer, int index, int count) => Guard(() => output.Write(buffer, index, count));

    public override void Write(string? value) => Guard(() => output.Write(value));

    public override void Flush() => Guard(output.Flush);

    protected override void Dispose(bool disposing)
    {
        if (disposing && !Console.IsOutputRedirected && !OperatingSystem.IsWindows()
            && Environment.GetEnvironmentVariable("TERM") is not (null or "" or "dumb"))
        {
            try
            {
                output.Write(KeypadOff);
            }
            catch (IOException)
            {
                // The terminal is gone.
            }
        }

        base.Dispose(disposing);
    }

    private static void Guard(Action write)
    {
        try
        {
            write();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StandardOutputException(e);
        }
    }
}

/// <summary>The standard output cannot be written.</summary>
internal sealed class StandardOutputException(Exception cause)
    : IOException($"The standard output cannot be written: {cause.Message.Split(" : '")[0]}", cause);
