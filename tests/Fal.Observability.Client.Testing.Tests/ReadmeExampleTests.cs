using Xunit;

namespace Fal.Observability.Client.Testing.Tests;

/// <summary>The example of the readme.</summary>
public class QueueTests
{
    [Fact]
    public async Task A_long_queue_is_reported()
    {
        await using FalSimulator sim = await FalSimulator.StartAsync();
        sim.App("my-org/my-app").Queue = 250;
        using var fal = new FalObservabilityClient(o => (o.ApiKey, o.BaseAddress) = (sim.Key, sim.BaseAddress));

        FalMetricsSnapshot now = await fal.Metrics.GetSnapshotAsync();

        Assert.Equal(250, now["my-org/my-app"]?.QueueSize);
    }
}

/// <summary>The example of the package's readme and of docs/testing.md: it stands here as it is printed there, and runs.</summary>
public sealed class ReadmeExampleTests
{
    [Theory]
    [InlineData("README.md")]
    [InlineData("testing.md")]
    public void The_example_is_printed_as_it_is_compiled(string page)
    {
        string[] source = Example(Path.Combine(AppContext.BaseDirectory, "docs", nameof(ReadmeExampleTests) + ".cs"));
        string[] printed = Example(Path.Combine(AppContext.BaseDirectory, "docs", page));

        Assert.NotEmpty(source);
        Assert.Equal(source, printed);
    }

    /// <summary>The lines of the class, without their indentation.</summary>
    private static string[] Example(string path)
    {
        string[] lines = [.. File.ReadLines(path).Select(line => line.Trim()).Where(line => line.Length > 0)];
        int start = Array.IndexOf(lines, "public class QueueTests");
        int end = Array.IndexOf(lines, "Assert.Equal(250, now[\"my-org/my-app\"]?.QueueSize);");
        return start < 0 || end < start ? [] : lines[start..(end + 1)];
    }
}
