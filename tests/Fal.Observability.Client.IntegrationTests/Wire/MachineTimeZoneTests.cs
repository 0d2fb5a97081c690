using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using Xunit;

namespace Fal.Observability.Client.IntegrationTests;

/// <summary>
/// The machine's time zone is fixed when a process starts: the tests of the query run once more in a process for each zone.
/// </summary>
public sealed partial class MachineTimeZoneTests
{
    [Theory]
    [InlineData("Asia/Kathmandu", "2025-12-31T18:15:00Z")]
    [InlineData("America/St_Johns", "2026-01-01T03:30:00Z")]
    [InlineData("Pacific/Kiritimati", "2025-12-31T10:00:00Z")]
    public async Task The_bytes_of_a_query_are_the_same_in_every_zone_of_the_machine(string zone, string localMidnight)
    {
        using var process = new Process
        {
            StartInfo = new ProcessStartInfo(
                "dotnet",
                [typeof(QueryBytesTests).Assembly.Location, "-class", typeof(QueryBytesTests).FullName!, "-noColor"]
            )
            {
                RedirectStandardOutput = true,
                Environment = { ["TZ"] = zone, [QueryBytesTests.ExpectedLocalMidnight] = localMidnight },
            },
        };
        process.Start();
        string output = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken).OrHangs();
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);

        Assert.True(process.ExitCode == 0, output);
        int run = int.Parse(Total().Match(output).Groups[1].ValueSpan, CultureInfo.InvariantCulture);
        Assert.True(run > QueryBytesTests.CasesAndCultures.Count, output);
    }

    [GeneratedRegex(@"Total: (\d+), Errors: 0, Failed: 0")]
    private static partial Regex Total();
}
