using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Xunit;
using Xunit.Sdk;

namespace Fal.Observability.Client.Tests.Prometheus;

/// <summary>
/// A test that makes its inputs by chance. Each round has a seed of its own, so that one round can be repeated by itself, and a
/// failure says how.
/// </summary>
/// <remarks>
/// A usual run makes the same rounds each time. PARSER_FUZZ_SECONDS lets the test go on for so long, and PARSER_FUZZ_SEED makes
/// other inputs. PARSER_FUZZ_ROUND names the round to begin with; without PARSER_FUZZ_SECONDS it is the only one.
/// </remarks>
internal sealed class FuzzRun
{
    private static readonly TimeSpan BetweenSigns = TimeSpan.FromSeconds(5);

    private readonly int _seconds = Read("PARSER_FUZZ_SECONDS") ?? 0;
    private readonly int _seed = Read("PARSER_FUZZ_SEED") ?? 0;
    private readonly int _first = Read("PARSER_FUZZ_ROUND") ?? 0;
    private readonly int _usual;
    private readonly int _test;
    private readonly string _testName;

    /// <summary>Prepares a run.</summary>
    /// <param name="rounds">How many rounds a usual run has.</param>
    /// <param name="test">A number that no other test has, so that tests with one seed have different inputs.</param>
    /// <param name="testName">The test's method.</param>
    public FuzzRun(int rounds, int test, [CallerMemberName] string testName = "")
    {
        _usual = Read("PARSER_FUZZ_ROUND") is null ? rounds : 1;
        _test = test;
        _testName = testName;
    }

    /// <summary>How many rounds there were.</summary>
    public int Rounds { get; private set; }

    private static int VectorBits =>
        Vector512.IsHardwareAccelerated ? 512 : Vector256.IsHardwareAccelerated ? 256 : Vector128.IsHardwareAccelerated ? 128 : 0;

    public void Go(Action<Random> round) => GoAsync(random =>
    {
        round(random);
        return Task.CompletedTask;
    }).GetAwaiter().GetResult();

    public async Task GoAsync(Func<Random, Task> round)
    {
        long start = TimeProvider.System.GetTimestamp();
        TimeSpan nextSign = TimeSpan.Zero;
        while (true)
        {
            int number = _first + Rounds;
            if (_seconds == 0)
            {
                if (Rounds == _usual)
                {
                    return;
                }
            }
            else if (TimeProvider.System.GetElapsedTime(start) is var elapsed && elapsed >= TimeSpan.FromSeconds(_seconds))
            {
                return;
            }
            else if (elapsed >= nextSign)
            {
                // A read outside of the input ends the process: then this is all that tells where to begin again.
                await Console.Error.WriteLineAsync(Describe(number));
                nextSign += BetweenSigns;
            }

            try
            {
                await round(new Random(unchecked((_seed + (_test * 1_000_003)) ^ (number * -1_640_531_527))));
            }
            catch (Exception e)
            {
                throw new XunitException($"{Describe(number)}\n{e.Message}", e);
            }

            Rounds++;
        }
    }

    /// <summary>Writes to the test's output what was done.</summary>
    public void Report(FormattableString counts) =>
        TestContext.Current.TestOutputHelper?.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"seed {_seed}, vectors of {VectorBits} bits: {Rounds} rounds, {counts.ToString(CultureInfo.InvariantCulture)}"
            )
        );

    private string Describe(int round) => string.Create(CultureInfo.InvariantCulture,
        $"Round {round} with vectors of {VectorBits} bits. To repeat: PARSER_FUZZ_SEED={_seed} PARSER_FUZZ_ROUND={round} dotnet run " +
            $"--project tests/Fal.Observability.Client.Tests -f net10.0 -- -method '*.{_testName}'");

    private static int? Read(string variable) =>
        int.TryParse(Environment.GetEnvironmentVariable(variable), NumberStyles.None, CultureInfo.InvariantCulture, out int value)
            ? value
            : null;
}
