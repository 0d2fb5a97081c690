using System.Text;

namespace Fal.Observability.Cli;

/// <summary>The error output. If it cannot be written, it stays silent: results and the exit code are worth more than a notice.</summary>
internal sealed class StandardError(TextWriter output) : TextWriter
{
    public override Encoding Encoding => output.Encoding;

    public override void Write(char value) => Try(() => output.Write(value));

    public override void Write(char[] buffer, int index, int count) => Try(() => output.Write(buffer, index, count));

    public override void Write(string? value) => Try(() => output.Write(value));

    public override void Flush() => Try(output.Flush);

    private static void Try(Action write)
    {
        try
        {
            write();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Closed, full, or nobody reads it.
        }
    }
}
