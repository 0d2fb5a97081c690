using System.CommandLine;
using System.Diagnostics.Metrics;
using System.Threading.Channels;
using Fal.Observability.Client;
using Spectre.Console;

namespace Fal.Observability.Cli.Top;

/// <summary>A live view of the account in the terminal, or one table where a program reads the output.</summary>
internal sealed class TopVerb
{
    private const int ShortestInterval = 10;
    private const int LongestInterval = 3600;

    private static readonly TimeSpan AgeStep = TimeSpan.FromSeconds(1);

    private readonly Option<int?> _interval = Words.Option<int?>(
        "--interval", "SECONDS", "The time between two reads of the metrics, 10 to 3600 (default: 10).", Interval);

    private readonly Option<TopSort> _sort = Words.Choice(
        "--sort", "What to sort by at first (default: trouble).",
        [.. Enum.GetValues<TopSort>().Select(sort => (TopView.NameOf(sort), sort))]);

    private readonly Option<string?> _filter = Words.Option<string?>(
        "--filter", "TEXT", "Only apps whose name contains the text.", text => text);

    private readonly Option<string[]?> _environments = Words.Environments();
    private readonly Option<Uri?> _baseAddress = Words.BaseAddress();

    public static Command Create()
    {
        var top = new TopVerb();
        var verb = new VerbWithNotes("top", "Watch the account's apps live, those in trouble first.", """
            Keys:
              s, S  sort by the next or previous column    Enter  open one app
              r     reverse the order                      Esc    go back, clear the filter
              /     filter by a part of the name           p      pause and go on
              ?     explain the figures                    q      quit
            Without a terminal, top writes one table and ends.
            """)
        {
            top._interval, top._sort, top._filter, top._environments, top._baseAddress,
        };
        verb.SetAction(top.RunAsync);
        return verb;
    }

    private static int? Interval(string text) => Words.Whole(text) is >= ShortestInterval and <= LongestInterval and var seconds
        ? seconds
        : throw Words.Expected($"{ShortestInterval} to {LongestInterval}: the service caches its metrics for {ShortestInterval} seconds");

    private static async Task<int> WriteTableAsync(
        IFalObservabilityClient client, string[] environments, TopModel model, TopView view, CancellationToken cancellationToken)
    {
        FalMetricsSnapshot live = await client.Metrics.GetSnapshotAsync(cancellationToken);
        try
        {
            model.Take(await client.Apps.ListAsync(new FalAppQuery(environments), cancellationToken));
        }
        catch (FalForbiddenException e)
        {
            await Console.Error.WriteLineAsync($"left out: apps without metrics, limits: {TopModel.TextOf(e)}");
        }

        try
        {
            model.Take(await TopFeed.CostOfTodayAsync(client, TimeProvider.System.GetUtcNow(), cancellationToken));
        }
        catch (FalForbiddenException e)
        {
            await Console.Error.WriteLineAsync($"left out: cost: {TopModel.TextOf(e)}");
        }

        model.Take(live);
        foreach (string notice in model.Notices)
        {
            await Console.Error.WriteLineAsync(notice);
        }

        TopReading reading = model.Latest!;
        (IReadOnlyList<TopColumn> columns, TopDrawing drawing) = TopColumns.For(
            reading, Screen.WidthOfPipe, withBars: false, TopScreen.Ascii, view.Sort);
        Table table = new Table().Border(TableBorder.None);
        foreach (TopColumn column in columns)
        {
            table.AddColumn(new TableColumn(new Text(column.Title)));
        }

        foreach (TopRow row in reading.Select(view))
        {
            // A program that reads the table splits it at the blanks, so that no cell may be empty.
            table.AddRow(columns.Select((column, i) =>
                new Text(i == 0 ? row.App.ShownName : column.Value(row, drawing) is { Length: > 0 } value ? value : Figures.None)));
        }

        Screen.Output().Write(table);
        if (table.Rows.Count == 0)
        {
            await Console.Error.WriteLineAsync(new TopScreen(model, TopScreen.Ascii).WhyEmpty(view));
        }

        return ExitCode.Done;
    }

    private async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        await using Account account = await Account.OpenAsync(parsed.GetValue(_baseAddress), cancellationToken);
        TimeProvider clock = TimeProvider.System;
        TimeSpan interval = TimeSpan.FromSeconds(parsed.GetValue(_interval) ?? ShortestInterval);
        string[] environments = parsed.GetValue(_environments) ?? [];
        string service = account.IsSimulated ? "the simulator" : parsed.GetValue(_baseAddress)?.Authority ?? "fal";
        var model = new TopModel(service, account.IsSimulated, interval, clock.GetUtcNow()) { Environments = environments };
        var view = new TopView { Sort = parsed.GetValue(_sort), Filter = parsed.GetValue(_filter) ?? "" };
        if (!LiveTerminal.IsThere)
        {
            return await WriteTableAsync(account.Client, environments, model, view, cancellationToken);
        }

        await WatchAsync(account.Client, environments, model, view, clock, cancellationToken);
        // To be ended is what it waits for.
        return ExitCode.Done;
    }

    private static async Task WatchAsync(
        IFalObservabilityClient client,
        string[] environments,
        TopModel model,
        TopView view,
        TimeProvider clock,
        CancellationToken cancellationToken)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Channel<Action> queue = Channel.CreateUnbounded<Action>(new UnboundedChannelOptions { SingleReader = true });
        void Post(Action change) => queue.Writer.TryWrite(change);
        var feed = new TopFeed(client, environments, model.Interval, clock, change => Post(() => change(model)));
        using MeterListener retries = feed.ListenToRetries();
        var details = new TopDetails(feed, clock);
        var screen = new TopScreen(model, LiveTerminal.HasUnicode ? TopScreen.Blocks : TopScreen.Ascii);
        bool hasColours = string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR"));
        using var terminal = new LiveTerminal(hasColours, redraw: () => Post(() => { }), end: ending.Cancel);
        ReadKeys(key => Post(() => view = Press(key)), ending.Cancel);
        Task reading = feed.RunAsync(ending.Token);
        // A defect in the feed ends the view, instead of leaving it there without news.
        _ = reading.ContinueWith(
            _ => queue.Writer.TryComplete(), CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
        await using ITimer age = clock.CreateTimer(_ => Post(() => { }), null, AgeStep, AgeStep);
        try
        {
            while (!view.IsEnded && await queue.Reader.WaitToReadAsync(ending.Token))
            {
                // One change for each drawing: a key scrolls what the screen shows.
                if (queue.Reader.TryRead(out Action? change))
                {
                    change();
                }

                details.Follow(view, ending.Token);
                (int Width, int Height) size = LiveTerminal.Size;
                terminal.Show(screen.Draw(view, size.Width, size.Height, clock.GetUtcNow()), size);
            }
        }
        catch (OperationCanceledException) when (ending.IsCancellationRequested)
        {
            // Ctrl+C, SIGTERM, or a terminal that was closed.
        }

        await ending.CancelAsync();
        await Task.WhenAll(reading, details.Reading).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (reading.IsFaulted)
        {
            await reading;
        }

        TopView Press(ConsoleKeyInfo key) => TopKeys.Press(view, key, model.Latest, screen.Sight);
    }

    /// <summary>Reads keys on a thread of its own, because a read from a terminal cannot be cancelled.</summary>
    private static void ReadKeys(Action<ConsoleKeyInfo> press, Action end) => new Thread(() =>
    {
        try
        {
            while (Console.ReadKey(intercept: true) is var key && key != default)
            {
                press(key);
            }
        }
        catch (Exception e) when (e is InvalidOperationException or IOException)
        {
            // The terminal was closed.
        }

        end();
    })
    { IsBackground = true, Name = "keys" }.Start();
}
