using System.Globalization;
using Xunit;

namespace Fal.Observability.Client.Tests.Prometheus;

/// <summary>
/// How long a test with inputs made by chance goes on: its usual rounds, times PARSER_FUZZ_FACTOR, or for PARSER_FUZZ_MINUTES.
/// PARSER_FUZZ_SEED makes other inputs; a usual run makes the same each time.
/// </summary>
internal sealed class FuzzRun
{
    private readonly long _start = TimeProvider.System.GetTimestamp();
    private readonly int _minutes = Read("PARSER_FUZZ_MINUTES", 0);
    private readonly int _seed;
    private readonly long _usual;

    internal FuzzRun(int rounds, int test)
    {
        _usual = (long)rounds * Read("PARSER_FUZZ_FACTOR", 1);
        _seed = Read("PARSER_FUZZ_SEED", 0) + test;
        Random = new Random(_seed);
    }

    internal Random Random { get; }

    internal long Rounds { get; private set; }

    /// <summary>Whether there is another round.</summary>
    internal bool Next()
    {
        bool goesOn = _minutes == 0 ? Rounds < _usual : TimeProvider.System.GetElapsedTime(_start) < TimeSpan.FromMinutes(_minutes);
        Rounds += goesOn ? 1 : 0;
        return goesOn;
    }

    /// <summary>Writes to the test's output what was done.</summary>
    internal void Report(FormattableString counts) => TestContext.Current.TestOutputHelper?.WriteLine(
        string.Create(CultureInfo.InvariantCulture, $"seed {_seed}: {Rounds} rounds, {counts.ToString(CultureInfo.InvariantCulture)}"));

    private static int Read(string variable, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable(variable), NumberStyles.None, CultureInfo.InvariantCulture, out int value) ? value : otherwise;
}
