using Fal.Observability.Client.Testing;
using Xunit;

namespace Fal.Observability.Client.IntegrationTests.Documentation;

/// <summary>
/// A block that is marked <c>sh run</c> is what a user types. It runs here against the simulator, and the block below it is what it prints.
/// <see cref="ExampleTests"/> runs those that belong to a program of the same page.
/// </summary>
public sealed class CommandTests
{
    public static TheoryData<string> PagesOfCommands =>
        [.. PrintedExamples.PagesWith(PrintedExamples.Commands).Except(PrintedExamples.PagesWith(PrintedExamples.Program))];

    [Theory]
    [MemberData(nameof(PagesOfCommands))]
    public async Task A_command_prints_what_its_page_says(string page)
    {
        await using FalSimulator simulator = await PrintedExamples.StartSimulatorAsync();
        await using var commands = new PrintedCommands(simulator);

        await PrintedExamples.CompareAsync(page, (_, block) => commands.RunAsync(block));
    }
}
