using System.Buffers;
using System.Globalization;
using System.Net;
using System.Text;
using Fal.Observability.Client.Prometheus;
using Microsoft.Extensions.Logging.Testing;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Fal.Observability.Client.Tests;

/// <summary>What a client remembers from one snapshot to the next, seen from outside: the strings and the results.</summary>
public sealed class FalMetricsMemoryTests
{
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));
    private readonly FakeLogger _log = new();

    [Fact]
    public async Task A_repeated_snapshot_has_the_same_strings_and_the_new_values_and_the_first_stays_as_it_was()
    {
        var api = new BodyApi(Body(20, 1), Body(20, 1000));
        using FalMetricsClient client = Client(api);
        FalMetricsSnapshot first = await client.GetSnapshotAsync();
        FalMetricsSnapshot second = await client.GetSnapshotAsync();

        Assert.True(HaveSameStrings(first, second));
        Assert.Equal(
            Describe(FalMetricsSnapshot.Create(PrometheusTextParser.ParseFamilies(Body(20, 1)), first.Timestamp)),
            Describe(first)
        );
        Assert.Equal(
            Describe(FalMetricsSnapshot.Create(PrometheusTextParser.ParseFamilies(Body(20, 1000)), second.Timestamp)),
            Describe(second)
        );
        Assert.Equal((1.0, 1000.0), (first["acme/app-0"]!.QueueSize, second["acme/app-0"]!.QueueSize));
    }

    [Fact]
    public async Task A_watch_remembers_too()
    {
        using FalMetricsClient client = Client(new BodyApi(Body(5, 1), Body(5, 2)));
        await using IAsyncEnumerator<FalMetricsSnapshot> watch = client.WatchAsync(TimeSpan.FromSeconds(15)).GetAsyncEnumerator();
        Assert.True(await watch.MoveNextAsync());
        FalMetricsSnapshot first = watch.Current;
        Task<bool> next = watch.MoveNextAsync().AsTask();
        _time.Advance(TimeSpan.FromSeconds(15));
        Assert.True(await next);

        Assert.True(HaveSameStrings(first, watch.Current));
    }

    [Fact]
    public async Task Nothing_is_remembered_where_the_option_says_so()
    {
        using FalMetricsClient client = Client(new BodyApi(Body(5, 1), Body(5, 2)), o => o.MaxRememberedBytes = 0);
        Assert.False(HaveSameStrings(await client.GetSnapshotAsync(), await client.GetSnapshotAsync()));
    }

    [Fact]
    public async Task After_ten_minutes_without_a_snapshot_the_memory_is_given_back()
    {
        using FalMetricsClient client = Client(new BodyApi(Body(5, 1), Body(5, 2), Body(5, 3), Body(5, 4)));
        FalMetricsSnapshot first = await client.GetSnapshotAsync();
        _time.Advance(TimeSpan.FromMinutes(9));
        FalMetricsSnapshot second = await client.GetSnapshotAsync();
        _time.Advance(TimeSpan.FromMinutes(9));
        FalMetricsSnapshot third = await client.GetSnapshotAsync();
        _time.Advance(TimeSpan.FromMinutes(10));
        FalMetricsSnapshot fourth = await client.GetSnapshotAsync();

        Assert.True(HaveSameStrings(first, second));
        Assert.True(HaveSameStrings(second, third));
        Assert.False(HaveSameStrings(third, fourth));
        Assert.Equal(4, fourth["acme/app-0"]!.QueueSize);
    }

    [Fact]
    public void A_disposed_client_remembers_nothing()
    {
        var memory = new FalMetricsMemory(1 << 20, _time);
        PrometheusExposition first = memory.Parse(Body(5, 1), PrometheusParserOptions.Lenient);
        memory.Dispose();
        PrometheusExposition second = memory.Parse(Body(5, 1), PrometheusParserOptions.Lenient);
        PrometheusExposition third = memory.Parse(Body(5, 1), PrometheusParserOptions.Lenient);

        Assert.NotSame(first.Families[0].Name, second.Families[0].Name);
        Assert.NotSame(second.Families[0].Name, third.Families[0].Name);
    }

    [Fact]
    public void A_call_that_finds_the_memory_in_use_does_without_instead_of_waiting()
    {
        using var memory = new FalMetricsMemory(1 << 20, _time);
        PrometheusExposition? meanwhile = null;
        PrometheusParserOptions parsing = PrometheusParserOptions.Lenient with
        {
            // Called in the middle of a parse: a second thread parses the same body to its end before this one continues.
            OnSkippedLine = _ =>
            {
                var other = new Thread(() => meanwhile = memory.Parse(Body(3, 7), PrometheusParserOptions.Lenient));
                other.Start();
                other.Join();
            },
        };
        PrometheusExposition exposition = memory.Parse([.. Body(2, 1), .. "this is no sample\n"u8], parsing);

        Assert.Equal(1, exposition.SkippedLineCount);
        Assert.Equal(7, meanwhile![FalMetricNames.QueueSize]!.Samples[0].Value);
        Assert.Equal(3, meanwhile[FalMetricNames.QueueSize]!.Samples.Count);
    }

    [Fact]
    public async Task Calls_at_the_same_time_get_each_their_own_values()
    {
        byte[][] bodies = [.. Enumerable.Range(0, 40).Select(i => Body(50 + i % 3, i * 1000))];
        using FalMetricsClient client = Client(new BodyApi(bodies) { RunsElsewhere = true });
        FalMetricsSnapshot[] snapshots = await Task.WhenAll(bodies.Select(_ => client.GetSnapshotAsync()));

        Assert.Equal(
            bodies
                .Select(body => Describe(FalMetricsSnapshot.Create(PrometheusTextParser.ParseFamilies(body), _time.GetUtcNow())))
                .Order(StringComparer.Ordinal),
            snapshots.Select(Describe).Order(StringComparer.Ordinal)
        );
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Whatever_changes_between_two_bodies_the_snapshot_is_that_of_a_client_without_a_memory(bool strict)
    {
        var random = new Random(7);
        (byte[] Body, string? ContentType)[] answers = [.. Enumerable.Range(0, 400).Select(_ => Answer(random))];
        using FalMetricsClient remembering = Client(new BodyApi(answers), o => o.StrictMetrics = strict);
        using FalMetricsClient forgetful = Client(new BodyApi(answers), o => (o.StrictMetrics, o.MaxRememberedBytes) = (strict, 0));
        using FalMetricsClient cramped = Client(new BodyApi(answers), o => (o.StrictMetrics, o.MaxRememberedBytes) = (strict, 2000));
        int read = 0;
        foreach ((byte[] body, string? _) in answers)
        {
            string expected = await ReadAsync(forgetful);
            Assert.Equal(expected, await ReadAsync(remembering));
            Assert.Equal(expected, await ReadAsync(cramped));
            read += expected.StartsWith("fails", StringComparison.Ordinal) ? 0 : 1;
        }

        // Strict reading must have had something to refuse, or little was compared.
        Assert.InRange(read, strict ? 100 : 400, strict ? 399 : 400);

        static async Task<string> ReadAsync(FalMetricsClient client)
        {
            try
            {
                return Describe(await client.GetSnapshotAsync());
            }
            catch (FalResponseException e)
            {
                return $"fails: {e.Message}";
            }
        }
    }

    /// <summary>
    /// A body in which, as a rule, only values differ from others; now and then lines, their order, comments or the format.
    /// </summary>
    private static (byte[] Body, string? ContentType) Answer(Random random)
    {
        List<string> lines = [.. Encoding.UTF8.GetString(Body(4, random.Next(100_000))).Split('\n', StringSplitOptions.RemoveEmptyEntries)];
        string? contentType = "text/plain";
        string end = "\n";
        for (int changes = random.Next(3) == 0 ? 0 : random.Next(4); changes > 0; changes--)
        {
            int at = random.Next(lines.Count);
            switch (random.Next(14))
            {
                case 0:
                    lines.RemoveRange(at, Math.Min(random.Next(1, 12), lines.Count - at));
                    lines.Add("z 1");
                    break;
                case 1:
                    lines.Insert(
                        at,
                        string.Create(
                            CultureInfo.InvariantCulture,
                            $"fal_app_queue_size{{application=\"new/{random.Next(5)}\"}} {random.Next(99)}"
                        )
                    );
                    break;
                case 2:
                    (lines[at], lines[^1]) = (lines[^1], lines[at]);
                    break;
                case 3:
                    lines = [.. lines.OrderBy(_ => random.Next())];
                    break;
                case 4:
                    lines.Insert(at, random.Next(2) == 0 ? "# HELP fal_app_queue_size another help" : "# TYPE fal_app_queue_size counter");
                    break;
                case 5:
                    lines[at] = lines[at]
                        .Replace("help", "HELP!", StringComparison.Ordinal)
                        .Replace("gauge", "histogram", StringComparison.Ordinal);
                    break;
                case 6:
                    lines.Insert(at, lines[random.Next(lines.Count)]);
                    break;
                case 7:
                    lines.Insert(at, random.Next(3) switch { 0 => "", 1 => "# comment", _ => "  " });
                    break;
                case 8 when random.Next(3) == 0:
                    lines[at] += "\r";
                    break;
                case 9 when random.Next(3) == 0:
                    lines[at] = lines[at][..random.Next(lines[at].Length)];
                    break;
                case 10:
                    lines[at] += " 1395066363000";
                    break;
                case 11:
                    end = "";
                    break;
                case 12:
                    contentType = random.Next(3) switch { 0 => null, 1 => "application/openmetrics-text", _ => "text/plain" };
                    end = random.Next(2) == 0 ? "\n# EOF\n" : "\n";
                    break;
                default:
                    lines[at] = lines[at].Replace("app-1", "app-9", StringComparison.Ordinal);
                    break;
            }
        }

        return (Encoding.UTF8.GetBytes(string.Join('\n', lines) + end), contentType);
    }

    private static byte[] Body(int apps, int value)
    {
        var text = new StringBuilder();
        Family("fal_app_queue_size", "");
        Family("fal_app_requests_completed", ",method=\"POST\",status=\"200\"", ",method=\"POST\",status=\"500\"");
        Family("fal_app_request_latency", ",le=\"0.5\"", ",le=\"1.0\"", ",le=\"+Inf\"");
        Family("fal_app_runners", ",machine_type=\"L\",state=\"idle\"", ",machine_type=\"L\",state=\"running\"");
        Family("fal_app_tokens", "");
        text.Append("fal_account_credit 12.5\n");
        return Encoding.UTF8.GetBytes(text.ToString());

        void Family(string name, params string[] labels)
        {
            text.Append(CultureInfo.InvariantCulture, $"# HELP {name} help\n# TYPE {name} gauge\n");
            for (int app = 0; app < apps; app++)
            {
                foreach (string label in labels)
                {
                    text.Append(CultureInfo.InvariantCulture, $"{name}{{application=\"acme/app-{app}\"{label}}} {value + app}\n");
                }
            }
        }
    }

    private static bool HaveSameStrings(FalMetricsSnapshot first, FalMetricsSnapshot second) =>
        first.Apps.Zip(second.Apps).All(apps => ReferenceEquals(apps.First.Name, apps.Second.Name))
        && first.Families.Zip(second.Families).All(families => ReferenceEquals(families.First.Name, families.Second.Name))
        && first
            .Families.SelectMany(family => family.Samples)
            .Zip(second.Families.SelectMany(family => family.Samples))
            .All(samples =>
                ReferenceEquals(samples.First.Name, samples.Second.Name)
                && samples
                    .First.Labels.Zip(samples.Second.Labels)
                    .All(labels =>
                        ReferenceEquals(labels.First.Key, labels.Second.Key) && ReferenceEquals(labels.First.Value, labels.Second.Value)
                    )
            );

    /// <summary>All that a snapshot says, so that two can be compared.</summary>
    private static string Describe(FalMetricsSnapshot snapshot)
    {
        var text = new StringBuilder();
        foreach (MetricFamily family in snapshot.Families)
        {
            text.Append(CultureInfo.InvariantCulture, $"{family} {family.Help} {family.Unit}\n{string.Join('\n', family.Samples)}\n");
        }

        foreach (FalAppMetrics app in snapshot.Apps)
        {
            Assert.Same(app, snapshot[app.Name]);
            text.Append(CultureInfo.InvariantCulture, $"{app} {app.RunnerGpuCount} {app.RequestsReceived}\n")
                .AppendJoin(' ', app.Runners)
                .AppendJoin(' ', app.RequestsCompletedByStatus)
                .AppendJoin(' ', app.Latency?.Buckets ?? [])
                .AppendJoin(' ', app.Samples)
                .Append('\n');
        }

        return text.Append(CultureInfo.InvariantCulture, $"{snapshot.SkippedLineCount} {string.Join('\n', snapshot.SkippedLines)}")
            .ToString();
    }

    private FalMetricsClient Client(IFalMetricsApi api, Action<FalObservabilityOptions>? configure = null)
    {
        var options = new FalObservabilityOptions();
        configure?.Invoke(options);
        return new FalMetricsClient(api, options, _time, _log, () => 0);
    }

    /// <summary>Answers with bodies that are in memory as the client's own pipeline leaves them, the last one again and again.</summary>
    private sealed class BodyApi(params (byte[] Body, string? ContentType)[] answers) : IFalMetricsApi
    {
        private int _calls;

        public BodyApi(params byte[][] bodies)
            : this([.. bodies.Select(body => (body, (string?)"text/plain"))])
        {
        }

        public bool RunsElsewhere { get; init; }

        public async Task<Stream> GetMetricsAsync(bool streaming = false, CancellationToken cancellationToken = default)
        {
            (byte[] body, string? contentType) = answers[Math.Min(Interlocked.Increment(ref _calls), answers.Length) - 1];
            if (RunsElsewhere)
            {
                await Task.Yield();
            }

            byte[] rented = ArrayPool<byte>.Shared.Rent(body.Length);
            body.CopyTo(rented, 0);
            return new FalBodyStream(
                rented,
                body.Length,
                new FalBodyBuffers(1024),
                new FalResponseInfo(HttpStatusCode.OK, contentType, null, "GET /serverless/metrics")
            );
        }
    }
}
