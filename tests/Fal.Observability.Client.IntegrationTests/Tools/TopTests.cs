using System.CommandLine;
using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text;
using System.Threading.Channels;
using Fal.Observability.Cli.Top;
using Fal.Observability.Client.IntegrationTests.Samples;
using Fal.Observability.Client.Prometheus;
using Fal.Observability.Client.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Fal.Observability.Client.IntegrationTests.Tools;

/// <summary>What <c>fal-obs top</c> shows on a screen of a given size, and what its keys do.</summary>
public sealed class TopTests
{
    private static readonly DateTimeOffset Start = SteppedClock.FirstInstant;

    private readonly TopModel _model = new("fal", isSimulated: false, TimeSpan.FromSeconds(10), Start);
    private readonly Channel<bool> _news = Channel.CreateUnbounded<bool>();
    private readonly TopScreen _screen;
    private TopView _view = new();
    private DateTimeOffset _now = Start;

    public TopTests() => _screen = new TopScreen(_model, TopScreen.Blocks);

    [Fact]
    public void A_small_screen_shows_every_app_with_its_figures_and_the_one_in_trouble_first()
    {
        FalAppMetrics voice = App("org/voice", queue: 1, busy: 1);
        Read(App("org/painter", queue: 0, busy: 2), App("org/upscaler", queue: 40, busy: 5, errors: 20), voice);
        Read(App("org/painter", queue: 1, busy: 4), App("org/upscaler", queue: 80, busy: 5, errors: 30), voice);
        _model.Take(new FalAppList
        {
            Apps = [Listed("org/painter", maxConcurrency: 3), Listed("org/idle", maxConcurrency: 2)],
        });
        _now += TimeSpan.FromSeconds(4);

        Assert.Equal(
            """
            fal-obs top  4 apps  1 in trouble                                   data 4 s old
            queue 82         ▅█  busy 10         ▇█  errors 11 % of 270/min
            runners 9 running, 3 pending                                      cost today ...
            machines 12 H100
            worst upscaler: 33 % errors, queue 53 s
            retries 0, rate limits 0
            """.Split('\n'),
            Frame(80, 24)[..6]);
        Assert.Equal(["upscaler", "painter", "voice", "idle"], Names(80, 24));
        Assert.StartsWith(" !upscaler", Frame(80, 24)[7], StringComparison.Ordinal);
        Assert.Equal("? help   q quit  Enter open  p pause   s sort  / filter  r reverse", Frame(80, 24)[23]);
    }

    [Theory]
    [InlineData(60)]
    [InlineData(80)]
    [InlineData(100)]
    [InlineData(120)]
    [InlineData(200)]
    public void A_column_is_shown_whole_or_not_at_all(int width)
    {
        var busiest = new FalAppMetrics
        {
            Name = "org/busiest",
            QueueSize = 98_765,
            ConcurrentRequests = 54_321,
            RequestsCompletedByStatus = [new FalRequestCount("POST", "200", 5_000_000), new FalRequestCount("POST", "500", 90_000)],
            Latency = new LatencyDistribution([new HistogramBucket(12_345, 50), new HistogramBucket(double.PositiveInfinity, 50)]),
            Runners =
            [
                new FalRunnerCount(FalRunnerStates.Running, "NVIDIA RTX PRO 6000 Blackwell Server Edition", 34_567),
                new FalRunnerCount(FalRunnerStates.Pending, "AMD MI300X", 12_345),
            ],
        };
        Read(busiest, App("org/painter", queue: 0, busy: 2));
        _model.Take(new FalAppList { Apps = [Listed("org/busiest", maxConcurrency: 12_345)] });

        foreach (TopSort sort in Enum.GetValues<TopSort>())
        {
            _view = new TopView { Sort = sort };
            string[] frame = Frame(width, 24);
            Assert.DoesNotContain(frame[6], c => c == '…');
            Assert.DoesNotContain(frame[7..9], row => row.Contains('…', StringComparison.Ordinal));
            Assert.All(
                frame[6].Split(' ', StringSplitOptions.RemoveEmptyEntries),
                title => Assert.Contains(
                    title.TrimEnd('▼', '▲'),
                    "app trouble queue busy run p50 p90 p99 err% gpu vram in/min out/min limit today runners by state machine cause"
                        .Split(' ')));
        }
    }

    [Theory]
    [InlineData(40, 10)]
    [InlineData(60, 24)]
    [InlineData(80, 24)]
    [InlineData(100, 30)]
    [InlineData(200, 60)]
    public void The_column_that_the_rows_are_sorted_by_is_there_and_marked(int width, int height)
    {
        // Both parts of the trouble in their longest words, and a name longer than its column.
        Read(
            App("org/painter-with-a-long-name", queue: 0, busy: 2),
            App("org/upscaler", queue: 500, busy: 5, errors: 90),
            App("org/stands-and-fails", queue: 4, busy: 0, completed: 0, errors: 0));
        (TopSort Sort, string Title)[] orders =
        [
            (TopSort.Trouble, "trouble▼"), (TopSort.Queue, "queue▼"), (TopSort.Busy, "busy▼"), (TopSort.Runners, "run▼"),
            (TopSort.P99, "p99▼"), (TopSort.Errors, "err%▼"), (TopSort.Gpu, "gpu▼"), (TopSort.Cost, "today▼"), (TopSort.Name, "app▲"),
        ];

        foreach ((TopSort sort, string title) in orders)
        {
            _view = new TopView { Sort = sort };
            Assert.Contains(title, Frame(width, height)[6].Split(' '));
        }

        Press("r");
        Assert.Contains("app▼", Frame(width, height)[6].Split(' '));
    }

    [Fact]
    public void The_trouble_is_a_score_in_whole_points_by_which_one_can_check_the_order()
    {
        Read(
            App("org/fails", queue: 0, busy: 1, completed: 60, errors: 40),
            App("org/waits", queue: 30, busy: 1, completed: 60),
            App("org/fine", queue: 0, busy: 1),
            App("org/nearly", queue: 0, busy: 1, completed: 1000, errors: 49));

        Assert.Equal(
            ["fails 66", "waits 50", "nearly 4", "fine 0"],
            Frame(80, 24)[7..11].Select(row => string.Join(' ', row[2..].Split(' ', StringSplitOptions.RemoveEmptyEntries)[..2])));
        Assert.StartsWith("  nearly", Frame(80, 24)[9], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(40, 10, "? help   q quit  Enter open")]
    [InlineData(60, 15, "? help   q quit  Enter open  p pause   s sort")]
    [InlineData(80, 24, "? help   q quit  Enter open  p pause   s sort  / filter  r reverse")]
    public void The_keys_stay_at_their_places_whatever_the_screen_shows(int width, int height, string keys)
    {
        Read(App("org/painter", queue: 0, busy: 2));

        foreach (TopView view in (TopView[])
            [
                new TopView(), new TopView { Filter = new string('x', 90) }, new TopView { Sort = TopSort.Runners, IsReversed = true },
            ])
        {
            _view = view;
            Assert.Equal(keys, Frame(width, height)[^1]);
        }

        Press("p");
        Assert.Equal(keys.Replace("p pause ", "p resume", StringComparison.Ordinal), Frame(width, height)[^1]);
    }

    [Theory]
    [InlineData(40, 10)]
    [InlineData(80, 24)]
    public void A_long_filter_shows_its_end_the_cursor_and_what_ends_the_typing(int width, int height)
    {
        Read(App("org/painter", queue: 0, busy: 2));
        Press("/" + new string('x', 70) + "日本end");

        Assert.Matches("^filter: ….*end_ +Enter keep  Esc clear$", Frame(width, height)[^1]);
        Assert.Equal(width, TopLine.WidthOf(Frame(width, height)[^1]));
        Press(ConsoleKey.Enter);
        Assert.Contains("Esc clears it.", string.Join(' ', Frame(width, height).Select(line => line.Trim())), StringComparison.Ordinal);
    }

    [Fact]
    public void A_filter_is_named_above_the_names_with_how_many_apps_match()
    {
        Read(App("org/painter", queue: 0, busy: 2), App("org/upscaler", queue: 0, busy: 2));
        _view = new TopView { Filter = "paint" };

        Assert.StartsWith("  app 'paint' ", Frame(80, 24)[6], StringComparison.Ordinal);
        Assert.StartsWith("fal-obs top  1 of 2 apps  ", Frame(80, 24)[0], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(60, 15)]
    [InlineData(40, 10)]
    [InlineData(80, 24)]
    public void Every_word_of_the_help_can_be_read_by_scrolling(int width, int height)
    {
        Press("?");
        var seen = new List<string>();
        for (int i = 0; i < 120; i++)
        {
            string[] frame = Frame(width, height);
            Assert.StartsWith("? close  q quit", frame[^1], StringComparison.Ordinal);
            Assert.DoesNotContain(frame, line => line.Contains('…', StringComparison.Ordinal));
            seen.AddRange(frame[1..^1]);
            Press(ConsoleKey.DownArrow);
        }

        string[] words =
        [
            "sort by", "reverse", "quit", "queue", "p50", "vram", "cost since", "send", "keep", "in, out", "dead", "draining", "queue 20",
            "unattributed", "startup", "memory", "blank",
        ];
        Assert.All(
            words,
            word => Assert.Contains(seen, line => line.Contains(word, StringComparison.Ordinal)));
        Press("x");
        Assert.False(_view.IsHelp);
        Assert.Equal(0, _view.Scrolled);
    }

    [Fact]
    public void A_machine_has_one_name_wherever_it_comes_from()
    {
        static FalAppMetrics Machine(string name, string machine) =>
            new() { Name = name, Runners = [new FalRunnerCount(FalRunnerStates.Running, machine, 2)] };
        Read(Machine("org/a", "NVIDIA H100 80GB HBM3"), Machine("org/b", "GPU-H100"), Machine("org/c", "NVIDIA A100-SXM4-80GB"));
        _model.Take(new FalAppList { Apps = [new FalApp { EndpointId = "org/idle", MachineType = "GPU-A100" }] });

        Assert.Equal("machines 4 H100, 2 A100", Frame(200, 60)[3]);
        string[] rows = [.. Frame(200, 60)[7..11]];
        Assert.Equal(2, rows.Count(row => row.Contains(" H100", StringComparison.Ordinal)));
        Assert.Equal(2, rows.Count(row => row.Contains(" A100", StringComparison.Ordinal)));
        Assert.DoesNotContain(rows, row => row.Contains("GPU-", StringComparison.Ordinal));
        Assert.DoesNotContain(rows, row => row.Contains("NVIDIA", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("NVIDIA H100 80GB HBM3", "H100")]
    [InlineData("GPU-H100", "H100")]
    [InlineData("NVIDIA A100-SXM4-80GB", "A100")]
    [InlineData("NVIDIA H100 80GB HBM3 MIG 3g.40gb", "H100 MIG 3g.40gb")]
    [InlineData("NVIDIA L40S", "L40S")]
    [InlineData("AMD MI300X", "MI300X")]
    [InlineData("XL", "XL")]
    [InlineData("GPU-", "GPU-")]
    [InlineData("", "unnamed")]
    public void A_machine_is_called_by_its_model(string name, string shown) => Assert.Equal(shown, MachineName.Of(name));

    [Theory]
    [InlineData(1, 8, 0, false)]
    [InlineData(2, 2, 0, false)]
    [InlineData(3, 8, 0, true)]
    [InlineData(3, 3, 0, true)]
    [InlineData(0, 8, 1, false)]
    [InlineData(0, 8, 2, false)]
    [InlineData(0, 8, 3, true)]
    [InlineData(0, 0, 1, true)]
    public void Fewer_than_three_failed_or_waiting_requests_are_no_trouble_unless_nothing_is_served(
        double errors, double completed, double queue, bool isMarked)
    {
        Read(App("org/quiet", queue, busy: 1, completed, errors));

        Assert.Equal(isMarked ? 1 : 0, _model.Latest!.InTrouble);
        Assert.StartsWith(isMarked ? " !quiet" : "  quiet", Frame(80, 24)[7], StringComparison.Ordinal);
        Assert.Contains(isMarked ? "1 in trouble" : "none in trouble", Frame(80, 24)[0], StringComparison.Ordinal);
        Assert.Equal(errors is 1 or 2, Frame(200, 60)[7].EndsWith($" {errors} failed", StringComparison.Ordinal));
        var output = new StringBuilder();
        new TopScreen(_model, TopScreen.Blocks).Draw(_view, 80, 24, _now)[7].Write(output, hasColours: true);
        Assert.Equal(isMarked, output.ToString().Contains("31m", StringComparison.Ordinal)
            || output.ToString().Contains("33m", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(60, 15)]
    [InlineData(40, 10)]
    [InlineData(80, 24)]
    public void The_cause_of_a_failure_stays_readable_on_a_narrow_screen(int width, int height)
    {
        const string Problem = "GET /v1/serverless/metrics: no connection to 127.0.0.1:33995 was made. Check the address, the network " +
            "and the firewall. The cause: Connection refused";
        Read(App("org/painter", queue: 1, busy: 1));
        _model.ReadFailed(new FalTransportException(Problem), _now);

        foreach (TopView view in (TopView[])[_view, Pressed(ConsoleKey.Enter)])
        {
            _view = view;
            string[] frame = Frame(width, height);
            Assert.StartsWith("NO ANSWER for 0 s (1 read): Connection", frame[view.Page == TopPage.Apps ? 5 : 1], StringComparison.Ordinal);
            Assert.Contains("Connection refused", string.Join(' ', frame.Select(line => line.Trim())), StringComparison.Ordinal);
            Assert.Contains(frame, line => line.Contains("painter", StringComparison.Ordinal));
            Assert.DoesNotContain(frame, line => line.Contains('…', StringComparison.Ordinal));
        }
    }

    [Fact]
    public void A_large_screen_adds_what_a_small_one_has_no_room_for()
    {
        Read(App("org/painter", queue: 0, busy: 2), App("org/upscaler", queue: 40, busy: 5, errors: 20));
        _model.Take(new FalAppList { Apps = [Listed("org/painter", maxConcurrency: 7)] });

        string titles = Frame(200, 60)[6].Replace("▼", "", StringComparison.Ordinal);
        string painter = Frame(200, 60).Single(line => line.Contains("painter", StringComparison.Ordinal));

        Assert.Equal(
            "app trouble queue busy run p50 p90 p99 err% gpu vram in/min out/min limit today runners by state machine cause",
            string.Join(' ', titles.Split(' ', StringSplitOptions.RemoveEmptyEntries)));
        Assert.Contains("3 running, 1 pending", painter, StringComparison.Ordinal);
        Assert.Contains(" 7 ", painter, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(80, 24)]
    [InlineData(200, 60)]
    [InlineData(40, 10)]
    [InlineData(10, 2)]
    public void No_page_is_larger_than_the_screen(int width, int height)
    {
        Read([.. Enumerable.Range(0, 300).Select(i => App($"org/a-rather-long-name-日本語-{i:000}", queue: i, busy: i, errors: i))]);
        _model.ReadFailed(new FalTransportException(new string('x', 500)), _now);

        foreach (TopView view in (TopView[])[_view, Pressed('?'), Pressed(ConsoleKey.Enter), Pressed('/')])
        {
            IReadOnlyList<TopLine> lines = new TopScreen(_model, TopScreen.Blocks).Draw(view, width, height, _now);

            Assert.InRange(lines.Count, 1, height);
            Assert.All(lines, line => Assert.InRange(TopLine.WidthOf(line.ToString()), 0, width));
        }
    }

    [Fact]
    public void A_name_of_the_service_cannot_steer_the_terminal()
    {
        Read(App("org/\e]0;owned\a\u202Ename", queue: 1, busy: 1));
        _model.Retried("metrics", "\e[2J", _now);
        _model.ReadFailed(new FalTransportException("\e[31mred"), _now);

        foreach (TopView view in (TopView[])[_view, Pressed(ConsoleKey.Enter)])
        {
            Assert.DoesNotContain(
                new TopScreen(_model, TopScreen.Blocks).Draw(view, 200, 60, _now),
                line => line.ToString().Any(c => char.IsControl(c) || c == '\u202E'));
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Without_colours_a_line_has_none(bool hasColours)
    {
        Read(App("org/upscaler", queue: 40, busy: 5, errors: 20));
        var output = new StringBuilder();
        foreach (TopLine line in new TopScreen(_model, TopScreen.Blocks).Draw(_view, 80, 24, _now))
        {
            line.Write(output, hasColours);
        }

        Assert.Equal(hasColours, output.ToString().Contains("31m", StringComparison.Ordinal));
    }

    [Fact]
    public void An_app_whose_queue_nobody_serves_is_in_more_trouble_than_one_with_a_long_queue_that_moves()
    {
        Read(
            App("org/moves", queue: 500, busy: 50, completed: 6000),
            App("org/stands", queue: 3, busy: 0, completed: 0),
            App("org/one-error", queue: 0, busy: 0, completed: 8, errors: 1),
            App("org/fails", queue: 0, busy: 1, completed: 60, errors: 40));

        Assert.Equal(["stands", "fails", "moves", "one-error"], Names(80, 24));
        Assert.Contains("worst stands: queue not moving; fails: 67 % errors", Frame(200, 60)[4], StringComparison.Ordinal);
    }

    [Fact]
    public void S_sorts_by_the_next_column_and_r_reverses_the_order()
    {
        Read(
            App("org/a", queue: 1, busy: 9, completed: 9000),
            App("org/b", queue: 3, busy: 1, completed: 9000),
            App("org/c", queue: 2, busy: 5, completed: 9000));

        Press("s");
        Assert.Equal((TopSort.Queue, "b c a"), (_view.Sort, string.Join(' ', Names(80, 24))));
        Press("s");
        Assert.Equal((TopSort.Busy, "a c b"), (_view.Sort, string.Join(' ', Names(80, 24))));
        Press("r");
        Assert.Equal("b c a", string.Join(' ', Names(80, 24)));
        Press("SSS");
        Assert.Equal((TopSort.Name, "a b c"), (_view.Sort, string.Join(' ', Names(80, 24))));
    }

    [Fact]
    public void A_filter_is_typed_and_escape_clears_it()
    {
        Read(App("org/painter", queue: 1, busy: 1), App("org/upscaler", queue: 2, busy: 1));

        Press("/UPq");
        Assert.Contains("filter: UPq_", Frame(80, 24)[23], StringComparison.Ordinal);
        Assert.Contains("  No app's name contains the filter. Esc clears it.", Frame(80, 24));
        Press(ConsoleKey.Backspace);
        Press(ConsoleKey.Enter);
        Assert.Equal(["upscaler"], Names(80, 24));
        Press(ConsoleKey.Escape);
        Assert.Equal(2, Names(80, 24).Length);
    }

    [Fact]
    public void A_paused_screen_keeps_its_figures_and_says_how_old_they_are()
    {
        Read(App("org/painter", queue: 1, busy: 1));
        Press("p");
        Read(App("org/painter", queue: 99, busy: 1));

        Assert.Contains("PAUSED", Frame(80, 24)[0], StringComparison.Ordinal);
        Assert.Contains("data 10 s old", Frame(80, 24)[0], StringComparison.Ordinal);
        Assert.StartsWith("queue 1 ", Frame(80, 24)[1], StringComparison.Ordinal);
        Press("p");
        Assert.StartsWith("queue 99 ", Frame(80, 24)[1], StringComparison.Ordinal);
    }

    [Fact]
    public void The_cursor_follows_its_app_through_a_new_order()
    {
        Read(App("org/a", queue: 30, busy: 1), App("org/b", queue: 20, busy: 1), App("org/c", queue: 10, busy: 1));
        Press("s");
        Press(ConsoleKey.DownArrow);
        Press(ConsoleKey.DownArrow);
        Read(App("org/a", queue: 10, busy: 1), App("org/b", queue: 1, busy: 1), App("org/c", queue: 30, busy: 1));

        Assert.StartsWith("> b ", Frame(80, 24)[9], StringComparison.Ordinal);
        Press(ConsoleKey.Enter);
        Assert.StartsWith("org/b", Frame(80, 24)[2], StringComparison.Ordinal);
        Press(ConsoleKey.Escape);
        Assert.Equal(3, Names(80, 24).Length);
    }

    [Fact]
    public void There_is_no_cursor_until_a_person_moves_it_and_then_it_stays_on_its_app_even_on_the_first_row()
    {
        Read(App("org/a", queue: 30, busy: 1, completed: 9000), App("org/b", queue: 20, busy: 1, completed: 9000));
        Press("s");
        Assert.DoesNotContain(Frame(80, 24), line => line.StartsWith('>'));
        Press(ConsoleKey.DownArrow);
        Assert.StartsWith("> a ", Frame(80, 24)[7], StringComparison.Ordinal);

        Read(App("org/a", queue: 10, busy: 1, completed: 9000), App("org/b", queue: 90, busy: 1, completed: 9000));

        Assert.StartsWith("> a ", Frame(80, 24)[8], StringComparison.Ordinal);
        Press(ConsoleKey.Escape);
        Assert.DoesNotContain(Frame(80, 24), line => line.StartsWith('>'));
        Press(ConsoleKey.Enter);
        Assert.StartsWith("org/b", Frame(80, 24)[2], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void After_the_end_of_a_page_one_key_moves_up_by_one_line(bool isHelp)
    {
        Read(App("org/a", queue: 1, busy: 1));
        Press(isHelp ? '?' : ConsoleKey.Enter);
        Assert.Matches("[0-9]+ more ▼$", Frame(60, 10)[^1]);
        Press(ConsoleKey.End);
        Assert.DoesNotContain("more", Frame(60, 10)[^1], StringComparison.Ordinal);
        string[] end = Frame(60, 10);

        Press(ConsoleKey.UpArrow);

        Assert.EndsWith("  1 more ▼", Frame(60, 10)[^1], StringComparison.Ordinal);
        Assert.Equal(end[^3], Frame(60, 10)[^2]);
    }

    [Fact]
    public void A_time_without_an_answer_is_a_gap_in_the_bars()
    {
        for (int i = 0; i < 3; i++)
        {
            Read(App("org/a", queue: 8, busy: 1));
        }

        _model.ReadFailed(new FalTransportException("gone"), _now.AddSeconds(25));
        _now += TimeSpan.FromSeconds(31);
        Read(App("org/a", queue: 8, busy: 1));
        _now += TimeSpan.FromSeconds(2);
        Read(App("org/a", queue: 8, busy: 1));

        Assert.Contains("queue 8   ███   ██  busy", Frame(80, 24)[1], StringComparison.Ordinal);
    }

    [Fact]
    public void The_end_of_a_filter_sets_no_cursor_that_would_outlive_it()
    {
        Read(App("org/image-a", queue: 30, busy: 1), App("org/image-b", queue: 20, busy: 1), App("org/voice", queue: 90, busy: 1));
        Press("s/image");
        Press(ConsoleKey.Enter);

        Assert.DoesNotContain(Frame(80, 24), line => line.StartsWith('>'));
        Press(ConsoleKey.Escape);
        Press(ConsoleKey.Enter);
        Assert.StartsWith("org/voice", Frame(80, 24)[2], StringComparison.Ordinal);
    }

    [Fact]
    public void An_app_under_the_cursor_stays_there_when_the_filter_goes()
    {
        Read(App("org/image-a", queue: 30, busy: 1), App("org/image-b", queue: 20, busy: 1), App("org/voice", queue: 90, busy: 1));
        Press("s/image");
        Press(ConsoleKey.Enter);
        Press(ConsoleKey.DownArrow);
        Read(App("org/image-a", queue: 10, busy: 1), App("org/image-b", queue: 50, busy: 1), App("org/voice", queue: 90, busy: 1));
        Press(ConsoleKey.Escape);
        Press(ConsoleKey.Enter);

        Assert.StartsWith("org/image-a", Frame(80, 24)[2], StringComparison.Ordinal);
    }

    [Fact]
    public void More_apps_than_lines_scroll_with_the_cursor()
    {
        Read([.. Enumerable.Range(0, 100).Select(i => App($"org/app-{i:000}", queue: 100 - i, busy: 1))]);
        Press("s");
        Assert.EndsWith("  84 more ▼", Frame(80, 24)[^1], StringComparison.Ordinal);
        Press(ConsoleKey.End);

        Assert.Equal("app-099", Names(80, 24)[^1]);
        Assert.DoesNotContain("more", Frame(80, 24)[^1], StringComparison.Ordinal);
        Press(ConsoleKey.PageUp);
        Press(ConsoleKey.PageUp);
        Assert.Contains("app-067", Names(80, 24));
    }

    [Theory]
    [InlineData(40, 12, 12)]
    [InlineData(60, 12, 100)]
    [InlineData(46, 24, 12)]
    public void The_age_of_the_data_stays_whatever_else_has_no_room(int width, int height, int apps)
    {
        Read([.. Enumerable.Range(0, apps).Select(i => App($"org/app-{i:000}", queue: 1, busy: 1, errors: i == 0 ? 40 : 0))]);
        _now += TimeSpan.FromSeconds(84);

        Assert.EndsWith("  STALE: data 84 s old", Frame(width, height)[0], StringComparison.Ordinal);
        Assert.Contains("1 in trouble", Frame(width, height)[0], StringComparison.Ordinal);
        Assert.DoesNotContain("12 apps", Frame(40, height)[0], StringComparison.Ordinal);
        Press("p");
        Assert.EndsWith("  STALE: data 84 s old", Frame(width, height)[0], StringComparison.Ordinal);
        Assert.Contains("PAUSED", Frame(width, height)[0], StringComparison.Ordinal);
    }

    [Fact]
    public void The_parts_of_a_line_never_run_together()
    {
        Read(App("org/painter", queue: 1, busy: 1, errors: 40), App("org/upscaler", queue: 1, busy: 1));
        _now += TimeSpan.FromSeconds(7);
        for (int width = 40; width < 90; width++)
        {
            Assert.Matches("(^|  )data 7 s old$", Frame(width, 24)[0]);
            string runners = Frame(width, 24)[2];
            bool hasCost = runners.Contains("cost", StringComparison.Ordinal);
            Assert.Equal(hasCost, runners.EndsWith("  cost today ...", StringComparison.Ordinal));
        }
    }

    [Theory]
    [InlineData(40)]
    [InlineData(50)]
    [InlineData(60)]
    [InlineData(80)]
    public void Every_state_of_the_runners_has_its_number_and_dead_follows_running(int width)
    {
        Read(new FalAppMetrics
        {
            Name = "org/a",
            Runners =
            [
                new FalRunnerCount(FalRunnerStates.Pending, "GPU-H100", 6),
                new FalRunnerCount(FalRunnerStates.Dead, "GPU-H100", 2),
                new FalRunnerCount(FalRunnerStates.Running, "GPU-H100", 22),
            ],
        });

        Assert.StartsWith("runners 22 running, 2 dead, 6 pending", Frame(width, 24)[2], StringComparison.Ordinal);
    }

    [Fact]
    public void Machines_without_room_are_counted_as_types()
    {
        Read(new FalAppMetrics
        {
            Name = "org/a",
            Runners = [.. Enumerable.Range(0, 9).Select(i => new FalRunnerCount(FalRunnerStates.Running, $"GPU-LONG-NAME-{i}", 1))],
        });

        Assert.Matches("^machines 1 LONG-NAME-0, 8 more types$", Frame(44, 24)[3]);
    }

    [Fact]
    public void The_column_run_and_its_order_count_the_runners_that_run_and_the_cause_names_the_others()
    {
        static FalAppMetrics Runners(string name, double queue, double running, double dead) => new()
        {
            Name = name,
            QueueSize = queue,
            Runners =
            [
                new FalRunnerCount(FalRunnerStates.Dead, "GPU-H100", dead),
                new FalRunnerCount(FalRunnerStates.Running, "GPU-H100", running),
            ],
        };
        Read(Runners("org/gone", queue: 9, running: 0, dead: 7), Runners("org/up", queue: 0, running: 3, dead: 0));
        _view = new TopView { Sort = TopSort.Runners };

        Assert.Equal(["up", "gone"], Names(80, 24));
        Assert.Equal("3", Assert.Single(Cells("up")));
        Assert.Equal("0", Assert.Single(Cells("gone")));
        Assert.Contains("queue, no runner (7 dead)", string.Join('\n', Frame(200, 60)), StringComparison.Ordinal);

        string[] Cells(string name)
        {
            string[] frame = Frame(80, 24);
            int end = frame[6].IndexOf("run▼", StringComparison.Ordinal) + 4;
            string row = frame[7..].Single(line => line.Length > 2 && line[2..].StartsWith($"{name} ", StringComparison.Ordinal));
            return row[(end - 5)..end].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        }
    }

    [Fact]
    public void A_key_that_closes_the_help_also_acts_except_for_the_keys_that_only_close_it()
    {
        Read(App("org/a", queue: 30, busy: 1), App("org/b", queue: 20, busy: 1));

        Assert.Equal((false, TopSort.Queue), (Pressed('?', 's').IsHelp, Pressed('?', 's').Sort));
        Assert.NotNull(Pressed('?', 'p').PausedAt);
        Assert.True(Pressed('?', '/').IsTyping);
        foreach (object key in (object[])['?', ConsoleKey.Escape, ConsoleKey.Enter])
        {
            Assert.Equal(_view, Pressed('?', key));
        }
    }

    [Fact]
    public void The_page_of_an_app_has_no_sentence_around_a_value_that_was_not_sent()
    {
        Read(new FalAppMetrics
        {
            Name = "org/quiet",
            QueueSize = 0,
            ConcurrentRequests = 0,
            RunnerGpuCount = 1,
            RunnerVramUsagePercent = 30,
        });
        _model.Take(new FalAppList { Apps = [new FalApp { EndpointId = "org/quiet", MaxConcurrency = 1 }] });
        _view = new TopView { Page = TopPage.App, Selected = "org/quiet" };

        string[] page = Frame(100, 40);
        Assert.Contains("answers     No requests in the last minute.", page);
        Assert.Contains("use         vram 30 % of 1 GPU", page);
        Assert.Contains("limits      at most 1 runner  regions any", page);
        Assert.DoesNotContain(page[1..], line => line.Split(' ').Any(word => word is "-" or "-/min"));

        Read(new FalAppMetrics { Name = "org/quiet", QueueSize = 0, RequestsReceivedByMethod = [new FalRequestCount("POST", "", 2)] });
        Assert.Contains("answers     No requests were completed in the last minute.", Frame(100, 40));
        Assert.DoesNotContain(Frame(100, 40), line => line.StartsWith("use", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(40, "12:34:40 UTC The service answers again,…")]
    [InlineData(60, "12:34:40 UTC The service answers again, after 30 s.")]
    [InlineData(80, "retries 0, rate limits 0  12:34:40 UTC The service answers again, after 30 s.")]
    public void A_narrow_screen_leaves_out_the_retries_rather_than_what_happened(int width, string status)
    {
        Read(App("org/painter", queue: 1, busy: 1));
        _model.ReadFailed(new FalTransportException("gone"), _now);
        _model.PartFailed("apps", new FalTransportException("gone"), _now);
        _now += TimeSpan.FromSeconds(20);
        Read(App("org/painter", queue: 1, busy: 1));

        Assert.Equal(status, Frame(width, 24)[5]);
    }

    [Fact]
    public void Times_are_said_to_be_in_UTC()
    {
        Read(App("org/painter", queue: 1, busy: 1));
        _model.Retried("metrics", "503", _now);
        _model.Retried("usage", "503", _now);

        Assert.EndsWith("12:34:10 UTC usage: 503, trying again", Frame(80, 24)[5], StringComparison.Ordinal);
        Assert.Contains("12:34:10 UTC usage: 503, trying again", Frame(80, 24)[6..]);
        Assert.Contains("12:34:10     metrics: 503, trying again", Frame(80, 24)[6..]);
    }

    [Fact]
    public void The_help_says_why_the_percentiles_of_a_minute_and_of_the_last_hour_can_differ()
    {
        Press("?");

        string help = string.Join(' ', Frame(100, 100).Select(line => line.Trim()));
        Assert.Contains("rounded by", help, StringComparison.Ordinal);
        Assert.Contains("highest value of any endpoint in any minute", help, StringComparison.Ordinal);
    }

    [Fact]
    public void Q_ends_the_view_from_each_page_but_not_while_a_filter_is_typed()
    {
        Read(App("org/a", queue: 1, busy: 1));

        Assert.True(Pressed('q').IsEnded);
        Assert.True(Pressed(ConsoleKey.Enter, 'q').IsEnded);
        Assert.True(Pressed('?', 'q').IsEnded);
        Assert.False(Pressed('/', 'q').IsEnded);
        Assert.Equal(TopPage.App, Pressed(ConsoleKey.Enter, '?', 'x').Page);
    }

    [Fact]
    public void Before_the_first_answer_the_screen_says_what_it_waits_for()
    {
        _now += TimeSpan.FromSeconds(7);

        Assert.Contains("no data yet", Frame(80, 24)[0], StringComparison.Ordinal);
        Assert.Contains("Waiting for the first answer from fal, 7 s so far.", Frame(80, 24));
    }

    [Fact]
    public void An_account_without_metrics_says_so()
    {
        Read();
        Assert.Contains("  No data: the service sends no metrics. An app without a runner has none.", Frame(80, 24));

        _model.Take(new FalAppList { Apps = [] });
        Assert.Contains("  The account owns no apps.", Frame(80, 24));
    }

    [Fact]
    public void A_network_that_is_gone_leaves_the_last_figures_and_one_that_is_back_says_for_how_long_it_was_gone()
    {
        Read(App("org/painter", queue: 1, busy: 1));
        _now += TimeSpan.FromSeconds(20);
        _model.ReadFailed(new FalTransportException("No route to host"), _now);
        _now += TimeSpan.FromSeconds(20);
        _model.ReadFailed(new FalTransportException("No route to host"), _now);

        Assert.EndsWith("STALE: data 40 s old", Frame(80, 24)[0], StringComparison.Ordinal);
        Assert.Equal("NO ANSWER for 40 s (2 reads): No route to host", Frame(80, 24)[5]);
        Assert.Equal(["painter"], Names(80, 24));

        Read(App("org/painter", queue: 1, busy: 1));
        Assert.DoesNotContain("STALE", Frame(80, 24)[0], StringComparison.Ordinal);
        Assert.Contains("The service answers again, after 50 s.", Frame(80, 24)[5], StringComparison.Ordinal);
    }

    [Fact]
    public void A_key_that_is_refused_is_named_until_another_is_taken()
    {
        _model.ReadFailed(new FalAuthenticationException("Invalid API key"), _now);
        Assert.Equal("KEY REFUSED for 0 s (1 read): Invalid API key", Frame(80, 24)[1]);
        Assert.Contains("No data from fal yet; still trying.", Frame(80, 24));
        Assert.Single(Frame(80, 24), line => line.Contains("Invalid API key", StringComparison.Ordinal));

        Read(App("org/painter", queue: 1, busy: 1));
        Assert.DoesNotContain(Frame(80, 24), line => line.Contains("KEY REFUSED", StringComparison.Ordinal));
    }

    [Fact]
    public void Retries_and_rate_limits_are_counted_and_the_last_one_is_named()
    {
        Read(App("org/painter", queue: 1, busy: 1));
        _model.Retried("metrics", "503", _now);
        _model.Retried("usage", "FalTransportException", _now);
        Assert.EndsWith("usage: no answer, trying again", Frame(80, 24)[5], StringComparison.Ordinal);
        _model.Retried("usage", "429", _now);

        Assert.Equal("retries 3, rate limits 1  12:34:10 UTC usage: rate limited (429), trying again", Frame(80, 24)[5]);
    }

    [Fact]
    public void A_cost_that_the_key_may_not_see_is_said_in_its_place_and_is_no_failure()
    {
        Read(App("org/painter", queue: 1, busy: 1));
        _model.PartFailed("cost", new FalForbiddenException("no") { Reason = FalForbiddenReason.PermissionOrOwnership }, _now);

        Assert.EndsWith("cost: this key may not read it", Frame(80, 24)[2], StringComparison.Ordinal);
        Assert.Equal("retries 0, rate limits 0", Frame(80, 24)[5]);
    }

    [Fact]
    public async Task The_page_of_an_app_shows_its_last_hour_its_runners_its_limits_and_its_cost()
    {
        await using FalSimulator server = await FalSimulator.StartAsync(options => (options.Seed, options.Apps) = (1, 3));
        using var client = new FalObservabilityClient(options => (options.ApiKey, options.BaseAddress) = (server.Key, server.BaseAddress));
        var feed = new TopFeed(client, [], TimeSpan.FromSeconds(10), TimeProvider.System, change => change(_model));
        _model.Take(await client.Metrics.GetSnapshotAsync());
        _model.Take(await client.Apps.ListAsync());
        DateOnly today = DateOnly.FromDateTime(_model.Latest!.Timestamp.UtcDateTime);
        _model.Take(
            await client.Usage.GetReportAsync(
                new UsageQuery { Range = AnalyticsTimeRange.Days(today, today), Expand = UsageExpand.Summary }));
        _view = new TopView { Page = TopPage.App, Selected = server.Apps[0] };
        Assert.Contains("last hour   reading ...", Frame(80, 60));
        _model.ReadFailed(new FalTransportException("gone"), _now);
        Assert.Contains("last hour   not read yet, still trying (NO ANSWER, see above)", Frame(80, 60));
        _model.Take(await client.Metrics.GetSnapshotAsync());

        await feed.ReadDetailsAsync(server.Apps[0], CancellationToken.None);

        string[] page = Frame(80, 60);
        Assert.StartsWith(server.Apps[0], page[2], StringComparison.Ordinal);
        Assert.All(
            ["now ", "answers ", "use ", "limits ", "last hour ", "  requests ", "  errors ", "  p90 ", "  running ", "  pending "],
            label => Assert.Contains(page, line => line.StartsWith(label, StringComparison.Ordinal)));
        AnalyticsTotals hour = AnalyticsTotals.Of(_model.Details!.Requests!.TimeSeries);
        Assert.StartsWith(
            $"last hour   {Figures.Count(hour.RequestCount)} requests  {hour.ErrorCount:0} errors (",
            page.Single(line => line.StartsWith("last hour", StringComparison.Ordinal)),
            StringComparison.Ordinal);
        string[] sum = page.Single(line => line.TrimStart().StartsWith("sum ", StringComparison.Ordinal))
            .Split(' ', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(["sum", Figures.Count(hour.RequestCount), $"{hour.ErrorCount:0}", Figures.Percent(hour.ErrorRate)], sum[..4]);
        Assert.Equal(2, page.Count(line => line == "last 52 min one bar for each minute"));
        Assert.Equal(2, Frame(40, 90).Count(line => line == "last 12 min one bar for each minute"));
        Assert.Contains(page, line => line.TrimStart().StartsWith("from UTC  requests ", StringComparison.Ordinal));
        Assert.All((int[])[40, 60, 80], width => Assert.DoesNotContain(
            Frame(width, 70)[2..], line => line.Contains('…', StringComparison.Ordinal)));
        Assert.Matches(@"^cost today  \d+\.\d\d USD$", page.Single(line => line.StartsWith("cost today", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task The_minute_that_is_not_over_is_no_part_of_the_last_hour()
    {
        await using FalSimulator server = await FalSimulator.StartAsync(options =>
            (options.Seed, options.TimeProvider) = (1, new FakeTimeProvider(Start.AddSeconds(30))));
        var clock = new FakeTimeProvider(Start.AddSeconds(30));
        using var client = new FalObservabilityClient(
            options => (options.ApiKey, options.BaseAddress) = (server.Key, server.BaseAddress),
            builder => builder.Services.AddSingleton<TimeProvider>(clock));
        _model.Take(await client.Metrics.GetSnapshotAsync());
        _view = new TopView { Page = TopPage.App, Selected = server.Apps[0] };

        await new TopFeed(client, [], TimeSpan.FromSeconds(10), clock, change => change(_model))
            .ReadDetailsAsync(server.Apps[0], CancellationToken.None);

        AppDetails details = _model.Details!;
        Assert.InRange(clock.GetUtcNow() - details.End, TimeSpan.Zero, TimeSpan.FromSeconds(59));
        Assert.All(details.Requests!.TimeSeries, minute => Assert.False(minute.IsOpen));
        string[] page = Frame(120, 60);
        foreach (string label in (string[])["  requests ", "  running "])
        {
            string bars = page.Single(line => line.StartsWith(label, StringComparison.Ordinal))[12..72];
            Assert.DoesNotContain(' ', bars);
            // Runners may be idle in any minute, but every minute has requests.
            Assert.True(label != "  requests " || !bars.Contains('▁', StringComparison.Ordinal), bars);
        }
    }

    [Fact]
    public async Task The_costs_of_the_rows_and_what_is_unattributed_add_up_to_the_cost_of_the_account()
    {
        await using FalSimulator server = await FalSimulator.StartAsync(options => (options.Seed, options.Apps) = (1, 12));
        using var client = new FalObservabilityClient(options => (options.ApiKey, options.BaseAddress) = (server.Key, server.BaseAddress));
        _model.Take(await client.Metrics.GetSnapshotAsync());
        _model.Take(await client.Apps.ListAsync());
        DateOnly day = DateOnly.FromDateTime(_model.Latest!.Timestamp.UtcDateTime).AddDays(-1);
        _model.Take(await client.Usage.GetReportAsync(
            new UsageQuery { Range = AnalyticsTimeRange.Days(day, day), Expand = UsageExpand.Summary }));

        (decimal unattributed, string currency) = Assert.Single(_model.Unattributed);
        Assert.True(unattributed > 0);
        Assert.EndsWith(
            $" {Figures.Money(unattributed, currency)} of it unattributed", Frame(80, 24)[3], StringComparison.Ordinal);
        Assert.Equal(
            Assert.Single(_model.CostToday!).Cost, _model.Latest!.Rows.Sum(row => row.App.Cost.Sum(cost => cost.Cost)) + unattributed);
        _view = new TopView { Page = TopPage.App, Selected = _model.Latest.Rows.First(row => row.App.Cost.Count == 0).App.Name };
        Assert.Contains(
            "cost today  not known: no line of the bill has the name and environment of this app", Frame(120, 60));
    }

    [Fact]
    public async Task The_cause_of_a_failed_connection_comes_first()
    {
        var raw = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        raw.Start();
        int port = ((System.Net.IPEndPoint)raw.LocalEndpoint).Port;
        raw.Stop();
        using var client = new FalObservabilityClient(options =>
            (options.ApiKey, options.BaseAddress, options.MaxAttempts) = ("id:secret", new Uri($"http://127.0.0.1:{port}/v1"), 1));

        FalTransportException failure = await Assert.ThrowsAsync<FalTransportException>(() => client.Metrics.GetSnapshotAsync());
        _model.ReadFailed(failure, _now);

        Assert.StartsWith($"NO ANSWER for 0 s (1 read): Connection refused (127.0.0.1:{port})", Frame(80, 24)[1], StringComparison.Ordinal);
        Assert.Single(Frame(80, 24), line => line.Contains("refused", StringComparison.Ordinal));
    }

    [Fact]
    public async Task An_app_that_the_service_refuses_shows_the_reason_in_the_place_of_its_figures()
    {
        await using FalSimulator server = await FalSimulator.StartAsync(options => options.Seed = 1);
        server.Faults.RefuseEndpoint(server.Apps[0]);
        using var client = new FalObservabilityClient(options => (options.ApiKey, options.BaseAddress) = (server.Key, server.BaseAddress));
        _model.Take(await client.Metrics.GetSnapshotAsync());
        _view = new TopView { Page = TopPage.App, Selected = server.Apps[0] };

        await new TopFeed(client, [], TimeSpan.FromSeconds(10), TimeProvider.System, change => change(_model))
            .ReadDetailsAsync(server.Apps[0], CancellationToken.None);

        Assert.Contains("last hour   this key may not read it", Frame(80, 60));
        Assert.DoesNotContain(Frame(80, 60), line => line.Contains("runner hour", StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_feed_survives_a_service_that_goes_away_and_tells_of_retries_while_they_happen()
    {
        await using FalSimulator server = await FalSimulator.StartAsync(options => options.Seed = 1);
        server.Faults.Next(1, Fault.WithStatus(503), SimulatorRoute.Metrics);
        var clock = new SteppedClock();
        using var client = new FalObservabilityClient(options =>
        {
            (options.ApiKey, options.BaseAddress) = (server.KeyWithoutBilling, server.BaseAddress);
            (options.MinRetryDelay, options.RetryBaseDelay) = (TimeSpan.FromMilliseconds(1), TimeSpan.FromMilliseconds(1));
        });
        using var ending = new CancellationTokenSource();
        var feed = new TopFeed(client, [], TimeSpan.FromSeconds(10), clock, Post);
        using MeterListener retries = feed.ListenToRetries();
        Task running = feed.RunAsync(ending.Token);

        await UntilAsync(() => _model is { Latest: not null, Retries: > 0 });
        await UntilAsync(() => _model.Notices.Contains("cost: this key may not read it"));
        server.Faults.Next(1, Fault.WithStatus(400), SimulatorRoute.Metrics);
        await clock.TimerAsync(TimeSpan.FromSeconds(10));
        clock.Advance(TimeSpan.FromSeconds(10));
        await UntilAsync(() => _model.Problem is not null);
        await clock.TimerAsync(TimeSpan.FromSeconds(10));
        clock.Advance(TimeSpan.FromSeconds(10));
        await UntilAsync(() => _model.Problem is null);
        await ending.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running.OrHangs());
    }

    [Fact]
    public async Task After_an_outage_the_list_is_read_again_at_once_and_the_screen_says_that_the_service_answers()
    {
        await using FalSimulator server = await FalSimulator.StartAsync(options => options.Seed = 1);
        server.Faults.Next(1, Fault.WithStatus(400), SimulatorRoute.Metrics);
        server.Faults.Next(1, Fault.WithStatus(400), SimulatorRoute.Apps);
        var clock = new SteppedClock();
        using var client = new FalObservabilityClient(options => (options.ApiKey, options.BaseAddress) = (server.Key, server.BaseAddress));
        using var ending = new CancellationTokenSource();
        Task running = new TopFeed(client, [], TimeSpan.FromSeconds(10), clock, Post).RunAsync(ending.Token);
        // The metrics and the list fail, the cost is read, and each waits for its next read, in whatever order.
        TimeSpan[] waits = [await clock.TimerAsync(), await clock.TimerAsync(), await clock.TimerAsync()];
        Assert.Equal([TimeSpan.FromSeconds(10), TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(5)], waits.Order());

        // The minute until the list would be read again is not over.
        clock.Advance(TimeSpan.FromSeconds(10));
        await UntilAsync(() => _model.Problem is null && _model.Latest!.Rows.Any(row => row.App.Listed is not null));

        lock (_model)
        {
            Assert.Contains("UTC The service answers again", Frame(80, 24)[5], StringComparison.Ordinal);
            Assert.DoesNotContain("apps:", Frame(80, 24)[5], StringComparison.Ordinal);
        }

        await ending.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running.OrHangs());
    }

    [Fact]
    public async Task Where_a_program_reads_the_output_it_is_one_plain_table()
    {
        await using FalSimulator server = await FalSimulator.StartAsync(new FalSimulatorOptions { Seed = 1, Apps = 5 });
        using var process = SampleProgram.Start(
            "fal-obs", server.Key, [], "top", "--sort", "name", "--base-address", server.BaseAddress.ToString());

        (int exitCode, string output, string errors) = await process.EndAsync();

        Assert.Equal((0, ""), (exitCode, errors));
        Assert.DoesNotContain('\e', output);
        string[] lines = output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(["app", .. server.Apps.Order(StringComparer.Ordinal)], lines.Select(line => line.Split(' ')[0]));
        Assert.All(["queue", "p99", "err%", "machine", "trouble"], title => Assert.Contains(title, lines[0], StringComparison.Ordinal));
        string[] titles = lines[0].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        int today = Array.IndexOf(titles, "today");
        Assert.Contains(lines[1..], line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[today] is not "-");
    }

    [Fact]
    public async Task A_piped_table_without_rows_says_why_on_the_standard_error()
    {
        await using FalSimulator server = await FalSimulator.StartAsync(new FalSimulatorOptions { Seed = 1, Apps = 5 });
        using var process = SampleProgram.Start(
            "fal-obs", server.Key, [], "top", "--filter", "nothing", "--base-address", server.BaseAddress.ToString());

        (int exitCode, string output, string errors) = await process.EndAsync();

        Assert.Equal((0, "No app's name contains 'nothing'."), (exitCode, errors.TrimEnd()));
        Assert.StartsWith("app ", Assert.Single(output.TrimEnd().Split('\n')), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Environments_that_hold_no_app_of_the_live_metrics_are_named_on_the_standard_error()
    {
        await using FalSimulator server = await FalSimulator.StartAsync(new FalSimulatorOptions { Seed = 1, Apps = 5 });
        using var process = SampleProgram.Start(
            "fal-obs", server.Key, [], "top", "--environments", "nosuch", "--base-address", server.BaseAddress.ToString());

        (int exitCode, string output, string errors) = await process.EndAsync();

        Assert.Equal(
            (0, "No app with live metrics is in the environment nosuch. Check --environments."), (exitCode, errors.TrimEnd()));
        Assert.Equal(6, output.TrimEnd().Split('\n').Length);
    }

    [Theory]
    [InlineData("trouble")]
    [InlineData("queue")]
    [InlineData("busy")]
    [InlineData("runners")]
    [InlineData("p99")]
    [InlineData("errors")]
    [InlineData("gpu")]
    [InlineData("cost")]
    [InlineData("name")]
    public void Each_order_can_be_chosen_at_the_start(string sort)
    {
        ParseResult parsed = TopVerb.Create().Parse(["--sort", sort]);

        Assert.Empty(parsed.Errors);
        Assert.Equal(sort, TopView.NameOf(parsed.GetValue<TopSort>("--sort")));
    }

    [Fact]
    public async Task A_table_that_is_sorted_by_the_cost_has_the_most_expensive_app_first()
    {
        await using FalSimulator server = await FalSimulator.StartAsync(new FalSimulatorOptions { Seed = 1, Apps = 5 });
        using var process = SampleProgram.Start(
            "fal-obs", server.Key, [], "top", "--sort", "cost", "--base-address", server.BaseAddress.ToString());

        (int exitCode, string output, string errors) = await process.EndAsync();

        Assert.Equal((0, ""), (exitCode, errors));
        string[] lines = output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        int today = lines[0].IndexOf("today", StringComparison.Ordinal);
        decimal[] costs = [.. lines[1..].Select(line => line[today..].TrimStart().Split(' ')[0])
            .Select(cost => cost == "-" ? -1 : decimal.Parse(cost, CultureInfo.InvariantCulture))];
        Assert.Equal(costs.OrderDescending(), costs);
        Assert.Contains(costs, cost => cost > 0);
    }

    [Fact]
    public async Task A_wrong_key_of_a_piped_view_is_one_line_with_the_cause()
    {
        await using FalSimulator server = await FalSimulator.StartAsync(options => options.Seed = 1);
        using var process = SampleProgram.Start(
            "fal-obs", "wrong:secret-0123456789", [], "top", "--base-address", server.BaseAddress.ToString());

        (int exitCode, string output, string errors) = await process.EndAsync();

        Assert.Equal((1, ""), (exitCode, output));
        Assert.Contains("Invalid API key", Assert.Single(errors.TrimEnd().Split('\n')), StringComparison.Ordinal);
    }

    private static FalAppMetrics App(string name, double queue, double busy, double completed = 90, double errors = 0) => new()
    {
        Name = name,
        QueueSize = queue,
        ConcurrentRequests = busy,
        Runners =
        [
            new FalRunnerCount(FalRunnerStates.Running, "GPU-H100", 3),
            new FalRunnerCount(FalRunnerStates.Pending, "GPU-H100", 1),
        ],
        RequestsCompletedByStatus = [new FalRequestCount("POST", "200", completed - errors), new FalRequestCount("POST", "500", errors)],
        RequestsReceivedByMethod = [new FalRequestCount("POST", "", completed)],
        Latency = new LatencyDistribution([new HistogramBucket(1, 50), new HistogramBucket(double.PositiveInfinity, 90)]),
        RunnerGpuUtilizationPercent = 120,
        RunnerVramUsagePercent = 90,
        RunnerGpuCount = 3,
    };

    private static FalApp Listed(string name, int maxConcurrency) => new() { EndpointId = name, MaxConcurrency = maxConcurrency };

    /// <summary>A read of the metrics, ten seconds after the one before.</summary>
    private void Read(params FalAppMetrics[] apps)
    {
        _now += TimeSpan.FromSeconds(10);
        _model.Take(FalMetricsSnapshot.Create(apps, _now));
    }

    /// <summary>Takes a change of the model from a feed that runs beside the test.</summary>
    private void Post(Action<TopModel> change)
    {
        lock (_model)
        {
            change(_model);
        }

        _news.Writer.TryWrite(true);
    }

    private async Task UntilAsync(Func<bool> isReached)
    {
        for (bool isDone = false; !isDone;)
        {
            lock (_model)
            {
                isDone = isReached();
            }

            if (!isDone)
            {
                await _news.Reader.ReadAsync().AsTask().OrHangs();
            }
        }
    }

    private string[] Frame(int width, int height) =>
        [.. _screen.Draw(_view, width, height, _now).Select(line => line.ToString())];

    /// <summary>The names of the apps in the table, in its order.</summary>
    private string[] Names(int width, int height) =>
        [.. Frame(width, height)[7..^1].TakeWhile(line => line.Length > 0).Select(line => line[2..].Split(' ')[0])];

    private void Press(string keys) => _view = Pressed([.. keys.Cast<object>()]);

    private void Press(object key) => _view = Pressed(key);

    /// <summary>The view after some keys, each a character or a key without one.</summary>
    private TopView Pressed(params object[] keys) => keys.Aggregate(_view, (view, key) => TopKeys.Press(
        view,
        key is char text ? new ConsoleKeyInfo(text, default, shift: false, alt: false, control: false)
            : new ConsoleKeyInfo('\0', (ConsoleKey)key, shift: false, alt: false, control: false),
        _model.Latest,
        _screen.Sight));
}
