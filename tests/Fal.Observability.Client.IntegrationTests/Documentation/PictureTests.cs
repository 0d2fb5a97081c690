using System.Globalization;
using System.Net;
using System.Text;
using System.Text.RegularExpressions;
using Fal.Observability.Cli.Report;
using Fal.Observability.Cli.Top;
using Fal.Observability.Client.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Fal.Observability.Client.IntegrationTests.Documentation;

/// <summary>
/// The pictures of the README: the live view as an SVG, and the page that docs/pictures/make takes a screenshot of. Seed and clock are
/// fixed. With <c>FAL_UPDATE_DOCS=1</c> this writes them.
/// </summary>
public sealed partial class PictureTests
{
    private const int Columns = 100;
    private const int Lines = 22;
    private const double ColumnWidth = 8.4;
    private const int LineHeight = 19;
    private const int Margin = 14;

    private static readonly DateTimeOffset Now = new(2026, 7, 2, 12, 34, 56, TimeSpan.Zero);

    private readonly FakeTimeProvider _clock = new(Now.AddMinutes(-5));

    [Fact]
    public async Task The_picture_of_the_live_view_is_what_it_draws()
    {
        await using FalSimulator simulator = await StartAsync();
        using FalObservabilityClient fal = ClientOf(simulator);
        var model = new TopModel("fal", isSimulated: true, TimeSpan.FromSeconds(10), _clock.GetUtcNow());
        model.Take(await fal.Apps.ListAsync(TestContext.Current.CancellationToken));
        while (_clock.GetUtcNow() <= Now)
        {
            model.Take(await fal.Metrics.GetSnapshotAsync(TestContext.Current.CancellationToken));
            _clock.Advance(TimeSpan.FromSeconds(10));
        }

        DateOnly today = DateOnly.FromDateTime(Now.UtcDateTime);
        model.Take(
            await fal.Usage.GetReportAsync(
                new UsageQuery { Range = AnalyticsTimeRange.Days(today, today), Expand = UsageExpand.Summary },
                TestContext.Current.CancellationToken));

        string drawn = Picture(new TopScreen(model, TopScreen.Blocks).Draw(new TopView(), Columns, Lines, model.Latest!.Timestamp));

        const string Drawing = "docs/pictures/top.svg";
        if (IsUpdate)
        {
            await File.WriteAllTextAsync(Path.Combine(Repository.Root, Drawing), drawn, TestContext.Current.CancellationToken);
        }

        Assert.Equal(Repository.Read(Drawing), drawn);
    }

    [Fact]
    public async Task The_page_for_the_picture_of_the_report_has_every_app()
    {
        _clock.SetUtcNow(Now);
        await using FalSimulator simulator = await StartAsync();
        using FalObservabilityClient fal = ClientOf(simulator);

        AccountFigures figures = FiguresOf.Account(await new ReportCollector(fal, _clock).CollectAsync(
            new ReportRequest
            {
                Apps = await fal.Apps.ListAsync(TestContext.Current.CancellationToken),
                EndpointIds = simulator.Apps,
                IsWholeAccount = true,
                IsSimulated = true,
                First = new DateOnly(2026, 6, 2),
                Objective = new AvailabilityObjective(0.995, TimeSpan.FromDays(30)),
            },
            TestContext.Current.CancellationToken));
        var page = new MemoryStream();
        ReportVerb.Write(figures, isJson: false, page);

        if (IsUpdate)
        {
            string folder = Directory.CreateDirectory(Path.Combine(Repository.Root, "artifacts", "pictures")).FullName;
            await File.WriteAllBytesAsync(
                Path.Combine(folder, "report.html"), page.ToArray(), TestContext.Current.CancellationToken);
        }

        Assert.Equal(simulator.Apps.Order(), figures.Apps.Select(app => app.App).Order());
    }

    private static bool IsUpdate => Environment.GetEnvironmentVariable("FAL_UPDATE_DOCS") == "1";

    private Task<FalSimulator> StartAsync()
    {
        var options = new FalSimulatorOptions { Seed = 7, TimeProvider = _clock };
        options.Incidents.Add(
            new SimulatedIncident("simulated/depth-map-00008") { Start = Now.AddMinutes(-12), Duration = TimeSpan.FromMinutes(30) });
        return FalSimulator.StartAsync(options, TestContext.Current.CancellationToken);
    }

    private FalObservabilityClient ClientOf(FalSimulator simulator) => new(
        options => (options.ApiKey, options.BaseAddress) = (simulator.Key, simulator.BaseAddress),
        builder => builder.Services.AddSingleton<TimeProvider>(_clock));

    /// <summary>The lines as a picture that follows the reader's light or dark scheme.</summary>
    private static string Picture(IReadOnlyList<TopLine> lines)
    {
        var svg = new StringBuilder();
        double width = (2 * Margin) + (Columns * ColumnWidth);
        int height = (2 * Margin) + (lines.Count * LineHeight);
        svg.Append(CultureInfo.InvariantCulture, $$"""
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {{width:0.#}} {{height}}" role="img" aria-labelledby="title" xml:space="preserve">
            <title id="title">fal-obs top: the apps of a simulated account, one of them in an incident</title>
            <style>
            text { font: 14px ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; fill: #1f2328; white-space: pre; }
            .page { fill: #ffffff; stroke: #d0d7de; } .s1 { font-weight: bold; } .s2 { fill: #57606a; }
            .s32 { fill: #1a7f37; } .s33 { fill: #9a6700; } .s31 { fill: #cf222e; font-weight: bold; } .s7 { fill: #ddf4ff; }
            @media (prefers-color-scheme: dark) {
            text { fill: #e6edf3; } .page { fill: #0d1117; stroke: #30363d; } .s2 { fill: #8b949e; }
            .s32 { fill: #3fb950; } .s33 { fill: #d29922; } .s31 { fill: #ff7b72; } .s7 { fill: #1f3a5f; }
            }
            </style>
            <rect class="page" x="0.5" y="0.5" width="{{width - 1:0.#}}" height="{{height - 1}}" rx="8"/>

            """);
        for (int i = 0; i < lines.Count; i++)
        {
            var line = new StringBuilder();
            lines[i].Write(line, hasColours: true);
            double top = Margin + (i * LineHeight);
            if (lines[i].IsSelected)
            {
                svg.Append(CultureInfo.InvariantCulture,
                    $"<rect class=\"s7\" x=\"{Margin}\" y=\"{top}\" width=\"{Columns * ColumnWidth:0.#}\" height=\"{LineHeight}\"/>\n");
            }

            int column = 0;
            foreach (Match part in Part().Matches(line.ToString().Replace("\e[K", "", StringComparison.Ordinal)))
            {
                string text = part.Groups["text"].Value;
                string shown = text.Trim();
                if (shown.Length > 0)
                {
                    int start = column + text.Length - text.TrimStart().Length;
                    string style = string.Join(' ', part.Groups["style"].Value.Split(';').Where(code => code is not ("" or "7"))
                        .Select(code => $"s{code}"));
                    svg.Append(CultureInfo.InvariantCulture,
                        $"<text x=\"{Margin + (start * ColumnWidth):0.#}\" y=\"{top + 14}\" textLength=\"{shown.Length * ColumnWidth:0.#}\"" +
                        $"{(style.Length > 0 ? $" class=\"{style}\"" : "")}>{WebUtility.HtmlEncode(shown)}</text>\n");
                }

                column += text.Length;
            }
        }

        return svg.Append("</svg>\n").Replace("\r\n", "\n").ToString();
    }

    [GeneratedRegex("(?:\e\\[(?<style>[0-9;]+)m)?(?<text>[^\e]+)(?:\e\\[0m)?")]
    private static partial Regex Part();
}
